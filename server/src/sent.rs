//! What was sent under an id that its sender made. The same sent again is the same thing, so that a button pressed
//! twice does once; anything else under that id is refused, so that nobody believes that it was done.
//!
//! Rooms whose rows hold all that was sent compare with those. The others note a hash here.

use crate::clock;
use crate::db::prelude::*;
use crate::db::schema::sent;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::Code;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// How long what was sent is known, in milliseconds: as long as a post may be late. Later the rooms' own rows tell.
const KEPT_MILLIS: i64 = 60 * 86_400_000;

/// Forgets what was sent long ago.
///
/// # Errors
/// The database failed.
pub async fn sweep(c: &mut Conn, now: i64) -> Result<(), AppError> {
    run!(c, execute, diesel::delete(sent::table.filter(sent::sent_at.lt(now - KEPT_MILLIS))))?;
    Ok(())
}

/// Notes what is sent, in the caller's transaction. True when this very thing was sent before.
///
/// # Errors
/// [`Code::IdConflict`] when something else was sent under this id.
pub async fn again(
    c: &mut Conn,
    town: Id,
    kind: &str,
    id: Id,
    what: &impl Serialize,
) -> Result<bool, AppError> {
    let text = serde_json::to_vec(what)
        .map_err(|e| AppError::internal(format!("a request cannot be written as JSON: {e}")))?;
    let sha256 = hex::encode(Sha256::digest(text));
    let rows = run!(
        c,
        execute,
        diesel::insert_into(sent::table)
            .values((
                sent::municipality_id.eq(town),
                sent::kind.eq(kind),
                sent::id.eq(id),
                sent::sha256.eq(&sha256),
                sent::sent_at.eq(clock::now()),
            ))
            .on_conflict_do_nothing()
    )?;
    if rows == 1 {
        return Ok(false);
    }
    let before: String = run!(c, get_result, sent::table.find((town, kind, id)).select(sent::sha256))?;
    if before == sha256 { Ok(true) } else { Err(Code::IdConflict.into()) }
}
