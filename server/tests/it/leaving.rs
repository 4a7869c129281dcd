//! The end of an account: who leaves, and whom the office suspends.

use crate::both;
use crate::staff::{actions, change_of, detail, mails, new_staff, path, today};
use crate::town::{Care, Client, Host, PASSWORD, new_post};
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{push_registration, staff_suspension, team_member};
use renraku_server::policy::MunicipalityPolicy;
use renraku_server::run;
use renraku_wire::*;

both!(
    who_leaves_is_gone_and_stays_in_the_record,
    a_team_keeps_a_lead,
    a_facility_keeps_a_manager,
    the_manager_on_file_is_one_who_manages,
    an_id_is_suspended_without_asking,
    suspending_needs_agreement_where_the_town_says_so,
    suspended_twice_at_once_is_suspended_once,
    two_of_the_office_do_not_suspend_each_other,
);

async fn who_leaves_is_gone_and_stays_in_the_record(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let Care { nurse: (nurse_id, nurse), doctor, nursing, patient, .. } = care;
    let manager = &nursing.manager;
    let posts = format!("/v1/patients/{patient}/posts");
    nurse.post(&posts, &new_post("左踵の発赤は縮小。", vec![])).await.done();
    let push = PushRegistration { provider: PushProvider::Apns, token: "ab".repeat(32) };
    nurse.put("/v1/session/push", &push).await.done();
    let colleague = town.member(&nursing, "helper.h", Profession::Helper).await;
    // The date must be said and be possible; nothing changes until it is.
    let on = |left_on: &str| Leaving { left_on: left_on.into(), successor: Some(colleague.0) };
    for bad in ["", "2999-01-01", "1999-01-01", "昨日"] {
        let refused = manager.post(&path(nurse_id, "/leaving"), &on(bad)).await.refused(Code::FieldInvalid);
        assert_eq!(refused.field.as_deref(), Some("left_on"), "{bad}");
    }
    nurse.get("/v1/session").await.done();
    nurse.post(&path(nurse_id, "/leaving"), &on(&today())).await.refused(Code::RoleInsufficient);
    manager.post(&path(nurse_id, "/leaving"), &on(&today())).await.done();
    manager.post(&path(nurse_id, "/leaving"), &on(&today())).await.refused(Code::StateConflict);
    nurse.get("/v1/session").await.refused(Code::SessionInvalid);
    let again = SignIn { id: None, login_id: "nurse.n".into(), password: PASSWORD.into() };
    nurse.post("/v1/session", &again).await.refused(Code::SignInRefused);
    let left = detail(manager, nurse_id).await;
    assert_eq!(
        (left.state, left.left_on.as_deref(), left.mail.as_deref()),
        (StaffState::Left, Some(&*today()), None)
    );
    let registered: i64 = host
        .server
        .app
        .db
        .read(async |c| Ok(run!(c, get_result, push_registration::table.count())?))
        .await
        .unwrap();
    assert_eq!(registered, 0);
    // Nobody can ask for them or restore them, and nothing is sent to them.
    let directory: Directory = doctor.1.get("/v1/directory").await.ok();
    assert!(directory.staff.iter().all(|s| s.id != nurse_id));
    manager
        .post(&path(nurse_id, "/first-password"), &NewFirstPassword { id: FirstPasswordId::new() })
        .await
        .refused(Code::StateConflict);
    manager.put(&path(nurse_id, ""), &change_of(&left)).await.refused(Code::StateConflict);
    let before = mails(&host).await.len();
    doctor.1.post(&posts, &new_post("承知しました。", vec![])).await.done();
    let sent = mails(&host).await;
    assert!(sent[before..].iter().all(|(_, to)| to != "nurse.n@example.invalid"), "{sent:?}");
    // What they wrote still names them; that they were in the team is kept.
    let page: PostPage = doctor.1.get(&posts).await.ok();
    let old = page.posts.iter().find(|p| p.author_id == nurse_id).unwrap();
    assert_eq!((old.author_name.as_str(), old.facility_name.as_str()), ("試験 nurse.n", "架空訪問看護"));
    let record: Patient = doctor.1.get(&format!("/v1/patients/{patient}")).await.ok();
    assert!(record.team.iter().all(|m| m.staff_id != nurse_id));
    let kept: i64 = host
        .server
        .app
        .db
        .read(async |c| {
            Ok(run!(
                c,
                get_result,
                team_member::table
                    .filter(team_member::staff_id.eq(renraku_server::db::Id::from(nurse_id)))
                    .filter(team_member::removed_at.is_not_null())
                    .count()
            )?)
        })
        .await
        .unwrap();
    assert_eq!(kept, 1);
    // A new account at another facility, with the same address.
    let office_view: Vec<Facility> = care.office.get("/v1/facilities").await.ok();
    let clinic = office_view.iter().find(|f| f.name == "架空診療所").unwrap().id;
    let anew = NewStaff {
        name: "試験 nurse.n".into(),
        mail: Some("nurse.n@example.invalid".into()),
        ..new_staff("nurse.n2")
    };
    let added: StaffAdded = care.office.post(&format!("/v1/facilities/{clinic}/staff"), &anew).await.ok();
    let mut at_clinic = town.care(town.device(&care.office, clinic).await);
    at_clinic.first_sign_in("nurse.n2", &added.first_password).await;
    at_clinic.get(&posts).await.refused(Code::NotFound);
}

async fn a_team_keeps_a_lead(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let (helper_id, helper) = town.member(&care.nursing, "helper.h", Profession::Helper).await;
    let manager = &care.nursing.manager;
    let leaving = |successor| Leaving { left_on: today(), successor };
    let at = path(care.nurse.0, "/leaving");
    manager.post(&at, &leaving(None)).await.refused(Code::LeadNeeded);
    // Somebody of another facility, the leaver, nobody: no successor.
    for bad in [care.doctor.0, care.nurse.0, StaffId::new()] {
        let refused = manager.post(&at, &leaving(Some(bad))).await.refused(Code::FieldInvalid);
        assert_eq!(refused.field.as_deref(), Some("successor"));
    }
    care.nurse.1.get(&format!("/v1/patients/{}", care.patient)).await.done();
    helper.get(&format!("/v1/patients/{}", care.patient)).await.refused(Code::NotFound);
    manager.post(&at, &leaving(Some(helper_id))).await.done();
    let record: Patient = helper.get(&format!("/v1/patients/{}", care.patient)).await.ok();
    let leads: Vec<_> = record.team.iter().filter(|m| m.lead).map(|m| m.staff_id).collect();
    assert_eq!(leads, [helper_id]);
    assert!(mails(&host).await.contains(&("patient_registered".into(), "helper.h@example.invalid".into())));
    // Who does not lead leaves without anybody taking over.
    let clinic: Staff = care.doctor.1.get("/v1/session").await.ok();
    assert_ne!(clinic.facility_id, care.nursing.id);
    care.office.post(&path(care.doctor.0, "/leaving"), &leaving(None)).await.done();
}

async fn a_facility_keeps_a_manager(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let me: Staff = nursing.manager.get("/v1/session").await.ok();
    let leaving = Leaving { left_on: today(), successor: None };
    office.post(&path(me.id, "/leaving"), &leaving).await.refused(Code::ManagerNeeded);
    let member = StaffChange { role: Role::Member, ..change_of(&detail(&office, me.id).await) };
    office.put(&path(me.id, ""), &member).await.refused(Code::ManagerNeeded);
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let manager = StaffChange { role: Role::FacilityManager, ..change_of(&detail(&office, nurse_id).await) };
    office.put(&path(nurse_id, ""), &manager).await.done();
    // Two managers send each other away at once: one stays.
    let both = [(&nurse, me.id), (&nursing.manager, nurse_id)].map(|(who, whom)| {
        let (who, leaving) = (who.clone(), leaving.clone());
        async move { who.post(&path(whom, "/leaving"), &leaving).await.status }
    });
    let statuses = futures_util::future::join_all(both).await;
    assert_eq!(statuses.iter().filter(|s| **s == 204).count(), 1, "{statuses:?}");
    let left: Vec<StaffDetail> = office.get(&format!("/v1/staff?facility={}", nursing.id)).await.ok();
    assert_eq!(left.iter().filter(|d| d.state == StaffState::Active).count(), 1);
}

/// Who is on file, and what the office has to do about this facility.
async fn on_file(office: &Client, id: FacilityId) -> ((String, String), Vec<String>) {
    let path = format!("/facilities/{id}");
    let record: FacilityRecord = office.get(&format!("/v1{path}")).await.ok();
    let tasks: Tasks = office.get("/v1/tasks").await.ok();
    let tasks = tasks.tasks.into_iter().filter(|t| t.path == path).map(|t| t.text);
    ((record.facility.manager_name, record.manager_mail), tasks.collect())
}

async fn the_manager_on_file_is_one_who_manages(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let me: Staff = nursing.manager.get("/v1/session").await.ok();
    let role = async |id: StaffId, role: Role| {
        let change = StaffChange { role, ..change_of(&detail(&office, id).await) };
        office.put(&path(id, ""), &change).await
    };
    let named = |name: &str, mail: &str| ((name.to_owned(), mail.to_owned()), Vec::<String>::new());
    let leaving = Leaving { left_on: today(), successor: None };
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    role(nurse_id, Role::FacilityManager).await.done();
    assert_eq!(on_file(&office, nursing.id).await, named("管理 二郎", "kanri@example.invalid"));
    // Who is on file under another name stays on file.
    let renamed = StaffChange { name: "管理 改姓".into(), ..change_of(&detail(&office, me.id).await) };
    nurse.put(&path(me.id, ""), &renamed).await.done();
    assert_eq!(on_file(&office, nursing.id).await, named("管理 改姓", "kanri@example.invalid"));
    // Who leaves is on file no more: what is sent to the manager goes to the one who is left.
    nurse.post(&path(me.id, "/leaving"), &leaving).await.done();
    assert_eq!(on_file(&office, nursing.id).await, named("試験 nurse.n", "nurse.n@example.invalid"));
    let record: FacilityRecord = office.get(&format!("/v1/facilities/{}", nursing.id)).await.ok();
    let past: Vec<&str> = record.past.iter().map(|p| p.manager_name.as_str()).collect();
    assert_eq!(past, ["管理 改姓", "管理 二郎"]);
    assert!(host.mails.nth("nurse.n@example.invalid", 0).await.body.contains("管理者が変更されました"));
    // Their new address is the one on file.
    let own = OwnMail { mail: Some("new@example.invalid".into()), forwarding_mail: None };
    nurse.put("/v1/profile/mail", &own).await.done();
    assert_eq!(on_file(&office, nursing.id).await, named("試験 nurse.n", "new@example.invalid"));
    // Where nobody with an address is left, the next one is designated first; nothing is changed before.
    let helper = NewStaff { mail: None, ..new_staff("helper.h") };
    office.post(&format!("/v1/facilities/{}/staff", nursing.id), &helper).await.done();
    role(helper.id, Role::FacilityManager).await.done();
    for refused in
        [office.post(&path(nurse_id, "/leaving"), &leaving).await, role(nurse_id, Role::Member).await]
    {
        let problem: Problem = serde_json::from_slice(&refused.body).unwrap();
        assert_eq!((refused.status, problem.code), (409, Code::ManagerNeeded));
        assert!(problem.detail.contains("「管理者を変える」"), "{}", problem.detail);
    }
    assert_eq!(detail(&office, nurse_id).await.role, Role::FacilityManager);
    let next = ManagerChange {
        id: FirstPasswordId::new(),
        staff_id: helper.id,
        name: None,
        mail: "desk@example.invalid".into(),
    };
    office.post(&format!("/v1/facilities/{}/manager", nursing.id), &next).await.done();
    office.post(&path(nurse_id, "/leaving"), &leaving).await.done();
    assert_eq!(on_file(&office, nursing.id).await, named(&helper.name, "desk@example.invalid"));
    // Who has another role is on file no more either.
    let third = NewStaff { mail: Some("third@example.invalid".into()), ..new_staff("third.t") };
    office.post(&format!("/v1/facilities/{}/staff", nursing.id), &third).await.done();
    role(third.id, Role::FacilityManager).await.done();
    role(helper.id, Role::Member).await.done();
    let ((_, mail), tasks) = on_file(&office, nursing.id).await;
    assert_eq!((Some(mail), tasks), (third.mail.clone(), vec![]));
    // Whoever is suspended stays on file, and the office learns that nobody on file manages.
    role(helper.id, Role::FacilityManager).await.done();
    office.post(&path(third.id, "/suspension"), &suspending("紛失")).await.done();
    let (_, tasks) = on_file(&office, nursing.id).await;
    assert_eq!(tasks, ["架空訪問看護の管理者の登録を直す（登録されている人は、今の管理者ではありません）"]);
}

fn suspending(reason: &str) -> Suspending {
    Suspending { id: SuspensionId::new(), reason: reason.into(), agreed: false }
}

async fn an_id_is_suspended_without_asking(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, mut nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let manager = &nursing.manager;
    let (suspend, resume) = (path(nurse_id, "/suspension"), path(nurse_id, "/resumption"));
    let given = suspending("パスワードが知られたおそれ");
    manager.post(&suspend, &given).await.refused(Code::RoleInsufficient);
    let none = office.post(&suspend, &suspending("  ")).await.refused(Code::FieldInvalid);
    assert_eq!(none.field.as_deref(), Some("reason"));
    office.post(&resume, &()).await.refused(Code::StateConflict);
    nurse.get("/v1/session").await.done();
    let before = mails(&host).await.len();
    office.post(&suspend, &given).await.done();
    nurse.get("/v1/session").await.refused(Code::SessionInvalid);
    let again = SignIn { id: None, login_id: "nurse.n".into(), password: PASSWORD.into() };
    nurse.post("/v1/session", &again).await.refused(Code::SignInRefused);
    // The same request again is the same suspension; another one comes too late.
    office.post(&suspend, &given).await.done();
    office.post(&suspend, &suspending("もう一度")).await.refused(Code::StateConflict);
    let seen = detail(&office, nurse_id).await;
    assert_eq!(seen.state, StaffState::Suspended);
    assert_eq!(seen.suspension.unwrap().reason, "パスワードが知られたおそれ");
    // Mail to the person, notice to the manager: who has no address of their own gets it at the facility's.
    let told = mails(&host).await[before..].to_vec();
    let mail = |kind: &str, to: &str| (kind.to_owned(), to.to_owned());
    assert_eq!(
        told,
        [
            mail("account_suspended", "nurse.n@example.invalid"),
            mail("staff_state_changed", "kanri@example.invalid")
        ]
    );
    manager
        .post(&path(nurse_id, "/first-password"), &NewFirstPassword { id: FirstPasswordId::new() })
        .await
        .refused(Code::StateConflict);
    office.post(&resume, &()).await.done();
    office.post(&resume, &()).await.refused(Code::StateConflict);
    nurse.sign_in("nurse.n", PASSWORD).await;
    assert_eq!(detail(&office, nurse_id).await.suspension, None);
    let seen = actions(&host, nurse_id).await;
    assert_eq!(seen.iter().filter(|a| *a == "staff.suspend").count(), 1);
    assert_eq!(seen.iter().filter(|a| *a == "staff.resume").count(), 1);
    // Not oneself, and nobody who is not there.
    let me: Staff = office.get("/v1/session").await.ok();
    office.post(&path(me.id, "/suspension"), &suspending("x")).await.refused(Code::RoleInsufficient);
    office.post(&path(StaffId::new(), "/suspension"), &suspending("x")).await.refused(Code::NotFound);
}

async fn suspending_needs_agreement_where_the_town_says_so(host: Host) {
    let policy = MunicipalityPolicy { suspend_without_consent: false, ..MunicipalityPolicy::default() };
    let town = host.town_with("one", policy).await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let suspend = path(nurse_id, "/suspension");
    let refused = office.post(&suspend, &suspending("紛失")).await.refused(Code::FieldInvalid);
    assert_eq!(refused.field.as_deref(), Some("agreed"));
    nurse.get("/v1/session").await.done();
    office.post(&suspend, &Suspending { agreed: true, ..suspending("紛失") }).await.done();
    nurse.get("/v1/session").await.refused(Code::SessionInvalid);
}

async fn suspended_twice_at_once_is_suspended_once(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (nurse_id, _) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let given = suspending("紛失");
    let tries = (0..4).map(|_| {
        let (office, given) = (office.clone(), given.clone());
        async move { office.post(&path(nurse_id, "/suspension"), &given).await.status }
    });
    let statuses = futures_util::future::join_all(tries).await;
    assert!(statuses.iter().all(|s| *s == 204), "{statuses:?}");
    let rows: i64 = host
        .server
        .app
        .db
        .read(async |c| Ok(run!(c, get_result, staff_suspension::table.count())?))
        .await
        .unwrap();
    assert_eq!(rows, 1);
    let told = mails(&host).await;
    assert_eq!(told.iter().filter(|(kind, _)| kind == "account_suspended").count(), 1);
}

async fn two_of_the_office_do_not_suspend_each_other(host: Host) {
    let town = host.town("one").await;
    let mut one = town.office().await;
    let me: Staff = one.get("/v1/session").await.ok();
    let new = new_staff("jimu.two");
    let added: StaffAdded = one.post("/v1/staff", &new).await.ok();
    let change = StaffChange { role: Role::Secretariat, ..change_of(&detail(&one, new.id).await) };
    one.put(&path(new.id, ""), &change).await.done();
    let mut two = town.care(town.device(&one, me.facility_id).await);
    two.first_sign_in("jimu.two", &added.first_password).await;
    for _ in 0..4 {
        let (a, b) = (suspending("漏えい"), suspending("漏えい"));
        let (to_two, to_one) = (path(new.id, "/suspension"), path(me.id, "/suspension"));
        let (first, second) = tokio::join!(one.post(&to_two, &a), two.post(&to_one, &b));
        let statuses = [first.status, second.status];
        assert_eq!(statuses.iter().filter(|s| **s == 204).count(), 1, "{statuses:?}");
        // Whoever is left lets the other go on.
        let (left, other, id) = if first.status == 204 {
            (&one, (&mut two, "jimu.two"), new.id)
        } else {
            (&two, (&mut one, "jimukyoku"), me.id)
        };
        left.post(&path(id, "/resumption"), &()).await.done();
        let (client, login_id) = other;
        client.sign_in(login_id, PASSWORD).await;
    }
}
