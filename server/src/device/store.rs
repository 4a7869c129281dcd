//! Devices and certificates in the database.

use crate::access::{FacilityAdmin, Secretariat};
use crate::db::prelude::*;
use crate::db::schema::{certificate, device, facility, session};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use crate::tls::Issued;
use renraku_wire::{Code, Device, Platform, Timestamp};

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
    let rows = run!(
        c,
        execute,
        diesel::insert_into(certificate::table)
            .values((
                certificate::municipality_id.eq(town),
                certificate::serial.eq(&new.issued.serial),
                certificate::device_id.eq(new.id),
                certificate::key_sha256.eq(&new.issued.key_sha256),
                certificate::not_before.eq(new.issued.validity.not_before),
                certificate::not_after.eq(new.issued.validity.not_after),
                certificate::created_at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    if rows == 0 { Err(Code::CsrKeyInUse.into()) } else { Ok(()) }
}

type Row = (Id, Id, String, String, String, i64, Option<i64>, Option<i64>, String);

/// The devices of the own facility; of every facility for the office. With the facility's name.
///
/// # Errors
/// The database failed.
pub async fn list(c: &mut Conn, admin: &FacilityAdmin) -> Result<Vec<(Device, String)>, AppError> {
    let every = admin.secretariat().is_ok().into_sql::<diesel::sql_types::Bool>();
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
            .filter(device::municipality_id.eq(admin.municipality_id()))
            .filter(device::facility_id.eq(admin.facility_id()).or(every))
            .order((facility::name, device::created_at))
            .select((
                device::id,
                device::facility_id,
                device::name,
                device::platform,
                certificate::serial,
                certificate::not_after,
                certificate::revoked_at,
                device::last_seen_at,
                facility::name
            ))
    )?;
    rows.into_iter()
        .map(|(id, facility_id, name, platform, serial, not_after, revoked_at, seen, facility_name)| {
            Ok((
                Device {
                    id: id.into(),
                    facility_id: facility_id.into(),
                    name,
                    platform: from_word(&platform)?,
                    serial,
                    not_after: Timestamp(not_after),
                    revoked_at: revoked_at.map(Timestamp),
                    last_seen_at: seen.map(Timestamp),
                },
                facility_name,
            ))
        })
        .collect()
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

/// Revokes every certificate of a device and ends its sessions: of the own facility, or of any for the
/// office.
///
/// # Errors
/// [`Code::NotFound`] alike for another's device and for none.
pub async fn revoke(
    c: &mut Conn,
    admin: &FacilityAdmin,
    id: Id,
    reason: &str,
    now: i64,
) -> Result<(), AppError> {
    let town = admin.municipality_id();
    let facility: Option<Id> =
        run!(c, get_result, device::table.find((town, id)).select(device::facility_id)).optional()?;
    let office = admin.secretariat().map(|_: Secretariat| ()).is_ok();
    if !facility.is_some_and(|f| office || f == admin.facility_id()) {
        return Err(Code::NotFound.into());
    }
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
            certificate::revoke_reason.eq(reason),
        ))
    )?;
    run!(
        c,
        execute,
        diesel::delete(
            session::table.filter(session::municipality_id.eq(town)).filter(session::device_id.eq(id))
        )
    )?;
    Ok(())
}

/// What the diagnosis needs of a certificate.
#[derive(Clone, Debug)]
pub struct Known {
    /// First instant.
    pub not_before: i64,
    /// Last instant.
    pub not_after: i64,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// The facility's state.
    pub facility_state: String,
}

/// The certificate with this serial number in this town.
///
/// # Errors
/// The database failed.
pub async fn known(c: &mut Conn, town: Id, serial: &str) -> Result<Option<Known>, AppError> {
    let row: Option<(i64, i64, Option<i64>, String)> = run!(
        c,
        get_result,
        certificate::table
            .inner_join(
                device::table.on(device::municipality_id
                    .eq(certificate::municipality_id)
                    .and(device::id.eq(certificate::device_id)))
            )
            .inner_join(
                facility::table.on(facility::municipality_id
                    .eq(device::municipality_id)
                    .and(facility::id.eq(device::facility_id)))
            )
            .filter(certificate::municipality_id.eq(town))
            .filter(certificate::serial.eq(serial))
            .select((
                certificate::not_before,
                certificate::not_after,
                certificate::revoked_at,
                facility::state
            ))
    )
    .optional()?;
    Ok(row.map(|(not_before, not_after, revoked_at, facility_state)| Known {
        not_before,
        not_after,
        revoked_at,
        facility_state,
    }))
}
