//! Reports in the database: who sees which, and what waits. Writing them: `entries`.

use super::rules::{self, Seats, Standing};
use super::{people, words};
use crate::access::SignedIn;
use crate::db::prelude::*;
use crate::db::schema::{facility, incident, incident_entry, staff};
use crate::db::sql::from_word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::notice::reminder::DAY;
use crate::portal::{Task, language};
use crate::{clock, run};
use diesel::sql_types::Bool;
use renraku_wire::{
    Code, Incident, IncidentEntry, IncidentState, IncidentStep, IncidentSummary, Role, Timestamp,
};
use std::collections::HashSet;

/// Reports that a list shows at the most.
const PAGE: i64 = 300;

type Row = (
    (Id, Id, Id, String, i64, Option<Id>),
    (String, String, Option<i64>, Option<i64>, i64, i64),
    (String, String),
);

/// A report that the caller may see. Made here only, by looking.
#[derive(Debug)]
pub struct Opened {
    /// Its head.
    pub summary: IncidentSummary,
    /// Where it stands.
    pub standing: Standing,
    /// What the caller is to it.
    pub seats: Seats,
    /// Its facility.
    pub facility_id: Id,
    /// Who reported.
    pub reporter_id: Id,
    device_id: Option<Id>,
    changed_at: i64,
}

fn opened(who: &SignedIn, (head, fate, names): Row) -> Result<Opened, AppError> {
    let (id, facility_id, reporter_id, kind, noticed_at, device_id) = head;
    let (state, duty, prompt_reported_at, final_reported_at, reported_at, changed_at) = fate;
    let standing = Standing {
        state: from_word(&state)?,
        duty: from_word(&duty)?,
        prompt_reported_at,
        final_reported_at,
    };
    let (prompt_due, final_due) = rules::due(noticed_at, standing);
    Ok(Opened {
        summary: IncidentSummary {
            id: id.into(),
            kind: from_word(&kind)?,
            state: standing.state,
            facility_id: facility_id.into(),
            facility_name: names.0,
            reporter_id: reporter_id.into(),
            reporter_name: names.1,
            noticed_at: Timestamp(noticed_at),
            reported_at: Timestamp(reported_at),
            prompt_due_at: prompt_due.map(Timestamp),
            final_due_at: final_due.map(Timestamp),
        },
        standing,
        seats: Seats {
            reporter: reporter_id == who.staff_id(),
            manager: who.role() == Role::FacilityManager && facility_id == who.facility_id(),
            office: who.role() == Role::Secretariat,
        },
        facility_id,
        reporter_id,
        device_id,
        changed_at,
    })
}

/// The reports that the caller may see, the newest first; or one of them. What is not there and what is
/// another's go the same way.
async fn visible(c: &mut Conn, who: &SignedIn, one: Option<Id>) -> Result<Vec<Opened>, AppError> {
    let every = one.is_none().into_sql::<Bool>();
    let office = (who.role() == Role::Secretariat).into_sql::<Bool>();
    let manager = (who.role() == Role::FacilityManager).into_sql::<Bool>();
    let rows: Vec<Row> = run!(
        c,
        load,
        incident::table
            .inner_join(
                facility::table.on(facility::municipality_id
                    .eq(incident::municipality_id)
                    .and(facility::id.eq(incident::facility_id)))
            )
            .inner_join(staff::table.on(
                staff::municipality_id.eq(incident::municipality_id).and(staff::id.eq(incident::reporter_id))
            ))
            .filter(incident::municipality_id.eq(who.municipality_id()))
            .filter(incident::id.eq(one.unwrap_or(who.staff_id())).or(every))
            .filter(
                incident::reporter_id
                    .eq(who.staff_id())
                    .or(incident::facility_id.eq(who.facility_id()).and(manager))
                    .or(office)
            )
            .order((incident::reported_at.desc(), incident::id.desc()))
            .limit(PAGE)
            .select((
                (
                    incident::id,
                    incident::facility_id,
                    incident::reporter_id,
                    incident::kind,
                    incident::noticed_at,
                    incident::device_id
                ),
                (
                    incident::state,
                    incident::duty,
                    incident::prompt_reported_at,
                    incident::final_reported_at,
                    incident::reported_at,
                    incident::changed_at
                ),
                (facility::name, staff::name)
            ))
    )?;
    rows.into_iter().map(|row| opened(who, row)).collect()
}

/// The reports that the caller may see, the newest first.
///
/// # Errors
/// The database failed.
pub async fn list(c: &mut Conn, who: &SignedIn) -> Result<Vec<Opened>, AppError> {
    visible(c, who, None).await
}

/// One report.
///
/// # Errors
/// [`Code::NotFound`], alike for what the caller may not see.
pub async fn open(c: &mut Conn, who: &SignedIn, id: Id) -> Result<Opened, AppError> {
    visible(c, who, Some(id)).await?.pop().ok_or_else(|| Code::NotFound.into())
}

/// One report with its timeline.
///
/// # Errors
/// [`Code::NotFound`], alike for what the caller may not see.
pub async fn whole(c: &mut Conn, who: &SignedIn, id: Id) -> Result<Incident, AppError> {
    type Line = (Id, String, String, Option<String>, Id, String, i64);
    let report = open(c, who, id).await?;
    let rows: Vec<Line> = run!(
        c,
        load,
        incident_entry::table
            .inner_join(
                staff::table.on(staff::municipality_id
                    .eq(incident_entry::municipality_id)
                    .and(staff::id.eq(incident_entry::author_id)))
            )
            .filter(incident_entry::municipality_id.eq(who.municipality_id()))
            .filter(incident_entry::incident_id.eq(id))
            .order((incident_entry::at, incident_entry::id))
            .select((
                incident_entry::id,
                incident_entry::step,
                incident_entry::text,
                incident_entry::duty,
                incident_entry::author_id,
                staff::name,
                incident_entry::at
            ))
    )?;
    let entry = |(id, step, text, duty, author_id, author_name, at): Line| -> Result<_, AppError> {
        Ok(IncidentEntry {
            id: id.into(),
            step: from_word(&step)?,
            text,
            duty: duty.map(|d| from_word(&d)).transpose()?,
            author_id: author_id.into(),
            author_name,
            at: Timestamp(at),
        })
    };
    Ok(Incident {
        device_id: report.device_id.map(Into::into),
        duty: report.standing.duty,
        entries: rows.into_iter().map(entry).collect::<Result<_, _>>()?,
        steps: rules::steps(report.standing, report.seats),
        summary: report.summary,
    })
}

/// What waits for this person here: for the manager, reports to send on; for the office, reports to receive (also
/// those that nobody has sent on for a day, or that nobody can), the reports that the law asks for with their due dates, and what can be ended.
///
/// # Errors
/// The database failed.
pub async fn tasks(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    if who.facility_admin().is_err() {
        return Ok(vec![]);
    }
    let reports = list(c, who).await?;
    let reported = reports.iter().any(|r| r.seats.office && r.summary.state == IncidentState::Reported);
    let managed = if reported { people::managed(c, who).await? } else { HashSet::new() };
    let a_day_ago = clock::now() - DAY;
    let mut tasks = vec![];
    for report in reports {
        let s = &report.summary;
        let what = format!("{}・{}", s.facility_name, words::kind(s.kind));
        let href = format!("/incidents/{}", s.id);
        let mut add = |text: String, since: i64| tasks.push(Task { text, href: href.clone(), since });
        if report.seats.manager && s.state == IncidentState::Reported {
            add(format!("事故の報告を確認して事務局へ送る（{what}）"), s.reported_at.0);
        }
        if !report.seats.office {
            continue;
        }
        if s.state == IncidentState::Forwarded {
            add(format!("事故の報告を受け付ける（{what}）"), report.changed_at);
        }
        let unsent = s.reported_at.0 < a_day_ago || !managed.contains(&report.facility_id);
        if s.state == IncidentState::Reported && unsent {
            add(format!("事故の報告を受け付ける（{what}。管理者から送られていません）"), s.reported_at.0);
        }
        if let Some(Timestamp(due)) = s.prompt_due_at {
            add(format!("漏えい等の速報をする（期限 {}、{what}）", language::day(due)), s.noticed_at.0);
        }
        if let Some(Timestamp(due)) = s.final_due_at {
            add(format!("漏えい等の確報をする（期限 {}、{what}）", language::day(due)), s.noticed_at.0);
        }
        if rules::steps(report.standing, report.seats).contains(&IncidentStep::Close) {
            add(format!("再発防止をまとめて事故の報告を終える（{what}）"), report.changed_at);
        }
    }
    Ok(tasks)
}
