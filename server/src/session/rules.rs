//! How wrong passwords slow a sign-in down. Pure.
//!
//! Three tallies are kept for a town: of one user id on one device, of one user id over all devices of one
//! facility, and of one device over all user ids. User ids that nobody has are counted like others, so that a lock tells
//! nothing.
//!
//! - **One id on one device** answers to itself alone: `lock_after` wrong ones lock that id on that device
//!   for `lock_minutes`, each further `lock_after` for twice as long, up to eight times. By the defaults
//!   that is at most 75 guesses a day.
//! - **One id over all devices of a facility** and **one device over all ids** bind only where the person never
//!   signed in on that device: there each delay is short (from one minute, at most `lock_minutes`). By the
//!   defaults that is at most 118 guesses a day at one id from all strange devices of its facility together, and
//!   540 a day from one device at all strange ids together. An account opens on its own facility's devices only:
//!   what is tried on others' is no guess at it, and is counted apart.
//!
//! So whoever guesses on one device cannot keep a colleague out on another one, on a shared tablet cannot keep
//! out those who use it, and from another facility cannot keep out a newcomer of this one.

use crate::policy::MunicipalityPolicy;

const MINUTE: i64 = 60_000;
/// A tally without a wrong password for this long starts anew.
pub const FORGET: i64 = 24 * 60 * MINUTE;
/// A device is a person's own for this long after they last signed in there.
pub const KNOWN: i64 = 90 * 24 * 60 * MINUTE;

/// What is kept of wrong passwords.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub failed: i32,
    /// When the last one was.
    pub failed_at: i64,
    /// Locked until, UTC milliseconds.
    pub locked_until: Option<i64>,
    /// When the person last signed in there.
    pub known_at: Option<i64>,
}

impl Tally {
    /// True while it is locked.
    #[must_use]
    pub fn locked(&self, now: i64) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    fn known(&self, now: i64) -> bool {
        self.known_at.is_some_and(|at| now - at < KNOWN)
    }

    /// Counts one more wrong password.
    #[must_use]
    pub fn wrong(&self, scale: Scale, now: i64) -> Self {
        let before = if now - self.failed_at >= FORGET { 0 } else { self.failed };
        let failed = before.saturating_add(1);
        let over = i64::from(failed) - scale.free;
        let locked_until = if over >= 0 && over % scale.step == 0 {
            let doublings = u32::try_from((over / scale.step).min(30)).unwrap_or(30);
            Some(now + scale.first.saturating_mul(1 << doublings).min(scale.cap))
        } else {
            self.locked_until
        };
        Self { failed, failed_at: now, locked_until, ..*self }
    }

    /// What a right password leaves of it.
    #[must_use]
    pub fn right(now: i64) -> Self {
        Self { failed: 0, failed_at: 0, locked_until: None, known_at: Some(now) }
    }
}

/// When a tally locks, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    free: i64,
    step: i64,
    first: i64,
    cap: i64,
}

impl Scale {
    /// One user id on one device.
    #[must_use]
    pub fn pair(policy: &MunicipalityPolicy) -> Self {
        let (after, lasts) = policy_figures(policy);
        Self { free: after, step: after, first: lasts, cap: lasts * 8 }
    }

    /// One user id over all devices of a facility.
    #[must_use]
    pub fn account(policy: &MunicipalityPolicy) -> Self {
        let (after, lasts) = policy_figures(policy);
        Self { free: after * 4, step: 1, first: MINUTE.min(lasts), cap: lasts }
    }

    /// One device over all user ids.
    #[must_use]
    pub fn device(policy: &MunicipalityPolicy) -> Self {
        let (after, lasts) = policy_figures(policy);
        Self { free: after * 10, step: after, first: MINUTE.min(lasts), cap: lasts }
    }
}

fn policy_figures(policy: &MunicipalityPolicy) -> (i64, i64) {
    (i64::from(policy.lock_after.max(1)), i64::from(policy.lock_minutes.max(1)) * MINUTE)
}

/// The three tallies that a sign-in meets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tallies {
    /// Of this user id on this device.
    pub pair: Tally,
    /// Of this user id over all devices of this one's facility.
    pub account: Tally,
    /// Of this device over all user ids.
    pub device: Tally,
}

impl Tallies {
    /// Until when this sign-in has to wait, if it has to.
    #[must_use]
    pub fn wait(&self, now: i64) -> Option<i64> {
        let all = [self.pair, self.account, self.device];
        let binding = if self.pair.known(now) { &all[..1] } else { &all[..] };
        binding.iter().filter(|t| t.locked(now)).filter_map(|t| t.locked_until).max()
    }

    /// Counts one more wrong password.
    #[must_use]
    pub fn wrong(&self, policy: &MunicipalityPolicy, now: i64) -> Self {
        Self {
            pair: self.pair.wrong(Scale::pair(policy), now),
            account: self.account.wrong(Scale::account(policy), now),
            device: self.device.wrong(Scale::device(policy), now),
        }
    }
}

/// Minutes from now until then, as a sentence says them.
#[must_use]
pub fn minutes(until: i64, now: i64) -> i64 {
    (until - now).div_euclid(MINUTE) + i64::from((until - now).rem_euclid(MINUTE) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wrong passwords that a guesser gets in during one day by coming back the moment each lock ends.
    fn guesses(mut next: impl FnMut(i64) -> Option<i64>) -> usize {
        let (mut now, mut count) = (1_000, 0);
        while now < 1_000 + FORGET {
            match next(now) {
                Some(until) => now = until,
                None => count += 1,
            }
        }
        count
    }

    #[test]
    fn the_fifth_wrong_password_locks_for_a_quarter_of_an_hour_and_then_for_longer() {
        let policy = MunicipalityPolicy::default();
        let mut tallies = Tallies::default();
        for _ in 0..4 {
            tallies = tallies.wrong(&policy, 1_000);
            assert_eq!(tallies.wait(1_000), None);
        }
        tallies = tallies.wrong(&policy, 1_000);
        assert_eq!(tallies.wait(900_999), Some(901_000));
        assert_eq!(tallies.wait(901_000), None);
        for _ in 0..5 {
            tallies = tallies.wrong(&policy, 901_000);
        }
        assert_eq!(tallies.wait(901_001), Some(901_000 + 30 * MINUTE));
        assert_eq!(minutes(901_000, 1_000), 15);
        assert_eq!(minutes(901_001, 1_000), 16);
    }

    #[test]
    fn on_one_device_an_id_is_guessed_at_most_75_times_a_day() {
        let policy = MunicipalityPolicy::default();
        let mut tally = Tally::default();
        let count = guesses(|now| {
            if tally.locked(now) {
                return tally.locked_until;
            }
            tally = tally.wrong(Scale::pair(&policy), now);
            None
        });
        assert_eq!(count, 75);
    }

    #[test]
    fn from_all_strange_devices_together_an_id_is_guessed_at_most_118_times_a_day() {
        let policy = MunicipalityPolicy::default();
        let mut account = Tally::default();
        let count = guesses(|now| {
            // Each guess comes from a device that was never seen.
            let fresh = Tallies { account, ..Tallies::default() };
            if let Some(until) = fresh.wait(now) {
                return Some(until);
            }
            account = fresh.wrong(&policy, now).account;
            None
        });
        assert_eq!(count, 118);
    }

    #[test]
    fn from_one_device_all_ids_together_are_guessed_at_most_540_times_a_day() {
        let policy = MunicipalityPolicy::default();
        let mut device = Tally::default();
        let count = guesses(|now| {
            let fresh = Tallies { device, ..Tallies::default() };
            if let Some(until) = fresh.wait(now) {
                return Some(until);
            }
            device = fresh.wrong(&policy, now).device;
            None
        });
        assert_eq!(count, 540);
    }

    #[test]
    fn an_own_device_answers_for_itself_alone() {
        let policy = MunicipalityPolicy::default();
        let stormed = (0..500).fold(Tallies::default(), |t, _| t.wrong(&policy, 1_000));
        let own = Tallies { pair: Tally::right(0), ..stormed };
        assert_eq!(own.wait(1_000), None, "failures elsewhere do not bind on the own device");
        let strange = Tallies { pair: Tally::default(), ..stormed };
        let until = strange.wait(1_000).unwrap();
        assert_eq!(minutes(until, 1_000), 15, "on a strange device the wait is short, however many failed");
        let old = Tallies { pair: Tally { known_at: Some(1_000 - KNOWN), ..Tally::default() }, ..stormed };
        assert!(old.wait(1_000).is_some(), "a device not used for long is strange again");
    }

    #[test]
    fn a_day_of_peace_forgets_and_a_right_password_clears() {
        let policy = MunicipalityPolicy::default();
        let four = (0..4).fold(Tally::default(), |t, _| t.wrong(Scale::pair(&policy), 1_000));
        let fifth = four.wrong(Scale::pair(&policy), 1_000 + FORGET);
        assert_eq!((fifth.failed, fifth.locked_until), (1, None));
        assert_eq!(Tally::right(7), Tally { known_at: Some(7), ..Tally::default() });
    }

    #[test]
    fn a_policy_of_nothing_still_counts() {
        let policy = MunicipalityPolicy { lock_after: 0, lock_minutes: 0, ..MunicipalityPolicy::default() };
        let once = Tallies::default().wrong(&policy, 1_000);
        assert_eq!(once.wait(1_000), Some(1_000 + MINUTE));
        let many = (0..i32::from(u8::MAX)).fold(once, |t, _| t.wrong(&policy, 1_000));
        assert_eq!(many.wait(1_000), Some(1_000 + 8 * MINUTE));
    }
}
