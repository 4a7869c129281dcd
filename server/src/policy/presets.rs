//! The three towns whose guides were read, as starting points. Row by row after each guide; where a guide
//! says nothing, the common default stands, or the choice that shows a patient to fewer people. Telephone
//! numbers and addresses are fictional: a demo could dial or send.

use super::{
    ConsentDelivery, ConsentPolicy, DuplicateHandling, Eligibility, ExtraCertificate, MunicipalityPolicy,
    OriginalKeeper, PatientRegistrar, ReadHistory, Residency, TeamEdit, WideAreaAgreement,
};
use renraku_wire::{ConsentForm, ConsentGiver, Contact, DevicePolicy, Profession, Words};

/// Every shipped preset with its name on screens.
pub const PRESETS: &[(&str, &str)] =
    &[("minowa", "箕輪町の方式"), ("takahagi", "高萩市の方式"), ("izumo", "出雲市の方式")];

fn words(patient: &str, facility: &str, staff: &str, post: &str, lead: &str) -> Words {
    Words {
        patient: patient.into(),
        facility: facility.into(),
        staff: staff.into(),
        post: post.into(),
        lead: lead.into(),
    }
}

/// In force in September 2024, as the guide says; it does not say since when.
fn agreement(partner: &str) -> WideAreaAgreement {
    WideAreaAgreement { partner: partner.into(), since: "2024-09-01".into(), until: None }
}

fn lines(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// A shipped preset by name: `minowa` (the office registers patients, residents from 40), `takahagi`
/// (the obtainer registers, 緊急（重要） and 100 characters, on trial), `izumo` (the initiator registers,
/// others ask to join, 👍). None for a name that is not shipped.
#[must_use]
pub fn preset(name: &str) -> Option<MunicipalityPolicy> {
    let base = MunicipalityPolicy::default();
    match name {
        "minowa" => Some(minowa(base)),
        "takahagi" => Some(takahagi(base)),
        "izumo" => Some(izumo(base)),
        _ => None,
    }
}

fn minowa(base: MunicipalityPolicy) -> MunicipalityPolicy {
    MunicipalityPolicy {
        words: words("支援対象者", "施設", "支援者", "投稿", "担当者"),
        contact: Contact {
            section: "福祉課 高齢者あんしん係".into(),
            document: "Ver.2".into(),
            ..base.contact
        },
        patient_registrar: PatientRegistrar::Secretariat,
        team_edit: TeamEdit { by_members: true, with_registration: true, by_join_request: false },
        consent: ConsentPolicy {
            explainers: vec![Profession::Physician, Profession::Nurse, Profession::CareManager],
            office_explains: true,
            givers: vec![ConsentGiver::Patient, ConsentGiver::Family],
            original_kept_by: OriginalKeeper::Explainer,
            delivery: vec![ConsentDelivery::Fax, ConsentDelivery::Mail, ConsentDelivery::Hand],
            forms: vec![ConsentForm::Municipal],
            scope_items: lines(&[
                "氏名・住所・連絡先などの基本情報と生活の様子",
                "家族の状況",
                "保険・病歴・検査・服薬・アレルギー・日々の状態・悪くなったときの対処",
                "観察が必要な部位の画像・動画",
                "介護・障害の認定と計画・サービス・後見人",
            ]),
            ..base.consent
        },
        eligibility: Eligibility {
            residency: Residency::ResidentOrReason,
            min_age: Some(40),
            age_exception: true,
        },
        wide_area_agreements: vec![agreement("伊那市"), agreement("南箕輪村")],
        duplicate_handling: DuplicateHandling { at_entry: false, by_office: true },
        urgent_flag: false,
        device: DevicePolicy { post_chars_guidance: 0, ..base.device },
        ..base
    }
}

fn takahagi(base: MunicipalityPolicy) -> MunicipalityPolicy {
    MunicipalityPolicy {
        words: words("支援対象者", "事業所", "利用スタッフ", "記事", "代表者"),
        contact: Contact {
            section: "高齢福祉課 地域包括支援グループ".into(),
            document: "令和6年1月 発行".into(),
            ..base.contact
        },
        patient_registrar: PatientRegistrar::Obtainer,
        team_edit: TeamEdit { by_members: false, with_registration: true, by_join_request: false },
        consent: ConsentPolicy {
            explainers: vec![Profession::Nurse, Profession::CareManager],
            office_explains: false,
            givers: vec![ConsentGiver::Patient],
            original_kept_by: OriginalKeeper::Patient,
            delivery: vec![ConsentDelivery::Fax],
            forms: vec![ConsentForm::Municipal],
            scope_items: lines(&["氏名などの基本情報", "支援の状況", "治療・服薬の状況"]),
            ..base.consent
        },
        eligibility: Eligibility { residency: Residency::Resident, ..base.eligibility },
        extra_certificate: ExtraCertificate::Secretariat,
        office_sees_all_patients: false,
        trial_mode: true,
        ..base
    }
}

fn izumo(base: MunicipalityPolicy) -> MunicipalityPolicy {
    MunicipalityPolicy {
        words: words("患者", "事業所", "スタッフ", "メッセージ", "担当者"),
        contact: Contact { section: "健康福祉部 医療介護連携課".into(), ..base.contact },
        patient_registrar: PatientRegistrar::Obtainer,
        team_edit: TeamEdit { by_members: false, with_registration: true, by_join_request: true },
        consent: ConsentPolicy {
            delivery: vec![ConsentDelivery::Upload],
            scope_items: lines(&[
                "氏名・住所・生年月日・連絡先・家族などの基本情報",
                "要介護度・サービス・疾患・身体・服薬の状況",
                "在宅での療養と生活の要望・留意点",
                "食事・排せつ・衛生・家屋の状況",
                "緊急時の所在・安否・連絡先",
            ]),
            ..base.consent
        },
        eligibility: Eligibility { residency: Residency::Resident, ..base.eligibility },
        duplicate_handling: DuplicateHandling { at_entry: true, by_office: false },
        read_history: ReadHistory { author: false, lead: true },
        office_sees_all_patients: false,
        ..base
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_survive_storage_and_old_rows_take_defaults() {
        for (name, _) in PRESETS {
            let policy = preset(name).unwrap();
            assert_eq!(MunicipalityPolicy::parse(&policy.stored().unwrap()).unwrap(), policy);
        }
        assert!(preset("atlantis").is_none());
        let old = MunicipalityPolicy::parse(r#"{"ticket_days": 3}"#).unwrap();
        assert_eq!(old.ticket_days, 3);
        assert_eq!(old.certificate_days, 365);
        assert!(MunicipalityPolicy::parse("7").is_err());
        let contact =
            r#"{"contact": {"office": "a", "telephone": "0", "fax": "", "mail": "m", "hours": "h"}}"#;
        assert_eq!(MunicipalityPolicy::parse(contact).unwrap().contact.section, "");
    }

    #[test]
    fn no_preset_can_dial_or_send() {
        for (name, _) in PRESETS {
            let contact = preset(name).unwrap().contact;
            assert!(contact.mail.ends_with(".invalid"), "{name}");
            assert!(contact.telephone.starts_with("0000-") && contact.fax.starts_with("0000-"), "{name}");
        }
    }

    #[test]
    fn the_towns_differ_where_their_guides_do() {
        let [minowa, takahagi, izumo] = ["minowa", "takahagi", "izumo"].map(|name| preset(name).unwrap());
        assert_eq!(minowa.patient_registrar, PatientRegistrar::Secretariat);
        assert_eq!((minowa.eligibility.min_age, minowa.eligibility.age_exception), (Some(40), true));
        assert!(!minowa.consent.delivery.contains(&ConsentDelivery::Upload) && !minowa.urgent_flag);
        assert_eq!(minowa.wide_area_agreements.len(), 2);
        assert_eq!(takahagi.consent.original_kept_by, OriginalKeeper::Patient);
        assert_eq!(takahagi.device.post_chars_guidance, 100);
        assert!(takahagi.trial_mode && takahagi.urgent_flag && !takahagi.consent.office_explains);
        assert_eq!(izumo.consent.forms.len(), 2, "an own clause is taken");
        assert_eq!(izumo.eligibility.residency, Residency::Resident);
        assert!(izumo.team_edit.by_join_request && izumo.thumbs_ack && !izumo.read_history.author);
        for other in [&takahagi, &izumo] {
            assert_eq!(other.words.facility, "事業所");
            assert!(!other.office_sees_all_patients && other.eligibility.min_age.is_none());
        }
    }
}
