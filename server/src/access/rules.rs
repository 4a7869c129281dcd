//! The rules of access. Pure: facts in, verdict out.

use super::facts::Facts;
use crate::db::Id;
use crate::policy::{MunicipalityPolicy, PatientRegistrar};
use renraku_wire::{Code, Role};

pub(super) fn device(facts: &Facts, now: i64) -> Result<(), Code> {
    if facts.revoked_at.is_some() && facts.replaced == Some(true) {
        Err(Code::CertificateReplaced)
    } else if facts.revoked_at.is_some() {
        Err(Code::CertificateRevoked)
    } else if now > facts.not_after {
        Err(Code::CertificateExpired)
    } else if now < facts.not_before {
        Err(Code::CertificateNotYetValid)
    } else if facts.facility_state != "approved" {
        Err(Code::FacilitySuspended)
    } else {
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Person<'a> {
    pub staff_id: Id,
    pub role: &'a str,
    pub profession: &'a str,
    pub name: &'a str,
    pub must_change_password: bool,
    pub may_export: bool,
}

/// A session that was last used at this moment, or before it, has been idle for too long. On a phone or tablet with
/// the app that cannot be told from here: a visit without signal looks the same, and the app locks itself.
pub fn idle_since(app: bool, policy: &MunicipalityPolicy, now: i64) -> i64 {
    if app { i64::MIN } else { now - i64::from(policy.session_idle_minutes) * 60_000 }
}

pub(super) fn session<'a>(
    facts: &'a Facts,
    policy: &MunicipalityPolicy,
    now: i64,
) -> Result<Person<'a>, Code> {
    let seen = facts.session_seen_at.ok_or(Code::SessionInvalid)?;
    let expires = facts.session_expires_at.ok_or(Code::SessionInvalid)?;
    if now >= expires || seen <= idle_since(facts.app, policy, now) {
        return Err(Code::SessionInvalid);
    }
    if facts.staff_state.as_deref() != Some("active") || facts.staff_facility_id != Some(facts.facility_id) {
        return Err(Code::SessionInvalid);
    }
    match (facts.staff_id, &facts.role, &facts.profession, &facts.name, facts.must_change_password) {
        (Some(staff_id), Some(role), Some(profession), Some(name), Some(must_change_password)) => {
            let may_export = facts.may_export == Some(true);
            Ok(Person { staff_id, role, profession, name, must_change_password, may_export })
        }
        _ => Err(Code::SessionInvalid),
    }
}

pub(super) fn password_changed(must_change: bool) -> Result<(), Code> {
    if must_change { Err(Code::PasswordChangeRequired) } else { Ok(()) }
}

pub(super) fn may_register(role: Role, policy: &MunicipalityPolicy) -> bool {
    match policy.patient_registrar {
        PatientRegistrar::Secretariat => role == Role::Secretariat,
        PatientRegistrar::Obtainer | PatientRegistrar::ObtainerOfficeConfirms => true,
    }
}

#[derive(Debug)]
pub(super) struct Found {
    pub patient_id: Id,
    pub lead: bool,
}

/// Not there and not yours answer the same: a patient's existence is itself a secret.
pub(super) fn patient(
    facts: &Facts,
    role: Role,
    policy: &MunicipalityPolicy,
    writes: bool,
) -> Result<Found, Code> {
    let patient_id = facts.patient_id.ok_or(Code::NotFound)?;
    let office = role == Role::Secretariat && policy.office_sees_all_patients;
    let member = facts.lead.is_some();
    if !member && !office {
        return Err(Code::NotFound);
    }
    if !facts.consented && (writes || !office) {
        return Err(Code::ConsentMissing);
    }
    Ok(Found { patient_id, lead: facts.lead == Some(true) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let id = Id::new();
        Facts {
            municipality_id: Id::new(),
            policy: String::new(),
            device_id: Id::new(),
            key_sha256: String::new(),
            not_before: 0,
            not_after: 1_000_000_000,
            revoked_at: None,
            replaced: None,
            first_used_at: None,
            first_sign_in_at: None,
            app: false,
            facility_id: id,
            facility_state: "approved".into(),
            session_seen_at: Some(1_000),
            session_expires_at: Some(1_000_000_000),
            staff_id: Some(Id::new()),
            staff_facility_id: Some(id),
            staff_state: Some("active".into()),
            role: Some("member".into()),
            profession: Some("nurse".into()),
            name: Some("試験".into()),
            must_change_password: Some(false),
            may_export: Some(false),
            patient_id: Some(Id::new()),
            lead: Some(false),
            consented: true,
        }
    }

    #[test]
    fn a_certificate_is_good_only_inside_its_days_and_unrevoked() {
        assert_eq!(device(&facts(), 5), Ok(()));
        assert_eq!(device(&facts(), -1), Err(Code::CertificateNotYetValid));
        assert_eq!(device(&facts(), 1_000_000_001), Err(Code::CertificateExpired));
        assert_eq!(device(&Facts { revoked_at: Some(3), ..facts() }, 5), Err(Code::CertificateRevoked));
        let replaced = Facts { revoked_at: Some(3), replaced: Some(true), ..facts() };
        assert_eq!(device(&replaced, 5), Err(Code::CertificateReplaced));
        let suspended = Facts { facility_state: "suspended".into(), ..facts() };
        assert_eq!(device(&suspended, 5), Err(Code::FacilitySuspended));
    }

    #[test]
    fn a_session_ends_when_idle_when_old_and_with_the_person() {
        let policy = MunicipalityPolicy::default();
        let idle = i64::from(policy.session_idle_minutes) * 60_000;
        assert!(session(&facts(), &policy, 1_000 + idle - 1).is_ok());
        assert_eq!(session(&facts(), &policy, 1_000 + idle).unwrap_err(), Code::SessionInvalid);
        let app = Facts { app: true, ..facts() };
        assert!(session(&app, &policy, 1_000 + idle).is_ok(), "a visit without signal");
        let old = Facts { session_expires_at: Some(2_000), ..facts() };
        assert_eq!(session(&old, &policy, 2_000).unwrap_err(), Code::SessionInvalid);
        let gone = Facts { staff_state: Some("left".into()), ..facts() };
        assert_eq!(session(&gone, &policy, 1_500).unwrap_err(), Code::SessionInvalid);
        let suspended = Facts { staff_state: Some("suspended".into()), ..facts() };
        assert_eq!(session(&suspended, &policy, 1_500).unwrap_err(), Code::SessionInvalid);
        let moved = Facts { staff_facility_id: Some(Id::new()), ..facts() };
        assert_eq!(session(&moved, &policy, 1_500).unwrap_err(), Code::SessionInvalid);
        let none = Facts { session_seen_at: None, ..facts() };
        assert_eq!(session(&none, &policy, 1_500).unwrap_err(), Code::SessionInvalid);
    }

    #[test]
    fn printing_and_exporting_is_a_right_of_its_own() {
        let policy = MunicipalityPolicy::default();
        assert!(!session(&facts(), &policy, 1_500).unwrap().may_export);
        let granted = Facts { may_export: Some(true), ..facts() };
        assert!(session(&granted, &policy, 1_500).unwrap().may_export);
    }

    #[test]
    fn a_record_opens_to_the_team_and_by_policy_to_the_office() {
        let policy = MunicipalityPolicy::default();
        assert!(patient(&facts(), Role::Member, &policy, true).is_ok());
        let stranger = Facts { lead: None, ..facts() };
        assert_eq!(patient(&stranger, Role::Member, &policy, false).unwrap_err(), Code::NotFound);
        assert!(patient(&stranger, Role::Secretariat, &policy, false).is_ok());
        let shy = MunicipalityPolicy { office_sees_all_patients: false, ..policy.clone() };
        assert_eq!(patient(&stranger, Role::Secretariat, &shy, false).unwrap_err(), Code::NotFound);
        let absent = Facts { patient_id: None, ..facts() };
        assert_eq!(patient(&absent, Role::Secretariat, &policy, false).unwrap_err(), Code::NotFound);
        let without = Facts { consented: false, ..facts() };
        assert_eq!(patient(&without, Role::Member, &policy, false).unwrap_err(), Code::ConsentMissing);
        assert_eq!(patient(&without, Role::Secretariat, &policy, true).unwrap_err(), Code::ConsentMissing);
        assert!(patient(&without, Role::Secretariat, &policy, false).is_ok());
    }

    #[test]
    fn who_registers_is_policy() {
        let obtainer = MunicipalityPolicy::default();
        assert!(may_register(Role::Member, &obtainer));
        let office = MunicipalityPolicy { patient_registrar: PatientRegistrar::Secretariat, ..obtainer };
        assert!(!may_register(Role::Member, &office));
        assert!(may_register(Role::Secretariat, &office));
    }
}
