//! Facilities in the database.

pub mod changes;
pub mod letters;
pub mod people;
pub mod record;
pub mod stray;
mod waiting;

use super::rules::{self, Event};
use crate::access::{DeviceAccess, Secretariat};
use crate::db::prelude::*;
use crate::db::schema::{facility, facility_past};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{
    Code, Facility, FacilityApplication, FacilityKind, FacilityState, IntakeChannel, MapListing, Timestamp,
};
pub use waiting::tasks;

#[derive(Queryable, Selectable)]
#[diesel(table_name = facility)]
struct Row {
    id: Id,
    name: String,
    kind: String,
    address: String,
    telephone: String,
    manager_name: String,
    state: String,
    applied_at: i64,
}

impl Row {
    fn wire(self) -> Result<Facility, AppError> {
        Ok(Facility {
            id: self.id.into(),
            name: self.name,
            kind: from_word(&self.kind)?,
            address: self.address,
            telephone: self.telephone,
            manager_name: self.manager_name,
            state: from_word(&self.state)?,
            applied_at: Timestamp(self.applied_at),
        })
    }
}

/// How an application that came on paper was taken in.
#[derive(Clone, Debug)]
pub struct Paper {
    /// How it came.
    pub channel: IntakeChannel,
    /// The day it came.
    pub received_on: String,
    /// Who took it in.
    pub received_by: Id,
    /// Its scan.
    pub scan: Id,
}

/// Stores an application. The same id again is the same application; true when it was new.
///
/// # Errors
/// The database failed.
pub async fn insert(
    c: &mut Conn,
    town: Id,
    application: &FacilityApplication,
    paper: Option<&Paper>,
    now: i64,
) -> Result<bool, AppError> {
    let channel = paper.map_or(IntakeChannel::Portal, |p| p.channel);
    let rows = run!(
        c,
        execute,
        diesel::insert_into(facility::table)
            .values((
                facility::municipality_id.eq(town),
                facility::id.eq(Id::from(application.id)),
                facility::name.eq(&application.name),
                facility::kind.eq(word(&application.kind)),
                facility::address.eq(&application.address),
                facility::telephone.eq(&application.telephone),
                facility::manager_name.eq(&application.manager_name),
                facility::manager_mail.eq(&application.manager_mail),
                facility::state.eq(word(&FacilityState::Applied)),
                facility::applied_at.eq(now),
                facility::outside.eq(application.outside),
                facility::channel.eq(word(&channel)),
                facility::received_on.eq(paper.map(|p| p.received_on.as_str())),
                facility::received_by.eq(paper.map(|p| p.received_by)),
                facility::scan_id.eq(paper.map(|p| p.scan)),
            ))
            .on_conflict_do_nothing()
    )?;
    Ok(rows == 1)
}

/// Every facility of the town, the waiting ones first.
///
/// # Errors
/// The database failed.
pub async fn all(c: &mut Conn, office: &Secretariat) -> Result<Vec<Facility>, AppError> {
    let rows: Vec<Row> = run!(
        c,
        load,
        facility::table
            .filter(facility::municipality_id.eq(office.municipality_id()))
            .order((facility::decided_at.is_not_null(), facility::applied_at.desc()))
            .select(Row::as_select())
    )?;
    rows.into_iter().map(Row::wire).collect()
}

/// The facilities that work together, by name.
///
/// # Errors
/// The database failed.
pub async fn approved(c: &mut Conn, device: &DeviceAccess) -> Result<Vec<Facility>, AppError> {
    let rows: Vec<Row> = run!(
        c,
        load,
        facility::table
            .filter(facility::municipality_id.eq(device.municipality_id()))
            .filter(facility::state.eq(word(&FacilityState::Approved)))
            .order(facility::name)
            .select(Row::as_select())
    )?;
    rows.into_iter().map(Row::wire).collect()
}

/// One facility, for the office.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn get(c: &mut Conn, office: &Secretariat, id: Id) -> Result<Facility, AppError> {
    let row: Option<Row> =
        run!(c, get_result, facility::table.find((office.municipality_id(), id)).select(Row::as_select()))
            .optional()?;
    row.ok_or(Code::NotFound)?.wire()
}

/// What an event needs to know of a facility.
#[derive(Queryable, Selectable, Clone)]
#[diesel(table_name = facility)]
pub struct Standing {
    /// Name.
    pub name: String,
    /// [`renraku_wire::FacilityKind`].
    pub kind: String,
    /// Address.
    pub address: String,
    /// Telephone.
    pub telephone: String,
    /// Opening days and hours.
    pub opening: String,
    /// Name of the manager.
    pub manager_name: String,
    /// The manager's mail address.
    pub manager_mail: String,
    /// [`FacilityState`].
    pub state: String,
    /// It lies outside the town.
    pub outside: bool,
}

/// A facility as it stands. The office itself is none that can be decided about.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn standing(c: &mut Conn, town: Id, id: Id) -> Result<Standing, AppError> {
    let row: Option<Standing> = run!(
        c,
        get_result,
        facility::table
            .find((town, id))
            .filter(facility::kind.ne(word(&FacilityKind::Secretariat)))
            .select(Standing::as_select())
    )
    .optional()?;
    Ok(row.ok_or(Code::NotFound)?)
}

/// Who approved a facility that is approved.
///
/// # Errors
/// The database failed.
pub async fn approved_by(c: &mut Conn, town: Id, id: Id) -> Result<Option<Id>, AppError> {
    let by: Option<Option<Id>> = run!(
        c,
        get_result,
        facility::table
            .find((town, id))
            .filter(facility::state.eq(word(&FacilityState::Approved)))
            .select(facility::decided_by)
    )
    .optional()?;
    Ok(by.flatten())
}

/// Refuses an id that is no facility of the town.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn known(c: &mut Conn, town: Id, id: Id) -> Result<(), AppError> {
    let n: i64 = run!(c, get_result, facility::table.find((town, id)).count())?;
    if n == 0 { Err(Code::NotFound.into()) } else { Ok(()) }
}

/// Moves a facility along one edge of the machine; returns how it stood. Only one of two at once counts.
/// `reason` takes the place of the one on file.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::StateConflict`] for an edge that is not there.
pub async fn advance(
    c: &mut Conn,
    town: Id,
    id: Id,
    event: Event,
    reason: Option<&str>,
) -> Result<Standing, AppError> {
    let before = standing(c, town, id).await?;
    let state = rules::after(from_word(&before.state)?, event)?;
    let changed = run!(
        c,
        execute,
        diesel::update(facility::table.find((town, id)).filter(facility::state.eq(&before.state)))
            .set((facility::state.eq(word(&state)), facility::reason.eq(reason)))
    )?;
    if changed == 0 { Err(Code::StateConflict.into()) } else { Ok(before) }
}

/// Notes who decided an application, and when.
///
/// # Errors
/// The database failed.
pub async fn decided(c: &mut Conn, office: &Secretariat, id: Id, now: i64) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(facility::table.find((office.municipality_id(), id)))
            .set((facility::decided_at.eq(now), facility::decided_by.eq(office.staff_id())))
    )?;
    Ok(())
}

/// Keeps what is on file before it is replaced.
///
/// # Errors
/// The database failed.
pub async fn keep_past(
    c: &mut Conn,
    town: Id,
    id: Id,
    before: &Standing,
    by: Option<Id>,
    now: i64,
) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::insert_into(facility_past::table).values((
            facility_past::municipality_id.eq(town),
            facility_past::id.eq(Id::new()),
            facility_past::facility_id.eq(id),
            facility_past::name.eq(&before.name),
            facility_past::kind.eq(&before.kind),
            facility_past::address.eq(&before.address),
            facility_past::telephone.eq(&before.telephone),
            facility_past::opening.eq(&before.opening),
            facility_past::manager_name.eq(&before.manager_name),
            facility_past::manager_mail.eq(&before.manager_mail),
            facility_past::until_at.eq(now),
            facility_past::replaced_by.eq(by),
        ))
    )?;
    Ok(())
}

/// Writes a corrected application over the one before, whose past was kept.
///
/// # Errors
/// The database failed.
pub async fn correct(
    c: &mut Conn,
    town: Id,
    application: &FacilityApplication,
    now: i64,
) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(facility::table.find((town, Id::from(application.id)))).set((
            facility::name.eq(&application.name),
            facility::kind.eq(word(&application.kind)),
            facility::address.eq(&application.address),
            facility::telephone.eq(&application.telephone),
            facility::manager_name.eq(&application.manager_name),
            facility::manager_mail.eq(&application.manager_mail),
            facility::outside.eq(application.outside),
            facility::corrected_at.eq(now),
        ))
    )?;
    Ok(())
}

/// Notes how a correction came that the office entered. Gives how and when the paper before came, and its scan.
///
/// # Errors
/// The database failed.
pub async fn came_on_paper(
    c: &mut Conn,
    town: Id,
    id: Id,
    paper: &Paper,
) -> Result<Option<String>, AppError> {
    let (channel, day, scan): (String, Option<String>, Option<Id>) = run!(
        c,
        get_result,
        facility::table.find((town, id)).select((
            facility::channel,
            facility::received_on,
            facility::scan_id
        ))
    )?;
    run!(
        c,
        execute,
        diesel::update(facility::table.find((town, id))).set((
            facility::channel.eq(word(&paper.channel)),
            facility::received_on.eq(&paper.received_on),
            facility::received_by.eq(paper.received_by),
            facility::scan_id.eq(paper.scan),
        ))
    )?;
    Ok(day.zip(scan).map(|(day, scan)| format!("{channel} {day} {scan}")))
}

/// Notes who manages a facility and where their mail goes.
///
/// # Errors
/// The database failed.
pub async fn set_manager(c: &mut Conn, town: Id, id: Id, name: &str, mail: &str) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(facility::table.find((town, id)))
            .set((facility::manager_name.eq(name), facility::manager_mail.eq(mail)))
    )?;
    Ok(())
}

/// Sets whether and where the public list shows a facility.
///
/// # Errors
/// The database failed.
pub async fn set_listing(c: &mut Conn, town: Id, id: Id, map: &MapListing) -> Result<(), AppError> {
    let e6 = |degrees: f64| (degrees * 1e6).round() as i32;
    run!(
        c,
        execute,
        diesel::update(facility::table.find((town, id))).set((
            facility::listed.eq(map.listed),
            facility::latitude_e6.eq(map.position.map(|p| e6(p.latitude))),
            facility::longitude_e6.eq(map.position.map(|p| e6(p.longitude))),
        ))
    )?;
    Ok(())
}
