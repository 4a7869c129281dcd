//! What waits for the office here: patients whose team nobody leads any more, because a facility closed or a
//! person left.

use crate::access::SignedIn;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{patient, team_member};
use crate::error::AppError;
use crate::portal::Task;
use crate::run;
use diesel::dsl::{exists, not};

/// A task for each patient without a lead; one for all of them where the office does not see the patients.
///
/// # Errors
/// The database failed.
pub async fn tasks(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    if who.secretariat().is_err() {
        return Ok(vec![]);
    }
    let leads = team_member::table
        .filter(team_member::municipality_id.eq(patient::municipality_id))
        .filter(team_member::patient_id.eq(patient::id))
        .filter(team_member::lead.eq(true))
        .filter(team_member::removed_at.is_null());
    let rows: Vec<(crate::db::Id, String, i64)> = run!(
        c,
        load,
        patient::table
            .filter(patient::municipality_id.eq(who.municipality_id()))
            .filter(not(exists(leads)))
            .order((patient::created_at, patient::id))
            .select((patient::id, patient::name, patient::created_at))
    )?;
    if rows.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<crate::db::Id> = rows.iter().map(|row| row.0).collect();
    let ended: Vec<(crate::db::Id, Option<i64>)> = run!(
        c,
        load,
        team_member::table
            .filter(team_member::municipality_id.eq(who.municipality_id()))
            .filter(team_member::patient_id.eq_any(&ids))
            .filter(team_member::lead.eq(true))
            .group_by(team_member::patient_id)
            .select((team_member::patient_id, diesel::dsl::max(team_member::removed_at)))
    )?;
    let since = |id, made| ended.iter().find(|e| e.0 == id).and_then(|e| e.1).unwrap_or(made);
    let words = &who.policy().words;
    if !who.policy().office_sees_all_patients {
        let text = format!(
            "{}のいない{}（{}人）の支援チームに連絡し、{}を決めてもらう",
            words.lead,
            words.patient,
            rows.len(),
            words.lead
        );
        let since = rows.iter().map(|(id, _, made)| since(*id, *made)).min().unwrap_or_default();
        return Ok(vec![Task { text, href: "/facilities".to_owned(), since }]);
    }
    Ok(rows
        .into_iter()
        .map(|(id, name, made)| Task {
            text: format!("{name}さんの{}を決めてもらう（{}がいません）", words.lead, words.lead),
            href: format!("/patients/{id}"),
            since: since(id, made),
        })
        .collect())
}
