//! A PIN of one's own: what it opens, what it closes, what too many wrong ones do.

use crate::phone::{Phone, draft, settings, ticket};
use crate::town::{PASSWORD, found};
use renraku_core::vault::{FileVault, Vault, VaultError};
use renraku_core::{CoreError, Device, DeviceSettings, PIN_TRIES, StorageTrouble, Unlock};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

const PIN: &str = "194502";

fn storage<T>(kind: StorageTrouble) -> Result<T, CoreError> {
    Err(CoreError::Storage { kind })
}

fn pin(pin: &str) -> Unlock {
    Unlock::Pin(pin.into())
}

/// Secrets in the vault whose names begin so.
fn secrets(phone: &Phone, beginning: &str) -> usize {
    let names = std::fs::read_dir(phone.file("vault")).unwrap().map(|e| e.unwrap().file_name());
    names.filter(|n| n.to_string_lossy().starts_with(&hex::encode(beginning))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_closes_the_store_and_only_it_opens_it_again() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    let id = session.compose(draft(town.patient.id, "one")).await.unwrap();
    assert!(!phone.device.person_lock(staff).await.unwrap().pin);
    phone.device.lock(staff).await;
    assert_eq!(session.outbox().await.unwrap().len(), 1, "without a PIN there is nothing to lock");
    let weak = phone.device.set_pin(staff, None, "123456".into()).await;
    assert!(matches!(weak, Err(CoreError::Invalid { field: Some(f), .. }) if f == "pin"));
    assert_eq!(secrets(&phone, "store-"), 1);
    phone.device.set_pin(staff, None, PIN.into()).await.unwrap();
    assert_eq!((secrets(&phone, "store-"), secrets(&phone, "lock-")), (0, 1), "the bare key is gone");
    assert_eq!(session.outbox().await.unwrap().len(), 1, "who is at work stays at work");

    phone.device.lock(staff).await;
    assert_eq!(session.outbox().await.map(drop), storage(StorageTrouble::Locked));
    assert_eq!(session.flush(true).await.map(drop), storage(StorageTrouble::Locked));
    assert_eq!(phone.device.resume(staff).await.map(drop), storage(StorageTrouble::Locked));
    let with_password = phone.device.sign_in("nurse", PASSWORD).await.map(drop);
    assert_eq!(with_password, storage(StorageTrouble::Locked), "the password is not the PIN");
    let wrong = phone.device.unlock(staff, pin("wrong1")).await;
    assert_eq!(wrong, storage(StorageTrouble::WrongPin { left: PIN_TRIES - 1 }));
    drop(session);
    let phone = phone.restart();
    assert_eq!(phone.device.resume(staff).await.map(drop), storage(StorageTrouble::Locked));
    town.network.set_down(true);
    phone.device.unlock(staff, pin(PIN)).await.unwrap();
    let session = phone.device.resume(staff).await.unwrap();
    assert_eq!(session.outbox().await.unwrap()[0].id, id, "without a network, too");

    let blind = phone.device.set_pin(staff, None, "820617".into()).await;
    assert_eq!(blind, storage(StorageTrouble::Locked), "not without the PIN until now");
    phone.device.set_pin(staff, Some(PIN.into()), "820617".into()).await.unwrap();
    drop(session);
    let phone = phone.restart();
    assert!(phone.device.unlock(staff, pin(PIN)).await.is_err());
    phone.device.unlock(staff, pin("820617")).await.unwrap();
    let session = phone.device.resume(staff).await.unwrap();
    town.network.set_down(false);
    assert_eq!(session.flush(true).await.unwrap().sent, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_wrong_pins_wipe_the_person_and_a_kill_gives_no_try_back() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    session.compose(draft(town.patient.id, "lost")).await.unwrap();
    phone.device.set_pin(staff, None, PIN.into()).await.unwrap();
    drop(session);
    let mut phone = phone;
    for left in (1..PIN_TRIES).rev() {
        phone = phone.restart();
        let wrong = phone.device.unlock(staff, pin("wrong1")).await;
        assert_eq!(wrong, storage(StorageTrouble::WrongPin { left }));
        assert_eq!(phone.device.person_lock(staff).await.unwrap().tries_left, left);
    }
    assert_eq!(phone.device.unlock(staff, pin("wrong1")).await, storage(StorageTrouble::Wiped));
    assert_eq!(phone.device.unlock(staff, pin(PIN)).await, Err(CoreError::NotFound), "too late");
    assert!(phone.device.people().await.unwrap().is_empty());
    assert_eq!(std::fs::read_dir(phone.file("app/people")).unwrap().count(), 0);
    assert_eq!((secrets(&phone, "store-"), secrets(&phone, "lock-")), (0, 0));
    let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
    assert!(session.outbox().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finger_opens_it_too_until_it_may_not() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let staff = session.staff().id;
    let guarded: Arc<dyn Vault> = Arc::new(FileVault::open(phone.file("guarded")).unwrap());
    let finger = || Unlock::Biometrics(guarded.clone());
    phone.device.set_pin(staff, None, PIN.into()).await.unwrap();
    let wrong = phone.device.add_biometrics(staff, "wrong1".into(), guarded.clone()).await;
    assert_eq!(wrong, storage(StorageTrouble::WrongPin { left: PIN_TRIES - 1 }));
    phone.device.add_biometrics(staff, PIN.into(), guarded.clone()).await.unwrap();
    drop(session);
    let phone = phone.restart();
    phone.device.unlock(staff, finger()).await.unwrap();
    assert!(phone.device.resume(staff).await.is_ok());
    phone.device.remove_biometrics(staff).await.unwrap();
    phone.device.lock(staff).await;
    assert_eq!(phone.device.unlock(staff, finger()).await, storage(StorageTrouble::Locked));
    assert!(phone.device.unlock(staff, pin(PIN)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_shared_tablet_none_opens_anothers_store() {
    let town = found().await;
    let (phone, nurse) = Phone::with_nurse(&town).await;
    let doctor = phone.device.sign_in("doctor", PASSWORD).await.unwrap();
    let (nurses, doctors) = (nurse.staff().id, doctor.staff().id);
    nurse.compose(draft(town.patient.id, "the nurse's")).await.unwrap();
    assert!(doctor.outbox().await.unwrap().is_empty());
    phone.device.set_pin(nurses, None, PIN.into()).await.unwrap();
    phone.device.set_pin(doctors, None, "820617".into()).await.unwrap();
    phone.device.lock(nurses).await;
    assert!(doctor.outbox().await.is_ok(), "the doctor is at work");
    assert_eq!(phone.device.resume(nurses).await.map(drop), storage(StorageTrouble::Locked));
    let wrong = phone.device.unlock(nurses, pin("820617")).await;
    assert_eq!(wrong, storage(StorageTrouble::WrongPin { left: PIN_TRIES - 1 }));

    // Neither the files nor the vault's records can be exchanged.
    drop((nurse, doctor));
    let phone = phone.restart();
    let files = std::fs::read_dir(phone.file("app/people")).unwrap().map(|e| e.unwrap().path());
    let mut files: Vec<_> = files.filter(|f| f.extension().is_some_and(|e| e == "db")).collect();
    files.sort();
    assert_eq!(files.len(), 2, "{files:?}");
    let bytes: Vec<_> = files.iter().map(|f| std::fs::read(f).unwrap()).collect();
    std::fs::write(&files[0], &bytes[1]).unwrap();
    std::fs::write(&files[1], &bytes[0]).unwrap();
    assert_eq!(phone.device.unlock(doctors, pin("820617")).await, storage(StorageTrouble::Damaged));
    assert_eq!(phone.device.unlock(nurses, pin(PIN)).await, storage(StorageTrouble::Damaged));
    std::fs::write(&files[0], &bytes[0]).unwrap();
    std::fs::write(&files[1], &bytes[1]).unwrap();
    phone.device.unlock(nurses, pin(PIN)).await.unwrap();
    let nurse = phone.device.resume(nurses).await.unwrap();
    assert_eq!(nurse.outbox().await.unwrap().len(), 1, "nothing was lost by it");
    phone.device.forget_person(doctors).await.unwrap();
    assert_eq!(nurse.outbox().await.unwrap().len(), 1);
}

/// Asks for a finger before it keeps or gives anything: two meet twice.
struct Prompt(FileVault, Barrier);

impl Prompt {
    fn ask(&self) {
        self.1.wait();
        self.1.wait();
    }
}

impl Vault for Prompt {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        self.ask();
        self.0.load(name)
    }

    fn store(&self, name: &str, secret: &[u8]) -> Result<(), VaultError> {
        self.ask();
        self.0.store(name, secret)
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.0.remove(name)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_one_is_asked_for_a_finger_the_others_go_on() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let (nurse, doctor) = (session.staff().id, town.doctor.id);
    phone.device.sign_in("doctor", PASSWORD).await.unwrap();
    phone.device.set_pin(nurse, None, PIN.into()).await.unwrap();
    let vault = FileVault::open(phone.file("guarded")).unwrap();
    let prompt = Arc::new(Prompt(vault, Barrier::new(2)));
    let meet = || {
        let prompt = prompt.clone();
        tokio::task::spawn_blocking(move || {
            prompt.1.wait();
        })
    };
    let meanwhile = || async {
        meet().await.unwrap();
        let opened = tokio::time::timeout(Duration::from_secs(20), phone.device.resume(doctor)).await;
        meet().await.unwrap();
        assert!(matches!(opened, Ok(Ok(_))), "it waited for somebody else's finger");
    };
    let (added, ()) =
        tokio::join!(phone.device.add_biometrics(nurse, PIN.into(), prompt.clone()), meanwhile());
    added.unwrap();
    drop(session);
    phone.device.lock(nurse).await;
    let finger = Unlock::Biometrics(prompt.clone());
    let (unlocked, ()) = tokio::join!(phone.device.unlock(nurse, finger), meanwhile());
    unlocked.unwrap();
    assert!(phone.device.resume(nurse).await.is_ok());
}

/// A vault that takes its time over the device's own record, until two have met twice.
struct Slow {
    inner: FileVault,
    is_slow: AtomicBool,
    met: Barrier,
}

impl Slow {
    fn take_time(&self, name: &str) {
        if name == "enrolment" && self.is_slow.load(Ordering::SeqCst) {
            self.met.wait();
            self.met.wait();
        }
    }
}

impl Vault for Slow {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        self.inner.load(name)
    }

    fn store(&self, name: &str, secret: &[u8]) -> Result<(), VaultError> {
        self.take_time(name);
        self.inner.store(name, secret)
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.take_time(name);
        self.inner.remove(name)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_that_asks_for_the_town_does_not_wait_for_the_vault() {
    let town = found().await;
    let Phone { folder, key, spare, clock, device, .. } = Phone::new(&town);
    drop(device);
    let slow = Arc::new(Slow {
        inner: FileVault::open(folder.path().join("vault")).unwrap(),
        is_slow: true.into(),
        met: Barrier::new(2),
    });
    let brought = settings(&town, folder.path(), &key, &spare, &clock);
    let device = Arc::new(Device::open(DeviceSettings { vault: slow.clone(), ..brought }).unwrap());
    let meet = || {
        let slow = slow.clone();
        tokio::task::spawn_blocking(move || {
            slow.met.wait();
        })
    };
    let look = |is_enrolled: bool| {
        let device = device.clone();
        let looked = tokio::task::spawn_blocking(move || (device.municipality(), device.certificate()));
        async move {
            let looked = tokio::time::timeout(Duration::from_secs(20), looked).await;
            let (municipality, certificate) = looked.expect("it waits for the vault").unwrap();
            assert_eq!((municipality.is_some(), certificate.is_some()), (is_enrolled, is_enrolled));
        }
    };
    let enrolling = tokio::spawn({
        let (device, public_url) = (device.clone(), town.public_url.clone());
        async move { device.enrol(ticket(public_url)).await.map(drop) }
    });
    meet().await.unwrap();
    look(false).await;
    meet().await.unwrap();
    enrolling.await.unwrap().unwrap();
    look(true).await;
    let forgetting = tokio::spawn({
        let device = device.clone();
        async move { device.forget().await }
    });
    meet().await.unwrap();
    look(false).await;
    meet().await.unwrap();
    forgetting.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn locked_it_does_not_tell_who_has_read() {
    let town = found().await;
    let (phone, session) = Phone::with_nurse(&town).await;
    let id = session.compose(draft(town.patient.id, "one")).await.unwrap();
    session.flush(true).await.unwrap();
    assert_eq!(session.receipts(id).await.unwrap().receipts, []);
    phone.device.set_pin(session.staff().id, None, "194502".into()).await.unwrap();
    phone.device.lock(session.staff().id).await;
    let locked = CoreError::Storage { kind: StorageTrouble::Locked };
    assert_eq!(session.receipts(id).await.map(drop), Err(locked));
}
