//! Login diagnosis (F62): each cause has its code, the office can look it up, and a stranger learns nothing.

use crate::both;
use crate::devices::{form, page, text_of};
use crate::town::*;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{enrolment_ticket, facility, notice, sign_in_tally, staff, ticket_letter};
use renraku_server::{clock, run};
use renraku_wire::*;

both!(
    a_locked_or_suspended_account_is_told_on_its_own_facilitys_device_only,
    a_mail_that_is_held_up_is_told_from_one_that_was_sent,
    a_suspended_facility_is_told,
    the_page_says_one_thing_to_do_and_the_time,
    the_office_looks_a_code_up,
    the_office_sees_each_facilitys_own_mail,
);

fn account(login_id: &str) -> DiagnosisQuestion {
    DiagnosisQuestion { login_id: Some(login_id.into()), mail_missing: false }
}

async fn ask(town: &Town<'_>, identity: Option<Identity>, question: &DiagnosisQuestion) -> Diagnosis {
    let told: Diagnosis = town.public_as(identity).post(&town.path("/diagnosis"), question).await.ok();
    assert!((told.server_time.0 - clock::now()).abs() < 60_000);
    assert_eq!(told.ok, told.short == "R-100");
    told
}

/// What is told but for the time.
fn words(told: Diagnosis) -> (bool, Option<Code>, String, String) {
    (told.ok, told.code, told.sentence, told.short)
}

async fn a_locked_or_suspended_account_is_told_on_its_own_facilitys_device_only(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let (_, _) = town.member(&nursing, "nurse.m", Profession::Nurse).await;
    let clinic = town.facility(&office, "架空診療所").await;
    let (own, other) = (nursing.manager.identity.clone(), clinic.manager.identity.clone());
    assert_eq!(ask(&town, own.clone(), &account("nurse.n")).await.short, "R-100");
    let wrong = SignIn { id: None, login_id: "nurse.n".into(), password: "wrong-password-1".into() };
    for _ in 0..6 {
        nurse.post("/v1/session", &wrong).await;
    }
    set_state(&host, "nurse.m", "suspended").await;
    let locked = ask(&town, nurse.identity.clone(), &account(" Nurse.N ")).await;
    assert_eq!((locked.short.as_str(), locked.code), ("R-121", Some(Code::AccountLocked)));
    assert!(locked.sentence.contains("15分待つか"), "{}", locked.sentence);
    let db = &host.server.app.db;
    db.write(async |c| {
        let sooner = sign_in_tally::locked_until.eq(sign_in_tally::locked_until - 480_000_i64);
        run!(c, execute, diesel::update(sign_in_tally::table).set(sooner))?;
        Ok(())
    })
    .await
    .unwrap();
    let locked = ask(&town, nurse.identity.clone(), &account("ｎｕｒｓｅ．Ｎ")).await;
    assert!(
        locked.short == "R-121" && locked.sentence.contains("ロックしました。7分待つか"),
        "{}",
        locked.sentence
    );
    // The lock is on the device where the passwords were wrong.
    assert_eq!(ask(&town, own.clone(), &account("nurse.n")).await.short, "R-100");
    assert_eq!(ask(&town, own.clone(), &account("nurse.m")).await.short, "R-122");
    // On another facility's device, an account that is there is not told from one that is not.
    let nobody = words(ask(&town, other.clone(), &account("nobody.x")).await);
    assert_eq!(nobody.3, "R-129");
    for id in ["nurse.n", "nurse.m", "jimukyoku", "' OR 1=1 --", "a\u{0}b", "", &"x".repeat(5_000)] {
        assert_eq!(words(ask(&town, other.clone(), &account(id)).await), nobody, "{id}");
    }
    assert_eq!(words(ask(&town, own, &account("nobody.x")).await), nobody);
    // Without a certificate, and with one that is not good, only the certificate is told.
    let without = words(ask(&town, None, &DiagnosisQuestion::default()).await);
    assert_eq!(without.3, "R-101");
    for id in ["nurse.n", "nurse.m", "nobody.x"] {
        assert_eq!(words(ask(&town, None, &account(id)).await), without, "{id}");
    }
    let device = nursing.manager.identity.as_ref().unwrap().device_id.unwrap();
    let revocation = Revocation { reason: "紛失".into(), kind: RevocationKind::Lost };
    office.post(&format!("/v1/devices/{device}/revocation"), &revocation).await.done();
    let revoked = ask(&town, nursing.manager.identity.clone(), &account("nurse.n")).await;
    assert_eq!((revoked.short.as_str(), revoked.code), ("R-105", Some(Code::CertificateRevoked)));
    // A town's device is a stranger in another town.
    let elsewhere = host.town("two").await;
    assert_eq!(ask(&elsewhere, other, &account("jimukyoku")).await.short, "R-102");
    let bad = town.public().post(&town.path("/diagnosis"), &serde_json::json!({"user": "a"})).await;
    bad.refused(Code::RequestMalformed);
}

async fn set_state(host: &Host, login_id: &str, state: &str) {
    host.server
        .app
        .db
        .write(async |c| {
            let this = diesel::update(staff::table.filter(staff::login_id.eq(login_id)));
            run!(c, execute, this.set(staff::state.eq(state)))?;
            Ok(())
        })
        .await
        .unwrap();
}

async fn set_mail(host: &Host, state: &str, created_at: i64) {
    host.server
        .app
        .db
        .write(async |c| {
            let this = diesel::update(notice::table.filter(notice::kind.eq("facility_approved")));
            let far = clock::now() + 86_400_000;
            run!(
                c,
                execute,
                this.set((
                    notice::state.eq(state),
                    notice::created_at.eq(created_at),
                    notice::due_at.eq(far)
                ))
            )?;
            Ok(())
        })
        .await
        .unwrap();
}

async fn set_handled(host: &Host, at: Option<i64>) {
    let db = &host.server.app.db;
    db.write(async |c| {
        run!(c, execute, diesel::update(notice::table).set(notice::handled_at.eq(at)))?;
        Ok(())
    })
    .await
    .unwrap();
}

/// Once nothing waits to be sent, the worker changes no mail any more.
async fn all_left(host: &Host) {
    for _ in 0..200 {
        let queued = notice::table.filter(notice::state.eq("queued")).filter(notice::channel.eq("mail"));
        let db = &host.server.app.db;
        let waiting: i64 = db.read(async |c| Ok(run!(c, get_result, queued.count())?)).await.unwrap();
        if waiting == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("mails still wait");
}

async fn a_mail_that_is_held_up_is_told_from_one_that_was_sent(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let question = DiagnosisQuestion { login_id: None, mail_missing: true };
    assert_eq!(ask(&town, None, &question).await.short, "R-112");
    let id = town.facility(&office, "架空訪問看護").await.id;
    let now = clock::now();
    for (state, created_at, short) in [
        ("sent", now, "R-112"),
        ("queued", now, "R-112"),
        ("queued", now - 11 * 60_000, "R-111"),
        ("dead", now, "R-111"),
        ("dead", now - 20 * 86_400_000, "R-112"),
    ] {
        set_mail(&host, state, created_at).await;
        assert_eq!(ask(&town, None, &question).await.short, short, "{state}");
    }
    // A new letter in the place of the dead one; and one that somebody took in hand.
    set_mail(&host, "dead", now).await;
    let again = TicketMailAgain { id: NoticeId::new(), mail: None };
    office.post(&format!("/v1/facilities/{id}/ticket-mail"), &again).await.done();
    assert_eq!(ask(&town, None, &question).await.short, "R-112", "replaced");
    all_left(&host).await;
    set_mail(&host, "dead", now).await;
    assert_eq!(ask(&town, None, &question).await.short, "R-111");
    set_handled(&host, Some(now)).await;
    assert_eq!(ask(&town, None, &question).await.short, "R-112", "handled");
    set_handled(&host, None).await;
    let (_, html) = form(&town.public(), "/one/diagnosis", &[("mail_missing", "1")]).await;
    assert!(html.contains("R-111") && html.contains("事務局に電話"), "{html}");
    // The office sees whose mail it is.
    let (_, html) = page(&office, "/devices/codes?code=r111&search=%E8%A8%AA%E5%95%8F").await;
    assert!(html.contains("架空訪問看護") && html.contains("送信できませんでした"), "{html}");
    // A device that has its certificate is not asked about mails.
    assert_eq!(ask(&town, office.identity.clone(), &question).await.short, "R-100");
}

async fn a_suspended_facility_is_told(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let id: renraku_server::db::Id = nursing.id.into();
    host.server
        .app
        .db
        .write(async |c| {
            let this = diesel::update(facility::table.filter(facility::id.eq(id)));
            run!(c, execute, this.set(facility::state.eq("suspended")))?;
            Ok(())
        })
        .await
        .unwrap();
    let told = ask(&town, nursing.manager.identity.clone(), &DiagnosisQuestion::default()).await;
    assert_eq!((told.short.as_str(), told.code), ("R-107", Some(Code::FacilitySuspended)));
    nursing.manager.get("/v1/session").await.refused(Code::FacilitySuspended);
}

async fn the_page_says_one_thing_to_do_and_the_time(host: Host) {
    let town = host.town("one").await;
    let (status, html) = page(&town.public(), "/one/diagnosis").await;
    assert_eq!(status, 200);
    assert!(html.contains("<strong>R-101</strong>") && html.contains("to-certificate"), "{html}");
    let shown = text_of(&html, "server-time");
    let today = renraku_server::portal::language::day(clock::now());
    assert!(shown.starts_with(&today) || clock::japan(clock::now()).hour() == 0, "{shown}");
    let office = town.office().await;
    let public = town.public_as(office.identity.clone());
    let (_, html) = page(&public, "/one/diagnosis").await;
    assert!(html.contains("R-100") && html.contains("to-sign-in"), "{html}");
    // The way to a certificate stands where a certificate helps.
    let (_, html) = form(&town.public(), "/one/diagnosis", &[("mail_missing", "1")]).await;
    assert!(html.contains("R-112") && html.contains("to-certificate"), "{html}");
    let (_, html) = form(&public, "/one/diagnosis", &[("login_id", "nobody.x")]).await;
    assert!(html.contains("R-129") && !html.contains("to-certificate"), "{html}");
    let (_, html) = form(&public, "/one/diagnosis", &[("login_id", "<nobody>")]).await;
    assert!(html.contains("R-129") && html.contains("&#60;nobody&#62;"), "{html}");
    assert_eq!(page(&town.public(), "/atlantis/diagnosis").await.0, 404);
}

async fn the_office_looks_a_code_up(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (status, html) = page(&office, "/devices/codes").await;
    assert_eq!(status, 200);
    for finding in renraku_server::device::finding::Finding::ALL {
        assert!(html.contains(finding.short()) && html.contains(finding.cause()));
    }
    let (_, html) = page(&office, "/devices/codes?code=104").await;
    assert!(html.contains("id=\"found\"") && html.contains("時計"), "{html}");
    let (_, html) = page(&office, "/devices/codes?code=R-999%3Cb%3E").await;
    assert!(html.contains("unknown-code") && !html.contains("<b>"), "{html}");
    let devices: Vec<Device> = nursing.manager.get("/v1/devices").await.ok();
    let revocation = Revocation { reason: "電車で紛失".into(), kind: RevocationKind::Lost };
    office.post(&format!("/v1/devices/{}/revocation", devices[0].id), &revocation).await.done();
    let (_, html) = page(&office, &format!("/devices/codes?search={}", devices[0].serial)).await;
    assert!(html.contains("失効済み") && html.contains("電車で紛失"), "{html}");
    let (_, html) = page(&office, "/devices/codes?search=nothing-like-it").await;
    assert!(html.contains("id=\"nothing\""), "{html}");
    // It is the office's page.
    let clinic = town.facility(&office, "架空診療所").await;
    assert_eq!(page(&clinic.manager, "/devices/codes").await.0, 409);
}

/// Two facilities with one address: each shows its own mail, and one whose No is worth nothing is not "sent".
async fn the_office_sees_each_facilitys_own_mail(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let (one, two) = (town.facility(&office, "架空一番").await, town.facility(&office, "架空二番").await);
    let db = &host.server.app.db;
    let number = async |of: FacilityId| -> (renraku_server::db::Id, String) {
        let of = renraku_server::db::Id::from(of);
        db.read(async |c| {
            let letter = ticket_letter::table.filter(ticket_letter::facility_id.eq(of));
            Ok(run!(c, get_result, letter.select((ticket_letter::notice_id, ticket_letter::number)))?)
        })
        .await
        .unwrap()
    };
    let ((_, of_one), (letter, of_two)) = (number(one.id).await, number(two.id).await);
    all_left(&host).await;
    let shown = async |name: &str| page(&office, &format!("/devices/codes?search={name}")).await.1;
    for name in ["架空一番", "架空二番"] {
        let html = shown(name).await;
        assert!(html.contains("送信済み") && !html.contains("使えません"), "{html}");
    }
    // The one's No wears out; the other's mail does not leave.
    for _ in 0..5 {
        let wrong = Town::certificate_request(&of_one, "wrong-wrong", &csr().1);
        town.public().post(&town.path("/certificates"), &wrong).await.refused(Code::TicketInvalid);
    }
    db.write(async |c| {
        let this = diesel::update(notice::table.filter(notice::id.eq(letter)));
        Ok(run!(c, execute, this.set(notice::state.eq("dead")))?)
    })
    .await
    .unwrap();
    let html = shown("架空一番").await;
    assert!(
        html.contains("このNoは使えません。Noを発行し直し") && !html.contains("送信できません"),
        "{html}"
    );
    let html = shown("架空二番").await;
    assert!(html.contains("送信できませんでした") && !html.contains("使えません"), "{html}");
    for (set, says) in [(Some(1_i64), "Noの期限が切れています"), (None, "このNoは使用済みです")]
    {
        db.write(async |c| {
            let this = diesel::update(enrolment_ticket::table.find((town.id, &of_two)));
            match set {
                Some(at) => run!(c, execute, this.set(enrolment_ticket::expires_at.eq(at)))?,
                None => run!(c, execute, this.set(enrolment_ticket::used_at.eq(1_i64)))?,
            };
            Ok(())
        })
        .await
        .unwrap();
        let html = shown("架空二番").await;
        assert!(html.contains(says), "{says}: {html}");
    }
    // However many there are, it asks the database as often.
    let path = "/devices/codes?search=%E6%9E%B6%E7%A9%BA";
    let asked = async || crate::statements::ask(&host, &office, ("GET", path), ("", vec![])).await;
    let before = asked().await;
    assert!(before.body.contains("架空二番") && before.statements.len() > 3, "{before:?}");
    for name in ["架空三番", "架空四番"] {
        town.facility(&office, name).await;
    }
    let after = asked().await;
    assert!(after.body.contains("架空四番"), "{after:?}");
    assert_eq!(after.statements.len(), before.statements.len(), "{:#?}", after.statements);
}
