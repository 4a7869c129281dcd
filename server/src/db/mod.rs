//! The database: SQLite (encrypted, embedded) or PostgreSQL, chosen by the URL as the server starts.
//!
//! Each query is written once. [`run!`] expands it for both: plain synchronous diesel on SQLite inside
//! one blocking section a transaction, `diesel-async` on PostgreSQL. [`Db::read`] and [`Db::write`]
//! run a closure in one transaction; a write is serializable and may run again when PostgreSQL asks for
//! it, so the closure must not do anything but talk to the database. [`Db::glance`] is for one statement,
//! which sees one state by itself and needs no transaction, and for several whose answers need not be of one.
//!
//! On PostgreSQL the way there and back costs more than most statements, so `BEGIN` travels with the first
//! statement, nobody waits for the end of a reading, and [`run_together!`] sends several at once.
//!
//! Not here: what the tables mean. Each room keeps its own queries.

mod conn;
mod kept;
mod lite;
mod migrate;
pub mod schema;
pub mod sql;

use crate::error::AppError;
use diesel::connection::SimpleConnection as _;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::Pool as PgPool;
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use lite::LiteManager;
use std::future::Future;
use std::time::Duration;

use conn::transaction;
#[doc(hidden)]
pub use conn::{Begin, Begun, begin, begun};
pub use conn::{Conn, Kind};
pub use kept::kept;
pub use sql::Id;

type LitePool = deadpool::managed::Pool<LiteManager>;

/// The pools.
#[derive(Clone)]
pub enum Db {
    /// PostgreSQL.
    Pg(PgPool<AsyncPgConnection>),
    /// SQLite: one writer, several readers.
    Lite {
        /// The only connection that writes.
        writer: LitePool,
        /// Connections that cannot write.
        readers: LitePool,
    },
}

/// An async closure whose future can cross threads: what `AsyncFn` cannot say yet.
pub trait Job<T, R>: AsyncFn(T) -> R + Fn(T) -> <Self as Job<T, R>>::Fut {
    /// Its future.
    type Fut: Future<Output = R>;
}

impl<F, T, Fut, R> Job<T, R> for F
where
    F: AsyncFn(T) -> R + Fn(T) -> Fut,
    Fut: Future<Output = R>,
{
    type Fut = Fut;
}

const TRIES: u32 = 12;

impl Db {
    /// Opens the database behind `url`, makes or migrates its tables.
    ///
    /// `sqlite:` with a path, encrypted under `key`; or `postgres://…`.
    ///
    /// # Errors
    /// A sentence that says what to do: unknown scheme, wrong key, no such server, a newer schema.
    pub async fn open(url: &str, key: &[u8; 32]) -> Result<Self, AppError> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.trim_start_matches("//").to_owned();
            let writer = lite::pool(LiteManager::writer(&path, key), 1)?;
            let readers = lite::pool(LiteManager::reader(&path, key), 4)?;
            let mut c = Kind::Lite(writer.get().await.map_err(pool_error)?);
            if let Kind::Lite(k) = &mut c {
                tokio::task::block_in_place(|| migrate::sqlite(k))?;
            }
            drop(c);
            Ok(Self::Lite { writer, readers })
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let mut settings = ManagerConfig::<AsyncPgConnection>::default();
            // A dead connection is noticed without asking; asking would cost a round trip each time.
            settings.recycling_method = RecyclingMethod::Fast;
            let manager = AsyncDieselConnectionManager::new_with_config(url, settings);
            let pool = PgPool::builder(manager)
                .max_size(12)
                .wait_timeout(Some(Duration::from_secs(10)))
                .create_timeout(Some(Duration::from_secs(10)))
                .runtime(deadpool::Runtime::Tokio1)
                // The one that was used last is warm; and one whose request was cancelled is found, and closed, next.
                .queue_mode(deadpool::managed::QueueMode::Lifo)
                .build()
                .map_err(|e| AppError::internal(format!("the connection pool cannot be built: {e}")))?;
            let mut c = pool.get().await.map_err(pool_error)?;
            migrate::postgres(&mut c).await?;
            drop(c);
            Ok(Self::Pg(pool))
        } else {
            Err(AppError::internal(
                "the database URL must start with `sqlite:` or `postgres://`; set RENRAKU_DATABASE",
            ))
        }
    }

    /// Opens the database under whichever of these keys fits, the likeliest first.
    ///
    /// # Errors
    /// As [`Self::open`], for the last key.
    pub async fn open_any(url: &str, keys: &[[u8; 32]]) -> Result<Self, AppError> {
        let mut outcome = Err(AppError::internal("no key"));
        for key in keys {
            outcome = Self::open(url, key).await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    /// Puts a SQLite file under another key. PostgreSQL has none.
    ///
    /// # Errors
    /// The file is in use or cannot be written; then it is under its old key or the new one, and whole.
    pub async fn rekey(&self, key: &[u8; 32]) -> Result<(), AppError> {
        let Self::Lite { writer, .. } = self else { return Ok(()) };
        let mut c = writer.get().await.map_err(pool_error)?;
        tokio::task::block_in_place(|| lite::rekey(&mut c, key))
    }

    /// Runs `job` on a connection that sees one state of the data and changes nothing.
    #[expect(clippy::manual_async_fn, reason = "spelt out, so that the future is known to be Send")]
    pub fn read<'a, R: Send + 'a, F>(
        &'a self,
        job: F,
    ) -> impl Future<Output = Result<R, AppError>> + Send + 'a
    where
        for<'r> F: AsyncFn(&'r mut Conn) -> Result<R, AppError>
            + Job<&'r mut Conn, Result<R, AppError>, Fut: Send>
            + Send
            + Sync
            + 'a,
    {
        async move {
            match self {
                Self::Pg(pool) => {
                    let mut c = pg(pool, READING).await?;
                    transaction(&mut c, false, &job).await
                }
                Self::Lite { readers, .. } => {
                    let mut c = lite_conn(readers).await?;
                    block(async {
                        c.lite()?.batch_execute("BEGIN")?;
                        transaction(&mut c, false, &job).await
                    })
                }
            }
        }
    }

    /// Runs `job`, which changes nothing and asks with one statement, or with several whose answers need not be of one
    /// state: there is no transaction.
    #[expect(clippy::manual_async_fn, reason = "spelt out, so that the future is known to be Send")]
    pub fn glance<'a, R: Send + 'a, F>(
        &'a self,
        job: F,
    ) -> impl Future<Output = Result<R, AppError>> + Send + 'a
    where
        for<'r> F: AsyncFn(&'r mut Conn) -> Result<R, AppError>
            + Job<&'r mut Conn, Result<R, AppError>, Fut: Send>
            + Send
            + Sync
            + 'a,
    {
        async move {
            match self {
                Self::Pg(pool) => {
                    let mut c = pg(pool, Begin::None).await?;
                    job(&mut c).await
                }
                Self::Lite { readers, .. } => {
                    let mut c = lite_conn(readers).await?;
                    block(job(&mut c))
                }
            }
        }
    }

    /// Runs `job` in one transaction: all of it happens or nothing. It may run more than once.
    #[expect(clippy::manual_async_fn, reason = "spelt out, so that the future is known to be Send")]
    pub fn write<'a, R: Send + 'a, F>(
        &'a self,
        job: F,
    ) -> impl Future<Output = Result<R, AppError>> + Send + 'a
    where
        for<'r> F: AsyncFn(&'r mut Conn) -> Result<R, AppError>
            + Job<&'r mut Conn, Result<R, AppError>, Fut: Send>
            + Send
            + Sync
            + 'a,
    {
        async move {
            let mut tries = 0;
            loop {
                let result = match self {
                    Self::Pg(pool) => {
                        let mut c = pg(pool, WRITING).await?;
                        transaction(&mut c, true, &job).await
                    }
                    Self::Lite { writer, .. } => {
                        let mut c = lite_conn(writer).await?;
                        block(async {
                            c.lite()?.batch_execute("BEGIN IMMEDIATE")?;
                            transaction(&mut c, true, &job).await
                        })
                    }
                };
                match result {
                    Err(AppError::Db(e)) if retryable(&e) && tries < TRIES => {
                        tries += 1;
                        let millis = rand::random_range(0..(1_u64 << tries.min(7)));
                        tokio::time::sleep(Duration::from_millis(millis)).await;
                    }
                    other => return other,
                }
            }
        }
    }

    /// True on SQLite.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Lite { .. })
    }
}

const READING: Begin = Begin::With("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
const WRITING: Begin = Begin::With("BEGIN ISOLATION LEVEL SERIALIZABLE");

async fn pg(pool: &PgPool<AsyncPgConnection>, begin: Begin) -> Result<Conn, AppError> {
    Ok(Conn { kind: Kind::Pg(pool.get().await.map_err(pool_error)?), failed: false, begin })
}

async fn lite_conn(pool: &LitePool) -> Result<Conn, AppError> {
    let kind = Kind::Lite(pool.get().await.map_err(pool_error)?);
    Ok(Conn { kind, failed: false, begin: Begin::None })
}

fn block<F: Future>(f: F) -> F::Output {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(f))
}

fn retryable(e: &DieselError) -> bool {
    match e {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(_, info) => {
            let m = info.message();
            m.contains("deadlock detected") || m.contains("database is locked")
        }
        _ => false,
    }
}

fn pool_error<E: std::fmt::Display>(e: deadpool::managed::PoolError<E>) -> AppError {
    match e {
        deadpool::managed::PoolError::Timeout(_) => AppError::from(renraku_wire::Code::Unavailable),
        other => AppError::internal(format!("the database cannot be reached: {other}")),
    }
}

/// What a room's queries need of diesel. Its own way of running a query is hidden, so that [`run!`]
/// alone decides how one runs.
pub mod prelude {
    pub use diesel::prelude::*;

    /// Hides diesel's trait of this name.
    pub trait RunQueryDsl {}
}
