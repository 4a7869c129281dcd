//! Linking loose entries, and checking a chain.

use crate::db::prelude::*;
use crate::db::schema::audit;
use crate::db::{Conn, Db, Id};
use crate::error::AppError;
use crate::run;
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
    )
    .optional()?;
    Ok(match row {
        Some((Some(seq), Some(hash))) => (seq, hash),
        _ => (0, String::new()),
    })
}

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
        for row in &loose {
            seq += 1;
            previous = hash(&previous, seq, row);
            run!(
                c,
                execute,
                diesel::update(audit::table.find((town, row.id)))
                    .set((audit::seq.eq(seq), audit::hash.eq(&previous)))
            )?;
        }
        Ok(loose.len())
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
