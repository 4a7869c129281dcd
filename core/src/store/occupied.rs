//! A file beside a store that says whose session is open with it. Taking a file away needs no room and no key: on a
//! full device, where nothing can be written into the store, and of one that a PIN has closed, a session ends all the
//! same. Holds a digest of the session's token, which opens nothing.

use super::{Store, StoreError, StoreResult};
use crate::error::is_full;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What its name has after the store's.
pub(crate) const SUFFIX: &str = "-open";
/// And while it is written.
pub(crate) const NEW: &str = "-open-new";

/// A store that was closed and opened again is two objects here with one file: changes of it wait for each other.
static CHANGING: Mutex<()> = Mutex::new(());

fn changing() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store {
    /// Writes down that the session of this token is open, beside what still counts: the room that it needs is had
    /// before anything is changed. Blocks.
    pub(crate) fn note(&self, token: &str) -> StoreResult<Note<'_>> {
        let note = Note { store: self, _changing: changing() };
        let written = File::create(self.beside(NEW)).and_then(|mut file| {
            file.write_all(&digest(token))?;
            file.sync_all()
        });
        written.map_err(|e| if is_full(&e) { StoreError::Full } else { StoreError::File })?;
        Ok(note)
    }

    /// Notes that it is not any more, whatever the store says; a newer one stays. Blocks.
    pub(crate) fn vacate(&self, token: &str) -> io::Result<()> {
        let _changing = changing();
        // One that cannot be read is nobody's, and goes.
        if self.noted().ok().flatten().is_some_and(|noted| noted != digest(token)) {
            return Ok(());
        }
        match std::fs::remove_file(self.beside(SUFFIX)) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map(|()| self.sync_names()),
        }
    }

    /// Whether the session of this token is open. Blocks.
    pub(crate) fn is_occupied_by(&self, token: &str) -> StoreResult<bool> {
        let noted = self.noted().map_err(|_| StoreError::File)?;
        Ok(noted.is_some_and(|noted| noted == digest(token)))
    }

    fn noted(&self) -> io::Result<Option<Vec<u8>>> {
        match std::fs::read(self.beside(SUFFIX)) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    /// Writes names down, where folders can be written down.
    fn sync_names(&self) {
        if let Some(folder) = self.path.parent() {
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
    }
}

/// That a session is open, before it counts. Dropped, it never does.
pub(crate) struct Note<'a> {
    store: &'a Store,
    _changing: MutexGuard<'static, ()>,
}

impl Note<'_> {
    /// From now on it counts, in place of another; needs no room. Blocks; it is on the disk when this returns, or the
    /// one before still is.
    pub(crate) fn counts(self) -> StoreResult<()> {
        std::fs::rename(self.store.beside(NEW), self.store.beside(SUFFIX)).map_err(|_| StoreError::File)?;
        self.store.sync_names();
        Ok(())
    }
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.store.beside(NEW));
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
