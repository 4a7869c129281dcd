//! What is said of people, accounts and sessions.

use crate::*;

#[test]
fn sessions() {
    snap("sign_in", &SignIn { id: Some(SessionId(id(7))), login_id: "kanko".into(), password: "pw".into() });
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
