//! Facilities from application to approval: correction, paper, outside, trial, and the mail that did not come.

use crate::both;
use crate::town::*;
use renraku_server::policy::MunicipalityPolicy;
use renraku_wire::*;
use serde_json::json;
use std::time::Duration;

both!(
    a_returned_application_is_corrected_by_its_link,
    of_two_decisions_at_once_one_counts,
    a_rejection_is_told_by_mail,
    an_application_on_paper_is_taken_in_and_approved,
    a_trial_closes_the_public_form_only,
    a_facility_outside_is_the_towns_policy,
    the_approval_mail_holds_a_no_that_works,
    a_mail_that_did_not_come_is_sent_again,
    a_report_tells_a_stranger_nothing,
    a_report_before_or_after_the_decision_can_be_settled,
);

fn address(of: &FacilityApplication, mail: &str) -> FacilityApplication {
    FacilityApplication { manager_mail: mail.into(), ..of.clone() }
}

async fn applied(town: &Town<'_>, application: &FacilityApplication) -> FacilityId {
    let path = town.path("/facility-applications");
    let applied: FacilityApplied = town.public().post(&path, application).await.ok();
    applied.id
}

async fn record(who: &Client, id: FacilityId) -> FacilityRecord {
    who.get(&format!("/v1/facilities/{id}")).await.ok()
}

fn why(reason: &str) -> FacilityReturn {
    FacilityReturn { id: NoticeId::new(), reason: reason.into(), mail: None, replaces: None }
}

async fn a_returned_application_is_corrected_by_its_link(host: Host) {
    let town = host.town("one").await;
    let other = host.town("two").await;
    let office = town.office().await;
    let first = address(&application("架空診療所"), "aaa@example.invalid");
    let id = applied(&town, &first).await;
    let path = format!("/v1/facilities/{id}");
    office.post(&format!("{path}/return"), &why(" ")).await.refused(Code::FieldInvalid);
    assert_eq!(record(&office, id).await.stage, FacilityStage::Applied);
    let back = why("所在地の番地を確認してください");
    office.post(&format!("{path}/return"), &back).await.done();
    office.post(&format!("{path}/return"), &back).await.done();
    office.post(&format!("{path}/approval"), &()).await.refused(Code::StateConflict);
    let mail = host.mails.nth("aaa@example.invalid", 0).await;
    assert!(!mail.body.contains("番地") && !mail.body.contains("架空診療所"), "{}", mail.body);
    let token = mail.after("/one/corrections/");
    assert!(mail.body.contains(&format!("{}/one/corrections/", host.server.app.public_url)));
    let link = town.path(&format!("/corrections/{token}"));
    let public = town.public();
    let shown: ReturnedApplication = public.get(&link).await.ok();
    assert_eq!((&shown.application, shown.reason.as_str()), (&first, "所在地の番地を確認してください"));
    // Unknown, another town's and malformed links answer alike.
    let unknown = public.get(&town.path("/corrections/abcdefgh")).await.refused(Code::LinkInvalid);
    let foreign = public.get(&other.path(&format!("/corrections/{token}"))).await.refused(Code::LinkInvalid);
    assert_eq!(unknown, foreign);
    let bad = FacilityApplication { telephone: String::new(), ..first.clone() };
    public.post(&link, &bad).await.refused(Code::FieldInvalid);
    let corrected = FacilityApplication { address: "架空町9-9-9".into(), ..first.clone() };
    let tries = (0..4).map(|_| {
        let (public, link, corrected) = (town.public(), link.clone(), corrected.clone());
        async move { public.post(&link, &corrected).await.status }
    });
    let statuses = futures_util::future::join_all(tries).await;
    assert_eq!(statuses, [200; 4], "the same correction is one correction");
    let differs = FacilityApplication { address: "別の町1".into(), ..first.clone() };
    public.post(&link, &differs).await.refused(Code::LinkInvalid);
    public.get(&link).await.refused(Code::LinkInvalid);
    let on_file = record(&office, id).await;
    assert_eq!((on_file.stage, on_file.facility.address.as_str()), (FacilityStage::Applied, "架空町9-9-9"));
    assert_eq!(on_file.past.len(), 1);
    assert_eq!(on_file.past[0].address, first.address);
    // Back once more: the second link is another one, and ends with the rejection.
    office.post(&format!("{path}/return"), &why("電話番号")).await.done();
    let second = host.mails.nth("aaa@example.invalid", 1).await.after("/one/corrections/");
    assert_ne!(second, token);
    office.post(&format!("{path}/rejection"), &json!({})).await.done();
    let link = town.path(&format!("/corrections/{second}"));
    public.post(&link, &corrected).await.refused(Code::LinkInvalid);
    assert_eq!(record(&office, id).await.stage, FacilityStage::Rejected);
}

async fn of_two_decisions_at_once_one_counts(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let id = applied(&town, &address(&application("架空薬局"), "two@example.invalid")).await;
    let path = format!("/v1/facilities/{id}");
    let (approve, back, reject) =
        (format!("{path}/approval"), format!("{path}/return"), format!("{path}/rejection"));
    let (reason, none) = (why("確認"), json!({}));
    let (a, b, c, d) = tokio::join!(
        office.post(&approve, &()),
        office.post(&back, &reason),
        office.post(&reject, &none),
        office.post(&approve, &()),
    );
    let won = [&a, &b, &c, &d].iter().filter(|answer| answer.status < 300).count();
    // A return may come first, and a rejection after it.
    let state = record(&office, id).await.stage;
    assert!(won == 1 || (won == 2 && state == FacilityStage::Rejected), "{won} {state:?}");
    for answer in [a, b, c, d] {
        assert!(answer.status < 300 || answer.status == 409, "{answer:?}");
    }
    host.mails.nth("two@example.invalid", 0).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    // The return's mail is taken back if it did not leave before the rejection.
    let mails = host.mails.to("two@example.invalid").len();
    assert!((1..=won).contains(&mails), "{mails} of {won}");
}

async fn a_rejection_is_told_by_mail(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let id = applied(&town, &address(&application("架空事業所"), "no@example.invalid")).await;
    let rejection = FacilityRejection { reason: Some("対象ではないため".into()) };
    office.post(&format!("/v1/facilities/{id}/rejection"), &rejection).await.done();
    office.post(&format!("/v1/facilities/{id}/rejection"), &rejection).await.refused(Code::StateConflict);
    let mail = host.mails.nth("no@example.invalid", 0).await;
    assert!(mail.body.contains("登録できませんでした") && !mail.body.contains("対象ではない"));
    let file = record(&office, id).await.file.unwrap();
    assert_eq!(file.reason.as_deref(), Some("対象ではないため"));
}

fn paper(scan: MediaId) -> PaperApplication {
    PaperApplication {
        application: address(&application("架空紙の診療所"), "paper@example.invalid"),
        channel: IntakeChannel::Fax,
        received_on: "2026-01-05".into(),
        scan,
        corrects: None,
        replaces: None,
    }
}

async fn an_application_on_paper_is_taken_in_and_approved(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let scan = consent_document(&office).await;
    let given = paper(scan);
    let bad = async |what: PaperApplication| {
        office.post("/v1/facility-applications", &what).await.refused(Code::FieldInvalid).field
    };
    let portal = PaperApplication { channel: IntakeChannel::Portal, ..given.clone() };
    assert_eq!(bad(portal).await.as_deref(), Some("channel"));
    let ahead = PaperApplication { received_on: "2999-01-01".into(), ..given.clone() };
    assert_eq!(bad(ahead).await.as_deref(), Some("received_on"));
    assert_eq!(bad(paper(MediaId::new())).await.as_deref(), Some("scan"));
    let tries = (0..4).map(|_| {
        let (office, given) = (office.clone(), given.clone());
        async move { office.post("/v1/facility-applications", &given).await.status }
    });
    assert_eq!(futures_util::future::join_all(tries).await, [201; 4]);
    let id = given.application.id;
    let other = FacilityApplication { id, ..application("別の診療所") };
    let differs = PaperApplication { application: other, ..given.clone() };
    office.post("/v1/facility-applications", &differs).await.refused(Code::IdConflict);
    let all: Vec<renraku_wire::Facility> = office.get("/v1/facilities").await.ok();
    assert_eq!(all.iter().filter(|f| f.name == "架空紙の診療所").count(), 1);
    let file = record(&office, id).await.file.unwrap();
    assert_eq!((file.channel, file.received_on.as_deref()), (IntakeChannel::Fax, Some("2026-01-05")));
    assert_eq!((file.received_by.as_deref(), file.scan), (Some("事務 一郎"), true));
    let bytes = office.get(&format!("/v1/facilities/{id}/scan")).await.done().body;
    assert_eq!(bytes, PDF);
    // It is the office's alone.
    let nursing = town.facility(&office, "架空訪問看護").await;
    nursing.manager.get(&format!("/v1/facilities/{id}/scan")).await.refused(Code::RoleInsufficient);
    nursing.manager.post("/v1/facility-applications", &given).await.refused(Code::RoleInsufficient);
    office.get(&format!("/v1/facilities/{}/scan", nursing.id)).await.refused(Code::NotFound);
    office.get(&format!("/v1/media/{scan}")).await.refused(Code::NotFound);
    let approved: FacilityApproved = office.post(&format!("/v1/facilities/{id}/approval"), &()).await.ok();
    assert!(approved.login_id.starts_with('k'));
    assert_eq!(record(&office, id).await.stage, FacilityStage::Approved);
    host.mails.nth("paper@example.invalid", 0).await;
}

async fn a_trial_closes_the_public_form_only(host: Host) {
    let policy = MunicipalityPolicy { trial_mode: true, ..MunicipalityPolicy::default() };
    let town = host.town_with("one", policy).await;
    let office = town.office().await;
    let path = town.path("/facility-applications");
    let new = application("架空診療所");
    town.public().post(&path, &new).await.refused(Code::TrialClosed);
    let all: Vec<renraku_wire::Facility> = office.get("/v1/facilities").await.ok();
    assert_eq!(all.len(), 1, "nothing but the office itself");
    let given = paper(consent_document(&office).await);
    office.post("/v1/facility-applications", &given).await.done();
    // What the office sends back may be corrected.
    let id = given.application.id;
    office.post(&format!("/v1/facilities/{id}/return"), &why("確認")).await.done();
    let token = host.mails.nth("paper@example.invalid", 0).await.after("/one/corrections/");
    town.public().post(&town.path(&format!("/corrections/{token}")), &given.application).await.done();
    office.post(&format!("/v1/facilities/{id}/approval"), &()).await.done();
}

async fn a_facility_outside_is_the_towns_policy(host: Host) {
    let closed = MunicipalityPolicy { outside_facility: false, ..MunicipalityPolicy::default() };
    let (town, open) = (host.town_with("one", closed).await, host.town("two").await);
    let office = town.office().await;
    let outside = FacilityApplication { outside: true, ..application("となり町診療所") };
    town.public().post(&town.path("/facility-applications"), &outside).await.refused(Code::FacilityOutside);
    let given = paper(consent_document(&office).await);
    let given = PaperApplication { application: outside.clone(), ..given };
    office.post("/v1/facility-applications", &given).await.refused(Code::FacilityOutside);
    let all: Vec<renraku_wire::Facility> = office.get("/v1/facilities").await.ok();
    assert_eq!(all.len(), 1);
    let id = applied(&open, &outside).await;
    assert!(record(&open.office().await, id).await.outside);
}

async fn the_approval_mail_holds_a_no_that_works(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let id = applied(&town, &address(&application("架空診療所"), "no1@example.invalid")).await;
    let approved: FacilityApproved = office.post(&format!("/v1/facilities/{id}/approval"), &()).await.ok();
    let mail = host.mails.nth("no1@example.invalid", 0).await;
    let (number, password) = (mail.after("証明書取得用No: "), mail.after("パスワード: "));
    assert_eq!(record(&office, id).await.stage, FacilityStage::Approved);
    let mut manager = town.care(town.enrol(&number, &password).await);
    assert_eq!(record(&office, id).await.stage, FacilityStage::Equipped);
    manager.first_sign_in(&approved.login_id, &approved.first_password).await;
    let seen = record(&office, id).await;
    assert_eq!(seen.stage, FacilityStage::Operating);
    let status = seen.file.unwrap().ticket_mail.unwrap();
    assert_eq!((status.state, status.used), (DeliveryState::Sent, true));
    assert!(record(&manager, id).await.file.is_none(), "what is the office's own");
}

async fn dead(office: &Client, id: FacilityId) -> TicketMailStatus {
    for _ in 0..200 {
        let status = record(office, id).await.file.unwrap().ticket_mail.unwrap();
        if status.state == DeliveryState::Dead {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the mail is not dead");
}

async fn a_mail_that_did_not_come_is_sent_again(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let id = applied(&town, &address(&application("架空診療所"), "refused@example.invalid")).await;
    let path = format!("/v1/facilities/{id}");
    let again = |mail: Option<&str>| TicketMailAgain { id: NoticeId::new(), mail: mail.map(str::to_owned) };
    office.post(&format!("{path}/ticket-mail"), &again(None)).await.refused(Code::StateConflict);
    office.post(&format!("{path}/approval"), &()).await.done();
    let status = dead(&office, id).await;
    assert!(status.reason.unwrap().contains("550"));
    let bad = again(Some("no address"));
    office.post(&format!("{path}/ticket-mail"), &bad).await.refused(Code::FieldInvalid);
    let first = again(Some("right@example.invalid"));
    let tries = (0..3).map(|_| {
        let (office, path, first) = (office.clone(), format!("{path}/ticket-mail"), first.clone());
        async move { office.post(&path, &first).await.status }
    });
    assert_eq!(futures_util::future::join_all(tries).await, [204; 3]);
    let mail = host.mails.nth("right@example.invalid", 0).await;
    let old = (mail.after("証明書取得用No: "), mail.after("パスワード: "));
    let on_file = record(&office, id).await;
    assert_eq!(on_file.manager_mail, "right@example.invalid");
    assert_eq!(on_file.past[0].manager_mail, "refused@example.invalid");
    office.post(&format!("{path}/ticket-mail"), &again(None)).await.done();
    let mail = host.mails.nth("right@example.invalid", 1).await;
    let new = (mail.after("証明書取得用No: "), mail.after("パスワード: "));
    assert_eq!(host.mails.to("right@example.invalid").len(), 2, "sent twice, mailed once");
    let request = Town::certificate_request(&old.0, &old.1, &csr().1);
    town.public().post(&town.path("/certificates"), &request).await.refused(Code::TicketExpired);
    town.enrol(&new.0, &new.1).await;
    // A letter's id is one facility's, and no other notice's.
    let other = town.facility(&office, "架空薬局").await;
    let path = format!("/v1/facilities/{}/ticket-mail", other.id);
    office.post(&path, &first).await.refused(Code::IdConflict);
    other.manager.post(&path, &again(None)).await.refused(Code::RoleInsufficient);
}

async fn a_report_tells_a_stranger_nothing(host: Host) {
    let (town, other) = (host.town("one").await, host.town("two").await);
    let office = town.office().await;
    let id = applied(&town, &address(&application("架空診療所"), "Known@example.invalid")).await;
    office.post(&format!("/v1/facilities/{id}/approval"), &()).await.done();
    let public = town.public();
    let path = town.path("/no-mail-reports");
    let report = |name: &str, mail: &str| NoMailReport { name: name.into(), manager_mail: mail.into() };
    let known = report("架空診療所", "known@example.invalid");
    let tries = (0..4).map(|_| {
        let (public, path, known) = (public.clone(), path.clone(), known.clone());
        async move { public.post(&path, &known).await }
    });
    for answer in futures_util::future::join_all(tries).await {
        assert_eq!((answer.status, answer.body.as_slice()), (202, b"".as_slice()));
    }
    for unknown in [
        report("架空診療所", "other@example.invalid"),
        report("ない診療所", "known@example.invalid"),
        report("事務局", "office@town.invalid"),
    ] {
        let answer = public.post(&path, &unknown).await;
        assert_eq!((answer.status, answer.body.as_slice()), (202, b"".as_slice()));
    }
    // Those that are no facility's reach the office too.
    let tasks: Tasks = office.get("/v1/tasks").await.ok();
    assert!(tasks.tasks.iter().any(|t| t.text.contains("という連絡3件に対応する")), "{tasks:?}");
    let elsewhere = public.post(&other.path("/no-mail-reports"), &known).await;
    assert_eq!(elsewhere.status, 202);
    public.post(&path, &report("", "known@example.invalid")).await.refused(Code::FieldInvalid);
    let path = format!("/v1/facilities/{id}");
    let first = record(&office, id).await.file.unwrap().no_mail_since.unwrap();
    office.post(&format!("{path}/no-mail-settlement"), &()).await.done();
    office.post(&format!("{path}/no-mail-settlement"), &()).await.refused(Code::StateConflict);
    assert!(record(&office, id).await.file.unwrap().no_mail_since.is_none());
    // Reported again, it waits again; a new mail settles it.
    public.post(&town.path("/no-mail-reports"), &known).await.done();
    assert!(record(&office, id).await.file.unwrap().no_mail_since.unwrap() > first);
    let again = TicketMailAgain { id: NoticeId::new(), mail: None };
    office.post(&format!("{path}/ticket-mail"), &again).await.done();
    assert!(record(&office, id).await.file.unwrap().no_mail_since.is_none());
}

async fn a_report_before_or_after_the_decision_can_be_settled(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let mail = "twice@example.invalid";
    let first = applied(&town, &address(&application("架空診療所"), mail)).await;
    let report = async || {
        let told = NoMailReport { name: "架空診療所".into(), manager_mail: mail.into() };
        town.public().post(&town.path("/no-mail-reports"), &told).await.done();
    };
    let since = async |id| record(&office, id).await.file.unwrap().no_mail_since;
    let waiting = async || {
        let tasks = office.get("/v1/tasks").await.ok::<Tasks>().tasks;
        tasks.into_iter().filter(|t| t.text.contains("メールが届かない）に対応する")).count()
    };
    // Nothing is decided yet: the page shows the report, and settles it.
    report().await;
    assert!(since(first).await.is_some());
    assert_eq!(waiting().await, 1);
    let path = format!("/facilities/{first}");
    let page = String::from_utf8(office.get(&path).await.done().body).unwrap();
    assert!(page.contains("id=\"no-mail\"") && page.contains("id=\"settle\""), "{page}");
    office.form(&format!("{path}/no-mail-settlement"), &[]).await;
    assert_eq!((since(first).await, waiting().await), (None, 0));
    // Of two applications, the approved one has it, though the other came later and was rejected.
    report().await;
    office.post(&format!("/v1{path}/approval"), &()).await.done();
    office.post(&format!("/v1{path}/no-mail-settlement"), &()).await.done();
    let second = applied(&town, &address(&application("架空診療所"), mail)).await;
    office.post(&format!("/v1/facilities/{second}/rejection"), &json!({})).await.done();
    report().await;
    assert!(since(first).await.is_some() && since(second).await.is_none());
    // A rejection settles what was reported of it.
    let other = applied(&town, &address(&application("架空薬局"), mail)).await;
    let told = NoMailReport { name: "架空薬局".into(), manager_mail: mail.into() };
    town.public().post(&town.path("/no-mail-reports"), &told).await.done();
    assert_eq!(waiting().await, 2);
    office.post(&format!("/v1/facilities/{other}/rejection"), &json!({})).await.done();
    assert_eq!((since(other).await, waiting().await), (None, 1));
    // And one that comes after it is shown like any other.
    town.public().post(&town.path("/no-mail-reports"), &told).await.done();
    let page = office.get(&format!("/facilities/{other}")).await.done().body;
    assert!(String::from_utf8(page).unwrap().contains("id=\"settle\""));
    office.form(&format!("/facilities/{other}/no-mail-settlement"), &[]).await;
    assert_eq!(waiting().await, 1);
}
