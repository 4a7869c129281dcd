//! Devices and certificates in the database.

use super::{certificates, rules, ticket};
use crate::access::{FacilityAdmin, Secretariat, SignedIn};
use crate::db::prelude::*;
use crate::db::schema::{certificate, device, facility, push_registration, session, staff};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::policy::MunicipalityPolicy;
use crate::run;
use crate::tls::Issued;
use renraku_wire::{Code, Device, Platform, Revocation, Timestamp};

/// A device to be stored with its first certificate.
#[derive(Debug)]
pub struct NewDevice<'a> {
    /// The town.
    pub municipality_id: Id,
    /// Its id.
    pub id: Id,
    /// Its facility.
    pub facility_id: Id,
    /// What people call it.
    pub name: &'a str,
    /// What it is.
    pub platform: Platform,
    /// Its certificate.
    pub issued: &'a Issued,
}

/// Stores a device and its certificate.
///
/// # Errors
/// [`Code::CsrKeyInUse`] when another device has this key.
pub async fn insert(c: &mut Conn, new: &NewDevice<'_>, now: i64) -> Result<(), AppError> {
    let town = new.municipality_id;
    run!(
        c,
        execute,
        diesel::insert_into(device::table).values((
            device::municipality_id.eq(town),
            device::id.eq(new.id),
            device::facility_id.eq(new.facility_id),
            device::name.eq(new.name),
            device::platform.eq(word(&new.platform)),
            device::created_at.eq(now),
        ))
    )?;
    certificates::insert(c, town, new.id, new.issued, None, now).await
}

/// Notes who asked for a device and which one it replaces.
///
/// # Errors
/// The database failed.
pub async fn link(
    c: &mut Conn,
    town: Id,
    id: Id,
    enrolled_by: Option<Id>,
    replaces: Option<Id>,
) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(device::table.find((town, id)))
            .set((device::enrolled_by.eq(enrolled_by), device::replaces_id.eq(replaces)))
    )?;
    Ok(())
}

/// What people call a device.
///
/// # Errors
/// The database failed.
pub async fn name(c: &mut Conn, town: Id, id: Id) -> Result<String, AppError> {
    Ok(run!(c, get_result, device::table.find((town, id)).select(device::name))?)
}

/// A device of the inventory with what its page shows beside.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The device.
    pub device: Device,
    /// Name of its facility.
    pub facility: String,
    /// Name of whoever asked for it.
    pub enrolled_by: Option<String>,
    /// When it was enrolled.
    pub enrolled_at: i64,
    /// When somebody first signed in on it.
    pub first_sign_in_at: Option<i64>,
    /// Why it was revoked.
    pub revoke_reason: Option<String>,
}

#[derive(Queryable)]
struct Row {
    id: Id,
    facility_id: Id,
    name: String,
    platform: String,
    enrolled_at: i64,
    last_seen_at: Option<i64>,
    enrolled_by: Option<Id>,
    replaces: Option<Id>,
    first_sign_in_at: Option<i64>,
    serial: String,
    not_after: i64,
    revoked_at: Option<i64>,
    revoke_reason: Option<String>,
    facility: String,
    enrolled_by_name: Option<String>,
}

impl Row {
    fn listed(self, policy: &MunicipalityPolicy, now: i64) -> Result<Listed, AppError> {
        Ok(Listed {
            device: Device {
                id: self.id.into(),
                facility_id: self.facility_id.into(),
                name: self.name,
                platform: from_word(&self.platform)?,
                serial: self.serial,
                not_after: Timestamp(self.not_after),
                revoked_at: self.revoked_at.map(Timestamp),
                last_seen_at: self.last_seen_at.map(Timestamp),
                state: rules::state(self.revoked_at, self.not_after, policy, now),
                enrolled_by: self.enrolled_by.map(Into::into),
                replaces: self.replaces.map(Into::into),
            },
            facility: self.facility,
            enrolled_by: self.enrolled_by_name,
            enrolled_at: self.enrolled_at,
            first_sign_in_at: self.first_sign_in_at,
            revoke_reason: self.revoke_reason,
        })
    }
}

/// The devices of the own facility; of every facility for the office.
///
/// # Errors
/// The database failed.
pub async fn list(c: &mut Conn, admin: &FacilityAdmin, now: i64) -> Result<Vec<Listed>, AppError> {
    select(c, admin, admin.secretariat().is_ok(), None, now).await
}

/// The device that asks.
///
/// # Errors
/// The database failed.
pub async fn own(c: &mut Conn, who: &SignedIn, now: i64) -> Result<Listed, AppError> {
    let found = select(c, who, false, Some(who.device_id()), now).await?;
    found.into_iter().next().ok_or_else(|| Code::NotFound.into())
}

async fn select(
    c: &mut Conn,
    who: &SignedIn,
    every: bool,
    only: Option<Id>,
    now: i64,
) -> Result<Vec<Listed>, AppError> {
    use diesel::sql_types::Bool;
    let (every, all) = (every.into_sql::<Bool>(), only.is_none().into_sql::<Bool>());
    let rows: Vec<Row> = run!(
        c,
        load,
        device::table
            .inner_join(
                certificate::table.on(certificate::municipality_id
                    .eq(device::municipality_id)
                    .and(certificate::device_id.eq(device::id)))
            )
            .inner_join(
                facility::table.on(facility::municipality_id
                    .eq(device::municipality_id)
                    .and(facility::id.eq(device::facility_id)))
            )
            .left_join(
                staff::table.on(staff::municipality_id
                    .eq(device::municipality_id)
                    .and(staff::id.nullable().eq(device::enrolled_by)))
            )
            .filter(device::municipality_id.eq(who.municipality_id()))
            .filter(device::facility_id.eq(who.facility_id()).or(every))
            .filter(device::id.eq(only.unwrap_or_else(|| who.device_id())).or(all))
            .order((facility::name, device::created_at, device::id, certificate::created_at))
            .select((
                device::id,
                device::facility_id,
                device::name,
                device::platform,
                device::created_at,
                device::last_seen_at,
                device::enrolled_by,
                device::replaces_id,
                device::first_sign_in_at,
                certificate::serial,
                certificate::not_after,
                certificate::revoked_at,
                certificate::revoke_reason,
                facility::name,
                staff::name.nullable()
            ))
    )?;
    // A device that was renewed has several certificates: the newest good one counts, else the newest.
    let mut newest: Vec<Row> = Vec::with_capacity(rows.len());
    for row in rows {
        match newest.last_mut() {
            Some(last) if last.id == row.id => {
                if row.revoked_at.is_none() || last.revoked_at.is_some() {
                    *last = row;
                }
            }
            _ => newest.push(row),
        }
    }
    newest.into_iter().map(|row| row.listed(who.policy(), now)).collect()
}

/// The facilities whose devices the office may add, by name.
///
/// # Errors
/// The database failed.
pub async fn facilities(c: &mut Conn, office: &Secretariat) -> Result<Vec<(Id, String)>, AppError> {
    Ok(run!(
        c,
        load,
        facility::table
            .filter(facility::municipality_id.eq(office.municipality_id()))
            .filter(facility::state.eq("approved"))
            .order(facility::name)
            .select((facility::id, facility::name))
    )?)
}

/// Refuses a device that cannot be replaced by a new one of this facility.
///
/// # Errors
/// [`Code::NotFound`] alike for another's device and for none; [`Code::StateConflict`] for a revoked one.
pub async fn can_be_replaced(c: &mut Conn, town: Id, of: Id, id: Id) -> Result<(), AppError> {
    facility_of(c, town, id).await?.filter(|f| *f == of).ok_or(Code::NotFound)?;
    let good: i64 = run!(
        c,
        get_result,
        certificate::table
            .filter(certificate::municipality_id.eq(town))
            .filter(certificate::device_id.eq(id))
            .filter(certificate::revoked_at.is_null())
            .count()
    )?;
    if good == 0 { Err(Code::StateConflict.into()) } else { Ok(()) }
}

async fn facility_of(c: &mut Conn, town: Id, id: Id) -> Result<Option<Id>, AppError> {
    Ok(run!(c, get_result, device::table.find((town, id)).select(device::facility_id)).optional()?)
}

async fn administers(c: &mut Conn, admin: &FacilityAdmin, id: Id) -> Result<(), AppError> {
    let facility = facility_of(c, admin.municipality_id(), id).await?;
    let office = admin.secretariat().is_ok();
    if facility.is_some_and(|f| office || f == admin.facility_id()) {
        Ok(())
    } else {
        Err(Code::NotFound.into())
    }
}

/// Gives a device another name: one of the own facility, or any for the office.
///
/// # Errors
/// [`Code::NotFound`] alike for another's device and for none.
pub async fn rename(c: &mut Conn, admin: &FacilityAdmin, id: Id, name: &str) -> Result<(), AppError> {
    administers(c, admin, id).await?;
    run!(
        c,
        execute,
        diesel::update(device::table.find((admin.municipality_id(), id))).set(device::name.eq(name))
    )?;
    Ok(())
}

/// Revokes every certificate of a device and ends its sessions and the Nos that were made on it: of the own
/// facility, or of any for the office. Revoking again changes nothing.
///
/// # Errors
/// [`Code::NotFound`] alike for another's device and for none.
pub async fn revoke(
    c: &mut Conn,
    admin: &FacilityAdmin,
    id: Id,
    why: &Revocation,
    now: i64,
) -> Result<(), AppError> {
    administers(c, admin, id).await?;
    let town = admin.municipality_id();
    run!(
        c,
        execute,
        diesel::update(
            certificate::table
                .filter(certificate::municipality_id.eq(town))
                .filter(certificate::device_id.eq(id))
                .filter(certificate::revoked_at.is_null())
        )
        .set((
            certificate::revoked_at.eq(now),
            certificate::revoked_by.eq(admin.staff_id()),
            certificate::revoke_reason.eq(&why.reason),
            certificate::revoke_kind.eq(word(&why.kind)),
        ))
    )?;
    run!(
        c,
        execute,
        diesel::delete(
            session::table.filter(session::municipality_id.eq(town)).filter(session::device_id.eq(id))
        )
    )?;
    ticket::end_of_device(c, town, id, now).await?;
    // A lost phone shows nothing any more.
    run!(
        c,
        execute,
        diesel::delete(
            push_registration::table
                .filter(push_registration::municipality_id.eq(town))
                .filter(push_registration::device_id.eq(id))
        )
    )?;
    Ok(())
}
