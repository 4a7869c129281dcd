//! Who has a store on this device: the list and the keys rest in the vault, the files in one folder under
//! names that say nothing. Everything here blocks. Not here: what is in a store.

use crate::error::Fault;
use crate::store::{self, Store, StoreError, StoreKey};
use crate::vault::{Vault, VaultError};
use renraku_wire::{Staff, StaffId};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const LIST: &str = "people";

/// Someone who signed in on this device before.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub staff_id: StaffId,
    /// Name, for the choice of people on a shared tablet.
    pub name: String,
    file: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("staff_id", &self.staff_id).finish_non_exhaustive()
    }
}

impl Person {
    fn key_name(&self) -> String {
        format!("store-{}", self.file)
    }

    fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.db", self.file))
    }
}

/// Everyone, in the order in which they first signed in.
pub(crate) fn list(vault: &dyn Vault) -> Result<Vec<Person>, VaultError> {
    let Some(bytes) = vault.load(LIST)? else { return Ok(Vec::new()) };
    serde_json::from_slice(&bytes).map_err(|_| VaultError::Failed)
}

fn keep(vault: &dyn Vault, people: &[Person]) -> Result<(), VaultError> {
    vault.store(LIST, &serde_json::to_vec(people).map_err(|_| VaultError::Failed)?)
}

/// Opens the store of someone who is known here.
pub(crate) fn open(vault: &dyn Vault, folder: &Path, staff: StaffId) -> Result<Option<Store>, Fault> {
    let people = list(vault)?;
    let Some(person) = people.iter().find(|p| p.staff_id == staff) else { return Ok(None) };
    let key = key(vault, person)?.ok_or(StoreError::Unreadable)?;
    Ok(Some(Store::open(&person.path(folder), &key)?))
}

/// Opens the store of someone who just signed in, or makes it.
pub(crate) fn open_or_make(vault: &dyn Vault, folder: &Path, staff: &Staff) -> Result<Store, Fault> {
    let mut people = list(vault)?;
    if let Some(person) = people.iter_mut().find(|p| p.staff_id == staff.id) {
        // Without its key the file is noise. That is so after the platform dropped the vault's secrets.
        if let Some(key) = key(vault, person)? {
            let path = person.path(folder);
            if person.name != staff.name {
                person.name.clone_from(&staff.name);
                keep(vault, &people)?;
            }
            return Ok(Store::open(&path, &key)?);
        }
        forget(vault, folder, staff.id)?;
        people = list(vault)?;
    }
    let person = Person {
        staff_id: staff.id,
        name: staff.name.clone(),
        file: hex::encode(rand::random::<[u8; 16]>()),
    };
    let key = store::new_key();
    vault.store(&person.key_name(), key.as_slice())?;
    std::fs::create_dir_all(folder)?;
    let opened = Store::open(&person.path(folder), &key)?;
    people.push(person);
    keep(vault, &people)?;
    Ok(opened)
}

/// Forgets someone: first the key, so that a kill half-way leaves only noise, then the files, then the name.
pub(crate) fn forget(vault: &dyn Vault, folder: &Path, staff: StaffId) -> Result<(), Fault> {
    let mut people = list(vault)?;
    let Some(place) = people.iter().position(|p| p.staff_id == staff) else { return Ok(()) };
    vault.remove(&people[place].key_name())?;
    let path = people[place].path(folder);
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.clone().into_os_string();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
    }
    people.remove(place);
    keep(vault, &people)?;
    Ok(())
}

fn key(vault: &dyn Vault, person: &Person) -> Result<Option<StoreKey>, Fault> {
    let Some(bytes) = vault.load(&person.key_name())?.map(Zeroizing::new) else { return Ok(None) };
    let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| StoreError::Unreadable)?;
    Ok(Some(Zeroizing::new(key)))
}
