//! The lock alone, over a vault in memory that can be made to fail.

use super::*;
use std::collections::HashMap;
use std::sync::Mutex;

#[derive(Default)]
struct Memory {
    secrets: Mutex<HashMap<String, Vec<u8>>>,
    /// Stores that still work; none for all.
    stores_left: Mutex<Option<u32>>,
}

impl Vault for Memory {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        Ok(self.secrets.lock().unwrap().get(name).cloned())
    }
    fn store(&self, name: &str, secret: &[u8]) -> Result<(), VaultError> {
        if let Some(left) = self.stores_left.lock().unwrap().as_mut() {
            *left = left.checked_sub(1).ok_or(VaultError::Failed)?;
        }
        self.secrets.lock().unwrap().insert(name.into(), secret.into());
        Ok(())
    }
    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.secrets.lock().unwrap().remove(name);
        Ok(())
    }
}

const PIN: &str = "194502";

fn locked(vault: &Memory) -> (Lock<'_>, StoreKey) {
    let lock = Lock::new(vault, "lock-a".into(), b"a");
    let key = crate::store::new_key();
    lock.set_pin(&key, PIN).unwrap();
    (lock, key)
}

#[test]
fn neither_the_pin_nor_the_vault_alone_opens_it() {
    let vault = Memory::default();
    let (lock, key) = locked(&vault);
    assert_eq!(lock.open_with_pin(PIN).unwrap(), key);
    let held = vault.secrets.lock().unwrap()["lock-a"].clone();
    let record: Record = serde_json::from_slice(&held).unwrap();
    for part in [&record.salt, &record.pepper, &record.pin] {
        let bytes = STANDARD.decode(part).unwrap();
        assert!(!bytes.windows(32).any(|w| w == key.as_slice()), "the key itself is nowhere");
    }
    assert!(!held.windows(PIN.len()).any(|w| w == PIN.as_bytes()));
    let other = Memory::default();
    let (stranger, _) = locked(&other);
    assert_ne!(stranger.open_with_pin(PIN).unwrap(), key, "the same PIN over another vault");
    let mut without_pepper: Record = serde_json::from_slice(&held).unwrap();
    without_pepper.pepper = STANDARD.encode([0; 32]);
    lock.save(&without_pepper).unwrap();
    assert!(matches!(lock.open_with_pin(PIN), Err(LockError::WrongPin { .. })), "the pepper counts");
}

#[test]
fn a_record_in_anothers_place_opens_nothing() {
    let vault = Memory::default();
    drop(locked(&vault));
    let another = Lock::new(&vault, "lock-a".into(), b"b");
    assert!(matches!(another.open_with_pin(PIN), Err(LockError::WrongPin { .. })));
}

#[test]
fn a_try_counts_before_it_is_looked_at() {
    let vault = Memory::default();
    let (lock, _) = locked(&vault);
    // Killed right after the count: the vault refuses what comes after it.
    *vault.stores_left.lock().unwrap() = Some(1);
    assert!(lock.open_with_pin(PIN).is_err());
    assert_eq!(lock.state().unwrap().tries_left, PIN_TRIES - 1);
    // Killed right before: nothing was tried.
    assert_eq!(lock.open_with_pin("wrong1").err(), Some(LockError::Vault(VaultError::Failed)));
    *vault.stores_left.lock().unwrap() = None;
    for left in (1..PIN_TRIES - 1).rev() {
        assert_eq!(lock.open_with_pin("wrong1").err(), Some(LockError::WrongPin { left }));
    }
    assert_eq!(lock.open_with_pin("wrong1").err(), Some(LockError::Spent));
    assert_eq!(lock.open_with_pin(PIN).err(), Some(LockError::Spent), "the right one comes too late");
}

#[test]
fn another_pin_opens_the_same_store_and_the_old_one_nothing() {
    let vault = Memory::default();
    let (lock, key) = locked(&vault);
    lock.set_pin(&key, "820617").unwrap();
    assert!(matches!(lock.open_with_pin(PIN), Err(LockError::WrongPin { .. })));
    assert_eq!(lock.open_with_pin("820617").unwrap(), key);
    assert_eq!(lock.state().unwrap().tries_left, PIN_TRIES, "a right one starts anew");
}

#[test]
fn biometrics_are_a_second_way_that_can_be_taken_away() {
    let (vault, guarded) = (Memory::default(), Memory::default());
    let (lock, key) = locked(&vault);
    let open = || lock.open_with_biometrics(lock.released(&guarded)?.as_ref());
    assert_eq!(open().err(), Some(LockError::Locked));
    lock.add_biometrics(&key, &lock.guard(&guarded).unwrap()).unwrap();
    assert_eq!(open().unwrap(), key);
    assert_ne!(guarded.secrets.lock().unwrap()["lock-a"], key.as_slice(), "the platform has no key");
    lock.set_pin(&key, "820617").unwrap();
    assert_eq!(open().unwrap(), key, "a PIN's change keeps it");
    let released = lock.released(&guarded).unwrap();
    lock.remove_biometrics().unwrap();
    assert_eq!(lock.open_with_biometrics(released.as_ref()).err(), Some(LockError::Locked), "in between");
    assert_eq!(open().err(), Some(LockError::Locked));
    assert!(!guarded.secrets.lock().unwrap().is_empty(), "though the platform still has its secret");
}

#[test]
fn what_anybody_tries_first_is_refused() {
    let vault = Memory::default();
    let lock = Lock::new(&vault, "lock-a".into(), b"a");
    for pin in ["", "1", "12345", "111111", "123456", "98765432", &"1".repeat(65)] {
        assert_eq!(lock.set_pin(&crate::store::new_key(), pin), Err(LockError::Weak), "{pin}");
    }
    assert!(!lock.state().unwrap().pin);
}

#[test]
fn a_record_that_is_none_is_an_error_and_no_crash() {
    let vault = Memory::default();
    let (lock, _) = locked(&vault);
    let held = vault.secrets.lock().unwrap()["lock-a"].clone();
    let greedy = String::from_utf8(held.clone()).unwrap().replace("65536", "4294967295");
    for bytes in [b"".to_vec(), b"{}".to_vec(), held[..held.len() / 2].to_vec(), greedy.into_bytes()] {
        vault.store("lock-a", &bytes).unwrap();
        assert_eq!(lock.open_with_pin(PIN).err(), Some(LockError::Damaged));
    }
}

impl Lock<'_> {
    /// A lock that costs next to nothing to try, for the corpus.
    pub(crate) fn set_cheap_pin(&self, key: &StoreKey, pin: &str) -> Result<(), LockError> {
        self.set_pin(key, pin)?;
        let mut record = self.load()?.ok_or(LockError::Damaged)?;
        (record.memory_kib, record.passes) = (8, 1);
        record.pin = self.seal(&stretch(pin, &record)?, key)?;
        self.save(&record)
    }
}
