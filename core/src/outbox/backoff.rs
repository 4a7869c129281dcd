//! How long to wait after a try in vain. Pure but for the dice.

use rand::Rng;
use renraku_wire::Timestamp;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Longest wait that a server may ask for, and so the longest of all.
pub(super) const MOST: Duration = Duration::from_secs(60 * 60);

/// The wait after `tries` tries in vain (1 after the first): doubling from 2 s up to 15 min, of which half is
/// chance, so that a town's phones do not come back all at once after an outage. Never less than what the
/// server asked for.
pub(super) fn wait(tries: u32, asked: Option<Duration>) -> Duration {
    let full = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST);
    let half = full / 2;
    let chance = half.mul_f64(rand::rng().random());
    (half + chance).max(asked.unwrap_or_default().min(MOST))
}

/// When it is `wait` from now.
pub(super) fn after(now: Timestamp, tries: u32, asked: Option<Duration>) -> Timestamp {
    Timestamp(now.0.saturating_add(millis(wait(tries, asked))))
}

/// True when the time has come, and when it lies further ahead than anything is put off: then the clock was set
/// back meanwhile.
pub(super) fn is_due(next_try_at: Timestamp, now: Timestamp) -> bool {
    next_try_at <= now || next_try_at.0 > now.0.saturating_add(millis(MOST))
}

fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_millis()).unwrap_or(i64::MAX)
}

/// When the receipts are tried again. In memory only: after a start they are tried at once.
#[derive(Debug)]
pub(crate) struct Retry {
    pub(super) tries: u32,
    pub(super) next_try_at: Timestamp,
}

impl Default for Retry {
    fn default() -> Self {
        Self { tries: 0, next_try_at: Timestamp(0) }
    }
}

impl Retry {
    /// A try in vain.
    pub(super) fn defer(&mut self, next: Timestamp) {
        self.tries = self.tries.saturating_add(1);
        self.next_try_at = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_holds_nothing_up() {
        let now = Timestamp(1_000_000_000);
        let hour = 3_600_000;
        for (ahead, due) in [(-1, true), (0, true), (1, false), (hour, false), (hour + 1, true)] {
            assert_eq!(is_due(Timestamp(now.0 + ahead), now), due, "{ahead}");
        }
        assert!(!is_due(after(now, 1000, Some(Duration::MAX)), now), "the longest wait is one");
    }

    #[test]
    fn doubles_up_to_a_quarter_of_an_hour() {
        for (tries, full) in [(1, 2), (2, 4), (5, 32), (10, 900), (1000, 900)] {
            let wait = wait(tries, None).as_secs_f64();
            let full = f64::from(full);
            assert!((full / 2.0..=full).contains(&wait), "{tries}: {wait}");
        }
    }

    #[test]
    fn differs_from_one_phone_to_the_next() {
        let waits: std::collections::HashSet<_> = (0..20).map(|_| wait(8, None)).collect();
        assert!(waits.len() > 10);
    }

    #[test]
    fn keeps_to_what_the_server_asked_within_reason() {
        assert!(wait(1, Some(Duration::from_secs(120))) >= Duration::from_secs(120));
        assert!(wait(1, Some(Duration::from_secs(1_000_000))) <= Duration::from_secs(3600));
    }
}
