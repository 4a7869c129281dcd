//! Accounts in the database.

use crate::access::{DeviceAccess, FacilityAdmin, Secretariat};
use crate::db::prelude::*;
use crate::db::schema::{facility, staff};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{Code, FacilityState, NewStaff, Profession, Role, Staff};

type Row = (Id, Id, String, String, String, String);

fn wire((id, facility_id, facility_name, name, profession, role): Row) -> Result<Staff, AppError> {
    Ok(Staff {
        id: id.into(),
        facility_id: facility_id.into(),
        facility_name,
        name,
        profession: from_word(&profession)?,
        role: from_word(&role)?,
    })
}

/// Active staff of approved facilities, by facility and name.
///
/// # Errors
/// The database failed.
pub async fn active(c: &mut Conn, device: &DeviceAccess) -> Result<Vec<Staff>, AppError> {
    let rows: Vec<Row> = run!(
        c,
        load,
        staff::table
            .inner_join(facility::table.on(
                facility::municipality_id.eq(staff::municipality_id).and(facility::id.eq(staff::facility_id))
            ))
            .filter(staff::municipality_id.eq(device.municipality_id()))
            .filter(staff::state.eq("active"))
            .filter(facility::state.eq(word(&FacilityState::Approved)))
            .order((facility::name, staff::name))
            .select((
                staff::id,
                staff::facility_id,
                facility::name,
                staff::name,
                staff::profession,
                staff::role
            ))
    )?;
    rows.into_iter().map(wire).collect()
}

/// Staff of the admin's own facility with their user ids, by name.
///
/// # Errors
/// The database failed.
pub async fn own(c: &mut Conn, admin: &FacilityAdmin) -> Result<Vec<(Staff, String)>, AppError> {
    let rows: Vec<(Row, String)> = run!(
        c,
        load,
        staff::table
            .inner_join(facility::table.on(
                facility::municipality_id.eq(staff::municipality_id).and(facility::id.eq(staff::facility_id))
            ))
            .filter(staff::municipality_id.eq(admin.municipality_id()))
            .filter(staff::facility_id.eq(admin.facility_id()))
            .order(staff::name)
            .select((
                (staff::id, staff::facility_id, facility::name, staff::name, staff::profession, staff::role),
                staff::login_id
            ))
    )?;
    rows.into_iter().map(|(row, login)| Ok((wire(row)?, login))).collect()
}

/// How adding an account went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// A new account.
    New,
    /// The same account again, never used: its first password was renewed.
    Renewed,
}

/// Adds an account to the admin's own facility.
///
/// # Errors
/// [`Code::AlreadyTaken`] for a user id or mail address that somebody has; [`Code::IdConflict`] for an
/// id that stands for another account, or for one in use.
pub async fn insert(
    c: &mut Conn,
    admin: &FacilityAdmin,
    new: &NewStaff,
    password_hash: &str,
    now: i64,
) -> Result<Added, AppError> {
    let town = admin.municipality_id();
    let same: Option<(Id, String, bool)> = run!(
        c,
        get_result,
        staff::table.find((town, Id::from(new.id))).select((
            staff::facility_id,
            staff::login_id,
            staff::must_change_password
        ))
    )
    .optional()?;
    if let Some((facility_id, login_id, fresh)) = same {
        if facility_id != admin.facility_id() || login_id != new.login_id || !fresh {
            return Err(Code::IdConflict.into());
        }
        run!(
            c,
            execute,
            diesel::update(staff::table.find((town, Id::from(new.id))))
                .set(staff::password_hash.eq(password_hash))
        )?;
        return Ok(Added::Renewed);
    }
    let rows = run!(
        c,
        execute,
        diesel::insert_into(staff::table)
            .values((
                staff::municipality_id.eq(town),
                staff::id.eq(Id::from(new.id)),
                staff::facility_id.eq(admin.facility_id()),
                staff::login_id.eq(&new.login_id),
                staff::name.eq(&new.name),
                staff::profession.eq(word(&new.profession)),
                staff::role.eq(word(&Role::Member)),
                staff::mail.eq(&new.mail),
                staff::forwarding_mail.eq(&new.forwarding_mail),
                staff::password_hash.eq(password_hash),
                staff::must_change_password.eq(true),
                staff::failed_count.eq(0),
                staff::state.eq("active"),
                staff::created_at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    if rows == 0 { Err(Code::AlreadyTaken.into()) } else { Ok(Added::New) }
}

/// The manager's account, made when the office approves the facility.
///
/// # Errors
/// The database failed.
pub async fn insert_manager(
    c: &mut Conn,
    office: &Secretariat,
    (facility_id, id): (Id, Id),
    login_id: &str,
    name: &str,
    password_hash: &str,
    now: i64,
) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::insert_into(staff::table).values((
            staff::municipality_id.eq(office.municipality_id()),
            staff::id.eq(id),
            staff::facility_id.eq(facility_id),
            staff::login_id.eq(login_id),
            staff::name.eq(name),
            staff::profession.eq(word(&Profession::Clerk)),
            staff::role.eq(word(&Role::FacilityManager)),
            staff::password_hash.eq(password_hash),
            staff::must_change_password.eq(true),
            staff::failed_count.eq(0),
            staff::state.eq("active"),
            staff::created_at.eq(now),
        ))
    )?;
    Ok(())
}
