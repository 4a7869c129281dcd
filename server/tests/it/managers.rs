//! What is for those who run a facility: it reaches them at once, and nobody else sees it.

use crate::both;
use crate::policy::set;
use crate::town::{Facility, *};
use renraku_server::clock;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{notice, staff, team_member};
use renraku_server::policy::MunicipalityPolicy;
use renraku_server::{review, run, training};
use renraku_wire::*;
use serde_json::json;

both!(
    a_manager_without_an_address_is_mailed_at_once,
    managers_lines_are_theirs_alone,
    an_old_address_is_looked_at_when_the_town_asks_for_unique_ones,
    the_office_does_not_change_past_what_waits,
    patients_without_a_lead_are_the_offices_task,
    the_tasks_are_there_as_json,
);

const DAY: i64 = 86_400_000;

/// The addresses that mails of a kind are queued to, sorted.
async fn mails(host: &Host, kind: &str) -> Vec<String> {
    let db = &host.server.app.db;
    let of = notice::table.filter(notice::kind.eq(kind)).filter(notice::channel.eq("mail"));
    let mut found: Vec<String> =
        db.read(async |c| Ok(run!(c, load, of.select(notice::target))?)).await.unwrap();
    found.sort();
    found
}

async fn page(client: &Client, path: &str) -> String {
    String::from_utf8(client.get(path).await.done().body).unwrap()
}

fn report() -> NewIncident {
    NewIncident {
        id: IncidentId::new(),
        kind: IncidentKind::LostDevice,
        noticed_at: Timestamp(clock::now() - 60_000),
        description: "スマホがないことに気づいた。".into(),
        device_id: None,
    }
}

/// A helper without a mail address.
async fn helper(town: &Town<'_>, at: &Facility) -> (StaffId, Client) {
    let new = NewStaff {
        id: StaffId::new(),
        login_id: "helper.h".into(),
        name: "試験 介護".into(),
        profession: Profession::Helper,
        mail: None,
        forwarding_mail: None,
    };
    let added: StaffAdded = at.manager.post("/v1/staff", &new).await.ok();
    let mut client = town.care(town.device(&at.manager, at.id).await);
    client.first_sign_in("helper.h", &added.first_password).await;
    (new.id, client)
}

async fn a_manager_without_an_address_is_mailed_at_once(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    // An incident: to the facility's address, which is the manager's as it was applied with.
    let incident = report();
    nurse.post("/v1/incidents", &incident).await.done();
    assert_eq!(mails(&host, "incident_waiting").await, ["kanri@example.invalid"]);
    let mail = host.mails.nth("kanri@example.invalid", 1).await;
    assert!(mail.body.contains("確認を待っている報告"), "{}", mail.body);
    // The link of the mail leads the manager there.
    let link = mail.after("/notices/");
    let landed = page(&nursing.manager, &format!("/notices/{link}")).await;
    assert!(landed.contains(&format!("/incidents/{}", incident.id)), "{landed}");
    // Reminders of training and review.
    let app = &host.server.app;
    let now = clock::now();
    training::remind::run(app, now + 30 * DAY + 1).await.unwrap();
    let of_office = MunicipalityPolicy::default().contact.mail;
    assert_eq!(
        mails(&host, "training_due").await,
        ["kanri@example.invalid", "nurse.n@example.invalid", of_office.as_str()]
    );
    review::remind::run(app, now + 340 * DAY).await.unwrap();
    assert!(mails(&host, "access_review_due").await.contains(&"kanri@example.invalid".to_owned()));
    // With an address of their own, that one and no other; with one to forward to, that one.
    for (own, to) in [
        (OwnMail { mail: Some("me@example.invalid".into()), forwarding_mail: None }, "me@example.invalid"),
        (
            OwnMail { mail: None, forwarding_mail: Some("desk@example.invalid".into()) },
            "desk@example.invalid",
        ),
    ] {
        nursing.manager.put("/v1/profile/mail", &own).await.done();
        let before = mails(&host, "incident_waiting").await;
        nurse.post("/v1/incidents", &report()).await.done();
        let after = mails(&host, "incident_waiting").await;
        assert_eq!(after.len(), before.len() + 1, "{after:?}");
        assert!(after.contains(&to.to_owned()), "{after:?}");
    }
    // Two who run a facility and have no address: one mail.
    let none = OwnMail { mail: None, forwarding_mail: None };
    nursing.manager.put("/v1/profile/mail", &none).await.done();
    nurse.put("/v1/profile/mail", &none).await.done();
    let db = &app.db;
    db.write(async |c| {
        let nurse = staff::table.filter(staff::id.eq(renraku_server::db::Id::from(nurse_id)));
        run!(c, execute, diesel::update(nurse).set(staff::role.eq("facility_manager")))?;
        Ok(())
    })
    .await
    .unwrap();
    let (_, helper) = helper(&town, &nursing).await;
    let before = mails(&host, "incident_waiting").await.len();
    helper.post("/v1/incidents", &report()).await.done();
    assert_eq!(mails(&host, "incident_waiting").await.len(), before + 1);
}

async fn managers_lines_are_theirs_alone(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let (helper_id, helper) = helper(&town, &nursing).await;
    let inbox = async |client: &Client| client.get("/v1/inbox").await.ok::<Inbox>();
    let kinds =
        async |client: &Client| inbox(client).await.lines.iter().map(|l| l.kind).collect::<Vec<NoticeKind>>();
    let incident = report();
    helper.post("/v1/incidents", &incident).await.done();
    nurse.post("/v1/devices/tickets", &NewTicket::another()).await.done();
    let seen = kinds(&nursing.manager).await;
    assert!(seen.contains(&NoticeKind::IncidentWaiting) && seen.contains(&NoticeKind::DeviceTicketIssued));
    for client in [&nurse, &helper] {
        assert_eq!(inbox(client).await.unclaimed, 0, "{:?}", kinds(client).await);
        assert!(kinds(client).await.is_empty());
        assert!(!page(client, "/tasks").await.contains("件を受け取る"));
        assert!(!page(client, "/tasks").await.contains("共有のお知らせ（"), "the menu counts what they see");
        let shown = page(client, "/inbox").await;
        assert!(
            !shown.contains(NoticeKind::IncidentWaiting.line()) && !shown.contains("id=\"for-managers\"")
        );
    }
    let line =
        inbox(&nursing.manager).await.lines.into_iter().find(|l| l.kind == NoticeKind::IncidentWaiting);
    let line = line.unwrap();
    // To a colleague it is not there, in the JSON as on the page.
    let nowhere = nurse.post(&format!("/v1/inbox/{}/claim", InboxLineId::new()), &()).await;
    let nowhere = nowhere.refused(Code::NotFound);
    for act in ["claim", "done"] {
        let there = nurse.post(&format!("/v1/inbox/{}/{act}", line.id), &()).await;
        assert_eq!(there.refused(Code::NotFound), nowhere);
        assert_eq!(nurse.form(&format!("/inbox/{}/{act}", line.id), &[]).await.status, 404);
    }
    let shown = page(&nursing.manager, "/inbox").await;
    assert!(shown.contains(&format!("共有のお知らせ（{}）", inbox(&nursing.manager).await.unclaimed)));
    assert!(
        shown.contains("管理者だけに表示されています") && shown.contains(NoticeKind::IncidentWaiting.line())
    );
    // News of a report: to whoever made it and to the manager, not to a colleague.
    let forward = NewIncidentEntry {
        id: EntryId::new(),
        step: IncidentStep::Forward,
        text: "町に報告します".into(),
        duty: None,
    };
    nursing.manager.post(&format!("/v1/incidents/{}/entries", incident.id), &forward).await.done();
    assert_eq!(kinds(&helper).await, [NoticeKind::IncidentUpdated]);
    assert_eq!(inbox(&helper).await.lines[0].staff_id, helper_id);
    assert!(kinds(&nursing.manager).await.contains(&NoticeKind::IncidentUpdated));
    assert!(kinds(&nurse).await.is_empty());
    nursing.manager.post(&format!("/v1/inbox/{}/done", line.id), &()).await.done();
}

async fn an_old_address_is_looked_at_when_the_town_asks_for_unique_ones(host: Host) {
    let policy = MunicipalityPolicy { unique_mail: false, ..MunicipalityPolicy::default() };
    let town = host.town_with("one", policy).await;
    let office = town.office().await;
    let new = |login: &str, mail: &str| NewStaff {
        id: StaffId::new(),
        login_id: login.into(),
        name: "試験 職員".into(),
        profession: Profession::Clerk,
        mail: Some(mail.into()),
        forwarding_mail: None,
    };
    office.post("/v1/staff", &new("first", "Desk@example.invalid")).await.done();
    let other = new("other", "other@example.invalid");
    office.post("/v1/staff", &other).await.done();
    set(&office, &[("/unique_mail", json!(true))]).await;
    let taken = office.post("/v1/staff", &new("second", "desk@Example.invalid")).await;
    assert_eq!(taken.refused(Code::AlreadyTaken).field.as_deref(), Some("mail"));
    let mine = OwnMail { mail: Some("DESK@example.invalid".into()), forwarding_mail: None };
    office.put("/v1/profile/mail", &mine).await.refused(Code::AlreadyTaken);
    // Who has it keeps it; the others go on as they were.
    let detail: StaffDetail = office.get(&format!("/v1/staff/{}", other.id)).await.ok();
    let same = StaffChange {
        name: "試験 改姓".into(),
        profession: detail.profession,
        role: detail.role,
        mail: detail.mail,
        forwarding_mail: None,
        may_export: false,
    };
    office.put(&format!("/v1/staff/{}", other.id), &same).await.done();
    // Of two at once for an address from the old days, neither gets it; of two for a free one, one.
    let tries = ["a.one", "a.two"].map(|login| {
        let (office, new) = (office.clone(), new(login, "free@example.invalid"));
        async move { office.post("/v1/staff", &new).await.status }
    });
    let mut statuses = futures_util::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

async fn the_office_does_not_change_past_what_waits(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let at = format!("/v1/facilities/{}", nursing.id);
    let record = async || office.get(&at).await.ok::<FacilityRecord>();
    let before = record().await;
    let change = |name: &str, address: &str, telephone: &str| FacilityChange {
        id: FacilityChangeId::new(),
        name: name.into(),
        kind: before.facility.kind,
        address: address.into(),
        telephone: telephone.into(),
        opening: String::new(),
    };
    let (name, address) = (before.facility.name.as_str(), before.facility.address.as_str());
    let telephone = before.facility.telephone.as_str();
    let asked = change("架空看護", address, telephone);
    nursing.manager.post(&format!("{at}/changes"), &asked).await.done();
    // The address now, by the office: the manager's change would put the old one back when it is confirmed.
    let answer = office.post(&format!("{at}/changes"), &change(name, "架空町7", telephone)).await;
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((answer.status, problem.code), (409, Code::StateConflict));
    assert!(problem.detail.contains("管理者が届け出た変更"), "{}", problem.detail);
    let shown = office
        .form(
            &format!("/facilities/{}/changes", nursing.id),
            &[("name", name), ("kind", "home_nursing"), ("address", "架空町7"), ("telephone", telephone)],
        )
        .await;
    let text = String::from_utf8(shown.body).unwrap();
    assert!(shown.status == 409 && text.contains("管理者が届け出た変更"), "{text}");
    assert_eq!(record().await.waiting.map(|w| w.id), Some(asked.id), "it still waits");
    // What does not touch it goes on.
    office.post(&format!("{at}/changes"), &change(name, address, "0000-77-7777")).await.done();
    assert_eq!(record().await.facility.telephone, "0000-77-7777");
    office.post(&format!("/v1/facility-changes/{}/confirmation", asked.id), &()).await.done();
    office.post(&format!("{at}/changes"), &change("架空看護", "架空町7", "0000-77-7777")).await.done();
    let after = record().await.facility;
    assert_eq!((after.name.as_str(), after.address.as_str()), ("架空看護", "架空町7"));
    // A 廃止届 says nothing of name and address.
    let closing = FacilityClosing { id: FacilityChangeId::new(), reason: "廃業".into() };
    nursing.manager.post(&format!("{at}/closure"), &closing).await.done();
    office.post(&format!("{at}/changes"), &change("架空看護", "架空町8", "0000-77-7777")).await.done();
}

async fn patients_without_a_lead_are_the_offices_task(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    const WITHOUT: &str = "担当者がいません";
    assert!(!page(&care.office, "/tasks").await.contains(WITHOUT));
    let closing = FacilityClosing { id: FacilityChangeId::new(), reason: "廃業".into() };
    care.office.post(&format!("/v1/facilities/{}/closure", care.nursing.id), &closing).await.done();
    let tasks = page(&care.office, "/tasks").await;
    assert!(tasks.contains("架空 花子さんの担当者を決めてもらう") && tasks.contains(WITHOUT), "{tasks}");
    assert!(tasks.contains(&format!("/patients/{}", care.patient)));
    assert!(!page(&care.doctor.1, "/tasks").await.contains(WITHOUT), "the office's alone");
    // Where the office does not see the patients, it learns how many.
    set(&care.office, &[("/office_sees_all_patients", json!(false))]).await;
    let tasks = page(&care.office, "/tasks").await;
    assert!(tasks.contains("担当者のいない支援対象者（1人）") && !tasks.contains("架空 花子"), "{tasks}");
    // Once somebody leads, it is done.
    let db = &host.server.app.db;
    db.write(async |c| {
        let doctor = team_member::staff_id.eq(renraku_server::db::Id::from(care.doctor.0));
        run!(c, execute, diesel::update(team_member::table.filter(doctor)).set(team_member::lead.eq(true)))?;
        Ok(())
    })
    .await
    .unwrap();
    assert!(!page(&care.office, "/tasks").await.contains("担当者のいない"));
}

async fn the_tasks_are_there_as_json(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let tasks = async |client: &Client| client.get("/v1/tasks").await.ok::<Tasks>().tasks;
    assert!(tasks(&nurse).await.is_empty(), "nothing waits on the first day: {:?}", tasks(&nurse).await);
    let applied: FacilityApplied =
        town.public().post(&town.path("/facility-applications"), &application("架空診療所")).await.ok();
    let waiting = tasks(&office).await;
    let one = waiting.iter().find(|t| t.path == format!("/facilities/{}", applied.id)).unwrap();
    assert_eq!(one.text, "架空診療所の利用申請を確認する");
    assert!((clock::now() - one.since.0).abs() < 60_000);
    let shown = page(&office, "/tasks").await;
    assert!(waiting.iter().all(|t| shown.contains(&t.path)), "{shown}");
    assert!(waiting.windows(2).all(|pair| pair[0].since <= pair[1].since), "the oldest first");
    let mut nobody = nurse.clone();
    nobody.token = None;
    nobody.get("/v1/tasks").await.refused(Code::SessionInvalid);
}
