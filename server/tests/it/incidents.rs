//! Incident reports: from whoever noticed, through the manager, to the office.

use crate::both;
use crate::town::{Facility, *};
use renraku_server::clock;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{incident, incident_entry, notice};
use renraku_server::policy::MunicipalityPolicy;
use renraku_server::run;
use renraku_wire::*;

both!(
    a_report_goes_through_the_manager_to_the_office,
    a_report_that_nobody_sends_on_is_the_offices,
    a_town_may_take_reports_at_once,
    a_report_is_seen_by_three_and_by_nobody_else,
    a_report_sent_twice_is_one,
    bad_reports_are_refused,
    nothing_of_a_timeline_is_changed,
    forms_report_and_lead_on,
    the_pages_lead_on_from_a_report,
);

const DAY: i64 = 86_400_000;

fn lost_device() -> NewIncident {
    NewIncident {
        id: IncidentId::new(),
        kind: IncidentKind::LostDevice,
        noticed_at: Timestamp(clock::now() - 60_000),
        description: "訪問先から戻る途中で、スマホがないことに気づいた。".into(),
        device_id: None,
    }
}

fn entry(step: IncidentStep, text: &str) -> NewIncidentEntry {
    NewIncidentEntry { id: EntryId::new(), step, text: text.into(), duty: None }
}

struct Scene {
    office: Client,
    nursing: Facility,
    clinic: Facility,
    nurse: (StaffId, Client),
    colleague: (StaffId, Client),
}

async fn scene(town: &Town<'_>) -> Scene {
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let clinic = town.facility(&office, "架空診療所").await;
    let nurse = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let colleague = town.member(&nursing, "nurse.o", Profession::Nurse).await;
    Scene { office, nursing, clinic, nurse, colleague }
}

async fn page(client: &Client, path: &str) -> String {
    String::from_utf8(client.get(path).await.done().body).unwrap()
}

/// The lines of a kind in a facility's inbox: managers and the office have no mail address here.
async fn waiting(client: &Client, kind: NoticeKind) -> usize {
    let inbox: Inbox = client.get("/v1/inbox").await.ok();
    inbox.lines.iter().filter(|l| l.kind == kind).count()
}

/// How many mails of a kind are queued to this person.
async fn mails(host: &Host, kind: &str, to: StaffId) -> i64 {
    let db = &host.server.app.db;
    db.read(async |c| {
        Ok(run!(
            c,
            get_result,
            notice::table
                .filter(notice::kind.eq(kind))
                .filter(notice::staff_id.eq(renraku_server::db::Id::from(to)))
                .count()
        )?)
    })
    .await
    .unwrap()
}

async fn a_report_goes_through_the_manager_to_the_office(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town).await;
    let device = s.nurse.1.identity.as_ref().and_then(|i| i.device_id);
    let new = NewIncident { device_id: device, ..lost_device() };
    let reported: Incident = s.nurse.1.post("/v1/incidents", &new).await.ok();
    assert_eq!(reported.summary.state, IncidentState::Reported);
    assert_eq!((reported.entries.len(), reported.steps.as_slice()), (1, &[IncidentStep::Note][..]));
    let path = format!("/v1/incidents/{}", new.id);
    let entries = format!("{path}/entries");
    // The manager's turn.
    assert_eq!(waiting(&s.nursing.manager, NoticeKind::IncidentWaiting).await, 1);
    assert_eq!(waiting(&s.office, NoticeKind::IncidentWaiting).await, 0);
    assert!(page(&s.nursing.manager, "/tasks").await.contains("事務局へ送る"));
    s.nurse.1.post(&entries, &entry(IncidentStep::Forward, "送る")).await.refused(Code::RoleInsufficient);
    s.office.post(&entries, &entry(IncidentStep::Close, "終わり")).await.refused(Code::StateConflict);
    let forward = entry(IncidentStep::Forward, "証明書の失効を依頼する。");
    let forwarded: Incident = s.nursing.manager.post(&entries, &forward).await.ok();
    assert_eq!(forwarded.summary.state, IncidentState::Forwarded);
    // The office's turn, with the law's clocks.
    assert_eq!(waiting(&s.office, NoticeKind::IncidentWaiting).await, 1);
    assert_eq!(mails(&host, "incident_updated", s.nurse.0).await, 1);
    let tasks = page(&s.office, "/tasks").await;
    for words in ["事故の報告を受け付ける", "速報をする", "確報をする"] {
        assert!(tasks.contains(words), "{words} is missing in {tasks}");
    }
    let received: Incident = s.office.post(&entries, &entry(IncidentStep::Receive, "")).await.ok();
    let s_of = &received.summary;
    assert_eq!(s_of.prompt_due_at, Some(Timestamp(new.noticed_at.0 + 5 * DAY)));
    assert_eq!(s_of.final_due_at, Some(Timestamp(new.noticed_at.0 + 30 * DAY)));
    s.office.post(&entries, &entry(IncidentStep::Close, "終わり")).await.refused(Code::StateConflict);
    let malice = NewIncidentEntry {
        duty: Some(LegalDuty::MaliciousLeak),
        ..entry(IncidentStep::Assess, "盗難届あり。")
    };
    let assessed: Incident = s.office.post(&entries, &malice).await.ok();
    assert_eq!(assessed.summary.final_due_at, Some(Timestamp(new.noticed_at.0 + 60 * DAY)));
    for step in [IncidentStep::PromptReport, IncidentStep::FinalReport, IncidentStep::Close] {
        s.office.post(&entries, &entry(step, "記録")).await.done();
    }
    let closed: Incident = s.nurse.1.get(&path).await.ok();
    assert_eq!(closed.summary.state, IncidentState::Closed);
    assert_eq!((closed.summary.prompt_due_at, closed.summary.final_due_at), (None, None));
    let steps: Vec<_> = closed.entries.iter().map(|e| e.step).collect();
    assert_eq!(
        steps,
        [
            IncidentStep::Report,
            IncidentStep::Forward,
            IncidentStep::Receive,
            IncidentStep::Assess,
            IncidentStep::PromptReport,
            IncidentStep::FinalReport,
            IncidentStep::Close
        ]
    );
    assert!(closed.steps.is_empty());
    s.nurse.1.post(&entries, &entry(IncidentStep::Note, "追記")).await.refused(Code::StateConflict);
    assert!(!page(&s.office, "/tasks").await.contains("/incidents/"));
}

async fn a_report_that_nobody_sends_on_is_the_offices(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town).await;
    // The law says nothing of this kind: no due date leads the office here.
    let new = NewIncident { kind: IncidentKind::Other, ..lost_device() };
    let reported: Incident = s.nurse.1.post("/v1/incidents", &new).await.ok();
    assert_eq!(reported.summary.state, IncidentState::Reported);
    let path = format!("/incidents/{}", new.id);
    let waits = async || {
        let tasks: Tasks = s.office.get("/v1/tasks").await.ok();
        tasks.tasks.into_iter().any(|t| t.path == path && t.text.contains("管理者から送られていません"))
    };
    assert!(!waits().await, "it is the manager's turn");
    // Nobody there can send it on: the facility is suspended, or its manager.
    let why = FacilityReason { reason: "事故".into() };
    let at = format!("/v1/facilities/{}", s.nursing.id);
    s.office.post(&format!("{at}/suspension"), &why).await.done();
    assert!(waits().await);
    s.office.post(&format!("{at}/resumption"), &()).await.done();
    assert!(!waits().await);
    let staff: Vec<StaffDetail> = s.office.get(&format!("/v1/staff?facility={}", s.nursing.id)).await.ok();
    let manager = staff.iter().find(|d| d.role == Role::FacilityManager).unwrap().id;
    let given = Suspending { id: SuspensionId::new(), reason: "事故".into(), agreed: false };
    s.office.post(&format!("/v1/staff/{manager}/suspension"), &given).await.done();
    assert!(waits().await);
    s.office.post(&format!("/v1/staff/{manager}/resumption"), &()).await.done();
    assert!(!waits().await);
    // Nobody has for a day.
    let db = &host.server.app.db;
    db.write(async |c| {
        let long_ago = incident::reported_at.eq(clock::now() - DAY - 60_000);
        run!(c, execute, diesel::update(incident::table).set(long_ago))?;
        Ok(())
    })
    .await
    .unwrap();
    assert!(waits().await);
    assert!(page(&s.office, &path).await.contains("receive"), "the page offers what the task asks for");
    s.office.post(&format!("/v1{path}/entries"), &entry(IncidentStep::Receive, "")).await.done();
    assert!(!waits().await);
}

async fn a_town_may_take_reports_at_once(host: Host) {
    let direct = MunicipalityPolicy { incident_through_facility: false, ..MunicipalityPolicy::default() };
    let town = host.town_with("one", direct).await;
    let s = scene(&town).await;
    let reported: Incident = s.nurse.1.post("/v1/incidents", &lost_device()).await.ok();
    assert_eq!(reported.summary.state, IncidentState::Forwarded);
    assert_eq!(waiting(&s.office, NoticeKind::IncidentWaiting).await, 1);
    // Where the way leads through the facility, a manager's own report still goes straight on.
    let other = host.town("two").await;
    let s = scene(&other).await;
    let own: Incident = s.nursing.manager.post("/v1/incidents", &lost_device()).await.ok();
    assert_eq!(own.summary.state, IncidentState::Forwarded);
    assert_eq!(waiting(&s.office, NoticeKind::IncidentWaiting).await, 1);
    assert_eq!(waiting(&s.nursing.manager, NoticeKind::IncidentWaiting).await, 0);
}

async fn a_report_is_seen_by_three_and_by_nobody_else(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town).await;
    let new = lost_device();
    s.nurse.1.post("/v1/incidents", &new).await.done();
    let seen = async |client: &Client| {
        let list: IncidentList = client.get("/v1/incidents").await.ok();
        list.incidents.iter().any(|i| i.id == new.id)
    };
    for client in [&s.nurse.1, &s.nursing.manager, &s.office] {
        assert!(seen(client).await);
        client.get(&format!("/v1/incidents/{}", new.id)).await.done();
    }
    let stranger = host.town("two").await.office().await;
    for client in [&s.colleague.1, &s.clinic.manager, &stranger] {
        assert!(!seen(client).await);
        let there = client.get(&format!("/v1/incidents/{}", new.id)).await.refused(Code::NotFound);
        let nowhere = client.get(&format!("/v1/incidents/{}", IncidentId::new())).await;
        assert_eq!(nowhere.refused(Code::NotFound), there);
        let note = entry(IncidentStep::Note, "見えないはず");
        client.post(&format!("/v1/incidents/{}/entries", new.id), &note).await.refused(Code::NotFound);
    }
}

async fn a_report_sent_twice_is_one(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town).await;
    let new = lost_device();
    let twice = (0..3).map(|_| s.nurse.1.post("/v1/incidents", &new));
    for answer in futures_util::future::join_all(twice).await {
        let report: Incident = answer.ok();
        assert_eq!(report.entries.len(), 1);
    }
    assert_eq!(waiting(&s.nursing.manager, NoticeKind::IncidentWaiting).await, 1);
    let changed = NewIncident { description: "別の内容".into(), ..new.clone() };
    s.nurse.1.post("/v1/incidents", &changed).await.refused(Code::IdConflict);
    s.colleague.1.post("/v1/incidents", &new).await.refused(Code::IdConflict);
    let path = format!("/v1/incidents/{}/entries", new.id);
    let forward = entry(IncidentStep::Forward, "確認した。");
    let twice = (0..3).map(|_| s.nursing.manager.post(&path, &forward));
    for answer in futures_util::future::join_all(twice).await {
        let report: Incident = answer.ok();
        assert_eq!((report.entries.len(), report.summary.state), (2, IncidentState::Forwarded));
    }
    assert_eq!(waiting(&s.office, NoticeKind::IncidentWaiting).await, 1);
    let other = NewIncidentEntry { text: "別の内容".into(), ..forward };
    s.nursing.manager.post(&path, &other).await.refused(Code::IdConflict);
    // Two different entries for the same step: one is too late.
    let receive = [entry(IncidentStep::Receive, ""), entry(IncidentStep::Receive, "")];
    let both = receive.iter().map(|e| s.office.post(&path, e));
    let statuses: Vec<u16> =
        futures_util::future::join_all(both).await.into_iter().map(|a| a.status).collect();
    assert!(statuses.contains(&201) && statuses.contains(&409), "{statuses:?}");
}

async fn bad_reports_are_refused(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town).await;
    let good = lost_device();
    let foreign = s.clinic.manager.identity.as_ref().and_then(|i| i.device_id);
    let later = Timestamp(clock::now() + DAY);
    let long_ago = Timestamp(clock::now() - 400 * DAY);
    for (bad, field) in [
        (NewIncident { description: "  ".into(), ..good.clone() }, "description"),
        (NewIncident { description: "あ".repeat(2_001), ..good.clone() }, "description"),
        (NewIncident { noticed_at: later, ..good.clone() }, "noticed_at"),
        (NewIncident { noticed_at: long_ago, ..good.clone() }, "noticed_at"),
        (NewIncident { device_id: foreign, ..good.clone() }, "device_id"),
        (NewIncident { device_id: Some(DeviceId::new()), ..good.clone() }, "device_id"),
    ] {
        let refusal = s.nurse.1.post("/v1/incidents", &bad).await.refused(Code::FieldInvalid);
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
    let list: IncidentList = s.office.get("/v1/incidents").await.ok();
    assert!(list.incidents.is_empty(), "bad input changes nothing");
    s.nurse.1.post("/v1/incidents", &good).await.done();
    let path = format!("/v1/incidents/{}/entries", good.id);
    let leak = Some(LegalDuty::Leak);
    for (bad, field) in [
        (entry(IncidentStep::Note, ""), "text"),
        (entry(IncidentStep::Report, "もう一度"), "step"),
        (NewIncidentEntry { duty: leak, ..entry(IncidentStep::Note, "a") }, "duty"),
    ] {
        let refusal = s.nurse.1.post(&path, &bad).await.refused(Code::FieldInvalid);
        assert_eq!(refusal.field.as_deref(), Some(field));
    }
}

async fn nothing_of_a_timeline_is_changed(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town).await;
    s.nurse.1.post("/v1/incidents", &lost_device()).await.done();
    let db = &host.server.app.db;
    let change = db
        .write(async |c| {
            run!(c, execute, diesel::update(incident_entry::table).set(incident_entry::text.eq("改ざん")))?;
            Ok(())
        })
        .await;
    assert!(change.is_err());
    let delete = db
        .write(async |c| {
            run!(c, execute, diesel::delete(incident_entry::table))?;
            Ok(())
        })
        .await;
    assert!(delete.is_err());
    let reports: i64 = db.read(async |c| Ok(run!(c, get_result, incident::table.count())?)).await.unwrap();
    assert_eq!(reports, 1);
}

async fn the_pages_lead_on_from_a_report(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town).await;
    let list = page(&s.nurse.1, "/incidents").await;
    assert!(list.contains("管理者に届き") && list.contains("tel:") && list.contains("端末の紛失・盗難"));
    let new =
        NewIncident { device_id: s.nurse.1.identity.as_ref().and_then(|i| i.device_id), ..lost_device() };
    s.nurse.1.post("/v1/incidents", &new).await.done();
    let path = format!("/incidents/{}", new.id);
    let manager = page(&s.nursing.manager, &path).await;
    assert!(manager.contains("do-forward") && !manager.contains("id=\"suspend\""), "{manager}");
    let forward = entry(IncidentStep::Forward, "確認した。");
    s.nursing.manager.post(&format!("/v1{path}/entries"), &forward).await.done();
    let office = page(&s.office, &path).await;
    assert!(office.contains("do-receive") && office.contains("prompt-due"), "{office}");
    assert!(office.contains(&format!("href=\"/staff/{}\"", s.nurse.0)));
    assert!(office.contains(&format!("href=\"/devices#device-{}\"", new.device_id.unwrap())));
    assert_eq!(s.colleague.1.get(&path).await.status, 404);
    // The notice leads there, for its recipient alone.
    let db = &host.server.app.db;
    let id: renraku_server::db::Id = db
        .read(async |c| {
            Ok(run!(
                c,
                get_result,
                notice::table
                    .filter(notice::kind.eq("incident_updated"))
                    .filter(notice::staff_id.eq(renraku_server::db::Id::from(s.nurse.0)))
                    .select(notice::id)
            )?)
        })
        .await
        .unwrap();
    assert!(page(&s.nurse.1, &format!("/notices/{id}")).await.contains("do-note"));
    assert_eq!(s.colleague.1.get(&format!("/notices/{id}")).await.status, 404);
}

async fn forms_report_and_lead_on(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town).await;
    let text = |answer: Answer| (answer.status, String::from_utf8(answer.body).unwrap());
    let id = IncidentId::new().to_string();
    let now = clock::japan(clock::now() - 120_000).strftime("%Y-%m-%dT%H:%M").to_string();
    let mut fields = vec![
        ("id", id.as_str()),
        ("kind", ""),
        ("noticed_at", now.as_str()),
        ("description", "訪問先で<スマホ>を置き忘れた。"),
        ("device", ""),
    ];
    let (status, page) = text(s.nurse.1.form("/incidents", &fields).await);
    assert_eq!(status, 422, "{page}");
    assert!(page.contains("kind-error") && page.contains("を置き忘れた。</textarea>") && page.contains(&id));
    assert!(!page.contains("<スマホ>"), "what was typed must be escaped");
    fields[1].1 = "lost_device";
    for _ in 0..2 {
        let (status, page) = text(s.nurse.1.form("/incidents", &fields).await);
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("記録しました") && page.contains("管理者の確認待ち"));
    }
    let entries = format!("/incidents/{id}/entries");
    let entry = |step: &'static str, text: &'static str| [("step", step), ("text", text)];
    let (status, page) = text(s.nursing.manager.form(&entries, &entry("forward", "")).await);
    assert_eq!(status, 422, "{page}");
    assert!(page.contains("text-forward-error"));
    for (client, fields) in [
        (&s.nurse.1, vec![("step", "note"), ("text", "まだ見つからない。")]),
        (&s.nursing.manager, vec![("step", "forward"), ("text", "失効を依頼する。")]),
        (&s.office, vec![("step", "receive"), ("text", ""), ("duty", "none")]),
        (&s.office, vec![("step", "close"), ("text", "ストラップを付ける。")]),
    ] {
        let (status, page) = text(client.form(&entries, &fields).await);
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("記録しました"));
    }
    let closed: Incident = s.nurse.1.get(&format!("/v1/incidents/{id}")).await.ok();
    assert_eq!((closed.summary.state, closed.entries.len()), (IncidentState::Closed, 5));
}
