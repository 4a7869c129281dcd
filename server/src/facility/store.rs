//! Facilities in the database.

use crate::access::{DeviceAccess, Secretariat, SignedIn};
use crate::db::prelude::*;
use crate::db::schema::facility;
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::portal::Task;
use crate::run;
use renraku_wire::{Code, Facility, FacilityApplication, FacilityState, Timestamp};

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

/// Stores an application. The same id again is the same application; true when it was new.
///
/// # Errors
/// The database failed.
pub async fn insert(
    c: &mut Conn,
    town: Id,
    application: &FacilityApplication,
    now: i64,
) -> Result<bool, AppError> {
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

/// Decides an application; returns the manager's mail address. Only one of two decisions at once counts.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::StateConflict`] when it was decided already.
pub async fn decide(
    c: &mut Conn,
    office: &Secretariat,
    id: Id,
    state: FacilityState,
    now: i64,
) -> Result<String, AppError> {
    let town = office.municipality_id();
    let mail: Option<String> =
        run!(c, get_result, facility::table.find((town, id)).select(facility::manager_mail)).optional()?;
    let mail = mail.ok_or(Code::NotFound)?;
    let changed = run!(
        c,
        execute,
        diesel::update(
            facility::table.find((town, id)).filter(facility::state.eq(word(&FacilityState::Applied)))
        )
        .set((
            facility::state.eq(word(&state)),
            facility::decided_at.eq(now),
            facility::decided_by.eq(office.staff_id()),
        ))
    )?;
    if changed == 0 { Err(Code::StateConflict.into()) } else { Ok(mail) }
}

/// Name and mail address of a facility's manager.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn manager(c: &mut Conn, town: Id, id: Id) -> Result<(String, String), AppError> {
    let row: Option<(String, String)> = run!(
        c,
        get_result,
        facility::table.find((town, id)).select((facility::manager_name, facility::manager_mail))
    )
    .optional()?;
    Ok(row.ok_or(Code::NotFound)?)
}

/// What waits for this person here: for the office, applications.
///
/// # Errors
/// The database failed.
pub async fn tasks(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    if who.secretariat().is_err() {
        return Ok(vec![]);
    }
    let waiting: Vec<(String, i64)> = run!(
        c,
        load,
        facility::table
            .filter(facility::municipality_id.eq(who.municipality_id()))
            .filter(facility::state.eq(word(&FacilityState::Applied)))
            .select((facility::name, facility::applied_at))
    )?;
    Ok(waiting
        .into_iter()
        .map(|(name, since)| Task {
            text: format!("{name}の利用申請を確認する"),
            href: "/facilities".to_owned(),
            since,
        })
        .collect())
}
