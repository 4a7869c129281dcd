//! What an account may look like, and how it goes from state to state. Pure.

use crate::error::AppError;
use crate::policy::MunicipalityPolicy;
use crate::{clock, input};
use renraku_wire::{Code, MailKind, Role, StaffState};

/// A user id: 3 to 32 small letters, digits, `.`, `-` or `_`; full-width letters and capitals are read as signing in
/// reads them.
///
/// # Errors
/// [`Code::FieldInvalid`] for `login_id`.
pub fn login_id(given: &str) -> Result<String, AppError> {
    let id = input::login_id(given);
    let ok = (3..=32).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b));
    if ok { Ok(id) } else { Err(AppError::field("login_id")) }
}

/// Where an account stands, by what is stored.
#[must_use]
pub fn state(stored: &str, must_change_password: bool) -> StaffState {
    match stored {
        "active" if must_change_password => StaffState::Granted,
        "active" => StaffState::Active,
        "suspended" => StaffState::Suspended,
        "left" => StaffState::Left,
        _ => StaffState::Unknown,
    }
}

/// What is done to an account (domain 1.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The person changed the first password.
    ChangeFirstPassword,
    /// The manager handed out a new first password.
    NewFirstPassword,
    /// The office suspended the id.
    Suspend,
    /// The office let it be used again.
    Resume {
        /// The first password was not changed before.
        fresh: bool,
    },
    /// The person left.
    Leave,
}

/// Where an account stands afterwards: 付与 → 利用中 → 一時停止 → 復帰, and 退職 from each.
///
/// # Errors
/// [`Code::StateConflict`].
pub fn next(state: StaffState, act: Act) -> Result<StaffState, Code> {
    use StaffState::{Active, Granted, Left, Suspended};
    match (state, act) {
        (Granted, Act::ChangeFirstPassword) => Ok(Active),
        (Granted | Active, Act::NewFirstPassword) => Ok(Granted),
        (Granted | Active, Act::Suspend) => Ok(Suspended),
        (Suspended, Act::Resume { fresh: true }) => Ok(Granted),
        (Suspended, Act::Resume { fresh: false }) => Ok(Active),
        (Granted | Active | Suspended, Act::Leave) => Ok(Left),
        _ => Err(Code::StateConflict),
    }
}

/// The addresses of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mails {
    /// Own.
    pub mail: Option<String>,
    /// What nobody else may have; none where the town does without (F12).
    pub key: Option<String>,
    /// What the own one is.
    pub kind: MailKind,
    /// Where notices go instead, or as well (F13).
    pub forwarding: Option<String>,
}

/// The addresses as typed. Whoever has no own address but one to forward to gets a placeholder, which is a
/// kind and no address: nothing can be sent to it.
///
/// # Errors
/// [`Code::FieldInvalid`] for what is no address, and for a forwarding one where the town has none.
pub fn mails(
    policy: &MunicipalityPolicy,
    mail: Option<&str>,
    forwarding: Option<&str>,
) -> Result<Mails, AppError> {
    let address = |value: Option<&str>, field| match value.map(str::trim) {
        None | Some("") => Ok(None),
        Some(given) => input::mail(given, field).map(Some),
    };
    let mail = address(mail, "mail")?;
    let forwarding = address(forwarding, "forwarding_mail")?;
    if forwarding.is_some() && !policy.forwarding_mail {
        return Err(AppError::field("forwarding_mail"));
    }
    let kind = match (&mail, &forwarding) {
        (Some(_), _) => MailKind::Own,
        (None, Some(_)) => MailKind::Placeholder,
        (None, None) => MailKind::None,
    };
    let key = mail.as_ref().filter(|_| policy.unique_mail).map(|m| m.to_lowercase());
    Ok(Mails { mail, key, kind, forwarding })
}

/// Checks a role against the kind of facility: managers run facilities, the secretariat is the office's.
///
/// # Errors
/// [`Code::FieldInvalid`] for `role`.
pub fn role(role: Role, office: bool) -> Result<Role, AppError> {
    match (role, office) {
        (Role::Member, _) | (Role::FacilityManager, false) | (Role::Secretariat, true) => Ok(role),
        _ => Err(AppError::field("role")),
    }
}

/// True for a role that runs a facility.
#[must_use]
pub fn runs(role: Role) -> bool {
    matches!(role, Role::FacilityManager | Role::Secretariat)
}

/// Refuses to take a facility's last manager away. `others` is how many more there are.
///
/// # Errors
/// [`Code::ManagerNeeded`].
pub fn keeps_a_manager(before: Role, after: Option<Role>, others: i64) -> Result<(), Code> {
    let stays = after.is_some_and(runs);
    if runs(before) && !stays && others == 0 { Err(Code::ManagerNeeded) } else { Ok(()) }
}

/// Who takes the place of the manager on file, of those who manage besides: the only one, where there is an address.
#[must_use]
pub fn successor(others: &[(String, Option<String>)]) -> Option<(String, String)> {
    match others {
        [(name, Some(mail))] => Some((name.clone(), mail.clone())),
        _ => None,
    }
}

/// A last day: today or within the last year, in Japan.
///
/// # Errors
/// [`Code::FieldInvalid`] for `left_on`.
pub fn last_day(given: &str, now: i64) -> Result<String, AppError> {
    let day = input::past_day(given, "left_on", now)?;
    let a_year_ago = clock::japan(now - 366 * 86_400_000).date().to_string();
    if day < a_year_ago { Err(AppError::field("left_on")) } else { Ok(day) }
}

/// A place in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<P, S> {
    /// Whose team.
    pub patient: P,
    /// Who.
    pub staff: S,
    /// Leads it.
    pub lead: bool,
}

/// The patients whose team would be without a lead if this person left.
#[must_use]
pub fn without_lead<P: PartialEq + Copy, S: PartialEq + Copy>(places: &[Place<P, S>], leaver: S) -> Vec<P> {
    places
        .iter()
        .filter(|own| own.staff == leaver && own.lead)
        .filter(|own| !places.iter().any(|p| p.patient == own.patient && p.staff != leaver && p.lead))
        .map(|own| own.patient)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_small_and_plain() {
        assert_eq!(login_id(" Tanaka.H ").unwrap(), "tanaka.h");
        assert_eq!(login_id("　ＡＢＣ１２＿ｘ").unwrap(), "abc12_x");
        for bad in ["ab", "田中さん", "a b c", "x@y", &"a".repeat(33)] {
            assert!(login_id(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_account_goes_its_way_and_no_other() {
        use StaffState::{Active, Granted, Left, Suspended, Unknown};
        let acts = [
            Act::ChangeFirstPassword,
            Act::NewFirstPassword,
            Act::Suspend,
            Act::Resume { fresh: false },
            Act::Resume { fresh: true },
            Act::Leave,
        ];
        let way = |from| acts.map(|act| next(from, act).ok());
        assert_eq!(way(Granted), [Some(Active), Some(Granted), Some(Suspended), None, None, Some(Left)]);
        assert_eq!(way(Active), [None, Some(Granted), Some(Suspended), None, None, Some(Left)]);
        assert_eq!(way(Suspended), [None, None, None, Some(Active), Some(Granted), Some(Left)]);
        assert_eq!(way(Left), [None; 6], "who left never comes back on the same account");
        assert_eq!(way(Unknown), [None; 6]);
        assert_eq!(next(Left, Act::Resume { fresh: false }), Err(Code::StateConflict));
    }

    #[test]
    fn stored_words_are_read() {
        assert_eq!(state("active", true), StaffState::Granted);
        assert_eq!(state("active", false), StaffState::Active);
        assert_eq!(state("suspended", true), StaffState::Suspended);
        assert_eq!(state("left", false), StaffState::Left);
        assert_eq!(state("of a newer server", false), StaffState::Unknown);
    }

    #[test]
    fn addresses_are_own_unique_forwarded_or_a_placeholder() {
        let policy = MunicipalityPolicy::default();
        let own = mails(&policy, Some(" Hanako@Example.invalid "), None).unwrap();
        assert_eq!((own.kind, own.mail.as_deref()), (MailKind::Own, Some("Hanako@Example.invalid")));
        assert_eq!(own.key.as_deref(), Some("hanako@example.invalid"));
        let placeholder = mails(&policy, Some(""), Some("all@example.invalid")).unwrap();
        assert_eq!(
            (placeholder.kind, placeholder.mail, placeholder.key),
            (MailKind::Placeholder, None, None)
        );
        assert_eq!(mails(&policy, None, Some(" ")).unwrap().kind, MailKind::None);
        assert!(mails(&policy, Some("nonsense"), None).is_err());
        let shared = MunicipalityPolicy { unique_mail: false, ..policy.clone() };
        assert_eq!(mails(&shared, Some("a@example.invalid"), None).unwrap().key, None);
        let plain = MunicipalityPolicy { forwarding_mail: false, ..policy };
        assert!(mails(&plain, None, Some("all@example.invalid")).is_err());
        assert!(mails(&plain, Some("a@example.invalid"), Some("")).is_ok());
    }

    #[test]
    fn roles_belong_to_kinds_of_facilities_and_one_manager_stays() {
        assert!(role(Role::FacilityManager, false).is_ok() && role(Role::FacilityManager, true).is_err());
        assert!(role(Role::Secretariat, true).is_ok() && role(Role::Secretariat, false).is_err());
        assert!(role(Role::Member, true).is_ok() && role(Role::Unknown, false).is_err());
        let needed = Err(Code::ManagerNeeded);
        assert_eq!(keeps_a_manager(Role::FacilityManager, None, 0), needed);
        assert_eq!(keeps_a_manager(Role::Secretariat, Some(Role::Member), 0), needed);
        assert_eq!(keeps_a_manager(Role::FacilityManager, Some(Role::FacilityManager), 0), Ok(()));
        assert_eq!(keeps_a_manager(Role::FacilityManager, None, 1), Ok(()));
        assert_eq!(keeps_a_manager(Role::Member, None, 0), Ok(()));
    }

    #[test]
    fn the_only_other_manager_takes_the_place_on_file() {
        let of = |name: &str, mail: Option<&str>| (name.to_owned(), mail.map(str::to_owned));
        let (a, b) = (of("a", Some("a@example.invalid")), of("b", Some("b@example.invalid")));
        assert_eq!(successor(std::slice::from_ref(&a)), Some(("a".into(), "a@example.invalid".into())));
        assert_eq!(successor(&[a, b]), None);
        assert_eq!(successor(&[of("a", None)]), None);
        assert_eq!(successor(&[]), None);
    }

    #[test]
    fn the_last_day_is_near_and_not_ahead() {
        let now = "2026-11-22T03:00:00Z".parse::<jiff::Timestamp>().unwrap().as_millisecond();
        assert_eq!(last_day(" 2026-11-22 ", now).unwrap(), "2026-11-22");
        assert!(last_day("2025-11-23", now).is_ok());
        for bad in ["2026-11-23", "2025-11-01", "1926-11-22", "", "昨日"] {
            assert!(last_day(bad, now).is_err(), "{bad}");
        }
    }

    #[test]
    fn teams_that_would_lose_their_lead_are_found() {
        let place = |patient, staff, lead| Place { patient, staff, lead };
        let places = [
            place('a', 1, true),
            place('a', 2, false),
            place('b', 1, true),
            place('b', 2, true),
            place('c', 1, false),
            place('c', 2, true),
            place('d', 2, true),
        ];
        assert_eq!(without_lead(&places, 1), ['a']);
        assert_eq!(without_lead(&places, 2), ['c', 'd']);
        assert_eq!(without_lead(&places, 3), [] as [char; 0]);
    }
}
