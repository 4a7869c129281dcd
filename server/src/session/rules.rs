//! When a wrong password locks an account. Pure.

use crate::policy::MunicipalityPolicy;

/// What is stored after a wrong password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AfterWrong {
    /// Wrong ones in a row.
    pub failed_count: i32,
    /// Locked until, UTC milliseconds.
    pub locked_until: Option<i64>,
}

/// True while the account is locked.
#[must_use]
pub fn locked(locked_until: Option<i64>, now: i64) -> bool {
    locked_until.is_some_and(|until| now < until)
}

/// Counts one more wrong password; the last of `lock_after` locks and starts a new count.
#[must_use]
pub fn wrong(failed_count: i32, policy: &MunicipalityPolicy, now: i64) -> AfterWrong {
    let failed_count = failed_count.saturating_add(1);
    if i64::from(failed_count) >= i64::from(policy.lock_after) {
        AfterWrong { failed_count: 0, locked_until: Some(now + i64::from(policy.lock_minutes) * 60_000) }
    } else {
        AfterWrong { failed_count, locked_until: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_wrong_password_locks_for_a_quarter_of_an_hour() {
        let policy = MunicipalityPolicy::default();
        let mut count = 0;
        for expected in 1..5 {
            let after = wrong(count, &policy, 1_000);
            assert_eq!(after, AfterWrong { failed_count: expected, locked_until: None });
            count = after.failed_count;
        }
        let after = wrong(count, &policy, 1_000);
        assert_eq!(after, AfterWrong { failed_count: 0, locked_until: Some(901_000) });
        assert!(locked(after.locked_until, 900_999));
        assert!(!locked(after.locked_until, 901_000));
        assert!(!locked(None, 0));
    }
}
