//! The kept corpus of what strangers and broken disks hand to a device: 2-D codes, payloads of pushes, sealed
//! stores, originals and locks. Each file goes to its entrance as it is (`ok-` is read, `bad-` is refused with an error),
//! then damaged and crossed with its neighbours for a bounded time, as `core/media/tests/corpus.rs` does with
//! photos and films. What makes an entrance panic or crash is left beside their folder as `new-`.
//!
//! `RENRAKU_FUZZ_SECONDS` sets the time for each; without it six seconds. `cargo test -p renraku-core --lib --
//! --ignored write_the_corpus` makes the sealed files anew.

#[path = "../media/tests/dice/mod.rs"]
mod dice;

use crate::compose::Key;
use crate::device::NewDevice;
use crate::error::CoreError;
use crate::lock::{Lock, LockError};
use crate::outbox::Text;
use crate::store::{Store, StoreError, StoreKey, cache, chunks, outbox, receipts, session};
use crate::vault::{Vault, VaultError};
use dice::{corpus, fuzz};
use renraku_wire::{PatientId, Platform, PostId, SetupCode, Timestamp};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tokio::runtime::Runtime;

/// The key of the corpus's stores, and whose locks they are. Nobody's.
const KEY: [u8; 32] = [7; 32];
const WHOSE: &[u8] = b"nobody";
const PIN: &str = "194502";

/// A vault of one secret, in memory.
#[derive(Default)]
struct Memory(Mutex<Option<Vec<u8>>>);

impl Vault for Memory {
    fn load(&self, _: &str) -> Result<Option<Vec<u8>>, VaultError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn store(&self, _: &str, secret: &[u8]) -> Result<(), VaultError> {
        *self.0.lock().unwrap() = Some(secret.to_vec());
        Ok(())
    }

    fn remove(&self, _: &str) -> Result<(), VaultError> {
        *self.0.lock().unwrap() = None;
        Ok(())
    }
}

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(kind)
}

/// Gives each file to an entrance, and then what became of them.
fn all(kind: &str, least: usize, each: impl Fn(&[u8]) -> Result<(), String>) {
    let files = corpus(&folder(kind));
    for (name, bytes) in &files {
        let result = each(bytes);
        match name.split('-').next() {
            Some("ok") => assert_eq!(result, Ok(()), "{name}"),
            Some("bad") => assert!(result.is_err(), "{name}"),
            _ => {}
        }
    }
    let rounds = fuzz(&folder(kind), &files, |bytes| drop(each(bytes)));
    assert!(rounds > least, "{rounds}");
}

#[test]
fn codes() {
    all("code", 1000, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let new = match NewDevice::scanned(&text, "x".into(), Platform::Android) {
            Ok(new) => new,
            Err(CoreError::Invalid { code, field: Some(field) }) if field == "setup_code" => {
                return Err(code.sentence().to_owned());
            }
            Err(other) => panic!("{other:?}"),
        };
        // What was read is what the client will ask, and no other host.
        let url = reqwest::Url::parse(&new.public_url).unwrap();
        assert_eq!((url.scheme(), url.path(), url.username()), ("https", "/", ""), "{url}");
        let host = url.host_str().unwrap();
        assert!(host.contains(':') || new.public_url.to_ascii_lowercase().contains(host), "{url}");
        assert!(url.password().is_none() && url.query().is_none() && url.fragment().is_none(), "{url}");
        assert!(new.slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        let again = SetupCode {
            portal: format!("{}/{}", new.public_url, new.slug),
            number: new.number,
            password: new.password,
        };
        assert_eq!(SetupCode::parse(&again.to_uri().unwrap()), Ok(again));
        Ok(())
    });
}

#[test]
fn pushes() {
    all("push", 1000, |bytes| {
        let push = crate::push::parse(&String::from_utf8_lossy(bytes)).ok_or("no push of ours")?;
        // Whatever it holds, a locked screen shows one of the app's own lines.
        assert!(!push.kind.line().is_empty() && !push.kind.line().is_ascii());
        Ok(())
    });
}

fn said(e: StoreError) -> String {
    let CoreError::Storage { kind } = CoreError::from(e) else { return "not of the storage".into() };
    kind.sentence()
}

#[test]
fn stores() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("one.db");
    let runtime = Runtime::new().unwrap();
    let key: StoreKey = KEY.into();
    all("store", 20, |bytes| {
        if bytes.len() < 4096 {
            return Err("no store, says who looks for it".into());
        }
        for suffix in ["-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(place.path().join(format!("one.db{suffix}")));
        }
        std::fs::write(&path, bytes).unwrap();
        let store = match Store::open(&path, &key) {
            Ok(store) => store,
            Err(e) => {
                // A newer version of the app may read it.
                let untouched = std::fs::read(&path).unwrap() == bytes;
                assert!(untouched || !matches!(e, StoreError::Newer));
                return Err(said(e));
            }
        };
        let seen = runtime.block_on(async {
            store.read(session::load).await?;
            let _ = store.read(|c| session::lease(c, Timestamp(1), 72)).await?;
            let items = store.read(outbox::list).await?;
            for media in items.iter().flat_map(|item| item.media.iter()) {
                let id = media.id;
                store.read(move |c| chunks::chunk(c, id, 0)).await?;
            }
            store.read(receipts::waiting).await?;
            for patient in store.read(cache::patients).await?.map_or_else(Vec::new, |(list, _)| list) {
                store.read(move |c| cache::posts(c, patient.id, 0, 31)).await?;
            }
            Ok::<usize, StoreError>(items.len())
        });
        assert!(!matches!(seen, Err(StoreError::Run(_))), "it panicked");
        match seen {
            Ok(1) => Ok(()),
            Ok(other) => panic!("{other} items: a damaged page was taken for a whole one"),
            Err(e) => Err(said(e)),
        }
    });
}

/// A store with one post in its file and another one only in its log: both, as a kill left them.
fn with_a_log(place: &Path, key: &StoreKey, runtime: &Runtime) -> [Vec<u8>; 2] {
    let path = place.join("made.db");
    let keep = |store: &Store, body: &str| {
        let text = Text { body: body.into(), urgent: false, body_site: None };
        let (post, patient, now) = (PostId::new(), PatientId::new(), Timestamp(5));
        let kept = store.write(move |tx| outbox::put(tx, post, patient, &text, true, [].into_iter(), now));
        runtime.block_on(kept).unwrap();
    };
    // Closed, its log goes into its file.
    keep(&Store::open(&path, key).unwrap(), "one");
    let store = Store::open(&path, key).unwrap();
    keep(&store, "two");
    let files = ["made.db", "made.db-wal"].map(|name| std::fs::read(place.join(name)).unwrap());
    drop(store);
    std::fs::remove_file(&path).unwrap();
    files
}

#[test]
fn logs_beside_a_good_store() {
    let place = tempfile::tempdir().unwrap();
    let at = |suffix: &str| place.path().join(format!("one.db{suffix}"));
    let runtime = Runtime::new().unwrap();
    let key: StoreKey = KEY.into();
    let [file, log] = with_a_log(place.path(), &key, &runtime);
    let look = |log: &[u8]| {
        let _ = std::fs::remove_file(at("-shm"));
        std::fs::write(at(""), &file).unwrap();
        std::fs::write(at("-wal"), log).unwrap();
        let store = Store::open(&at(""), &key)?;
        let read = runtime.block_on(store.read(outbox::list));
        assert!(!matches!(read, Err(StoreError::Run(_))), "it panicked");
        let bodies: Vec<String> = read?.into_iter().map(|item| item.body).collect();
        // What the log holds is there as it was written, or not at all; what is in the file is there.
        assert!(bodies == ["one"] || bodies == ["one", "two"], "{bodies:?}");
        Ok::<usize, StoreError>(bodies.len())
    };
    let (header, frame) = (32, 24 + 4096);
    assert_eq!(look(&log).unwrap(), 2, "as a kill left it");
    assert!(log.len() > header + 2 * frame, "{} bytes", log.len());
    assert_eq!(look(b"").unwrap(), 1);
    assert_eq!(look(&log[..log.len() - 1]).unwrap(), 1, "its last page is cut");
    assert_eq!(look(&log[..header + frame]).unwrap(), 1, "half a change");
    assert_eq!(look(&[0; 100_000]).unwrap(), 1);
    let mut flipped = log.clone();
    flipped[header + frame - 1] ^= 1;
    assert_eq!(look(&flipped).unwrap(), 1, "its first page");
    // Of other stores: well-formed, and its pages are noise here.
    for stranger in [KEY, [8; 32]] {
        let [_, foreign] = with_a_log(place.path(), &stranger.into(), &runtime);
        let said = look(&foreign).map_err(said).unwrap_err();
        assert!(said.contains("壊れ"), "{said}");
    }
    let logs = [("whole".to_owned(), log.clone()), ("half".to_owned(), log[..log.len() / 2].to_vec())];
    let rounds = fuzz(&folder("log"), &logs, |bad| {
        if let Err(e) = look(bad) {
            said(e);
        }
    });
    assert!(rounds > 20, "{rounds}");
}

/// What is sealed in the corpus: two chunks of it.
fn original() -> Vec<u8> {
    (0..70_000u32).map(|n| (n * 31 % 251) as u8).collect()
}

#[test]
fn originals() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("one");
    let (key, whole) = (Key::of(KEY), original());
    all("original", 100, |bytes| {
        std::fs::write(&path, bytes).unwrap();
        let read = |from: u64| {
            let (mut file, mut read) = (key.open(&path)?, Vec::new());
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut read).map(|_| read)
        };
        // From anywhere in it: all of the rest, as it was sealed, or an error.
        for from in [0, 100, 65_536, 69_999, 70_000, u64::MAX] {
            match read(from) {
                Ok(rest) => assert!(rest.is_empty() || whole[from as usize..] == rest, "from {from}"),
                Err(e) => assert_eq!(e.kind(), ErrorKind::InvalidData),
            }
        }
        read(0).map(drop).map_err(|e| e.to_string())
    });
}

#[test]
fn locks() {
    let vault = Memory::default();
    all("lock", 100, |bytes| {
        // A record may ask for a hundred passes over half a gigabyte, which is bounded, but not for a test.
        let cost = |name: &str| serde_json::from_slice::<serde_json::Value>(bytes).ok()?[name].as_u64();
        if cost("memory_kib").unwrap_or(0).saturating_mul(cost("passes").unwrap_or(0)) > 10_000 {
            return Err("too dear to try".into());
        }
        vault.store("lock", bytes).unwrap();
        let lock = Lock::new(&vault, "lock".into(), WHOSE);
        let _ = lock.state();
        match lock.open_with_pin(PIN) {
            Ok(key) => {
                assert_eq!(*key, KEY, "the seal holds the right key or none");
                Ok(())
            }
            Err(LockError::Vault(e)) => panic!("{e}"),
            Err(e) => Err(e.to_string()),
        }
    });
}

#[tokio::test]
async fn a_store_of_the_first_version_is_brought_to_this_one_with_all_that_is_in_it() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("one.db");
    std::fs::copy(folder("store").join("ok-version-1.db"), &path).unwrap();
    for _ in 0..2 {
        let store = Store::open(&path, &KEY.into()).unwrap();
        let items = store.read(outbox::list).await.unwrap();
        assert_eq!((items.len(), items[0].body.as_str()), (1, "kept since version 1"));
    }
}

#[ignore = "it writes the files that are kept"]
#[tokio::test]
async fn write_the_corpus() {
    use diesel::Connection;
    use diesel::connection::SimpleConnection;
    let stores = folder("store");
    std::fs::create_dir_all(&stores).unwrap();
    let key = hex::encode(KEY);
    let raw = |path: &Path, statements: &str| {
        let mut connection = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        connection.batch_execute(&format!("PRAGMA key = \"x'{key}'\"; {statements}")).unwrap();
    };
    let first = stores.join("ok-version-1.db");
    let _ = std::fs::remove_file(&first);
    raw(
        &first,
        &format!(
            "{}; PRAGMA user_version = 1;
             INSERT INTO item VALUES (x'{}', 1, x'{}', 'waiting', NULL, 'kept since version 1', 0, NULL, 1, 0, 0, 0, NULL);",
            include_str!("store/migrations/0001_first.sql"),
            PostId::new().0.simple(),
            PatientId::new().0.simple(),
        ),
    );
    let whole = stores.join("ok-whole.db");
    let _ = std::fs::remove_file(&whole);
    let store = Store::open(&whole, &KEY.into()).unwrap();
    let text = Text { body: "kept".into(), urgent: true, body_site: None };
    let (post, patient, now) = (PostId::new(), PatientId::new(), Timestamp(5));
    store.write(move |tx| outbox::put(tx, post, patient, &text, true, [].into_iter(), now)).await.unwrap();
    drop(store);
    raw(&whole, "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(stores.join("bad-cut.db"), &bytes[..bytes.len() / 2 / 4096 * 4096]).unwrap();
    std::fs::write(stores.join("bad-short.db"), &bytes[..1000]).unwrap();
    let mut salted = bytes.clone();
    salted[3] ^= 1;
    std::fs::write(stores.join("bad-salt.db"), salted).unwrap();
    std::fs::copy(&whole, stores.join("bad-newer.db")).unwrap();
    raw(&stores.join("bad-newer.db"), "PRAGMA user_version = 99;");
    let originals = folder("original");
    std::fs::create_dir_all(&originals).unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(originals.join(name), bytes).unwrap();
    for (name, plain) in [("two", original()), ("nothing", Vec::new())] {
        Key::of(KEY).seal(&mut plain.as_slice(), &originals.join(format!("ok-{name}.bin"))).unwrap();
    }
    let [two, mut nothing] =
        ["two", "nothing"].map(|name| std::fs::read(originals.join(format!("ok-{name}.bin"))).unwrap());
    put("bad-last-chunk-alone.bin", &two[65_552..]);
    put("bad-empty.bin", b"");
    put("bad-short.bin", &nothing[..10]);
    nothing[0] ^= 1;
    put("bad-flipped.bin", &nothing);
    put("bad-twice.bin", &two[65_552..].repeat(2));
    let locks = folder("lock");
    std::fs::create_dir_all(&locks).unwrap();
    let vault = Memory::default();
    Lock::new(&vault, "lock".into(), WHOSE).set_cheap_pin(&KEY.into(), PIN).unwrap();
    let record = String::from_utf8(vault.load("lock").unwrap().unwrap()).unwrap();
    std::fs::write(locks.join("ok-cheap.json"), &record).unwrap();
    for (name, bad) in [
        ("version", record.replace("\"version\":1", "\"version\":2")),
        ("passes", record.replace("\"passes\":1", "\"passes\":0")),
        ("tries", record.replace("\"tries\":0", "\"tries\":10")),
        ("negative", record.replace("\"tries\":0", "\"tries\":-1")),
        ("empty", String::new()),
        ("list", "[]".into()),
        ("cut", record[..record.len() / 2].to_owned()),
    ] {
        std::fs::write(locks.join(format!("bad-{name}.json")), bad).unwrap();
    }
}
