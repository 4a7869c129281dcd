//! What is said of patients, posts and media.

use crate::*;

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
