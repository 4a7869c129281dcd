//! Steps 5, 6 and 8: the patient, the nurse's post, and what the others make of it.

use crate::opening::{Place, Team};
use crate::originals::{self, holds, place};
use crate::world::{self, pushes_of};
use image::imageops::FilterType;
use renraku_core::ItemState;
use renraku_media::{Cancel, film, fixture, photo, video};
use renraku_mobile::{AttachmentFile, MobileError, PostDraft, ProgressListener};
use renraku_tests::harness::Fakes;
use renraku_wire::{
    BodySite, Code, ConsentForm, ConsentGiver, ConsentId, Gender, Media, MediaId, MediaKind, MediaState,
    NewConsent, NewPatient, NewTeamMember, NoticeKind, PatientId, PatientRegistered, PostId, limits,
};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Step 5.
pub async fn a_patient_is_registered(places: &[Place; 3], team: &Team, fakes: &Fakes) -> PatientId {
    let manager = &places[0].manager;
    let scan = fixture::jpeg(&[250; 595 * 842 * 3], 595, 842, 80);
    let mut new = new_patient(team, MediaId::new());
    let refused =
        manager.post::<PatientRegistered>("/v1/patients", &new).await.expect_err("no consent on file");
    assert_eq!(refused.code, Code::ConsentMissing);
    new.consent.document = manager.upload_document(&scan, "同意書").await.expect("the consent's file");
    let registered: PatientRegistered = manager.post("/v1/patients", &new).await.expect("registered");
    assert_eq!(registered.id, new.id);
    let again: PatientRegistered = manager.post("/v1/patients", &new).await.expect("the same again");
    assert_eq!(again.id, new.id);

    for person in [&team.nurse, &team.doctor, &team.care_manager] {
        let pushes = pushes_of(fakes, person.push_token, NoticeKind::PatientRegistered).await;
        assert_eq!(pushes.len(), 1, "the new-patient notice to {}", person.login_id);
        for address in person.mails {
            assert_eq!(world::mails_of(fakes, address, NoticeKind::PatientRegistered).await.len(), 1);
        }
        let seen = person.session.patients().patient(new.id).await.expect("a supporter sees the patient");
        assert!(!seen.stale);
        assert_eq!(seen.patient.name, world::PATIENT.0);
        let places: std::collections::HashSet<_> = seen.patient.team.iter().map(|m| m.facility_id).collect();
        assert_eq!((seen.patient.team.len(), places.len()), (3, 3));
    }
    let outside = manager.get::<renraku_wire::Patient>(&format!("/v1/patients/{}", new.id)).await;
    assert_eq!(outside.expect_err("who is not in the team sees nothing").code, Code::NotFound);
    new.id
}

fn new_patient(team: &Team, document: MediaId) -> NewPatient {
    let member = |staff_id, lead| NewTeamMember { staff_id, lead };
    NewPatient {
        id: PatientId::new(),
        name: world::PATIENT.0.to_owned(),
        kana: world::PATIENT.1.to_owned(),
        gender: Gender::Female,
        birth_date: "1938-02-03".to_owned(),
        address: "架空郡架空町9-9".to_owned(),
        telephone: String::new(),
        care_level: Some("23".to_owned()),
        consent: NewConsent {
            id: ConsentId::new(),
            document,
            giver: ConsentGiver::Patient,
            giver_name: None,
            form: ConsentForm::Municipal,
            obtained_on: "2026-01-05".to_owned(),
        },
        team: vec![
            member(team.nurse.id, true),
            member(team.doctor.id, false),
            member(team.care_manager.id, false),
        ],
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<f32>>);

impl ProgressListener for Heard {
    fn on_progress(&self, done: f32) {
        self.0.lock().expect("nobody panicked").push(done);
    }
}

/// Step 6.
pub async fn the_nurse_posts(team: &Team, patient_id: PatientId) -> PostId {
    let nurse = &team.nurse;
    let taken = |name: &str, kind, bytes: &[u8]| {
        let path = nurse.phone.file(name);
        std::fs::write(&path, bytes).expect("the camera writes");
        AttachmentFile {
            kind,
            path: path.to_string_lossy().into_owned(),
            description: String::new(),
            marks: vec![],
            pixels: None,
            sound: true,
            hand_over: false,
        }
    };
    let attachments = vec![
        taken("IMG_0001.JPG", MediaKind::Photo, originals::photo()),
        taken("IMG_0002.MOV", MediaKind::Video, originals::film()),
    ];
    let draft = PostDraft {
        patient_id,
        body: world::BODY.to_owned(),
        urgent: false,
        body_site: Some(BodySite::LeftHeel),
        attachments: attachments.clone(),
        keep_as_draft: false,
        id: None,
    };
    let heard = Arc::new(Heard::default());
    let id = nurse.session.outbox().compose(draft).await.expect("composed");
    let report = nurse.session.outbox().prepare(Some(heard.clone())).await.expect("prepared");
    assert_eq!((report.made, report.failed), (2, 0));
    let heard = heard.0.lock().expect("nobody panicked").clone();
    assert!(heard.is_sorted() && heard.last() == Some(&1.0), "{heard:?}");
    for original in &attachments {
        // From here on the sealed outbox is all there is.
        std::fs::remove_file(&original.path).expect("the shell removes the original");
    }
    let waiting = nurse.session.outbox().items().await.expect("the outbox");
    assert_eq!((waiting.len(), waiting[0].state.clone(), waiting[0].media.len()), (1, ItemState::Waiting, 2));

    let mut sent = 0;
    for _ in 0..10 {
        let report = nurse.session.outbox().flush(true).await.expect("a pass");
        assert_eq!(report.failed, 0);
        sent += report.sent;
        if report.remaining == 0 {
            break;
        }
    }
    assert_eq!(sent, 1, "text, photo and film are there");
    let item = nurse.session.outbox().items().await.expect("the outbox").remove(0);
    assert_eq!((item.id, item.state), (id, ItemState::Sent));
    assert!(item.media.iter().all(|m| m.done && m.uploaded == m.length));
    id
}

/// Step 8, the doctor.
pub async fn the_doctor_looks(team: &Team, fakes: &Fakes, id: PostId) {
    let before = team.nurse.session.posts().receipts(id).await.expect("the author may ask");
    assert_eq!(before.len(), 2);
    assert!(before.iter().all(|r| r.read_at.is_none() && r.acknowledged_at.is_none()));

    let doctor = &team.doctor;
    let push = pushes_of(fakes, doctor.push_token, NoticeKind::PostPublished).await.remove(0);
    let shown = doctor.session.handle_push(push.payload.to_string()).await.expect("the push is ours");
    world::reveals_nothing(&shown.locked);
    let unlocked = shown.unlocked.expect("the server was reached");
    assert_eq!((unlocked.kind, unlocked.post_id), (NoticeKind::PostPublished, Some(id)));
    assert_eq!(unlocked.patient_name.as_deref(), Some(world::PATIENT.0));
    assert_eq!(unlocked.author_name.as_deref(), Some(world::TEAM[0]));
    assert!(world::BODY.starts_with(&unlocked.preview.expect("a preview")));
    let stolen = team.care_manager.session.handle_push(push.payload.to_string()).await.expect("a push");
    assert_eq!(stolen.unlocked, None, "another's notice tells nothing");

    let seen = doctor.session.posts().post(id).await.expect("the post");
    assert!(!seen.stale && !seen.post.read);
    assert_eq!(seen.post.body, world::BODY);
    assert_eq!(seen.post.body_site, Some(BodySite::LeftHeel));
    assert_eq!(seen.post.facility_name, world::FACILITIES[0]);
    let [picture, clip] = &seen.post.media[..] else { panic!("a photo and a film") };
    assert!([picture, clip].iter().all(|m| m.state == MediaState::Ready));
    let (photo_file, film_file) = (doctor.phone.file("photo.jpg"), doctor.phone.file("film.mp4"));
    fetch(team, picture, &photo_file).await;
    fetch(team, clip, &film_file).await;
    upright_small_and_bare(&std::fs::read(&photo_file).expect("the photo"), picture);
    let thumbnail = doctor.session.posts().thumbnail(picture.id).await.expect("a thumbnail");
    let thumbnail = image::load_from_memory(&thumbnail).expect("a JPEG");
    assert_eq!((thumbnail.width(), thumbnail.height()), (300, 400));
    plays_and_tells_nothing(&film_file, clip);
    let poster = doctor.session.posts().thumbnail(clip.id).await.expect("the film's poster");
    let poster = photo::verify(&poster, &photo::Limits::default()).expect("bare");
    assert_eq!(poster.width.max(poster.height), limits::THUMBNAIL_SIDE);

    doctor.session.posts().mark_read(id).await.expect("noted");
    assert!(doctor.session.posts().post(id).await.expect("the post").post.read);
}

async fn fetch(team: &Team, media: &Media, to: &Path) {
    let path = to.to_string_lossy().into_owned();
    let length = team.doctor.session.posts().media(media.id, path).await.expect("the file");
    assert_eq!(length, media.length);
}

fn upright_small_and_bare(bytes: &[u8], told: &Media) {
    let facts = photo::verify(bytes, &photo::Limits { max_side: 2048, ..photo::Limits::default() });
    let facts = facts.expect("a stripped photo within the limits");
    assert_eq!((facts.width, facts.height), (1536, 2048), "upright and downscaled");
    assert_eq!((told.kind, told.width, told.height), (MediaKind::Photo, Some(1536), Some(2048)));
    for tag in [&b"Exif"[..], b"http://ns.adobe.com", b"ICC_PROFILE", b"GPS"] {
        assert!(!holds(bytes, tag), "{}", String::from_utf8_lossy(tag));
    }
    for tag in [fixture::MAKE, fixture::MODEL, fixture::SERIAL, fixture::TAKEN] {
        assert!(!holds(bytes, tag.as_bytes()), "{tag}");
    }
    let arrived = image::load_from_memory(bytes).expect("a JPEG");
    let scene = fixture::heel(originals::SEED, 3024, 4032);
    let scene = image::RgbImage::from_raw(3024, 4032, scene).expect("as many pixels");
    let small = |picture: &image::DynamicImage| picture.resize_exact(48, 64, FilterType::Triangle).to_rgb8();
    let (arrived, scene) = (small(&arrived), small(&scene.into()));
    let apart = |other: &image::RgbImage| {
        let sum: u64 = arrived.iter().zip(other.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / arrived.len() as f64
    };
    let upside_down = image::imageops::rotate180(&scene);
    let (right, wrong) = (apart(&scene), apart(&upside_down));
    assert!(right < 4.0 && right * 2.0 < wrong, "{right} from the scene, {wrong} from it upside down");
}

fn plays_and_tells_nothing(path: &Path, told: &Media) {
    let bytes = std::fs::read(path).expect("the film");
    let facts = film::verify(&bytes, &film::Limits::default()).expect("H.264, AAC, fast start, no tags");
    assert_eq!((facts.width, facts.height, facts.sound), (720, 1280, true), "720p, upright");
    assert!(facts.duration_ms.abs_diff(10_000) < 300, "{}", facts.duration_ms);
    assert_eq!((told.kind, told.width, told.height), (MediaKind::Video, Some(720), Some(1280)));
    assert_eq!(told.duration_ms, Some(facts.duration_ms));
    assert!(place(&bytes, b"moov") < place(&bytes, b"mdat"), "a player can start at once");
    for tag in [originals::PLACE, b"kitchen", b"\xa9xyz", b"loci", b"Lavf"] {
        assert!(!holds(&bytes, tag), "{}", String::from_utf8_lossy(tag));
    }
    let played = video::play(path, &Cancel::new()).expect("it plays to the end");
    assert!(played.frames.abs_diff(300) < 10 && played.audio_frames > 400, "{played:?}");
    assert_eq!((played.width, played.height), (720, 1280));
}

/// Step 8, the care manager: 👍 from the notice.
pub async fn the_care_manager_acknowledges(team: &Team, fakes: &Fakes, id: PostId) {
    let push = pushes_of(fakes, team.care_manager.push_token, NoticeKind::PostPublished).await.remove(0);
    let delivered = world::part(&push).to_string();
    let session = &team.care_manager.session;
    let shown = session.handle_push(delivered).await.expect("the push is ours");
    assert_eq!(shown.unlocked.and_then(|u| u.post_id), Some(id));
    session.posts().acknowledge(id, true).await.expect("pressed");
    let post = session.posts().post(id).await.expect("the post").post;
    assert!(post.read && post.acknowledged);
    let asked = session.posts().receipts(id).await.expect_err("neither author nor lead");
    assert_eq!(asked, MobileError::Conflict { code: Code::RoleInsufficient.as_str().to_owned() });
}

/// Step 8, the nurse.
pub async fn the_nurse_sees_who_read(team: &Team, id: PostId) {
    let receipts = team.nurse.session.posts().receipts(id).await.expect("the author may ask");
    let of = |person| receipts.iter().find(|r| r.staff_id == person).expect("on the list");
    let (doctor, care_manager) = (of(team.doctor.id), of(team.care_manager.id));
    assert_eq!(receipts.len(), 2);
    assert!(doctor.read_at.is_some() && doctor.acknowledged_at.is_none());
    assert!(care_manager.read_at.is_some() && care_manager.acknowledged_at.is_some());
    assert_eq!((doctor.name.as_str(), doctor.facility_name.as_str()), (world::TEAM[1], world::FACILITIES[1]));
    let post = team.nurse.session.posts().post(id).await.expect("the post").post;
    assert_eq!((post.read_count, post.acknowledged_count), (2, 1));
}
