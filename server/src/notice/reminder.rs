//! Reminders of things with a due date: 30 and 7 days before, on the day, then weekly; each once.

use crate::clock;
use crate::db::prelude::*;
use crate::db::schema::reminder;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::run;
use jiff::ToSpan as _;

/// A day in milliseconds.
pub const DAY: i64 = 86_400_000;

/// Days before the due date from which a duty shows as a task, and is reminded of.
pub const FIRST_DAYS: i64 = 30;

/// The reminder whose turn it is: days left to the due date, `30`, `7`, `0`, then `-7`, `-14` …; none while
/// the due date is further away. Only the newest counts: what a stopped server missed is not made up for.
#[must_use]
pub fn stage(due: i64, now: i64) -> Option<i64> {
    let left = due - now;
    if left > FIRST_DAYS * DAY {
        None
    } else if left > 7 * DAY {
        Some(FIRST_DAYS)
    } else if left > 0 {
        Some(7)
    } else {
        Some(-7 * (-left / (7 * DAY)))
    }
}

/// The same day and hour one year later, in Japan; 28 February for 29 February.
#[must_use]
pub fn a_year_after(millis: i64) -> i64 {
    clock::japan(millis).checked_add(1.year()).map_or(millis + 365 * DAY, |z| z.timestamp().as_millisecond())
}

/// Records a reminder inside the caller's transaction; true when it is the first of its kind, so that the
/// caller tells. `about` names the duty, `mark` this reminder of it.
///
/// # Errors
/// The database failed.
pub async fn once(
    c: &mut Conn,
    town: Id,
    about: &str,
    subject: Id,
    mark: &str,
    now: i64,
) -> Result<bool, AppError> {
    let rows = run!(
        c,
        execute,
        diesel::insert_into(reminder::table)
            .values((
                reminder::municipality_id.eq(town),
                reminder::about.eq(about),
                reminder::subject_id.eq(subject),
                reminder::mark.eq(mark),
                reminder::sent_at.eq(now),
            ))
            .on_conflict_do_nothing()
    )?;
    Ok(rows == 1)
}

/// As [`once`], for the reminder of this due date whose turn it is.
///
/// # Errors
/// The database failed.
pub async fn turn(
    c: &mut Conn,
    town: Id,
    about: &str,
    subject: Id,
    due: i64,
    now: i64,
) -> Result<bool, AppError> {
    match stage(due, now) {
        Some(days) => once(c, town, about, subject, &format!("{due}/{days}"), now).await,
        None => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reminders_come_at_30_7_and_0_days_and_then_weekly() {
        let due = 1_800_000_000_000;
        let at = |days: i64, more: i64| stage(due, due - days * DAY + more);
        assert_eq!(at(31, 0), None);
        assert_eq!(at(30, -1), None);
        assert_eq!(at(30, 0), Some(30));
        assert_eq!(at(8, 0), Some(30));
        assert_eq!(at(7, 0), Some(7));
        assert_eq!(at(0, -1), Some(7));
        assert_eq!(at(0, 0), Some(0));
        assert_eq!(at(-6, 0), Some(0));
        assert_eq!(at(-7, 0), Some(-7));
        assert_eq!(at(-13, 0), Some(-7));
        assert_eq!(at(-14, 0), Some(-14));
    }

    #[test]
    fn a_year_ends_on_the_same_day_in_japan() {
        let at = |s: &str| s.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        assert_eq!(a_year_after(at("2026-03-01T00:00:00Z")), at("2027-03-01T00:00:00Z"));
        assert_eq!(a_year_after(at("2028-02-28T20:00:00Z")), at("2029-02-27T20:00:00Z"));
    }
}
