//! A file beside a store that says whose session is open with it. Taking a file away needs no room and no key: on a
//! full device, where nothing can be written into the store, and of one that a PIN has closed, a session ends all the
//! same. Holds a digest of the session's token, which opens nothing.

use super::Store;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{Error, ErrorKind, Result, Write};
use std::path::PathBuf;

/// What its name has after the store's.
pub(crate) const SUFFIX: &str = "-open";

impl Store {
    fn sign(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(SUFFIX);
        name.into()
    }

    /// Notes that the session of this token is open. Blocks; the note is on the disk when this returns.
    pub(crate) fn occupy(&self, token: &str) -> Result<()> {
        let mut file = File::create(self.sign())?;
        file.write_all(&digest(token))?;
        file.sync_all()?;
        self.sync_names()
    }

    /// Notes that it is not any more, whatever the store says; a newer one stays. Blocks.
    pub(crate) fn vacate(&self, token: &str) -> Result<()> {
        if !self.is_occupied_by(token)? {
            return Ok(());
        }
        std::fs::remove_file(self.sign())?;
        self.sync_names()
    }

    /// Whether the session of this token is open. Blocks.
    pub(crate) fn is_occupied_by(&self, token: &str) -> Result<bool> {
        match std::fs::read(self.sign()) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            found => Ok(found? == digest(token)),
        }
    }

    /// Whether any session is open. Blocks.
    pub(crate) fn is_occupied(&self) -> Result<bool> {
        self.sign().try_exists()
    }

    fn sync_names(&self) -> Result<()> {
        File::open(self.path.parent().ok_or_else(|| Error::from(ErrorKind::NotFound))?)?.sync_all()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
