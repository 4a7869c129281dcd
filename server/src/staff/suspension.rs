//! Suspensions in the database.

use crate::access::Secretariat;
use crate::db::prelude::*;
use crate::db::schema::{staff, staff_suspension};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{Suspension, Timestamp};
use std::collections::HashMap;

/// Whose suspension this is.
///
/// # Errors
/// The database failed.
pub async fn of(c: &mut Conn, town: Id, id: Id) -> Result<Option<Id>, AppError> {
    Ok(run!(c, get_result, staff_suspension::table.find((town, id)).select(staff_suspension::staff_id))
        .optional()?)
}

/// Suspends an id.
///
/// # Errors
/// The database failed.
pub async fn begin(
    c: &mut Conn,
    office: &Secretariat,
    staff_id: Id,
    id: Id,
    reason: &str,
    now: i64,
) -> Result<(), AppError> {
    let town = office.municipality_id();
    run!(
        c,
        execute,
        diesel::insert_into(staff_suspension::table).values((
            staff_suspension::municipality_id.eq(town),
            staff_suspension::id.eq(id),
            staff_suspension::staff_id.eq(staff_id),
            staff_suspension::reason.eq(reason),
            staff_suspension::suspended_at.eq(now),
            staff_suspension::suspended_by.eq(office.staff_id()),
        ))
    )?;
    set_state(c, town, staff_id, "suspended").await
}

/// Lets a suspended id be used again.
///
/// # Errors
/// The database failed.
pub async fn end(c: &mut Conn, office: &Secretariat, staff_id: Id, now: i64) -> Result<(), AppError> {
    lift(c, office.municipality_id(), staff_id, Some(office.staff_id()), now).await
}

/// Lets an id be used again, by the office or by the operator.
///
/// # Errors
/// The database failed.
pub async fn lift(c: &mut Conn, town: Id, staff_id: Id, by: Option<Id>, now: i64) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(
            staff_suspension::table
                .filter(staff_suspension::municipality_id.eq(town))
                .filter(staff_suspension::staff_id.eq(staff_id))
                .filter(staff_suspension::resumed_at.is_null())
        )
        .set((staff_suspension::resumed_at.eq(now), staff_suspension::resumed_by.eq(by)))
    )?;
    set_state(c, town, staff_id, "active").await
}

async fn set_state(c: &mut Conn, town: Id, staff_id: Id, state: &str) -> Result<(), AppError> {
    run!(c, execute, diesel::update(staff::table.find((town, staff_id))).set(staff::state.eq(state)))?;
    Ok(())
}

/// The suspensions that last, of these people.
///
/// # Errors
/// The database failed.
pub async fn lasting(c: &mut Conn, town: Id, people: &[Id]) -> Result<HashMap<Id, Suspension>, AppError> {
    if people.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Id, Id, String, i64)> = run!(
        c,
        load,
        staff_suspension::table
            .filter(staff_suspension::municipality_id.eq(town))
            .filter(staff_suspension::staff_id.eq_any(people))
            .filter(staff_suspension::resumed_at.is_null())
            .select((
                staff_suspension::staff_id,
                staff_suspension::id,
                staff_suspension::reason,
                staff_suspension::suspended_at
            ))
    )?;
    let lasting = |(staff, id, reason, at): (Id, Id, String, i64)| {
        (staff, Suspension { id: id.into(), reason, at: Timestamp(at) })
    };
    Ok(rows.into_iter().map(lasting).collect())
}
