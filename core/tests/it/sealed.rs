//! Nothing that a person wrote or read lies on the disk in the clear.

use crate::phone::{Phone, composed, draft, noisy_photo};
use crate::town::{PASSWORD, found};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn holds(folder: &Path, marker: &[u8], seen: &mut u32) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.to_string_lossy().as_bytes().windows(marker.len()).any(|w| w == marker) {
            return true;
        }
        if path.is_dir() {
            return holds(&path, marker, seen);
        }
        *seen += 1;
        std::fs::read(&path).unwrap().windows(marker.len()).any(|w| w == marker)
    })
}

/// Looks at every byte of every file again and again, from a thread of its own, until it is told to stop.
struct Searching {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<(u32, Option<String>)>,
}

impl Searching {
    fn start(folder: PathBuf, markers: Vec<Vec<u8>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut rounds = 0;
            loop {
                let last = stopped.load(Ordering::SeqCst);
                if let Some(found) = first_found(&folder, &markers) {
                    return (rounds, Some(found));
                }
                rounds += 1;
                if last {
                    return (rounds, None);
                }
            }
        });
        Self { stop, thread }
    }

    fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        let (rounds, found) = self.thread.join().unwrap();
        assert_eq!(found, None, "in the clear");
        assert!(rounds > 1, "{rounds} looks");
    }
}

fn first_found(folder: &Path, markers: &[Vec<u8>]) -> Option<String> {
    // Files come and go meanwhile.
    for path in std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()) {
        let Ok(kind) = std::fs::symlink_metadata(&path) else { continue };
        if kind.is_dir() {
            if let Some(found) = first_found(&path, markers) {
                return Some(found);
            }
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let found = markers.iter().find(|m| contains(&bytes, m));
            if let Some(marker) = found {
                return Some(format!("{} in {}", String::from_utf8_lossy(marker), path.display()));
            }
        }
    }
    None
}

fn contains(bytes: &[u8], marker: &[u8]) -> bool {
    bytes.windows(marker.len()).any(|w| w == marker)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_in_the_clear_while_it_is_worked_on_either() {
    use renraku_core::{Attachment, Cancel};
    use renraku_media::fixture;
    use renraku_wire::MediaKind;
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    fixture::phone_film(&phone.file("dressing.mp4"), 2.0).unwrap();
    let film = std::fs::read(phone.file("dressing.mp4")).unwrap();
    let photo = std::fs::read(noisy_photo(phone.file("camera.jpg"), 300).path).unwrap();
    let words: [&[u8]; 12] = [
        b"MARKER-BODY",
        "褥瘡".as_bytes(),
        "箕輪 花子".as_bytes(),
        "看護 恵".as_bytes(),
        b"the-token",
        b"CREATE ",
        b"SQLite format",
        b"post_timeline",
        b"item_media",
        b"sqlite_master",
        b"ftypisom",
        b"194502",
    ];
    let mut markers: Vec<Vec<u8>> = words.iter().map(|w| w.to_vec()).collect();
    // What the camera wrote, from places all over it.
    for original in [&film, &photo] {
        markers.extend((1..8).map(|n| original[original.len() / 8 * n..][..24].to_vec()));
    }
    let searching = Searching::start(phone.file("app"), markers.clone());
    for n in 0..3 {
        let mut post = draft(town.patient.id, &format!("MARKER-BODY 褥瘡 {n}"));
        let film = Attachment::new(MediaKind::Video, phone.file("dressing.mp4"), "MARKER-BODY".into());
        std::fs::write(phone.file("camera.jpg"), &photo).unwrap();
        let photo = Attachment::new(MediaKind::Photo, phone.file("camera.jpg"), String::new());
        let shot = if n == 0 { film } else { photo };
        post.attachments = vec![Attachment { hand_over: true, ..shot }];
        session.compose(post).await.unwrap();
        // It waits for a while, sealed, and the text is gone before it.
        session.flush(true).await.unwrap();
        session.prepare(Cancel::new(), None).await.unwrap();
        session.patients().await.unwrap();
        session.flush(true).await.unwrap();
        session.timeline(town.patient.id, None).await.unwrap();
        if n == 1 {
            let staff = session.staff().id;
            phone.device.set_pin(staff, None, "194502".into()).await.unwrap();
        }
    }
    let staff = session.staff().id;
    phone.device.lock(staff).await;
    let unlock = renraku_core::Unlock::Pin("194502".into());
    phone.device.unlock(staff, unlock).await.unwrap();
    searching.end();
    // The proof that this test can fail.
    for bytes in [&b"xxftypisomxx"[..], &film[film.len() / 2..], &photo[photo.len() / 2..]] {
        std::fs::write(phone.file("app/control"), bytes).unwrap();
        assert!(first_found(&phone.file("app"), &markers).is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_name_token_picture_or_schema_in_any_file() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let mut post = draft(town.patient.id, "MARKER-BODY 褥瘡");
    post.attachments = vec![noisy_photo(phone.file("camera.jpg"), 400)];
    post.attachments[0].description = "MARKER-DESCRIPTION".into();
    composed(&session, post).await;
    std::fs::remove_file(phone.file("camera.jpg")).unwrap();
    session.patients().await.unwrap();
    session.patient(town.patient.id).await.unwrap();
    session.flush(true).await.unwrap();
    session.timeline(town.patient.id, None).await.unwrap();

    let photo = town.facts().files.values().next().unwrap().bytes[1000..1032].to_vec();
    let patient = town.patient.id.0.as_bytes().to_vec();
    let markers: [&[u8]; 14] = [
        b"MARKER-BODY",
        "褥瘡".as_bytes(),
        b"MARKER-DESCRIPTION",
        "箕輪 花子".as_bytes(),
        "看護 恵".as_bytes(),
        b"the-token",
        PASSWORD.as_bytes(),
        b"CREATE TABLE",
        b"SQLite format",
        b"post_timeline",
        b"item_media",
        b"sqlite_master",
        &photo,
        &patient,
    ];
    let app = phone.file("app");
    let search = |least: u32| {
        for marker in markers {
            let mut seen = 0;
            assert!(!holds(&app, marker, &mut seen), "{:?}", String::from_utf8_lossy(marker));
            assert!(seen >= least, "{seen} files");
        }
    };
    search(3); // the store, its log and the log's index
    let staff = session.staff().id;
    drop(session);
    let phone = phone.restart();
    phone.device.resume(staff).await.map(drop).unwrap();
    search(1);
    // The proof that this test can fail: the same search finds what does lie there.
    std::fs::write(app.join("control"), b"xxMARKER-BODYxx").unwrap();
    assert!(holds(&app, b"MARKER-BODY", &mut 0));
}
