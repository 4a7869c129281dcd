//! Old apps stay in the field: a change of any type's JSON is a decision, seen here as a changed snapshot.

mod care;
mod duties;
mod people;
mod places;

use renraku_wire::*;
use serde::Serialize;
use uuid::Uuid;

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0191_d6a0_0000_7000_8000_0000_0000_0000 + n)
}

fn snap(name: &str, value: &impl Serialize) {
    insta::assert_json_snapshot!(name, value);
}

fn staff() -> Staff {
    Staff {
        id: StaffId(id(3)),
        facility_id: FacilityId(id(2)),
        facility_name: "架空訪問看護".into(),
        name: "架空 看子".into(),
        profession: Profession::Nurse,
        role: Role::Member,
    }
}

fn new_media() -> NewMedia {
    NewMedia {
        id: MediaId(id(7)),
        kind: MediaKind::Photo,
        length: 345_678,
        sha256: "ab".repeat(32),
        description: "左踵の写真".into(),
    }
}

#[test]
fn people_and_places() {
    snap(
        "facility_application",
        &FacilityApplication {
            id: FacilityId(id(2)),
            name: "架空訪問看護".into(),
            kind: FacilityKind::HomeNursing,
            address: "架空町1-2".into(),
            telephone: "0000-11-2222".into(),
            manager_name: "架空 管子".into(),
            manager_mail: "a@example.invalid".into(),
            outside: false,
        },
    );
    snap(
        "facility",
        &Facility {
            id: FacilityId(id(2)),
            name: "架空訪問看護".into(),
            kind: FacilityKind::HomeNursing,
            address: "架空町1-2".into(),
            telephone: "0000-11-2222".into(),
            manager_name: "架空 管子".into(),
            state: FacilityState::Approved,
            applied_at: Timestamp(1_790_000_000_000),
        },
    );
    snap("facility_applied", &FacilityApplied { id: FacilityId(id(2)) });
    snap("facility_approved", &FacilityApproved { login_id: "k1".into(), first_password: "pw".into() });
    snap(
        "enrolment_ticket",
        &EnrolmentTicket { number: "1111-2222-3333".into(), password: "pw".into(), expires_at: Timestamp(5) },
    );
    snap(
        "certificate_request",
        &CertificateRequest {
            number: "1111-2222-3333".into(),
            password: "pw".into(),
            csr: "MIIB".into(),
            device_name: "訪問用スマホ1".into(),
            platform: Platform::Ios,
        },
    );
    snap(
        "pkcs12_request",
        &Pkcs12Request { number: "1".into(), password: "pw".into(), device_name: "PC".into() },
    );
    snap(
        "certificate_issued",
        &CertificateIssued {
            device_id: DeviceId(id(4)),
            municipality_id: MunicipalityId(id(1)),
            chain: vec!["MIIC".into(), "MIID".into()],
            not_after: Timestamp(6),
            care_url: "https://care.example.invalid".into(),
        },
    );
    snap(
        "device",
        &Device {
            id: DeviceId(id(4)),
            facility_id: FacilityId(id(2)),
            name: "訪問用スマホ1".into(),
            platform: Platform::Android,
            serial: "4a".repeat(16),
            not_after: Timestamp(6),
            revoked_at: None,
            last_seen_at: Some(Timestamp(7)),
            state: DeviceState::Expiring,
            enrolled_by: Some(StaffId(id(3))),
            replaces: None,
        },
    );
    snap("revocation", &Revocation { reason: "紛失".into(), kind: RevocationKind::Lost });
    snap(
        "diagnosis",
        &Diagnosis {
            ok: false,
            code: Some(Code::CertificateExpired),
            sentence: Code::CertificateExpired.sentence().into(),
            short: "R-103".into(),
            server_time: Timestamp(9),
        },
    );
    snap("diagnosis_question", &DiagnosisQuestion { login_id: Some("kanko".into()), mail_missing: false });
    snap(
        "new_ticket",
        &NewTicket {
            id: TicketId(id(6)),
            facility_id: Some(FacilityId(id(2))),
            replaces: Some(DeviceId(id(4))),
        },
    );
    snap("new_first_password", &NewFirstPassword { id: FirstPasswordId(id(7)) });
    snap("certificate_renewal", &CertificateRenewal { csr: "MIIB".into() });
    snap("device_name", &DeviceName { name: "訪問用スマホ2".into() });
    snap(
        "new_staff",
        &NewStaff {
            id: StaffId(id(3)),
            login_id: "kanko".into(),
            name: "架空 看子".into(),
            profession: Profession::Nurse,
            mail: None,
            forwarding_mail: Some("all@example.invalid".into()),
        },
    );
    snap(
        "staff_added",
        &StaffAdded { id: StaffId(id(3)), login_id: "kanko".into(), first_password: "pw".into() },
    );
    snap("directory", &Directory { facilities: vec![], staff: vec![staff()] });
    snap(
        "municipality_info",
        &MunicipalityInfo {
            id: MunicipalityId(id(1)),
            slug: "kakuu".into(),
            name: "架空町".into(),
            care_url: "https://care.example.invalid".into(),
            words: Words {
                patient: "支援対象者".into(),
                facility: "施設".into(),
                staff: "スタッフ".into(),
                post: "投稿".into(),
                lead: "担当者".into(),
            },
            contact: Contact {
                office: "事務局".into(),
                section: "健康課 在宅係".into(),
                telephone: "0000-00-0000".into(),
                fax: "0000-00-0001".into(),
                mail: "office@example.invalid".into(),
                hours: "平日".into(),
                document: "第2版 2026年11月".into(),
            },
            device_policy: DevicePolicy {
                post_chars_guidance: 100,
                video_seconds: 60,
                photo_bytes: 700_000,
                photo_quality: 81,
                video_bytes: 32_000_000,
                video_rate: 30,
                offline_lease_hours: 72,
                relock_seconds: 60,
                offline_days: 30,
                offline_patients: 50,
                urgent_flag: true,
                thumbs_ack: false,
            },
        },
    );
}

#[test]
fn notices_and_problems() {
    snap("push_payload", &PushPayload { kind: NoticeKind::PostPublished, id: NoticeId(id(10)) });
    snap(
        "notice",
        &Notice {
            id: NoticeId(id(10)),
            kind: NoticeKind::PatientRegistered,
            patient_id: Some(PatientId(id(5))),
            post_id: None,
        },
    );
    let mut problem = Problem::new(Code::FieldInvalid).field("name");
    problem.reference = Some("0badcafe".into());
    snap("problem", &problem);
    let table: Vec<_> = Code::ALL.iter().map(|c| (c.as_str(), c.status(), c.sentence())).collect();
    snap("codes", &table);
}

#[test]
fn the_portals_texts() {
    snap(
        "portal_text",
        &PortalText {
            key: "legal_basis".into(),
            topic: PortalTopic::LegalBasis,
            version: 2,
            title: "法令など".into(),
            body: "次の法令に従います。".into(),
            publish_from: Some("2026-04-01".into()),
            publish_until: None,
            withdrawn: false,
            changed_at: Some(Timestamp(13)),
        },
    );
    snap(
        "portal_text_change",
        &PortalTextChange {
            version: 1,
            title: "法令など".into(),
            body: "次の法令に従います。".into(),
            publish_from: None,
            publish_until: Some("2027-03-31".into()),
            withdrawn: true,
        },
    );
    assert_eq!(serde_json::from_str::<PortalTopic>("\"of_a_newer_server\"").unwrap(), PortalTopic::Unknown);
}

#[test]
fn every_code_is_tellable_and_none_is_403() {
    for code in Code::ALL {
        assert_ne!(code.status(), 403, "{code:?}: Apple's network layer reads 403 as a missing certificate");
        assert!((400..=599).contains(&code.status()), "{code:?}");
        assert!(code.sentence().ends_with('。') && !code.sentence().is_ascii(), "{code:?}");
        let text = serde_json::to_string(code).unwrap();
        assert_eq!(serde_json::from_str::<Code>(&text).unwrap(), *code);
    }
    assert_eq!(serde_json::from_str::<Code>("\"of_a_newer_server\"").unwrap(), Code::Unknown);
}

#[test]
fn requests_refuse_unknown_fields_and_answers_tolerate_them() {
    let request = r#"{"login_id": "a", "password": "b", "remember": true}"#;
    assert!(serde_json::from_str::<SignIn>(request).is_err());
    let answer = r#"{"id": "0191d6a0-0000-7000-8000-000000000005", "of_a_newer_server": 1}"#;
    assert!(serde_json::from_str::<PatientRegistered>(answer).is_ok());
    assert_eq!(serde_json::from_str::<MediaState>("\"of_a_newer_server\"").unwrap(), MediaState::Unknown);
}

#[test]
fn a_revocation_of_an_older_app_has_no_kind() {
    let old: Revocation = serde_json::from_str(r#"{"reason": "紛失"}"#).unwrap();
    assert_eq!(old.kind, RevocationKind::Other);
    let newer: Revocation = serde_json::from_str(r#"{"reason": "x", "kind": "eaten"}"#).unwrap();
    assert_eq!(newer.kind, RevocationKind::Other);
}

#[test]
fn personal_data_stays_out_of_debug_output() {
    let shown = format!("{:?}", staff());
    assert!(!shown.contains("看子") && shown.contains("StaffId"), "{shown}");
    let shown = format!("{:?}", SignIn { id: None, login_id: "kanko".into(), password: "secret".into() });
    assert!(!shown.contains("secret") && !shown.contains("kanko"), "{shown}");
}
