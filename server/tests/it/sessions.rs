//! Signing in, passwords, roles, and requests that are no requests.

use crate::both;
use crate::town::*;
use renraku_server::clock;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::session;
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
    roles_are_kept,
    an_account_is_added_once,
    malformed_requests_are_told_apart,
);

fn sign_in(login_id: &str, password: &str) -> SignIn {
    SignIn { login_id: login_id.into(), password: password.into() }
}

async fn five_wrong_passwords_lock_the_account(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nobody = office.post("/v1/session", &sign_in("nobody", "x")).await.refused(Code::SignInRefused);
    for _ in 0..4 {
        let wrong = office.post("/v1/session", &sign_in("jimukyoku", "x")).await.refused(Code::SignInRefused);
        assert_eq!(wrong, nobody);
    }
    office.post("/v1/session", &sign_in("jimukyoku", "x")).await.refused(Code::AccountLocked);
    office.post("/v1/session", &sign_in("jimukyoku", PASSWORD)).await.refused(Code::AccountLocked);
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
    office.post("/v1/session", &sign_in("jimukyoku", PASSWORD)).await.refused(Code::AccountLocked);
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
    let there = nursing.manager.post(&other, &()).await.refused(Code::NotFound);
    let nowhere = format!("/v1/facilities/{}/tickets", FacilityId::new());
    assert_eq!(nursing.manager.post(&nowhere, &()).await.refused(Code::NotFound), there);
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
    // Whatever is asked for, asking is use.
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
