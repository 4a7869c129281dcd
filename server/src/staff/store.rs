//! Accounts in the database.

use super::account;
use super::rules::Mails;
use crate::access::{DeviceAccess, FacilityAdmin, Secretariat};
use crate::db::prelude::*;
use crate::db::schema::{facility, staff};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{Code, FacilityState, NewStaff, Problem, Profession, Role, Staff};

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

/// How adding an account went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// A new account.
    New,
    /// The same account again, never used: it has the same first password.
    Before,
}

/// Adds an account to a facility.
///
/// # Errors
/// [`Code::AlreadyTaken`] for a user id that somebody has, and with field `mail` for an address;
/// [`Code::IdConflict`] for an id that stands for another account, or for one in use.
pub async fn insert(
    c: &mut Conn,
    admin: &FacilityAdmin,
    facility_id: Id,
    new: &NewStaff,
    mails: &Mails,
    password_hash: &str,
    now: i64,
) -> Result<Added, AppError> {
    let town = admin.municipality_id();
    let id = Id::from(new.id);
    let same: Option<(Id, String, bool, String, Option<Id>)> = run!(
        c,
        get_result,
        staff::table.find((town, id)).select((
            staff::facility_id,
            staff::login_id,
            staff::must_change_password,
            staff::state,
            staff::first_password_id
        ))
    )
    .optional()?;
    if let Some((of, login_id, fresh, state, first)) = same {
        // Another first password was handed out since: this one is none any more.
        let usable = fresh && state == "active" && first == Some(id);
        if of != facility_id || login_id != new.login_id || !usable {
            return Err(Code::IdConflict.into());
        }
        account::set_first_password(c, town, id, password_hash, id).await?;
        return Ok(Added::Before);
    }
    mail_is_free(c, town, id, mails).await?;
    let rows = run!(
        c,
        execute,
        diesel::insert_into(staff::table)
            .values((
                staff::municipality_id.eq(town),
                staff::id.eq(id),
                staff::facility_id.eq(facility_id),
                staff::login_id.eq(&new.login_id),
                staff::name.eq(&new.name),
                staff::profession.eq(word(&new.profession)),
                staff::role.eq(word(&Role::Member)),
                staff::mail.eq(&mails.mail),
                staff::mail_key.eq(&mails.key),
                staff::mail_kind.eq(word(&mails.kind)),
                staff::forwarding_mail.eq(&mails.forwarding),
                staff::password_hash.eq(password_hash),
                staff::must_change_password.eq(true),
                staff::first_password_id.eq(id),
                staff::state.eq("active"),
                staff::created_at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    if rows == 0 { Err(Code::AlreadyTaken.into()) } else { Ok(Added::New) }
}

diesel::define_sql_function! {
    /// Small letters, as both databases make them.
    fn lower(text: diesel::sql_types::Nullable<diesel::sql_types::Text>) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

/// Refuses a mail address that somebody else has, also from the days when the town did not ask for its own
/// one of everybody and kept no key of it.
///
/// # Errors
/// [`Code::AlreadyTaken`] with field `mail`.
pub async fn mail_is_free(c: &mut Conn, town: Id, id: Id, mails: &Mails) -> Result<(), AppError> {
    let Some(key) = &mails.key else { return Ok(()) };
    let taken: i64 = run!(
        c,
        get_result,
        staff::table
            .filter(staff::municipality_id.eq(town))
            .filter(staff::mail_key.eq(key).or(lower(staff::mail).eq(key)))
            .filter(staff::id.ne(id))
            .count()
    )?;
    if taken == 0 { Ok(()) } else { Err(Problem::new(Code::AlreadyTaken).field("mail").into()) }
}

/// The manager's account, made when the office approves the facility.
///
/// # Errors
/// [`Code::AlreadyTaken`] when the user id is, by a rare chance.
pub async fn insert_manager(
    c: &mut Conn,
    office: &Secretariat,
    (facility_id, id): (Id, Id),
    login_id: &str,
    name: &str,
    (password_hash, request): (&str, Id),
    now: i64,
) -> Result<(), AppError> {
    let rows = run!(
        c,
        execute,
        diesel::insert_into(staff::table)
            .values((
                staff::municipality_id.eq(office.municipality_id()),
                staff::id.eq(id),
                staff::facility_id.eq(facility_id),
                staff::login_id.eq(login_id),
                staff::name.eq(name),
                staff::profession.eq(word(&Profession::Clerk)),
                staff::role.eq(word(&Role::FacilityManager)),
                staff::password_hash.eq(password_hash),
                staff::must_change_password.eq(true),
                staff::first_password_id.eq(request),
                staff::state.eq("active"),
                staff::created_at.eq(now),
            ))
            // Of two at once the later one is tried again, and finds the first one's.
            .on_conflict_do_nothing()
    )?;
    if rows == 0 { Err(Code::AlreadyTaken.into()) } else { Ok(()) }
}

/// A facility whose staff somebody manages.
#[derive(Debug)]
pub struct Place {
    /// Its id.
    pub id: Id,
    /// Name.
    pub name: String,
    /// In use: a suspended one's staff is listed, and nobody is added.
    pub in_use: bool,
}

/// The facility whose staff this admin manages: the own one, or the one the office names, also while it is suspended.
///
/// # Errors
/// [`Code::NotFound`], alike for another's and for none; [`Code::StateConflict`] for one that is not in use.
pub async fn facility(c: &mut Conn, admin: &FacilityAdmin, wanted: Option<Id>) -> Result<Place, AppError> {
    let id = wanted.unwrap_or(admin.facility_id());
    if id != admin.facility_id() && admin.secretariat().is_err() {
        return Err(Code::NotFound.into());
    }
    let row: Option<(String, String)> = run!(
        c,
        get_result,
        facility::table.find((admin.municipality_id(), id)).select((facility::name, facility::state))
    )
    .optional()?;
    let (name, state) = row.ok_or(Code::NotFound)?;
    match from_word(&state)? {
        FacilityState::Approved => Ok(Place { id, name, in_use: true }),
        FacilityState::Suspended => Ok(Place { id, name, in_use: false }),
        _ => Err(Code::StateConflict.into()),
    }
}

/// The facilities whose staff the office may look at, by name: approved and suspended ones.
///
/// # Errors
/// The database failed.
pub async fn facilities(c: &mut Conn, office: &Secretariat) -> Result<Vec<(Id, String)>, AppError> {
    Ok(run!(
        c,
        load,
        facility::table
            .filter(facility::municipality_id.eq(office.municipality_id()))
            .filter(facility::state.eq_any([word(&FacilityState::Approved), word(&FacilityState::Suspended)]))
            .order(facility::name)
            .select((facility::id, facility::name))
    )?)
}
