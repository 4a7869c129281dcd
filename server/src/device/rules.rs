//! The rules of devices and certificates. Pure: facts in, verdict out.

use crate::policy::{ExtraCertificate, MunicipalityPolicy};
use renraku_wire::{DeviceState, Role};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

const DAY: i64 = 86_400_000;

/// Days before its end at which the facility's manager is told of a certificate, the nearest last.
pub const NOTICE_DAYS: [i32; 4] = [30, 14, 7, 1];

/// Whether this role gets No and password for one more device of the own facility (F07).
#[must_use]
pub fn may_issue(role: Role, policy: &MunicipalityPolicy) -> bool {
    match policy.extra_certificate {
        ExtraCertificate::SelfService => {
            matches!(role, Role::Member | Role::FacilityManager | Role::Secretariat)
        }
        ExtraCertificate::FacilityManager => matches!(role, Role::FacilityManager | Role::Secretariat),
        ExtraCertificate::Secretariat => role == Role::Secretariat,
    }
}

/// Where a device stands by its certificate.
#[must_use]
pub fn state(revoked_at: Option<i64>, not_after: i64, policy: &MunicipalityPolicy, now: i64) -> DeviceState {
    if revoked_at.is_some() {
        DeviceState::Revoked
    } else if now > not_after {
        DeviceState::Expired
    } else if renewable(not_after, policy, now) {
        DeviceState::Expiring
    } else {
        DeviceState::Valid
    }
}

/// Whether the time to renew has come.
#[must_use]
pub fn renewable(not_after: i64, policy: &MunicipalityPolicy, now: i64) -> bool {
    not_after - now <= i64::from(policy.renewal_days) * DAY
}

/// Whether a renewed certificate is dead: the town's overlap after the new one was first used. Until then nobody
/// knows whether the new one arrived, and the old one may be all that the device has.
#[must_use]
pub fn superseded(first_used_at: Option<i64>, policy: &MunicipalityPolicy, now: i64) -> bool {
    first_used_at.is_some_and(|used| now - used >= i64::from(policy.renewal_overlap_days) * DAY)
}

/// Which notice of its end is due: the nearest of [`NOTICE_DAYS`] that has been reached. None before the
/// first, and none for a certificate that has ended. A server that slept through one sends the next.
#[must_use]
pub fn due_notice(not_after: i64, now: i64) -> Option<i32> {
    let left = not_after - now;
    if left < 0 {
        return None;
    }
    NOTICE_DAYS.into_iter().rev().find(|days| left <= i64::from(*days) * DAY)
}

/// A No as it is stored, however it was typed: full-width digits, hyphens of every kind or none. Empty for what
/// can be no No.
#[must_use]
pub fn number(typed: &str) -> String {
    let dash = |c: &char| matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{2500}' | 'ー');
    let digits: String = typed.nfkc().filter(|c| !c.is_whitespace() && !dash(c)).take(13).collect();
    if digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit()) {
        format!("{}-{}-{}", &digits[..4], &digits[4..8], &digits[8..])
    } else {
        String::new()
    }
}

/// A No's password as it was mailed, however it was typed: full-width letters, capitals, a space behind it.
#[must_use]
pub fn ticket_password(typed: &str) -> Zeroizing<String> {
    Zeroizing::new(typed.nfkc().collect::<String>().trim().to_lowercase())
}

/// How far the replacement of a device has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replacement {
    /// No and password were not used yet.
    Waiting,
    /// The new device has its certificate; nobody signed in on it yet.
    Unproven,
    /// The new device works; the old one is still good.
    OldStillGood,
    /// The old one is dead.
    Done,
}

/// How far it is, by the new device's first sign-in and the old one's certificate.
#[must_use]
pub fn replacement(new_signed_in: bool, old_good: bool) -> Replacement {
    match (new_signed_in, old_good) {
        (_, false) => Replacement::Done,
        (true, true) => Replacement::OldStillGood,
        (false, true) => Replacement::Unproven,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(extra_certificate: ExtraCertificate) -> MunicipalityPolicy {
        MunicipalityPolicy { extra_certificate, ..MunicipalityPolicy::default() }
    }

    #[test]
    fn who_gets_one_more_certificate_is_policy() {
        let table = [
            (ExtraCertificate::SelfService, [true, true, true]),
            (ExtraCertificate::FacilityManager, [false, true, true]),
            (ExtraCertificate::Secretariat, [false, false, true]),
        ];
        for (extra, expected) in table {
            let policy = policy(extra);
            let got = [Role::Member, Role::FacilityManager, Role::Secretariat].map(|r| may_issue(r, &policy));
            assert_eq!(got, expected, "{extra:?}");
            assert!(!may_issue(Role::Unknown, &policy));
        }
    }

    #[test]
    fn a_no_is_read_however_it_was_typed() {
        for typed in [
            "0123-4567-8901",
            " 0123 4567 8901 ",
            "012345678901",
            "０１２３－４５６７－８９０１",
            "０１２３ー４５６７ー８９０１",
            "0123\u{2212}4567\u{2010}8901",
            "0123—4567ｰ8901",
            "０１２３　４５６７　８９０１",
        ] {
            assert_eq!(number(typed), "0123-4567-8901", "{typed}");
        }
        for nothing in ["", "-", "0123-4567-890", "0123-4567-89012", "0123-4567-890x", "0123\u{0}4567-8901"] {
            assert_eq!(number(nothing), "", "{nothing}");
        }
    }

    #[test]
    fn a_device_passes_through_its_states() {
        let policy = MunicipalityPolicy::default();
        let end = 100 * DAY;
        assert_eq!(state(None, end, &policy, 70 * DAY - 1), DeviceState::Valid);
        assert_eq!(state(None, end, &policy, 70 * DAY), DeviceState::Expiring);
        assert_eq!(state(None, end, &policy, end), DeviceState::Expiring);
        assert_eq!(state(None, end, &policy, end + 1), DeviceState::Expired);
        assert_eq!(state(Some(1), end, &policy, 2), DeviceState::Revoked);
        let wide = MunicipalityPolicy { renewal_days: 90, ..policy };
        assert_eq!(state(None, end, &wide, 10 * DAY), DeviceState::Expiring);
    }

    #[test]
    fn a_renewed_certificate_lives_for_the_overlap_after_the_new_one_is_used() {
        let policy = MunicipalityPolicy::default();
        assert!(!superseded(None, &policy, 1_000 * DAY));
        assert!(!superseded(Some(5), &policy, 7 * DAY + 4));
        assert!(superseded(Some(5), &policy, 7 * DAY + 5));
    }

    #[test]
    fn each_notice_has_its_days() {
        let end = 100 * DAY;
        let left = |days: i64| due_notice(end, end - days * DAY);
        assert_eq!(left(31), None);
        assert_eq!(due_notice(end, end - 30 * DAY - 1), None);
        assert_eq!(left(30), Some(30));
        assert_eq!(left(15), Some(30));
        assert_eq!(left(14), Some(14));
        assert_eq!(left(8), Some(14));
        assert_eq!(left(7), Some(7));
        assert_eq!(left(2), Some(7));
        assert_eq!(left(1), Some(1));
        assert_eq!(left(0), Some(1));
        assert_eq!(due_notice(end, end + 1), None);
    }

    #[test]
    fn a_replacement_ends_with_the_old_device() {
        assert_eq!(replacement(false, true), Replacement::Unproven);
        assert_eq!(replacement(true, true), Replacement::OldStillGood);
        assert_eq!(replacement(true, false), Replacement::Done);
        assert_eq!(replacement(false, false), Replacement::Done);
    }
}
