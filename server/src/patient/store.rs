//! Patients, consents and teams in the database.

use crate::access::{PatientAccess, Read, Registrar, SignedIn};
use crate::db::prelude::*;
use crate::db::schema::{consent, facility, media, patient, post, receipt, staff, team_member};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::{clock, run};
use renraku_wire::{Code, NewPatient, Patient, PatientSummary, Role, TeamMember, Timestamp};
use std::collections::HashMap;

/// Stores a patient; false when this id was registered before.
///
/// # Errors
/// The database failed.
pub async fn insert(c: &mut Conn, who: &Registrar, new: &NewPatient, now: i64) -> Result<bool, AppError> {
    let rows = run!(
        c,
        execute,
        diesel::insert_into(patient::table)
            .values((
                patient::municipality_id.eq(who.municipality_id()),
                patient::id.eq(Id::from(new.id)),
                patient::name.eq(&new.name),
                patient::kana.eq(&new.kana),
                patient::gender.eq(word(&new.gender)),
                patient::birth_date.eq(&new.birth_date),
                patient::address.eq(&new.address),
                patient::telephone.eq(&new.telephone),
                patient::care_level.eq(&new.care_level),
                patient::registered_by.eq(who.staff_id()),
                patient::created_at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    Ok(rows == 1)
}

/// Stores the consent and ties its document to the patient.
///
/// # Errors
/// [`Code::ConsentMissing`] when the document has not arrived, belongs to somebody else or is another kind.
pub async fn insert_consent(
    c: &mut Conn,
    who: &Registrar,
    new: &NewPatient,
    now: i64,
) -> Result<(), AppError> {
    let town = who.municipality_id();
    let document = Id::from(new.consent.document);
    let tied = run!(
        c,
        execute,
        diesel::update(
            media::table
                .find((town, document))
                .filter(media::kind.eq("document"))
                .filter(media::state.eq("ready"))
                .filter(media::announced_by.eq(who.staff_id()))
                .filter(media::patient_id.is_null())
        )
        .set(media::patient_id.eq(Id::from(new.id)))
    )?;
    if tied == 0 {
        return Err(Code::ConsentMissing.into());
    }
    run!(
        c,
        execute,
        diesel::insert_into(consent::table).values((
            consent::municipality_id.eq(town),
            consent::id.eq(Id::from(new.consent.id)),
            consent::patient_id.eq(Id::from(new.id)),
            consent::document_id.eq(document),
            consent::giver.eq(word(&new.consent.giver)),
            consent::giver_name.eq(&new.consent.giver_name),
            consent::form.eq(word(&new.consent.form)),
            consent::obtained_on.eq(&new.consent.obtained_on),
            consent::recorded_by.eq(who.staff_id()),
            consent::created_at.eq(now),
        ))
    )?;
    Ok(())
}

/// Stores the team.
///
/// # Errors
/// [`Code::TeamInvalid`] when a member is not an active person of an approved facility of this town.
pub async fn insert_team(c: &mut Conn, who: &Registrar, new: &NewPatient, now: i64) -> Result<(), AppError> {
    let town = who.municipality_id();
    let ids: Vec<Id> = new.team.iter().map(|m| m.staff_id.into()).collect();
    let known: i64 = run!(
        c,
        get_result,
        staff::table
            .inner_join(facility::table.on(
                facility::municipality_id.eq(staff::municipality_id).and(facility::id.eq(staff::facility_id))
            ))
            .filter(staff::municipality_id.eq(town))
            .filter(staff::id.eq_any(&ids))
            .filter(staff::state.eq("active"))
            .filter(facility::state.eq("approved"))
            .count()
    )?;
    if usize::try_from(known).ok() != Some(ids.len()) {
        return Err(Code::TeamInvalid.into());
    }
    let rows: Vec<_> = new
        .team
        .iter()
        .map(|m| {
            (
                team_member::municipality_id.eq(town),
                team_member::patient_id.eq(Id::from(new.id)),
                team_member::staff_id.eq(Id::from(m.staff_id)),
                team_member::lead.eq(m.lead),
                team_member::added_by.eq(who.staff_id()),
                team_member::added_at.eq(now),
            )
        })
        .collect();
    run!(c, execute, diesel::insert_into(team_member::table).values(&rows))?;
    Ok(())
}

/// The members of a patient's team, without one of them.
///
/// # Errors
/// The database failed.
pub async fn members_but(c: &mut Conn, town: Id, patient_id: Id, but: Id) -> Result<Vec<Id>, AppError> {
    Ok(run!(
        c,
        load,
        team_member::table
            .filter(team_member::municipality_id.eq(town))
            .filter(team_member::patient_id.eq(patient_id))
            .filter(team_member::removed_at.is_null())
            .filter(team_member::staff_id.ne(but))
            .select(team_member::staff_id)
    )?)
}

/// The patients whom a person may see, newest post first. The office sees all where the policy says so.
///
/// # Errors
/// The database failed.
pub async fn list(c: &mut Conn, who: &SignedIn) -> Result<Vec<PatientSummary>, AppError> {
    let town = who.municipality_id();
    let every = (who.role() == Role::Secretariat && who.policy().office_sees_all_patients)
        .into_sql::<diesel::sql_types::Bool>();
    let mine = team_member::table
        .filter(team_member::municipality_id.eq(town))
        .filter(team_member::staff_id.eq(who.staff_id()))
        .filter(team_member::removed_at.is_null())
        .select(team_member::patient_id);
    type Row = (Id, String, String, String, String);
    let patients: Vec<Row> = run!(
        c,
        load,
        patient::table
            .filter(patient::municipality_id.eq(town))
            .filter(patient::id.eq_any(mine).or(every))
            .order(patient::kana)
            .select((patient::id, patient::name, patient::kana, patient::gender, patient::birth_date))
    )?;
    let ids: Vec<Id> = patients.iter().map(|p| p.0).collect();
    let newest: HashMap<Id, Option<i64>> = run!(
        c,
        load::<(Id, Option<i64>)>,
        post::table
            .filter(post::municipality_id.eq(town))
            .filter(post::patient_id.eq_any(&ids))
            .group_by(post::patient_id)
            .select((post::patient_id, diesel::dsl::max(post::written_at)))
    )?
    .into_iter()
    .collect();
    let unread: HashMap<Id, i64> = run!(
        c,
        load::<(Id, i64)>,
        post::table
            .filter(post::municipality_id.eq(town))
            .filter(post::patient_id.eq_any(&ids))
            .filter(post::author_id.ne(who.staff_id()))
            .filter(diesel::dsl::not(diesel::dsl::exists(
                receipt::table
                    .filter(receipt::municipality_id.eq(town))
                    .filter(receipt::post_id.eq(post::id))
                    .filter(receipt::staff_id.eq(who.staff_id()))
            )))
            .group_by(post::patient_id)
            .select((post::patient_id, diesel::dsl::count_star()))
    )?
    .into_iter()
    .collect();
    let now = clock::now();
    let mut list = Vec::with_capacity(patients.len());
    for (id, name, kana, gender, birth_date) in patients {
        list.push(PatientSummary {
            id: id.into(),
            name,
            kana,
            gender: from_word(&gender)?,
            age: clock::age(&birth_date, now).unwrap_or(0),
            birth_date,
            last_post_at: newest.get(&id).copied().flatten().map(Timestamp),
            unread: unread.get(&id).map_or(0, |n| u32::try_from(*n).unwrap_or(u32::MAX)),
        });
    }
    list.sort_by_key(|p| std::cmp::Reverse(p.last_post_at));
    Ok(list)
}

/// A patient's record.
///
/// # Errors
/// The database failed.
pub async fn get(c: &mut Conn, access: &PatientAccess<Read>) -> Result<Patient, AppError> {
    type Row = (String, String, String, String, String, String, Option<String>);
    let (name, kana, gender, birth_date, address, telephone, care_level): Row = run!(
        c,
        get_result,
        patient::table.find((access.municipality_id(), access.patient_id())).select((
            patient::name,
            patient::kana,
            patient::gender,
            patient::birth_date,
            patient::address,
            patient::telephone,
            patient::care_level
        ))
    )?;
    Ok(Patient {
        id: access.patient_id().into(),
        name,
        kana,
        gender: from_word(&gender)?,
        age: clock::age(&birth_date, clock::now()).unwrap_or(0),
        birth_date,
        address,
        telephone,
        care_level,
        team: team(c, access).await?,
    })
}

/// A patient's team, leads first.
///
/// # Errors
/// The database failed.
pub async fn team(c: &mut Conn, access: &PatientAccess<Read>) -> Result<Vec<TeamMember>, AppError> {
    type Row = (Id, String, String, Id, String, bool);
    let rows: Vec<Row> = run!(
        c,
        load,
        team_member::table
            .inner_join(
                staff::table.on(staff::municipality_id
                    .eq(team_member::municipality_id)
                    .and(staff::id.eq(team_member::staff_id)))
            )
            .inner_join(facility::table.on(
                facility::municipality_id.eq(staff::municipality_id).and(facility::id.eq(staff::facility_id))
            ))
            .filter(team_member::municipality_id.eq(access.municipality_id()))
            .filter(team_member::patient_id.eq(access.patient_id()))
            .filter(team_member::removed_at.is_null())
            .order((team_member::lead.desc(), facility::name, staff::name))
            .select((
                staff::id,
                staff::name,
                staff::profession,
                facility::id,
                facility::name,
                team_member::lead
            ))
    )?;
    rows.into_iter()
        .map(|(staff_id, name, profession, facility_id, facility_name, lead)| {
            Ok(TeamMember {
                staff_id: staff_id.into(),
                name,
                profession: from_word(&profession)?,
                facility_id: facility_id.into(),
                facility_name,
                lead,
            })
        })
        .collect()
}

/// True when the stored registration of this id is this one, by the same person.
///
/// # Errors
/// [`Code::IdConflict`] when the id stands for something else.
pub async fn same_registration(c: &mut Conn, who: &Registrar, new: &NewPatient) -> Result<(), AppError> {
    let stored: Option<(String, String, Id)> = run!(
        c,
        get_result,
        patient::table.find((who.municipality_id(), Id::from(new.id))).select((
            patient::name,
            patient::birth_date,
            patient::registered_by
        ))
    )
    .optional()?;
    let same = stored
        .is_some_and(|(name, born, by)| name == new.name && born == new.birth_date && by == who.staff_id());
    if same { Ok(()) } else { Err(Code::IdConflict.into()) }
}
