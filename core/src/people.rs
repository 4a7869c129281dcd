//! Who has a store on this device: the list and the keys rest in the vault, the files in one folder under
//! names that say nothing. Everything here blocks, and one at a time: see [`People::doing`].
//! Not here: what is in a store, and how a PIN seals a key (lock).

use crate::error::Fault;
use crate::lock::{Lock, LockError, PersonLock};
use crate::store::{self, Store, StoreError, StoreKey};
use crate::vault::{Vault, VaultError};
use renraku_wire::{Staff, StaffId};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

const LIST: &str = "people";
/// A page of SQLCipher's. No store is shorter.
const PAGE: u64 = 4096;

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

    fn lock<'a>(&self, vault: &'a dyn Vault, staff: &'a StaffId) -> Lock<'a> {
        Lock::new(vault, format!("lock-{}", self.file), staff.0.as_bytes())
    }

    fn path(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.db", self.file))
    }
}

/// How to open a store that has a PIN.
pub(crate) enum Opener<'a> {
    /// The PIN, which is counted.
    Pin(&'a str),
    /// What the platform releases to the person's finger or face.
    Biometrics(&'a dyn Vault),
}

/// The people of one town on this device.
pub(crate) struct People {
    vault: Arc<dyn Vault>,
    folder: PathBuf,
    /// What people handed over and is not made small and sealed yet: a folder each.
    sources: PathBuf,
    /// Two tries at once must not count as one, two changes of the list not lose one.
    doing: Mutex<()>,
    /// One prompt to add a finger or face at a time. Taken before `doing`.
    adding: Mutex<()>,
}

impl People {
    pub(crate) fn new(vault: Arc<dyn Vault>, folder: PathBuf, sources: PathBuf) -> Self {
        Self { vault, folder, sources, doing: Mutex::new(()), adding: Mutex::new(()) }
    }

    fn doing(&self) -> MutexGuard<'_, ()> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everyone, in the order in which they first signed in.
    pub(crate) fn list(&self) -> Result<Vec<Person>, VaultError> {
        let Some(bytes) = self.vault.load(LIST)? else { return Ok(Vec::new()) };
        serde_json::from_slice(&bytes).map_err(|_| VaultError::Failed)
    }

    fn keep(&self, people: &[Person]) -> Result<(), VaultError> {
        self.vault.store(LIST, &serde_json::to_vec(people).map_err(|_| VaultError::Failed)?)
    }

    fn find(&self, staff: StaffId) -> Result<Option<Person>, VaultError> {
        Ok(self.list()?.into_iter().find(|p| p.staff_id == staff))
    }

    /// Opens the store of someone who is known here and has no PIN.
    pub(crate) fn open(&self, staff: StaffId) -> Result<Option<Store>, Fault> {
        let _doing = self.doing();
        let Some(person) = self.find(staff)? else { return Ok(None) };
        let key = self.key(&person)?.ok_or(StoreError::Unreadable)?;
        Ok(Some(self.existing(&person, &key)?))
    }

    /// Opens a file that must be there: SQLite would make an empty one of what is missing, or cut to less than
    /// a page.
    fn existing(&self, person: &Person, key: &StoreKey) -> Result<Store, Fault> {
        let path = person.path(&self.folder);
        match std::fs::metadata(&path) {
            Ok(found) if found.len() >= PAGE => Ok(Store::open(&path, key)?),
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Err(StoreError::Unreadable.into()),
        }
    }

    /// Opens the store of someone who has a PIN. With the last wrong try everything of theirs is gone.
    pub(crate) fn unlock(&self, staff: StaffId, opener: &Opener<'_>) -> Result<Option<Store>, Fault> {
        // A finger may be long in coming: nobody else waits for it.
        let released = match (opener, self.find(staff)?) {
            (Opener::Biometrics(guarded), Some(person)) => {
                person.lock(self.vault.as_ref(), &staff).released(*guarded)?
            }
            _ => None,
        };
        let _doing = self.doing();
        let Some(person) = self.find(staff)? else { return Ok(None) };
        let lock = person.lock(self.vault.as_ref(), &staff);
        if !lock.state()?.pin {
            let key = self.key(&person)?.ok_or(StoreError::Unreadable)?;
            return Ok(Some(self.existing(&person, &key)?));
        }
        let key = self.spent_is_wiped(
            staff,
            match opener {
                Opener::Pin(pin) => lock.open_with_pin(pin),
                Opener::Biometrics(_) => lock.open_with_biometrics(released.as_ref()),
            },
        )?;
        let store = self.existing(&person, &key)?;
        // What a kill left in `set_pin`. Where the vault does not let go of it now, the next time.
        let _ = self.vault.remove(&person.key_name());
        Ok(Some(store))
    }

    /// Opens the store of someone who just signed in, or makes it. None once `is_over`: whoever wipes everything says
    /// so first and comes here after that, or before.
    pub(crate) fn open_or_make(
        &self,
        staff: &Staff,
        is_over: impl FnOnce() -> bool,
    ) -> Result<Option<Store>, Fault> {
        let _doing = self.doing();
        if is_over() {
            return Ok(None);
        }
        let mut people = self.list()?;
        if let Some(place) = people.iter().position(|p| p.staff_id == staff.id) {
            // Without its key the file is noise. That is so after the platform dropped the vault's secrets.
            if let Some(key) = self.key(&people[place])? {
                if people[place].name != staff.name {
                    people[place].name.clone_from(&staff.name);
                    self.keep(&people)?;
                }
                return self.existing(&people[place], &key).map(Some);
            }
            self.remove(staff.id)?;
            people = self.list()?;
        }
        let person = Person {
            staff_id: staff.id,
            name: staff.name.clone(),
            file: hex::encode(rand::random::<[u8; 16]>()),
        };
        let key = store::new_key();
        self.vault.store(&person.key_name(), key.as_slice())?;
        std::fs::create_dir_all(&self.folder)?;
        let opened = Store::open(&person.path(&self.folder), &key)?;
        people.push(person);
        self.keep(&people)?;
        Ok(Some(opened))
    }

    /// How the person's store is guarded; none for somebody unknown.
    pub(crate) fn lock_state(&self, staff: StaffId) -> Result<Option<PersonLock>, Fault> {
        let Some(person) = self.find(staff)? else { return Ok(None) };
        Ok(Some(person.lock(self.vault.as_ref(), &staff).state()?))
    }

    /// Sets the first PIN, or another one with the current: a wrong one counts as a try.
    pub(crate) fn set_pin(&self, staff: StaffId, current: Option<&str>, pin: &str) -> Result<bool, Fault> {
        let _doing = self.doing();
        let Some(person) = self.find(staff)? else { return Ok(false) };
        let lock = person.lock(self.vault.as_ref(), &staff);
        let key = if lock.state()?.pin {
            let key = self.spent_is_wiped(staff, lock.open_with_pin(current.ok_or(LockError::Locked)?))?;
            self.vault.remove(&person.key_name())?;
            key
        } else {
            self.key(&person)?.ok_or(StoreError::Unreadable)?
        };
        lock.set_pin(&key, pin)?;
        // From here on the record counts: `key` and `unlock` remove what a kill leaves between these two.
        self.vault.remove(&person.key_name())?;
        Ok(true)
    }

    /// Lets biometrics open the store too. Needs the PIN.
    pub(crate) fn add_biometrics(
        &self,
        staff: StaffId,
        pin: &str,
        guarded: &dyn Vault,
    ) -> Result<bool, Fault> {
        // The last secret that is kept must be the one that is sealed to.
        let _adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((person, key)) = self.opened(staff, pin)? else { return Ok(false) };
        let lock = person.lock(self.vault.as_ref(), &staff);
        // This may ask for a finger: nobody else waits for it.
        let kek = lock.guard(guarded)?;
        let _doing = self.doing();
        // Who was forgotten meanwhile has no record to add to, and whoever came back has another.
        lock.add_biometrics(&key, &kek)?;
        Ok(true)
    }

    /// The key of someone who has a PIN.
    fn opened(&self, staff: StaffId, pin: &str) -> Result<Option<(Person, StoreKey)>, Fault> {
        let _doing = self.doing();
        let Some(person) = self.find(staff)? else { return Ok(None) };
        let opened = person.lock(self.vault.as_ref(), &staff).open_with_pin(pin);
        let key = self.spent_is_wiped(staff, opened)?;
        Ok(Some((person, key)))
    }

    /// From now on only the PIN opens the store.
    pub(crate) fn remove_biometrics(&self, staff: StaffId) -> Result<(), Fault> {
        let _doing = self.doing();
        let Some(person) = self.find(staff)? else { return Ok(()) };
        Ok(person.lock(self.vault.as_ref(), &staff).remove_biometrics()?)
    }

    fn spent_is_wiped(&self, staff: StaffId, opened: Result<StoreKey, LockError>) -> Result<StoreKey, Fault> {
        if opened == Err(LockError::Spent) {
            // What does not go now goes with the next try; the store is shut in any case.
            let _ = self.remove(staff);
        }
        Ok(opened?)
    }

    /// Forgets someone.
    pub(crate) fn forget(&self, staff: StaffId) -> Result<(), Fault> {
        let _doing = self.doing();
        self.remove(staff)
    }

    /// First the key, so that a kill half-way leaves only noise, then the files, then the name.
    fn remove(&self, staff: StaffId) -> Result<(), Fault> {
        let mut people = self.list()?;
        let Some(place) = people.iter().position(|p| p.staff_id == staff) else { return Ok(()) };
        self.vault.remove(&people[place].key_name())?;
        people[place].lock(self.vault.as_ref(), &staff).remove()?;
        let path = people[place].path(&self.folder);
        let of_the_core = [store::occupied::SUFFIX, store::occupied::NEW, store::reserve::SUFFIX];
        for suffix in ["", "-wal", "-shm", "-journal"].into_iter().chain(of_the_core) {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            match std::fs::remove_file(&name) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                _ => {}
            }
        }
        removed(&self.sources.join(&people[place].file))?;
        people.remove(place);
        Ok(self.keep(&people)?)
    }

    /// Forgets everyone, readable list or not: files without keys are noise, and go too. So do files whose keys
    /// the vault does not let go of now; then the list stays, to find the keys by, and the first fault is told.
    pub(crate) fn wipe(&self) -> Result<(), Fault> {
        let _doing = self.doing();
        let mut keys = Ok(());
        match self.list() {
            Ok(people) => {
                for person in people {
                    let removed = self.remove(person.staff_id);
                    keys = keys.and(removed);
                }
            }
            Err(VaultError::Locked) => keys = Err(VaultError::Locked.into()),
            Err(VaultError::Full | VaultError::Failed) => {}
        }
        let files = removed(&self.folder).and(removed(&self.sources));
        keys?;
        self.vault.remove(LIST)?;
        Ok(files?)
    }

    /// The key of someone without a PIN; none when the vault lost it.
    fn key(&self, person: &Person) -> Result<Option<StoreKey>, Fault> {
        if person.lock(self.vault.as_ref(), &person.staff_id).state()?.pin {
            self.vault.remove(&person.key_name())?;
            return Err(LockError::Locked.into());
        }
        let Some(bytes) = self.vault.load(&person.key_name())?.map(Zeroizing::new) else { return Ok(None) };
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| StoreError::Unreadable)?;
        Ok(Some(Zeroizing::new(key)))
    }
}

/// Removes a folder, if it is there.
fn removed(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
