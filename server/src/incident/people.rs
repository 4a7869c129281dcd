//! Whom a report concerns: the facility's devices, its managers, the office.

use crate::access::SignedIn;
use crate::db::prelude::*;
use crate::db::schema::{device, facility, staff};
use crate::db::sql::word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{FacilityState, Role};
use std::collections::HashSet;

/// True for a device of the caller's facility.
///
/// # Errors
/// The database failed.
pub async fn own_device(c: &mut Conn, who: &SignedIn, id: Id) -> Result<bool, AppError> {
    Ok(own_devices(c, who).await?.iter().any(|(own, _)| *own == id))
}

/// The devices of the caller's facility, by name.
///
/// # Errors
/// The database failed.
pub async fn own_devices(c: &mut Conn, who: &SignedIn) -> Result<Vec<(Id, String)>, AppError> {
    Ok(run!(
        c,
        load,
        device::table
            .filter(device::municipality_id.eq(who.municipality_id()))
            .filter(device::facility_id.eq(who.facility_id()))
            .order((device::name, device::id))
            .select((device::id, device::name))
    )?)
}

/// The active managers of a facility.
///
/// # Errors
/// The database failed.
pub async fn managers(c: &mut Conn, who: &SignedIn, facility: Id) -> Result<Vec<Id>, AppError> {
    Ok(run!(
        c,
        load,
        staff::table
            .filter(staff::municipality_id.eq(who.municipality_id()))
            .filter(staff::facility_id.eq(facility))
            .filter(staff::state.eq("active"))
            .filter(staff::role.eq(word(&Role::FacilityManager)))
            .select(staff::id)
    )?)
}

/// The facilities with somebody to send a report on: approved ones with an active manager.
///
/// # Errors
/// The database failed.
pub async fn managed(c: &mut Conn, who: &SignedIn) -> Result<HashSet<Id>, AppError> {
    let rows: Vec<Id> = run!(
        c,
        load,
        staff::table
            .inner_join(facility::table.on(
                facility::municipality_id.eq(staff::municipality_id).and(facility::id.eq(staff::facility_id))
            ))
            .filter(staff::municipality_id.eq(who.municipality_id()))
            .filter(staff::state.eq("active"))
            .filter(staff::role.eq(word(&Role::FacilityManager)))
            .filter(facility::state.eq(word(&FacilityState::Approved)))
            .select(staff::facility_id)
    )?;
    Ok(rows.into_iter().collect())
}

/// The active people of the office.
///
/// # Errors
/// The database failed.
pub async fn office(c: &mut Conn, who: &SignedIn) -> Result<Vec<Id>, AppError> {
    Ok(run!(
        c,
        load,
        staff::table
            .filter(staff::municipality_id.eq(who.municipality_id()))
            .filter(staff::state.eq("active"))
            .filter(staff::role.eq(word(&Role::Secretariat)))
            .select(staff::id)
    )?)
}
