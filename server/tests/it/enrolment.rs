//! Certificates: how one is had, and every way in which one is refused.

use crate::both;
use crate::town::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PublicKeyData};
use renraku_server::db::Id;
use renraku_server::device::store::{NewDevice, insert};
use renraku_server::policy::MunicipalityPolicy;
use renraku_server::tls::{Authority, Validity};
use renraku_server::{clock, run, tls};
use renraku_wire::*;

both!(
    what_a_japanese_keyboard_types_is_read,
    a_worn_or_expired_no_is_seen_by_the_office,
    a_ticket_works_once,
    a_no_that_was_ended_while_it_was_checked_is_worth_nothing,
    a_lost_answer_is_given_again_to_the_same_key,
    a_wrong_ticket_tells_nothing,
    an_expired_ticket_is_refused,
    bad_requests_for_certificates_leave_the_ticket_alone,
    one_of_two_pick_ups_at_once_wins,
    the_care_host_takes_no_stranger,
    expired_and_early_certificates_are_told,
    revocation_bites_on_an_open_connection,
    another_town_is_another_world,
    a_browser_gets_a_pkcs12_that_openssl_reads,
);

async fn a_ticket_works_once(host: Host) {
    let town = host.town("one").await;
    let (number, password) = town.office_ticket.clone();
    let identity = town.enrol(&number, &password).await;
    let again = Town::certificate_request(&number, &password, &csr().1);
    town.public().post(&town.path("/certificates"), &again).await.refused(Code::TicketUsed);
    let diagnosis: Diagnosis = town.public_as(Some(identity)).get(&town.path("/diagnosis")).await.ok();
    assert!(diagnosis.ok && diagnosis.code.is_none());
}

async fn a_no_that_was_ended_while_it_was_checked_is_worth_nothing(host: Host) {
    use renraku_server::db::prelude::*;
    use renraku_server::db::schema::enrolment_ticket;
    let town = host.town("one").await;
    let (number, password) = town.office_ticket.clone();
    let app = &host.server.app;
    let busy = [app.hashing.turn().await.unwrap(), app.hashing.turn().await.unwrap()];
    let (public, path) = (town.public(), town.path("/certificates"));
    let request = Town::certificate_request(&number, &password, &csr().1);
    let asked = tokio::spawn(async move { public.post(&path, &request).await });
    // It waits for its turn at hashing.
    while app.hashing.waiting() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    app.db
        .write(async |c| {
            let ended = enrolment_ticket::expires_at.eq(clock::now() - 1);
            run!(c, execute, diesel::update(enrolment_ticket::table).set(ended))?;
            Ok(())
        })
        .await
        .unwrap();
    drop(busy);
    asked.await.unwrap().refused(Code::TicketExpired);
}

async fn a_lost_answer_is_given_again_to_the_same_key(host: Host) {
    let town = host.town("one").await;
    let (number, password) = town.office_ticket.clone();
    let (key, same) = csr();
    let request = Town::certificate_request(&number, &password, &same);
    let path = town.path("/certificates");
    let public = town.public();
    let (one, two) =
        futures_util::future::join(public.post(&path, &request), public.post(&path, &request)).await;
    let (first, second): (CertificateIssued, CertificateIssued) = (one.ok(), two.ok());
    assert_eq!(first, second, "two at once are one device");
    let third: CertificateIssued = public.post(&path, &request).await.ok();
    assert_eq!(first, third);
    // The same key, signed for anew: another request, the same device.
    let anew = STANDARD.encode(CertificateParams::default().serialize_request(&key).unwrap().der());
    let request = Town::certificate_request(&number, &password, &anew);
    assert_eq!(first, public.post(&path, &request).await.ok());
    // The authority may have changed in between: the chain is that of the one which signed.
    let db = &host.server.app.db;
    renraku_server::setup::ceremony::roll(db, &host.secret, "one").await.unwrap();
    assert_eq!(first, public.post(&path, &request).await.ok());
    let wrong = Town::certificate_request(&number, "wrong", &anew);
    public.post(&path, &wrong).await.refused(Code::TicketInvalid);
    let other = Town::certificate_request(&number, &password, &csr().1);
    public.post(&path, &other).await.refused(Code::TicketUsed);
}

async fn what_a_japanese_keyboard_types_is_read(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let wide = |number: &str, dash: &str| -> String {
        let digit = |c: char| char::from_u32(u32::from(c) - u32::from('0') + u32::from('０')).unwrap();
        number.chars().map(|c| if c == '-' { dash.to_owned() } else { digit(c).to_string() }).collect()
    };
    for dash in ["ー", "−", "－", "", "　"] {
        let ticket: EnrolmentTicket = office.post("/v1/devices/tickets", &NewTicket::another()).await.ok();
        let shouted: String = ticket.password.to_uppercase();
        let broad = |c: char| char::from_u32(u32::from(c) + 0xFEE0).unwrap();
        let typed = [shouted.chars().map(broad).collect::<String>(), "　".into()].concat();
        let mut device = town.care(town.enrol(&wide(&ticket.number, dash), &typed).await);
        device.sign_in("　ＪＩＭＵＫＹＯＫＵ ", PASSWORD).await;
    }
}

async fn a_worn_or_expired_no_is_seen_by_the_office(host: Host) {
    use renraku_server::db::prelude::*;
    use renraku_server::db::schema::{enrolment_ticket, ticket_letter};
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let device = nursing.manager.identity.as_ref().unwrap().device_id.unwrap();
    let replace = NewTicket { replaces: Some(device), ..NewTicket::another() };
    let ticket: EnrolmentTicket = nursing.manager.post("/v1/devices/tickets", &replace).await.ok();
    let file = async || {
        let record: FacilityRecord = office.get(&format!("/v1/facilities/{}", nursing.id)).await.ok();
        let mail = record.file.unwrap().ticket_mail.unwrap();
        (mail.worn, mail.expired)
    };
    let waits = async || {
        let tasks: Tasks = office.get("/v1/tasks").await.ok();
        tasks.tasks.iter().any(|t| t.text.contains("新しい端末に証明書を入れる"))
    };
    assert_eq!((file().await, waits().await), ((false, false), true));
    let db = &host.server.app.db;
    let letter: String = db
        .read(async |c| Ok(run!(c, get_result, ticket_letter::table.select(ticket_letter::number))?))
        .await
        .unwrap();
    for number in [&letter, &ticket.number] {
        for _ in 0..5 {
            let request = Town::certificate_request(number, "not-the-password", &csr().1);
            town.public().post(&town.path("/certificates"), &request).await.refused(Code::TicketInvalid);
        }
    }
    assert_eq!((file().await, waits().await), ((true, false), false));
    let (_, html) = crate::devices::page(&office, &format!("/facilities/{}", nursing.id)).await;
    assert!(html.contains("このNoは使えません"), "{html}");
    db.write(async |c| {
        let past = (enrolment_ticket::failed_count.eq(0), enrolment_ticket::expires_at.eq(1));
        run!(c, execute, diesel::update(enrolment_ticket::table).set(past))?;
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!((file().await, waits().await), ((false, true), false));
    let (_, html) = crate::devices::page(&office, &format!("/facilities/{}", nursing.id)).await;
    assert!(html.contains("Noの期限が切れています"), "{html}");
    let (_, html) = crate::devices::page(&town.public(), "/one/certificate").await;
    assert!(html.contains("5回間違えると"), "{html}");
}

async fn a_wrong_ticket_tells_nothing(host: Host) {
    let town = host.town("one").await;
    let (number, password) = town.office_ticket.clone();
    let public = town.public();
    let attempt = async |number: &str, password: &str| {
        let request = Town::certificate_request(number, password, &csr().1);
        public.post(&town.path("/certificates"), &request).await
    };
    let unknown = attempt("0000-0000-0000", &password).await.refused(Code::TicketInvalid);
    let wrong = attempt(&number, "not-the-password").await.refused(Code::TicketInvalid);
    assert_eq!(unknown, wrong, "a No that exists must not be told from one that does not");
    for _ in 0..4 {
        attempt(&number, "not-the-password").await.refused(Code::TicketInvalid);
    }
    attempt(&number, &password).await.refused(Code::TicketInvalid);
    public.get("/v1/municipalities/atlantis").await.refused(Code::NotFound);
}

async fn an_expired_ticket_is_refused(host: Host) {
    let policy = MunicipalityPolicy { ticket_days: 0, ..MunicipalityPolicy::default() };
    let town = host.town_with("one", policy).await;
    let (number, password) = town.office_ticket.clone();
    let request = Town::certificate_request(&number, &password, &csr().1);
    town.public().post(&town.path("/certificates"), &request).await.refused(Code::TicketExpired);
}

/// A key that claims another's public half.
struct Impostor {
    claims: KeyPair,
    signs: KeyPair,
}

impl PublicKeyData for Impostor {
    fn der_bytes(&self) -> &[u8] {
        self.claims.der_bytes()
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

impl rcgen::SigningKey for Impostor {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.signs.sign(message)
    }
}

async fn bad_requests_for_certificates_leave_the_ticket_alone(host: Host) {
    let town = host.town("one").await;
    let (number, password) = town.office_ticket.clone();
    let public = town.public();
    let attempt = async |csr: &str| {
        let request = Town::certificate_request(&number, &password, csr);
        public.post(&town.path("/certificates"), &request).await
    };
    attempt("!!!").await.refused(Code::CsrMalformed);
    attempt(&STANDARD.encode(b"not a request")).await.refused(Code::CsrMalformed);
    let wide = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let wide = CertificateParams::new(vec![]).unwrap().serialize_request(&wide).unwrap();
    attempt(&STANDARD.encode(wide.der())).await.refused(Code::CsrKeyUnsupported);
    let weak = include_bytes!("rsa1024.csr.der");
    attempt(&STANDARD.encode(weak)).await.refused(Code::CsrKeyUnsupported);
    let impostor = Impostor {
        claims: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
        signs: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap(),
    };
    let foreign = CertificateParams::new(vec![]).unwrap().serialize_request(&impostor).unwrap();
    attempt(&STANDARD.encode(foreign.der())).await.refused(Code::CsrSignatureInvalid);
    // The ticket is still good; the same key for a second device is not.
    let (key, request) = csr();
    let issued: CertificateIssued = attempt(&request).await.ok();
    let mut office = town.care(identity(&key, &issued));
    office.first_sign_in("jimukyoku", &town.office_password).await;
    let me: Staff = office.get("/v1/session").await.ok();
    let path = format!("/v1/facilities/{}/tickets", me.facility_id);
    let ticket: EnrolmentTicket = office.post(&path, &NewTicket::another()).await.ok();
    let again = Town::certificate_request(&ticket.number, &ticket.password, &request);
    public.post(&town.path("/certificates"), &again).await.refused(Code::CsrKeyInUse);
    town.enrol(&ticket.number, &ticket.password).await;
}

async fn one_of_two_pick_ups_at_once_wins(host: Host) {
    let town = host.town("one").await;
    let (number, password) = town.office_ticket.clone();
    let tries = (0..6).map(|_| {
        let request = Town::certificate_request(&number, &password, &csr().1);
        let (public, path) = (town.public(), town.path("/certificates"));
        async move { public.post(&path, &request).await.status }
    });
    let mut statuses = futures_util::future::join_all(tries).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
}

async fn refuses_the_handshake(town: &Town<'_>, identity: Option<Identity>) {
    let client = Client::new(&host_root(town), &town.host.server.app.care_url, identity);
    // In TLS 1.3 the client learns of the refusal at its first read.
    let answer = client.request(reqwest::Method::GET, "/v1/session").send().await;
    assert!(answer.is_err(), "{answer:?}");
}

fn host_root(town: &Town<'_>) -> rustls::pki_types::CertificateDer<'static> {
    town.host.root.clone()
}

/// A device of this authority with these days; in the database, unless it is a foreign authority's.
async fn device_with(town: &Town<'_>, authority: &Authority, validity: Validity, known: bool) -> Identity {
    let (key, request) = csr();
    let der = STANDARD.decode(request).unwrap();
    let issued = authority.issue_for_request(&der, "試験", validity).unwrap();
    if known {
        let (app, id) = (&town.host.server.app, town.id);
        let issued = &issued;
        app.db
            .write(async |c| {
                let facility_id = office_of(c, id).await?;
                let new = NewDevice {
                    municipality_id: id,
                    id: Id::new(),
                    facility_id,
                    name: "試験",
                    platform: Platform::Ios,
                    issued,
                };
                insert(c, &new, clock::now()).await
            })
            .await
            .unwrap();
    }
    Identity {
        chain: vec![issued.certificate.clone().into(), authority.certificate().to_vec().into()],
        key: key.serialize_der(),
        device_id: None,
    }
}

async fn office_of(
    c: &mut renraku_server::db::Conn,
    town: Id,
) -> Result<Id, renraku_server::error::AppError> {
    use renraku_server::db::prelude::*;
    use renraku_server::db::schema::facility;
    Ok(renraku_server::run!(
        c,
        get_result,
        facility::table
            .filter(facility::municipality_id.eq(town))
            .filter(facility::kind.eq("secretariat"))
            .select(facility::id)
    )?)
}

fn days(first: i64, last: i64) -> Validity {
    let now = clock::now();
    Validity { not_before: now + first * 86_400_000, not_after: now + last * 86_400_000 }
}

async fn diagnosis(town: &Town<'_>, identity: Option<Identity>) -> Option<Code> {
    let answer: Diagnosis = town.public_as(identity).get(&town.path("/diagnosis")).await.ok();
    assert_eq!(answer.ok, answer.code.is_none());
    assert_eq!(answer.code.map(Code::sentence).unwrap_or(&answer.sentence), answer.sentence);
    answer.code
}

async fn the_care_host_takes_no_stranger(host: Host) {
    let town = host.town("one").await;
    refuses_the_handshake(&town, None).await;
    assert_eq!(diagnosis(&town, None).await, Some(Code::CertificateMissing));
    let (stranger, _) = Authority::create("stranger", clock::now()).unwrap();
    let foreign = device_with(&town, &stranger, days(-1, 30), false).await;
    refuses_the_handshake(&town, Some(foreign.clone())).await;
    assert_eq!(diagnosis(&town, Some(foreign)).await, Some(Code::CertificateForeign));
    // Signed by this town, but never issued: the handshake passes, no request does.
    let own = host.server.app.authority(town.id).await.unwrap();
    let unknown = device_with(&town, &own, days(-1, 30), false).await;
    town.care(unknown).get("/v1/session").await.refused(Code::CertificateForeign);
    // TLS 1.2 is not spoken.
    let mut roots = rustls::RootCertStore::empty();
    roots.add(host.root.clone()).unwrap();
    let old = rustls::ClientConfig::builder_with_provider(tls::provider())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let old = reqwest::Client::builder().tls_backend_preconfigured(old).build().unwrap();
    for base in [&host.server.app.care_url, &host.server.app.public_url] {
        assert!(old.get(format!("{base}/health")).send().await.is_err(), "{base}");
    }
}

async fn expired_and_early_certificates_are_told(host: Host) {
    let town = host.town("one").await;
    let authority = host.server.app.authority(town.id).await.unwrap();
    let expired = device_with(&town, &authority, days(-30, -1), true).await;
    refuses_the_handshake(&town, Some(expired.clone())).await;
    assert_eq!(diagnosis(&town, Some(expired)).await, Some(Code::CertificateExpired));
    let early = device_with(&town, &authority, days(1, 30), true).await;
    refuses_the_handshake(&town, Some(early.clone())).await;
    assert_eq!(diagnosis(&town, Some(early)).await, Some(Code::CertificateNotYetValid));
}

async fn revocation_bites_on_an_open_connection(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    nurse.get("/v1/patients").await.done();
    let identity = nurse.identity.clone().unwrap();
    let device = identity.device_id.unwrap();
    let revocation = Revocation { reason: "紛失".into(), ..Revocation::default() };
    let path = format!("/v1/devices/{device}/revocation");
    nurse.post(&path, &revocation).await.refused(Code::RoleInsufficient);
    office
        .post(&format!("/v1/devices/{}/revocation", DeviceId::new()), &revocation)
        .await
        .refused(Code::NotFound);
    office.post(&path, &revocation).await.done();
    nurse.get("/v1/patients").await.refused(Code::CertificateRevoked);
    town.care(identity.clone()).get("/v1/patients").await.refused(Code::CertificateRevoked);
    assert_eq!(diagnosis(&town, Some(identity)).await, Some(Code::CertificateRevoked));
}

async fn another_town_is_another_world(host: Host) {
    let (a, b) = (host.town("aaa").await, host.town("bbb").await);
    let ours = a.care_team().await;
    let theirs = b.care_team().await;
    let post = new_post("経過は良好です。", vec![]);
    ours.nurse.1.post(&format!("/v1/patients/{}/posts", ours.patient), &post).await.done();
    for (path, absent) in [
        (format!("/v1/patients/{}", ours.patient), format!("/v1/patients/{}", PatientId::new())),
        (format!("/v1/patients/{}/posts", ours.patient), format!("/v1/patients/{}/posts", PatientId::new())),
        (format!("/v1/posts/{}", post.id), format!("/v1/posts/{}", PostId::new())),
    ] {
        let there = theirs.nurse.1.get(&path).await.refused(Code::NotFound);
        let nowhere = theirs.nurse.1.get(&absent).await.refused(Code::NotFound);
        assert_eq!(there, nowhere);
    }
    let path = format!("/v1/patients/{}/posts", ours.patient);
    theirs.nurse.1.post(&path, &new_post("侵入", vec![])).await.refused(Code::NotFound);
    let device = ours.nurse.1.identity.clone().unwrap().device_id.unwrap();
    let revocation = Revocation { reason: "試験".into(), ..Revocation::default() };
    theirs
        .office
        .post(&format!("/v1/devices/{device}/revocation"), &revocation)
        .await
        .refused(Code::NotFound);
    // A session of one town is worth nothing with another town's certificate, nor is a password.
    let mut stolen = theirs.nurse.1.clone();
    stolen.token.clone_from(&ours.nurse.1.token);
    stolen.get("/v1/session").await.refused(Code::SessionInvalid);
    assert_eq!(diagnosis(&a, theirs.nurse.1.identity.clone()).await, Some(Code::CertificateForeign));
}

async fn a_browser_gets_a_pkcs12_that_openssl_reads(host: Host) {
    let town = host.town("one").await;
    let (number, password) = town.office_ticket.clone();
    let request = Pkcs12Request { number, password: password.clone(), device_name: "事務局PC".into() };
    let answer = town.public().post(&town.path("/certificates/pkcs12"), &request).await.done();
    assert_eq!(answer.headers["content-type"], "application/x-pkcs12");
    let dir = tempfile::tempdir().unwrap();
    let (p12, ca) = (dir.path().join("device.p12"), dir.path().join("town.der"));
    std::fs::write(&p12, &answer.body).unwrap();
    std::fs::write(&ca, host.server.app.authority(town.id).await.unwrap().certificate()).unwrap();
    let openssl = |args: &[&str]| std::process::Command::new("openssl").args(args).output().unwrap();
    let pem = dir.path().join("device.pem");
    let opened = openssl(&[
        "pkcs12",
        "-in",
        p12.to_str().unwrap(),
        "-passin",
        &format!("pass:{password}"),
        "-clcerts",
        "-nokeys",
        "-out",
        pem.to_str().unwrap(),
    ]);
    assert!(opened.status.success(), "{}", String::from_utf8_lossy(&opened.stderr));
    let wrong = openssl(&["pkcs12", "-in", p12.to_str().unwrap(), "-passin", "pass:wrong", "-noout"]);
    assert!(!wrong.status.success());
    let verified = openssl(&[
        "verify",
        "-purpose",
        "sslclient",
        "-CAfile",
        &pem_of(&ca, dir.path()),
        pem.to_str().unwrap(),
    ]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

fn pem_of(der: &std::path::Path, dir: &std::path::Path) -> String {
    let pem = dir.join("town.pem").to_str().unwrap().to_owned();
    let made = std::process::Command::new("openssl")
        .args(["x509", "-inform", "der", "-in", der.to_str().unwrap(), "-out", &pem])
        .output()
        .unwrap();
    assert!(made.status.success());
    pem
}
