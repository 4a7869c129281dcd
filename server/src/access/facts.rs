//! The one query of this floor: everything that decides about a request, in one round trip. (Of a certificate that
//! another has replaced, whether that other one is good is asked after: it is refused either way.)

use super::{Credentials, Of};
use crate::db::prelude::*;
use crate::db::schema::certificate;
use crate::db::sql::Uid;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, Bool, HasSqlType, Nullable, Text, Untyped};
use diesel::sqlite::Sqlite;
use renraku_wire::Code;

/// What is known. A certificate that nobody issued has no facts.
#[derive(diesel::QueryableByName)]
pub(super) struct Facts {
    #[diesel(sql_type = Uid)]
    pub municipality_id: Id,
    #[diesel(sql_type = Text)]
    pub policy: String,
    #[diesel(sql_type = Uid)]
    pub device_id: Id,
    #[diesel(sql_type = Text)]
    pub key_sha256: String,
    #[diesel(sql_type = BigInt)]
    pub not_before: i64,
    #[diesel(sql_type = BigInt)]
    pub not_after: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub revoked_at: Option<i64>,
    /// Another certificate of the same device took its place, and is good.
    #[diesel(sql_type = Nullable<Bool>)]
    pub replaced: Option<bool>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub first_used_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub first_sign_in_at: Option<i64>,
    /// It runs the app, which locks itself.
    #[diesel(sql_type = Bool)]
    pub app: bool,
    #[diesel(sql_type = Uid)]
    pub facility_id: Id,
    #[diesel(sql_type = Text)]
    pub facility_state: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub session_seen_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub session_expires_at: Option<i64>,
    #[diesel(sql_type = Nullable<Uid>)]
    pub staff_id: Option<Id>,
    #[diesel(sql_type = Nullable<Uid>)]
    pub staff_facility_id: Option<Id>,
    #[diesel(sql_type = Nullable<Text>)]
    pub staff_state: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub profession: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub must_change_password: Option<bool>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub may_export: Option<bool>,
    #[diesel(sql_type = Nullable<Uid>)]
    pub patient_id: Option<Id>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub lead: Option<bool>,
    #[diesel(sql_type = Bool)]
    pub consented: bool,
}

/// Which patient, if any.
#[derive(Clone, Copy)]
pub(super) enum Target {
    None,
    Patient(Id),
    Post(Id),
    Media(Id),
}

impl From<Of> for Target {
    fn from(of: Of) -> Self {
        match of {
            Of::Patient(id) => Self::Patient(id),
            Of::Post(id) => Self::Post(id),
            Of::Media(id) => Self::Media(id),
        }
    }
}

// The same text runs on both databases: `$n` are parameters to either. Each table that is joined costs PostgreSQL about
// as much as the whole of a small query, so that nobody is asked what the request does not need.
macro_rules! facts {
    (columns $columns:literal, joins $($joins:expr),*) => {
        concat!(
            "SELECT m.id AS municipality_id, m.policy AS policy, c.device_id AS device_id, c.key_sha256 AS key_sha256, \
             c.not_before AS not_before, c.not_after AS not_after, c.revoked_at AS revoked_at, \
             c.revoke_kind = 'replaced' AS replaced, \
             c.first_used_at AS first_used_at, d.first_sign_in_at AS first_sign_in_at, \
             d.platform IN ('ios', 'android') AS app, \
             f.id AS facility_id, f.state AS facility_state, ",
            $columns,
            " FROM certificate c \
             JOIN municipality m ON m.id = c.municipality_id \
             JOIN device d ON d.municipality_id = c.municipality_id AND d.id = c.device_id \
             JOIN facility f ON f.municipality_id = d.municipality_id AND f.id = d.facility_id",
            $($joins,)*
            " WHERE c.serial = $3"
        )
    };
    (device) => {
        facts!(
            columns
                "NULL AS session_seen_at, NULL AS session_expires_at, NULL AS staff_id, NULL AS staff_facility_id, \
                 NULL AS staff_state, NULL AS role, NULL AS profession, NULL AS name, NULL AS must_change_password, \
                 NULL AS may_export, NULL AS patient_id, NULL AS lead, false AS consented",
            joins
        )
    };
    (session) => {
        facts!(
            columns
                "s.last_seen_at AS session_seen_at, s.expires_at AS session_expires_at, \
                 t.id AS staff_id, t.facility_id AS staff_facility_id, t.state AS staff_state, \
                 t.role AS role, t.profession AS profession, t.name AS name, \
                 t.must_change_password AS must_change_password, t.may_export AS may_export, \
                 NULL AS patient_id, NULL AS lead, false AS consented",
            joins facts!(person)
        )
    };
    (person) => {
        " LEFT JOIN session s ON s.municipality_id = c.municipality_id AND s.token_hash = $1 \
             AND s.serial = c.serial AND s.resting_at IS NULL \
         LEFT JOIN staff t ON t.municipality_id = s.municipality_id AND t.id = s.staff_id"
    };
    (patient $patient:literal) => {
        facts!(
            columns
                "s.last_seen_at AS session_seen_at, s.expires_at AS session_expires_at, \
                 t.id AS staff_id, t.facility_id AS staff_facility_id, t.state AS staff_state, \
                 t.role AS role, t.profession AS profession, t.name AS name, \
                 t.must_change_password AS must_change_password, t.may_export AS may_export, \
                 p.id AS patient_id, w.lead AS lead, \
                 EXISTS (SELECT 1 FROM consent k WHERE k.municipality_id = p.municipality_id \
                         AND k.patient_id = p.id AND k.withdrawn_at IS NULL) AS consented",
            joins
                facts!(person),
                " LEFT JOIN patient p ON p.municipality_id = c.municipality_id AND p.id = ",
                $patient,
                " LEFT JOIN team_member w ON w.municipality_id = p.municipality_id AND w.patient_id = p.id \
                     AND w.staff_id = t.id AND w.removed_at IS NULL"
        )
    };
}

/// The query with its parameters. Not [`diesel::sql_query`], which is parsed and planned anew each time:
/// this one is prepared once a connection.
#[derive(Clone, Copy)]
struct Query<'a> {
    text: &'static str,
    token_hash: Option<&'a [u8]>,
    id: Option<Id>,
    serial: &'a str,
}

impl<'a> Query<'a> {
    fn walk<'b, DB>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        'a: 'b,
        DB: Backend + HasSqlType<Uid>,
        Option<&'a [u8]>: ToSql<Nullable<Binary>, DB>,
        Option<Id>: ToSql<Nullable<Uid>, DB>,
        &'a str: ToSql<Text, DB>,
    {
        let mut pieces = self.text.split('$');
        out.push_sql(pieces.next().unwrap_or_default());
        for piece in pieces {
            match piece.as_bytes().first() {
                Some(b'1') => out.push_bind_param::<Nullable<Binary>, _>(&self.token_hash)?,
                Some(b'2') => out.push_bind_param::<Nullable<Uid>, _>(&self.id)?,
                _ => out.push_bind_param::<Text, _>(&self.serial)?,
            }
            out.push_sql(&piece[1..]);
        }
        Ok(())
    }
}

macro_rules! query_for {
    ($($db:ty),+) => {$(
        impl QueryFragment<$db> for Query<'_> {
            fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, $db>) -> QueryResult<()> {
                self.walk(out)
            }
        }
    )+};
}

query_for!(Pg, Sqlite);

impl QueryId for Query<'_> {
    // One of several texts: which one, the text itself tells.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl diesel::query_builder::Query for Query<'_> {
    type SqlType = Untyped;
}

impl<C> diesel::RunQueryDsl<C> for Query<'_> {}

impl Facts {
    pub(super) async fn gather(
        c: &mut Conn,
        credentials: &Credentials,
        target: Target,
    ) -> Result<Self, AppError> {
        let Some(serial) = &credentials.serial else { return Err(Code::CertificateMissing.into()) };
        let (text, id) = match target {
            Target::None if credentials.token_hash.is_none() => (facts!(device), None),
            Target::None => (facts!(session), None),
            Target::Patient(id) => (facts!(patient "$2"), Some(id)),
            Target::Post(id) => (
                facts!(
                    patient
                        "(SELECT x.patient_id FROM post x WHERE x.municipality_id = c.municipality_id AND x.id = $2)"
                ),
                Some(id),
            ),
            Target::Media(id) => (
                facts!(
                    patient
                        "(SELECT x.patient_id FROM media x WHERE x.municipality_id = c.municipality_id AND x.id = $2)"
                ),
                Some(id),
            ),
        };
        let query = Query { text, token_hash: credentials.token_hash.as_deref(), id, serial };
        let rows: Vec<Self> = run!(c, load, query)?;
        // The serial number of a certificate of ours on another key: nobody here issued that.
        let mut facts = rows
            .into_iter()
            .find(|facts| credentials.key_sha256.as_deref() == Some(facts.key_sha256.as_str()))
            .ok_or(Code::CertificateForeign)?;
        if facts.revoked_at.is_some() && facts.replaced == Some(true) {
            facts.replaced = Some(has_another(c, &facts).await?);
        }
        Ok(facts)
    }
}

/// True when the device has a good certificate.
async fn has_another(c: &mut Conn, facts: &Facts) -> Result<bool, AppError> {
    let good: i64 = run!(
        c,
        get_result,
        certificate::table
            .filter(certificate::municipality_id.eq(facts.municipality_id))
            .filter(certificate::device_id.eq(facts.device_id))
            .filter(certificate::revoked_at.is_null())
            .count()
    )?;
    Ok(good > 0)
}
