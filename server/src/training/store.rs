//! Completions in the database.

use super::{material, rules};
use crate::access::{FacilityAdmin, SignedIn};
use crate::db::prelude::*;
use crate::db::schema::{facility, staff, training};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::portal::{Task, language};
use crate::{clock, run};
use renraku_wire::{Code, NewTraining, Timestamp, TrainingLine, TrainingStatus};
use std::collections::HashMap;

/// An active member of staff and their last completion.
#[derive(Debug)]
pub(super) struct Person {
    pub id: Id,
    pub name: String,
    pub facility_name: String,
    pub completed_at: Option<i64>,
    pub due_at: i64,
    pub shows_from: i64,
}

/// Active staff of approved facilities, or of one; the earliest due first.
pub(super) async fn people(
    c: &mut Conn,
    town: Id,
    first_days: u32,
    only: Option<Id>,
) -> Result<Vec<Person>, AppError> {
    let every = only.is_none().into_sql::<diesel::sql_types::Bool>();
    let rows: Vec<(Id, String, String, i64)> = run!(
        c,
        load,
        staff::table
            .inner_join(facility::table.on(
                facility::municipality_id.eq(staff::municipality_id).and(facility::id.eq(staff::facility_id))
            ))
            .filter(staff::municipality_id.eq(town))
            .filter(staff::state.eq("active"))
            .filter(facility::state.eq("approved"))
            .filter(staff::facility_id.eq(only.unwrap_or(town)).or(every))
            .select((staff::id, staff::name, facility::name, staff::created_at))
    )?;
    let done: Vec<(Id, Option<i64>)> = run!(
        c,
        load,
        training::table
            .filter(training::municipality_id.eq(town))
            .group_by(training::staff_id)
            .select((training::staff_id, diesel::dsl::max(training::completed_at)))
    )?;
    let done: HashMap<Id, Option<i64>> = done.into_iter().collect();
    let mut people: Vec<Person> = rows
        .into_iter()
        .map(|(id, name, facility_name, created_at)| {
            let completed_at = done.get(&id).copied().flatten();
            let standing = rules::Standing { completed_at, created_at, first_days };
            let (due_at, shows_from) = (rules::due(standing), rules::shows_from(standing));
            Person { id, name, facility_name, completed_at, due_at, shows_from }
        })
        .collect();
    people.sort_by(|a, b| (a.due_at, &a.name).cmp(&(b.due_at, &b.name)));
    Ok(people)
}

/// Where the caller stands.
///
/// # Errors
/// The database failed.
pub async fn status(c: &mut Conn, who: &SignedIn) -> Result<TrainingStatus, AppError> {
    let standing = standing(c, who).await?;
    let due = who.policy().yearly_training.then(|| rules::due(standing));
    Ok(TrainingStatus {
        due_at: due.map(Timestamp),
        completed_at: standing.completed_at.map(Timestamp),
        material_version: material::VERSION.to_owned(),
        material: material::sections(&who.policy().words),
    })
}

async fn standing(c: &mut Conn, who: &SignedIn) -> Result<rules::Standing, AppError> {
    let (town, me) = (who.municipality_id(), who.staff_id());
    let created_at: i64 = run!(c, get_result, staff::table.find((town, me)).select(staff::created_at))?;
    let completed_at: Option<i64> = run!(
        c,
        get_result,
        training::table
            .filter(training::municipality_id.eq(town))
            .filter(training::staff_id.eq(me))
            .select(diesel::dsl::max(training::completed_at))
    )?;
    Ok(rules::Standing { completed_at, created_at, first_days: who.policy().training_first_days })
}

/// Records a completion; true when it is new. The same one again is the same completion.
///
/// # Errors
/// [`Code::FieldInvalid`] for another version than the current one; [`Code::IdConflict`] for an id that
/// stands for something else.
pub async fn complete(c: &mut Conn, who: &SignedIn, new: &NewTraining, now: i64) -> Result<bool, AppError> {
    let (town, id) = (who.municipality_id(), Id::from(new.id));
    let same: Option<(Id, String)> = run!(
        c,
        get_result,
        training::table.find((town, id)).select((training::staff_id, training::material_version))
    )
    .optional()?;
    if let Some((staff_id, version)) = same {
        let mine = staff_id == who.staff_id() && version == new.material_version;
        return if mine { Ok(false) } else { Err(Code::IdConflict.into()) };
    }
    if new.material_version != material::VERSION {
        return Err(AppError::field("material_version"));
    }
    let rows = run!(
        c,
        execute,
        diesel::insert_into(training::table)
            .values((
                training::municipality_id.eq(town),
                training::id.eq(id),
                training::staff_id.eq(who.staff_id()),
                training::material_version.eq(&new.material_version),
                training::completed_at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    Ok(rows == 1)
}

/// Who is due when: the own facility's active staff, everybody's for the office. Empty where the town asks
/// for no yearly training.
///
/// # Errors
/// The database failed.
pub async fn overview(c: &mut Conn, admin: &FacilityAdmin, now: i64) -> Result<Vec<TrainingLine>, AppError> {
    if !admin.policy().yearly_training {
        return Ok(vec![]);
    }
    let only = admin.secretariat().is_err().then(|| admin.facility_id());
    let people = people(c, admin.municipality_id(), admin.policy().training_first_days, only).await?;
    Ok(people
        .into_iter()
        .map(|p| TrainingLine {
            staff_id: p.id.into(),
            name: p.name,
            facility_name: p.facility_name,
            completed_at: p.completed_at.map(Timestamp),
            due_at: Timestamp(p.due_at),
            overdue: rules::overdue(p.due_at, now),
        })
        .collect())
}

/// What waits for this person here: the own training some time before it is due; for managers and the
/// office, those who are overdue.
///
/// # Errors
/// The database failed.
pub async fn tasks(c: &mut Conn, who: &SignedIn) -> Result<Vec<Task>, AppError> {
    let now = clock::now();
    let mut tasks = vec![];
    let standing = standing(c, who).await?;
    if who.policy().yearly_training
        && let Some(since) = rules::waits_since(standing, now)
    {
        let due = rules::due(standing);
        let text = format!("年1回のセキュリティ研修を受ける（期限 {}）", language::day(due));
        tasks.push(Task { text, href: "/training".to_owned(), since });
    }
    if let Ok(admin) = who.facility_admin() {
        let me = who.staff_id().into();
        let late: Vec<_> =
            overview(c, &admin, now).await?.into_iter().filter(|l| l.overdue && l.staff_id != me).collect();
        if let Some(first) = late.first() {
            let text =
                format!("研修の期限を過ぎた{}に受講を促す（{}人）", who.policy().words.staff, late.len());
            tasks.push(Task { text, href: "/training/overview".to_owned(), since: first.due_at.0 });
        }
    }
    Ok(tasks)
}
