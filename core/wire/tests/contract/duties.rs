//! What is said of the inbox, training, review and incidents.

use crate::*;

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
    let task =
        Task {
            text: "登録内容の変更を確認する".into(), path: "/facilities".into(), since: Timestamp(9)
        };
    snap("tasks", &Tasks { tasks: vec![task] });
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
