//! Approved facilities: the manager, changes, suspension, closure, and other towns' facilities.

use crate::both;
use crate::town::*;
use renraku_wire::*;
use serde_json::json;

both!(
    a_manager_hands_over_to_a_colleague,
    the_office_designates_somebody_new,
    of_two_handovers_at_once_one_manager_comes_out,
    telephone_changes_at_once_and_the_name_waits,
    a_suspended_facility_is_refused_at_once,
    a_closed_facility_leaves_its_posts,
    another_towns_facility_is_not_there,
);

async fn record(who: &Client, id: FacilityId) -> FacilityRecord {
    who.get(&format!("/v1/facilities/{id}")).await.ok()
}

fn why(reason: &str) -> FacilityReason {
    FacilityReason { reason: reason.into() }
}

fn to(staff_id: StaffId) -> ManagerChange {
    ManagerChange { id: FirstPasswordId::new(), staff_id, name: None, mail: "new@example.invalid".into() }
}

async fn managers(office: &Client, id: FacilityId) -> Vec<StaffId> {
    let directory: Directory = office.get("/v1/directory").await.ok();
    let of = |s: &&Staff| s.facility_id == id && s.role == Role::FacilityManager;
    directory.staff.iter().filter(of).map(|s| s.id).collect()
}

async fn a_manager_hands_over_to_a_colleague(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let (nursing, nurse) = (&care.nursing, care.nurse.0);
    let path = format!("/v1/facilities/{}/manager", nursing.id);
    assert_eq!(managers(&care.office, nursing.id).await.len(), 1);
    care.nurse.1.post(&path, &to(nurse)).await.refused(Code::RoleInsufficient);
    nursing.manager.post(&path, &to(care.doctor.0)).await.refused(Code::NotFound);
    nursing.manager.post(&path, &to(StaffId::new())).await.refused(Code::NotFound);
    let somebody_new = ManagerChange { name: Some("架空 次子".into()), ..to(StaffId::new()) };
    nursing.manager.post(&path, &somebody_new).await.refused(Code::RoleInsufficient);
    let bad = ManagerChange { mail: "no address".into(), ..to(nurse) };
    nursing.manager.post(&path, &bad).await.refused(Code::FieldInvalid);
    assert_eq!(managers(&care.office, nursing.id).await.len(), 1);
    let designated: ManagerDesignated = nursing.manager.post(&path, &to(nurse)).await.ok();
    assert_eq!((designated.login_id.as_str(), designated.first_password), ("nurse.n", None));
    assert_eq!(managers(&care.office, nursing.id).await, [nurse]);
    nursing.manager.get(&format!("/v1/facilities/{}", nursing.id)).await.refused(Code::RoleInsufficient);
    let on_file = record(&care.nurse.1, nursing.id).await;
    assert_eq!(on_file.facility.manager_name, "試験 nurse.n");
    assert_eq!((on_file.manager_mail.as_str(), on_file.past.len()), ("new@example.invalid", 1));
    assert_eq!(on_file.past[0].manager_name, "管理 二郎");
    assert!(host.mails.nth("new@example.invalid", 0).await.body.contains("管理者が変更されました"));
}

async fn the_office_designates_somebody_new(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let path = format!("/v1/facilities/{}/manager", nursing.id);
    let new = ManagerChange { name: Some("架空 次子".into()), ..to(StaffId::new()) };
    let designated: ManagerDesignated = office.post(&path, &new).await.ok();
    assert_eq!(managers(&office, nursing.id).await, [new.staff_id]);
    // Again, as long as the account was never used: the same account.
    let again: ManagerDesignated = office.post(&path, &new).await.ok();
    assert_eq!(again.login_id, designated.login_id);
    assert_eq!(again.first_password, designated.first_password, "the same request, the same password");
    // Signed in with it somewhere, and locked by typing: a new one ends the one and lifts the other.
    let mut next = town.care(town.device(&office, nursing.id).await);
    next.sign_in(&designated.login_id, &designated.first_password.clone().unwrap()).await;
    let open = next.clone();
    let wrong = SignIn { id: None, login_id: designated.login_id.clone(), password: "wrong".into() };
    for _ in 0..4 {
        next.post("/v1/session", &wrong).await.refused(Code::SignInRefused);
    }
    next.post("/v1/session", &wrong).await.locked("15分");
    let anew = ManagerChange { id: FirstPasswordId::new(), ..new.clone() };
    let again: ManagerDesignated = office.post(&path, &anew).await.ok();
    assert_ne!(again.first_password, designated.first_password);
    open.get("/v1/session").await.refused(Code::SessionInvalid);
    next.first_sign_in(&again.login_id, &again.first_password.unwrap()).await;
    assert_eq!(record(&next, nursing.id).await.facility.manager_name, "架空 次子");
    let later: ManagerDesignated = office.post(&path, &new).await.ok();
    assert_eq!(later.first_password, None, "an account in use keeps its password");
    let me: Staff = office.get("/v1/session").await.ok();
    let own = format!("/v1/facilities/{}/manager", me.facility_id);
    office.post(&own, &to(me.id)).await.refused(Code::NotFound);
}

async fn of_two_handovers_at_once_one_manager_comes_out(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (a, _) = town.member(&nursing, "aaa.a", Profession::Nurse).await;
    let (b, _) = town.member(&nursing, "bbb.b", Profession::Nurse).await;
    let path = format!("/v1/facilities/{}/manager", nursing.id);
    let (to_a, to_b) = (to(a), to(b));
    let (first, second) =
        tokio::join!(nursing.manager.post(&path, &to_a), nursing.manager.post(&path, &to_b));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let now = managers(&office, nursing.id).await;
    assert!(now == [a] || now == [b], "{now:?}");
}

fn change(of: &FacilityRecord) -> FacilityChange {
    FacilityChange {
        id: FacilityChangeId::new(),
        name: of.facility.name.clone(),
        kind: of.facility.kind,
        address: of.facility.address.clone(),
        telephone: of.facility.telephone.clone(),
        opening: of.opening.clone(),
    }
}

async fn telephone_changes_at_once_and_the_name_waits(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let path = format!("/v1/facilities/{}/changes", nursing.id);
    let before = record(&nursing.manager, nursing.id).await;
    let small =
        FacilityChange { telephone: "0000-99-9999".into(), opening: "月〜金".into(), ..change(&before) };
    let done: FacilityChanged = nursing.manager.post(&path, &small).await.ok();
    assert_eq!(done, FacilityChanged { id: small.id, state: ChangeState::Done });
    let after = record(&nursing.manager, nursing.id).await;
    assert_eq!((after.facility.telephone.as_str(), after.opening.as_str()), ("0000-99-9999", "月〜金"));
    assert_eq!((after.past.len(), after.past[0].telephone.as_str()), (1, before.facility.telephone.as_str()));
    let big = FacilityChange { name: "架空看護".into(), ..change(&after) };
    let tries = (0..4).map(|_| {
        let (manager, path, big) = (nursing.manager.clone(), path.clone(), big.clone());
        async move { manager.post(&path, &big).await.ok::<FacilityChanged>().state }
    });
    assert_eq!(futures_util::future::join_all(tries).await, [ChangeState::Waiting; 4]);
    let waiting = record(&office, nursing.id).await;
    assert_eq!((waiting.stage, waiting.facility.name.as_str()), (FacilityStage::Changing, "架空訪問看護"));
    // A later one takes its place; what was replaced cannot be confirmed.
    let bigger = FacilityChange { name: "架空看護二".into(), ..change(&after) };
    nursing.manager.post(&path, &bigger).await.done();
    let decide = |id: FacilityChangeId, what: &str| format!("/v1/facility-changes/{id}/{what}");
    nursing.manager.post(&decide(bigger.id, "confirmation"), &()).await.refused(Code::RoleInsufficient);
    office.post(&decide(big.id, "confirmation"), &()).await.refused(Code::StateConflict);
    let confirm = decide(bigger.id, "confirmation");
    let (a, b) = tokio::join!(office.post(&confirm, &()), office.post(&confirm, &()));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let after = record(&office, nursing.id).await;
    assert_eq!((after.facility.name.as_str(), after.past.len()), ("架空看護二", 2));
    assert!(after.waiting.is_none());
    let last = FacilityChange { address: "となり町1".into(), ..change(&after) };
    nursing.manager.post(&path, &last).await.done();
    office.post(&decide(last.id, "refusal"), &why("")).await.refused(Code::FieldInvalid);
    office.post(&decide(last.id, "refusal"), &why("町の外です")).await.done();
    office.post(&decide(last.id, "confirmation"), &()).await.refused(Code::StateConflict);
    assert_eq!(record(&office, nursing.id).await.facility.address, before.facility.address);
    // The confirmation's and the refusal's, in whichever order they were carried.
    let mails = [1, 2].map(|n| host.mails.nth("kanri@example.invalid", n));
    let mails = futures_util::future::join_all(mails).await;
    assert!(mails.iter().any(|mail| mail.body.contains("変更は承認されませんでした")), "{mails:?}");
    // The office's own change takes effect at once.
    let own = FacilityChange { address: "架空町7".into(), ..change(&after) };
    let done: FacilityChanged = office.post(&path, &own).await.ok();
    assert_eq!(done.state, ChangeState::Done);
    assert_eq!(record(&office, nursing.id).await.facility.address, "架空町7");
    let none = FacilityChange { name: " ".into(), ..change(&after) };
    nursing.manager.post(&path, &none).await.refused(Code::FieldInvalid);
    let office_kind = FacilityChange { kind: FacilityKind::Secretariat, ..change(&after) };
    nursing.manager.post(&path, &office_kind).await.refused(Code::FieldInvalid);
}

async fn a_suspended_facility_is_refused_at_once(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let path = format!("/v1/facilities/{}", care.nursing.id);
    care.nurse.1.get("/v1/patients").await.done();
    care.nursing.manager.post(&format!("{path}/suspension"), &why("x")).await.refused(Code::RoleInsufficient);
    care.office.post(&format!("{path}/suspension"), &why("")).await.refused(Code::FieldInvalid);
    care.office.post(&format!("{path}/suspension"), &why("事故の確認のため")).await.done();
    care.office.post(&format!("{path}/suspension"), &why("事故")).await.refused(Code::StateConflict);
    // On the connections that are open, with sessions that were good, and for a new sign-in.
    for who in [&care.nurse.1, &care.nursing.manager] {
        who.get("/v1/patients").await.refused(Code::FacilitySuspended);
    }
    let again = town.care(care.nurse.1.identity.clone().unwrap());
    let sign_in = SignIn { id: None, login_id: "nurse.n".into(), password: PASSWORD.into() };
    again.post("/v1/session", &sign_in).await.refused(Code::FacilitySuspended);
    care.doctor.1.get("/v1/patients").await.done();
    let seen = record(&care.office, care.nursing.id).await;
    assert_eq!(
        (seen.stage, seen.file.unwrap().reason.unwrap().as_str()),
        (FacilityStage::Suspended, "事故の確認のため")
    );
    let ticket = care.office.post(&format!("{path}/tickets"), &NewTicket::another()).await;
    ticket.refused(Code::StateConflict);
    care.office.post(&format!("{path}/resumption"), &()).await.done();
    care.office.post(&format!("{path}/resumption"), &()).await.refused(Code::StateConflict);
    care.nurse.1.get("/v1/patients").await.refused(Code::SessionInvalid);
    let mut again = again;
    again.sign_in("nurse.n", PASSWORD).await;
    again.get("/v1/patients").await.done();
    let me: Staff = care.office.get("/v1/session").await.ok();
    let own = format!("/v1/facilities/{}/suspension", me.facility_id);
    care.office.post(&own, &why("自分")).await.refused(Code::NotFound);
}

async fn a_closed_facility_leaves_its_posts(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let posts = format!("/v1/patients/{}/posts", care.patient);
    care.nurse.1.post(&posts, &new_post("最後の記録", vec![])).await.done();
    let path = format!("/v1/facilities/{}", care.nursing.id);
    let unused: EnrolmentTicket =
        care.nursing.manager.post(&format!("{path}/tickets"), &NewTicket::another()).await.ok();
    let notice = FacilityClosing { id: FacilityChangeId::new(), reason: "廃業".into() };
    care.nurse.1.post(&format!("{path}/closure"), &notice).await.refused(Code::RoleInsufficient);
    let asked: FacilityChanged = care.nursing.manager.post(&format!("{path}/closure"), &notice).await.ok();
    assert_eq!(asked.state, ChangeState::Waiting);
    let again: FacilityChanged = care.nursing.manager.post(&format!("{path}/closure"), &notice).await.ok();
    assert_eq!(again, asked);
    care.nurse.1.get(&posts).await.done();
    let waiting = record(&care.office, care.nursing.id).await.waiting.unwrap();
    assert_eq!((waiting.id, waiting.closing.as_deref()), (notice.id, Some("廃業")));
    care.office.post(&format!("/v1/facility-changes/{}/confirmation", notice.id), &()).await.done();
    assert_eq!(record(&care.office, care.nursing.id).await.stage, FacilityStage::Closed);
    care.nurse.1.get(&posts).await.refused(Code::CertificateRevoked);
    care.nursing.manager.get(&path).await.refused(Code::CertificateRevoked);
    let request = Town::certificate_request(&unused.number, &unused.password, &csr().1);
    town.public().post(&town.path("/certificates"), &request).await.refused(Code::TicketExpired);
    for what in ["approval", "resumption"] {
        care.office.post(&format!("{path}/{what}"), &json!({})).await.refused(Code::StateConflict);
    }
    let (_, html) = crate::devices::page(&care.office, "/devices").await;
    assert!(html.contains("施設の廃止") && !html.contains("facility_closed"), "{html}");
    let directory: Directory = care.office.get("/v1/directory").await.ok();
    assert!(directory.staff.iter().all(|s| s.facility_id != care.nursing.id));
    // Who goes on elsewhere brings the mail address along.
    let again = NewStaff {
        id: StaffId::new(),
        login_id: "nurse.again".into(),
        name: "試験 看子".into(),
        profession: Profession::Nurse,
        mail: Some("nurse.n@example.invalid".into()),
        forwarding_mail: None,
    };
    care.office.post("/v1/staff", &again).await.done();
    let page: PostPage = care.doctor.1.get(&posts).await.ok();
    assert_eq!(page.posts[0].author_name, "試験 nurse.n");
    assert_eq!(page.posts[0].facility_name, "架空訪問看護");
}

async fn another_towns_facility_is_not_there(host: Host) {
    let (ours, theirs) = (host.town("one").await, host.town("two").await);
    let (our_office, their_office) = (ours.office().await, theirs.office().await);
    let mine = ours.facility(&our_office, "架空訪問看護").await;
    let clinic = ours.facility(&our_office, "架空診療所").await;
    let on_file = record(&our_office, mine.id).await;
    let waits = FacilityChange { name: "架空看護".into(), ..change(&on_file) };
    mine.manager.post(&format!("/v1/facilities/{}/changes", mine.id), &waits).await.done();
    let map = MapListing { listed: true, position: None };
    let mail = TicketMailAgain { id: NoticeId::new(), mail: None };
    let closing = FacilityClosing { id: FacilityChangeId::new(), reason: "x".into() };
    for id in [mine.id, FacilityId::new()] {
        let path = format!("/v1/facilities/{id}");
        their_office.get(&path).await.refused(Code::NotFound);
        their_office.get(&format!("{path}/scan")).await.refused(Code::NotFound);
        let change = FacilityChange { id: FacilityChangeId::new(), ..change(&on_file) };
        for (what, body) in [
            ("approval", json!(null)),
            ("return", json!({ "id": NoticeId::new(), "reason": "x" })),
            ("rejection", json!({})),
            ("suspension", json!(why("x"))),
            ("resumption", json!(null)),
            ("closure", json!(closing)),
            ("changes", json!(change)),
            ("manager", json!(to(StaffId::new()))),
            ("ticket-mail", json!(mail)),
            ("no-mail-settlement", json!(null)),
            ("tickets", json!(NewTicket::another())),
        ] {
            their_office.post(&format!("{path}/{what}"), &body).await.refused(Code::NotFound);
        }
        their_office.put(&format!("{path}/map"), &map).await.refused(Code::NotFound);
        // So is a neighbour's to a manager.
        clinic.manager.get(&path).await.refused(Code::NotFound);
        clinic.manager.post(&format!("{path}/changes"), &change).await.refused(Code::NotFound);
        clinic.manager.post(&format!("{path}/closure"), &closing).await.refused(Code::NotFound);
        clinic.manager.post(&format!("{path}/manager"), &to(StaffId::new())).await.refused(Code::NotFound);
        clinic.manager.put(&format!("{path}/map"), &map).await.refused(Code::NotFound);
    }
    for id in [waits.id, FacilityChangeId::new()] {
        let path = format!("/v1/facility-changes/{id}");
        their_office.post(&format!("{path}/confirmation"), &()).await.refused(Code::NotFound);
        their_office.post(&format!("{path}/refusal"), &why("x")).await.refused(Code::NotFound);
    }
    let after = record(&our_office, mine.id).await;
    assert_eq!((after.stage, after.past.len()), (FacilityStage::Changing, 0));
}
