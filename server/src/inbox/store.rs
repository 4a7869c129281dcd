//! Lines of the inbox in the database. Everything is of the caller's own facility; what is for its managers
//! only they see.

use super::rules::{self, Act, Standing};
use crate::access::SignedIn;
use crate::db::prelude::*;
use crate::db::schema::{inbox_line, staff};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::notice::Target;
use crate::notice::inbox::managers_kinds;
use crate::notice::reminder::DAY;
use crate::portal::Task;
use crate::{clock, notice, run};
use renraku_wire::{Code, InboxLine, NoticeKind, Problem, Role, Timestamp};

/// Ticked-off lines show for this long.
const KEPT_MILLIS: i64 = 14 * DAY;
/// Lines that a page shows at the most.
const PAGE: i64 = 300;

mod alias {
    //! The person who has a line, beside the one it was addressed to.
    diesel::alias!(crate::db::schema::staff as holder: Holder);
}
use alias::holder;

type Row = (
    (Id, String, Id, String, i64),
    (Option<Id>, Option<Id>, Option<Id>),
    (Option<Id>, Option<String>, Option<i64>),
);

/// A line with where it leads.
#[derive(Debug)]
pub struct Line {
    /// As the contract has it.
    pub wire: InboxLine,
    /// Where it leads.
    pub path: String,
}

fn line((head, about, fate): Row) -> Result<Line, AppError> {
    let (id, kind, staff_id, staff_name, created_at) = head;
    let (patient_id, post_id, object_id) = about;
    let (claimed_by, claimed_by_name, done_at) = fate;
    let kind = from_word(&kind)?;
    Ok(Line {
        path: Target { kind, patient_id, post_id, object_id }.path(),
        wire: InboxLine {
            id: id.into(),
            kind,
            staff_id: staff_id.into(),
            staff_name,
            created_at: Timestamp(created_at),
            patient_id: patient_id.map(Into::into),
            post_id: post_id.map(Into::into),
            claimed_by: claimed_by.map(Into::into),
            claimed_by_name,
            done_at: done_at.map(Timestamp),
        },
    })
}

/// The facility's lines that the caller sees: those that wait, those that somebody has, those ticked off lately.
///
/// # Errors
/// The database failed.
pub async fn list(c: &mut Conn, who: &SignedIn, now: i64) -> Result<Vec<Line>, AppError> {
    rows(c, who, None, now).await
}

/// One line.
///
/// # Errors
/// [`Code::NotFound`], alike for another facility's and for what only its managers see.
pub async fn get(c: &mut Conn, who: &SignedIn, id: Id) -> Result<Line, AppError> {
    rows(c, who, Some(id), i64::MIN + KEPT_MILLIS).await?.pop().ok_or_else(|| Code::NotFound.into())
}

/// Who runs the facility sees every line; the others those that are not a manager's, and of reports only
/// news for themselves.
fn hidden(who: &SignedIn) -> Vec<String> {
    if manages(who) { vec![] } else { managers_kinds() }
}

/// True for whoever runs the own facility.
fn manages(who: &SignedIn) -> bool {
    matches!(who.role(), Role::FacilityManager | Role::Secretariat)
}

async fn rows(c: &mut Conn, who: &SignedIn, one: Option<Id>, now: i64) -> Result<Vec<Line>, AppError> {
    let manager = manages(who).into_sql::<diesel::sql_types::Bool>();
    let every = one.is_none().into_sql::<diesel::sql_types::Bool>();
    let id = one.unwrap_or(who.staff_id());
    let rows: Vec<Row> = run!(
        c,
        load,
        inbox_line::table
            .inner_join(
                staff::table.on(staff::municipality_id
                    .eq(inbox_line::municipality_id)
                    .and(staff::id.eq(inbox_line::staff_id)))
            )
            .left_join(
                holder.on(holder
                    .field(staff::municipality_id)
                    .eq(inbox_line::municipality_id)
                    .and(holder.field(staff::id).nullable().eq(inbox_line::claimed_by)))
            )
            .filter(inbox_line::municipality_id.eq(who.municipality_id()))
            .filter(inbox_line::facility_id.eq(who.facility_id()))
            .filter(inbox_line::id.eq(id).or(every))
            .filter(inbox_line::kind.ne_all(hidden(who)))
            .filter(
                inbox_line::kind
                    .ne(word(&NoticeKind::IncidentUpdated))
                    .or(inbox_line::staff_id.eq(who.staff_id()))
                    .or(manager)
            )
            .filter(
                inbox_line::done_at.is_null().or(inbox_line::done_at.assume_not_null().gt(now - KEPT_MILLIS))
            )
            .order((
                inbox_line::done_at.is_not_null(),
                inbox_line::claimed_by.is_not_null(),
                inbox_line::created_at,
                inbox_line::id
            ))
            .limit(PAGE)
            .select((
                (inbox_line::id, inbox_line::kind, inbox_line::staff_id, staff::name, inbox_line::created_at),
                (inbox_line::patient_id, inbox_line::post_id, inbox_line::object_id),
                (inbox_line::claimed_by, holder.field(staff::name).nullable(), inbox_line::done_at)
            ))
    )?;
    rows.into_iter().map(line).collect()
}

/// Claims, gives back or ticks off. Of two who claim at once, one has it.
///
/// # Errors
/// [`Code::NotFound`], alike for another facility's; [`Code::StateConflict`], which names who has it.
pub async fn act(c: &mut Conn, who: &SignedIn, id: Id, act: Act, now: i64) -> Result<Line, AppError> {
    let found = get(c, who, id).await?;
    let before =
        Standing { claimed_by: found.wire.claimed_by.map(Into::into), done: found.wire.done_at.is_some() };
    let after = rules::after(before, act, who.staff_id(), manages(who))
        .map_err(|code| conflict(code, found.wire.claimed_by_name.as_deref()))?;
    if after == before {
        return Ok(found);
    }
    run!(
        c,
        execute,
        diesel::update(inbox_line::table.find((who.municipality_id(), id))).set((
            inbox_line::claimed_by.eq(after.claimed_by),
            inbox_line::claimed_at.eq(after.claimed_by.map(|_| now)),
            inbox_line::done_at.eq(after.done.then_some(now)),
        ))
    )?;
    get(c, who, id).await
}

fn conflict(code: Code, who_has_it: Option<&str>) -> AppError {
    let mut problem = Problem::new(code);
    if let Some(name) = who_has_it {
        problem.detail = format!("{name}さんが受け取っています。画面を開き直して確認してください。");
    }
    problem.into()
}

/// How many lines that the caller sees nobody has claimed, and since when the oldest waits.
///
/// # Errors
/// The database failed.
pub async fn unclaimed(c: &mut Conn, who: &SignedIn) -> Result<(i64, Option<i64>), AppError> {
    let person = (who.municipality_id(), who.facility_id(), who.staff_id());
    notice::inbox::unclaimed(c, person, manages(who)).await
}

/// What waits for this person here: unclaimed lines; and for the manager, once one has waited for a day, the
/// advice to look daily (F15).
///
/// # Errors
/// The database failed.
pub async fn tasks(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    let (count, Some(since)) = unclaimed(c, who).await? else { return Ok(vec![]) };
    let href = "/inbox".to_owned();
    let mut tasks =
        vec![Task {
            text: format!("共有のお知らせ{count}件を受け取る"), href: href.clone(), since
        }];
    if who.facility_admin().is_ok() && clock::now() - since > DAY {
        let text = "共有のお知らせが1日以上そのままです。毎日確認するよう職場で決めてください".to_owned();
        tasks.push(Task { text, href, since: since + DAY });
    }
    Ok(tasks)
}
