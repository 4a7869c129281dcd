//! Who has read a post, and who pressed 👍 (F49, F50).

use super::rules;
use crate::access::{PatientAccess, Read};
use crate::db::prelude::*;
use crate::db::schema::{facility, post, receipt, staff, team_member};
use crate::db::sql::from_word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::{clock, run};
use renraku_wire::{Code, NewReceipt, Receipt, Timestamp};

/// Records that the caller saw a post, and their 👍. Reading is recorded once; the author's own is not.
///
/// # Errors
/// [`Code::FieldInvalid`] with `acknowledged` in a town without 👍.
pub async fn put(
    c: &mut Conn,
    access: &PatientAccess<Read>,
    post_id: Id,
    new: NewReceipt,
) -> Result<(), AppError> {
    rules::acknowledged(new.acknowledged, access.policy())?;
    let town = access.municipality_id();
    let author: Id = run!(c, get_result, post::table.find((town, post_id)).select(post::author_id))?;
    if author == access.staff_id() {
        return Ok(());
    }
    let now = clock::now();
    run!(
        c,
        execute,
        diesel::insert_into(receipt::table)
            .values((
                receipt::municipality_id.eq(town),
                receipt::post_id.eq(post_id),
                receipt::staff_id.eq(access.staff_id()),
                receipt::read_at.eq(new.read_at.0.min(now)),
            ))
            .on_conflict_do_nothing()
    )?;
    if let Some(on) = new.acknowledged {
        let at = on.then_some(now);
        run!(
            c,
            execute,
            diesel::update(
                receipt::table
                    .find((town, post_id, access.staff_id()))
                    .filter(receipt::acknowledged_at.is_null().eq(on))
            )
            .set(receipt::acknowledged_at.eq(at))
        )?;
    }
    Ok(())
}

/// Who has read a post: for its author and the team's leads, as the town says.
///
/// # Errors
/// [`Code::RoleInsufficient`] for anybody else of the team.
pub async fn list(c: &mut Conn, access: &PatientAccess<Read>, post_id: Id) -> Result<Vec<Receipt>, AppError> {
    let town = access.municipality_id();
    let author: Id = run!(c, get_result, post::table.find((town, post_id)).select(post::author_id))?;
    if !rules::sees_readers(author == access.staff_id(), access.lead(), access.policy()) {
        return Err(Code::RoleInsufficient.into());
    }
    type Row = (Id, String, String, String, Option<i64>, Option<i64>);
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
            .left_join(
                receipt::table.on(receipt::municipality_id
                    .eq(team_member::municipality_id)
                    .and(receipt::staff_id.eq(team_member::staff_id))
                    .and(receipt::post_id.eq(post_id)))
            )
            .filter(team_member::municipality_id.eq(town))
            .filter(team_member::patient_id.eq(access.patient_id()))
            .filter(team_member::removed_at.is_null())
            .filter(team_member::staff_id.ne(author))
            .order((facility::name, staff::name))
            .select((
                staff::id,
                staff::name,
                staff::profession,
                facility::name,
                receipt::read_at.nullable(),
                receipt::acknowledged_at.nullable()
            ))
    )?;
    let mut receipts = rows
        .into_iter()
        .map(|(staff_id, name, profession, facility_name, read_at, acknowledged_at)| {
            Ok(Receipt {
                staff_id: staff_id.into(),
                name,
                profession: from_word(&profession)?,
                facility_name,
                read_at: read_at.map(Timestamp),
                acknowledged_at: acknowledged_at.filter(|_| access.policy().thumbs_ack).map(Timestamp),
            })
        })
        .collect::<Result<Vec<_>, AppError>>()?;
    receipts.sort_by_key(|r| (r.read_at.is_none(), r.read_at));
    Ok(receipts)
}
