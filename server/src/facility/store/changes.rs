//! Changes of a facility that were asked for, and what they write.

use super::Standing;
use crate::access::{FacilityAdmin, Secretariat};
use crate::db::prelude::*;
use crate::db::schema::{facility, facility_change};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{
    ChangeState, Code, FacilityChange, FacilityChangeId, FacilityKind, Timestamp, WaitingChange,
};

/// A change as it is stored.
#[derive(Queryable, Selectable, Clone)]
#[diesel(table_name = facility_change)]
pub struct Stored {
    /// The facility.
    pub facility_id: Id,
    /// Name as it shall be.
    pub name: String,
    /// Kind as it shall be.
    pub kind: String,
    /// Address as it shall be.
    pub address: String,
    /// Why the facility closes, if it shall.
    pub closing: Option<String>,
    /// [`ChangeState`].
    pub state: String,
}

/// The change of this id, if it was asked for.
///
/// # Errors
/// The database failed.
pub async fn find(c: &mut Conn, town: Id, id: Id) -> Result<Option<Stored>, AppError> {
    Ok(run!(c, get_result, facility_change::table.find((town, id)).select(Stored::as_select())).optional()?)
}

/// What is asked for under an id.
#[derive(Debug)]
pub enum Asked<'a> {
    /// A change of what is on file.
    Change(&'a FacilityChange),
    /// 廃止届, for this reason.
    Closing(&'a str),
}

/// Where the change of this id stands, if it was asked for before: of this facility, to this name, kind and
/// address, or its end for this reason.
///
/// # Errors
/// [`Code::IdConflict`] when it is another one.
pub async fn again(
    c: &mut Conn,
    town: Id,
    id: FacilityChangeId,
    (facility_id, asked): (Id, &Asked<'_>),
) -> Result<Option<ChangeState>, AppError> {
    let Some(change) = find(c, town, id.into()).await? else { return Ok(None) };
    let same = match (asked, &change.closing) {
        (Asked::Change(asked), None) => {
            (&change.name, &change.kind, &change.address) == (&asked.name, &word(&asked.kind), &asked.address)
        }
        (Asked::Closing(reason), Some(closing)) => closing == reason,
        _ => false,
    };
    if same && change.facility_id == facility_id {
        Ok(Some(from_word(&change.state)?))
    } else {
        Err(Code::IdConflict.into())
    }
}

/// Stores a change; one that waits takes the place of the one that waited.
///
/// # Errors
/// [`Code::StateConflict`] when another came first.
pub async fn insert(
    c: &mut Conn,
    admin: &FacilityAdmin,
    facility_id: Id,
    change: &FacilityChange,
    closing: Option<&str>,
    state: ChangeState,
    now: i64,
) -> Result<(), AppError> {
    if state == ChangeState::Waiting {
        withdraw(c, admin.municipality_id(), facility_id, now).await?;
    }
    let rows = run!(
        c,
        execute,
        diesel::insert_into(facility_change::table)
            .values((
                facility_change::municipality_id.eq(admin.municipality_id()),
                facility_change::id.eq(Id::from(change.id)),
                facility_change::facility_id.eq(facility_id),
                facility_change::name.eq(&change.name),
                facility_change::kind.eq(word(&change.kind)),
                facility_change::address.eq(&change.address),
                facility_change::closing.eq(closing),
                facility_change::state.eq(word(&state)),
                facility_change::asked_by.eq(admin.staff_id()),
                facility_change::asked_at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    if rows == 0 { Err(Code::StateConflict.into()) } else { Ok(()) }
}

/// The change that waits, if one does, waits no longer.
///
/// # Errors
/// The database failed.
pub async fn withdraw(c: &mut Conn, town: Id, facility_id: Id, now: i64) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(
            facility_change::table
                .filter(facility_change::municipality_id.eq(town))
                .filter(facility_change::facility_id.eq(facility_id))
                .filter(facility_change::state.eq(word(&ChangeState::Waiting)))
        )
        .set((
            facility_change::state.eq(word(&ChangeState::Replaced)),
            facility_change::decided_at.eq(Some(now))
        ))
    )?;
    Ok(())
}

/// Decides a change that waits; returns it.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::StateConflict`] when it waits no longer.
pub async fn decide(
    c: &mut Conn,
    office: &Secretariat,
    id: Id,
    state: ChangeState,
    reason: Option<&str>,
    now: i64,
) -> Result<Stored, AppError> {
    let town = office.municipality_id();
    let change = find(c, town, id).await?.ok_or(Code::NotFound)?;
    let rows = run!(
        c,
        execute,
        diesel::update(
            facility_change::table
                .find((town, id))
                .filter(facility_change::state.eq(word(&ChangeState::Waiting)))
        )
        .set((
            facility_change::state.eq(word(&state)),
            facility_change::reason.eq(reason),
            facility_change::decided_by.eq(office.staff_id()),
            facility_change::decided_at.eq(now),
        ))
    )?;
    if rows == 0 { Err(Code::StateConflict.into()) } else { Ok(change) }
}

/// The change of a facility that waits.
///
/// # Errors
/// The database failed.
pub async fn waiting(c: &mut Conn, town: Id, facility_id: Id) -> Result<Option<WaitingChange>, AppError> {
    let row: Option<(Id, Stored, i64)> = run!(
        c,
        get_result,
        facility_change::table
            .filter(facility_change::municipality_id.eq(town))
            .filter(facility_change::facility_id.eq(facility_id))
            .filter(facility_change::state.eq(word(&ChangeState::Waiting)))
            .select((facility_change::id, Stored::as_select(), facility_change::asked_at))
    )
    .optional()?;
    row.map(|(id, change, asked_at)| {
        Ok(WaitingChange {
            id: id.into(),
            name: change.name,
            kind: from_word(&change.kind)?,
            address: change.address,
            closing: change.closing,
            asked_at: Timestamp(asked_at),
        })
    })
    .transpose()
}

/// Writes what a change needs the office for.
///
/// # Errors
/// The database failed.
pub async fn set_place(
    c: &mut Conn,
    town: Id,
    id: Id,
    (name, kind, address): (&str, &str, &str),
) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(facility::table.find((town, id))).set((
            facility::name.eq(name),
            facility::kind.eq(kind),
            facility::address.eq(address)
        ))
    )?;
    Ok(())
}

/// Writes what takes effect at once.
///
/// # Errors
/// The database failed.
pub async fn set_reach(
    c: &mut Conn,
    town: Id,
    id: Id,
    telephone: &str,
    opening: &str,
) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(facility::table.find((town, id)))
            .set((facility::telephone.eq(telephone), facility::opening.eq(opening)))
    )?;
    Ok(())
}

impl Standing {
    /// The facility as a change that changes nothing.
    ///
    /// # Errors
    /// The row was written by a newer version.
    pub fn unchanged(&self, id: FacilityChangeId) -> Result<FacilityChange, AppError> {
        let kind: FacilityKind = from_word(&self.kind)?;
        Ok(FacilityChange {
            id,
            name: self.name.clone(),
            kind,
            address: self.address.clone(),
            telephone: self.telephone.clone(),
            opening: self.opening.clone(),
        })
    }
}
