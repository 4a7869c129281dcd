//! The yearly security training and the yearly review of access.

use crate::both;
use crate::town::*;
use renraku_server::clock;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{access_review_line, facility, notice, staff, training as completions};
use renraku_server::notice::reminder::a_year_after;
use renraku_server::policy::MunicipalityPolicy;
use renraku_server::{review, run, training};
use renraku_wire::*;

both!(
    a_training_is_declared_once_and_due_in_a_year,
    reminders_of_the_training_come_once_each,
    the_office_and_the_manager_see_who_is_late,
    a_newcomer_is_not_reminded_on_the_first_day,
    a_town_may_ask_for_no_training,
    a_review_names_everybody_and_is_kept,
    what_a_review_says_to_change_is_a_task_until_it_changed,
    a_review_is_signed_once,
    late_reviews_show_to_the_office,
    forms_declare_and_sign,
);

const DAY: i64 = 86_400_000;

async fn page(client: &Client, path: &str) -> String {
    String::from_utf8(client.get(path).await.done().body).unwrap()
}

/// How many notices of a kind are queued to this person.
async fn told(host: &Host, kind: &str, to: StaffId) -> i64 {
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

/// Puts every account's making, and every facility's beginning, back.
async fn age(host: &Host, millis: i64) {
    let then = clock::now() - millis;
    let db = &host.server.app.db;
    db.write(async |c| {
        run!(c, execute, diesel::update(staff::table).set(staff::created_at.eq(then)))?;
        run!(c, execute, diesel::update(facility::table).set(facility::decided_at.eq(Some(then))))?;
        Ok(())
    })
    .await
    .unwrap();
}

fn declaration(version: &str) -> NewTraining {
    NewTraining { id: TrainingId::new(), material_version: version.into() }
}

async fn a_training_is_declared_once_and_due_in_a_year(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let before: TrainingStatus = nurse.get("/v1/training").await.ok();
    assert_eq!(before.completed_at, None);
    let due = before.due_at.unwrap().0;
    assert!((due - clock::now() - 30 * DAY).abs() < 60_000, "new staff have a month");
    let text: String = before.material.iter().flat_map(|s| s.rules.clone()).collect();
    assert!(text.contains("スクリーンショット") && text.contains("ウイルス") && text.contains("電話"));
    let old = nurse.post("/v1/training/completions", &declaration("1999-1")).await;
    assert_eq!(old.refused(Code::FieldInvalid).field.as_deref(), Some("material_version"));
    // Sent twice at once, it is one.
    let new = declaration(&before.material_version);
    let twice = (0..2).map(|_| nurse.post("/v1/training/completions", &new));
    for answer in futures_util::future::join_all(twice).await {
        let status: TrainingStatus = answer.ok();
        assert_eq!(status.due_at.map(|t| t.0), status.completed_at.map(|t| a_year_after(t.0)));
    }
    let db = &host.server.app.db;
    let stored: i64 = db.read(async |c| Ok(run!(c, get_result, completions::table.count())?)).await.unwrap();
    assert_eq!(stored, 1);
    // Somebody else's id is no id of mine.
    nursing.manager.post("/v1/training/completions", &new).await.refused(Code::IdConflict);
    assert!(page(&nurse, "/training").await.contains("読んで理解しました"));
}

async fn reminders_of_the_training_come_once_each(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let app = &host.server.app;
    let version = nurse.get("/v1/training").await.ok::<TrainingStatus>().material_version;
    nurse.post("/v1/training/completions", &declaration(&version)).await.done();
    let due = nurse.get("/v1/training").await.ok::<TrainingStatus>().due_at.unwrap().0;
    let before = told(&host, "training_due", id).await;
    let mut so_far = 0;
    for (days, more) in
        [(31, 0), (30, 1), (20, 0), (7, 1), (1, 0), (0, 1), (-3, 0), (-7, 1), (-14, 1), (-15, 0)]
    {
        let now = due - days * DAY;
        // Two servers may run the chore at once.
        let (a, b) = tokio::join!(training::remind::run(app, now), training::remind::run(app, now));
        a.unwrap();
        b.unwrap();
        so_far += more;
        assert_eq!(told(&host, "training_due", id).await - before, so_far, "{days} days before");
    }
}

async fn the_office_and_the_manager_see_who_is_late(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let clinic = town.facility(&office, "架空診療所").await;
    let (id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let (_, doctor) = town.member(&clinic, "doctor.d", Profession::Physician).await;
    assert!(!page(&nurse, "/tasks").await.contains("研修を受ける"), "not on the first day");
    age(&host, 22 * DAY).await;
    assert!(!page(&nurse, "/tasks").await.contains("研修を受ける"));
    age(&host, 24 * DAY).await;
    assert!(page(&nurse, "/tasks").await.contains("研修を受ける"));
    age(&host, 31 * DAY).await;
    let version = nurse.get("/v1/training").await.ok::<TrainingStatus>().material_version;
    doctor.post("/v1/training/completions", &declaration(&version)).await.done();
    let overview: Vec<TrainingLine> = nursing.manager.get("/v1/training/overview").await.ok();
    assert!(overview.iter().all(|l| l.facility_name == "架空訪問看護"));
    assert!(overview.iter().any(|l| l.staff_id == id && l.overdue && l.completed_at.is_none()));
    let overview: Vec<TrainingLine> = office.get("/v1/training/overview").await.ok();
    assert!(overview.iter().any(|l| l.staff_id == id && l.overdue));
    assert!(overview.iter().any(|l| l.facility_name == "架空診療所" && !l.overdue));
    nurse.get("/v1/training/overview").await.refused(Code::RoleInsufficient);
    for client in [&nursing.manager, &office] {
        assert!(page(client, "/training/overview").await.contains("過ぎています"));
        assert!(page(client, "/tasks").await.contains("/training/overview\">研修の期限を過ぎた"));
    }
    assert!(!page(&nurse, "/tasks").await.contains("/training/overview"));
    assert!(!page(&doctor, "/tasks").await.contains("研修を受ける"));
}

async fn a_newcomer_is_not_reminded_on_the_first_day(host: Host) {
    for (slug, first_days, quiet) in [("one", 30, 23), ("two", 60, 53), ("three", 3, 0)] {
        let policy = MunicipalityPolicy { training_first_days: first_days, ..MunicipalityPolicy::default() };
        let town = host.town_with(slug, policy).await;
        let office = town.office().await;
        let me = office.get("/v1/session").await.ok::<Staff>().id;
        let status: TrainingStatus = office.get("/v1/training").await.ok();
        let made = status.due_at.unwrap().0 - i64::from(first_days) * DAY;
        let app = &host.server.app;
        let mut so_far = 0;
        if quiet > 0 {
            for now in [made, made + DAY, made + quiet * DAY - 1] {
                training::remind::run(app, now).await.unwrap();
                assert_eq!(told(&host, "training_due", me).await, 0, "{slug}");
            }
        }
        for now in [made + quiet * DAY, made + i64::from(first_days) * DAY] {
            so_far += 1;
            training::remind::run(app, now).await.unwrap();
            training::remind::run(app, now).await.unwrap();
            assert_eq!(told(&host, "training_due", me).await, so_far, "{slug}");
        }
    }
}

async fn a_town_may_ask_for_no_training(host: Host) {
    let policy = MunicipalityPolicy { yearly_training: false, ..MunicipalityPolicy::default() };
    let town = host.town_with("one", policy).await;
    let office = town.office().await;
    age(&host, 400 * DAY).await;
    let status: TrainingStatus = office.get("/v1/training").await.ok();
    assert_eq!(status.due_at, None);
    assert!(office.get("/v1/training/overview").await.ok::<Vec<TrainingLine>>().is_empty());
    assert!(!page(&office, "/tasks").await.contains("研修を受ける"));
    let me = office.get("/v1/session").await.ok::<Staff>().id;
    training::remind::run(&host.server.app, clock::now()).await.unwrap();
    assert_eq!(told(&host, "training_due", me).await, 0);
}

/// A review that finds everything as it should be.
fn all_well(now: &AccessReview) -> NewAccessReview {
    let verdict = Verdict::Unchanged;
    NewAccessReview {
        id: ReviewId::new(),
        staff: now.staff.iter().map(|s| StaffVerdict { staff_id: s.staff_id, verdict }).collect(),
        devices: now.devices.iter().map(|d| DeviceVerdict { device_id: d.device_id, verdict }).collect(),
    }
}

async fn a_review_names_everybody_and_is_kept(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    nurse.get("/v1/access-review").await.refused(Code::RoleInsufficient);
    let now: AccessReview = nursing.manager.get("/v1/access-review").await.ok();
    assert_eq!((now.staff.len(), now.devices.len(), now.signed_at), (2, 2, None));
    let good = all_well(&now);
    let short = NewAccessReview { staff: good.staff[1..].to_vec(), ..good.clone() };
    let twice = NewAccessReview { staff: vec![good.staff[0], good.staff[0]], ..good.clone() };
    let stranger = office.get("/v1/session").await.ok::<Staff>().id;
    let mut strange = good.clone();
    strange.staff[0].staff_id = stranger;
    for bad in [short, twice, strange] {
        let refusal = nursing.manager.post("/v1/access-reviews", &bad).await.refused(Code::FieldInvalid);
        assert_eq!(refusal.field.as_deref(), Some("staff"));
    }
    let without = NewAccessReview { devices: vec![], ..good.clone() };
    let refusal = nursing.manager.post("/v1/access-reviews", &without).await.refused(Code::FieldInvalid);
    assert_eq!(refusal.field.as_deref(), Some("devices"));
    // The nurse leaves: said, signed, kept, and a task until it is done.
    let mut leaving = good;
    leaving.staff.iter_mut().filter(|s| s.staff_id == id).for_each(|s| s.verdict = Verdict::Leave);
    let after: AccessReview = nursing.manager.post("/v1/access-reviews", &leaving).await.ok();
    let signed_at = after.signed_at.unwrap().0;
    assert_eq!(after.due_at.0, a_year_after(signed_at));
    assert_eq!(after.signed_by.as_deref(), Some("管理 二郎"));
    let line = after.staff.iter().find(|s| s.staff_id == id).unwrap();
    assert_eq!(line.last, Some(Verdict::Leave));
    assert!(!page(&nursing.manager, "/tasks").await.contains("登録を直す"));
    assert!(page(&nursing.manager, "/tasks").await.contains("試験 nurse.nさんの利用を終える"));
    let db = &host.server.app.db;
    let kept: Vec<(String, String, String)> = db
        .read(async |c| {
            Ok(run!(
                c,
                load,
                access_review_line::table
                    .filter(access_review_line::subject_id.eq(renraku_server::db::Id::from(id)))
                    .select((
                        access_review_line::subject,
                        access_review_line::seen,
                        access_review_line::verdict
                    ))
            )?)
        })
        .await
        .unwrap();
    assert_eq!(kept, [("staff".into(), "member nurse".into(), "leave".into())]);
    let shown = page(&nursing.manager, "/review").await;
    assert!(shown.contains(&format!("name=\"staff-{id}\"")) && shown.contains("前回「やめる・退職」"));
}

async fn what_a_review_says_to_change_is_a_task_until_it_changed(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (id, _nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let manager = &nursing.manager;
    let now: AccessReview = manager.get("/v1/access-review").await.ok();
    let mut new = all_well(&now);
    new.staff.iter_mut().filter(|s| s.staff_id == id).for_each(|s| s.verdict = Verdict::ChangeNeeded);
    new.devices[0].verdict = Verdict::ChangeNeeded;
    let device = new.devices[0].device_id;
    manager.post("/v1/access-reviews", &new).await.done();
    let tasks = page(manager, "/tasks").await;
    for part in ["試験 nurse.nさんの登録を直す", &format!("/staff/{id}"), "の登録を直す（点検の結果）"]
    {
        assert!(tasks.contains(part), "{part} in {tasks}");
    }
    assert_eq!(tasks.matches("登録を直す").count(), 2, "{tasks}");
    let change = StaffChange {
        name: "試験 看子".into(),
        profession: Profession::Nurse,
        role: Role::Member,
        mail: None,
        forwarding_mail: None,
        may_export: false,
    };
    manager.put(&format!("/v1/staff/{id}"), &change).await.done();
    let tasks = page(manager, "/tasks").await;
    assert!(!tasks.contains("さんの登録を直す") && tasks.contains("の登録を直す"), "{tasks}");
    manager.put(&format!("/v1/devices/{device}/name"), &DeviceName { name: "受付".into() }).await.done();
    assert!(!page(manager, "/tasks").await.contains("登録を直す"));
    assert!(page(manager, "/review").await.contains("年1回の点検（スタッフと端末）"));
}

async fn a_review_is_signed_once(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let now: AccessReview = nursing.manager.get("/v1/access-review").await.ok();
    let new = all_well(&now);
    let twice = (0..3).map(|_| nursing.manager.post("/v1/access-reviews", &new));
    let answers: Vec<AccessReview> =
        futures_util::future::join_all(twice).await.into_iter().map(Answer::ok).collect();
    assert!(answers.windows(2).all(|w| w[0].signed_at == w[1].signed_at));
    // Another review under the same id is refused, and so is another facility's.
    let mut other = new.clone();
    other.staff[0].verdict = Verdict::ChangeNeeded;
    nursing.manager.post("/v1/access-reviews", &other).await.refused(Code::IdConflict);
    office.post("/v1/access-reviews", &new).await.refused(Code::IdConflict);
}

async fn late_reviews_show_to_the_office(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let manager = nursing.manager.get("/v1/session").await.ok::<Staff>().id;
    nursing.manager.get("/v1/access-reviews").await.refused(Code::RoleInsufficient);
    let lines: Vec<ReviewLine> = office.get("/v1/access-reviews").await.ok();
    assert!(lines.len() == 2 && lines.iter().all(|l| !l.overdue));
    assert!(!page(&nursing.manager, "/tasks").await.contains("点検をする"));
    age(&host, 370 * DAY).await;
    let lines: Vec<ReviewLine> = office.get("/v1/access-reviews").await.ok();
    assert!(lines.iter().any(|l| l.facility_id == nursing.id && l.overdue));
    assert!(page(&nursing.manager, "/tasks").await.contains("点検をする"));
    assert!(page(&office, "/tasks").await.contains("架空訪問看護の年1回の点検が期限を過ぎています"));
    assert!(page(&office, "/review/overview").await.contains("過ぎています"));
    // The manager has no mail address: what she is told lies in the inbox.
    let app = &host.server.app;
    let waiting = async || {
        let inbox: Inbox = nursing.manager.get("/v1/inbox").await.ok();
        let mine = |l: &&InboxLine| l.kind == NoticeKind::AccessReviewDue && l.staff_id == manager;
        inbox.lines.iter().filter(mine).count()
    };
    let before = waiting().await;
    review::remind::run(app, clock::now()).await.unwrap();
    let first = waiting().await;
    assert!(first <= before + 1 && first > 0);
    review::remind::run(app, clock::now()).await.unwrap();
    assert_eq!(waiting().await, first);
    review::remind::run(app, clock::now() + 7 * DAY).await.unwrap();
    assert_eq!(waiting().await, first + 1);
    let now: AccessReview = nursing.manager.get("/v1/access-review").await.ok();
    nursing.manager.post("/v1/access-reviews", &all_well(&now)).await.done();
    review::remind::run(app, clock::now() + 14 * DAY).await.unwrap();
    assert_eq!(waiting().await, first + 1, "signed: no more reminders");
    assert!(!page(&nursing.manager, "/tasks").await.contains("点検をする"));
}

async fn forms_declare_and_sign(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let manager = &nursing.manager;
    let text = |answer: Answer| (answer.status, String::from_utf8(answer.body).unwrap());
    let version = manager.get("/v1/training").await.ok::<TrainingStatus>().material_version;
    let id = TrainingId::new().to_string();
    let mut fields = vec![("id", id.as_str()), ("version", version.as_str())];
    let (status, form) = text(manager.form("/training", &fields).await);
    assert_eq!(status, 422, "{form}");
    assert!(form.contains("understood-error") && form.contains(&id));
    fields.push(("understood", "yes"));
    for _ in 0..2 {
        let (status, form) = text(manager.form("/training", &fields).await);
        assert!(status == 200 && form.contains("受講を記録しました"), "{form}");
    }
    let now: AccessReview = manager.get("/v1/access-review").await.ok();
    let id = ReviewId::new().to_string();
    let staff = format!("staff-{}", now.staff[0].staff_id);
    let device = format!("device-{}", now.devices[0].device_id);
    let mut fields = vec![("id", id.as_str()), (staff.as_str(), "unchanged")];
    let (status, form) = text(manager.form("/review", &fields).await);
    assert_eq!(status, 422, "{form}");
    assert!(form.contains(&format!("{device}-error")) && form.contains(&id));
    assert!(form.contains("value=\"unchanged\" selected"), "what was chosen is kept");
    fields.push((device.as_str(), "change_needed"));
    for _ in 0..2 {
        let (status, form) = text(manager.form("/review", &fields).await);
        assert!(status == 200 && form.contains("点検を記録しました"), "{form}");
    }
    let after: AccessReview = manager.get("/v1/access-review").await.ok();
    assert_eq!(after.devices[0].last, Some(Verdict::ChangeNeeded));
}
