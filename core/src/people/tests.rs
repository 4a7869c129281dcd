//! The list and the keys over a vault that does not answer, or not always.

use super::*;
use crate::vault::FileVault;
use renraku_wire::{FacilityId, Profession, Role};
use std::sync::atomic::{AtomicBool, Ordering};

/// A vault that the device's lock shuts; or that only lets go of nothing.
struct Shut(FileVault, AtomicBool, AtomicBool);

impl Shut {
    fn look(&self) -> Result<&FileVault, VaultError> {
        if self.1.load(Ordering::SeqCst) { Err(VaultError::Locked) } else { Ok(&self.0) }
    }
}

impl Vault for Shut {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        self.look()?.load(name)
    }

    fn store(&self, name: &str, secret: &[u8]) -> Result<(), VaultError> {
        self.look()?.store(name, secret)
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        if self.2.load(Ordering::SeqCst) { Err(VaultError::Failed) } else { self.look()?.remove(name) }
    }
}

fn nurse() -> Staff {
    Staff {
        id: StaffId::new(),
        facility_id: FacilityId::new(),
        facility_name: String::new(),
        name: "試験 花子".to_owned(),
        profession: Profession::Nurse,
        role: Role::Member,
    }
}

fn with_a_nurse() -> (tempfile::TempDir, Arc<Shut>, People, Staff) {
    let folder = tempfile::tempdir().unwrap();
    let vault = FileVault::open(folder.path().join("vault")).unwrap();
    let vault = Arc::new(Shut(vault, AtomicBool::new(false), AtomicBool::new(false)));
    let people = People::new(vault.clone(), folder.path().join("people"), folder.path().join("sources"));
    let staff = nurse();
    people.open_or_make(&staff, || false).unwrap().unwrap().close();
    (folder, vault, people, staff)
}

#[test]
fn a_key_that_the_vault_did_not_let_go_of_goes_with_the_next_opening() {
    let (_folder, vault, people, staff) = with_a_nurse();
    let name = people.list().unwrap()[0].key_name();
    let is_bare = || vault.load(&name).unwrap().is_some();
    // As a kill does, just after the first PIN counts.
    let breaks_off = |current, pin| {
        vault.2.store(true, Ordering::SeqCst);
        let set = people.set_pin(staff.id, current, pin);
        vault.2.store(false, Ordering::SeqCst);
        assert!(set.is_err());
    };
    breaks_off(None, "194502");
    assert!(people.lock_state(staff.id).unwrap().unwrap().pin && is_bare());
    people.unlock(staff.id, &Opener::Pin("194502")).unwrap().unwrap().close();
    assert!(!is_bare(), "the vault alone opens nothing any more");

    vault.store(&name, &[7; 32]).unwrap();
    breaks_off(Some("194502"), "280517");
    assert!(people.unlock(staff.id, &Opener::Pin("280517")).is_err(), "no new PIN while the key lies bare");
    people.set_pin(staff.id, Some("194502"), "280517").unwrap();
    assert!(!is_bare());
}

#[test]
fn a_locked_vault_keeps_no_file_from_being_wiped() {
    let (folder, vault, people, _staff) = with_a_nurse();
    assert!(std::fs::read_dir(folder.path().join("people")).unwrap().count() > 0);
    vault.1.store(true, Ordering::SeqCst);
    assert!(matches!(people.wipe(), Err(Fault::Vault(VaultError::Locked))));
    assert!(!folder.path().join("people").exists());
    vault.1.store(false, Ordering::SeqCst);
    assert_eq!(people.list().unwrap().len(), 1, "the key is still to be found");
    people.wipe().unwrap();
    assert_eq!(std::fs::read_dir(folder.path().join("vault")).unwrap().count(), 0);
}

#[test]
fn the_last_wrong_pin_shuts_the_store_whatever_the_vault_lets_go_of() {
    let (_folder, vault, people, staff) = with_a_nurse();
    people.set_pin(staff.id, None, "194502").unwrap();
    vault.2.store(true, Ordering::SeqCst);
    let guess = || people.set_pin(staff.id, Some("820617"), "730518");
    for _ in 1..crate::PIN_TRIES {
        assert!(matches!(guess(), Err(Fault::Lock(LockError::WrongPin { .. }))));
    }
    let last = guess();
    assert!(matches!(last, Err(Fault::Lock(LockError::Spent))), "{last:?}");
    assert!(matches!(guess(), Err(Fault::Lock(LockError::Spent))), "and stays so");
    // What did not go then goes with the next try.
    vault.2.store(false, Ordering::SeqCst);
    assert!(matches!(guess(), Err(Fault::Lock(LockError::Spent))));
    assert!(people.list().unwrap().is_empty());
}
