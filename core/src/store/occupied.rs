//! An empty file beside a store, which is there while somebody is signed in with it. Taking a file away needs no
//! room: on a full device, where nothing can be written into the store, signing out works all the same.

use super::Store;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::path::PathBuf;

/// What its name has after the store's.
pub(crate) const SUFFIX: &str = "-open";

impl Store {
    fn sign(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(SUFFIX);
        name.into()
    }

    /// Notes that somebody is signed in. Blocks; the note is on the disk when this returns.
    pub(crate) fn occupy(&self) -> Result<()> {
        File::create(self.sign())?.sync_all()?;
        self.sync_names()
    }

    /// Notes that nobody is, whatever the store says. Blocks.
    pub(crate) fn vacate(&self) -> Result<()> {
        match std::fs::remove_file(self.sign()) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| self.sync_names()),
        }
    }

    /// Whether somebody is. Blocks.
    pub(crate) fn is_occupied(&self) -> Result<bool> {
        self.sign().try_exists()
    }

    fn sync_names(&self) -> Result<()> {
        File::open(self.path.parent().ok_or_else(|| Error::from(ErrorKind::NotFound))?)?.sync_all()
    }
}
