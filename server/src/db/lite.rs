//! SQLite connections: SQLCipher with a raw key, write-ahead log, one writer.

use crate::error::AppError;
use deadpool::managed::{Manager, Metrics, RecycleResult};
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, ConnectionError, SqliteConnection};
use std::time::Duration;
use zeroize::Zeroizing;

/// Makes connections to one file.
pub struct LiteManager {
    path: String,
    key_hex: Zeroizing<String>,
    read_only: bool,
}

impl std::fmt::Debug for LiteManager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiteManager").field("read_only", &self.read_only).finish_non_exhaustive()
    }
}

impl LiteManager {
    pub(super) fn writer(path: &str, key: &[u8; 32]) -> Self {
        Self { path: path.to_owned(), key_hex: Zeroizing::new(hex::encode(key)), read_only: false }
    }

    pub(super) fn reader(path: &str, key: &[u8; 32]) -> Self {
        Self { read_only: true, ..Self::writer(path, key) }
    }

    fn connect(&self) -> Result<SqliteConnection, ConnectionError> {
        let mut c = SqliteConnection::establish(&self.path)?;
        // The key must be the first statement; the raw form runs no key derivation per connection.
        let settings = Zeroizing::new(format!(
            "PRAGMA key = \"x'{}'\";
             PRAGMA busy_timeout = 5000;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -4000;
             PRAGMA query_only = {};",
            self.key_hex.as_str(),
            if self.read_only { "ON" } else { "OFF" }
        ));
        c.batch_execute(&settings).map_err(|e| ConnectionError::BadConnection(why(&e).into()))?;
        Ok(c)
    }
}

/// What to do when the file does not open.
fn why(e: &diesel::result::Error) -> &'static str {
    let text = e.to_string();
    if text.contains("full") || text.contains("I/O") {
        "the database file cannot be written: the disk is full or failing; nothing was changed. Free space \
         and start again"
    } else if text.contains("not a database") {
        "the database file cannot be opened: the operator's secret is not the one it was made with, or the \
         file is damaged; nothing was changed. Name the right secret with --secret-file, or put the file \
         back from a backup"
    } else {
        "the database file cannot be opened: its folder is not writable, or another program holds it; \
         nothing was changed. Check the folder's owner and start again"
    }
}

/// Puts the file under another key, in one transaction of SQLite's own: interrupted, it is under the old
/// key or the new one.
pub(super) fn rekey(c: &mut SqliteConnection, key: &[u8; 32]) -> Result<(), AppError> {
    let hex = Zeroizing::new(hex::encode(key));
    let statement = Zeroizing::new(format!(
        "PRAGMA journal_mode = DELETE; PRAGMA rekey = \"x'{}'\"; PRAGMA journal_mode = WAL;",
        hex.as_str()
    ));
    c.batch_execute(&statement).map_err(|e| {
        AppError::internal(format!("the database could not be put under the new secret: {}", why(&e)))
    })
}

impl Manager for LiteManager {
    type Type = SqliteConnection;
    type Error = ConnectionError;

    async fn create(&self) -> Result<SqliteConnection, ConnectionError> {
        tokio::task::block_in_place(|| self.connect())
    }

    async fn recycle(&self, _: &mut SqliteConnection, _: &Metrics) -> RecycleResult<ConnectionError> {
        Ok(())
    }
}

pub(super) fn pool(manager: LiteManager, size: usize) -> Result<super::LitePool, AppError> {
    super::LitePool::builder(manager)
        .max_size(size)
        .wait_timeout(Some(Duration::from_secs(10)))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(|e| AppError::internal(format!("the connection pool cannot be built: {e}")))
}
