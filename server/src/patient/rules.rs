//! What a registration must hold. Pure.

use crate::error::AppError;
use crate::policy::{ConsentDelivery, ConsentPolicy, MunicipalityPolicy};
use crate::{clock, input};
use renraku_wire::{Code, ConsentGiver, NewConsent, NewPatient, Profession, Role, limits};
use std::collections::HashSet;

/// 要介護状態区分 codes (domain 3.5).
const CARE_LEVELS: &[&str] = &["01", "06", "11", "12", "13", "21", "22", "23", "24", "25"];

/// Cleans a registration's fields.
///
/// # Errors
/// [`Code::FieldInvalid`] with the field; [`Code::TeamInvalid`].
pub fn check(new: &NewPatient, policy: &MunicipalityPolicy, now: i64) -> Result<NewPatient, AppError> {
    let birth_date = input::past_day(&new.birth_date, "birth_date", now)?;
    if let Some(least) = policy.eligibility.min_age
        && clock::age(&birth_date, now).is_none_or(|age| age < least)
    {
        return Err(AppError::field("birth_date"));
    }
    if new.care_level.as_deref().is_some_and(|level| !CARE_LEVELS.contains(&level)) {
        return Err(AppError::field("care_level"));
    }
    Ok(NewPatient {
        id: new.id,
        name: input::line(&new.name, "name")?,
        kana: input::line(&new.kana, "kana")?,
        gender: new.gender,
        birth_date,
        address: input::line(&new.address, "address")?,
        telephone: input::line_or_empty(&new.telephone, "telephone")?,
        care_level: new.care_level.clone(),
        consent: consent(&new.consent, &policy.consent, now)?,
        team: team(new)?,
    })
}

/// Who may record a consent (F26): a person of a profession that explains in this town; the office where
/// it explains itself, or where copies reach it in another way than by upload (F28), so that it records what
/// others obtained.
///
/// # Errors
/// [`Code::RoleInsufficient`].
pub fn may_record(role: Role, profession: Profession, policy: &ConsentPolicy) -> Result<(), Code> {
    let allowed = if role == Role::Secretariat {
        policy.office_explains || policy.delivery.iter().any(|way| *way != ConsentDelivery::Upload)
    } else {
        policy.explainers.is_empty() || policy.explainers.contains(&profession)
    };
    if allowed { Ok(()) } else { Err(Code::RoleInsufficient) }
}

fn consent(new: &NewConsent, policy: &ConsentPolicy, now: i64) -> Result<NewConsent, AppError> {
    if !policy.givers.contains(&new.giver) {
        return Err(AppError::field("consent.giver"));
    }
    if !policy.forms.contains(&new.form) {
        return Err(AppError::field("consent.form"));
    }
    let giver_name = match (new.giver, new.giver_name.as_deref()) {
        (ConsentGiver::Patient, _) => None,
        (_, name) => Some(input::line(name.unwrap_or_default(), "consent.giver_name")?),
    };
    Ok(NewConsent {
        giver_name,
        obtained_on: input::past_day(&new.obtained_on, "consent.obtained_on", now)?,
        ..new.clone()
    })
}

fn team(new: &NewPatient) -> Result<Vec<renraku_wire::NewTeamMember>, AppError> {
    let distinct: HashSet<_> = new.team.iter().map(|m| m.staff_id).collect();
    let leads = new.team.iter().filter(|m| m.lead).count();
    let most = limits::LINE_CHARS;
    if leads == 0 || distinct.len() != new.team.len() || new.team.len() > most {
        return Err(Code::TeamInvalid.into());
    }
    // In one order, whatever a page's tick boxes came in: sent twice it is the same.
    let mut team = new.team.clone();
    team.sort_unstable_by_key(|m| m.staff_id.0);
    Ok(team)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Eligibility;
    use renraku_wire::*;

    fn new() -> NewPatient {
        NewPatient {
            id: PatientId::new(),
            name: "試験 花子".into(),
            kana: "シケン ハナコ".into(),
            gender: Gender::Female,
            birth_date: "1940-05-01".into(),
            address: "架空町1-1".into(),
            telephone: String::new(),
            care_level: Some("23".into()),
            consent: NewConsent {
                id: ConsentId::new(),
                document: MediaId::new(),
                giver: ConsentGiver::Patient,
                giver_name: None,
                form: ConsentForm::Municipal,
                obtained_on: "2026-01-05".into(),
            },
            team: vec![NewTeamMember { staff_id: StaffId::new(), lead: true }],
        }
    }

    #[test]
    fn the_town_says_who_explains_a_consent() {
        let mut policy = MunicipalityPolicy::default().consent;
        let by = |role, profession, policy: &ConsentPolicy| may_record(role, profession, policy).is_ok();
        assert!(by(Role::Member, Profession::Helper, &policy), "nobody is named: everybody may");
        policy.explainers = vec![Profession::Nurse, Profession::CareManager];
        assert!(by(Role::Member, Profession::Nurse, &policy));
        assert!(by(Role::FacilityManager, Profession::CareManager, &policy));
        assert!(!by(Role::Member, Profession::Helper, &policy));
        assert!(!by(Role::FacilityManager, Profession::Clerk, &policy));
        assert!(by(Role::Secretariat, Profession::Clerk, &policy), "the office explains too");
        policy.office_explains = false;
        assert!(by(Role::Secretariat, Profession::Clerk, &policy), "it records what came by FAX");
        policy.delivery = vec![ConsentDelivery::Upload];
        assert!(!by(Role::Secretariat, Profession::Clerk, &policy));
    }

    #[test]
    fn the_town_says_who_consents_and_on_which_form() {
        let now = 1_795_000_000_000;
        let mut policy = MunicipalityPolicy::default();
        let field = |new: &NewPatient, policy: &MunicipalityPolicy| match check(new, policy, now) {
            Err(AppError::Refused(p)) => p.field.clone().unwrap_or_default(),
            _ => String::new(),
        };
        let mut family = new();
        family.consent.giver = ConsentGiver::Family;
        family.consent.giver_name = Some("試験 次郎".into());
        assert_eq!(field(&family, &policy), "");
        policy.consent.givers = vec![ConsentGiver::Patient];
        assert_eq!(field(&family, &policy), "consent.giver");
        assert_eq!(field(&new(), &policy), "");
        let mut own = new();
        own.consent.form = ConsentForm::OwnClause;
        assert_eq!(field(&own, &policy), "");
        policy.consent.forms = vec![ConsentForm::Municipal];
        assert_eq!(field(&own, &policy), "consent.form");
    }

    #[test]
    fn fields_team_and_age_are_checked() {
        let now = 1_795_000_000_000;
        let policy = MunicipalityPolicy::default();
        assert!(check(&new(), &policy, now).is_ok());
        let eligibility = Eligibility { min_age: Some(40), ..policy.eligibility };
        let from_40 = MunicipalityPolicy { eligibility, ..policy.clone() };
        assert!(check(&new(), &from_40, now).is_ok());
        let young = NewPatient { birth_date: "1999-01-01".into(), ..new() };
        assert!(check(&young, &policy, now).is_ok());
        assert!(check(&young, &from_40, now).is_err());
        assert!(check(&NewPatient { care_level: Some("99".into()), ..new() }, &policy, now).is_err());
        assert!(check(&NewPatient { name: " ".into(), ..new() }, &policy, now).is_err());
        assert!(check(&NewPatient { team: vec![], ..new() }, &policy, now).is_err());
        let twice = NewTeamMember { staff_id: StaffId::new(), lead: true };
        assert!(check(&NewPatient { team: vec![twice, twice], ..new() }, &policy, now).is_err());
        let mut family = new();
        family.consent.giver = ConsentGiver::Family;
        assert!(check(&family, &policy, now).is_err(), "a family member needs a name");
    }
}
