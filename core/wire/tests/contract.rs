//! Old apps stay in the field: a change of any type's JSON is a decision, seen here as a changed snapshot.

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
    snap("new_ticket", &NewTicket { facility_id: Some(FacilityId(id(2))), replaces: Some(DeviceId(id(4))) });
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
            },
        },
    );
}

#[test]
fn sessions() {
    snap("sign_in", &SignIn { login_id: "kanko".into(), password: "pw".into() });
    snap(
        "session_opened",
        &SessionOpened {
            token: "t".into(),
            expires_at: Timestamp(8),
            staff: staff(),
            must_change_password: true,
        },
    );
    snap("password_change", &PasswordChange { current: "a".into(), new: "b".into() });
    snap("push_registration", &PushRegistration { provider: PushProvider::Apns, token: "t".into() });
}

fn a_facility() -> Facility {
    Facility {
        id: FacilityId(id(2)),
        name: "架空訪問看護".into(),
        kind: FacilityKind::HomeNursing,
        address: "架空町1-2".into(),
        telephone: "0000-11-2222".into(),
        manager_name: "架空 管子".into(),
        state: FacilityState::Approved,
        applied_at: Timestamp(1_790_000_000_000),
    }
}

fn an_application() -> FacilityApplication {
    FacilityApplication {
        id: FacilityId(id(2)),
        name: "架空訪問看護".into(),
        kind: FacilityKind::HomeNursing,
        address: "架空町1-2".into(),
        telephone: "0000-11-2222".into(),
        manager_name: "架空 管子".into(),
        manager_mail: "a@example.invalid".into(),
        outside: true,
    }
}

#[test]
fn what_is_asked_of_a_facility() {
    let mail = || "a@example.invalid".to_owned();
    snap(
        "paper_application",
        &PaperApplication {
            application: an_application(),
            channel: IntakeChannel::Fax,
            received_on: "2026-01-05".into(),
            scan: MediaId(id(9)),
        },
    );
    snap(
        "returned_application",
        &ReturnedApplication {
            application: an_application(),
            reason: "所在地を確認してください".into(),
            expires_at: Timestamp(5),
        },
    );
    snap("facility_reason", &FacilityReason { reason: "確認のため".into() });
    snap("facility_rejection", &FacilityRejection { reason: None });
    snap("no_mail_report", &NoMailReport { name: "架空訪問看護".into(), manager_mail: mail() });
    snap("ticket_mail_again", &TicketMailAgain { id: NoticeId(id(10)), mail: Some(mail()) });
    snap(
        "manager_change",
        &ManagerChange { staff_id: StaffId(id(3)), name: Some("架空 次子".into()), mail: mail() },
    );
    snap(
        "manager_designated",
        &ManagerDesignated { staff_id: StaffId(id(3)), login_id: "k2".into(), first_password: None },
    );
    snap(
        "facility_change",
        &FacilityChange {
            id: FacilityChangeId(id(11)),
            name: "架空訪問看護".into(),
            kind: FacilityKind::HomeNursing,
            address: "架空町1-2".into(),
            telephone: "0000-11-2222".into(),
            opening: "月〜金 9時〜17時".into(),
        },
    );
    snap("facility_closing", &FacilityClosing { id: FacilityChangeId(id(11)), reason: "廃業".into() });
    snap("facility_changed", &FacilityChanged { id: FacilityChangeId(id(11)), state: ChangeState::Waiting });
}

#[test]
fn what_is_told_of_a_facility() {
    let map = MapListing { listed: true, position: Some(MapPosition { latitude: 35.9, longitude: 137.98 }) };
    snap("map_listing", &map);
    snap(
        "listed_facility",
        &ListedFacility {
            name: "架空訪問看護".into(),
            kind: FacilityKind::HomeNursing,
            address: "架空町1-2".into(),
            telephone: "0000-11-2222".into(),
            opening: String::new(),
            position: map.position,
        },
    );
    snap(
        "facility_record",
        &FacilityRecord {
            facility: a_facility(),
            stage: FacilityStage::Changing,
            outside: false,
            manager_mail: "a@example.invalid".into(),
            opening: String::new(),
            map,
            waiting: Some(WaitingChange {
                id: FacilityChangeId(id(11)),
                name: "架空看護".into(),
                kind: FacilityKind::HomeNursing,
                address: "架空町3".into(),
                closing: None,
                asked_at: Timestamp(7),
            }),
            past: vec![FacilityPast {
                name: "架空訪問看護".into(),
                kind: FacilityKind::HomeNursing,
                address: "架空町1".into(),
                telephone: "0000-11-2221".into(),
                opening: String::new(),
                manager_name: "架空 管子".into(),
                manager_mail: "a@example.invalid".into(),
                until: Timestamp(6),
            }],
            file: Some(FacilityFile {
                channel: IntakeChannel::Post,
                received_on: Some("2026-01-05".into()),
                received_by: Some("事務 一郎".into()),
                scan: true,
                reason: None,
                ticket_mail: Some(TicketMailStatus {
                    address: "a@example.invalid".into(),
                    state: DeliveryState::Dead,
                    reason: Some("550".into()),
                    queued_at: Timestamp(3),
                    done_at: Some(Timestamp(4)),
                    used: false,
                }),
                no_mail_since: Some(Timestamp(5)),
            }),
        },
    );
}

#[test]
fn patients() {
    snap(
        "new_patient",
        &NewPatient {
            id: PatientId(id(5)),
            name: "架空 花子".into(),
            kana: "カクウ ハナコ".into(),
            gender: Gender::Female,
            birth_date: "1940-05-01".into(),
            address: "架空町9".into(),
            telephone: String::new(),
            care_level: Some("23".into()),
            consent: NewConsent {
                id: ConsentId(id(8)),
                document: MediaId(id(9)),
                giver: ConsentGiver::Family,
                giver_name: Some("架空 太郎".into()),
                form: ConsentForm::OwnClause,
                obtained_on: "2026-01-05".into(),
            },
            team: vec![NewTeamMember { staff_id: StaffId(id(3)), lead: true }],
        },
    );
    snap("patient_registered", &PatientRegistered { id: PatientId(id(5)) });
    snap(
        "patient_list",
        &PatientList {
            patients: vec![PatientSummary {
                id: PatientId(id(5)),
                name: "架空 花子".into(),
                kana: "カクウ ハナコ".into(),
                gender: Gender::Female,
                birth_date: "1940-05-01".into(),
                age: 86,
                last_post_at: Some(Timestamp(9)),
                unread: 2,
            }],
        },
    );
    snap(
        "patient",
        &Patient {
            id: PatientId(id(5)),
            name: "架空 花子".into(),
            kana: "カクウ ハナコ".into(),
            gender: Gender::Female,
            birth_date: "1940-05-01".into(),
            age: 86,
            address: "架空町9".into(),
            telephone: String::new(),
            care_level: None,
            team: vec![TeamMember {
                staff_id: StaffId(id(3)),
                name: "架空 看子".into(),
                profession: Profession::Nurse,
                facility_id: FacilityId(id(2)),
                facility_name: "架空訪問看護".into(),
                lead: true,
            }],
        },
    );
}

#[test]
fn posts_and_media() {
    snap(
        "new_post",
        &NewPost {
            id: PostId(id(6)),
            body: "左踵の発赤は縮小。".into(),
            urgent: true,
            body_site: Some(BodySite::LeftHeel),
            written_at: Timestamp(9),
            media: vec![new_media()],
        },
    );
    let media = Media {
        id: MediaId(id(7)),
        kind: MediaKind::Video,
        state: MediaState::Ready,
        length: 9,
        width: Some(720),
        height: Some(1280),
        duration_ms: Some(10_000),
        description: String::new(),
    };
    let post = Post {
        id: PostId(id(6)),
        patient_id: PatientId(id(5)),
        author_id: StaffId(id(3)),
        author_name: "架空 看子".into(),
        author_profession: Profession::Nurse,
        facility_id: FacilityId(id(2)),
        facility_name: "架空訪問看護".into(),
        body: "左踵の発赤は縮小。".into(),
        urgent: false,
        body_site: None,
        written_at: Timestamp(9),
        received_at: Timestamp(10),
        media: vec![media],
        read: true,
        acknowledged: false,
        read_count: 3,
        acknowledged_count: 1,
    };
    snap("post_page", &PostPage { posts: vec![post], next: Some("9.x".into()) });
    snap("new_receipt", &NewReceipt { read_at: Timestamp(11), acknowledged: Some(true) });
    snap(
        "receipt_list",
        &ReceiptList {
            receipts: vec![Receipt {
                staff_id: StaffId(id(3)),
                name: "架空 看子".into(),
                profession: Profession::Nurse,
                facility_name: "架空訪問看護".into(),
                read_at: Some(Timestamp(11)),
                acknowledged_at: None,
            }],
        },
    );
    snap(
        "upload_status",
        &UploadStatus {
            id: MediaId(id(7)),
            offset: 1,
            length: 2,
            state: MediaState::Pending,
            at: Timestamp(12),
        },
    );
}

#[test]
fn duties() {
    let line = InboxLine {
        id: InboxLineId(id(11)),
        kind: NoticeKind::PostPublished,
        staff_id: StaffId(id(3)),
        staff_name: "架空 介護".into(),
        created_at: Timestamp(9),
        patient_id: Some(PatientId(id(5))),
        post_id: Some(PostId(id(6))),
        claimed_by: Some(StaffId(id(4))),
        claimed_by_name: Some("架空 看子".into()),
        done_at: None,
    };
    snap("inbox", &Inbox { unclaimed: 0, lines: vec![line] });
    snap(
        "training_status",
        &TrainingStatus {
            due_at: Some(Timestamp(9)),
            completed_at: None,
            material_version: "2026-1".into(),
            material: vec![TrainingSection {
                title: "IDとパスワード".into(),
                rules: vec!["共用しません。".into()],
            }],
        },
    );
    snap("new_training", &NewTraining { id: TrainingId(id(12)), material_version: "2026-1".into() });
    snap(
        "training_line",
        &TrainingLine {
            staff_id: StaffId(id(3)),
            name: "架空 看子".into(),
            facility_name: "架空訪問看護".into(),
            completed_at: Some(Timestamp(8)),
            due_at: Timestamp(9),
            overdue: true,
        },
    );
    snap(
        "new_access_review",
        &NewAccessReview {
            id: ReviewId(id(13)),
            staff: vec![StaffVerdict { staff_id: StaffId(id(3)), verdict: Verdict::ChangeNeeded }],
            devices: vec![DeviceVerdict { device_id: DeviceId(id(4)), verdict: Verdict::Leave }],
        },
    );
    snap(
        "access_review",
        &AccessReview {
            due_at: Timestamp(9),
            signed_at: Some(Timestamp(8)),
            signed_by: Some("架空 管子".into()),
            staff: vec![ReviewStaff {
                staff_id: StaffId(id(3)),
                name: "架空 看子".into(),
                login_id: "kanko".into(),
                role: Role::Member,
                may_export: true,
                last: Some(Verdict::Unchanged),
            }],
            devices: vec![ReviewDevice {
                device_id: DeviceId(id(4)),
                name: "訪問用スマホ1".into(),
                last_seen_at: None,
                last: None,
            }],
        },
    );
    snap(
        "review_line",
        &ReviewLine {
            facility_id: FacilityId(id(2)),
            facility_name: "架空訪問看護".into(),
            signed_at: None,
            due_at: Timestamp(9),
            overdue: false,
        },
    );
    snap(
        "undelivered",
        &Undelivered {
            id: NoticeId(id(10)),
            kind: NoticeKind::TrainingDue,
            channel: "mail".into(),
            reason: "smtp 550".into(),
            staff_id: Some(StaffId(id(3))),
            facility_name: Some("架空訪問看護".into()),
            given_up_at: Timestamp(9),
        },
    );
}

#[test]
fn incidents() {
    snap(
        "new_incident",
        &NewIncident {
            id: IncidentId(id(14)),
            kind: IncidentKind::LostDevice,
            noticed_at: Timestamp(9),
            description: "スマホがない。".into(),
            device_id: Some(DeviceId(id(4))),
        },
    );
    snap(
        "new_incident_entry",
        &NewIncidentEntry {
            id: EntryId(id(15)),
            step: IncidentStep::Assess,
            text: "盗難届あり。".into(),
            duty: Some(LegalDuty::MaliciousLeak),
        },
    );
    let summary = IncidentSummary {
        id: IncidentId(id(14)),
        kind: IncidentKind::LostDevice,
        state: IncidentState::Forwarded,
        facility_id: FacilityId(id(2)),
        facility_name: "架空訪問看護".into(),
        reporter_id: StaffId(id(3)),
        reporter_name: "架空 看子".into(),
        noticed_at: Timestamp(9),
        reported_at: Timestamp(10),
        prompt_due_at: Some(Timestamp(11)),
        final_due_at: None,
    };
    snap("incident_list", &IncidentList { incidents: vec![summary.clone()] });
    snap(
        "incident",
        &Incident {
            summary,
            device_id: None,
            duty: LegalDuty::Leak,
            entries: vec![IncidentEntry {
                id: EntryId(id(15)),
                step: IncidentStep::Report,
                text: "スマホがない。".into(),
                duty: None,
                author_id: StaffId(id(3)),
                author_name: "架空 看子".into(),
                at: Timestamp(10),
            }],
            steps: vec![IncidentStep::Receive, IncidentStep::Note],
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
    let shown = format!("{:?}", SignIn { login_id: "kanko".into(), password: "secret".into() });
    assert!(!shown.contains("secret") && !shown.contains("kanko"), "{shown}");
}

#[test]
fn accounts_and_their_sessions() {
    snap(
        "staff_detail",
        &StaffDetail {
            id: StaffId(id(3)),
            facility_id: FacilityId(id(2)),
            facility_name: "架空訪問看護".into(),
            login_id: "kanko".into(),
            name: "架空 看子".into(),
            profession: Profession::Nurse,
            role: Role::Member,
            state: StaffState::Suspended,
            mail: None,
            mail_kind: MailKind::Placeholder,
            forwarding_mail: Some("all@example.invalid".into()),
            may_export: true,
            created_at: Timestamp(5),
            left_on: None,
            suspension: Some(Suspension {
                id: SuspensionId(id(11)),
                reason: "紛失".into(),
                at: Timestamp(6),
            }),
        },
    );
    snap(
        "staff_change",
        &StaffChange {
            name: "架空 看子".into(),
            profession: Profession::Nurse,
            role: Role::FacilityManager,
            mail: Some("kanko@example.invalid".into()),
            forwarding_mail: None,
            may_export: false,
        },
    );
    snap("own_mail", &OwnMail { mail: Some("kanko@example.invalid".into()), forwarding_mail: None });
    snap("leaving", &Leaving { left_on: "2026-03-31".into(), successor: Some(StaffId(id(12))) });
    snap("suspending", &Suspending { id: SuspensionId(id(11)), reason: "紛失".into(), agreed: false });
    snap(
        "people_here",
        &PeopleHere {
            people: vec![PersonHere {
                staff_id: StaffId(id(3)),
                name: "架空 看子".into(),
                profession: Profession::Nurse,
                last_seen_at: Timestamp(7),
                resting: true,
            }],
        },
    );
    snap(
        "own_sessions",
        &OwnSessions {
            sessions: vec![OwnSession {
                id: SessionId(id(13)),
                device_name: "訪問用スマホ1".into(),
                platform: Platform::Ios,
                current: true,
                resting: false,
                opened_at: Timestamp(5),
                last_seen_at: Timestamp(7),
                expires_at: Timestamp(9),
            }],
        },
    );
    let shown = format!(
        "{:?}",
        PersonHere {
            staff_id: StaffId(id(3)),
            name: "架空 看子".into(),
            profession: Profession::Nurse,
            last_seen_at: Timestamp(7),
            resting: false,
        }
    );
    assert!(!shown.contains("看子"), "{shown}");
    assert_eq!(serde_json::from_str::<StaffState>("\"of_a_newer_server\"").unwrap(), StaffState::Unknown);
}
