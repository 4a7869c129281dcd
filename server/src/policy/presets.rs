//! The three towns whose guides were read, as starting points.

use super::{
    ConsentDelivery, ConsentPolicy, DuplicateHandling, Eligibility, ExtraCertificate, MunicipalityPolicy,
    OriginalKeeper, PatientRegistrar, ReadHistory, Residency, TeamEdit, WideAreaAgreement,
};
use renraku_wire::{ConsentForm, DevicePolicy, Profession, Words};

fn words(patient: &str, facility: &str, staff: &str, post: &str, lead: &str) -> Words {
    Words {
        patient: patient.into(),
        facility: facility.into(),
        staff: staff.into(),
        post: post.into(),
        lead: lead.into(),
    }
}

fn agreement(partner: &str) -> WideAreaAgreement {
    WideAreaAgreement { partner: partner.into(), since: "2024-09-01".into(), until: None }
}

/// A shipped preset by name: `minowa` (the office registers patients, residents from 40), `takahagi`
/// (the obtainer registers, 緊急（重要） and 100 characters), `izumo` (the initiator registers, 👍).
/// None for a name that is not shipped.
#[must_use]
pub fn preset(name: &str) -> Option<MunicipalityPolicy> {
    let base = MunicipalityPolicy::default();
    match name {
        "minowa" => Some(MunicipalityPolicy {
            words: words("支援対象者", "施設", "スタッフ", "投稿", "担当者"),
            patient_registrar: PatientRegistrar::Secretariat,
            team_edit: TeamEdit { by_members: true, with_registration: true, by_join_request: false },
            consent: ConsentPolicy {
                explainers: vec![Profession::Physician, Profession::Nurse, Profession::CareManager],
                original_kept_by: OriginalKeeper::Explainer,
                delivery: vec![ConsentDelivery::Fax, ConsentDelivery::Post, ConsentDelivery::Hand],
                forms: vec![ConsentForm::Municipal],
                ..base.consent
            },
            eligibility: Eligibility { min_age: Some(40), ..base.eligibility },
            wide_area_agreements: vec![agreement("架空市"), agreement("架空村")],
            duplicate_handling: DuplicateHandling { at_entry: false, by_office: true },
            device: DevicePolicy { post_chars_guidance: 0, ..base.device },
            urgent_flag: false,
            ..base
        }),
        "takahagi" => Some(MunicipalityPolicy {
            words: words("支援対象者", "事業所", "利用スタッフ", "記事", "代表者"),
            patient_registrar: PatientRegistrar::Obtainer,
            team_edit: TeamEdit { by_members: false, with_registration: true, by_join_request: false },
            consent: ConsentPolicy {
                explainers: vec![Profession::CareManager, Profession::Nurse],
                office_explains: false,
                original_kept_by: OriginalKeeper::Patient,
                delivery: vec![ConsentDelivery::Fax],
                forms: vec![ConsentForm::Municipal],
                ..base.consent
            },
            extra_certificate: ExtraCertificate::Secretariat,
            office_sees_all_patients: false,
            trial_mode: true,
            ..base
        }),
        "izumo" => Some(MunicipalityPolicy {
            words: words("患者", "事業所", "スタッフ", "メッセージ", "担当者"),
            patient_registrar: PatientRegistrar::Obtainer,
            team_edit: TeamEdit { by_members: false, with_registration: true, by_join_request: true },
            consent: ConsentPolicy { delivery: vec![ConsentDelivery::Upload], ..base.consent },
            eligibility: Eligibility { residency: Residency::Resident, ..base.eligibility },
            duplicate_handling: DuplicateHandling { at_entry: true, by_office: false },
            read_history: ReadHistory { author: false, lead: true },
            office_sees_all_patients: false,
            ..base
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_survive_storage_and_old_rows_take_defaults() {
        for name in ["minowa", "takahagi", "izumo"] {
            let policy = preset(name).unwrap();
            assert_eq!(MunicipalityPolicy::parse(&policy.stored().unwrap()).unwrap(), policy);
        }
        assert!(preset("atlantis").is_none());
        let old = MunicipalityPolicy::parse(r#"{"ticket_days": 3}"#).unwrap();
        assert_eq!(old.ticket_days, 3);
        assert_eq!(old.certificate_days, 365);
        assert!(MunicipalityPolicy::parse("7").is_err());
    }
}
