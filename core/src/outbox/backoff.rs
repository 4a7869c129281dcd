//! How long to wait after a try in vain. Pure but for the dice.

use rand::Rng;
use std::time::Duration;

const FIRST: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The wait after `tries` tries in vain (1 after the first): doubling from 2 s up to 15 min, of which half is
/// chance, so that a town's phones do not come back all at once after an outage. Never less than what the
/// server asked for.
pub(super) fn wait(tries: u32, asked: Option<Duration>) -> Duration {
    let full = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST);
    let half = full / 2;
    let chance = half.mul_f64(rand::rng().random());
    (half + chance).max(asked.unwrap_or_default().min(LONGEST * 4))
}

#[cfg(test)]
mod tests {
    use super::*;

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
