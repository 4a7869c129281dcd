//! Signing in, passwords, roles, and requests that are no requests.

use crate::both;
use crate::pages::Browser;
use crate::town::*;
use renraku_server::clock;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{certificate, session};
use renraku_server::policy::MunicipalityPolicy;
use renraku_server::run;
use renraku_wire::*;
use reqwest::Method;
use serde_json::json;

both!(
    five_wrong_passwords_lock_the_account,
    wrong_passwords_at_once_all_count,
    the_first_password_must_be_changed,
    a_session_belongs_to_its_certificate,
    signing_out_ends_it,
    a_session_lives_as_long_as_it_is_used,
    a_serial_number_on_another_key_proves_nothing,
    roles_are_kept,
    an_account_is_added_once,
    malformed_requests_are_told_apart,
    people_at_one_device_have_sessions_of_their_own,
    a_tablet_changes_hands,
    own_sessions_are_seen_and_ended,
);

fn sign_in(login_id: &str, password: &str) -> SignIn {
    SignIn { id: None, login_id: login_id.into(), password: password.into() }
}

async fn five_wrong_passwords_lock_the_account(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nobody = office.post("/v1/session", &sign_in("nobody", "x")).await.refused(Code::SignInRefused);
    for _ in 0..4 {
        let wrong = office.post("/v1/session", &sign_in("jimukyoku", "x")).await.refused(Code::SignInRefused);
        assert_eq!(wrong, nobody);
    }
    office.post("/v1/session", &sign_in("jimukyoku", "x")).await.locked("15分待つか、管理者");
    office.post("/v1/session", &sign_in("jimukyoku", PASSWORD)).await.locked("15分待つか");
    // The lock keeps out who comes, not who is in.
    office.get("/v1/session").await.done();
}

async fn wrong_passwords_at_once_all_count(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let tries = (0..8).map(|_| {
        let office = office.clone();
        async move { office.post("/v1/session", &sign_in("jimukyoku", "x")).await.status }
    });
    let statuses = futures_util::future::join_all(tries).await;
    assert!(statuses.contains(&429), "{statuses:?}");
    office.post("/v1/session", &sign_in("jimukyoku", PASSWORD)).await.locked("15分待つか");
}

async fn the_first_password_must_be_changed(host: Host) {
    let town = host.town("one").await;
    let (number, password) = town.office_ticket.clone();
    let mut office = town.care(town.enrol(&number, &password).await);
    let first = town.office_password.clone();
    assert!(office.sign_in("jimukyoku", &first).await.must_change_password);
    office.get("/v1/patients").await.refused(Code::PasswordChangeRequired);
    let change = |current: &str, new: &str| PasswordChange { current: current.into(), new: new.into() };
    office.post("/v1/session/password", &change("wrong", PASSWORD)).await.refused(Code::SignInRefused);
    for weak in ["short", "jimukyoku-1", "password123", &first] {
        office.post("/v1/session/password", &change(&first, weak)).await.refused(Code::PasswordWeak);
    }
    office.post("/v1/session/password", &change(&first, PASSWORD)).await.done();
    office.get("/v1/patients").await.done();
    office.post("/v1/session", &sign_in("jimukyoku", &first)).await.refused(Code::SignInRefused);
}

async fn a_session_belongs_to_its_certificate(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let mut thief = nursing.manager.clone();
    thief.token.clone_from(&nurse.token);
    thief.get("/v1/session").await.refused(Code::SessionInvalid);
    // An account opens on the devices of its own facility only.
    office.post("/v1/session", &sign_in("nurse.n", PASSWORD)).await.refused(Code::SignInRefused);
    nursing.manager.post("/v1/session", &sign_in("nurse.n", PASSWORD)).await.done();
    let mut nonsense = nurse.clone();
    nonsense.token = None;
    nonsense.get("/v1/session").await.refused(Code::SessionInvalid);
    for token in ["", "x", "y; z"] {
        let request = nonsense.request(Method::GET, "/v1/session");
        let request = request.header("cookie", format!("__Host-renraku={token}"));
        nonsense.send(request).await.refused(Code::SessionInvalid);
    }
}

async fn signing_out_ends_it(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    office.send(office.request(Method::DELETE, "/v1/session")).await.done();
    office.get("/v1/session").await.refused(Code::SessionInvalid);
}

async fn roles_are_kept(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    nurse.get("/v1/facilities").await.refused(Code::RoleInsufficient);
    nurse.get("/v1/devices").await.refused(Code::RoleInsufficient);
    nursing.manager.get("/v1/facilities").await.refused(Code::RoleInsufficient);
    let devices: Vec<Device> = nursing.manager.get("/v1/devices").await.ok();
    assert!(!devices.is_empty() && devices.iter().all(|d| d.facility_id == nursing.id));
    let all: Vec<Device> = office.get("/v1/devices").await.ok();
    assert!(all.len() > devices.len());
    // A manager makes no certificate for another facility, and learns nothing of it.
    let other = format!("/v1/facilities/{}/tickets", me(&office).await.facility_id);
    let there = nursing.manager.post(&other, &NewTicket::another()).await.refused(Code::NotFound);
    let nowhere = format!("/v1/facilities/{}/tickets", FacilityId::new());
    assert_eq!(nursing.manager.post(&nowhere, &NewTicket::another()).await.refused(Code::NotFound), there);
    // An approval counts once; an application that was never made is not there.
    office.post(&format!("/v1/facilities/{}/approval", nursing.id), &()).await.refused(Code::StateConflict);
    office.post(&format!("/v1/facilities/{}/approval", FacilityId::new()), &()).await.refused(Code::NotFound);
}

async fn me(client: &Client) -> Staff {
    client.get("/v1/session").await.ok()
}

async fn an_account_is_added_once(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let new = NewStaff {
        id: StaffId::new(),
        login_id: "helper.h".into(),
        name: "試験 介護".into(),
        profession: Profession::Helper,
        mail: Some("helper@example.invalid".into()),
        forwarding_mail: None,
    };
    let first: StaffAdded = nursing.manager.post("/v1/staff", &new).await.ok();
    let again: StaffAdded = nursing.manager.post("/v1/staff", &new).await.ok();
    assert_eq!(first.id, again.id);
    let taken = NewStaff { id: StaffId::new(), ..new.clone() };
    nursing.manager.post("/v1/staff", &taken).await.refused(Code::AlreadyTaken);
    let same_mail = NewStaff { login_id: "helper.i".into(), ..taken };
    nursing.manager.post("/v1/staff", &same_mail).await.refused(Code::AlreadyTaken);
    let bad = NewStaff { login_id: "日本語".into(), ..new.clone() };
    assert_eq!(
        nursing.manager.post("/v1/staff", &bad).await.refused(Code::FieldInvalid).field.as_deref(),
        Some("login_id")
    );
    let mut helper = town.care(town.device(&nursing.manager, nursing.id).await);
    helper.first_sign_in("helper.h", &again.first_password).await;
    nursing.manager.post("/v1/staff", &new).await.refused(Code::IdConflict);
}

async fn malformed_requests_are_told_apart(host: Host) {
    // What PostgreSQL cannot store is an id, or a town, that nobody has.
    let strange = host.town("strange").await.office().await;
    strange.post("/v1/session", &sign_in("jimu\u{0}kyoku", PASSWORD)).await.refused(Code::SignInRefused);
    for path in ["/v1/municipalities/%00", "/v1/municipalities/strange%00", "/v1/municipalities/%F0%9F%98%80"]
    {
        Client::new(&host.root, &host.server.app.public_url, None).get(path).await.refused(Code::NotFound);
    }
    let town = host.town("one").await;
    let office = town.office().await;
    let raw = async |body: String| {
        let request =
            office.request(Method::POST, "/v1/session").header("content-type", "application/json").body(body);
        office.send(request).await
    };
    raw("{".into()).await.refused(Code::RequestMalformed);
    raw("[]".into()).await.refused(Code::RequestMalformed);
    raw(json!({"login_id": "a", "password": "b", "admin": true}).to_string())
        .await
        .refused(Code::RequestMalformed);
    raw(json!({"login_id": "a", "password": "x".repeat(limits::JSON_BYTES)}).to_string())
        .await
        .refused(Code::BodyTooLarge);
    office.get("/v1/nothing").await.refused(Code::NotFound);
    office.get("/v1/patients/not-an-id").await.refused(Code::NotFound);
    office.send(office.request(Method::DELETE, "/v1/patients")).await.refused(Code::MethodNotAllowed);
    let public = town.public();
    let bad = FacilityApplication {
        manager_mail: "kanri@example.invalid\r\nBcc: x@y.z".into(),
        ..application("架空")
    };
    let problem = public.post(&town.path("/facility-applications"), &bad).await.refused(Code::FieldInvalid);
    assert_eq!(problem.field.as_deref(), Some("manager_mail"));
    let office_again = FacilityApplication { kind: FacilityKind::Secretariat, ..application("偽事務局") };
    public.post(&town.path("/facility-applications"), &office_again).await.refused(Code::FieldInvalid);
}

/// Puts every session's last use back by so many minutes.
async fn idle(host: &Host, minutes: u32) {
    let then = clock::now() - i64::from(minutes) * 60_000;
    let db = &host.server.app.db;
    db.write(async |c| {
        run!(c, execute, diesel::update(session::table).set(session::last_seen_at.eq(then)))?;
        Ok(())
    })
    .await
    .unwrap();
}

async fn a_session_lives_as_long_as_it_is_used(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let limit = MunicipalityPolicy::default().session_idle_minutes;
    let timeline = format!("/v1/patients/{}/posts", care.patient);
    let record = format!("/v1/patients/{}", care.patient);
    // On a phone a visit without signal is no idleness.
    idle(&host, 60 * 5).await;
    care.nurse.1.get(&timeline).await.done();
    // Whatever is asked for, asking is use.
    host.in_browsers().await;
    for path in [timeline.as_str(), record.as_str(), "/v1/session"] {
        host.server.app.seen.store(&host.server.app.db).await.unwrap();
        idle(&host, limit - 1).await;
        care.nurse.1.get(path).await.done();
        host.server.app.seen.store(&host.server.app.db).await.unwrap();
        let db = &host.server.app.db;
        let seen: Vec<i64> = db
            .read(async |c| Ok(run!(c, load, session::table.select(session::last_seen_at))?))
            .await
            .unwrap();
        let fresh = seen.iter().filter(|at| clock::now() - **at < 60_000).count();
        assert_eq!(fresh, 1, "{path}: hers and nobody else's");
    }
    // Over the limit it has ended, and asking again does not bring it back.
    idle(&host, limit).await;
    for _ in 0..2 {
        care.nurse.1.get(&timeline).await.refused(Code::SessionInvalid);
        host.server.app.seen.store(&host.server.app.db).await.unwrap();
    }
}

/// A second member of the facility, signed in on the device of the first.
async fn second(nursing: &crate::town::Facility, device: &Client, login_id: &str) -> (StaffId, Client) {
    let new = NewStaff {
        id: StaffId::new(),
        login_id: login_id.into(),
        name: format!("試験 {login_id}"),
        profession: Profession::Helper,
        mail: None,
        forwarding_mail: None,
    };
    let added: StaffAdded = nursing.manager.post("/v1/staff", &new).await.ok();
    let mut client = device.clone();
    client.token = None;
    client.first_sign_in(login_id, &added.first_password).await;
    (new.id, client)
}

async fn people_at_one_device_have_sessions_of_their_own(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let (helper_id, helper) = second(&nursing, &nurse, "helper.h").await;
    let others = async |client: &Client| client.get("/v1/session/others").await.ok::<PeopleHere>().people;
    let seen = others(&nurse).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (seen[0].staff_id, seen[0].name.as_str(), seen[0].resting),
        (helper_id, "試験 helper.h", false)
    );
    assert_eq!(others(&helper).await[0].staff_id, nurse_id);
    assert!(others(&nursing.manager).await.is_empty(), "another device");
    // One person's idleness is not the other's.
    host.server.app.seen.store(&host.server.app.db).await.unwrap();
    host.in_browsers().await;
    idle_one(&host, helper_id).await;
    helper.get("/v1/session").await.refused(Code::SessionInvalid);
    assert_eq!(me(&nurse).await.id, nurse_id);
    assert!(others(&nurse).await.is_empty());
    // Nor is one person's leaving.
    let mut helper = helper;
    helper.sign_in("helper.h", PASSWORD).await;
    nurse.send(nurse.request(Method::DELETE, "/v1/session")).await.done();
    nurse.get("/v1/session").await.refused(Code::SessionInvalid);
    assert_eq!(me(&helper).await.id, helper_id);
    assert!(others(&helper).await.is_empty());
}

/// Puts the last use of a person's sessions back beyond the limit.
async fn idle_one(host: &Host, staff: StaffId) {
    let then = clock::now() - i64::from(MunicipalityPolicy::default().session_idle_minutes) * 60_000;
    let db = &host.server.app.db;
    db.write(async |c| {
        let whose = session::table.filter(session::staff_id.eq(renraku_server::db::Id::from(staff)));
        run!(c, execute, diesel::update(whose).set(session::last_seen_at.eq(then)))?;
        Ok(())
    })
    .await
    .unwrap();
}

async fn a_tablet_changes_hands(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let (helper_id, helper) = second(&nursing, &nurse, "helper.h").await;
    helper.send(helper.request(Method::DELETE, "/v1/session")).await.done();
    let cookie = |page: &crate::pages::Page| {
        let set = page.headers["set-cookie"].to_str().unwrap();
        Some(set.split(';').next().unwrap().to_owned())
    };
    let mut tablet = Browser::of(&host, &nurse);
    tablet.get("/sign-in").await.shows(200, &["ユーザーID"]).lacks("試験 nurse.n");
    tablet.get("/switch").await.shows(200, &["試験 nurse.n", "ほかの人はサインインしていません"]);
    let fields = [("login_id", "helper.h"), ("password", PASSWORD)];
    let opened = tablet.post("/sign-in", &fields).await;
    assert_eq!(opened.leads_to(), "/");
    // The nurse's session rests: its token opens nothing, on no route.
    nurse.get("/v1/session").await.refused(Code::SessionInvalid);
    assert_eq!(tablet.get("/").await.leads_to(), "/sign-in");
    tablet.cookie = cookie(&opened);
    tablet.get("/").await.shows(200, &["試験 helper.h", "id=\"switch\""]);
    tablet.get("/switch").await.shows(200, &["試験 nurse.nさんに交代する"]);
    let to =
        |id: StaffId, password: &'static str| [("person", id.to_string()), ("password", password.to_owned())];
    let fields = to(nurse_id, "wrong-wrong-9");
    let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let wrong = tablet.post("/switch", &fields).await;
    wrong.shows(422, &[&format!("password-{nurse_id}-error"), "パスワードが違います"]);
    // Somebody who is not here answers alike, whatever the password.
    let manager: Staff = nursing.manager.get("/v1/session").await.ok();
    for absent in [manager.id, StaffId::new()] {
        let fields = to(absent, PASSWORD);
        let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
        tablet.post("/switch", &fields).await.shows(422, &["パスワードが違います"]);
    }
    let fields = to(nurse_id, PASSWORD);
    let fields: Vec<_> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let switched = tablet.post("/switch", &fields).await;
    assert_eq!(switched.leads_to(), "/");
    assert_eq!(tablet.get("/").await.leads_to(), "/sign-in", "the helper's session rests now");
    tablet.cookie = cookie(&switched);
    tablet.get("/").await.shows(200, &["試験 nurse.n"]).lacks("試験 helper.h");
    tablet.get("/switch").await.shows(200, &["試験 helper.hさんに交代する"]).lacks(&nurse_id.to_string());
    // Signing out ends the nurse's alone: whoever comes next finds the helper still there.
    tablet.post("/sign-out", &[]).await;
    let opened = tablet.post("/sign-in", &[("login_id", "nurse.n"), ("password", PASSWORD)]).await;
    tablet.cookie = cookie(&opened);
    tablet.get("/switch").await.shows(200, &[&helper_id.to_string()]);
}

async fn own_sessions_are_seen_and_ended(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let mut second = town.care(town.device(&nursing.manager, nursing.id).await);
    second.sign_in("nurse.n", PASSWORD).await;
    let mut third = nursing.manager.clone();
    third.sign_in("nurse.n", PASSWORD).await;
    let list = async |client: &Client| client.get("/v1/sessions").await.ok::<OwnSessions>().sessions;
    let sessions = list(&nurse).await;
    assert_eq!(sessions.len(), 3);
    assert_eq!(sessions.iter().filter(|s| s.current).count(), 1);
    assert!(sessions.iter().all(|s| s.device_name == "試験端末" && !s.resting && s.expires_at > s.opened_at));
    let current = list(&second).await.into_iter().find(|s| s.current).unwrap();
    let path = format!("/v1/sessions/{}", current.id);
    // Another's session and none answer alike, and nothing ends.
    let there = office.send(office.request(Method::DELETE, &path)).await.refused(Code::NotFound);
    let nowhere = format!("/v1/sessions/{}", SessionId::new());
    assert_eq!(office.send(office.request(Method::DELETE, &nowhere)).await.refused(Code::NotFound), there);
    second.get("/v1/session").await.done();
    nurse.send(nurse.request(Method::DELETE, &path)).await.done();
    second.get("/v1/session").await.refused(Code::SessionInvalid);
    third.get("/v1/session").await.done();
    let browser = Browser::of(&host, &nurse);
    let page =
        browser.get("/sessions").await.shows(200, &["サインイン中の端末（2件）", "この画面", "end-others"]);
    assert_eq!(page.text.matches("name=\"id\"").count(), 1, "not the one in use");
    assert_eq!(browser.post("/sessions", &[]).await.leads_to(), "/sessions?ended=1");
    third.get("/v1/session").await.refused(Code::SessionInvalid);
    assert_eq!(list(&nurse).await.len(), 1);
    nursing.manager.get("/v1/session").await.done();
}

async fn a_serial_number_on_another_key_proves_nothing(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    office.get("/v1/session").await.done();
    // As if the certificate on file had been issued for another key than the one that signed the handshake.
    let db = &host.server.app.db;
    db.write(async |c| {
        let other = certificate::key_sha256.eq("00".repeat(32));
        run!(c, execute, diesel::update(certificate::table).set(other))?;
        Ok(())
    })
    .await
    .unwrap();
    office.get("/v1/session").await.refused(Code::CertificateForeign);
    office.post("/v1/session", &sign_in("jimukyoku", PASSWORD)).await.refused(Code::CertificateForeign);
}
