//! Certificates in the database: renewal, supersession, notices of the end, what is revoked.

use crate::db::prelude::*;
use crate::db::schema::{certificate, device, expiry_notice, facility, municipality, old_authority, session};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use crate::tls::{Issued, Revoked, authority_id};
use renraku_wire::{Code, RevocationKind};
use std::collections::HashSet;

/// Stores a certificate of a device; `renews` is the serial number of the one that it takes the place of.
///
/// # Errors
/// [`Code::CsrKeyInUse`] when a certificate has this key.
pub async fn insert(
    c: &mut Conn,
    town: Id,
    device_id: Id,
    issued: &Issued,
    renews: Option<&str>,
    now: i64,
) -> Result<(), AppError> {
    let rows = run!(
        c,
        execute,
        diesel::insert_into(certificate::table)
            .values((
                certificate::municipality_id.eq(town),
                certificate::serial.eq(&issued.serial),
                certificate::device_id.eq(device_id),
                certificate::key_sha256.eq(&issued.key_sha256),
                certificate::not_before.eq(issued.validity.not_before),
                certificate::not_after.eq(issued.validity.not_after),
                certificate::created_at.eq(now),
                certificate::authority.eq(&issued.authority),
                certificate::der.eq(&issued.certificate),
                certificate::renews.eq(renews),
            ))
            .on_conflict_do_nothing()
    )?;
    if rows == 0 { Err(Code::CsrKeyInUse.into()) } else { Ok(()) }
}

/// The authority that signed a certificate; none for one from before a town could have two.
///
/// # Errors
/// The database failed.
pub async fn authority_of(c: &mut Conn, town: Id, serial: &str) -> Result<Option<String>, AppError> {
    Ok(run!(c, get_result, certificate::table.find((town, serial)).select(certificate::authority))?)
}

/// A certificate found by its key.
#[derive(Queryable, Selectable)]
#[diesel(table_name = certificate)]
pub struct Made {
    /// The device.
    pub device_id: Id,
    /// Which one it renews.
    pub renews: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<i64>,
    /// Last instant.
    pub not_after: i64,
    /// When it was made.
    pub created_at: i64,
    /// DER.
    pub der: Option<Vec<u8>>,
    /// The authority that signed it; none for one from before a town could have two.
    pub authority: Option<String>,
}

impl Made {
    /// The certificate with its authority's, where it is still known.
    ///
    /// # Errors
    /// The database failed.
    pub async fn chain(self, c: &mut Conn, town: Id) -> Result<Option<Chain>, AppError> {
        let Some(certificate) = self.der else { return Ok(None) };
        let present: Vec<u8> =
            run!(c, get_result, municipality::table.find(town).select(municipality::authority_cert))?;
        let authority = match self.authority.filter(|id| *id != authority_id(&present)) {
            None => Some(present),
            Some(older) => {
                run!(c, get_result, old_authority::table.find((town, older)).select(old_authority::cert))
                    .optional()?
            }
        };
        Ok(authority.map(|authority| Chain { certificate, authority, not_after: self.not_after }))
    }
}

/// A certificate with its authority's.
#[derive(Debug)]
pub struct Chain {
    /// DER.
    pub certificate: Vec<u8>,
    /// DER.
    pub authority: Vec<u8>,
    /// Last instant.
    pub not_after: i64,
}

/// The certificate with this key.
///
/// # Errors
/// The database failed.
pub async fn by_key(c: &mut Conn, town: Id, key_sha256: &str) -> Result<Option<Made>, AppError> {
    Ok(run!(
        c,
        get_result,
        certificate::table
            .filter(certificate::municipality_id.eq(town))
            .filter(certificate::key_sha256.eq(key_sha256))
            .select(Made::as_select())
    )
    .optional()?)
}

/// Revokes successors of a certificate that were never used: the device asks again with another key.
///
/// # Errors
/// The database failed.
pub async fn drop_unused_successors(c: &mut Conn, town: Id, serial: &str, now: i64) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(
            certificate::table
                .filter(certificate::municipality_id.eq(town))
                .filter(certificate::renews.eq(serial))
                .filter(certificate::first_used_at.is_null())
                .filter(certificate::revoked_at.is_null())
        )
        .set((
            certificate::revoked_at.eq(now),
            certificate::revoke_kind.eq(word(&RevocationKind::Replaced)),
            certificate::revoke_reason.eq("更新のやり直し"),
        ))
    )?;
    Ok(())
}

/// True when a certificate was renewed and the new one is good.
///
/// # Errors
/// The database failed.
pub async fn has_successor(c: &mut Conn, town: Id, serial: &str) -> Result<bool, AppError> {
    let found: i64 = run!(
        c,
        get_result,
        certificate::table
            .filter(certificate::municipality_id.eq(town))
            .filter(certificate::renews.eq(serial))
            .filter(certificate::revoked_at.is_null())
            .count()
    )?;
    Ok(found > 0)
}

/// True while a device has a certificate that nobody revoked.
///
/// # Errors
/// The database failed.
pub async fn device_has_good(c: &mut Conn, town: Id, device_id: Id) -> Result<bool, AppError> {
    let found: i64 = run!(
        c,
        get_result,
        certificate::table
            .filter(certificate::municipality_id.eq(town))
            .filter(certificate::device_id.eq(device_id))
            .filter(certificate::revoked_at.is_null())
            .count()
    )?;
    Ok(found > 0)
}

/// A certificate that was renewed and is still good.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// Its serial number.
    pub old: String,
    /// The device.
    pub device_id: Id,
    /// When the new one was first used.
    pub first_used_at: Option<i64>,
}

/// The certificates of a town that were renewed and are still good.
///
/// # Errors
/// The database failed.
pub async fn renewed(c: &mut Conn, town: Id) -> Result<Vec<Renewed>, AppError> {
    let old = diesel::alias!(certificate as old_certificate);
    let rows: Vec<(Option<String>, Id, Option<i64>)> = run!(
        c,
        load,
        certificate::table
            .inner_join(
                old.on(old
                    .field(certificate::municipality_id)
                    .eq(certificate::municipality_id)
                    .and(certificate::renews.eq(old.field(certificate::serial).nullable())))
            )
            .filter(certificate::municipality_id.eq(town))
            .filter(certificate::revoked_at.is_null())
            .filter(old.field(certificate::revoked_at).is_null())
            .select((certificate::renews, certificate::device_id, certificate::first_used_at))
    )?;
    Ok(rows
        .into_iter()
        .filter_map(|(old, device_id, first_used_at)| Some(Renewed { old: old?, device_id, first_used_at }))
        .collect())
}

/// Revokes a certificate that another took the place of, with its sessions. False when it was revoked
/// before.
///
/// # Errors
/// The database failed.
pub async fn supersede(c: &mut Conn, town: Id, serial: &str, now: i64) -> Result<bool, AppError> {
    let rows = run!(
        c,
        execute,
        diesel::update(certificate::table.find((town, serial)).filter(certificate::revoked_at.is_null()))
            .set((
                certificate::revoked_at.eq(now),
                certificate::revoke_kind.eq(word(&RevocationKind::Replaced)),
                certificate::revoke_reason.eq("更新済み"),
            ))
    )?;
    run!(
        c,
        execute,
        diesel::delete(
            session::table.filter(session::municipality_id.eq(town)).filter(session::serial.eq(serial))
        )
    )?;
    Ok(rows == 1)
}

/// A certificate that ends soon.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Its serial number.
    pub serial: String,
    /// Last instant.
    pub not_after: i64,
    /// Whose device it is.
    pub facility_id: Id,
}

/// The good certificates of working facilities that end between `now` and `reach` and were not renewed.
///
/// # Errors
/// The database failed.
pub async fn ending(c: &mut Conn, town: Id, now: i64, reach: i64) -> Result<Vec<Ending>, AppError> {
    let rows: Vec<(String, i64, Id)> = run!(
        c,
        load,
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
            .filter(certificate::revoked_at.is_null())
            .filter(certificate::not_after.ge(now))
            .filter(certificate::not_after.le(reach))
            .filter(facility::state.eq("approved"))
            .select((certificate::serial, certificate::not_after, device::facility_id))
    )?;
    let renewed: Vec<Option<String>> = run!(
        c,
        load,
        certificate::table
            .filter(certificate::municipality_id.eq(town))
            .filter(certificate::renews.is_not_null())
            .filter(certificate::revoked_at.is_null())
            // One that was never used may never have arrived.
            .filter(certificate::first_used_at.is_not_null())
            .select(certificate::renews)
    )?;
    let renewed: HashSet<String> = renewed.into_iter().flatten().collect();
    Ok(rows
        .into_iter()
        .filter(|(serial, ..)| !renewed.contains(serial))
        .map(|(serial, not_after, facility_id)| Ending { serial, not_after, facility_id })
        .collect())
}

/// Notes that a notice was told; false when it was told before.
///
/// # Errors
/// The database failed.
pub async fn note_told(c: &mut Conn, town: Id, serial: &str, days: i32, now: i64) -> Result<bool, AppError> {
    let rows = run!(
        c,
        execute,
        diesel::insert_into(expiry_notice::table)
            .values((
                expiry_notice::municipality_id.eq(town),
                expiry_notice::serial.eq(serial),
                expiry_notice::days.eq(days),
                expiry_notice::at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    Ok(rows == 1)
}

/// Everything that was revoked among one authority's certificates. `oldest` is true for the authority that
/// a town had before it could have two: certificates without an authority's name are its own.
///
/// # Errors
/// The database failed.
pub async fn revoked(
    c: &mut Conn,
    town: Id,
    authority: &str,
    oldest: bool,
) -> Result<Vec<Revoked>, AppError> {
    use diesel::sql_types::Bool;
    let oldest = oldest.into_sql::<Bool>();
    let rows: Vec<(String, Option<i64>, Option<String>)> = run!(
        c,
        load,
        certificate::table
            .filter(certificate::municipality_id.eq(town))
            .filter(certificate::revoked_at.is_not_null())
            .filter(
                certificate::authority
                    .eq(authority)
                    .assume_not_null()
                    .or(oldest.and(certificate::authority.is_null()))
            )
            .order((certificate::revoked_at, certificate::serial))
            .select((certificate::serial, certificate::revoked_at, certificate::revoke_kind))
    )?;
    rows.into_iter()
        .map(|(serial, at, kind)| {
            let kind = kind.as_deref().map(from_word).transpose()?.unwrap_or_default();
            Ok(Revoked { serial, at: at.unwrap_or_default(), kind })
        })
        .collect()
}
