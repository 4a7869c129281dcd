//! Devices over their life: one more certificate, replacement, renewal, notices of the end, revocation.

use crate::both;
use crate::town::*;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{certificate, notice};
use renraku_server::device::{expiry, renew};
use renraku_server::policy::{ExtraCertificate, MunicipalityPolicy};
use renraku_server::{chores, clock, run};
use renraku_wire::*;
use reqwest::Method;

both!(
    who_gets_one_more_certificate_is_the_towns_policy,
    the_picture_for_a_phone_holds_portal_number_and_password,
    a_replacement_is_a_task_until_the_old_device_is_dead,
    a_device_renews_itself_and_the_old_certificate_dies_with_the_first_use,
    renewals_at_once_and_again_make_one_certificate,
    an_unused_renewal_does_not_end_the_old_certificate,
    the_manager_is_told_four_times_of_an_end,
    of_a_revoked_device_nobody_is_told,
    a_device_shows_its_own_end,
    the_inventory_names_and_renames,
);

const DAY: i64 = 86_400_000;

/// A page as its HTML.
pub async fn page(client: &Client, path: &str) -> (u16, String) {
    let answer = client.get(path).await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

/// A form sent from a page of the same host.
pub async fn form(client: &Client, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let escaped = |text: &str| -> String {
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
            .collect()
    };
    let body: Vec<String> = fields.iter().map(|(n, v)| format!("{}={}", escaped(n), escaped(v))).collect();
    let request = client
        .request(Method::POST, path)
        .header("origin", client.base.clone())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.join("&"));
    let answer = client.send(request).await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

/// The element's text.
pub fn text_of<'t>(html: &'t str, id: &str) -> &'t str {
    let start = html.split(&format!("id=\"{id}\">")).nth(1).unwrap_or_else(|| panic!("{id} in {html}"));
    start.split('<').next().unwrap()
}

async fn notices(host: &Host, kind: &str) -> Vec<String> {
    host.server
        .app
        .db
        .read(async |c| {
            Ok(run!(
                c,
                load,
                notice::table.filter(notice::kind.eq(kind)).order(notice::id).select(notice::target)
            )?)
        })
        .await
        .unwrap()
}

async fn who_gets_one_more_certificate_is_the_towns_policy(host: Host) {
    let policy =
        |extra_certificate| MunicipalityPolicy { extra_certificate, ..MunicipalityPolicy::default() };
    // Any member of staff, and the manager is told.
    let town = host.town_with("aa", policy(ExtraCertificate::SelfService)).await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    assert!(notices(&host, "device_ticket_issued").await.is_empty(), "managers know what they do themselves");
    let ticket: EnrolmentTicket = nurse.post("/v1/devices/tickets", &NewTicket::another()).await.ok();
    assert_eq!(notices(&host, "device_ticket_issued").await, ["kanri@example.invalid"]);
    let phone = town.enrol(&ticket.number, &ticket.password).await;
    let devices: Vec<Device> = nursing.manager.get("/v1/devices").await.ok();
    let listed = devices.iter().find(|d| Some(d.id) == phone.device_id).unwrap();
    assert_eq!((listed.facility_id, listed.state), (nursing.id, DeviceState::Valid));
    assert!(listed.enrolled_by.is_some() && listed.replaces.is_none());
    let serials: std::collections::HashSet<_> = devices.iter().map(|d| &d.serial).collect();
    assert_eq!(serials.len(), devices.len(), "a certificate each");
    assert!(devices.len() >= 3);
    // For another facility it is the office's, and another's is not told from none.
    let other = NewTicket { facility_id: Some(FacilityId::new()), ..NewTicket::another() };
    nurse.post("/v1/devices/tickets", &other).await.refused(Code::NotFound);
    let theirs = NewTicket { facility_id: Some(devices_office(&office).await), ..NewTicket::another() };
    nurse.post("/v1/devices/tickets", &theirs).await.refused(Code::NotFound);
    let own = NewTicket { facility_id: Some(nursing.id), ..NewTicket::another() };
    office.post("/v1/devices/tickets", &own).await.done();

    // The manager.
    let town = host.town_with("bb", policy(ExtraCertificate::FacilityManager)).await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    nurse.post("/v1/devices/tickets", &NewTicket::another()).await.refused(Code::RoleInsufficient);
    nursing.manager.post("/v1/devices/tickets", &NewTicket::another()).await.done();
    let (_, html) = page(&nurse, "/devices/own").await;
    assert!(html.contains("管理者か事務局が発行します") && !html.contains("issue-ticket"), "{html}");

    // The office.
    let town = host.town_with("cc", policy(ExtraCertificate::Secretariat)).await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let refused = nursing.manager.post("/v1/devices/tickets", &NewTicket::another()).await;
    refused.refused(Code::RoleInsufficient);
    let path = format!("/v1/facilities/{}/tickets", nursing.id);
    nursing.manager.post(&path, &NewTicket::another()).await.refused(Code::RoleInsufficient);
    office.post(&path, &NewTicket::another()).await.done();
    let (_, html) = page(&nursing.manager, "/devices").await;
    assert!(html.contains("事務局が発行します") && !html.contains("issue-ticket"), "{html}");
    assert_eq!(notices(&host, "device_ticket_issued").await.len(), 1);
}

async fn devices_office(office: &Client) -> FacilityId {
    let me: Staff = office.get("/v1/session").await.ok();
    me.facility_id
}

async fn the_picture_for_a_phone_holds_portal_number_and_password(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let (status, html) = form(&nurse, "/devices/tickets", &[]).await;
    assert_eq!(status, 201, "{html}");
    let (number, password) = (text_of(&html, "ticket-number"), text_of(&html, "ticket-password"));
    let code = SetupCode {
        portal: format!("{}/one", host.server.app.public_url),
        number: number.into(),
        password: password.into(),
    };
    let expected = renraku_server::portal::code::svg(&code.to_uri().unwrap()).unwrap();
    assert!(html.contains(&expected), "the page shows the code of this very ticket");
    assert!(!html.contains("<?xml") && !html.contains("renraku:enrol"));
    // What a phone reads from it leads to a certificate.
    let read = SetupCode::parse(&code.to_uri().unwrap()).unwrap();
    assert_eq!((read.public_url(), read.slug()), (host.server.app.public_url.as_str(), "one"));
    town.enrol(&read.number, &read.password).await;
    let (status, _) = form(&nurse, "/devices/tickets", &[("replaces", "nonsense")]).await;
    assert_eq!(status, 422);
}

async fn tasks(client: &Client) -> Vec<String> {
    let (status, html) = page(client, "/tasks").await;
    assert_eq!(status, 200, "{html}");
    html.split("端末の交換：").skip(1).map(|t| t.split('<').next().unwrap().to_owned()).collect()
}

async fn a_replacement_is_a_task_until_the_old_device_is_dead(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let other = town.facility(&office, "架空診療所").await;
    let old = nurse.identity.as_ref().unwrap().device_id.unwrap();
    let replace = |device| NewTicket { replaces: Some(device), ..NewTicket::another() };
    other.manager.post("/v1/devices/tickets", &replace(old)).await.refused(Code::NotFound);
    nurse.post("/v1/devices/tickets", &replace(DeviceId::new())).await.refused(Code::NotFound);
    assert!(tasks(&nursing.manager).await.is_empty());

    let ticket: EnrolmentTicket = nurse.post("/v1/devices/tickets", &replace(old)).await.ok();
    for who in [&nursing.manager, &office] {
        let waiting = tasks(who).await;
        assert!(waiting.len() == 1 && waiting[0].contains("証明書を入れる"), "{waiting:?}");
    }
    assert!(tasks(&other.manager).await.is_empty());

    let new = town.enrol(&ticket.number, &ticket.password).await;
    let waiting = tasks(&nursing.manager).await;
    assert!(waiting.len() == 1 && waiting[0].contains("確かめる"), "{waiting:?}");
    let mut phone = town.care(new.clone());
    phone.sign_in("nurse.n", PASSWORD).await;
    host.server.app.seen.store(&host.server.app.db).await.unwrap();
    let waiting = tasks(&office).await;
    assert!(waiting.len() == 1 && waiting[0].contains("失効させる"), "{waiting:?}");
    let (_, html) = page(&nursing.manager, "/devices").await;
    assert!(html.contains(&format!("replacing-{old}")) && html.contains("の代わり"), "{html}");

    let devices: Vec<Device> = nursing.manager.get("/v1/devices").await.ok();
    let listed = devices.iter().find(|d| Some(d.id) == new.device_id).unwrap();
    assert_eq!(listed.replaces, Some(old));
    let (_, html) = form(
        &nursing.manager,
        &format!("/devices/{old}/revocation"),
        &[("kind", "replaced"), ("reason", "新しい端末に交換")],
    )
    .await;
    assert!(html.contains("失効させました"), "{html}");
    assert!(tasks(&nursing.manager).await.is_empty() && tasks(&office).await.is_empty());
    nurse.get("/v1/session").await.refused(Code::CertificateRevoked);
    phone.get("/v1/session").await.done();
    nursing.manager.post("/v1/devices/tickets", &replace(old)).await.refused(Code::StateConflict);
}

/// A town whose certificates are in their last days at once.
async fn hasty(host: &Host) -> Town<'_> {
    let policy = MunicipalityPolicy { certificate_days: 20, ..MunicipalityPolicy::default() };
    host.town_with("hasty", policy).await
}

async fn settle(host: &Host, now: i64) {
    let app = &host.server.app;
    app.seen.store(&app.db).await.unwrap();
    renew::settle(app, now).await.unwrap();
}

const RENEW: &str = "/v1/devices/current/certificate";

async fn a_device_renews_itself_and_the_old_certificate_dies_with_the_first_use(host: Host) {
    let unhurried = host.town("one").await;
    let early = unhurried.office().await;
    let (key, request) = csr();
    let renewal = CertificateRenewal { csr: request };
    early.post(RENEW, &renewal).await.refused(Code::RenewalTooEarly);

    let town = hasty(&host).await;
    let office = town.office().await;
    let old = office.identity.clone().unwrap();
    // The certificate alone renews nothing: somebody must be signed in.
    town.care(old.clone()).post(RENEW, &renewal).await.refused(Code::SessionInvalid);
    office.post(RENEW, &CertificateRenewal { csr: "!!".into() }).await.refused(Code::CsrMalformed);
    let issued: CertificateIssued = office.post(RENEW, &renewal).await.ok();
    assert_eq!(Some(issued.device_id), old.device_id, "the device stays the device");
    let new = identity(&key, &issued);
    // Both are good until some days after the new one was first used.
    settle(&host, clock::now()).await;
    office.get("/v1/session").await.done();
    // A session belongs to the certificate that it was opened with.
    let mut renewed = town.care(new.clone());
    renewed.token.clone_from(&office.token);
    renewed.get("/v1/session").await.refused(Code::SessionInvalid);
    renewed.sign_in("jimukyoku", PASSWORD).await;
    settle(&host, clock::now()).await;
    office.get("/v1/session").await.done();
    settle(&host, clock::now() + 8 * DAY).await;
    office.get("/v1/session").await.refused(Code::CertificateReplaced);
    renewed.get("/v1/session").await.done();
    let told: Diagnosis = town.public_as(Some(old)).get(&town.path("/diagnosis")).await.ok();
    assert_eq!((told.short.as_str(), told.code), ("R-106", Some(Code::CertificateReplaced)));
    // One device, with its newest certificate.
    let devices: Vec<Device> = renewed.get("/v1/devices").await.ok();
    assert_eq!(devices.len(), 1);
    assert!(devices[0].revoked_at.is_none() && devices[0].state == DeviceState::Expiring);
    // Another device's key is refused.
    let ticket: EnrolmentTicket = renewed.post("/v1/devices/tickets", &NewTicket::another()).await.ok();
    let mut second = town.care(town.enrol(&ticket.number, &ticket.password).await);
    second.sign_in("jimukyoku", PASSWORD).await;
    second.post(RENEW, &renewal).await.refused(Code::CsrKeyInUse);
}

async fn certificates_of(host: &Host, device: DeviceId) -> Vec<Option<i64>> {
    let id: renraku_server::db::Id = device.into();
    host.server
        .app
        .db
        .read(async |c| {
            Ok(run!(
                c,
                load,
                certificate::table
                    .filter(certificate::device_id.eq(id))
                    .order((certificate::created_at, certificate::renews))
                    .select(certificate::revoked_at)
            )?)
        })
        .await
        .unwrap()
}

async fn renewals_at_once_and_again_make_one_certificate(host: Host) {
    let town = hasty(&host).await;
    let office = town.office().await;
    let device = office.identity.as_ref().unwrap().device_id.unwrap();
    let renewal = CertificateRenewal { csr: csr().1 };
    let all = (0..5).map(|_| async { office.post(RENEW, &renewal).await.ok::<CertificateIssued>() });
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().all(|one| *one == all[0]), "a lost answer is asked for again");
    assert_eq!(certificates_of(&host, device).await.len(), 2);
    // The device lost that key too: another request takes its place, and one successor is good.
    let other = CertificateRenewal { csr: csr().1 };
    let again: CertificateIssued = office.post(RENEW, &other).await.ok();
    assert_ne!(again.chain[0], all[0].chain[0]);
    let good = certificates_of(&host, device).await.into_iter().filter(Option::is_none).count();
    assert_eq!(good, 2, "the present one and its one successor");
    office.post(RENEW, &renewal).await.refused(Code::CsrKeyInUse);
}

async fn an_unused_renewal_does_not_end_the_old_certificate(host: Host) {
    let town = hasty(&host).await;
    let office = town.office().await;
    let (key, request) = csr();
    let listed: Vec<Device> = office.get("/v1/devices").await.ok();
    let end = listed[0].not_after.0;
    crate::policy::set(&office, &[("/certificate_days", 365.into())]).await;
    let issued: CertificateIssued = office.post(RENEW, &CertificateRenewal { csr: request }).await.ok();
    // Nor does it end the notices of the old one's end.
    let app = &host.server.app;
    expiry::tell(app, end - 12 * DAY).await.unwrap();
    assert_eq!(notices(&host, "certificate_expiring").await.len(), 1);
    // The answer may have been lost: the old one may be all that the device has.
    settle(&host, clock::now() + 60 * DAY).await;
    office.get("/v1/session").await.done();
    let mut renewed = town.care(identity(&key, &issued));
    renewed.sign_in("jimukyoku", PASSWORD).await;
    app.seen.store(&app.db).await.unwrap();
    expiry::tell(app, end - 6 * DAY).await.unwrap();
    assert_eq!(notices(&host, "certificate_expiring").await.len(), 1, "the new one has arrived");
}

async fn the_manager_is_told_four_times_of_an_end(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, _nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let app = &host.server.app;
    let devices: Vec<Device> = nursing.manager.get("/v1/devices").await.ok();
    let end = devices.iter().map(|d| d.not_after.0).min().unwrap();
    let told = async |at: i64| {
        // Several servers do their chores at the same time.
        let all = futures_util::future::join_all((0..3).map(|_| expiry::tell(app, at))).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        expiry::tell(app, at).await.unwrap();
        let all = notices(&host, "certificate_expiring").await;
        all.iter().filter(|to| *to == "kanri@example.invalid").count()
    };
    let moment = 600_000;
    assert_eq!(told(end - 31 * DAY).await, 0);
    // Two devices of one facility end within the same minutes: one notice.
    for (days, expected) in [(30, 1), (20, 1), (14, 2), (7, 3), (3, 3), (1, 4)] {
        assert_eq!(told(end - days * DAY + moment).await, expected, "{days} days");
    }
    assert_eq!(told(end + DAY).await, 4, "what has ended is not told any more");
    chores::hourly(app).await.unwrap();
    assert_eq!(notices(&host, "certificate_expiring").await.len(), 8, "the office's own device too");
}

async fn of_a_revoked_device_nobody_is_told(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let device = nursing.manager.identity.as_ref().unwrap().device_id.unwrap();
    let listed: Vec<Device> = nursing.manager.get("/v1/devices").await.ok();
    let revocation = Revocation { reason: "紛失".into(), kind: RevocationKind::Lost };
    office.post(&format!("/v1/devices/{device}/revocation"), &revocation).await.done();
    expiry::tell(&host.server.app, listed[0].not_after.0 - DAY).await.unwrap();
    let told = notices(&host, "certificate_expiring").await;
    assert!(!told.contains(&"kanri@example.invalid".to_owned()) && told.len() == 1, "{told:?}");
}

async fn a_device_shows_its_own_end(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let (_, html) = page(&office, "/").await;
    assert!(!html.contains("certificate-ends"));
    let (_, html) = page(&office, "/devices/own").await;
    assert_eq!(text_of(&html, "own-state"), "有効");
    let town = hasty(&host).await;
    let office = town.office().await;
    for path in ["/", "/devices", "/devices/own"] {
        let (status, html) = page(&office, path).await;
        assert!(status == 200 && html.contains("id=\"certificate-ends\""), "{path}: {html}");
    }
    let (_, html) = page(&office, "/devices/own").await;
    assert_eq!(text_of(&html, "own-state"), "期限が近い");
    // On a PC it points to the button only where that is there.
    host.in_browsers().await;
    let (_, html) = page(&office, "/devices/own").await;
    assert!(html.contains("下の「この端末の証明書を入れ替える」") && html.contains("replace-own"), "{html}");
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let rows = [("/certificate_days", 365.into()), ("/extra_certificate", "secretariat".into())];
    crate::policy::set(&office, &rows).await;
    host.in_browsers().await;
    let (_, html) = page(&nurse, "/devices/own").await;
    assert!(html.contains("ask-successor") && html.contains("事務局に、この端末を"), "{html}");
    assert!(!html.contains("下の「") && !html.contains("replace-own"), "{html}");
}

async fn the_inventory_names_and_renames(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let other = town.facility(&office, "架空診療所").await;
    let device = nursing.manager.identity.as_ref().unwrap().device_id.unwrap();
    let (_, html) = page(&office, "/devices").await;
    for word in ["架空訪問看護", "架空診療所", "事務 一郎が発行", "有効", "to-codes"] {
        assert!(html.contains(word), "{word} in {html}");
    }
    let path = format!("/v1/devices/{device}/name");
    let name = DeviceName { name: "受付のタブレット".into() };
    other.manager.put(&path, &name).await.refused(Code::NotFound);
    nursing.manager.put(&path, &DeviceName { name: " ".into() }).await.refused(Code::FieldInvalid);
    nursing.manager.put(&path, &name).await.done();
    let (_, html) = page(&nursing.manager, "/devices").await;
    assert!(html.contains("受付のタブレット") && !html.contains("架空診療所"));
    let path = format!("/devices/{device}/name");
    let (status, html) = form(&nursing.manager, &path, &[("device_name", "")]).await;
    assert!(status == 422 && html.contains(&format!("#device_name-{device}")), "{html}");
    let (_, html) = form(&nursing.manager, &path, &[("device_name", "受付<2>")]).await;
    assert!(html.contains("名前を変更しました"), "{html}");
    let (_, html) = page(&office, "/devices").await;
    assert!(html.contains("受付&#60;2&#62;"), "{html}");
}
