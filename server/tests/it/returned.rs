//! Returned applications whose mail does not reach the applicant: told, sent again, or corrected by the office.

use crate::both;
use crate::facility_pages::{form, form_with, open};
use crate::town::*;
use renraku_wire::*;
use std::time::Duration;

both!(
    a_return_that_did_not_arrive_is_sent_again,
    the_office_enters_a_correction_on_paper,
    the_pages_do_it_too,
);

async fn applied(town: &Town<'_>, name: &str, mail: &str) -> FacilityApplication {
    let new = FacilityApplication { manager_mail: mail.into(), ..application(name) };
    town.public().post(&town.path("/facility-applications"), &new).await.done();
    new
}

async fn record(who: &Client, id: FacilityId) -> FacilityRecord {
    who.get(&format!("/v1/facilities/{id}")).await.ok()
}

fn back(reason: &str, mail: Option<&str>, replaces: Option<NoticeId>) -> FacilityReturn {
    FacilityReturn { id: NoticeId::new(), reason: reason.into(), mail: mail.map(Into::into), replaces }
}

/// What the office has to do about this application.
async fn tasks(office: &Client, id: FacilityId) -> Vec<String> {
    let all: Tasks = office.get("/v1/tasks").await.ok();
    let path = format!("/facilities/{id}");
    all.tasks.into_iter().filter(|t| t.path == path).map(|t| t.text).collect()
}

async fn until_dead(office: &Client, id: FacilityId) -> ReturnMailStatus {
    for _ in 0..200 {
        let mail = record(office, id).await.file.unwrap().return_mail.unwrap();
        if mail.state == DeliveryState::Dead {
            return mail;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the mail is not dead");
}

async fn a_return_that_did_not_arrive_is_sent_again(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let new = applied(&town, "架空診療所", "refused@example.invalid").await;
    let path = format!("/v1/facilities/{}/return", new.id);
    office.post(&path, &back("番地", None, None)).await.done();
    let mail = until_dead(&office, new.id).await;
    assert_eq!(mail.address, "refused@example.invalid");
    assert!(mail.reason.as_ref().unwrap().contains("550"));
    assert_eq!(
        tasks(&office, new.id).await,
        ["架空診療所の差し戻した申請に対応する（申請者にメールが届きません）"]
    );
    let bad = office.post(&path, &back("番地", Some("no address"), None)).await.refused(Code::FieldInvalid);
    assert_eq!(bad.field.as_deref(), Some("mail"));
    // Again, to the right address: pressed three times at once it is one mail.
    let again = back("番地を確認してください", Some("right@example.invalid"), Some(mail.id));
    // A colleague whose page is older is not the faster one.
    office.post(&path, &back("電話番号", None, None)).await.refused(Code::StateConflict);
    let tries = (0..3).map(|_| {
        let (office, path, again) = (office.clone(), path.clone(), again.clone());
        async move { office.post(&path, &again).await.status }
    });
    assert_eq!(futures_util::future::join_all(tries).await, [204; 3]);
    let first = host.mails.nth("right@example.invalid", 0).await.after("/one/corrections/");
    assert!(tasks(&office, new.id).await.is_empty());
    let on_file = record(&office, new.id).await;
    assert_eq!(
        (on_file.stage, on_file.manager_mail.as_str()),
        (FacilityStage::Returned, "right@example.invalid")
    );
    assert_eq!((on_file.past.len(), on_file.past[0].manager_mail.as_str()), (1, "refused@example.invalid"));
    let file = on_file.file.unwrap();
    assert_eq!(file.reason.as_deref(), Some("番地を確認してください"));
    let sent = file.return_mail.unwrap();
    assert_eq!(sent.address, "right@example.invalid");
    // Once more: the link before is worth nothing from then on.
    office.post(&path, &back("番地と電話番号", None, Some(mail.id))).await.refused(Code::StateConflict);
    office.post(&path, &back("番地と電話番号", None, Some(sent.id))).await.done();
    let second = host.mails.nth("right@example.invalid", 1).await.after("/one/corrections/");
    assert_eq!(host.mails.to("right@example.invalid").len(), 2, "sent three times, mailed once");
    let link = |token: &str| town.path(&format!("/corrections/{token}"));
    town.public().get(&link(&first)).await.refused(Code::LinkInvalid);
    let shown: ReturnedApplication = town.public().get(&link(&second)).await.ok();
    let works = record(&office, new.id).await.file.unwrap().return_mail.unwrap().id;
    assert_eq!(shown.reason, "番地と電話番号");
    let corrected = FacilityApplication { address: "架空町9".into(), ..shown.application };
    town.public().post(&link(&second), &corrected).await.done();
    assert!(record(&office, new.id).await.file.unwrap().return_mail.is_none());
    // The applicant was faster than the page that still showed the link.
    let late = back("まだ", Some("old@example.invalid"), Some(works));
    office.post(&path, &late).await.refused(Code::StateConflict);
    assert_eq!(record(&office, new.id).await.manager_mail, "right@example.invalid");
    // A letter's id is one application's; a manager has nothing to say here; what is decided stays.
    let other = town.facility(&office, "架空薬局").await;
    office.post(&format!("/v1/facilities/{}/return", other.id), &again).await.refused(Code::IdConflict);
    other.manager.post(&path, &back("x", None, None)).await.refused(Code::RoleInsufficient);
    office.post(&format!("/v1/facilities/{}/approval", new.id), &()).await.done();
    office.post(&path, &back("x", None, None)).await.refused(Code::StateConflict);
}

async fn the_office_enters_a_correction_on_paper(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let new = applied(&town, "架空診療所", "aaa@example.invalid").await;
    office.post(&format!("/v1/facilities/{}/return", new.id), &back("番地", None, None)).await.done();
    let works = record(&office, new.id).await.file.unwrap().return_mail.unwrap().id;
    let token = host.mails.nth("aaa@example.invalid", 0).await.after("/one/corrections/");
    let scan = consent_document(&office).await;
    let corrected = FacilityApplication {
        address: "架空町9-9-9".into(),
        manager_mail: "bbb@example.invalid".into(),
        ..application("架空診療所")
    };
    let paper = PaperApplication {
        application: corrected,
        channel: IntakeChannel::Fax,
        received_on: "2026-01-05".into(),
        scan,
        corrects: Some(new.id),
        replaces: Some(works),
    };
    let older = PaperApplication { replaces: None, ..paper.clone() };
    let older = PaperApplication { application: application("架空診療所"), ..older };
    office.post("/v1/facility-applications", &older).await.refused(Code::StateConflict);
    let unknown = PaperApplication { corrects: Some(FacilityId::new()), ..paper.clone() };
    office.post("/v1/facility-applications", &unknown).await.refused(Code::NotFound);
    let tries = (0..4).map(|_| {
        let (office, paper) = (office.clone(), paper.clone());
        async move { office.post("/v1/facility-applications", &paper).await.ok::<FacilityApplied>().id }
    });
    assert_eq!(futures_util::future::join_all(tries).await, [new.id; 4]);
    let all: Vec<renraku_wire::Facility> = office.get("/v1/facilities").await.ok();
    assert_eq!(all.iter().filter(|f| f.name == "架空診療所").count(), 1, "no second application");
    let on_file = record(&office, new.id).await;
    assert_eq!((on_file.stage, on_file.facility.address.as_str()), (FacilityStage::Applied, "架空町9-9-9"));
    assert_eq!((on_file.past.len(), on_file.past[0].address.as_str()), (1, new.address.as_str()));
    let file = on_file.file.unwrap();
    assert_eq!((file.channel, file.received_on.as_deref()), (IntakeChannel::Fax, Some("2026-01-05")));
    assert_eq!((file.received_by.as_deref(), file.scan), (Some("事務 一郎"), true));
    assert_eq!(tasks(&office, new.id).await, ["架空診療所の訂正された申請を確認する"]);
    // The link of the mail is over, also for whoever finds it now.
    let link = town.path(&format!("/corrections/{token}"));
    town.public().get(&link).await.refused(Code::LinkInvalid);
    town.public().post(&link, &new).await.refused(Code::LinkInvalid);
    // What the office mistyped it corrects before it decides, and not after.
    let typo = FacilityApplication { telephone: "0000-99-9999".into(), ..application("架空診療所") };
    let typo = PaperApplication { application: typo, replaces: None, ..paper.clone() };
    office.post("/v1/facility-applications", &typo).await.done();
    assert_eq!(record(&office, new.id).await.facility.telephone, "0000-99-9999");
    office.post(&format!("/v1/facilities/{}/approval", new.id), &()).await.done();
    host.mails.nth("kanri@example.invalid", 0).await;
    let late = FacilityApplication { telephone: "0000-88-8888".into(), ..application("架空診療所") };
    let late = PaperApplication { application: late, replaces: None, ..paper };
    office.post("/v1/facility-applications", &late).await.refused(Code::StateConflict);
}

async fn the_pages_do_it_too(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let new = applied(&town, "架空診療所", "refused@example.invalid").await;
    let page = format!("/facilities/{}", new.id);
    form(&office, &format!("{page}/return"), &[("reason", "番地")]).await.shows(200, &["訂正待ち"]);
    until_dead(&office, new.id).await;
    let shown = open(&office, &page).await;
    let shown =
        shown.shows(200, &["id=\"unreached\"", "申請者にメールが届きません", "550", "番地</textarea>"]);
    let id = shown.value("id");
    let bad = [("id", id.as_str()), ("reason", "番地と<電話>"), ("return_mail", "no address")];
    // What was typed is still there.
    let words = ["return_mail-error", "no address", "番地と&#60;電話&#62;</textarea>"];
    form(&office, &format!("{page}/return"), &bad).await.shows(422, &words);
    let seen = shown.value("replaces");
    let right = [
        ("id", id.as_str()),
        ("replaces", seen.as_str()),
        ("reason", "番地"),
        ("return_mail", "right@example.invalid"),
    ];
    let sent = form(&office, &format!("{page}/return"), &right).await;
    let sent = sent.shows(200, &["申請を差し戻し", "right@example.invalid", "訂正の期限"]);
    assert!(!sent.text.contains("id=\"unreached\""));
    host.mails.nth("right@example.invalid", 0).await;
    // Its answer comes by FAX.
    let way = format!("/facilities/new?corrects={}", new.id);
    assert!(sent.text.contains(&way));
    let paper = open(&office, &way).await.shows(200, &["届いた訂正を登録する", &format!("href=\"{page}\"")]);
    assert_eq!((paper.value("name"), paper.value("corrects")), (new.name.clone(), new.id.to_string()));
    assert_eq!(paper.value("manager_mail"), "right@example.invalid");
    let (id, corrects, replaces) = (paper.value("id"), paper.value("corrects"), paper.value("replaces"));
    assert_ne!(id, corrects);
    let mut fields = vec![
        ("id", id.as_str()),
        ("corrects", corrects.as_str()),
        ("replaces", replaces.as_str()),
        ("name", "架空診療所"),
        ("kind", "clinic"),
        ("place", "inside"),
        ("address", ""),
        ("telephone", "0000-12-3456"),
        ("manager_name", "管理 二郎"),
        ("manager_mail", "right@example.invalid"),
        ("channel", "fax"),
        ("received_on", "2026-01-05"),
    ];
    let kept = form_with(&office, "/facilities/new", &fields, PDF).await;
    let kept = kept.shows(422, &["address-error", "届いた訂正を登録する"]);
    let uploaded = kept.value("uploaded");
    fields[6].1 = "架空町8-8";
    fields.push(("uploaded", &uploaded));
    let done = form_with(&office, "/facilities/new", &fields, b"").await;
    let done = done.shows(200, &["訂正を登録しました", "架空町8-8", "FAX", "id=\"approve\""]);
    assert_eq!(done.at, page);
    form_with(&office, "/facilities/new", &fields, b"").await.shows(200, &["訂正を登録しました"]);
    assert_eq!(record(&office, new.id).await.past.len(), 2, "the address, and the correction once");
    // What is decided, not there, or no id has no such form.
    form(&office, &format!("{page}/approval"), &[]).await.shows(200, &["first-password"]);
    open(&office, &way).await.shows(409, &["state_conflict"]);
    open(&office, "/facilities/new?corrects=nonsense").await.shows(404, &["not_found"]);
}
