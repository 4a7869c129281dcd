//! Who has sessions: the people at a device, and a person's own ones.

use crate::access::SignedIn;
use crate::db::prelude::*;
use crate::db::schema::{device, session, staff};
use crate::db::sql::from_word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::{clock, run};
use renraku_wire::{OwnSession, PersonHere, Timestamp};

/// The other people with a session on this device, by name: their own ones run, or rest until they come
/// back. Colleagues of this facility only; a session ends when idle, a resting one with its hours.
///
/// # Errors
/// The database failed.
pub async fn others(c: &mut Conn, who: &SignedIn) -> Result<Vec<PersonHere>, AppError> {
    let now = clock::now();
    let rows: Vec<(Id, String, String, i64, Option<i64>)> = run!(
        c,
        load,
        session::table
            .inner_join(
                staff::table.on(staff::municipality_id
                    .eq(session::municipality_id)
                    .and(staff::id.eq(session::staff_id)))
            )
            .filter(session::municipality_id.eq(who.municipality_id()))
            .filter(session::device_id.eq(who.device_id()))
            .filter(session::serial.eq(who.serial()))
            .filter(session::staff_id.ne(who.staff_id()))
            .filter(session::expires_at.gt(now))
            .filter(session::resting_at.is_not_null().or(session::last_seen_at.gt(who.idle_since(now))))
            .filter(staff::facility_id.eq(who.facility_id()))
            .filter(staff::state.eq("active"))
            .order((staff::name, staff::id, session::last_seen_at.desc()))
            .select((staff::id, staff::name, staff::profession, session::last_seen_at, session::resting_at))
    )?;
    let mut people: Vec<PersonHere> = Vec::new();
    for (id, name, profession, seen, resting) in rows {
        match people.last_mut().filter(|p| p.staff_id == id.into()) {
            Some(same) => same.resting &= resting.is_some(),
            None => people.push(PersonHere {
                staff_id: id.into(),
                name,
                profession: from_word(&profession)?,
                last_seen_at: Timestamp(seen),
                resting: resting.is_some(),
            }),
        }
    }
    Ok(people)
}

type OwnRow = ((Id, Vec<u8>, String, String), (i64, i64, i64, Option<i64>));

/// The own sessions, the last used one first.
///
/// # Errors
/// The database failed.
pub async fn own(c: &mut Conn, who: &SignedIn, current: &[u8]) -> Result<Vec<OwnSession>, AppError> {
    let now = clock::now();
    let rows: Vec<OwnRow> = run!(
        c,
        load,
        session::table
            .inner_join(device::table.on(
                device::municipality_id.eq(session::municipality_id).and(device::id.eq(session::device_id))
            ))
            .filter(session::municipality_id.eq(who.municipality_id()))
            .filter(session::staff_id.eq(who.staff_id()))
            .filter(session::expires_at.gt(now))
            .filter(session::resting_at.is_not_null().or(session::last_seen_at.gt(who.idle_since(now))))
            .order((session::last_seen_at.desc(), session::id))
            .select((
                (session::id, session::token_hash, device::name, device::platform),
                (session::created_at, session::last_seen_at, session::expires_at, session::resting_at)
            ))
    )?;
    rows.into_iter()
        .map(|((id, hash, device_name, platform), (opened, seen, expires, resting))| {
            Ok(OwnSession {
                id: id.into(),
                device_name,
                platform: from_word(&platform)?,
                current: hash == current,
                resting: resting.is_some(),
                opened_at: Timestamp(opened),
                last_seen_at: Timestamp(seen),
                expires_at: Timestamp(expires),
            })
        })
        .collect()
}
