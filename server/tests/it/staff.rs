//! Accounts from the first password on: who they are, their addresses, their pages.

use crate::both;
use crate::pages::Browser;
use crate::town::{Care, Client, Host, PASSWORD, Town, new_post};
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{audit, notice};
use renraku_server::policy::MunicipalityPolicy;
use renraku_server::run;
use renraku_wire::*;
use reqwest::Method;
use serde_json::json;

both!(
    an_account_is_seen_changed_and_its_role_kept,
    mail_addresses_are_unique_where_the_town_says_so,
    a_placeholder_is_never_mailed,
    a_forgotten_password_is_replaced,
    another_facilitys_staff_are_not_there,
    a_user_id_in_full_width_letters_is_the_same,
    the_pages_do_all_of_it,
    the_office_sees_the_staff_of_a_suspended_facility,
    a_short_form_survives_the_end_of_its_session,
);

pub fn new_staff(login_id: &str) -> NewStaff {
    NewStaff {
        id: StaffId::new(),
        login_id: login_id.into(),
        name: format!("試験 {login_id}"),
        profession: Profession::Helper,
        mail: None,
        forwarding_mail: None,
    }
}

pub fn change_of(d: &StaffDetail) -> StaffChange {
    StaffChange {
        name: d.name.clone(),
        profession: d.profession,
        role: d.role,
        mail: d.mail.clone(),
        forwarding_mail: d.forwarding_mail.clone(),
        may_export: d.may_export,
    }
}

pub fn path(id: StaffId, rest: &str) -> String {
    format!("/v1/staff/{id}{rest}")
}

pub async fn detail(admin: &Client, id: StaffId) -> StaffDetail {
    admin.get(&path(id, "")).await.ok()
}

pub fn today() -> String {
    renraku_server::clock::japan(renraku_server::clock::now()).date().to_string()
}

pub async fn actions(host: &Host, object: StaffId) -> Vec<String> {
    let object = object.to_string();
    host.server
        .app
        .db
        .read(async |c| {
            Ok(run!(
                c,
                load,
                audit::table.filter(audit::object_id.eq(&object)).order(audit::id).select(audit::action)
            )?)
        })
        .await
        .unwrap()
}

/// The kinds and addresses of the mails that were ever queued, in order.
pub async fn mails(host: &Host) -> Vec<(String, String)> {
    host.server
        .app
        .db
        .read(async |c| {
            Ok(run!(
                c,
                load,
                notice::table
                    .filter(notice::channel.eq("mail"))
                    .order(notice::id)
                    .select((notice::kind, notice::target))
            )?)
        })
        .await
        .unwrap()
}

async fn an_account_is_seen_changed_and_its_role_kept(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let manager = &nursing.manager;
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let new = new_staff("helper.h");
    manager.post("/v1/staff", &new).await.done();
    let list: Vec<StaffDetail> = manager.get("/v1/staff").await.ok();
    assert_eq!(list.len(), 3);
    let states = |id| list.iter().find(|d| d.id == id).map(|d| d.state);
    assert_eq!((states(new.id), states(nurse_id)), (Some(StaffState::Granted), Some(StaffState::Active)));
    let before = detail(manager, nurse_id).await;
    assert!(!before.may_export);
    let change = StaffChange {
        name: "試験 改姓".into(),
        profession: Profession::PublicHealthNurse,
        role: Role::FacilityManager,
        may_export: true,
        ..change_of(&before)
    };
    let after: StaffDetail = manager.put(&path(nurse_id, ""), &change).await.ok();
    assert_eq!(
        (after.name.as_str(), after.role, after.may_export),
        ("試験 改姓", Role::FacilityManager, true)
    );
    // It holds from the very next request.
    nurse.get("/v1/devices").await.done();
    let own: StaffDetail = nurse.get("/v1/profile").await.ok();
    assert_eq!(own, after);
    let seen = actions(&host, nurse_id).await;
    for action in ["staff.role", "staff.grant_export", "staff.change"] {
        assert!(seen.iter().any(|a| a == action), "{seen:?}");
    }
    // What is no role of this facility, no name, no own role.
    for (role, name, field) in
        [(Role::Secretariat, "試験", "role"), (Role::Unknown, "", "name"), (Role::Member, "a\nb", "name")]
    {
        let bad = StaffChange { role, name: name.into(), ..change_of(&after) };
        let refused = manager.put(&path(nurse_id, ""), &bad).await.refused(Code::FieldInvalid);
        assert_eq!(refused.field.as_deref(), Some(field));
    }
    let me: Staff = manager.get("/v1/session").await.ok();
    let myself = StaffChange { role: Role::Member, ..change_of(&detail(manager, me.id).await) };
    manager.put(&path(me.id, ""), &myself).await.refused(Code::FieldInvalid);
    manager
        .post(&path(me.id, "/first-password"), &NewFirstPassword { id: FirstPasswordId::new() })
        .await
        .refused(Code::RoleInsufficient);
    manager.put(&path(nurse_id, ""), &json!({"name": "x"})).await.refused(Code::RequestMalformed);
    assert_eq!(detail(manager, nurse_id).await, after, "refusals change nothing");
    // The office looks after any facility and adds there too.
    let there: Vec<StaffDetail> = office.get(&format!("/v1/staff?facility={}", nursing.id)).await.ok();
    assert_eq!(there.len(), 3);
    let by_office = new_staff("clerk.c");
    office.post(&format!("/v1/facilities/{}/staff", nursing.id), &by_office).await.done();
    assert_eq!(detail(manager, by_office.id).await.facility_id, nursing.id);
}

async fn mail_addresses_are_unique_where_the_town_says_so(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let same = NewStaff { mail: Some("NURSE.N@example.invalid".into()), ..new_staff("helper.h") };
    let taken = nursing.manager.post("/v1/staff", &same).await.refused(Code::AlreadyTaken);
    assert_eq!(taken.field.as_deref(), Some("mail"));
    let (helper_id, helper) = town.member(&nursing, "helper.i", Profession::Helper).await;
    // The person changes the own address; somebody else's is refused there too.
    let own = |mail: &str| OwnMail { mail: Some(mail.into()), forwarding_mail: None };
    helper.put("/v1/profile/mail", &own("nurse.n@Example.invalid")).await.refused(Code::AlreadyTaken);
    let changed: StaffDetail = helper.put("/v1/profile/mail", &own("h2@example.invalid")).await.ok();
    assert_eq!((changed.mail.as_deref(), changed.mail_kind), (Some("h2@example.invalid"), MailKind::Own));
    let bad = helper.put("/v1/profile/mail", &own("h2@")).await.refused(Code::FieldInvalid);
    assert_eq!(bad.field.as_deref(), Some("mail"));
    let change = StaffChange {
        mail: Some("h2@example.invalid".into()),
        ..change_of(&detail(&nursing.manager, nurse_id).await)
    };
    nursing.manager.put(&path(nurse_id, ""), &change).await.refused(Code::AlreadyTaken);
    // Two at once: one has it.
    let both = [&nurse, &helper].map(|who| {
        let who = who.clone();
        async move { who.put("/v1/profile/mail", &own("x@example.invalid")).await.status }
    });
    let mut statuses = futures_util::future::join_all(both).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    // Who has left has no address any more: it is free for the same person's next account.
    let address = detail(&nursing.manager, helper_id).await.mail;
    let leaving = Leaving { left_on: today(), successor: None };
    nursing.manager.post(&path(helper_id, "/leaving"), &leaving).await.done();
    let again = NewStaff { mail: address, ..new_staff("helper.j") };
    nursing.manager.post("/v1/staff", &again).await.done();

    let policy = MunicipalityPolicy { unique_mail: false, ..MunicipalityPolicy::default() };
    let town = host.town_with("two", policy).await;
    let office = town.office().await;
    let shared = |login| NewStaff { mail: Some("all@example.invalid".into()), ..new_staff(login) };
    office.post("/v1/staff", &shared("first")).await.done();
    office.post("/v1/staff", &shared("second")).await.done();
}

async fn a_placeholder_is_never_mailed(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let Care { nurse, doctor, nursing, patient, office } = care;
    let none = OwnMail { mail: None, forwarding_mail: Some("desk@example.invalid".into()) };
    let own: StaffDetail = nurse.1.put("/v1/profile/mail", &none).await.ok();
    assert_eq!((own.mail, own.mail_kind), (None, MailKind::Placeholder));
    let before = mails(&host).await.len();
    doctor
        .1
        .post(&format!("/v1/patients/{patient}/posts"), &new_post("変わりありません。", vec![]))
        .await
        .done();
    let sent = mails(&host).await;
    assert_eq!(sent[before..], [("post_published".to_owned(), "desk@example.invalid".to_owned())]);
    let gone: StaffDetail =
        nurse.1.put("/v1/profile/mail", &OwnMail { mail: None, forwarding_mail: None }).await.ok();
    assert_eq!(gone.mail_kind, MailKind::None);
    assert_eq!(detail(&nursing.manager, nurse.0).await.mail_kind, MailKind::None);
    drop(office);
    let policy = MunicipalityPolicy { forwarding_mail: false, ..MunicipalityPolicy::default() };
    let town = host.town_with("two", policy).await;
    let office = town.office().await;
    let refused = office.put("/v1/profile/mail", &none).await.refused(Code::FieldInvalid);
    assert_eq!(refused.field.as_deref(), Some("forwarding_mail"));
}

async fn a_forgotten_password_is_replaced(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, mut nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let wrong = SignIn { id: None, login_id: "nurse.n".into(), password: "wrong-wrong-9".into() };
    for _ in 0..5 {
        nurse.post("/v1/session", &wrong).await;
    }
    let given: StaffAdded = nursing
        .manager
        .post(&path(nurse_id, "/first-password"), &NewFirstPassword { id: FirstPasswordId::new() })
        .await
        .ok();
    assert_eq!((given.id, given.login_id.as_str()), (nurse_id, "nurse.n"));
    nurse.get("/v1/session").await.refused(Code::SessionInvalid);
    assert_eq!(detail(&nursing.manager, nurse_id).await.state, StaffState::Granted);
    // The lock is lifted, the old password is no more, the new one must be changed.
    let old = SignIn { id: None, login_id: "nurse.n".into(), password: PASSWORD.into() };
    nurse.post("/v1/session", &old).await.refused(Code::SignInRefused);
    assert!(nurse.sign_in("nurse.n", &given.first_password).await.must_change_password);
    nurse.get("/v1/patients").await.refused(Code::PasswordChangeRequired);
    let change = PasswordChange { current: given.first_password, new: "niji-to-ame-no-hi".into() };
    nurse.post("/v1/session/password", &change).await.done();
    assert_eq!(detail(&nursing.manager, nurse_id).await.state, StaffState::Active);
    nurse
        .post(&path(nurse_id, "/first-password"), &NewFirstPassword { id: FirstPasswordId::new() })
        .await
        .refused(Code::RoleInsufficient);
}

async fn another_facilitys_staff_are_not_there(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let manager = &care.nursing.manager;
    let there = detail(&care.office, care.doctor.0).await;
    let absent = StaffId::new();
    let leaving = Leaving { left_on: today(), successor: None };
    for id in [care.doctor.0, absent] {
        let refusals = [
            manager.get(&path(id, "")).await,
            manager.put(&path(id, ""), &change_of(&there)).await,
            manager
                .post(&path(id, "/first-password"), &NewFirstPassword { id: FirstPasswordId::new() })
                .await,
            manager.post(&path(id, "/leaving"), &leaving).await,
        ];
        for refusal in refusals {
            assert_eq!(refusal.refused(Code::NotFound), Problem::new(Code::NotFound));
        }
    }
    for facility in [there.facility_id, FacilityId::new()] {
        manager.get(&format!("/v1/staff?facility={facility}")).await.refused(Code::NotFound);
        manager
            .post(&format!("/v1/facilities/{facility}/staff"), &new_staff("x.x"))
            .await
            .refused(Code::NotFound);
    }
    care.nurse.1.get("/v1/staff").await.refused(Code::RoleInsufficient);
    assert_eq!(detail(&care.office, care.doctor.0).await, there);
}

async fn facility_of(town: &Town<'_>, office: &Client) -> crate::town::Facility {
    town.facility(office, "架空訪問看護").await
}

async fn the_pages_do_all_of_it(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = facility_of(&town, &office).await;
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let (desk, hall) = (Browser::of(&host, &nursing.manager), Browser::of(&host, &office));
    let at = format!("/staff/{nurse_id}");
    desk.get("/staff").await.shows(200, &[&format!("href=\"{at}\""), "利用中"]);
    let of_nursing = format!("/staff?facility={}", nursing.id);
    hall.get(&of_nursing).await.shows(200, &["試験 nurse.n", "架空訪問看護", "selected"]);
    desk.get(&at).await.shows(200, &["利用中", "leave-open"]).lacks("suspend-open");
    let mut fields = vec![
        ("name", "試験 改姓"),
        ("profession", "nurse"),
        ("role", "member"),
        ("mail", "kanri2@"),
        ("forwarding_mail", ""),
        ("may_export", "true"),
    ];
    desk.post(&at, &fields).await.shows(422, &["mail-error", "value=\"試験 改姓\"", "checked"]);
    fields[3].1 = "n@example.invalid";
    assert_eq!(desk.post(&at, &fields).await.leads_to(), format!("{at}?done=changed"));
    desk.get(&format!("{at}?done=changed")).await.shows(200, &["変更しました", "試験 改姓", "checked"]);
    // The person's own page.
    let mut phone = Browser::of(&host, &nurse);
    phone.get("/profile").await.shows(200, &["試験 改姓", "できます", "to-sessions"]);
    let none = [("mail", ""), ("forwarding_mail", "desk@example.invalid")];
    assert_eq!(phone.post("/profile", &none).await.leads_to(), "/profile?changed=1");
    phone.get("/profile?changed=1").await.shows(200, &["変更しました", "仮のアドレス"]);
    // Suspension by the office.
    let id = hall.get(&at).await.shows(200, &["suspend-open", "仮のアドレス"]).value("id");
    let suspend = format!("{at}/suspension");
    hall.post(&suspend, &[("id", id.as_str()), ("reason", "")]).await.shows(422, &["reason-error"]);
    let fields = [("id", id.as_str()), ("reason", "不正アクセスのおそれ")];
    assert_eq!(hall.post(&suspend, &fields).await.leads_to(), format!("{at}?done=suspended"));
    hall.get(&at).await.shows(200, &["一時停止", "不正アクセスのおそれ", "id=\"resume\""]);
    desk.get(&at).await.shows(200, &["一時停止", "不正アクセスのおそれ"]).lacks("id=\"resume\"");
    assert_eq!(phone.get("/").await.leads_to(), "/sign-in");
    assert_eq!(hall.post(&format!("{at}/resumption"), &[]).await.leads_to(), format!("{at}?done=resumed"));
    // A new first password, then the last day.
    let page =
        desk.post(&format!("{at}/first-password"), &[]).await.shows(200, &["試験 改姓 さんの初回パスワード"]);
    assert_eq!(page.text_of("login-id"), "nurse.n");
    let first = page.text_of("first-password");
    let opened = phone.post("/sign-in", &[("login_id", "nurse.n"), ("password", first.as_str())]).await;
    assert_eq!(opened.leads_to(), "/password");
    phone.cookie = None;
    let leave = format!("{at}/leaving");
    let bad = [("left_on", "2999-01-01"), ("successor", "")];
    desk.post(&leave, &bad).await.shows(422, &["left_on-error", "value=\"2999-01-01\""]);
    let day = today();
    assert_eq!(
        desk.post(&leave, &[("left_on", day.as_str()), ("successor", "")]).await.leads_to(),
        format!("{at}?done=left")
    );
    desk.get(&at).await.shows(200, &["退職", "最終日"]).lacks("leave-open");
    desk.get("/staff").await.shows(200, &["退職したスタッフ（1人）"]);
}

async fn a_short_form_survives_the_end_of_its_session(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = facility_of(&town, &office).await;
    let mut desk = Browser::of(&host, &nursing.manager);
    let id = desk.get("/staff").await.value("id");
    let good = desk.cookie.clone();
    desk.cookie = Some("__Host-renraku=none".into());
    let fields =
        [("id", id.as_str()), ("name", "医師 <三郎>"), ("profession", "physician"), ("login_id", "saburo.i")];
    let kept = desk.post("/staff", &fields).await;
    let kept = kept.shows(401, &["send-again", "action=\"/staff\"", "医師 &#60;三郎&#62;", "saburo.i"]);
    assert!(!kept.text.contains("multipart/form-data"), "sent again as it was sent");
    // Devices and facilities alike; a form with a password keeps nothing.
    let device = nursing.manager.identity.as_ref().unwrap().device_id.unwrap();
    let revoke = format!("/devices/{device}/revocation");
    desk.post(&revoke, &[("reason", "廊下で紛失")]).await.shows(401, &["廊下で紛失", &revoke]);
    let secret = [("current", PASSWORD), ("new", "niji-to-ame-no-hi"), ("again", "niji-to-ame-no-hi")];
    assert!(desk.post("/password", &secret).await.leads_to().starts_with("/sign-in"));
    let huge = "x".repeat(limits::JSON_BYTES + 1);
    desk.post("/staff", &[("name", huge.as_str())]).await.shows(413, &["body_too_large"]);
    // After signing in elsewhere, the same form goes through.
    desk.cookie = good;
    desk.post("/staff", &fields).await.shows(200, &["saburo.i", "first-password"]);
    let list = nursing.manager.send(nursing.manager.request(Method::GET, "/v1/staff")).await;
    assert_eq!(list.ok::<Vec<StaffDetail>>().len(), 2);
}

/// What an input method leaves behind is read alike when an account is made and when somebody signs in.
async fn a_user_id_in_full_width_letters_is_the_same(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let added: StaffAdded = nursing.manager.post("/v1/staff", &new_staff("ＡＢＣ１２")).await.ok();
    assert_eq!(added.login_id, "abc12");
    let taken = nursing.manager.post("/v1/staff", &new_staff("abc１２")).await;
    taken.refused(Code::AlreadyTaken);
    for typed in ["ABC12", "ａｂｃ12", "abc12"] {
        let mut client = town.care(nursing.manager.identity.clone().unwrap());
        assert!(client.sign_in(typed, &added.first_password).await.must_change_password, "{typed}");
    }
    let browser = Browser::of(&host, &nursing.manager);
    let id = StaffId::new().to_string();
    let fields = [("id", id.as_str()), ("name", "試験"), ("profession", "nurse"), ("login_id", "ｘｙｚ．９")];
    browser.post("/staff", &fields).await.shows(200, &["xyz.9"]);
}

async fn the_office_sees_the_staff_of_a_suspended_facility(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = facility_of(&town, &office).await;
    let (nurse_id, _) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let why = FacilityReason { reason: "事故".into() };
    office.post(&format!("/v1/facilities/{}/suspension", nursing.id), &why).await.done();
    let of = format!("/staff?facility={}", nursing.id);
    let listed: Vec<StaffDetail> = office.get(&format!("/v1{of}")).await.ok();
    assert!(listed.iter().any(|d| d.id == nurse_id), "{listed:?}");
    // Nobody is added before it goes on, neither as JSON nor on the page.
    let at = format!("/v1/facilities/{}/staff", nursing.id);
    office.post(&at, &new_staff("new.one")).await.refused(Code::StateConflict);
    let hall = Browser::of(&host, &office);
    let page = hall.get(&format!("/facilities/{}", nursing.id)).await.shows(200, &["id=\"to-staff\""]);
    assert!(page.text.contains(&of));
    let person = format!("href=\"/staff/{nurse_id}\"");
    hall.get(&of).await.shows(200, &[&person, "利用が停止されています", "selected"]).lacks("add-staff");
    hall.get("/staff").await.shows(200, &["架空訪問看護"]);
    // One id is suspended there before the facility goes on.
    let fields = [("id", ""), ("reason", "漏えい")];
    let done = hall.post(&format!("/staff/{nurse_id}/suspension"), &fields).await;
    assert_eq!(done.leads_to(), format!("/staff/{nurse_id}?done=suspended"));
    hall.get(&of).await.shows(200, &["一時停止"]);
    // One that is closed has nobody left to look after.
    let closing = FacilityClosing { id: FacilityChangeId::new(), reason: "廃業".into() };
    office.post(&format!("/v1/facilities/{}/closure", nursing.id), &closing).await.done();
    office.get(&format!("/v1{of}")).await.refused(Code::StateConflict);
}
