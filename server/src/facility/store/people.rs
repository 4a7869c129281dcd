//! A facility's people and devices, as its manager's designation, its suspension and its end touch them.

use crate::access::Secretariat;
use crate::db::prelude::*;
use crate::db::schema::{certificate, device, push_registration, session, staff};
use crate::db::sql::word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::notice;
use crate::policy::worded;
use crate::staff::{account, teams};
use crate::{clock, run};
use renraku_wire::{RevocationKind, Role};

/// A member of a facility's staff.
#[derive(Queryable, Selectable, Clone)]
#[diesel(table_name = staff)]
pub struct Person {
    /// Their id.
    pub id: Id,
    /// Where they work.
    pub facility_id: Id,
    /// Name.
    pub name: String,
    /// User id.
    pub login_id: String,
    /// [`Role`].
    pub role: String,
    /// `active` or not.
    pub state: String,
    /// The account was never used.
    pub must_change_password: bool,
    /// Under which id its first password was asked for.
    pub first_password_id: Option<Id>,
}

impl Person {
    /// True for an active manager.
    #[must_use]
    pub fn manages(&self) -> bool {
        self.state == "active" && self.role == word(&Role::FacilityManager)
    }
}

/// The person of this id, in whatever facility.
///
/// # Errors
/// The database failed.
pub async fn find(c: &mut Conn, town: Id, id: Id) -> Result<Option<Person>, AppError> {
    Ok(run!(c, get_result, staff::table.find((town, id)).select(Person::as_select())).optional()?)
}

/// The manager whose account was made when this facility was approved, as long as it was never used.
///
/// # Errors
/// The database failed.
pub async fn fresh_manager(c: &mut Conn, town: Id, facility_id: Id) -> Result<Option<Person>, AppError> {
    let fresh = active(c, town, facility_id).await?.into_iter();
    Ok(fresh
        .into_iter()
        .find(|p| p.manages() && p.must_change_password && p.first_password_id == Some(facility_id)))
}

/// A facility's active staff, by name.
///
/// # Errors
/// The database failed.
pub async fn active(c: &mut Conn, town: Id, facility_id: Id) -> Result<Vec<Person>, AppError> {
    Ok(run!(
        c,
        load,
        staff::table
            .filter(staff::municipality_id.eq(town))
            .filter(staff::facility_id.eq(facility_id))
            .filter(staff::state.eq("active"))
            .order(staff::name)
            .select(Person::as_select())
    )?)
}

/// Makes one person the manager, and every other manager of the facility a member.
///
/// # Errors
/// The database failed.
pub async fn hand_over(c: &mut Conn, town: Id, facility_id: Id, to: Id) -> Result<(), AppError> {
    let so_far = staff::table
        .filter(staff::municipality_id.eq(town))
        .filter(staff::facility_id.eq(facility_id))
        .filter(staff::role.eq(word(&Role::FacilityManager)))
        .filter(staff::id.ne(to));
    let managers: Vec<Id> = run!(c, load, so_far.select(staff::id))?;
    for id in managers {
        // Some of what they claimed only who manages may see.
        notice::inbox::give_back(c, town, id).await?;
        run!(
            c,
            execute,
            diesel::update(staff::table.find((town, id))).set(staff::role.eq(word(&Role::Member)))
        )?;
    }
    run!(
        c,
        execute,
        diesel::update(staff::table.find((town, to))).set(staff::role.eq(word(&Role::FacilityManager)))
    )?;
    Ok(())
}

async fn devices(c: &mut Conn, town: Id, facility_id: Id) -> Result<Vec<Id>, AppError> {
    Ok(run!(
        c,
        load,
        device::table
            .filter(device::municipality_id.eq(town))
            .filter(device::facility_id.eq(facility_id))
            .select(device::id)
    )?)
}

/// Ends every session on a facility's devices: sessions live nowhere else.
///
/// # Errors
/// The database failed.
pub async fn end_sessions(c: &mut Conn, town: Id, facility_id: Id) -> Result<(), AppError> {
    let devices = devices(c, town, facility_id).await?;
    run!(
        c,
        execute,
        diesel::delete(
            session::table
                .filter(session::municipality_id.eq(town))
                .filter(session::device_id.eq_any(&devices))
        )
    )?;
    Ok(())
}

/// Ends a facility's accounts, sessions and pushes, and revokes its certificates.
///
/// # Errors
/// The database failed.
pub async fn end(c: &mut Conn, office: &Secretariat, facility_id: Id, now: i64) -> Result<(), AppError> {
    let town = office.municipality_id();
    end_sessions(c, town, facility_id).await?;
    let devices = devices(c, town, facility_id).await?;
    run!(
        c,
        execute,
        diesel::delete(
            push_registration::table
                .filter(push_registration::municipality_id.eq(town))
                .filter(push_registration::device_id.eq_any(&devices))
        )
    )?;
    run!(
        c,
        execute,
        diesel::update(
            certificate::table
                .filter(certificate::municipality_id.eq(town))
                .filter(certificate::device_id.eq_any(&devices))
                .filter(certificate::revoked_at.is_null())
        )
        .set((
            certificate::revoked_at.eq(now),
            certificate::revoked_by.eq(office.staff_id()),
            certificate::revoke_reason.eq(worded("施設の廃止", &office.policy().words)),
            certificate::revoke_kind.eq(word(&RevocationKind::Ended)),
        ))
    )?;
    let people: Vec<Id> = run!(
        c,
        load,
        staff::table
            .filter(staff::municipality_id.eq(town))
            .filter(staff::facility_id.eq(facility_id))
            .filter(staff::state.ne("left"))
            .select(staff::id)
    )?;
    let today = clock::japan(now).date().to_string();
    for person in people {
        teams::end(c, town, person, now).await?;
        account::end(c, town, person, &today).await?;
    }
    Ok(())
}
