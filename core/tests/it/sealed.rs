//! Nothing that a person wrote or read lies on the disk in the clear.

use crate::phone::{Phone, composed, draft, noisy_photo};
use crate::town::{PASSWORD, found};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
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
    fn start(place: Place, markers: Vec<Vec<u8>>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let mut rounds = 0;
            loop {
                let last = stopped.load(Ordering::SeqCst);
                if let Some(found) = place.first_found(&markers) {
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

/// Where this process may leave something: the folder for temporary files, with the phone in it.
struct Place {
    temporary: PathBuf,
    phone: PathBuf,
}

impl Place {
    fn first_found(&self, markers: &[Vec<u8>]) -> Option<String> {
        self.in_folder(&self.temporary, markers).or_else(|| self.in_nameless(markers))
    }

    fn in_folder(&self, folder: &Path, markers: &[Vec<u8>]) -> Option<String> {
        // Files come and go meanwhile.
        for path in std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()) {
            let Ok(kind) = std::fs::symlink_metadata(&path) else { continue };
            // Beside `app` lie what the camera wrote and the vault.
            if path.parent() == Some(&self.phone) && !path.ends_with("app") {
                continue;
            }
            let found = match kind {
                kind if kind.is_dir() => self.in_folder(&path, markers),
                kind if kind.is_file() => in_file(&path, markers),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// What is open and has no name any more, as SQLite's temporary files have none.
    #[cfg(target_os = "linux")]
    fn in_nameless(&self, markers: &[Vec<u8>]) -> Option<String> {
        let open = std::fs::read_dir("/proc/self/fd").ok()?.flatten().map(|entry| entry.path());
        let is_nameless = |path: &PathBuf| {
            std::fs::read_link(path).is_ok_and(|at| at.to_string_lossy().ends_with(" (deleted)"))
                && std::fs::metadata(path).is_ok_and(|at| at.is_file())
        };
        open.filter(is_nameless).find_map(|path| in_file(&path, markers))
    }

    #[cfg(not(target_os = "linux"))]
    fn in_nameless(&self, _: &[Vec<u8>]) -> Option<String> {
        None
    }
}

fn in_file(path: &Path, markers: &[Vec<u8>]) -> Option<String> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let marker = markers.iter().find(|m| contains(&bytes, m))?;
    Some(format!("{} in {}", String::from_utf8_lossy(marker), path.display()))
}

fn contains(bytes: &[u8], marker: &[u8]) -> bool {
    bytes.windows(marker.len()).any(|w| w == marker)
}

/// Names the folder for temporary files of the process that is searched.
const SEARCHED: &str = "RENRAKU_TEST_TEMPORARY";

/// It works in a process of its own: what lies in the folder for temporary files then is that one's alone.
#[test]
fn nothing_is_in_the_clear_while_it_is_worked_on_either() {
    let temporary = tempfile::tempdir().unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "sealed::in_a_process_of_its_own", "--ignored", "--nocapture"])
        .env(SEARCHED, temporary.path())
        .env("TMPDIR", temporary.path())
        .env("SQLITE_TMPDIR", temporary.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success() && said[0].contains("1 passed"), "{}{}", said[0], said[1]);
}

#[ignore = "it is started by the test above"]
#[tokio::test(flavor = "multi_thread")]
async fn in_a_process_of_its_own() {
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
    let place = || Place {
        temporary: std::env::var_os(SEARCHED).unwrap().into(),
        phone: phone.folder.path().to_owned(),
    };
    assert!(place().phone.starts_with(place().temporary), "the phone is searched");
    let searching = Searching::start(place(), markers.clone());
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
        for control in [phone.file("app/control"), place().temporary.join("control")] {
            std::fs::write(&control, bytes).unwrap();
            assert!(place().first_found(&markers).is_some(), "{}", control.display());
            std::fs::remove_file(&control).unwrap();
        }
    }
    let mut nameless = tempfile::tempfile().unwrap();
    assert_eq!(place().first_found(&markers), None);
    nameless.write_all(&photo).unwrap();
    assert!(place().first_found(&markers).is_some() || !cfg!(target_os = "linux"));
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
