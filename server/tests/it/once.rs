//! What is sent twice at once happens once, and either answer is right: a button pressed twice, a phone that
//! did not hear the answer.

use crate::both;
use crate::pages::{Browser, Page};
use crate::town::*;
use futures_util::future::join_all;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{audit, enrolment_ticket, push_registration, session};
use renraku_server::run;
use renraku_wire::*;
use serde::Serialize;

both!(
    a_ticket_that_is_asked_for_twice_is_one,
    a_ticket_of_a_page_that_is_asked_for_twice_is_one,
    first_passwords_that_are_asked_for_twice_are_one,
    an_approval_and_a_designation_sent_twice_show_one_account,
    a_password_changed_twice_at_once_is_changed_once,
    a_sign_in_sent_twice_opens_one_session,
    what_is_decided_twice_at_once_is_decided_once,
    a_devices_sign_in_sent_twice_opens_one_session,
);

/// The same request from as many connections at once as a nervous finger makes.
async fn at_once(client: &Client, path: &str, body: &impl Serialize) -> Vec<Answer> {
    join_all((0..6).map(|_| client.post(path, body))).await
}

async fn entries(host: &Host, action: &str) -> i64 {
    let db = &host.server.app.db;
    db.read(async |c| Ok(run!(c, get_result, audit::table.filter(audit::action.eq(action)).count())?))
        .await
        .unwrap()
}

async fn tickets(host: &Host) -> i64 {
    let db = &host.server.app.db;
    db.read(async |c| Ok(run!(c, get_result, enrolment_ticket::table.count())?)).await.unwrap()
}

async fn a_ticket_that_is_asked_for_twice_is_one(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let of_facility = format!("/v1/facilities/{}/tickets", nursing.id);
    for path in ["/v1/devices/tickets", &of_facility] {
        let (before, told) = (tickets(&host).await, entries(&host, "device.ticket").await);
        let again = entries(&host, "device.ticket_again").await;
        let new = NewTicket::another();
        let answers = at_once(&nursing.manager, path, &new).await;
        let all: Vec<EnrolmentTicket> = answers.into_iter().map(Answer::ok).collect();
        assert!(all.iter().all(|t| *t == all[0]), "{path}: one No, one password");
        assert_eq!((tickets(&host).await, entries(&host, "device.ticket").await), (before + 1, told + 1));
        assert_eq!(
            entries(&host, "device.ticket_again").await - again,
            5,
            "who was shown it again is on record"
        );
        // Another id is another ticket; the same id for something else is refused.
        let other: EnrolmentTicket = nursing.manager.post(path, &NewTicket::another()).await.ok();
        assert!(other.number != all[0].number && other.password != all[0].password);
        let device = nursing.manager.identity.as_ref().unwrap().device_id;
        let bent = NewTicket { replaces: device, ..new.clone() };
        nursing.manager.post(path, &bent).await.refused(Code::IdConflict);
        office.post(&of_facility, &new).await.refused(Code::IdConflict);
        town.enrol(&all[3].number, &all[3].password).await;
        nursing.manager.post(path, &new).await.refused(Code::TicketUsed);
    }
    let elsewhere = NewTicket { facility_id: Some(FacilityId::new()), ..NewTicket::another() };
    let field = nursing.manager.post(&of_facility, &elsewhere).await.refused(Code::FieldInvalid).field;
    assert_eq!(field.as_deref(), Some("facility_id"));
}

/// The id that the page's form of this button brings.
fn hidden_id(page: &Page, button: &str) -> String {
    let form = page.text.split("<form").find(|f| f.contains(&format!("id=\"{button}\""))).expect(button);
    form.split("name=\"id\" value=\"").nth(1).expect("an id").split('"').next().unwrap().to_owned()
}

async fn a_ticket_of_a_page_that_is_asked_for_twice_is_one(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let browser = Browser::of(&host, &nursing.manager);
    let device = nursing.manager.identity.as_ref().unwrap().device_id.unwrap().to_string();
    for (page, button, replaces) in [
        ("/devices", "issue-ticket".to_owned(), ""),
        ("/devices", format!("replace-{device}"), device.as_str()),
        ("/devices/own", "issue-ticket".to_owned(), ""),
        ("/devices/own", "replace-own".to_owned(), device.as_str()),
    ] {
        let before = tickets(&host).await;
        let id = hidden_id(&browser.get(page).await.shows(200, &[]), &button);
        let fields = [("id", id.as_str()), ("replaces", replaces)];
        let pages = join_all((0..4).map(|_| browser.post("/devices/tickets", &fields))).await;
        let numbers: Vec<String> =
            pages.into_iter().map(|p| p.shows(201, &[]).text_of("ticket-number")).collect();
        assert!(numbers.iter().all(|n| *n == numbers[0]), "{page} {button}: {numbers:?}");
        assert_eq!(tickets(&host).await, before + 1, "{page} {button}");
    }
}

async fn first_passwords_that_are_asked_for_twice_are_one(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let new = NewStaff {
        id: StaffId::new(),
        login_id: "helper.h".into(),
        name: "試験 介護".into(),
        profession: Profession::Helper,
        mail: None,
        forwarding_mail: None,
    };
    let one = |answers: Vec<Answer>| {
        let all: Vec<StaffAdded> = answers.into_iter().map(Answer::ok).collect();
        assert!(all.iter().all(|a| *a == all[0]), "one password");
        all[0].first_password.clone()
    };
    let added = one(at_once(&nursing.manager, "/v1/staff", &new).await);
    assert_eq!(entries(&host, "staff.add").await, 1);
    let path = format!("/v1/staff/{}/first-password", new.id);
    let request = NewFirstPassword { id: FirstPasswordId::new() };
    let given = one(at_once(&nursing.manager, &path, &request).await);
    assert_ne!(given, added);
    assert_eq!(entries(&host, "staff.new_first_password").await, 1);
    assert_eq!(entries(&host, "staff.new_first_password_again").await, 5);
    // What was handed out before is none any more, and does not come back.
    nursing.manager.post("/v1/staff", &new).await.refused(Code::IdConflict);
    let another = NewFirstPassword { id: FirstPasswordId::new() };
    let last = one(at_once(&nursing.manager, &path, &another).await);
    nursing.manager.post(&path, &request).await.refused(Code::IdConflict);
    let mut helper = town.care(town.device(&nursing.manager, nursing.id).await);
    let old = SignIn { id: None, login_id: "helper.h".into(), password: given };
    helper.post("/v1/session", &old).await.refused(Code::SignInRefused);
    helper.first_sign_in("helper.h", &last).await;
    nursing.manager.post(&path, &another).await.refused(Code::IdConflict);
    nursing.manager.post(&path, &request).await.refused(Code::IdConflict);
    helper.get("/v1/session").await.done();
    assert_eq!(entries(&host, "staff.first_password_again").await, 5, "who was shown it again is on record");

    // The page's form brings an id too.
    let browser = Browser::of(&host, &nursing.manager);
    let at = format!("/staff/{}", new.id);
    let id = hidden_id(&browser.get(&at).await.shows(200, &[]), "new-first-password");
    let fields = [("id", id.as_str())];
    let path = format!("{at}/first-password");
    let pages = join_all((0..4).map(|_| browser.post(&path, &fields))).await;
    let shown: Vec<String> = pages.into_iter().map(|p| p.shows(200, &[]).text_of("first-password")).collect();
    assert!(shown.iter().all(|p| *p == shown[0]), "one password");
    helper.sign_in("helper.h", &shown[0]).await;
}

async fn an_approval_and_a_designation_sent_twice_show_one_account(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let applied: FacilityApplied =
        town.public().post(&town.path("/facility-applications"), &application("架空訪問看護")).await.ok();
    let path = format!("/v1/facilities/{}", applied.id);
    let answers = at_once(&office, &format!("{path}/approval"), &()).await;
    let all: Vec<FacilityApproved> = answers.into_iter().map(Answer::ok).collect();
    assert!(
        all.iter().all(|a| (&a.login_id, &a.first_password) == (&all[0].login_id, &all[0].first_password))
    );
    assert_eq!(entries(&host, "facility.approve").await, 1);
    assert_eq!(entries(&host, "facility.approve_again").await, 5);
    let directory: Directory = office.get("/v1/directory").await.ok();
    let managers = directory.staff.iter().filter(|s| s.facility_id == applied.id).count();
    assert_eq!(managers, 1);

    let new = ManagerChange {
        id: FirstPasswordId::new(),
        staff_id: StaffId::new(),
        name: Some("架空 次子".into()),
        mail: "new@example.invalid".into(),
    };
    let answers = at_once(&office, &format!("{path}/manager"), &new).await;
    let made: Vec<ManagerDesignated> = answers.into_iter().map(Answer::ok).collect();
    let shown = |d: &ManagerDesignated| (d.login_id.clone(), d.first_password.clone());
    assert!(made.iter().all(|d| shown(d) == shown(&made[0])));
    assert_eq!(entries(&host, "facility.manager").await, 1);
    assert_eq!(entries(&host, "facility.manager_again").await, 5);
    // The account of the approval manages no more: approving again shows nothing.
    office.post(&format!("{path}/approval"), &()).await.refused(Code::StateConflict);
    let mut manager = town.care(town.device(&office, applied.id).await);
    manager.first_sign_in(&made[0].login_id, made[0].first_password.as_deref().unwrap()).await;

    // A manager's own, to a colleague. Who comes after it is done is no manager any more.
    let nursing = town.facility(&office, "架空看護").await;
    let (nurse, _) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let over = ManagerChange { id: FirstPasswordId::new(), staff_id: nurse, name: None, ..new };
    let path = format!("/v1/facilities/{}/manager", nursing.id);
    for answer in at_once(&nursing.manager, &path, &over).await {
        assert!(matches!(answer.status, 200 | 403..=404), "{}", answer.status);
    }
    assert_eq!(entries(&host, "facility.manager").await, 2);
}

async fn a_devices_sign_in_sent_twice_opens_one_session(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let opened = entries(&host, "session.open").await;
    let mut sign_in =
        SignIn { id: Some(SessionId::new()), login_id: "nurse.n".into(), password: PASSWORD.into() };
    let answers = at_once(&nurse, "/v1/session", &sign_in).await;
    let answers: Vec<SessionOpened> = answers.into_iter().map(Answer::ok).collect();
    assert!(answers.iter().all(|a| a.token == answers[0].token), "one token");
    assert_eq!(entries(&host, "session.open").await, opened + 1);
    sign_in.id = Some(SessionId::new());
    let another: SessionOpened = nurse.post("/v1/session", &sign_in).await.ok();
    assert_ne!(another.token, answers[0].token);
    assert_eq!(entries(&host, "session.open").await, opened + 2);
}

async fn a_password_changed_twice_at_once_is_changed_once(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, mut nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let mut other = town.care(town.device(&nursing.manager, nursing.id).await);
    other.sign_in("nurse.n", PASSWORD).await;
    for client in [&nurse, &other] {
        let push = PushRegistration { provider: PushProvider::Apns, token: "0badc0de".into() };
        client.put("/v1/session/push", &push).await.done();
    }
    let changed = entries(&host, "session.password").await;
    let change = PasswordChange { current: PASSWORD.into(), new: "niji-to-ame-no-hi".into() };
    for answer in at_once(&nurse, "/v1/session/password", &change).await {
        answer.done();
    }
    assert_eq!(entries(&host, "session.password").await, changed + 1);
    // The other device's session has ended, and nothing is pushed to it any more.
    other.get("/v1/session").await.refused(Code::SessionInvalid);
    let db = &host.server.app.db;
    let pushed: Vec<renraku_server::db::Id> = db
        .read(async |c| Ok(run!(c, load, push_registration::table.select(push_registration::device_id))?))
        .await
        .unwrap();
    let here = nurse.identity.as_ref().unwrap().device_id.unwrap();
    assert_eq!(pushed, [renraku_server::db::Id::from(here)]);
    let wrong = PasswordChange { current: PASSWORD.into(), new: "kumo-no-nai-sora".into() };
    nurse.post("/v1/session/password", &wrong).await.refused(Code::SignInRefused);
    nurse.sign_in("nurse.n", "niji-to-ame-no-hi").await;
}

async fn a_sign_in_sent_twice_opens_one_session(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, _) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let (_, helper) = town.member(&nursing, "helper.h", Profession::Helper).await;
    let mut tablet = Browser::of(&host, &helper);
    tablet.cookie = None;
    let sessions = async || -> Vec<(bool, Vec<u8>)> {
        let of = session::table.filter(session::staff_id.eq(renraku_server::db::Id::from(nurse_id)));
        let db = &host.server.app.db;
        let rows: Vec<(Option<i64>, Vec<u8>)> = db
            .read(async |c| Ok(run!(c, load, of.select((session::resting_at, session::token_hash)))?))
            .await
            .unwrap();
        rows.into_iter().map(|(resting, hash)| (resting.is_some(), hash)).collect()
    };
    let before = sessions().await.len();
    let rested = entries(&host, "session.rest").await;
    // Over somebody else's session: theirs rests once, hers opens once, and either answer holds its token.
    let mut over = Browser::of(&host, &helper);
    let id = hidden_id(&over.get("/sign-in").await.shows(200, &[]), "sign-in");
    let fields = [("id", id.as_str()), ("login_id", "nurse.n"), ("password", PASSWORD)];
    let pages = join_all((0..4).map(|_| over.post("/sign-in", &fields))).await;
    let cookies: Vec<String> =
        pages.iter().map(|p| p.headers["set-cookie"].to_str().unwrap().to_owned()).collect();
    assert!(cookies.iter().all(|c| *c == cookies[0]), "one token");
    assert_eq!(sessions().await.len(), before + 1);
    assert_eq!(entries(&host, "session.rest").await, rested + 1);
    helper.get("/v1/session").await.refused(Code::SessionInvalid);
    over.cookie = Some(cookies[0].split(';').next().unwrap().to_owned());
    over.get("/").await.shows(200, &["試験 nurse.n"]);
    // Sent once more from where it led: still the one session.
    over.post("/sign-in", &fields).await;
    over.get("/").await.shows(200, &["試験 nurse.n"]);
    assert_eq!(sessions().await.len(), before + 1);
    // And once more when that session has been idle for too long: it opens again.
    host.in_browsers().await;
    let db = &host.server.app.db;
    let of = session::table.filter(session::staff_id.eq(renraku_server::db::Id::from(nurse_id)));
    db.write(async |c| {
        let long_ago = (session::created_at.eq(1_i64), session::last_seen_at.eq(1_i64));
        Ok(run!(c, execute, diesel::update(of).set(long_ago))?)
    })
    .await
    .unwrap();
    over.get("/").await.lacks("試験 nurse.n");
    over.post("/sign-in", &fields).await.leads_to();
    over.get("/").await.shows(200, &["試験 nurse.n"]);
    // A wrong password rests nobody.
    let fresh = hidden_id(&over.get("/sign-in").await, "sign-in");
    let wrong = [("id", fresh.as_str()), ("login_id", "helper.h"), ("password", "wrong-wrong-9")];
    over.post("/sign-in", &wrong).await.shows(422, &["エラー"]);
    assert!(sessions().await.iter().all(|(resting, _)| !resting));
}

async fn what_is_decided_twice_at_once_is_decided_once(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let (office, nursing) = (&care.office, &care.nursing);
    let applied = async |name: &str| -> FacilityId {
        let new = application(name);
        let path = town.path("/facility-applications");
        for answer in at_once(&town.public(), &path, &new).await {
            assert_eq!(answer.ok::<FacilityApplied>().id, new.id);
        }
        new.id
    };
    // Each of these is one entry of the log, however often it is sent.
    let (back, no) = (applied("返す施設").await, applied("断る施設").await);
    let rejection = FacilityRejection { reason: None };
    let at = |id: FacilityId, what: &str| format!("/v1/facilities/{id}/{what}");
    let staff = |what: &str| format!("/v1/staff/{}/{what}", care.doctor.0);
    let returning =
        FacilityReturn { id: NoticeId::new(), reason: "確認のため".into(), mail: None, replaces: None };
    at_once(office, &at(back, "return"), &returning).await;
    at_once(office, &at(no, "rejection"), &rejection).await;
    let suspending =
        Suspending { id: SuspensionId::new(), reason: "漏えいのおそれ".into(), agreed: false };
    at_once(office, &staff("suspension"), &suspending).await;
    at_once(office, &staff("resumption"), &()).await;
    let mail = TicketMailAgain { id: NoticeId::new(), mail: None };
    at_once(office, &at(nursing.id, "ticket-mail"), &mail).await;
    let training =
        NewTraining { id: TrainingId::new(), material_version: current_material(&care.nurse.1).await };
    at_once(&care.nurse.1, "/v1/training/completions", &training).await;
    let post = new_post("かわりありません。", vec![]);
    at_once(&care.nurse.1, &format!("/v1/patients/{}/posts", care.patient), &post).await;
    let report =
        NoMailReport { name: "架空訪問看護".into(), manager_mail: "kanri@example.invalid".into() };
    at_once(&town.public(), &town.path("/no-mail-reports"), &report).await;
    at_once(office, &at(nursing.id, "no-mail-settlement"), &()).await;
    let closing = FacilityClosing { id: FacilityChangeId::new(), reason: "閉所".into() };
    at_once(&nursing.manager, &at(nursing.id, "closure"), &closing).await;
    at_once(office, &format!("/v1/facility-changes/{}/confirmation", closing.id), &()).await;
    for action in [
        "facility.return",
        "facility.reject",
        "staff.suspend",
        "staff.resume",
        "facility.ticket_mail",
        "training.complete",
        "post.publish",
        "facility.no_mail_settled",
        "facility.close_ask",
        "facility.close",
    ] {
        assert_eq!(entries(&host, action).await, 1, "{action}");
    }
}

async fn current_material(client: &Client) -> String {
    client.get("/v1/training").await.ok::<TrainingStatus>().material_version
}
