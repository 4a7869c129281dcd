//! A file beside a store that says whose session is open with it. Taking a file away needs no room and no key: on a
//! full device, where nothing can be written into the store, and of one that a PIN has closed, a session ends all the
//! same. Holds a digest of the session's token, which opens nothing.

use super::{Store, StoreError, StoreResult};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
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
    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    }

    /// Notes that the session of this token is open, in place of another. Blocks; the note is on the disk when this
    /// returns, or the one before still is.
    pub(crate) fn occupy(&self, token: &str) -> StoreResult<()> {
        let _changing = changing();
        let new = self.beside(NEW);
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(&digest(token))?;
            file.sync_all()?;
            std::fs::rename(&new, self.beside(SUFFIX))
        });
        if let Err(e) = written {
            let _ = std::fs::remove_file(&new);
            let full = matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
            return Err(if full { StoreError::Full } else { StoreError::File });
        }
        self.sync_names();
        Ok(())
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

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
