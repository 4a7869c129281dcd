//! Stores that cannot be opened, and a disk that is full: each told apart, and nothing lost by looking.

use crate::files::SMALL_PICTURE;
use crate::namespace;
use crate::phone::{Phone, composed, draft, noisy_photo};
use crate::town::{PASSWORD, found};
use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use renraku_core::{Cancel, CoreError, PIN_TRIES, StorageTrouble, Unlock};
use renraku_wire::{Code, MediaId, PostId, StaffId};
use std::path::PathBuf;
use std::process::Command;

/// A phone whose nurse has one post with a picture waiting, switched off.
async fn with_one_post() -> (Phone, StaffId) {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    let mut post = draft(town.patient.id, "kept");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 600)];
    composed(&session, post).await;
    drop(session);
    (phone.restart(), staff)
}

fn store(phone: &Phone) -> PathBuf {
    let mut files = std::fs::read_dir(phone.file("app/people")).unwrap().map(|e| e.unwrap().path());
    files.find(|f| f.extension().is_some_and(|e| e == "db")).unwrap()
}

/// The secret of the store in the vault.
fn secret(phone: &Phone) -> PathBuf {
    let name = format!("store-{}", store(phone).file_stem().unwrap().to_str().unwrap());
    phone.file("vault").join(hex::encode(name))
}

/// What opening it, or else reading it, says; and that the file is as it was.
async fn trouble(phone: &Phone, staff: StaffId) -> Option<StorageTrouble> {
    let before = std::fs::read(store(phone)).unwrap();
    let resumed = async { phone.device.resume(staff).await?.outbox().await.map(|items| items.len()) };
    let resumed = resumed.await;
    let signed_in = async { phone.device.sign_in("nurse", PASSWORD).await?.outbox().await.map(|i| i.len()) };
    let signed_in = signed_in.await;
    assert!(
        std::fs::read(store(phone)).unwrap() == before,
        "{resumed:?} {signed_in:?}: {} bytes before",
        before.len()
    );
    match (resumed, signed_in) {
        (Err(CoreError::Storage { kind }), Err(CoreError::Storage { kind: again })) if kind == again => {
            assert!(!kind.sentence().is_empty());
            Some(kind)
        }
        (Ok(1), Ok(1)) => None,
        other => panic!("{other:?}"),
    }
}

#[derive(diesel::QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    user_version: i32,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_a_newer_version_is_left_alone() {
    let (phone, staff) = with_one_post().await;
    let key = hex::encode(std::fs::read(secret(&phone)).unwrap());
    let open = || {
        let mut connection = SqliteConnection::establish(store(&phone).to_str().unwrap()).unwrap();
        connection.batch_execute(&format!("PRAGMA key = \"x'{key}'\"")).unwrap();
        connection
    };
    let set_version = |version: i32| {
        open().batch_execute(&format!("PRAGMA user_version = {version}")).unwrap();
    };
    let before: Version = diesel::sql_query("PRAGMA user_version").get_result(&mut open()).unwrap();
    set_version(99);
    assert_eq!(trouble(&phone, staff).await, Some(StorageTrouble::Newer));
    set_version(before.user_version);
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.outbox().await.unwrap().len(), 1, "after the update it is all there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_store_and_a_wrong_key_are_told_and_nothing_is_overwritten() {
    let (phone, staff) = with_one_post().await;
    let (file, key) = (store(&phone), secret(&phone));
    let (bytes, right) = (std::fs::read(&file).unwrap(), std::fs::read(&key).unwrap());
    for length in [0, 1, 1000, 4096, 8192, bytes.len() / 2] {
        std::fs::write(&file, &bytes[..length]).unwrap();
        assert_eq!(trouble(&phone, staff).await, Some(StorageTrouble::Damaged), "{length} bytes");
    }
    std::fs::write(&file, &bytes).unwrap();
    std::fs::write(&key, [7u8; 32]).unwrap();
    assert_eq!(trouble(&phone, staff).await, Some(StorageTrouble::Damaged), "another key");
    std::fs::write(&key, [7u8; 31]).unwrap();
    assert_eq!(trouble(&phone, staff).await, Some(StorageTrouble::Damaged), "no key at all");
    std::fs::write(&key, &right).unwrap();
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.outbox().await.unwrap()[0].body, "kept");
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}

/// A small disk of one's own, until it is dropped, and a file that takes its room.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: PathBuf) -> Self {
        std::fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=40m", "none"]).arg(&at).status();
        assert!(mounted.unwrap().success(), "this namespace can mount");
        Self(at)
    }

    /// Leaves so much room at most.
    fn fill(&self, left: usize) {
        let mut filler = std::fs::File::create(self.0.join("filler")).unwrap();
        std::io::copy(&mut std::io::repeat(1), &mut filler).unwrap_err();
        let length = filler.metadata().unwrap().len();
        filler.set_len(length.saturating_sub(left as u64)).unwrap();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Where one may mount without being asked who one is.
#[test]
fn a_full_disk() {
    let tests = [
        "refuses_what_does_not_fit_and_keeps_what_it_has",
        "shows_what_it_cannot_keep_and_lets_people_go",
        "lets_nobody_in_whose_try_it_cannot_count_and_says_why",
    ];
    let tests = tests.map(|test| format!("broken::a_full_disk_{test}"));
    namespace::run(&["--mount"], r#"exec "$0" "$@""#, &tests.each_ref().map(String::as_str));
}

#[ignore = "it is started by the test above, in a namespace of its own"]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_does_not_fit_and_keeps_what_it_has() {
    let town = found().await;
    let phone = Phone::new(&town);
    let disk = SmallDisk::mount(phone.file("app/people"));
    phone.enrol("1234").await.unwrap();
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    disk.fill(2_000_000);
    let photo = noisy_photo(phone.file("camera.jpg"), 700);
    let mut kept = Vec::new();
    let refused = loop {
        let mut post = draft(town.patient.id, &format!("{}", kept.len()));
        post.attachments = vec![photo.clone()];
        match session.compose(post).await {
            Ok(id) => kept.push(id),
            Err(e) => break e,
        }
        if let Err(e) = session.prepare(Cancel::new(), None).await {
            break e;
        }
        assert!(kept.len() < 100, "never full");
    };
    assert_eq!(refused, CoreError::Storage { kind: StorageTrouble::Full });
    assert!(!kept.is_empty());
    let listed: Vec<_> = session.outbox().await.unwrap().iter().map(|i| i.id).collect();
    assert_eq!(listed, kept, "what was acknowledged is there, and nothing by halves");
    let staff = session.staff().id;
    drop(session);
    let phone = phone.restart();
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.outbox().await.unwrap().len(), kept.len());
    let report = session.flush(true).await.unwrap();
    assert!(!report.offline);
    let arrived: Vec<_> = town.facts().posts.iter().map(|p| p.id).collect();
    assert_eq!(arrived, kept, "what is there leaves from a full device, too");
    disk.make_room();
    assert_eq!(
        session.prepare(Cancel::new(), None).await.unwrap().failed,
        0,
        "what did not fit is made after all"
    );
    let rest = session.flush(true).await.unwrap();
    assert_eq!((report.sent + rest.sent) as usize, kept.len());
    let sent: Vec<_> = town.facts().posts.iter().map(|p| p.id).collect();
    assert_eq!(sent, kept);
    drop(session);
    drop(disk);
}

#[ignore = "it is started by the test above, in a namespace of its own"]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_shows_what_it_cannot_keep_and_lets_people_go() {
    let town = found().await;
    let phone = Phone::new(&town);
    let disk = SmallDisk::mount(phone.file("app/people"));
    phone.enrol("1234").await.unwrap();
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    let staff = session.staff().id;
    for name in ["one", "two"] {
        let mut post = draft(town.patient.id, name);
        post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 256)];
        composed(&session, post).await;
    }
    assert_eq!(session.flush(true).await.unwrap().sent, 2);
    assert!(!session.timeline(town.patient.id, None).await.unwrap().stale);
    let photos: Vec<_> = town.facts().posts.iter().map(|post| post.media[0].id).collect();
    session.media(photos[0], &phone.file("kept.jpg"), &Cancel::new()).await.unwrap();

    // Not a page more fits.
    town.network.set_down(true);
    disk.fill(0);
    let full = CoreError::Storage { kind: StorageTrouble::Full };
    for n in 0.. {
        match session.mark_read(PostId::new()).await {
            Ok(()) => assert!(n < 2000, "never full"),
            Err(e) => {
                assert_eq!(e, full);
                break;
            }
        }
    }
    town.network.set_down(false);

    let shown = phone.file("shown.jpg");
    assert!(session.media(photos[1], &shown, &Cancel::new()).await.unwrap() > 0, "shown, if not kept");
    assert!(shown.exists());
    // Any picture of that size would do: nothing of it fits.
    let mut small = SMALL_PICTURE.to_vec();
    small.resize(300_000, 7);
    town.facts().small_picture = Some(small);
    assert_eq!(session.thumbnail(MediaId::new()).await.unwrap().len(), 300_000);
    let part = phone.file("app/people/part.jpg");
    assert_eq!(session.media(photos[0], &part, &Cancel::new()).await, Err(full));
    assert!(!part.exists(), "no part of it lies in the clear");

    // What is too old cannot be let go of now; the person works all the same.
    phone.clock.hours(31 * 24);
    drop(session);
    let session = phone.device.resume(staff).await.unwrap();
    // A store that was closed in good order opens without room for what comes beside it.
    disk.make_room();
    drop(session);
    let phone = phone.restart();
    let beside: Vec<_> =
        std::fs::read_dir(phone.file("app/people")).unwrap().map(|f| f.unwrap().path()).collect();
    assert_eq!(beside.len(), 3, "store, session and room: {beside:?}");
    disk.fill(0);
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.outbox().await.unwrap().len(), 2);

    // A sign-in that there is no room for takes nothing away.
    let full = CoreError::Storage { kind: StorageTrouble::Full };
    assert_eq!(phone.device.sign_in("nurse", PASSWORD).await.map(drop), Err(full));
    drop(session);
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.outbox().await.unwrap().len(), 2);

    // And leaves.
    session.sign_out().await.unwrap();
    drop(session);
    let over = CoreError::SignedOut { code: Code::SessionInvalid };
    assert_eq!(phone.device.resume(staff).await.unwrap_err(), over);
    let phone = phone.restart();
    assert_eq!(phone.device.resume(staff).await.unwrap_err(), over);
    disk.make_room();
    assert_eq!(phone.device.resume(staff).await.unwrap_err(), over, "room was made");
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert_eq!(session.outbox().await.unwrap().len(), 2, "what was kept is there");
    session.patients().await.unwrap();

    // Sent away by the server, when nothing can be written down either.
    disk.fill(0);
    while session.mark_read(PostId::new()).await.is_ok() {}
    assert!(session.patients_last_seen().await.unwrap().is_some());
    town.facts().over.insert("the-token-3".into());
    assert_eq!(session.patients().await.unwrap_err(), over);
    assert_eq!(session.patients_last_seen().await.unwrap_err(), over);
    assert_eq!(phone.device.resume(staff).await.unwrap_err(), over);
    drop(session);
    drop(disk);
}

#[ignore = "it is started by the test above, in a namespace of its own"]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_lets_nobody_in_whose_try_it_cannot_count_and_says_why() {
    let town = found().await;
    let phone = Phone::new(&town);
    let disk = SmallDisk::mount(phone.file("vault"));
    phone.enrol("1234").await.unwrap();
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    let staff = session.staff().id;
    phone.device.set_pin(staff, None, "194502".into()).await.unwrap();
    phone.device.lock(staff).await;
    disk.fill(0);
    let full = CoreError::Storage { kind: StorageTrouble::Full };
    for pin in ["194502", "wrong1"] {
        assert_eq!(phone.device.unlock(staff, Unlock::Pin(pin.into())).await, Err(full.clone()), "{pin}");
    }
    assert_eq!(phone.device.set_pin(staff, Some("194502".into()), "820617".into()).await, Err(full));
    disk.make_room();
    assert_eq!(phone.device.person_lock(staff).await.unwrap().tries_left, PIN_TRIES);
    phone.device.unlock(staff, Unlock::Pin("194502".into())).await.unwrap();
    assert!(phone.device.resume(staff).await.is_ok());
    drop(session);
    drop(disk);
}
