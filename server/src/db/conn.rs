//! A connection of either kind inside its transaction, and how a statement runs on it.

use super::{Job, LiteManager};
use crate::error::AppError;
use deadpool::managed::Object;
use diesel::connection::SimpleConnection as _;
use diesel::result::Error as DieselError;
use diesel_async::{
    AnsiTransactionManager, AsyncPgConnection, SimpleAsyncConnection as _, TransactionManager as _,
};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A pooled connection of either kind.
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack of one request")]
pub enum Kind {
    /// PostgreSQL.
    Pg(diesel_async::pooled_connection::deadpool::Object<AsyncPgConnection>),
    /// SQLite.
    Lite(Object<LiteManager>),
}

/// A connection that somebody uses, inside a transaction unless they need none.
pub struct Conn {
    #[doc(hidden)]
    pub kind: Kind,
    #[doc(hidden)]
    pub failed: bool,
    #[doc(hidden)]
    pub begin: Begin,
}

/// Where a transaction on PostgreSQL stands.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Begin {
    /// To be begun with the first statement.
    With(&'static str),
    /// Begun: its end was not told yet.
    Done,
    /// There is none: nothing was asked yet, it has ended, or it needs none.
    None,
}

impl Begin {
    /// What is still to be sent before the next statement.
    #[doc(hidden)]
    pub fn due(&mut self) -> Option<&'static str> {
        let Self::With(sql) = *self else { return None };
        *self = Self::Done;
        Some(sql)
    }
}

// A transaction whose request was cancelled half-way is open still: the pool must throw its connection away. (SQLite's
// cannot be cancelled: they run in one piece.)
impl Drop for Conn {
    fn drop(&mut self) {
        if let (Kind::Pg(k), Begin::Done) = (&mut self.kind, self.begin) {
            AnsiTransactionManager::transaction_manager_status_mut(&mut **k).set_in_error();
        }
    }
}

impl Conn {
    pub(super) fn lite(&mut self) -> Result<&mut diesel::SqliteConnection, AppError> {
        match &mut self.kind {
            Kind::Lite(k) => Ok(k),
            Kind::Pg(_) => Err(AppError::internal("not a connection to SQLite")),
        }
    }
}

/// Runs one statement on whichever database this is: `run!(c, load::<Row>, query)`.
#[macro_export]
macro_rules! run {
    // A change is never sent before its transaction stands.
    ($c:expr, execute, $query:expr) => {
        match $crate::db::begin($c).await {
            Ok(()) => $crate::run!(@run $c, execute, $query),
            Err(e) => Err(e),
        }
    };
    ($c:expr, $method:ident $(::<$t:ty>)?, $query:expr) => {
        $crate::run!(@run $c, $method $(::<$t>)?, $query)
    };
    (@run $c:expr, $method:ident $(::<$t:ty>)?, $query:expr) => {{
        let result = match &mut $c.kind {
            $crate::db::Kind::Pg(k) => {
                use diesel_async::RunQueryDsl as _;
                let k: &diesel_async::AsyncPgConnection = k;
                let begun = $crate::db::begun(k, $c.begin.due());
                let (begun, result) =
                    futures_util::future::join(begun, $query.$method $(::<$t>)? (&mut &*k)).await;
                begun.and(result)
            }
            $crate::db::Kind::Lite(k) => {
                use diesel::RunQueryDsl as _;
                $query.$method $(::<$t>)? (&mut **k)
            }
        };
        if matches!(result, Err(diesel::result::Error::DatabaseError(..))) {
            $c.failed = true;
        }
        result
    }};
}

/// Runs statements that do not need each other's answers, in this order, and gives their answers as a tuple; on
/// PostgreSQL they travel together: `run_together!(c, load::<Row> => one, execute => another)`.
#[macro_export]
macro_rules! run_together {
    ($c:expr, $($method:ident $(::<$t:ty>)? => $query:expr),+ $(,)?) => {{
        let result = match &mut $c.kind {
            $crate::db::Kind::Pg(k) => {
                use diesel_async::RunQueryDsl as _;
                let k: &diesel_async::AsyncPgConnection = k;
                let begun = $crate::db::begun(k, $c.begin.due());
                $crate::run_together!(@join begun, $($query.$method $(::<$t>)? (&mut &*k)),+)
            }
            $crate::db::Kind::Lite(k) => {
                use diesel::RunQueryDsl as _;
                let mut each = || diesel::QueryResult::Ok(($($query.$method $(::<$t>)? (&mut **k)?,)+));
                each()
            }
        };
        if matches!(result, Err(diesel::result::Error::DatabaseError(..))) {
            $c.failed = true;
        }
        result
    }};
    // All are waited for: the first that failed says why, and those behind it only that it did.
    (@join $begun:ident, $a:expr, $b:expr) => {{
        let (begun, a, b) = futures_util::future::join3($begun, $a, $b).await;
        begun.and_then(|()| Ok((a?, b?)))
    }};
    (@join $begun:ident, $a:expr, $b:expr, $d:expr) => {{
        let (begun, a, b, d) = futures_util::future::join4($begun, $a, $b, $d).await;
        begun.and_then(|()| Ok((a?, b?, d?)))
    }};
    (@join $begun:ident, $a:expr, $b:expr, $d:expr, $e:expr) => {{
        let (begun, a, b, d, e) = futures_util::future::join5($begun, $a, $b, $d, $e).await;
        begun.and_then(|()| Ok((a?, b?, d?, e?)))
    }};
}

/// Begins the transaction now, if one is to be begun.
#[doc(hidden)]
pub async fn begin(c: &mut Conn) -> Result<(), DieselError> {
    let due = c.begin.due();
    let begun = match &mut c.kind {
        Kind::Pg(k) => begun(k, due).await,
        Kind::Lite(_) => Ok(()),
    };
    c.failed |= begun.is_err();
    begun
}

/// A transaction on PostgreSQL that begins, if one is to be begun.
#[doc(hidden)]
pub struct Begun<'a>(Option<BoxFuture<'a, Result<(), DieselError>>>);

impl Future for Begun<'_> {
    type Output = Result<(), DieselError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().map_or(Poll::Ready(Ok(())), |begins| begins.as_mut().poll(context))
    }
}

/// Polled before the first statement, `BEGIN` travels before it.
#[doc(hidden)]
#[must_use]
pub fn begun<'a>(mut k: &'a AsyncPgConnection, sql: Option<&'static str>) -> Begun<'a> {
    Begun(sql.map(|sql| async move { k.batch_execute(sql).await }.boxed()))
}

/// Runs `job` and ends what was begun: well, or not at all.
pub(super) async fn transaction<R, F>(c: &mut Conn, writes: bool, job: &F) -> Result<R, AppError>
where
    for<'r> F: AsyncFn(&'r mut Conn) -> Result<R, AppError> + Job<&'r mut Conn, Result<R, AppError>>,
{
    // A statement that failed has poisoned the transaction on PostgreSQL, whose COMMIT would then roll
    // back in silence: refuse on both.
    let result = match job(&mut *c).await {
        Ok(_) if c.failed => Err(AppError::internal("a failed statement was ignored inside a transaction")),
        other => other,
    };
    match result {
        Ok(value) => {
            end(c, writes, "COMMIT").await?;
            Ok(value)
        }
        Err(e) => {
            let _ = end(c, writes, "ROLLBACK").await;
            Err(e)
        }
    }
}

async fn end(c: &mut Conn, writes: bool, statement: &str) -> Result<(), AppError> {
    let ended = match &mut c.kind {
        Kind::Pg(k) => {
            let mut k: &AsyncPgConnection = k;
            match c.begin {
                // Nothing was asked.
                Begin::With(_) | Begin::None => return Ok(()),
                Begin::Done if writes => k.batch_execute(statement).await,
                Begin::Done => {
                    sent(k.batch_execute(statement)).await;
                    Ok(())
                }
            }
        }
        Kind::Lite(k) => k.batch_execute(statement),
    };
    let Err(e) = ended else {
        c.begin = Begin::None;
        return Ok(());
    };
    // A commit that failed (a full disk) leaves the transaction open.
    match &mut c.kind {
        Kind::Pg(k) => {
            if k.batch_execute("ROLLBACK").await.is_ok() {
                c.begin = Begin::None;
            }
        }
        Kind::Lite(k) => {
            let _ = k.batch_execute("ROLLBACK");
        }
    }
    Err(e.into())
}

/// Sends a statement whose answer nobody needs: a reading has nothing to lose at its end, and what the connection is
/// asked next comes after it.
async fn sent(statement: impl Future) {
    let mut statement = std::pin::pin!(statement);
    std::future::poll_fn(|context| {
        let _ = statement.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
}
