//! The three towns whose guides were read, as starting points.

use super::{MunicipalityPolicy, PatientRegistrar};
use renraku_wire::Words;

fn words(patient: &str, facility: &str, staff: &str, post: &str, lead: &str) -> Words {
    Words {
        patient: patient.into(),
        facility: facility.into(),
        staff: staff.into(),
        post: post.into(),
        lead: lead.into(),
    }
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
            min_age: Some(40),
            urgent_flag: false,
            ..base
        }),
        "takahagi" => Some(MunicipalityPolicy {
            words: words("支援対象者", "事業所", "利用スタッフ", "記事", "代表者"),
            office_sees_all_patients: false,
            ..base
        }),
        "izumo" => Some(MunicipalityPolicy {
            words: words("患者", "事業所", "スタッフ", "メッセージ", "担当者"),
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
