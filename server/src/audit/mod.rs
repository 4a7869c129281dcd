//! The audit log: append-only, hash-chained.
//!
//! An entry is written in the transaction of what it tells. A worker then links the loose entries of
//! each town, in the order of their ids, into a chain of SHA-256 hashes: linking them in the writing
//! transaction would make every writer of a town wait for every other. Triggers refuse deletion and any
//! change of a linked entry. What is logged: who, on which device, did or read what, and when (R-LOG1);
//! ids, never names or texts.

mod chain;

use crate::db::prelude::*;
use crate::db::schema::audit;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::{clock, run};

pub use chain::{link, verify};

/// Who did it.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    /// The town.
    pub municipality_id: Id,
    /// The person, if one was signed in.
    pub staff_id: Option<Id>,
    /// The device, if one was known.
    pub device_id: Option<Id>,
}

/// An entry to be written.
#[derive(Insertable)]
#[diesel(table_name = audit, treat_none_as_default_value = false)]
pub struct Entry<'a> {
    municipality_id: Id,
    id: Id,
    at: i64,
    staff_id: Option<Id>,
    device_id: Option<Id>,
    action: &'a str,
    object_id: Option<String>,
    detail: &'a str,
}

/// An entry that is written inside the caller's transaction, together with what it tells. `action` is `room.verb`;
/// `detail` holds plain words or ids, never personal data.
#[must_use]
pub fn entry<'a>(actor: Actor, action: &'a str, object: Option<Id>, detail: &'a str) -> Entry<'a> {
    Entry {
        municipality_id: actor.municipality_id,
        id: Id::new(),
        at: clock::now(),
        staff_id: actor.staff_id,
        device_id: actor.device_id,
        action,
        object_id: object.map(|o| o.to_string()),
        detail,
    }
}

/// Writes an [`entry`] inside the caller's transaction.
///
/// # Errors
/// The database failed.
pub async fn record(
    c: &mut Conn,
    actor: Actor,
    action: &str,
    object: Option<Id>,
    detail: &str,
) -> Result<(), AppError> {
    let entry = entry(actor, action, object, detail);
    run!(c, execute, diesel::insert_into(audit::table).values(&entry))?;
    Ok(())
}

/// Whether a person did something at or after a moment, not long ago.
///
/// # Errors
/// The database failed.
pub async fn did_since(c: &mut Conn, actor: Actor, action: &str, since: i64) -> Result<bool, AppError> {
    let own = audit::table
        .filter(audit::municipality_id.eq(actor.municipality_id))
        // Ids grow with time: the rest of the log need not be read.
        .filter(audit::id.ge(Id(clock::first_at(since))))
        .filter(audit::at.ge(since))
        .filter(audit::staff_id.eq(actor.staff_id))
        .filter(audit::action.eq(action));
    Ok(run!(c, get_result, diesel::select(diesel::dsl::exists(own)))?)
}
