//! Reporting and each further step: what the API and the portal share.

use super::store::{self, Opened};
use super::{entries, people, rules};
use crate::access::SignedIn;
use crate::db::sql::word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::notice::reminder::DAY;
use crate::notice::{self, About};
use crate::state::App;
use crate::{audit, clock, input};
use renraku_wire::{
    Code, Incident, IncidentId, IncidentState, IncidentStep, NewIncident, NewIncidentEntry, NoticeKind,
};
use std::collections::BTreeSet;

/// Longest text of a report or entry, in characters.
const CHARS: usize = 2_000;
/// A device's clock may run ahead by this much.
const AHEAD_MILLIS: i64 = 10 * 60_000;
/// What was noticed longer ago than this is no report any more.
const BEHIND_MILLIS: i64 = 366 * DAY;

/// Takes a report: it goes to the facility's manager or to the office, as the town says. Sent twice it is
/// one.
///
/// # Errors
/// [`Code::FieldInvalid`], [`Code::IdConflict`].
pub async fn report(app: &App, who: &SignedIn, new: &NewIncident) -> Result<Incident, AppError> {
    let now = clock::now();
    if new.noticed_at.0 > now + AHEAD_MILLIS || new.noticed_at.0 < now - BEHIND_MILLIS {
        return Err(AppError::field("noticed_at"));
    }
    let new =
        NewIncident { description: input::text(&new.description, "description", CHARS)?, ..new.clone() };
    let incident = app
        .db
        .write(async |c| {
            if let Some(device) = new.device_id
                && !people::own_device(c, who, device.into()).await?
            {
                return Err(AppError::field("device_id"));
            }
            let managers = people::managers(c, who, who.facility_id()).await?;
            let manager_waits = !managers.is_empty() && !managers.contains(&who.staff_id());
            let standing = rules::first(new.kind, who.policy(), manager_waits);
            if entries::insert(c, who, &new, standing, now).await? {
                let id = Id::from(new.id);
                let next = match standing.state {
                    IncidentState::Reported => managers,
                    _ => people::office(c, who).await?,
                };
                tell(c, who, id, NoticeKind::IncidentWaiting, next).await?;
                audit::record(c, who.actor(), "incident.report", Some(id), &word(&new.kind)).await?;
            }
            store::whole(c, who, new.id.into()).await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(incident)
}

/// Adds an entry, which may move the report on. Sent twice it is one.
///
/// # Errors
/// [`Code::NotFound`], alike for what the caller may not see; [`Code::RoleInsufficient`],
/// [`Code::StateConflict`], [`Code::FieldInvalid`], [`Code::IdConflict`].
pub async fn enter(
    app: &App,
    who: &SignedIn,
    id: IncidentId,
    new: &NewIncidentEntry,
) -> Result<Incident, AppError> {
    let now = clock::now();
    let text = if new.step == IncidentStep::Receive && new.text.trim().is_empty() {
        String::new()
    } else {
        input::text(&new.text, "text", CHARS)?
    };
    let new = NewIncidentEntry { text, ..new.clone() };
    let incident = app
        .db
        .write(async |c| {
            let report = store::open(c, who, id.into()).await?;
            if !entries::entered(c, who, &report, &new).await? {
                let after = rules::after(report.standing, report.seats, new.step, new.duty, now)
                    .map_err(|code| refusal(code, new.step))?;
                entries::advance(c, who, &report, &new, after, now).await?;
                pass_on(c, who, &report, new.step).await?;
                let action = format!("incident.{}", word(&new.step));
                audit::record(c, who.actor(), &action, Some(id.into()), &word(&after.state)).await?;
            }
            store::whole(c, who, id.into()).await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(incident)
}

fn refusal(code: Code, step: IncidentStep) -> AppError {
    let unsent = matches!(step, IncidentStep::Report | IncidentStep::Unknown);
    match code {
        Code::FieldInvalid => AppError::field(if unsent { "step" } else { "duty" }),
        other => other.into(),
    }
}

/// Tells the next person in line, and those behind.
async fn pass_on(c: &mut Conn, who: &SignedIn, report: &Opened, step: IncidentStep) -> Result<(), AppError> {
    let id = Id::from(report.summary.id);
    let mut others = vec![report.reporter_id];
    others.extend(people::managers(c, who, report.facility_id).await?);
    if step == IncidentStep::Forward {
        let office = people::office(c, who).await?;
        tell(c, who, id, NoticeKind::IncidentWaiting, office).await?;
    } else if step == IncidentStep::Note && report.summary.state != IncidentState::Reported {
        others.extend(people::office(c, who).await?);
    }
    tell(c, who, id, NoticeKind::IncidentUpdated, others).await
}

/// Tells everybody once, but whoever did it.
async fn tell(
    c: &mut Conn,
    who: &SignedIn,
    incident: Id,
    kind: NoticeKind,
    to: Vec<Id>,
) -> Result<(), AppError> {
    let about = About { municipality_id: who.municipality_id(), kind, patient_id: None, post_id: None };
    let to: BTreeSet<Id> = to.into_iter().filter(|id| *id != who.staff_id()).collect();
    notice::queue_for(c, &about, Some(incident), &to.into_iter().collect::<Vec<_>>()).await?;
    Ok(())
}

/// A report with its timeline; that it was read is logged.
///
/// # Errors
/// [`Code::NotFound`], alike for what the caller may not see.
pub async fn read(app: &App, who: &SignedIn, id: IncidentId) -> Result<Incident, AppError> {
    app.db
        .write(async |c| {
            let incident = store::whole(c, who, id.into()).await?;
            audit::record(c, who.actor(), "incident.read", Some(id.into()), "").await?;
            Ok(incident)
        })
        .await
}
