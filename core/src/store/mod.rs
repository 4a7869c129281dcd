//! The sealed store: one SQLCipher file per person, opened with a random key that rests in the vault.
//!
//! Holds the session, what the person last saw, receipts not yet sent and the outbox with its media.
//! Each area is a module of functions over a connection: those that write are called inside
//! [`Store::write`]'s transaction. Not here: the network, and the rules of sending.

pub(crate) mod cache;
pub(crate) mod chunks;
pub(crate) mod files;
pub(crate) mod occupied;
pub(crate) mod outbox;
pub(crate) mod receipts;
pub(crate) mod reserve;
mod schema;
pub(crate) mod session;

use crate::runtime::{Busy, RunError, block, wait_at_the_end};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use zeroize::Zeroizing;

/// The key of a store: 32 random bytes.
pub(crate) type StoreKey = Zeroizing<[u8; 32]>;

/// Numbered by their place: the first brings `user_version` to 1.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_latest.sql"),
    include_str!("migrations/0003_pictures.sql"),
    include_str!("migrations/0004_fetched.sql"),
    include_str!("migrations/0005_planned.sql"),
    include_str!("migrations/0006_field.sql"),
    include_str!("migrations/0007_written.sql"),
];

/// Why the store did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file is not a store, is damaged, or the key is not its key.
    #[error("the store cannot be opened with this key")]
    Unreadable,
    /// A newer version of the app wrote it.
    #[error("the store was written by a newer version")]
    Newer,
    /// No room left on the device.
    #[error("the device is full")]
    Full,
    /// It was locked, or the person forgotten, while somebody still held it.
    #[error("the store is locked")]
    Locked,
    /// The device did not read or write the file.
    #[error("the store's file failed")]
    File,
    /// A record in it cannot be read.
    #[error("a record in the store cannot be read")]
    Record,
    /// Anything else that the database says.
    #[error("the store failed")]
    Database(#[source] diesel::result::Error),
    /// The work could not run.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Gives what the store gives.
pub(crate) type StoreResult<T> = Result<T, StoreError>;

impl From<diesel::result::Error> for StoreError {
    fn from(e: diesel::result::Error) -> Self {
        let text = e.to_string();
        // diesel gives SQLite's sentence and not its number.
        if text.contains("database or disk is full") {
            Self::Full
        } else if text.contains("file is not a database") || text.contains("disk image is malformed") {
            Self::Unreadable
        } else if text.contains("disk I/O error") || text.contains("unable to open database file") {
            Self::File
        } else {
            Self::Database(e)
        }
    }
}

/// A person's open store. Cheap to clone. One connection: calls wait for each other.
#[derive(Clone)]
pub(crate) struct Store {
    path: Arc<Path>,
    connection: Arc<Mutex<Open>>,
    closed: Arc<AtomicBool>,
    /// Counts what was written.
    changes: Arc<tokio::sync::watch::Sender<u64>>,
}

/// The connection; none once it was closed.
struct Open(Option<SqliteConnection>);

impl Open {
    fn close(&mut self) {
        match (self.0.take(), Busy::begin()) {
            (Some(connection), Some(_busy)) => drop(connection),
            // The process is about to end, and takes it along as a kill would.
            (connection, _) => std::mem::forget(connection),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}

impl Store {
    /// Opens the file, or makes it, and brings it to this version. Blocks.
    pub(crate) fn open(path: &Path, key: &StoreKey) -> StoreResult<Self> {
        let opened = match Self::connect(path, key, "") {
            // What connections tell each other by is a file. On a full device there is no room for one; who is
            // alone needs none.
            Err(StoreError::File) => Self::connect(path, key, "PRAGMA locking_mode = EXCLUSIVE;"),
            opened => opened,
        };
        opened.inspect(Self::keep_room)
    }

    fn connect(path: &Path, key: &StoreKey, alone: &str) -> StoreResult<Self> {
        let name = path.to_str().ok_or(StoreError::Unreadable)?;
        let _busy = Busy::begin().ok_or(StoreError::Locked)?;
        let mut connection = SqliteConnection::establish(name).map_err(|_| StoreError::File)?;
        let hex = Zeroizing::new(hex::encode(key.as_slice()));
        // The raw form: a passphrase would be stretched on every opening, for nothing.
        connection.batch_execute(&Zeroizing::new(format!("PRAGMA key = \"x'{}'\"", hex.as_str())))?;
        connection.batch_execute(
            "PRAGMA cipher_log_level = NONE;
             PRAGMA cipher_memory_security = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA busy_timeout = 5000;",
        )?;
        connection.batch_execute(alone)?;
        // Looked at before anything may be written: a file of another key or version stays as it is.
        let version = version(&mut connection)?;
        connection.batch_execute(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA fullfsync = ON;
             PRAGMA checkpoint_fullfsync = ON;
             PRAGMA foreign_keys = ON;",
        )?;
        migrate(&mut connection, version)?;
        wait_at_the_end();
        Ok(Self {
            path: path.into(),
            connection: Arc::new(Mutex::new(Open(Some(connection)))),
            closed: Arc::default(),
            changes: Arc::new(tokio::sync::watch::Sender::new(0)),
        })
    }

    /// Closes it for all who hold it, when what runs now is done: its key leaves the memory. Blocks.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.connection.lock().unwrap_or_else(PoisonError::into_inner).close();
        self.changes.send_modify(|n| *n += 1);
    }

    /// True when it was closed, or is being closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// What the file is called, which says nothing of whose it is.
    pub(crate) fn name(&self) -> &str {
        self.path.file_stem().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// A file beside the store's.
    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    }

    /// How often something was written, to wait for the next time.
    pub(crate) fn changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Runs reads, on a thread that may block.
    pub(crate) async fn read<R, F>(&self, work: F) -> StoreResult<R>
    where
        R: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> StoreResult<R> + Send + 'static,
    {
        let store = self.clone();
        block(move || store.read_here(work)).await?
    }

    /// The same for whoever is on a thread that may block.
    pub(crate) fn read_here<R>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> StoreResult<R>,
    ) -> StoreResult<R> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let _busy = Busy::begin().ok_or(StoreError::Locked)?;
        let open = connection.0.as_mut().filter(|_| !self.is_closed());
        work(open.ok_or(StoreError::Locked)?)
    }

    /// Runs changes in one transaction, on a thread that may block. It is on the disk when this returns.
    /// A caller who goes away does not stop it half-way.
    pub(crate) async fn write<R, F>(&self, work: F) -> StoreResult<R>
    where
        R: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> StoreResult<R> + Send + 'static,
    {
        let store = self.clone();
        block(move || store.write_here(work)).await?
    }

    /// The same for whoever is on such a thread already.
    pub(crate) fn write_here<R>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> StoreResult<R>,
    ) -> StoreResult<R> {
        let done = self.read_here(|connection| connection.immediate_transaction(work))?;
        self.changes.send_modify(|n| *n += 1);
        Ok(done)
    }
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Integer)]
    user_version: i32,
}

/// The migrations that it has seen.
fn version(connection: &mut SqliteConnection) -> StoreResult<usize> {
    let version: Version = diesel::sql_query("PRAGMA user_version").get_result(connection)?;
    let done = usize::try_from(version.user_version).map_err(|_| StoreError::Unreadable)?;
    if done > MIGRATIONS.len() { Err(StoreError::Newer) } else { Ok(done) }
}

fn migrate(connection: &mut SqliteConnection, done: usize) -> StoreResult<()> {
    for (number, migration) in MIGRATIONS.iter().enumerate().skip(done) {
        connection.immediate_transaction(|tx| {
            tx.batch_execute(migration)?;
            tx.batch_execute(&format!("PRAGMA user_version = {}", number + 1))
        })?;
    }
    Ok(())
}

/// A fresh key.
pub(crate) fn new_key() -> StoreKey {
    Zeroizing::new(rand::random())
}

/// An id of 16 bytes, as the store keeps it.
pub(crate) fn id(bytes: &[u8]) -> StoreResult<uuid::Uuid> {
    uuid::Uuid::from_slice(bytes).map_err(|_| StoreError::Record)
}

/// The same the other way.
fn key(id: &uuid::Uuid) -> &[u8] {
    id.as_bytes()
}

/// A record kept as JSON.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> StoreResult<T> {
    serde_json::from_str(text).map_err(|_| StoreError::Record)
}

/// A record to keep as JSON.
pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|_| StoreError::Record)
}

#[cfg(test)]
mod tests;
