//! The one column type that the two databases spell differently: an id is `uuid` on PostgreSQL and
//! sixteen bytes on SQLite.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Binary, SqlType};
use diesel::sqlite::{Sqlite, SqliteValue};
use std::io::Write as _;
use uuid::Uuid;

/// The SQL type of an id.
#[derive(SqlType, QueryId, Clone, Copy, Debug)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Uid;

/// An id as rows hold it. Converts from and into every id of the contract.
#[derive(AsExpression, FromSqlRow, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[diesel(sql_type = Uid)]
pub struct Id(pub Uuid);

impl Id {
    /// A fresh id, ordered by time.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a fresh id is not a default value")]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ToSql<Uid, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<Uid, Pg> for Id {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self(Uuid::from_slice(value.as_bytes())?))
    }
}

impl ToSql<Uid, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_bytes().as_slice());
        Ok(IsNull::No)
    }
}

impl FromSql<Uid, Sqlite> for Id {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self(Uuid::from_slice(&bytes)?))
    }
}

macro_rules! wire_ids {
    ($($name:ident),+ $(,)?) => {$(
        impl From<renraku_wire::$name> for Id {
            fn from(id: renraku_wire::$name) -> Self {
                Self(id.0)
            }
        }
        impl From<Id> for renraku_wire::$name {
            fn from(id: Id) -> Self {
                Self(id.0)
            }
        }
    )+};
}

wire_ids!(
    MunicipalityId,
    FacilityId,
    FacilityChangeId,
    StaffId,
    DeviceId,
    PatientId,
    ConsentId,
    PostId,
    MediaId,
    NoticeId,
    SessionId,
    SuspensionId,
    TicketId,
    FirstPasswordId
);

wire_ids!(InboxLineId, TrainingId, ReviewId, IncidentId, EntryId);

/// The word that the contract uses for an enum's case, for a text column.
pub fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(s)) => s,
        other => unreachable!("only plain enums are stored as words, not {other:?}"),
    }
}

/// The enum's case that a text column names.
///
/// # Errors
/// The word is not of this enum: the row was written by a newer version.
pub fn from_word<T: serde::de::DeserializeOwned>(word: &str) -> Result<T, crate::error::AppError> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|_| crate::error::AppError::internal("a stored word is unknown to this version"))
}
