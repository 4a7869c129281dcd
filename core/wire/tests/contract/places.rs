//! What is said of facilities.

use crate::*;

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
            corrects: Some(FacilityId(id(12))),
            replaces: Some(NoticeId(id(13))),
        },
    );
    snap(
        "facility_return",
        &FacilityReturn {
            id: NoticeId(id(10)),
            reason: "所在地を確認してください".into(),
            mail: Some(mail()),
            replaces: Some(NoticeId(id(13))),
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
        &ManagerChange {
            id: FirstPasswordId(id(7)),
            staff_id: StaffId(id(3)),
            name: Some("架空 次子".into()),
            mail: mail(),
        },
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
                    worn: true,
                    expired: false,
                }),
                return_mail: Some(ReturnMailStatus {
                    id: NoticeId(id(14)),
                    address: "a@example.invalid".into(),
                    state: DeliveryState::Sent,
                    reason: None,
                    queued_at: Timestamp(3),
                    done_at: Some(Timestamp(4)),
                    expires_at: Timestamp(9),
                }),
                no_mail_since: Some(Timestamp(5)),
            }),
        },
    );
}
