//! The objects as Rust callers see them: the traits of the shell, the errors, the threads.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may stop")]

use renraku_mobile::{
    CancelToken, DeviceKey, Diagnosis, EnrolmentForm, KeyFailure, MobileError, RenrakuDevice, StorageTrouble,
    Vault, VaultFailure, known_towns, problem_sentence, scan_setup_code, storage_sentence,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

#[derive(Default)]
struct MemoryVault {
    secrets: Mutex<HashMap<String, Vec<u8>>>,
    /// What it says instead of looking.
    trouble: Option<VaultFailure>,
    threads: Mutex<Vec<ThreadId>>,
    _freed: Option<Freed>,
}

/// Tells on which thread it was freed.
struct Freed(mpsc::Sender<ThreadId>);

impl Drop for Freed {
    fn drop(&mut self) {
        self.0.send(std::thread::current().id()).unwrap();
    }
}

impl Vault for MemoryVault {
    fn load(&self, name: String) -> Result<Option<Vec<u8>>, VaultFailure> {
        self.threads.lock().unwrap().push(std::thread::current().id());
        if let Some(trouble) = self.trouble {
            return Err(trouble);
        }
        Ok(self.secrets.lock().unwrap().get(&name).cloned())
    }

    fn store(&self, name: String, secret: Vec<u8>) -> Result<(), VaultFailure> {
        self.secrets.lock().unwrap().insert(name, secret);
        Ok(())
    }

    fn remove(&self, name: String) -> Result<(), VaultFailure> {
        self.secrets.lock().unwrap().remove(&name);
        Ok(())
    }
}

struct NoKey;

impl DeviceKey for NoKey {
    fn public_key(&self) -> Result<Vec<u8>, KeyFailure> {
        Err(KeyFailure::Locked)
    }

    fn sign(&self, _: Vec<u8>) -> Result<Vec<u8>, KeyFailure> {
        Err(KeyFailure::Locked)
    }

    fn is_hardware_backed(&self) -> bool {
        true
    }

    fn delete(&self) -> Result<(), KeyFailure> {
        Ok(())
    }
}

async fn open(folder: &std::path::Path, vault: Arc<MemoryVault>) -> Result<Arc<RenrakuDevice>, MobileError> {
    let folder = folder.to_str().unwrap().to_owned();
    RenrakuDevice::open(folder, vault, Some(Arc::new(NoKey)), None).await
}

#[tokio::test]
async fn a_fresh_device_is_not_enrolled_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(MemoryVault::default());
    let device = open(folder.path(), vault.clone()).await.unwrap();
    assert_eq!(device.certificate().diagnose().await, Ok(Diagnosis::NotEnrolled));
    assert_eq!(device.municipality(), None);
    assert!(device.certificate().is_hardware_backed());
    assert!(device.people().await.unwrap().is_empty());
    let refused = device.sign_in("nurse".into(), "x".into()).await.map(drop);
    assert_eq!(refused, Err(MobileError::Certificate { code: "certificate_missing".into() }));
    let here = std::thread::current().id();
    let threads = vault.threads.lock().unwrap();
    assert!(
        !threads.is_empty() && !threads.contains(&here),
        "the vault is never asked on the caller's thread"
    );
}

#[tokio::test]
async fn troubles_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    for (failure, trouble) in [
        (VaultFailure::Locked, StorageTrouble::Locked),
        (VaultFailure::Full, StorageTrouble::Full),
        (VaultFailure::Failed, StorageTrouble::Keystore),
    ] {
        let vault = Arc::new(MemoryVault { trouble: Some(failure), ..MemoryVault::default() });
        let refused = open(folder.path(), vault.clone()).await.map(drop);
        assert_eq!(refused, Err(MobileError::Storage { trouble }));
        let path = folder.path().to_str().unwrap().to_owned();
        let refused = RenrakuDevice::open_town(path, vault, None, None, None, Some("minowa".into())).await;
        assert_eq!(refused.map(drop), Err(MobileError::Storage { trouble }));
    }
    let roots = Some("no certificate".to_owned());
    let path = folder.path().to_str().unwrap().to_owned();
    let refused = RenrakuDevice::open(path, Arc::new(MemoryVault::default()), None, roots).await.map(drop);
    assert!(matches!(refused, Err(MobileError::Invalid { field: Some(f), .. }) if f == "extra_roots"));
    let device = open(folder.path(), Arc::new(MemoryVault::default())).await.unwrap();
    let form = |url: &str| EnrolmentForm {
        public_url: url.into(),
        slug: "minowa".into(),
        number: "1".into(),
        password: "secret-of-the-ticket".into(),
        device_name: "x".into(),
        platform: renraku_wire::Platform::Ios,
    };
    assert!(!format!("{:?}", form("https://localhost")).contains("secret-of-the-ticket"));
    let refused = device.certificate().enrol(form("http://localhost:1")).await;
    assert!(matches!(refused, Err(MobileError::Invalid { field: Some(f), .. }) if f == "public_url"));
    let refused = device.certificate().enrol(form("https://localhost:1")).await;
    assert_eq!(refused, Err(MobileError::Offline { code: None }));
}

#[test]
fn a_scanned_code_becomes_the_form_and_any_other_says_what_to_do() {
    let scan = |text: &str| scan_setup_code(text.into(), "訪問用スマホ1".into(), renraku_wire::Platform::Ios);
    let form =
        scan("renraku:enrol?v=1&portal=https%3A%2F%2Frenraku.example.jp%2Fminowa&no=12-34&pw=se%26cret");
    let form = form.unwrap();
    assert_eq!((form.public_url.as_str(), form.slug.as_str()), ("https://renraku.example.jp", "minowa"));
    assert_eq!((form.number.as_str(), form.password.as_str()), ("12-34", "se&cret"));
    assert_eq!((form.device_name.as_str(), form.platform), ("訪問用スマホ1", renraku_wire::Platform::Ios));
    assert!(!format!("{form:?}").contains("cret"));
    for (text, why) in [
        ("https://renraku.example.jp/minowa", "setup_code_foreign"),
        ("renraku:enrol?v=2", "setup_code_newer"),
        ("renraku:enrol?v=1", "setup_code_malformed"),
    ] {
        let refused = scan(text).map(drop).unwrap_err();
        assert_eq!(refused, MobileError::Invalid { code: why.into(), field: Some("setup_code".into()) });
        assert!(problem_sentence(why.into()).contains("2次元コード"), "{why}");
    }
}

#[test]
fn a_token_is_set_once_and_stays() {
    let token = CancelToken::new();
    assert!(!token.is_cancelled());
    token.cancel();
    assert!(token.is_cancelled());
}

fn form(public_url: String) -> EnrolmentForm {
    EnrolmentForm {
        public_url,
        slug: "minowa".into(),
        number: "1".into(),
        password: "x".into(),
        device_name: "x".into(),
        platform: renraku_wire::Platform::Ios,
    }
}

/// A host that takes connections and never says a word.
async fn silent() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    (listener, url)
}

#[tokio::test]
async fn a_call_that_hangs_ends_when_its_token_is_cancelled_and_others_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let device = open(folder.path(), Arc::new(MemoryVault::default())).await.unwrap();
    let (_listener, public_url) = silent().await;
    let form = form(public_url);
    let (one, other) = (CancelToken::new(), CancelToken::new());
    let enrolling = tokio::spawn({
        let (device, form) = (device.until(one.clone()), form.clone());
        async move { device.certificate().enrol(form).await.map(drop) }
    });
    other.cancel();
    assert_eq!(
        device.until(other.clone()).certificate().enrol(form.clone()).await.map(drop),
        Err(MobileError::Cancelled)
    );
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!enrolling.is_finished(), "another token's");
    one.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(10), enrolling).await;
    assert_eq!(ended.expect("it goes on").unwrap(), Err(MobileError::Cancelled));
    assert_eq!(device.municipality(), None);
    let quick = device.until(other);
    assert!(quick.people().await.unwrap().is_empty(), "what stays on the device takes no notice");
}

#[tokio::test]
async fn what_is_cancelled_ends_within_200_milliseconds() {
    let folder = tempfile::tempdir().unwrap();
    let device = open(folder.path(), Arc::new(MemoryVault::default())).await.unwrap();
    let (_listener, public_url) = silent().await;
    let mut waits = Vec::new();
    for _ in 0..9 {
        let token = CancelToken::new();
        let (device, form) = (device.until(token.clone()), form(public_url.clone()));
        let enrolling = tokio::spawn(async move { device.certificate().enrol(form).await.map(drop) });
        // Long enough to be under way, and not long after the core looked at the token for the first time.
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!enrolling.is_finished(), "it hangs");
        token.cancel();
        let cancelled = Instant::now();
        assert_eq!(enrolling.await.unwrap(), Err(MobileError::Cancelled));
        waits.push(cancelled.elapsed());
    }
    // The median: what counts is how the core waits, not what else a machine does.
    waits.sort_unstable();
    assert!(waits[waits.len() / 2] < Duration::from_millis(200), "{waits:?}");
}

#[tokio::test]
async fn letting_go_of_a_device_frees_nothing_on_the_callers_thread() {
    let folder = tempfile::tempdir().unwrap();
    let (freed, heard) = mpsc::channel();
    let vault = Arc::new(MemoryVault { _freed: Some(Freed(freed)), ..MemoryVault::default() });
    let device = open(folder.path(), vault).await.unwrap();
    let too = device.until(CancelToken::new());
    drop(device);
    drop(too);
    let freed_on = heard.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_ne!(freed_on, std::thread::current().id());
}

#[test]
fn every_code_has_a_sentence_and_an_unknown_one_too() {
    let known = problem_sentence("certificate_revoked".into());
    assert!(known.contains("失効"));
    assert!(problem_sentence("of_tomorrow".into()).contains("最新の版"));
    assert!(storage_sentence(StorageTrouble::WrongPin { left: 3 }).contains("あと3回"));
    assert!(storage_sentence(StorageTrouble::Newer).contains("更新"));
    assert!(storage_sentence(StorageTrouble::Full).contains("空き容量"));
    assert!(storage_sentence(StorageTrouble::Keystore).contains("再起動"));
}

#[tokio::test]
async fn a_stranger_has_no_lock_and_a_town_must_be_a_slug() {
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(MemoryVault::default());
    let device = open(folder.path(), vault.clone()).await.unwrap();
    let stranger = renraku_wire::StaffId::new();
    assert_eq!(device.person(stranger).lock_state().await.map(drop), Err(MobileError::NotFound));
    assert_eq!(device.person(stranger).unlock_with_pin("194502".into()).await, Err(MobileError::NotFound));
    assert_eq!(device.person(stranger).set_pin(None, "194502".into()).await, Err(MobileError::NotFound));
    assert_eq!(device.person(stranger).lock().await, Ok(()));
    assert_eq!(device.certificate().status(), None);
    let path = folder.path().to_str().unwrap().to_owned();
    let town = |slug: &str| {
        let slug = Some(slug.to_owned());
        RenrakuDevice::open_town(path.clone(), vault.clone(), None, None, None, slug)
    };
    let refused = town("../minowa").await.map(drop);
    assert!(matches!(refused, Err(MobileError::Invalid { field: Some(f), .. }) if f == "town"));
    town("minowa").await.unwrap();
    assert_eq!(known_towns(path.clone()).await, Ok(vec!["minowa".to_owned()]));
}
