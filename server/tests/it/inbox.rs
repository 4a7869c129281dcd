//! A facility's shared inbox, and notices that cannot be delivered.

use crate::both;
use crate::town::{Facility, *};
use renraku_server::clock;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{inbox_line, notice, staff};
use renraku_server::policy::MunicipalityPolicy;
use renraku_server::{inbox, run};
use renraku_wire::*;
use reqwest::Method;

both!(
    a_notice_without_an_own_address_waits_in_the_inbox,
    the_forwarding_address_is_told_as_the_town_says,
    one_of_two_claims_wins,
    what_is_claimed_by_who_is_gone_waits_again,
    claiming_gives_no_access,
    a_forgotten_line_is_reminded_of_daily,
    the_office_sees_what_was_not_delivered,
);

const DAY: i64 = 86_400_000;

/// A helper without a mail address, in the facility, with or without a forwarding address.
async fn helper(town: &Town<'_>, at: &Facility, forwarding: Option<&str>) -> (StaffId, Client) {
    let new = NewStaff {
        id: StaffId::new(),
        login_id: "helper.h".into(),
        name: "試験 介護".into(),
        profession: Profession::Helper,
        mail: None,
        forwarding_mail: forwarding.map(Into::into),
    };
    let added: StaffAdded = at.manager.post("/v1/staff", &new).await.ok();
    let mut client = town.care(town.device(&at.manager, at.id).await);
    client.first_sign_in("helper.h", &added.first_password).await;
    (new.id, client)
}

struct Scene {
    office: Client,
    nursing: Facility,
    clinic: Facility,
    nurse: (StaffId, Client),
    helper: (StaffId, Client),
    patient: PatientId,
}

/// A patient whom a nurse and a helper without an own address care for; another facility looks on.
async fn scene(town: &Town<'_>, forwarding: Option<&str>) -> Scene {
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let clinic = town.facility(&office, "架空診療所").await;
    let nurse = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let helper = helper(town, &nursing, forwarding).await;
    let document = consent_document(&nurse.1).await;
    let new = registration(document, &[nurse.0, helper.0]);
    nurse.1.post("/v1/patients", &new).await.done();
    Scene { office, nursing, clinic, nurse, helper, patient: new.id }
}

/// The open lines of a kind.
async fn lines(client: &Client, kind: NoticeKind) -> Vec<InboxLine> {
    let inbox: Inbox = client.get("/v1/inbox").await.ok();
    inbox.lines.into_iter().filter(|l| l.kind == kind).collect()
}

/// The addresses that mails of a kind are queued to, sorted.
async fn mails(host: &Host, kind: &str) -> Vec<String> {
    let db = &host.server.app.db;
    let mut found: Vec<String> = db
        .read(async |c| {
            Ok(run!(
                c,
                load,
                notice::table
                    .filter(notice::kind.eq(kind))
                    .filter(notice::channel.eq("mail"))
                    .select(notice::target)
            )?)
        })
        .await
        .unwrap();
    found.sort();
    found
}

async fn a_notice_without_an_own_address_waits_in_the_inbox(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town, None).await;
    let post = new_post("左踵の発赤は縮小。", vec![]);
    s.nurse.1.post(&format!("/v1/patients/{}/posts", s.patient), &post).await.done();
    // The same post again tells nobody again.
    s.nurse.1.post(&format!("/v1/patients/{}/posts", s.patient), &post).await.done();
    for client in [&s.nurse.1, &s.helper.1, &s.nursing.manager] {
        let found = lines(client, NoticeKind::PostPublished).await;
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].staff_id, found[0].post_id), (s.helper.0, Some(post.id)));
        assert_eq!(found[0].claimed_by, None);
        assert_eq!(lines(client, NoticeKind::PatientRegistered).await.len(), 1);
    }
    // Somebody with an own address gets no line, and another facility sees none.
    let inbox: Inbox = s.nurse.1.get("/v1/inbox").await.ok();
    assert!(inbox.lines.iter().all(|l| l.staff_id != s.nurse.0));
    let line = &lines(&s.nurse.1, NoticeKind::PostPublished).await[0];
    assert!(lines(&s.clinic.manager, NoticeKind::PostPublished).await.is_empty());
    let claim = |id: InboxLineId| format!("/v1/inbox/{id}/claim");
    let there = s.clinic.manager.post(&claim(line.id), &()).await.refused(Code::NotFound);
    let nowhere = s.clinic.manager.post(&claim(InboxLineId::new()), &()).await.refused(Code::NotFound);
    assert_eq!(there, nowhere);
    s.office.post(&claim(line.id), &()).await.refused(Code::NotFound);
    // Claimed, given back, claimed again and ticked off.
    let taken: InboxLine = s.nurse.1.post(&claim(line.id), &()).await.ok();
    assert_eq!(taken.claimed_by, Some(s.nurse.0));
    let again: InboxLine = s.nurse.1.post(&claim(line.id), &()).await.ok();
    assert_eq!(again, taken);
    let back: InboxLine = s.nurse.1.send(s.nurse.1.request(Method::DELETE, &claim(line.id))).await.ok();
    assert_eq!(back.claimed_by, None);
    s.helper.1.post(&claim(line.id), &()).await.done();
    let done: InboxLine = s.helper.1.post(&format!("/v1/inbox/{}/done", line.id), &()).await.ok();
    assert!(done.done_at.is_some());
    let late = s.nurse.1.post(&claim(line.id), &()).await;
    assert_eq!(late.status, Code::StateConflict.status());
    let inbox: Inbox = s.nurse.1.get("/v1/inbox").await.ok();
    assert_eq!(inbox.lines.last().map(|l| l.id), Some(line.id), "ticked-off ones stand at the end");
    let waiting = inbox.lines.iter().filter(|l| l.claimed_by.is_none() && l.done_at.is_none()).count();
    assert_eq!(usize::try_from(inbox.unclaimed), Ok(waiting));
}

async fn the_forwarding_address_is_told_as_the_town_says(host: Host) {
    let town = host.town("one").await;
    scene(&town, Some("all@example.invalid")).await;
    assert_eq!(mails(&host, "patient_registered").await, ["all@example.invalid"]);
    let shy = MunicipalityPolicy { forwarding_mail: false, ..MunicipalityPolicy::default() };
    let other = host.town_with("two", shy).await;
    let s = scene(&other, None).await;
    // An address from the days before the town thought otherwise.
    let db = &host.server.app.db;
    db.write(async |c| {
        let helper = staff::table.filter(staff::id.eq(renraku_server::db::Id::from(s.helper.0)));
        let old = staff::forwarding_mail.eq(Some("two@example.invalid"));
        run!(c, execute, diesel::update(helper).set(old))?;
        Ok(())
    })
    .await
    .unwrap();
    let post = new_post("左踵の発赤は縮小。", vec![]);
    s.nurse.1.post(&format!("/v1/patients/{}/posts", s.patient), &post).await.done();
    assert!(!mails(&host, "post_published").await.contains(&"two@example.invalid".to_owned()));
    assert_eq!(lines(&s.helper.1, NoticeKind::PostPublished).await.len(), 1);
}

async fn one_of_two_claims_wins(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town, None).await;
    let line = lines(&s.nurse.1, NoticeKind::PatientRegistered).await.remove(0);
    let path = format!("/v1/inbox/{}/claim", line.id);
    let people = [&s.nurse, &s.helper];
    let claims = people.map(|(_, client)| client.post(&path, &()));
    let answers = futures_util::future::join_all(claims).await;
    let won: Vec<bool> = answers.iter().map(|a| a.status == 200).collect();
    assert_eq!(won.iter().filter(|w| **w).count(), 1, "{won:?}");
    let (winner, loser) = if won[0] { (0, 1) } else { (1, 0) };
    let refusal: Problem = serde_json::from_slice(&answers[loser].body).unwrap();
    assert_eq!((refusal.code, answers[loser].status), (Code::StateConflict, 409));
    let name = ["試験 nurse.n", "試験 介護"][winner];
    assert!(refusal.detail.contains(name), "it must name who has it: {}", refusal.detail);
    let now = lines(&s.nurse.1, NoticeKind::PatientRegistered).await.remove(0);
    assert_eq!(now.claimed_by, Some(people[winner].0));
    // A colleague cannot give it back, the manager can.
    let request = people[loser].1.request(Method::DELETE, &path);
    assert_eq!(people[loser].1.send(request).await.status, 409);
    let request = s.nursing.manager.request(Method::DELETE, &path);
    let back: InboxLine = s.nursing.manager.send(request).await.ok();
    assert_eq!(back.claimed_by, None);
    // The same with the page's forms.
    let page = format!("/inbox/{}", line.id);
    for (client, act, status, words) in [
        (&s.nurse.1, "claim", 200, "受け取りました"),
        (&s.helper.1, "claim", 409, "試験 nurse.nさんが受け取っています"),
        (&s.nurse.1, "return", 200, "受け取りを取り消しました"),
        (&s.helper.1, "claim", 200, "受け取りました"),
        (&s.helper.1, "done", 200, "済みにしました"),
        (&s.clinic.manager, "claim", 404, "見つかりませんでした"),
    ] {
        let answer = client.form(&format!("{page}/{act}"), &[]).await;
        let shown = String::from_utf8(answer.body).unwrap();
        assert!(answer.status == status && shown.contains(words), "{act} {} {shown}", answer.status);
    }
}

async fn what_is_claimed_by_who_is_gone_waits_again(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town, None).await;
    s.nurse.1.post(&format!("/v1/patients/{}/posts", s.patient), &new_post("記録", vec![])).await.done();
    let (post, patient) = (NoticeKind::PostPublished, NoticeKind::PatientRegistered);
    let line = async |kind: NoticeKind| lines(&s.nursing.manager, kind).await.remove(0);
    let act = async |client: &Client, kind: NoticeKind, act: &str| {
        client.post(&format!("/v1/inbox/{}/{act}", line(kind).await.id), &()).await.ok::<InboxLine>()
    };
    let done = act(&s.nurse.1, patient, "done").await;
    assert_eq!(act(&s.nurse.1, post, "claim").await.claimed_by, Some(s.nurse.0));
    // Suspended: what was begun waits again, what was ticked off stays.
    let given = Suspending { id: SuspensionId::new(), reason: "紛失".into(), agreed: false };
    s.office.post(&format!("/v1/staff/{}/suspension", s.nurse.0), &given).await.done();
    assert_eq!(line(post).await.claimed_by, None);
    let kept = line(patient).await;
    assert_eq!((kept.claimed_by, kept.done_at), (Some(s.nurse.0), done.done_at));
    // Who leaves: it is counted again among what waits.
    assert_eq!(act(&s.helper.1, post, "claim").await.claimed_by, Some(s.helper.0));
    let unclaimed = async || s.nursing.manager.get("/v1/inbox").await.ok::<Inbox>().unclaimed;
    let before = unclaimed().await;
    let today = clock::japan(clock::now()).date().to_string();
    let leaving = Leaving { left_on: today, successor: None };
    s.nursing.manager.post(&format!("/v1/staff/{}/leaving", s.helper.0), &leaving).await.done();
    assert_eq!((line(post).await.claimed_by, unclaimed().await), (None, before + 1));
    // A facility that closes holds nothing either.
    act(&s.nursing.manager, post, "claim").await;
    let closing = FacilityClosing { id: FacilityChangeId::new(), reason: "廃業".into() };
    s.office.post(&format!("/v1/facilities/{}/closure", s.nursing.id), &closing).await.done();
    let db = &host.server.app.db;
    let held: i64 = db
        .read(async |c| {
            let held = inbox_line::claimed_by.is_not_null().and(inbox_line::done_at.is_null());
            Ok(run!(c, get_result, inbox_line::table.filter(held).count())?)
        })
        .await
        .unwrap();
    assert_eq!(held, 0);
}

async fn claiming_gives_no_access(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town, None).await;
    let line = lines(&s.nursing.manager, NoticeKind::PatientRegistered).await.remove(0);
    let tasks = String::from_utf8(s.helper.1.get("/tasks").await.done().body).unwrap();
    assert!(tasks.contains("共有のお知らせ（") && tasks.contains("件を受け取る"), "{tasks}");
    s.nursing.manager.post(&format!("/v1/inbox/{}/claim", line.id), &()).await.done();
    let patient = line.patient_id.unwrap();
    s.nursing.manager.get(&format!("/v1/patients/{patient}")).await.refused(Code::NotFound);
    s.helper.1.get(&format!("/v1/patients/{patient}")).await.done();
    // The page names colleague and kind, and nobody else.
    let page = s.nursing.manager.get("/inbox").await.done();
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.contains("試験 介護") && page.contains(&format!("/patients/{patient}")), "{page}");
    assert!(!page.contains("架空 花子"));
    assert!(page.contains(NoticeKind::PatientRegistered.line()));
}

async fn a_forgotten_line_is_reminded_of_daily(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town, Some("all@example.invalid")).await;
    let app = &host.server.app;
    let now = clock::now();
    let told = async || mails(&host, "inbox_waiting").await;
    let tasks = async |client: &Client| {
        let page = client.get("/tasks").await.done();
        String::from_utf8(page.body).unwrap()
    };
    inbox::remind::run(app, now).await.unwrap();
    assert!(told().await.is_empty(), "it has not waited for a day");
    assert!(!tasks(&s.nursing.manager).await.contains("1日以上"));
    inbox::remind::run(app, now + DAY + 60_000).await.unwrap();
    inbox::remind::run(app, now + DAY + 60_000).await.unwrap();
    assert_eq!(told().await, ["all@example.invalid"], "once a day");
    inbox::remind::run(app, now + 2 * DAY + 60_000).await.unwrap();
    assert_eq!(told().await.len(), 2);
    // Yesterday's line is the manager's task, and nobody else's.
    let db = &app.db;
    db.write(async |c| {
        let then = inbox_line::created_at.eq(now - DAY - 60_000);
        run!(c, execute, diesel::update(inbox_line::table).set(then))?;
        Ok(())
    })
    .await
    .unwrap();
    assert!(tasks(&s.nursing.manager).await.contains("1日以上"));
    assert!(!tasks(&s.nurse.1).await.contains("1日以上"));
    // Once claimed, nothing waits.
    for line in lines(&s.nurse.1, NoticeKind::PatientRegistered).await {
        s.nurse.1.post(&format!("/v1/inbox/{}/claim", line.id), &()).await.done();
    }
    inbox::remind::run(app, now + 3 * DAY + 60_000).await.unwrap();
    assert_eq!(told().await, ["all@example.invalid", "all@example.invalid"]);
    assert!(!tasks(&s.nursing.manager).await.contains("1日以上"));
    // Where nobody named an address to forward to, the facility's manager is told.
    scene(&host.town("two").await, None).await;
    inbox::remind::run(app, now + 4 * DAY).await.unwrap();
    assert_eq!(told().await, ["all@example.invalid", "all@example.invalid", "kanri@example.invalid"]);
}

async fn the_office_sees_what_was_not_delivered(host: Host) {
    let town = host.town("one").await;
    let s = scene(&town, Some("refused@example.invalid")).await;
    // The carrier refuses that address for good.
    let mut tries = 0;
    loop {
        let dead: Vec<Undelivered> = s.office.get("/v1/undelivered").await.ok();
        if dead.iter().any(|d| d.kind == NoticeKind::PatientRegistered) {
            break;
        }
        tries += 1;
        assert!(tries < 200, "the mail was not given up");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let db = &host.server.app.db;
    db.write(async |c| {
        let why = notice::last_error.eq(Some("smtp 550 <refused@example.invalid> unknown"));
        run!(c, execute, diesel::update(notice::table.filter(notice::state.eq("dead"))).set(why))?;
        Ok(())
    })
    .await
    .unwrap();
    s.nursing.manager.get("/v1/undelivered").await.refused(Code::RoleInsufficient);
    let dead: Vec<Undelivered> = s.office.get("/v1/undelivered").await.ok();
    let letter = dead.iter().find(|d| d.kind == NoticeKind::PatientRegistered).unwrap();
    assert_eq!((letter.staff_id, letter.channel.as_str()), (Some(s.helper.0), "mail"));
    assert_eq!(letter.reason, "smtp 550 unknown");
    let page = String::from_utf8(s.office.get("/undelivered").await.done().body).unwrap();
    assert!(page.contains("smtp 550 unknown") && !page.contains("refused@example.invalid"), "{page}");
    let tasks = String::from_utf8(s.office.get("/tasks").await.done().body).unwrap();
    assert!(tasks.contains("href=\"/undelivered\""), "{tasks}");
    let handled = format!("/v1/undelivered/{}/handled", letter.id);
    s.nursing.manager.post(&handled, &()).await.refused(Code::RoleInsufficient);
    s.office.post(&handled, &()).await.done();
    s.office.post(&handled, &()).await.done();
    let dead: Vec<Undelivered> = s.office.get("/v1/undelivered").await.ok();
    assert!(dead.iter().all(|d| d.kind != NoticeKind::PatientRegistered));
    s.office.post(&format!("/v1/undelivered/{}/handled", NoticeId::new()), &()).await.refused(Code::NotFound);
}
