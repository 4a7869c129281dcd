//! Dead letters: pushes and mails that will not arrive, for the office to see. The reason is the carrier's
//! status; address, token and text stay out.

use crate::db::prelude::*;
use crate::db::schema::{facility, notice, staff};
use crate::db::sql::from_word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use renraku_wire::{Code, Timestamp, Undelivered};

const PAGE: i64 = 200;

type Row = (Id, String, String, Option<String>, Option<Id>, Option<i64>, i64, Option<String>, Option<String>);

/// The town's dead letters that nobody has dealt with, the newest first, with the recipient's name.
///
/// # Errors
/// The database failed.
pub async fn undelivered(c: &mut Conn, town: Id) -> Result<Vec<(Undelivered, Option<String>)>, AppError> {
    let rows: Vec<Row> = run!(
        c,
        load,
        notice::table
            .left_join(
                staff::table.on(staff::municipality_id
                    .eq(notice::municipality_id)
                    .and(staff::id.nullable().eq(notice::staff_id)))
            )
            .left_join(
                facility::table.on(facility::municipality_id
                    .eq(notice::municipality_id)
                    .and(facility::id.nullable().eq(staff::facility_id.nullable())))
            )
            .filter(notice::municipality_id.eq(town))
            .filter(notice::state.eq("dead"))
            .filter(notice::handled_at.is_null())
            .order(notice::done_at.desc())
            .limit(PAGE)
            .select((
                notice::id,
                notice::kind,
                notice::channel,
                notice::last_error,
                notice::staff_id,
                notice::done_at,
                notice::created_at,
                facility::name.nullable(),
                staff::name.nullable()
            ))
    )?;
    rows.into_iter()
        .map(|(id, kind, channel, reason, staff_id, done_at, created_at, facility_name, name)| {
            let letter = Undelivered {
                id: id.into(),
                kind: from_word(&kind)?,
                channel,
                reason: without_addresses(&reason.unwrap_or_default()),
                staff_id: staff_id.map(Into::into),
                facility_name,
                given_up_at: Timestamp(done_at.unwrap_or(created_at)),
            };
            Ok((letter, name))
        })
        .collect()
}

/// How many dead letters wait, and since when the oldest does.
///
/// # Errors
/// The database failed.
pub async fn undelivered_waiting(c: &mut Conn, town: Id) -> Result<Option<(i64, i64)>, AppError> {
    let (count, oldest): (i64, Option<i64>) = run!(
        c,
        get_result,
        notice::table
            .filter(notice::municipality_id.eq(town))
            .filter(notice::state.eq("dead"))
            .filter(notice::handled_at.is_null())
            .select((diesel::dsl::count_star(), diesel::dsl::min(notice::done_at)))
    )?;
    Ok(oldest.map(|since| (count, since)))
}

/// Mails that were due this long ago and that nobody has tried to send tell that there is no mail carrier.
const UNTOUCHED_MILLIS: i64 = 10 * 60_000;

/// How many mails nobody has tried to send, and since when the oldest waits: no mail carrier is set up, or
/// none of the servers runs.
///
/// # Errors
/// The database failed.
pub async fn mails_left_lying(c: &mut Conn, town: Id, now: i64) -> Result<Option<(i64, i64)>, AppError> {
    let (count, oldest): (i64, Option<i64>) = run!(
        c,
        get_result,
        notice::table
            .filter(notice::municipality_id.eq(town))
            .filter(notice::state.eq("queued"))
            .filter(notice::channel.eq("mail"))
            .filter(notice::tries.eq(0))
            .filter(notice::due_at.lt(now - UNTOUCHED_MILLIS))
            .select((diesel::dsl::count_star(), diesel::dsl::min(notice::created_at)))
    )?;
    Ok(oldest.map(|since| (count, since)))
}

/// Puts a dead letter aside. A second time changes nothing.
///
/// # Errors
/// [`Code::NotFound`] for one that is not there or not dead.
pub async fn handle_undelivered(c: &mut Conn, town: Id, id: Id, by: Id, now: i64) -> Result<(), AppError> {
    let dead: Option<Option<i64>> = run!(
        c,
        get_result,
        notice::table.find((town, id)).filter(notice::state.eq("dead")).select(notice::handled_at)
    )
    .optional()?;
    if dead.ok_or(Code::NotFound)?.is_none() {
        let handled = (notice::handled_at.eq(Some(now)), notice::handled_by.eq(Some(by)));
        run!(c, execute, diesel::update(notice::table.find((town, id))).set(handled))?;
    }
    Ok(())
}

/// A carrier may quote the address: words with an `@` are left out.
fn without_addresses(reason: &str) -> String {
    reason.split_whitespace().filter(|w| !w.contains('@')).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::without_addresses;

    #[test]
    fn a_quoted_address_is_not_shown() {
        assert_eq!(without_addresses("smtp 550 <a@example.invalid> unknown"), "smtp 550 unknown");
        assert_eq!(without_addresses("smtp 550"), "smtp 550");
    }
}
