//! Linking loose entries, and checking a chain.

use crate::db::prelude::*;
use crate::db::schema::audit;
use crate::db::sql::Uid;
use crate::db::{Conn, Db, Id};
use crate::error::AppError;
use crate::run;
use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Text};
use diesel::sqlite::Sqlite;
use sha2::{Digest as _, Sha256};

#[derive(Queryable, Selectable)]
#[diesel(table_name = audit)]
struct Row {
    municipality_id: Id,
    id: Id,
    at: i64,
    staff_id: Option<Id>,
    device_id: Option<Id>,
    action: String,
    object_id: Option<String>,
    detail: String,
    seq: Option<i64>,
    hash: Option<String>,
}

const BATCH: i64 = 200;

fn hash(previous: &str, seq: i64, row: &Row) -> String {
    let mut h = Sha256::new();
    let id = |id: Option<Id>| id.map(|i| i.to_string()).unwrap_or_default();
    // Lengths before the texts: no two entries can be written alike.
    for part in [
        previous,
        &seq.to_string(),
        &row.municipality_id.to_string(),
        &row.id.to_string(),
        &row.at.to_string(),
        &id(row.staff_id),
        &id(row.device_id),
        &row.action,
        row.object_id.as_deref().unwrap_or_default(),
        &row.detail,
    ] {
        h.update((part.len() as u64).to_be_bytes());
        h.update(part.as_bytes());
    }
    hex::encode(h.finalize())
}

async fn head(c: &mut Conn, town: Id) -> Result<(i64, String), AppError> {
    let row: Option<(Option<i64>, Option<String>)> = run!(
        c,
        get_result,
        audit::table
            .filter(audit::municipality_id.eq(town))
            .filter(audit::seq.is_not_null())
            .order(audit::seq.desc())
            .select((audit::seq, audit::hash))
            .limit(1)
    )
    .optional()?;
    Ok(match row {
        Some((Some(seq), Some(hash))) => (seq, hash),
        _ => (0, String::new()),
    })
}

/// Gives many entries their places in the chain at once.
struct Linked<'a> {
    town: Id,
    links: &'a [(Id, i64, String)],
}

impl Linked<'_> {
    fn walk<'b, DB>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<Uid>,
        Id: ToSql<Uid, DB>,
        i64: ToSql<BigInt, DB>,
        String: ToSql<Text, DB>,
    {
        // As many values as there are entries.
        out.unsafe_to_cache_prepared();
        out.push_sql("UPDATE audit SET seq = link.column2, hash = link.column3 FROM (VALUES ");
        for (nth, (id, seq, hash)) in self.links.iter().enumerate() {
            out.push_sql(if nth == 0 { "(" } else { ", (" });
            out.push_bind_param::<Uid, _>(id)?;
            out.push_sql(", ");
            out.push_bind_param::<BigInt, _>(seq)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(hash)?;
            out.push_sql(")");
        }
        out.push_sql(") AS link WHERE audit.id = link.column1 AND audit.municipality_id = ");
        out.push_bind_param::<Uid, _>(&self.town)
    }
}

impl QueryFragment<Pg> for Linked<'_> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.walk(out)
    }
}

impl QueryFragment<Sqlite> for Linked<'_> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.walk(out)
    }
}

impl QueryId for Linked<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> diesel::RunQueryDsl<C> for Linked<'_> {}

/// Links the loose entries of one town; returns how many it linked.
///
/// # Errors
/// The database failed.
pub async fn link(db: &Db, town: Id) -> Result<usize, AppError> {
    db.write(async |c| {
        let loose: Vec<Row> = run!(
            c,
            load,
            audit::table
                .filter(audit::municipality_id.eq(town))
                .filter(audit::seq.is_null())
                .order(audit::id)
                .limit(BATCH)
                .select(Row::as_select())
        )?;
        if loose.is_empty() {
            return Ok(0);
        }
        let (mut seq, mut previous) = head(c, town).await?;
        let mut links = Vec::with_capacity(loose.len());
        for row in &loose {
            seq += 1;
            previous = hash(&previous, seq, row);
            links.push((row.id, seq, previous.clone()));
        }
        let linked = run!(c, execute, Linked { town, links: &links })?;
        if linked != loose.len() {
            return Err(AppError::internal("an entry of the audit log went while it was linked"));
        }
        Ok(linked)
    })
    .await
}

/// Checks one town's chain from its first entry; returns how many entries it holds.
///
/// # Errors
/// The number of the first entry that does not fit, or the database failed.
pub async fn verify(db: &Db, town: Id) -> Result<i64, AppError> {
    let mut seq = 0;
    let mut previous = String::new();
    loop {
        let rows: Vec<Row> = db
            .read(async |c| {
                Ok(run!(
                    c,
                    load,
                    audit::table
                        .filter(audit::municipality_id.eq(town))
                        .filter(audit::seq.gt(seq))
                        .order(audit::seq)
                        .limit(BATCH)
                        .select(Row::as_select())
                )?)
            })
            .await?;
        if rows.is_empty() {
            return Ok(seq);
        }
        for row in rows {
            seq += 1;
            previous = hash(&previous, seq, &row);
            if row.seq != Some(seq) || row.hash.as_deref() != Some(previous.as_str()) {
                return Err(AppError::internal(format!("the audit chain breaks at entry {seq}")));
            }
        }
    }
}
