//! A facility as its page shows it, and the public list.

use super::{Row, changes, letters, people};
use crate::access::FacilityAdmin;
use crate::db::prelude::*;
use crate::db::schema::{device, enrolment_ticket, facility, facility_past, no_mail_report, notice, staff};
use crate::db::schema::{media, ticket_letter};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::device::ticket;
use crate::error::AppError;
use crate::facility::rules;
use crate::{clock, run};
use renraku_wire::{
    Code, DeliveryState, FacilityApplication, FacilityFile, FacilityPast, FacilityRecord, FacilityState,
    ListedFacility, MapListing, MapPosition, TicketMailStatus, Timestamp,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = facility)]
struct More {
    manager_mail: String,
    outside: bool,
    channel: String,
    received_on: Option<String>,
    received_by: Option<Id>,
    scan_id: Option<Id>,
    reason: Option<String>,
    opening: String,
    listed: bool,
    latitude_e6: Option<i32>,
    longitude_e6: Option<i32>,
}

fn position(latitude_e6: Option<i32>, longitude_e6: Option<i32>) -> Option<MapPosition> {
    let degrees = |e6: i32| f64::from(e6) / 1e6;
    Some(MapPosition { latitude: degrees(latitude_e6?), longitude: degrees(longitude_e6?) })
}

/// A facility with everything that this person may see of it: the office any, a manager the own one.
///
/// # Errors
/// [`Code::NotFound`], alike for another's and for none.
pub async fn get(c: &mut Conn, admin: &FacilityAdmin, id: Id) -> Result<FacilityRecord, AppError> {
    let town = admin.municipality_id();
    let office = admin.secretariat().is_ok();
    let row: Option<(Row, More)> =
        run!(c, get_result, facility::table.find((town, id)).select((Row::as_select(), More::as_select())))
            .optional()?;
    let (row, more) = row.filter(|_| office || id == admin.facility_id()).ok_or(Code::NotFound)?;
    let waiting = changes::waiting(c, town, id).await?;
    let (equipped, in_use) = progress(c, town, id).await?;
    let facility = row.wire()?;
    let file = if office { Some(file(c, town, id, &more).await?) } else { None };
    Ok(FacilityRecord {
        stage: rules::stage(facility.state, equipped, in_use, waiting.is_some()),
        facility,
        outside: more.outside,
        manager_mail: more.manager_mail,
        opening: more.opening,
        map: MapListing { listed: more.listed, position: position(more.latitude_e6, more.longitude_e6) },
        waiting,
        past: past(c, town, id).await?,
        file,
    })
}

/// Whether a device has its certificate, and whether somebody has signed in and changed the first password.
async fn progress(c: &mut Conn, town: Id, id: Id) -> Result<(bool, bool), AppError> {
    let devices: i64 = run!(
        c,
        get_result,
        device::table.filter(device::municipality_id.eq(town)).filter(device::facility_id.eq(id)).count()
    )?;
    let users: i64 = run!(
        c,
        get_result,
        staff::table
            .filter(staff::municipality_id.eq(town))
            .filter(staff::facility_id.eq(id))
            .filter(staff::must_change_password.eq(false))
            .count()
    )?;
    Ok((devices > 0, users > 0))
}

async fn past(c: &mut Conn, town: Id, id: Id) -> Result<Vec<FacilityPast>, AppError> {
    type Past = (String, String, String, String, String, String, String, i64);
    let rows: Vec<Past> = run!(
        c,
        load,
        facility_past::table
            .filter(facility_past::municipality_id.eq(town))
            .filter(facility_past::facility_id.eq(id))
            .order((facility_past::until_at.desc(), facility_past::id.desc()))
            .select((
                facility_past::name,
                facility_past::kind,
                facility_past::address,
                facility_past::telephone,
                facility_past::opening,
                facility_past::manager_name,
                facility_past::manager_mail,
                facility_past::until_at
            ))
    )?;
    rows.into_iter()
        .map(|(name, kind, address, telephone, opening, manager_name, manager_mail, until)| {
            Ok(FacilityPast {
                name,
                kind: from_word(&kind)?,
                address,
                telephone,
                opening,
                manager_name,
                manager_mail,
                until: Timestamp(until),
            })
        })
        .collect()
}

async fn file(c: &mut Conn, town: Id, id: Id, more: &More) -> Result<FacilityFile, AppError> {
    let received_by = match more.received_by {
        Some(person) => people::find(c, town, person).await?.map(|p| p.name),
        None => None,
    };
    let no_mail_since: Option<i64> = run!(
        c,
        get_result,
        no_mail_report::table
            .filter(no_mail_report::municipality_id.eq(town))
            .filter(no_mail_report::facility_id.eq(id))
            .filter(no_mail_report::settled_at.is_null())
            .select(no_mail_report::reported_at)
    )
    .optional()?;
    Ok(FacilityFile {
        channel: from_word(&more.channel)?,
        received_on: more.received_on.clone(),
        received_by,
        scan: more.scan_id.is_some(),
        reason: more.reason.clone(),
        ticket_mail: ticket_mail(c, town, id).await?,
        return_mail: letters::return_mails(c, town, &[id]).await?.pop().map(|(_, mail)| mail),
        no_mail_since: no_mail_since.map(Timestamp),
    })
}

async fn ticket_mail(c: &mut Conn, town: Id, id: Id) -> Result<Option<TicketMailStatus>, AppError> {
    type Mail = (String, String, Option<String>, i64, Option<i64>, (Option<i64>, i32, i64));
    let row: Option<Mail> = run!(
        c,
        get_result,
        ticket_letter::table
            .inner_join(
                notice::table.on(notice::municipality_id
                    .eq(ticket_letter::municipality_id)
                    .and(notice::id.eq(ticket_letter::notice_id)))
            )
            .inner_join(
                enrolment_ticket::table.on(enrolment_ticket::municipality_id
                    .eq(ticket_letter::municipality_id)
                    .and(enrolment_ticket::number.eq(ticket_letter::number)))
            )
            .filter(ticket_letter::municipality_id.eq(town))
            .filter(ticket_letter::facility_id.eq(id))
            .filter(ticket_letter::replaced_at.is_null())
            .select((
                notice::target,
                notice::state,
                notice::last_error,
                notice::created_at,
                notice::done_at,
                (enrolment_ticket::used_at, enrolment_ticket::failed_count, enrolment_ticket::expires_at)
            ))
    )
    .optional()?;
    row.map(|(address, state, reason, queued_at, done_at, (used_at, wrong, expires_at))| {
        Ok(TicketMailStatus {
            address,
            state: from_word::<DeliveryState>(&state)?,
            reason,
            queued_at: Timestamp(queued_at),
            done_at: done_at.map(Timestamp),
            used: used_at.is_some(),
            worn: used_at.is_none() && wrong >= ticket::MAX_WRONG,
            expired: used_at.is_none() && expires_at < clock::now(),
        })
    })
    .transpose()
}

/// The application as it stands, for its correction.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn application(
    c: &mut Conn,
    town: Id,
    id: Id,
) -> Result<(FacilityApplication, FacilityState, String), AppError> {
    let row: Option<(Row, More)> =
        run!(c, get_result, facility::table.find((town, id)).select((Row::as_select(), More::as_select())))
            .optional()?;
    let (row, more) = row.ok_or(Code::NotFound)?;
    let facility = row.wire()?;
    let application = FacilityApplication {
        id: facility.id,
        name: facility.name,
        kind: facility.kind,
        address: facility.address,
        telephone: facility.telephone,
        manager_name: facility.manager_name,
        manager_mail: more.manager_mail,
        outside: more.outside,
    };
    Ok((application, facility.state, more.reason.unwrap_or_default()))
}

/// The facilities that wish to be listed, by name (F16).
///
/// # Errors
/// The database failed.
pub async fn listed(c: &mut Conn, town: Id) -> Result<Vec<ListedFacility>, AppError> {
    type Line = (String, String, String, String, String, Option<i32>, Option<i32>);
    let rows: Vec<Line> = run!(
        c,
        load,
        facility::table
            .filter(facility::municipality_id.eq(town))
            .filter(facility::state.eq(word(&FacilityState::Approved)))
            .filter(facility::listed.eq(true))
            .order((facility::name, facility::id))
            .select((
                facility::name,
                facility::kind,
                facility::address,
                facility::telephone,
                facility::opening,
                facility::latitude_e6,
                facility::longitude_e6
            ))
    )?;
    rows.into_iter()
        .map(|(name, kind, address, telephone, opening, latitude, longitude)| {
            Ok(ListedFacility {
                name,
                kind: from_word(&kind)?,
                address,
                telephone,
                opening,
                position: position(latitude, longitude),
            })
        })
        .collect()
}

/// True when this is a document that the person uploaded whole, and that is no patient's.
///
/// # Errors
/// The database failed.
pub async fn is_scan(c: &mut Conn, admin: &FacilityAdmin, id: Id) -> Result<bool, AppError> {
    let n: i64 = run!(
        c,
        get_result,
        media::table
            .find((admin.municipality_id(), id))
            .filter(media::kind.eq("document"))
            .filter(media::state.eq("ready"))
            .filter(media::announced_by.eq(admin.staff_id()))
            .filter(media::patient_id.is_null())
            .count()
    )?;
    Ok(n == 1)
}
