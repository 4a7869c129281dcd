//! What becomes of a photo or film on its way into the outbox: covered, silenced, cut down to the town's policy,
//! with a picture that stands for it. And how both are stopped.

use crate::phone::{Phone, draft, noisy_photo};
use crate::town::{PASSWORD, found};
use renraku_core::{
    Attachment, Cancel, CoreError, Cover, Draft, FileState, ItemState, Mark, PixelLayout, Progress, Session,
    Shape, StorageTrouble,
};
use renraku_media::{film, fixture, photo};
use renraku_wire::{Code, DevicePolicy, MediaId, MediaKind, PatientId, limits};
use std::sync::Arc;

/// The left upper quarter.
const CORNER: Mark =
    Mark { shape: Shape::Rectangle, cover: Cover::Black, left: 0.0, top: 0.0, width: 0.5, height: 0.5 };

async fn send(session: &Session, patient: PatientId, attachment: Attachment) -> Result<MediaId, CoreError> {
    let post = Draft { attachments: vec![attachment], ..draft(patient, "x") };
    let id = session.compose(post).await?;
    session.prepare(Cancel::new(), None).await?;
    let items = session.outbox().await.unwrap();
    let media = items.iter().find(|item| item.id == id).unwrap().media[0].clone();
    if let FileState::Failed { code } = media.state {
        session.cancel(id).await?;
        return Err(CoreError::Media { code });
    }
    assert_eq!(session.flush(true).await.unwrap().failed, 0);
    Ok(media.id)
}

fn film(phone: &Phone, seconds: f32) -> Attachment {
    let path = phone.file("dressing.mp4");
    fixture::phone_film(&path, seconds).unwrap();
    Attachment::new(MediaKind::Video, path, "包帯".into())
}

fn is_black(jpeg: &[u8], (u, v): (f32, f32)) -> bool {
    let shown = image::load_from_memory(jpeg).unwrap().into_rgb8();
    let at = |share: f32, side: u32| (side as f32 * share) as u32;
    shown.get_pixel(at(u, shown.width()), at(v, shown.height())).0.iter().all(|c| *c < 20)
}

#[tokio::test(flavor = "multi_thread")]
async fn marked_areas_are_covered_before_anything_is_kept() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let white = image::RgbImage::from_pixel(800, 600, image::Rgb([250; 3]));
    white.save_with_format(phone.file("camera.jpg"), image::ImageFormat::Jpeg).unwrap();
    let mut attachment = Attachment::new(MediaKind::Photo, phone.file("camera.jpg"), String::new());
    attachment.marks = vec![CORNER];
    let id = send(&session, town.patient.id, attachment.clone()).await.unwrap();
    let small = session.thumbnail(id).await.unwrap();
    assert_eq!(town.facts().thumbnails_served, 0, "from the store");
    let sent = town.facts().files[&id].bytes.clone();
    for jpeg in [&sent, &small] {
        assert!(is_black(jpeg, (0.25, 0.25)) && !is_black(jpeg, (0.75, 0.75)));
    }
    for bad in [Mark { left: 1.5, ..CORNER }, Mark { width: 0.0, ..CORNER }, Mark { top: f32::NAN, ..CORNER }]
    {
        attachment.marks = vec![CORNER, bad];
        let refused = send(&session, town.patient.id, attachment.clone()).await;
        assert_eq!(
            refused,
            Err(CoreError::Invalid { code: Code::MarkInvalid, field: Some("marks".into()) }),
            "{bad:?}"
        );
    }
    // On a film a mark would cover nothing: better no film than a face that was believed covered.
    let on_film = Attachment { marks: vec![CORNER], ..film(&phone, 0.5) };
    assert!(matches!(
        send(&session, town.patient.id, on_film).await,
        Err(CoreError::Invalid { code: Code::MarkInvalid, .. })
    ));
    assert_eq!(session.outbox().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_decoded_is_a_photo_like_any_other() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let rows: Vec<u8> =
        (0..300u32).flat_map(|_| [[200, 40, 40, 255].repeat(400), vec![0; 32]].concat()).collect();
    std::fs::write(phone.file("heic.rgba"), &rows).unwrap();
    let layout = PixelLayout { width: 400, height: 300, stride: 1632, orientation: 6, icc: None };
    let mut attachment = Attachment::new(MediaKind::Photo, phone.file("heic.rgba"), String::new());
    attachment.pixels = Some(layout.clone());
    attachment.marks = vec![CORNER];
    let id = send(&session, town.patient.id, attachment.clone()).await.unwrap();
    let sent = town.facts().files[&id].bytes.clone();
    let facts = photo::verify(&sent, &photo::Limits::default()).unwrap();
    assert_eq!((facts.width, facts.height), (300, 400), "turned upright");
    assert!(is_black(&sent, (0.25, 0.25)) && !is_black(&sent, (0.75, 0.25)));
    for bad in
        [PixelLayout { height: 301, ..layout.clone() }, PixelLayout { orientation: 9, ..layout.clone() }]
    {
        attachment.pixels = Some(bad);
        let refused = send(&session, town.patient.id, attachment.clone()).await;
        assert_eq!(refused, Err(CoreError::Media { code: Code::MediaUnreadable }));
    }
    let on_film = Attachment { pixels: Some(layout), ..film(&phone, 0.5) };
    assert!(matches!(send(&session, town.patient.id, on_film).await, Err(CoreError::Invalid { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_has_a_poster_and_its_sound_only_if_it_shall() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    for sound in [true, false] {
        let id = send(&session, town.patient.id, Attachment { sound, ..film(&phone, 1.5) }).await.unwrap();
        let facts = film::verify(&town.facts().files[&id].bytes, &film::Limits::default()).unwrap();
        assert_eq!(facts.sound, sound);
        town.network.set_down(true);
        let poster = session.thumbnail(id).await.unwrap();
        town.network.set_down(false);
        assert!(town.facts().posters[&id] == poster, "the team has it too");
        let shown = photo::verify(&poster, &photo::Limits::default()).unwrap();
        assert_eq!(shown.width.max(shown.height), limits::THUMBNAIL_SIDE, "{shown:?}");
        assert!(shown.height > shown.width, "upright, as the film");
    }
    assert_eq!(town.facts().thumbnails_served, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_towns_policy_says_how_good_and_how_large() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let sent = |id: MediaId| town.facts().files[&id].bytes.clone();
    let photo = || noisy_photo(phone.file("camera.jpg"), 900);
    let generous = sent(send(&session, town.patient.id, photo()).await.unwrap());
    let long = sent(send(&session, town.patient.id, film(&phone, 3.0)).await.unwrap());
    let policy = session.policy().clone();
    let mut sizes = Vec::new();
    for policy in [
        DevicePolicy { photo_quality: 40, video_rate: 10, ..policy.clone() },
        DevicePolicy { photo_bytes: 150_000, video_seconds: 1, ..policy.clone() },
    ] {
        town.facts().policy = Some(policy);
        let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
        let photo = sent(send(&session, town.patient.id, photo()).await.unwrap());
        let id = send(&session, town.patient.id, film(&phone, 3.0)).await.unwrap();
        let path = phone.file("film.mp4");
        std::fs::write(&path, sent(id)).unwrap();
        let played = renraku_media::video::play(&path, &Cancel::new()).unwrap();
        sizes.push((photo.len(), played));
    }
    let (worse, thin) = sizes[0];
    assert!(worse < generous.len() * 3 / 4, "{worse} of {}", generous.len());
    assert!((28..=31).contains(&thin.frames), "ten a second: {thin:?}");
    let (small, short) = sizes[1];
    assert!(small <= 150_000, "{small}");
    assert!(short.duration_ms <= 1000, "{short:?}");
    assert!(film::verify(&long, &film::Limits::default()).unwrap().duration_ms > 2900);
}

/// Asks to stop as soon as a preparation is under way.
struct Impatient(Cancel);

impl Progress for Impatient {
    fn on_progress(&self, _: f32) {
        self.0.cancel();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_film_can_be_stopped_while_it_is_made_and_nothing_of_it_stays() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let cancel = Cancel::new();
    let post = Draft { attachments: vec![film(&phone, 4.0)], ..draft(town.patient.id, "x") };
    let id = session.compose(post).await.unwrap();
    let stopped = session.prepare(cancel.clone(), Some(Arc::new(Impatient(cancel.clone())))).await;
    assert_eq!(stopped, Err(CoreError::Cancelled));
    assert_eq!(session.prepare(cancel, None).await, Err(CoreError::Cancelled), "asked before");
    let item = session.outbox().await.unwrap().remove(0);
    assert_eq!((item.state, item.media[0].state), (ItemState::Waiting, FileState::Planned), "the post waits");
    let report = session.prepare(Cancel::new(), None).await.unwrap();
    assert_eq!((report.made, report.failed), (1, 0));
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    assert_eq!(town.facts().posts[0].id, id);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_can_be_stopped_and_nothing_of_it_stays() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let id = send(&session, town.patient.id, noisy_photo(phone.file("camera.jpg"), 64)).await.unwrap();
    // Large enough that it is on its way for long, over a line that passes a little at a time.
    town.facts().files.get_mut(&id).unwrap().bytes = vec![7; 40_000_000];
    let to = phone.file("film.mp4");
    town.network.trickle(50_000);
    let (cancel, path) = (Cancel::new(), to.clone());
    let asked = cancel.clone();
    let session = Arc::new(session);
    let fetching = tokio::spawn({
        let session = session.clone();
        async move { session.media(id, &path, &cancel).await }
    });
    while !std::fs::metadata(&to).is_ok_and(|file| file.len() > 0) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    asked.cancel();
    assert_eq!(fetching.await.unwrap(), Err(CoreError::Cancelled));
    assert!(!to.exists(), "part of a file never stays");
    town.network.trickle(0);
    assert_eq!(session.media(id, &to, &asked).await, Err(CoreError::Cancelled), "asked before");
    assert_eq!(session.media(id, &to, &Cancel::new()).await, Ok(40_000_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_after_its_reader_left_does_not_stay() {
    let town = found().await;
    let (phone, mut session) = Phone::with_nurse(&town).await;
    let id = send(&session, town.patient.id, noisy_photo(phone.file("camera.jpg"), 64)).await.unwrap();
    for start in [[0xFF, 0xD8], [0, 0]] {
        let mut bytes = vec![7; 400_000];
        bytes[..2].copy_from_slice(&start);
        town.facts().files.get_mut(&id).unwrap().bytes = bytes;
        town.network.trickle(100_000);
        let (leaving, to) = (Arc::new(session), phone.file("shown"));
        let fetching = tokio::spawn({
            let (session, to) = (leaving.clone(), to.clone());
            async move { session.media(id, &to, &Cancel::new()).await }
        });
        while !std::fs::metadata(&to).is_ok_and(|file| file.len() > 0) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        leaving.sign_out().await.unwrap();
        town.network.trickle(0);
        assert_eq!(
            fetching.await.unwrap(),
            Err(CoreError::Storage { kind: StorageTrouble::Locked }),
            "{start:?}"
        );
        assert!(!to.exists(), "{start:?}: nobody is there to see it");
        session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    }
}
