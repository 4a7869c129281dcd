//! What waits for a person here: replacements of devices that were begun and not ended.

use super::rules::{self, Replacement};
use super::ticket;
use crate::access::SignedIn;
use crate::clock;
use crate::db::prelude::*;
use crate::db::schema::{certificate, device, enrolment_ticket, facility};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::portal::Task;
use crate::run;

/// Half-done replacements: for a manager those of the own facility, for the office all.
///
/// # Errors
/// The database failed.
pub async fn tasks(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    if who.facility_admin().is_err() {
        return Ok(vec![]);
    }
    let mut tasks = waiting(c, who).await?;
    tasks.extend(begun(c, who).await?);
    Ok(tasks)
}

/// A device that replaces one which is still good.
async fn begun(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    let every = who.secretariat().is_ok().into_sql::<diesel::sql_types::Bool>();
    let old = diesel::alias!(device as old_device);
    let rows: Vec<(Id, String, String, i64, Option<i64>)> = run!(
        c,
        load,
        device::table
            .inner_join(
                old.on(old
                    .field(device::municipality_id)
                    .eq(device::municipality_id)
                    .and(device::replaces_id.eq(old.field(device::id).nullable())))
            )
            .inner_join(
                certificate::table.on(certificate::municipality_id
                    .eq(device::municipality_id)
                    .and(certificate::device_id.eq(old.field(device::id))))
            )
            .filter(device::municipality_id.eq(who.municipality_id()))
            .filter(device::facility_id.eq(who.facility_id()).or(every))
            .filter(certificate::revoked_at.is_null())
            .filter(certificate::not_after.ge(clock::now()))
            .select((
                old.field(device::id),
                old.field(device::name),
                device::name,
                device::created_at,
                device::first_sign_in_at
            ))
            .distinct()
    )?;
    Ok(rows
        .into_iter()
        .map(|(id, old, new, since, signed_in)| Task {
            text: match rules::replacement(signed_in.is_some(), true) {
                Replacement::OldStillGood => {
                    format!("端末の交換：新しい「{new}」が使えるようになりました。古い「{old}」を失効させる")
                }
                _ => {
                    format!("端末の交換：新しい「{new}」でサインインできることを確かめる（古い端末：{old}）")
                }
            },
            href: format!("/devices#device-{id}"),
            since,
        })
        .collect())
}

/// No and password for a replacement that nobody has used yet.
async fn waiting(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    let every = who.secretariat().is_ok().into_sql::<diesel::sql_types::Bool>();
    let rows: Vec<(Id, String, String, i64)> = run!(
        c,
        load,
        enrolment_ticket::table
            .inner_join(
                device::table.on(device::municipality_id
                    .eq(enrolment_ticket::municipality_id)
                    .and(enrolment_ticket::replaces_id.eq(device::id.nullable())))
            )
            .inner_join(
                facility::table.on(facility::municipality_id
                    .eq(device::municipality_id)
                    .and(facility::id.eq(device::facility_id)))
            )
            .filter(enrolment_ticket::municipality_id.eq(who.municipality_id()))
            .filter(device::facility_id.eq(who.facility_id()).or(every))
            .filter(enrolment_ticket::used_at.is_null())
            .filter(enrolment_ticket::failed_count.lt(ticket::MAX_WRONG))
            .filter(enrolment_ticket::expires_at.ge(clock::now()))
            .select((device::id, device::name, facility::name, enrolment_ticket::created_at))
    )?;
    Ok(rows
        .into_iter()
        .map(|(id, name, facility, since)| Task {
            text: format!("端末の交換：新しい端末に証明書を入れる（古い端末：{name}、{facility}）"),
            href: format!("/devices#device-{id}"),
            since,
        })
        .collect())
}
