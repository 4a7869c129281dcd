//! Who sits at this device: unlocking, locking, forgetting. Not here: signing in.

use super::{Device, Inner, SOURCES};
use crate::error::{CoreError, StorageTrouble};
use crate::lock::PersonLock;
use crate::people::{Opener, Person};
use crate::runtime::block;
use crate::session::Desk;
use crate::store::{Store, session};
use crate::vault::Vault;
use renraku_wire::StaffId;
use std::sync::{Arc, PoisonError, Weak};
use zeroize::{Zeroize, Zeroizing};

/// How a person opens their store.
pub enum Unlock {
    /// Their PIN. Each try is counted before it is looked at; see [`crate::PIN_TRIES`].
    Pin(String),
    /// Their finger or face: a vault that gives out what it keeps only after the platform recognised them.
    Biometrics(Arc<dyn Vault>),
}

impl std::fmt::Debug for Unlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pin(_) => "Pin",
            Self::Biometrics(_) => "Biometrics",
        })
    }
}

impl Drop for Unlock {
    fn drop(&mut self) {
        if let Self::Pin(pin) = self {
            pin.zeroize();
        }
    }
}

impl Device {
    /// Opens the store of someone with a PIN, until [`Device::lock`] or the app's end. [`Device::resume`] or
    /// [`Device::sign_in`] comes next. Takes some tenths of a second, for the PIN's sake. Without a PIN there
    /// is nothing to open. Needs no network.
    ///
    /// # Errors
    /// `Storage`: `WrongPin` with the tries that are left; `Wiped` after the last, when everything of the
    /// person is gone from this device; `Locked` when biometrics do not open it (any more): ask for the PIN.
    /// `NotFound` for somebody unknown here.
    pub async fn unlock(&self, staff: StaffId, unlock: Unlock) -> Result<(), CoreError> {
        let inner = self.inner.clone();
        let opened = block(move || match &unlock {
            Unlock::Pin(pin) => inner.people.unlock(staff, &Opener::Pin(pin)),
            Unlock::Biometrics(guarded) => inner.people.unlock(staff, &Opener::Biometrics(guarded.as_ref())),
        });
        let store = self.wiped_is_closed(staff, opened.await?.map_err(CoreError::from))?;
        let desk = self.inner.seat(staff, store.ok_or(CoreError::NotFound)?);
        self.inner.unlocked().insert(staff, desk);
        Ok(())
    }

    /// Closes a person's store, if they have a PIN: their sessions here give `Storage` with `Locked` from now
    /// on, and the key leaves the memory. What is on its way is finished first. Someone without a PIN stays.
    pub async fn lock(&self, staff: StaffId) {
        let inner = self.inner.clone();
        let closed = block(move || {
            // Where the vault cannot tell, rather once too often.
            let open = matches!(inner.people.lock_state(staff), Ok(Some(state)) if !state.pin);
            if !open {
                inner.close(staff);
            }
        });
        let _ = closed.await;
    }

    /// How a person's store is guarded.
    ///
    /// # Errors
    /// `NotFound` for somebody unknown here, `Storage`.
    pub async fn person_lock(&self, staff: StaffId) -> Result<PersonLock, CoreError> {
        let inner = self.inner.clone();
        block(move || inner.people.lock_state(staff)).await??.ok_or(CoreError::NotFound)
    }

    /// Sets a person's first PIN (`current` is none), or another one. The store's key stays the same and is
    /// sealed anew; a kill leaves the old PIN or the new one.
    ///
    /// # Errors
    /// `Invalid` (`pin`) for less than 6 or more than 64 characters, one character over and over, or a run like
    /// 123456; `Storage` as [`Device::unlock`] for a wrong `current`, `Locked` when it is missing; `NotFound`.
    pub async fn set_pin(
        &self,
        staff: StaffId,
        current: Option<String>,
        pin: String,
    ) -> Result<(), CoreError> {
        let inner = self.inner.clone();
        let (current, pin) = (current.map(Zeroizing::new), Zeroizing::new(pin));
        let set = block(move || inner.people.set_pin(staff, current.as_ref().map(|pin| pin.as_str()), &pin));
        let known = self.wiped_is_closed(staff, set.await?.map_err(CoreError::from))?;
        if known { Ok(()) } else { Err(CoreError::NotFound) }
    }

    /// Lets the person's finger or face open their store too. `guarded` must give out what it keeps only after
    /// the platform recognised the person, and lose it when another finger or face is enrolled.
    ///
    /// # Errors
    /// `Storage` as [`Device::unlock`] for a wrong PIN, `Damaged` without one; `NotFound`.
    pub async fn add_biometrics(
        &self,
        staff: StaffId,
        pin: String,
        guarded: Arc<dyn Vault>,
    ) -> Result<(), CoreError> {
        let (inner, pin) = (self.inner.clone(), Zeroizing::new(pin));
        let added = block(move || inner.people.add_biometrics(staff, &pin, guarded.as_ref()));
        let known = self.wiped_is_closed(staff, added.await?.map_err(CoreError::from))?;
        if known { Ok(()) } else { Err(CoreError::NotFound) }
    }

    /// Only the PIN opens the person's store from now on. What the platform may still keep opens nothing.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn remove_biometrics(&self, staff: StaffId) -> Result<(), CoreError> {
        let inner = self.inner.clone();
        Ok(block(move || inner.people.remove_biometrics(staff)).await??)
    }

    fn wiped_is_closed<T>(&self, staff: StaffId, done: Result<T, CoreError>) -> Result<T, CoreError> {
        if matches!(done, Err(CoreError::Storage { kind: StorageTrouble::Wiped })) {
            self.inner.close(staff);
        }
        done
    }

    /// Those who signed in on this device before.
    ///
    /// # Errors
    /// `Storage` when the vault cannot look now.
    pub async fn people(&self) -> Result<Vec<Person>, CoreError> {
        let inner = self.inner.clone();
        Ok(block(move || inner.people.list()).await??)
    }

    /// Forgets a person on this device: key, store, outbox. What was not sent is lost. Their session is ended, and
    /// pushes to them with it, as at signing out; behind a PIN, where nobody can read which that is, it ends by itself.
    ///
    /// # Errors
    /// `Storage` when something may still be there.
    pub async fn forget_person(&self, staff: StaffId) -> Result<(), CoreError> {
        let inner = self.inner.clone();
        let forgotten = block(move || {
            let open = inner.desk(staff).map(|desk| desk.store.clone());
            let store = open.or_else(|| inner.people.open(staff).ok().flatten());
            let token = store.and_then(|store| store.read_here(session::token).ok().flatten());
            inner.close(staff);
            let forgotten = inner.people.forget(staff);
            // Noted although something may still be there: whoever was to be forgotten is not to be told of anything.
            token.into_iter().for_each(|token| inner.leaving.add(token));
            forgotten
        });
        let forgotten = forgotten.await?;
        if let Some(enrolled) = self.inner.enrolled() {
            self.inner.leaving.tell_soon(&enrolled.care);
        }
        Ok(forgotten?)
    }
}

impl Inner {
    fn unlocked(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<StaffId, Arc<Desk>>> {
        self.unlocked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn desk(&self, staff: StaffId) -> Option<Arc<Desk>> {
        let desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        desks.get(&staff)?.upgrade().filter(|desk| !desk.store.is_closed())
    }

    /// Two sessions of one person share one store and one line of sending.
    pub(super) fn seat(&self, staff: StaffId, store: Store) -> Arc<Desk> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(desk) = desks.get(&staff).and_then(Weak::upgrade).filter(|d| !d.store.is_closed()) {
            return desk;
        }
        let sources = self.folder.join(SOURCES).join(store.name());
        let desk = Arc::new(Desk::new(store, sources, self.clock.clone()));
        desks.insert(staff, Arc::downgrade(&desk));
        desk
    }

    /// Closes a person's store for all who hold it. Blocks while something runs.
    fn close(&self, staff: StaffId) {
        self.unlocked().remove(&staff);
        let desk = self.desks.lock().unwrap_or_else(PoisonError::into_inner).remove(&staff);
        if let Some(desk) = desk.and_then(|desk| desk.upgrade()) {
            desk.store.close();
        }
    }

    /// The same for everyone.
    pub(super) fn close_all(&self) {
        let staff: Vec<StaffId> =
            self.desks.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        for staff in staff {
            self.close(staff);
        }
    }
}
