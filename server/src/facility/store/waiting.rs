//! What waits for the office here.

use super::{letters, stray};
use crate::access::SignedIn;
use crate::db::prelude::*;
use crate::db::schema::{
    enrolment_ticket, facility, facility_change, no_mail_report, notice, staff, ticket_letter,
};
use crate::db::sql::word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::portal::Task;
use crate::run;
use renraku_wire::{ChangeState, DeliveryState, FacilityKind, FacilityState, Role};

type Line = (Id, String, i64);

fn task((id, name, since): Line, what: &str) -> Task {
    Task { text: format!("{name}の{what}"), href: format!("/facilities/{id}"), since }
}

/// What waits for this person here: for the office, applications, corrections, returns that do not reach the
/// applicant, changes, mails that did not arrive, and facilities without a manager or with another one on file.
///
/// # Errors
/// The database failed.
pub async fn tasks(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    if who.secretariat().is_err() {
        return Ok(vec![]);
    }
    let town = who.municipality_id();
    let mut tasks = applications(c, town).await?;
    tasks.extend(unreached(c, town).await?);
    tasks.extend(changes(c, town).await?);
    tasks.extend(silent(c, town).await?);
    tasks.extend(stray::task(c, town).await?);
    tasks.extend(
        dead(c, town).await?.into_iter().map(|line| task(line, "証明書のメールが届かない（送信エラー）")),
    );
    tasks.extend(unmanaged(c, town).await?);
    Ok(tasks)
}

async fn applications(c: &mut Conn, town: Id) -> Result<Vec<Task>, AppError> {
    let rows: Vec<(Id, String, i64, Option<i64>)> = run!(
        c,
        load,
        facility::table
            .filter(facility::municipality_id.eq(town))
            .filter(facility::state.eq(word(&FacilityState::Applied)))
            .select((facility::id, facility::name, facility::applied_at, facility::corrected_at))
    )?;
    let tasks = rows.into_iter().map(|(id, name, applied, corrected)| match corrected {
        Some(since) => task((id, name, since), "訂正された申請を確認する"),
        None => task((id, name, applied), "利用申請を確認する"),
    });
    Ok(tasks.collect())
}

/// Returned applications that nobody can correct: the mail with the link is dead, or the link works no longer.
async fn unreached(c: &mut Conn, town: Id) -> Result<Vec<Task>, AppError> {
    let returned: Vec<Line> = run!(
        c,
        load,
        facility::table
            .filter(facility::municipality_id.eq(town))
            .filter(facility::state.eq(word(&FacilityState::Returned)))
            .select((facility::id, facility::name, facility::applied_at))
    )?;
    if returned.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<Id> = returned.iter().map(|line| line.0).collect();
    let good = letters::return_mails(c, town, &ids).await?;
    let line = |line: Line| match good.iter().find(|(of, _)| *of == line.0) {
        None => Some(task(line, "差し戻した申請に対応する（訂正の期限が切れました）")),
        Some((_, mail)) if mail.state == DeliveryState::Dead => Some(task(
            (line.0, line.1, mail.queued_at.0),
            "差し戻した申請に対応する（申請者にメールが届きません）",
        )),
        Some(_) => None,
    };
    Ok(returned.into_iter().filter_map(line).collect())
}

async fn changes(c: &mut Conn, town: Id) -> Result<Vec<Task>, AppError> {
    let rows: Vec<(Line, Option<String>)> = run!(
        c,
        load,
        facility_change::table
            .inner_join(
                facility::table.on(facility::municipality_id
                    .eq(facility_change::municipality_id)
                    .and(facility::id.eq(facility_change::facility_id)))
            )
            .filter(facility_change::municipality_id.eq(town))
            .filter(facility_change::state.eq(word(&ChangeState::Waiting)))
            .select(((facility::id, facility::name, facility_change::asked_at), facility_change::closing))
    )?;
    let what = |closing: bool| {
        if closing { "廃止届を確認する" } else { "登録内容の変更を確認する" }
    };
    Ok(rows.into_iter().map(|(line, closing)| task(line, what(closing.is_some()))).collect())
}

async fn silent(c: &mut Conn, town: Id) -> Result<Vec<Task>, AppError> {
    let rows: Vec<Line> = run!(
        c,
        load,
        no_mail_report::table
            .inner_join(
                facility::table.on(facility::municipality_id
                    .eq(no_mail_report::municipality_id)
                    .and(facility::id.eq(no_mail_report::facility_id)))
            )
            .filter(no_mail_report::municipality_id.eq(town))
            .filter(no_mail_report::settled_at.is_null())
            .select((facility::id, facility::name, no_mail_report::reported_at))
    )?;
    Ok(rows.into_iter().map(|line| task(line, "管理者からの連絡（メールが届かない）に対応する")).collect())
}

async fn dead(c: &mut Conn, town: Id) -> Result<Vec<Line>, AppError> {
    Ok(run!(
        c,
        load,
        ticket_letter::table
            .inner_join(
                facility::table.on(facility::municipality_id
                    .eq(ticket_letter::municipality_id)
                    .and(facility::id.eq(ticket_letter::facility_id)))
            )
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
            .filter(ticket_letter::replaced_at.is_null())
            .filter(notice::state.eq(word(&DeliveryState::Dead)))
            .filter(enrolment_ticket::used_at.is_null())
            .filter(facility::state.eq(word(&FacilityState::Approved)))
            .select((facility::id, facility::name, notice::created_at))
    )?)
}

/// Approved facilities without an active manager, and those where somebody else is on file as their manager.
async fn unmanaged(c: &mut Conn, town: Id) -> Result<Vec<Task>, AppError> {
    let managers: Vec<(Id, String)> = run!(
        c,
        load,
        staff::table
            .filter(staff::municipality_id.eq(town))
            .filter(staff::state.eq("active"))
            .filter(staff::role.eq(word(&Role::FacilityManager)))
            .select((staff::facility_id, staff::name))
    )?;
    let rows: Vec<(Line, String)> = run!(
        c,
        load,
        facility::table
            .filter(facility::municipality_id.eq(town))
            .filter(facility::state.eq(word(&FacilityState::Approved)))
            .filter(facility::kind.ne(word(&FacilityKind::Secretariat)))
            .select(((facility::id, facility::name, facility::applied_at), facility::manager_name))
    )?;
    let mut tasks = vec![];
    for (line, on_file) in rows {
        let names: Vec<&String> = managers.iter().filter(|m| m.0 == line.0).map(|m| &m.1).collect();
        if names.is_empty() {
            tasks.push(task(line, "管理者を決める（管理者がいません）"));
        } else if !names.contains(&&on_file) {
            tasks.push(task(line, "管理者の登録を直す（登録されている人は、今の管理者ではありません）"));
        }
    }
    Ok(tasks)
}
