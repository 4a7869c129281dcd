//! When a training is due. Pure.

use crate::notice::reminder::{DAY, FIRST_DAYS, a_year_after};

/// Days before the first training is due from which it shows as a task and is reminded of. Somebody who begins
/// has other things to read on the first day.
const NEWCOMER_SHOWN_DAYS: i64 = 7;

/// Where somebody stands with the training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// When they last took it.
    pub completed_at: Option<i64>,
    /// When the account was made.
    pub created_at: i64,
    /// Days after that, within which the first one is due, by the town's policy.
    pub first_days: u32,
}

/// When the next training is due: a year after the last one; for somebody who never took one, so many days
/// after the account was made.
#[must_use]
pub fn due(of: Standing) -> i64 {
    of.completed_at.map_or(of.created_at + i64::from(of.first_days) * DAY, a_year_after)
}

/// From when on it shows: [`FIRST_DAYS`] before it is due, the first one [`NEWCOMER_SHOWN_DAYS`] before.
#[must_use]
pub fn shows_from(of: Standing) -> i64 {
    match of.completed_at {
        Some(_) => due(of) - FIRST_DAYS * DAY,
        None => (due(of) - NEWCOMER_SHOWN_DAYS * DAY).max(of.created_at),
    }
}

/// True once the due date has passed.
#[must_use]
pub fn overdue(due: i64, now: i64) -> bool {
    now >= due
}

/// Since when a training waits as a task. None while it does not.
#[must_use]
pub fn waits_since(of: Standing, now: i64) -> Option<i64> {
    let since = shows_from(of);
    (now >= since).then_some(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_staff_have_the_policys_days_and_others_a_year() {
        let made = 1_780_000_000_000;
        let new = |first_days| Standing { completed_at: None, created_at: made, first_days };
        assert_eq!(due(new(30)), made + 30 * DAY);
        assert_eq!(due(new(0)), made);
        assert_eq!(due(Standing { completed_at: Some(made + DAY), ..new(30) }), a_year_after(made + DAY));
        assert!(!overdue(made, made - 1));
        assert!(overdue(made, made));
    }

    #[test]
    fn it_waits_from_a_month_before_and_the_first_one_from_a_week_before() {
        let made = 1_780_000_000_000;
        let new = |first_days| Standing { completed_at: None, created_at: made, first_days };
        assert_eq!(waits_since(new(30), made), None, "nobody's first day");
        assert_eq!(waits_since(new(30), made + 23 * DAY - 1), None);
        assert_eq!(waits_since(new(30), made + 23 * DAY), Some(made + 23 * DAY));
        assert_eq!(waits_since(new(5), made), Some(made), "where the town wants it sooner");
        let taken = Standing { completed_at: Some(made), ..new(30) };
        let day = due(taken);
        assert_eq!(waits_since(taken, day - 31 * DAY), None);
        assert_eq!(waits_since(taken, day - 30 * DAY), Some(day - 30 * DAY));
        assert_eq!(waits_since(taken, day + 90 * DAY), Some(day - 30 * DAY));
    }
}
