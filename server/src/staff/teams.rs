//! The team memberships of somebody who leaves.

use super::rules::{self, Place};
use crate::access::FacilityAdmin;
use crate::db::prelude::*;
use crate::db::schema::team_member;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;

/// What a successor takes over.
#[derive(Debug)]
pub struct Handed {
    /// The patient.
    pub patient_id: Id,
    /// The successor was not in the team before.
    pub joined: bool,
}

/// The current members of every team that a person is in.
///
/// # Errors
/// The database failed.
pub async fn places(c: &mut Conn, town: Id, staff_id: Id) -> Result<Vec<Place<Id, Id>>, AppError> {
    let patients: Vec<Id> = run!(
        c,
        load,
        team_member::table
            .filter(team_member::municipality_id.eq(town))
            .filter(team_member::staff_id.eq(staff_id))
            .filter(team_member::removed_at.is_null())
            .select(team_member::patient_id)
    )?;
    let rows: Vec<(Id, Id, bool)> = run!(
        c,
        load,
        team_member::table
            .filter(team_member::municipality_id.eq(town))
            .filter(team_member::removed_at.is_null())
            .filter(team_member::patient_id.eq_any(&patients))
            .select((team_member::patient_id, team_member::staff_id, team_member::lead))
    )?;
    Ok(rows.into_iter().map(|(patient, staff, lead)| Place { patient, staff, lead }).collect())
}

/// Makes the successor lead of the teams that would be without one.
///
/// # Errors
/// The database failed.
pub async fn hand_over(
    c: &mut Conn,
    admin: &FacilityAdmin,
    places: &[Place<Id, Id>],
    leaver: Id,
    successor: Id,
    now: i64,
) -> Result<Vec<Handed>, AppError> {
    let mut handed = Vec::new();
    for patient_id in rules::without_lead(places, leaver) {
        let joined = !places.iter().any(|p| p.patient == patient_id && p.staff == successor);
        let was_there = (
            team_member::lead.eq(true),
            team_member::removed_at.eq(None::<i64>),
            team_member::added_by.eq(admin.staff_id()),
            team_member::added_at.eq(now),
        );
        if joined {
            run!(
                c,
                execute,
                diesel::insert_into(team_member::table)
                    .values((
                        team_member::municipality_id.eq(admin.municipality_id()),
                        team_member::patient_id.eq(patient_id),
                        team_member::staff_id.eq(successor),
                        team_member::lead.eq(true),
                        team_member::added_by.eq(admin.staff_id()),
                        team_member::added_at.eq(now),
                    ))
                    .on_conflict((
                        team_member::municipality_id,
                        team_member::patient_id,
                        team_member::staff_id
                    ))
                    .do_update()
                    .set(was_there)
            )?;
        } else {
            let place = team_member::table.find((admin.municipality_id(), patient_id, successor));
            run!(c, execute, diesel::update(place).set(team_member::lead.eq(true)))?;
        }
        handed.push(Handed { patient_id, joined });
    }
    Ok(handed)
}

/// Ends a person's memberships; that they were there stays.
///
/// # Errors
/// The database failed.
pub async fn end(c: &mut Conn, town: Id, staff_id: Id, now: i64) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(
            team_member::table
                .filter(team_member::municipality_id.eq(town))
                .filter(team_member::staff_id.eq(staff_id))
                .filter(team_member::removed_at.is_null())
        )
        .set(team_member::removed_at.eq(now))
    )?;
    Ok(())
}
