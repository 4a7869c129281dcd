//! Writing reports and their entries.

use super::rules::Standing;
use super::store::Opened;
use crate::access::SignedIn;
use crate::db::prelude::*;
use crate::db::schema::{incident, incident_entry};
use crate::db::sql::word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{Code, IncidentStep, LegalDuty, NewIncident, NewIncidentEntry};

/// Stores a report; true when it is new.
///
/// # Errors
/// [`Code::IdConflict`] for an id that stands for something else.
pub async fn insert(
    c: &mut Conn,
    who: &SignedIn,
    new: &NewIncident,
    standing: Standing,
    now: i64,
) -> Result<bool, AppError> {
    let (town, id) = (who.municipality_id(), Id::from(new.id));
    let device_id = new.device_id.map(Id::from);
    let rows = run!(
        c,
        execute,
        diesel::insert_into(incident::table)
            .values((
                incident::municipality_id.eq(town),
                incident::id.eq(id),
                incident::facility_id.eq(who.facility_id()),
                incident::reporter_id.eq(who.staff_id()),
                incident::kind.eq(word(&new.kind)),
                incident::noticed_at.eq(new.noticed_at.0),
                incident::device_id.eq(device_id),
                incident::state.eq(word(&standing.state)),
                incident::duty.eq(word(&standing.duty)),
                incident::reported_at.eq(now),
                incident::changed_at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    if rows == 1 {
        let step = IncidentStep::Report;
        add(c, who, id, Id::new(), step, &new.description, None, now).await?;
        return Ok(true);
    }
    let stored: (Id, String, i64, Option<Id>, String) = run!(
        c,
        get_result,
        incident::table
            .inner_join(
                incident_entry::table.on(incident_entry::municipality_id
                    .eq(incident::municipality_id)
                    .and(incident_entry::incident_id.eq(incident::id)))
            )
            .filter(incident::municipality_id.eq(town))
            .filter(incident::id.eq(id))
            .filter(incident_entry::step.eq(word(&IncidentStep::Report)))
            .select((
                incident::reporter_id,
                incident::kind,
                incident::noticed_at,
                incident::device_id,
                incident_entry::text
            ))
    )?;
    let sent = (who.staff_id(), word(&new.kind), new.noticed_at.0, device_id, new.description.clone());
    if stored == sent { Ok(false) } else { Err(Code::IdConflict.into()) }
}

#[expect(clippy::too_many_arguments, reason = "the columns of one row")]
async fn add(
    c: &mut Conn,
    who: &SignedIn,
    incident: Id,
    id: Id,
    step: IncidentStep,
    text: &str,
    duty: Option<LegalDuty>,
    now: i64,
) -> Result<bool, AppError> {
    let rows = run!(
        c,
        execute,
        diesel::insert_into(incident_entry::table)
            .values((
                incident_entry::municipality_id.eq(who.municipality_id()),
                incident_entry::id.eq(id),
                incident_entry::incident_id.eq(incident),
                incident_entry::step.eq(word(&step)),
                incident_entry::text.eq(text),
                incident_entry::duty.eq(duty.map(|d| word(&d))),
                incident_entry::author_id.eq(who.staff_id()),
                incident_entry::at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    Ok(rows == 1)
}

/// True when this very entry was stored before.
///
/// # Errors
/// [`Code::IdConflict`] for an id that stands for another entry.
pub async fn entered(
    c: &mut Conn,
    who: &SignedIn,
    report: &Opened,
    new: &NewIncidentEntry,
) -> Result<bool, AppError> {
    let stored: Option<(Id, Id, String, String, Option<String>)> = run!(
        c,
        get_result,
        incident_entry::table.find((who.municipality_id(), Id::from(new.id))).select((
            incident_entry::incident_id,
            incident_entry::author_id,
            incident_entry::step,
            incident_entry::text,
            incident_entry::duty
        ))
    )
    .optional()?;
    let sent = (
        Id::from(report.summary.id),
        who.staff_id(),
        word(&new.step),
        new.text.clone(),
        new.duty.map(|d| word(&d)),
    );
    match stored {
        None => Ok(false),
        Some(stored) if stored == sent => Ok(true),
        Some(_) => Err(Code::IdConflict.into()),
    }
}

/// Adds an entry and lets the report stand where it then stands.
///
/// # Errors
/// [`Code::IdConflict`].
pub async fn advance(
    c: &mut Conn,
    who: &SignedIn,
    report: &Opened,
    new: &NewIncidentEntry,
    after: Standing,
    now: i64,
) -> Result<(), AppError> {
    let id = Id::from(report.summary.id);
    if !add(c, who, id, new.id.into(), new.step, &new.text, new.duty, now).await? {
        return Err(Code::IdConflict.into());
    }
    if after != report.standing {
        run!(
            c,
            execute,
            diesel::update(incident::table.find((who.municipality_id(), id))).set((
                incident::state.eq(word(&after.state)),
                incident::duty.eq(word(&after.duty)),
                incident::prompt_reported_at.eq(after.prompt_reported_at),
                incident::final_reported_at.eq(after.final_reported_at),
                incident::changed_at.eq(now),
            ))
        )?;
    }
    Ok(())
}
