//! A post is kept before its files are made, its text waits for none of them, and a kill while they are made costs
//! nothing but the time.

use crate::killed::{phones_process, resumed};
use crate::phone::{Phone, draft, noisy_photo, of_another_process, text};
use crate::town::found;
use renraku_core::{
    Attachment, Cancel, CoreError, Device, Draft, FileState, ItemState, Progress, Session, StorageTrouble,
};
use renraku_media::fixture;
use renraku_wire::{Code, MediaKind, MediaState, PatientId, PostId, StaffId};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const ROUNDS: u32 = 12;
const TIME: Duration = Duration::from_secs(60);

pub fn film(path: PathBuf, seconds: f32) -> Attachment {
    fixture::phone_film(&path, seconds).unwrap();
    Attachment::new(MediaKind::Video, path, "歩く様子".into())
}

pub fn with(patient: PatientId, body: &str, attachments: Vec<Attachment>) -> Draft {
    Draft { attachments, ..draft(patient, body) }
}

pub async fn prepare(session: &Session) -> (u32, u32) {
    let report = session.prepare(Cancel::new(), None).await.unwrap();
    (report.made, report.failed)
}

pub fn entries(phone: &Phone, name: &str) -> usize {
    let mut folders = vec![phone.file(name)];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files += 1 }
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_leaves_before_its_film_is_made_and_nothing_waits_for_it() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let (patient, walk) = (town.patient.id, film(phone.file("walk.mp4"), 1.0));
    let first = session.compose(with(patient, "walks", vec![walk])).await.unwrap();
    let second = session.compose(draft(patient, "urgent")).await.unwrap();
    let report = session.flush(true).await.unwrap();
    assert_eq!(
        (report.sent, report.failed, report.remaining, report.next_try_at),
        (1, 0, 1, None),
        "{report:?}"
    );
    assert_eq!(town.facts().attempts, [first, second], "in order, and neither waits");
    let item = session.outbox().await.unwrap().remove(0);
    assert!(item.text_sent && item.state == ItemState::Sending && item.media[0].state == FileState::Planned);
    assert_eq!(town.facts().files.values().next().unwrap().new.length, 0, "announced to follow");
    assert_eq!(session.flush(true).await.unwrap().remaining, 1, "there is nothing to do yet");

    assert_eq!(prepare(&session).await, (1, 0));
    let item = session.outbox().await.unwrap().remove(0);
    assert_eq!((item.state, item.media[0].state), (ItemState::Sending, FileState::Made));
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    let facts = town.facts();
    let stored = facts.files.values().next().unwrap();
    assert!(stored.state == MediaState::Ready && stored.new.length == item.media[0].length);
    assert_eq!(facts.attempts.len(), 2, "the text went once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_sent_again_says_of_its_files_what_it_said_before() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let photo = noisy_photo(phone.file("camera.jpg"), 64);
    let id = session.compose(with(town.patient.id, "again", vec![photo])).await.unwrap();
    town.facts().refuse = Some(("again".into(), Code::Internal));
    session.flush(true).await.unwrap();
    assert_eq!(prepare(&session).await, (1, 0));
    town.facts().refuse = None;
    assert_eq!(session.flush(true).await.unwrap().sent, 1, "{:?}", session.outbox().await);
    assert_eq!(town.facts().attempts, [id, id]);
    assert_eq!(town.facts().files.values().next().unwrap().state, MediaState::Ready);

    // What was surely not taken may say it anew.
    let photo = noisy_photo(phone.file("camera.jpg"), 64);
    session.compose(with(town.patient.id, "later", vec![photo])).await.unwrap();
    town.facts().refuse = Some(("later".into(), Code::Unavailable));
    session.flush(true).await.unwrap();
    assert_eq!(prepare(&session).await, (1, 0));
    town.facts().refuse = None;
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    assert!(town.facts().posts[1].media[0].length > 0, "announced whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_or_no_picture_fails_alone_and_nobody_waits_for_it() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let patient = town.patient.id;
    std::fs::write(phone.file("fake.jpg"), b"not a picture").unwrap();
    let fake = Attachment::new(MediaKind::Photo, phone.file("fake.jpg"), String::new());
    let lost = noisy_photo(phone.file("lost.jpg"), 64);
    let good = noisy_photo(phone.file("good.jpg"), 64);

    // Known before the text leaves: it leaves without them.
    let early = session
        .compose(with(patient, "early", vec![fake.clone(), lost.clone(), good.clone()]))
        .await
        .unwrap();
    std::fs::remove_file(phone.file("lost.jpg")).unwrap();
    assert_eq!(prepare(&session).await, (1, 2));
    let item = session.outbox().await.unwrap().remove(0);
    let failed = |code| FileState::Failed { code };
    assert_eq!(item.state, ItemState::Waiting, "the text goes all the same");
    assert_eq!(
        item.media.iter().map(|m| m.state).collect::<Vec<_>>(),
        [failed(Code::MediaUnreadable), failed(Code::MediaLost), FileState::Made]
    );
    let report = session.flush(true).await.unwrap();
    assert_eq!((report.sent, report.failed, report.remaining), (0, 1, 0));
    assert_eq!(town.facts().posts[0].media.len(), 1, "no one is told of what will not come");
    let item = session.outbox().await.unwrap().remove(0);
    assert_eq!(
        (item.id, item.state),
        (early, ItemState::Failed { code: Code::MediaUnreadable, field: None }),
        "the person is"
    );
    // Tried again it is not called sent: what the text left out would be lost without a word.
    session.release(early).await.unwrap();
    assert_eq!(session.flush(true).await.unwrap().failed, 1);
    session.cancel(early).await.unwrap();

    // Known after it: the server is told.
    let lost = noisy_photo(phone.file("lost.jpg"), 64);
    session.compose(with(patient, "late", vec![lost.clone(), good])).await.unwrap();
    session.flush(true).await.unwrap();
    std::fs::remove_file(phone.file("lost.jpg")).unwrap();
    assert_eq!(prepare(&session).await, (1, 1));
    assert_eq!(session.flush(true).await.unwrap().failed, 1);
    let states: Vec<_> = {
        let facts = town.facts();
        facts.posts[1].media.iter().map(|m| facts.files[&m.id].state).collect()
    };
    assert_eq!(states, [MediaState::Refused, MediaState::Ready]);

    // Nothing but what cannot be made: there is nothing to send.
    let nothing = session.compose(with(patient, "", vec![fake])).await.unwrap();
    assert_eq!(prepare(&session).await, (0, 1));
    session.flush(true).await.unwrap();
    let item = session.outbox().await.unwrap().into_iter().find(|item| item.id == nothing).unwrap();
    assert_eq!(item.state, ItemState::Failed { code: Code::MediaUnreadable, field: None });
    assert_eq!(town.facts().posts.len(), 2);
    // A file that came back may be tried again.
    noisy_photo(phone.file("fake.jpg"), 64);
    session.release(nothing).await.unwrap();
    assert_eq!(prepare(&session).await, (1, 0));
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_just_now_holds_no_other_up() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let (odd, good) = (noisy_photo(phone.file("odd.jpg"), 64), noisy_photo(phone.file("good.jpg"), 64));
    session.compose(with(town.patient.id, "both", vec![odd, good])).await.unwrap();
    // A folder is there, and is no file to read: neither gone nor a bad picture.
    std::fs::remove_file(phone.file("odd.jpg")).unwrap();
    std::fs::create_dir(phone.file("odd.jpg")).unwrap();
    let trouble = Err(CoreError::Storage { kind: StorageTrouble::File });
    let states = async || {
        let media = session.outbox().await.unwrap().remove(0).media;
        [media[0].state, media[1].state]
    };
    for hour in 0..4 {
        // However often it is tried within an hour.
        for _ in 0..3 {
            assert_eq!(session.prepare(Cancel::new(), None).await, trouble, "{hour}");
            assert_eq!(states().await, [FileState::Planned, FileState::Made]);
        }
        phone.clock.hours(1);
    }
    assert_eq!(prepare(&session).await, (0, 1), "not for ever");
    assert_eq!(states().await[0], FileState::Failed { code: Code::MediaUnreadable });
    session.release(session.outbox().await.unwrap()[0].id).await.unwrap();
    assert_eq!(session.prepare(Cancel::new(), None).await, trouble, "asked to, it begins anew");
    std::fs::remove_dir(phone.file("odd.jpg")).unwrap();
    noisy_photo(phone.file("odd.jpg"), 64);
    assert_eq!(prepare(&session).await, (1, 0), "the next time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_the_town_refuses_holds_no_other_up() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let photos = ["bad.jpg", "good.jpg"].map(|name| noisy_photo(phone.file(name), 64));
    session.compose(with(town.patient.id, "two", photos.to_vec())).await.unwrap();
    assert_eq!(prepare(&session).await, (2, 0));
    let media = session.outbox().await.unwrap().remove(0).media;
    town.facts().refuse_file = Some(media[0].id);
    let report = session.flush(true).await.unwrap();
    assert_eq!((report.sent, report.failed, report.remaining), (0, 1, 0));
    let item = session.outbox().await.unwrap().remove(0);
    let code = Code::MediaUnreadable;
    assert_eq!(item.state, ItemState::Failed { code, field: None }, "the person is told");
    assert_eq!(item.media[0].state, FileState::Failed { code });
    assert_eq!(town.facts().files[&media[1].id].state, MediaState::Ready);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_without_a_text_leaves_when_it_is_made() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let photo = noisy_photo(phone.file("camera.jpg"), 64);
    session.compose(with(town.patient.id, "", vec![photo])).await.unwrap();
    let text = session.compose(with(town.patient.id, "text", vec![])).await.unwrap();
    assert_eq!(session.flush(true).await.unwrap().sent, 1, "the text behind it does not wait");
    assert_eq!(town.facts().attempts, [text], "nobody is told of a post with nothing in it");
    assert_eq!(prepare(&session).await, (1, 0));
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
    assert!(town.facts().posts[1].media[0].length > 0);
}

/// Tells that the making is under way.
#[derive(Default)]
struct Begun(AtomicBool);

impl Progress for Begun {
    fn on_progress(&self, _: f32) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_can_be_changed_and_taken_back_while_its_film_is_made() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let session = Arc::new(session);
    let mut walk = film(phone.file("walk.mp4"), 6.0);
    walk.hand_over = true;
    let id = session.compose(with(town.patient.id, "typo", vec![walk])).await.unwrap();
    assert!(!phone.file("walk.mp4").exists() && entries(&phone, "app/sources") == 1, "handed over");
    let next = noisy_photo(phone.file("camera.jpg"), 64);
    let next = session.compose(with(town.patient.id, "next", vec![next])).await.unwrap();
    let begun = Arc::new(Begun::default());
    let making = tokio::spawn({
        let (session, begun) = (session.clone(), begun.clone());
        async move { session.prepare(Cancel::new(), Some(begun)).await }
    });
    while !begun.0.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    session.edit(id, text("right")).await.unwrap();
    assert_eq!(session.outbox().await.unwrap()[0].body, "right");
    session.cancel(id).await.unwrap();
    let report = tokio::time::timeout(TIME, making).await.unwrap().unwrap().unwrap();
    assert_eq!((report.made, report.failed), (1, 0), "the next one is made all the same");
    let items = session.outbox().await.unwrap();
    assert_eq!(items.iter().map(|item| item.id).collect::<Vec<_>>(), [next]);
    assert_eq!(entries(&phone, "app/sources"), 0, "nothing of it stays");
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}

/// The phone's process: composes, prepares and sends, until it is killed.
#[ignore = "it is started, and killed, by the test below"]
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(folder) = std::env::var("RENRAKU_PHONE").map(PathBuf::from) else { return };
    let word = |name: &str| std::env::var(name).unwrap();
    let device = Device::open(of_another_process(&folder)).unwrap();
    let staff: StaffId = word("RENRAKU_STAFF").parse().unwrap();
    let patient: PatientId = word("RENRAKU_PATIENT_0").parse().unwrap();
    let session = Arc::new(device.resume(staff).await.unwrap());
    tokio::spawn({
        let session = session.clone();
        async move {
            loop {
                session.flush(true).await.unwrap();
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
    });
    println!("GOES");
    for n in 0u32.. {
        let name = format!("{}-{n}", word("RENRAKU_ROUND"));
        let shot = |ending: &str| folder.join(format!("{name}.{ending}"));
        std::fs::copy(folder.join("camera.mp4"), shot("mp4")).unwrap();
        std::fs::copy(folder.join("camera.jpg"), shot("jpg")).unwrap();
        let handed = |kind, ending: &str| Attachment {
            hand_over: n % 2 == 0,
            ..Attachment::new(kind, shot(ending), String::new())
        };
        let files = vec![handed(MediaKind::Photo, "jpg"), handed(MediaKind::Video, "mp4")];
        let id = session.compose(with(patient, &name, files)).await.unwrap();
        println!("KEPT {id}");
        session.prepare(Cancel::new(), None).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_films_are_made_no_text_and_no_film_is_lost() {
    let town = found().await;
    let (mut phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    drop(session);
    std::fs::write(phone.file("roots.pem"), &town.web.pem).unwrap();
    fixture::phone_film(&phone.file("camera.mp4"), 1.0).unwrap();
    noisy_photo(phone.file("camera.jpg"), 64);
    let (start, mut kills, mut kept) = (Instant::now(), 0, Vec::<PostId>::new());
    for round in 0..ROUNDS {
        if start.elapsed() > TIME {
            break;
        }
        let mut child =
            phones_process("preparing::child", &phone, round, staff, [town.patient.id; 2]).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (told, goes) = tokio::sync::oneshot::channel();
        let hear = tokio::task::spawn_blocking(move || {
            let (mut heard, mut told) = (Vec::<PostId>::new(), Some(told));
            for line in output.lines().map_while(Result::ok) {
                match line.split_once(' ') {
                    Some(("KEPT", id)) => heard.push(id.parse().unwrap()),
                    _ if line.ends_with("GOES") => drop(told.take().map(|told| told.send(()))),
                    _ => {}
                }
            }
            heard
        });
        goes.await.unwrap();
        tokio::time::sleep(Duration::from_millis(20 + rand::random::<u64>() % 1200)).await;
        assert!(child.try_wait().unwrap().is_none(), "the phone ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        kept.extend(hear.await.unwrap());
        if round % 4 == 3 {
            let (now, session) = resumed(phone, staff).await;
            let listed: Vec<PostId> = session.outbox().await.unwrap().iter().map(|item| item.id).collect();
            assert!(kept.iter().all(|id| listed.contains(id)), "round {round}: one is in no state");
            phone = now;
        }
    }
    let (phone, session) = resumed(phone, staff).await;
    let unmade = session
        .outbox()
        .await
        .unwrap()
        .iter()
        .flat_map(|item| item.media.clone())
        .filter(|m| m.state == FileState::Planned)
        .count();
    let (_, failed) = prepare(&session).await;
    assert_eq!(failed, 0, "every source was there still");
    while session.flush(true).await.unwrap().remaining > 0 {
        assert!(start.elapsed() < TIME * 3, "it does not come to an end");
    }
    println!("{kills} kills, {} posts kept, {unmade} files unmade at the end", kept.len());
    assert!(kills >= 4 && kept.len() >= 4, "{kills} kills, {} kept: too few to tell", kept.len());
    let facts = town.facts();
    for id in &kept {
        let found: Vec<_> = facts.posts.iter().filter(|post| post.id == *id).collect();
        assert_eq!((found.len(), found[0].media.len()), (1, 2), "{id}");
        assert!(found[0].media.iter().all(|m| facts.files[&m.id].state == MediaState::Ready), "{id}");
    }
    assert_eq!(entries(&phone, "app/sources"), 0);
}
