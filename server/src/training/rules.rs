//! When a training is due. Pure.

use crate::notice::reminder::{DAY, FIRST_DAYS, a_year_after};

/// Days within which a new member of staff takes the first training.
pub const NEW_STAFF_DAYS: i64 = 30;

/// When the next training is due: a year after the last one; for somebody who never took one,
/// [`NEW_STAFF_DAYS`] after the account was made.
#[must_use]
pub fn due(completed_at: Option<i64>, created_at: i64) -> i64 {
    completed_at.map_or(created_at + NEW_STAFF_DAYS * DAY, a_year_after)
}

/// True once the due date has passed.
#[must_use]
pub fn overdue(due: i64, now: i64) -> bool {
    now >= due
}

/// Since when a training waits as a task: from [`FIRST_DAYS`] before it is due. None while it does not.
#[must_use]
pub fn waits_since(due: i64, now: i64) -> Option<i64> {
    let since = due - FIRST_DAYS * DAY;
    (now >= since).then_some(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_staff_have_a_month_and_others_a_year() {
        let made = 1_780_000_000_000;
        assert_eq!(due(None, made), made + 30 * DAY);
        assert_eq!(due(Some(made + DAY), made), a_year_after(made + DAY));
        assert!(!overdue(made, made - 1));
        assert!(overdue(made, made));
    }

    #[test]
    fn it_waits_from_a_month_before() {
        let day = 1_780_000_000_000;
        assert_eq!(waits_since(day, day - 31 * DAY), None);
        assert_eq!(waits_since(day, day - 30 * DAY), Some(day - 30 * DAY));
        assert_eq!(waits_since(day, day + 90 * DAY), Some(day - 30 * DAY));
    }
}
