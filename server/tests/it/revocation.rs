//! A lost device: its certificate is dead within a second, on open connections and on resumed ones; and the
//! published list says so.

use crate::both;
use crate::town::*;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use renraku_server::tls::{self, HostCertificate, Peer};
use renraku_server::{router, setup};
use renraku_wire::*;
use rustls::HandshakeKind;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use x509_parser::prelude::FromDer as _;

both!(
    an_open_connection_ends_within_a_second,
    the_care_host_resumes_no_session,
    a_resumed_session_gives_no_access,
    the_list_of_revocations_grows_and_is_numbered,
    a_rolled_authority_keeps_the_devices_and_ends_when_they_renewed,
    a_lost_device_takes_its_nos_with_it,
    a_new_password_ends_the_nos_of_the_old_one,
);

fn lost() -> Revocation {
    Revocation { reason: "訪問先で紛失".into(), kind: RevocationKind::Lost }
}

async fn no(who: &Client, replaces: Option<DeviceId>) -> EnrolmentTicket {
    who.post("/v1/devices/tickets", &NewTicket { replaces, ..NewTicket::another() }).await.ok()
}

async fn worthless(town: &Town<'_>, ticket: &EnrolmentTicket) {
    let request = Town::certificate_request(&ticket.number, &ticket.password, &csr().1);
    town.public().post(&town.path("/certificates"), &request).await.refused(Code::TicketExpired);
}

async fn a_lost_device_takes_its_nos_with_it(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let device = nurse.identity.as_ref().unwrap().device_id.unwrap();
    let shown = [no(&nurse, None).await, no(&nurse, Some(device)).await];
    // Made elsewhere: for the successor of the lost one, and for any.
    let elsewhere = [no(&nursing.manager, Some(device)).await, no(&nursing.manager, None).await];
    office.post(&format!("/v1/devices/{device}/revocation"), &lost()).await.done();
    for ticket in &shown {
        worthless(&town, ticket).await;
    }
    for ticket in &elsewhere {
        town.enrol(&ticket.number, &ticket.password).await;
    }
}

async fn a_new_password_ends_the_nos_of_the_old_one(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (id, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let (hers, managers) = (no(&nurse, None).await, no(&nursing.manager, None).await);
    let change = PasswordChange { current: PASSWORD.into(), new: "tsukimi-dango-no-yoru-27".into() };
    nurse.post("/v1/session/password", &change).await.done();
    worthless(&town, &hers).await;
    let hers = no(&nurse, None).await;
    let request = NewFirstPassword { id: FirstPasswordId::new() };
    nursing.manager.post(&format!("/v1/staff/{id}/first-password"), &request).await.done();
    worthless(&town, &hers).await;
    town.enrol(&managers.number, &managers.password).await;
}

async fn an_open_connection_ends_within_a_second(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let (_, nurse) = town.member(&nursing, "nurse.n", Profession::Nurse).await;
    let device = nurse.identity.as_ref().unwrap().device_id.unwrap();
    // One connection that works without pause, and one that rests.
    let idle = town.care(nurse.identity.clone().unwrap());
    let idle = Client { token: nurse.token.clone(), ..idle };
    idle.get("/v1/session").await.done();
    let busy = nurse.clone();
    let worker = tokio::spawn(async move {
        let mut answered = 0_u32;
        loop {
            let answer = busy.get("/v1/patients").await;
            if answer.status != 200 {
                return (Instant::now(), answered, answer);
            }
            answered += 1;
        }
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let path = format!("/v1/devices/{device}/revocation");
    let asked = Instant::now();
    office.post(&path, &lost()).await.done();
    let (refused_at, answered, answer) = worker.await.unwrap();
    answer.refused(Code::CertificateRevoked);
    let took = refused_at.duration_since(asked);
    assert!(took < Duration::from_secs(1), "{took:?} from asking for the revocation to the refusal");
    assert!(answered > 0, "the connection was at work");
    idle.get("/v1/session").await.refused(Code::CertificateRevoked);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    office.post(&path, &lost()).await.done();
    office.get("/v1/session").await.done();
}

/// A client that keeps what a server gives it to resume with.
fn resuming(host: &Host, identity: &Identity) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(host.root.clone()).unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(tls::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(
            identity.chain.clone(),
            PrivateKeyDer::from(PrivatePkcs8KeyDer::from(identity.key.clone())),
        )
        .unwrap();
    config.resumption = rustls::client::Resumption::in_memory_sessions(16);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

async fn connect(connector: &TlsConnector, at: SocketAddr) -> TlsStream<TcpStream> {
    let stream = TcpStream::connect(at).await.unwrap();
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
}

/// One request; the kind of handshake before it, the status and the body.
async fn ask(connector: &TlsConnector, at: SocketAddr, token: &str) -> (HandshakeKind, u16, String) {
    let stream = connect(connector, at).await;
    let kind = stream.get_ref().1.handshake_kind().unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let running = tokio::spawn(connection);
    let request = http::Request::get("/v1/session")
        .header("host", "localhost")
        .header("authorization", format!("Bearer {token}"))
        .body(Empty::<bytes::Bytes>::new())
        .unwrap();
    let answer = sender.send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    drop(sender);
    let _ = running.await;
    (kind, status, String::from_utf8_lossy(&body).into_owned())
}

async fn the_care_host_resumes_no_session(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let connector = resuming(&host, office.identity.as_ref().unwrap());
    for _ in 0..3 {
        let (kind, status, _) = ask(&connector, host.server.care, office.token.as_ref().unwrap()).await;
        assert_eq!((kind, status), (HandshakeKind::Full, 200));
    }
}

/// The care host's own router behind TLS that hands out tickets and takes them back.
async fn with_tickets(host: &Host) -> SocketAddr {
    let app = host.server.app.clone();
    let certificate = HostCertificate::in_folder(&host.folder().join("host"), &[]).unwrap();
    let mut config = tls::care_config(&certificate, app.care_verifier.clone()).unwrap();
    config.session_storage = rustls::server::ServerSessionMemoryCache::new(32);
    config.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
    config.send_tls13_tickets = 2;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, app) = (acceptor.clone(), app.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let arrived = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                let peer = Peer::of(arrived.map(|c| c.as_ref()));
                let service = TowerToHyperService::new(router::care(app).layer(axum::Extension(peer)));
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    at
}

async fn a_resumed_session_gives_no_access(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let nursing = town.facility(&office, "架空訪問看護").await;
    let at = with_tickets(&host).await;
    let (identity, token) =
        (nursing.manager.identity.clone().unwrap(), nursing.manager.token.clone().unwrap());
    let connector = resuming(&host, &identity);
    let (kind, status, _) = ask(&connector, at, &token).await;
    assert_eq!((kind, status), (HandshakeKind::Full, 200));
    let (kind, status, _) = ask(&connector, at, &token).await;
    assert_eq!((kind, status), (HandshakeKind::Resumed, 200), "resumption is at work here");
    let path = format!("/v1/devices/{}/revocation", identity.device_id.unwrap());
    let asked = Instant::now();
    office.post(&path, &lost()).await.done();
    let (kind, status, body) = ask(&connector, at, &token).await;
    assert_eq!((kind, status), (HandshakeKind::Resumed, 401), "a ticket from before the revocation");
    assert!(body.contains("certificate_revoked"), "{body}");
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

struct List {
    number: u64,
    serials: Vec<(String, Option<u8>)>,
}

async fn list(town: &Town<'_>, path: &str) -> List {
    let answer = town.public().get(path).await.done();
    assert_eq!(answer.headers["content-type"], "application/pkix-crl");
    let (rest, list) =
        x509_parser::revocation_list::CertificateRevocationList::from_der(&answer.body).unwrap();
    assert!(rest.is_empty());
    let now = x509_parser::time::ASN1Time::now();
    assert!(list.last_update() <= now && list.next_update().unwrap() > now);
    let number = list.crl_number().unwrap();
    List {
        number: number.iter_u64_digits().next().unwrap_or(0),
        serials: list
            .iter_revoked_certificates()
            .map(|r| (hex::encode(r.raw_serial()), r.reason_code().map(|(_, code)| code.0)))
            .collect(),
    }
}

async fn the_list_of_revocations_grows_and_is_numbered(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let empty = list(&town, "/one/crl").await;
    assert!(empty.serials.is_empty());
    let by_clock = u64::try_from(renraku_server::clock::now() / 1000 - 60).unwrap();
    assert!(empty.number > by_clock, "numbers go on where earlier lists are lost");
    assert_eq!(list(&town, "/one/crl").await.number, empty.number, "nothing new, no new number");
    let nursing = town.facility(&office, "架空訪問看護").await;
    let mut serials = Vec::new();
    for (n, kind) in
        [RevocationKind::Lost, RevocationKind::Replaced, RevocationKind::Ended, RevocationKind::Other]
            .into_iter()
            .enumerate()
    {
        let device = town.device(&office, nursing.id).await;
        let devices: Vec<Device> = office.get("/v1/devices").await.ok();
        let listed = devices.iter().find(|d| Some(d.id) == device.device_id).unwrap();
        let revocation = Revocation { reason: "試験".into(), kind };
        office.post(&format!("/v1/devices/{}/revocation", listed.id), &revocation).await.done();
        // Asked for by several at once, it is one list.
        let all = futures_util::future::join_all((0..4).map(|_| list(&town, "/one/crl"))).await;
        assert!(all.iter().all(|l| l.number > empty.number + n as u64), "the number only grows");
        serials.push((listed.serial.clone(), [Some(1), Some(4), Some(5), None][n]));
    }
    let last = list(&town, "/one/crl").await;
    let mut told = last.serials;
    told.sort();
    serials.sort();
    assert_eq!(told, serials);
    // The certificates name the address of their list.
    let identity = office.identity.as_ref().unwrap();
    let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(&identity.chain[0]).unwrap();
    let points = certificate
        .extensions()
        .iter()
        .find_map(|e| match e.parsed_extension() {
            x509_parser::extensions::ParsedExtension::CRLDistributionPoints(points) => Some(points),
            _ => None,
        })
        .unwrap();
    let named = format!("{:?}", points.points[0].distribution_point);
    let id = host.server.app.authority(town.id).await.unwrap().id();
    let path = format!("/one/crl/{id}");
    assert!(named.contains(&format!("{}{path}", host.server.app.public_url)), "{named}");
    assert_eq!(list(&town, &path).await.number, last.number);
    for absent in ["/one/crl/0000000000000000", "/one/crl/%00", "/one/crl/..", "/atlantis/crl"] {
        assert_eq!(town.public().get(absent).await.status, 404, "{absent}");
    }
}

async fn a_rolled_authority_keeps_the_devices_and_ends_when_they_renewed(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let (app, db) = (&host.server.app, &host.server.app.db);
    let before = office.identity.clone().unwrap();
    let (old, new) = setup::ceremony::roll(db, &host.secret, "one").await.unwrap();
    let twice = setup::ceremony::roll(db, &host.secret, "one").await;
    assert!(twice.unwrap_err().to_string().contains("Retire it first"));
    app.load_authorities().await.unwrap();
    // Old certificates stay good, on open connections and new ones; new ones come from the new authority.
    office.get("/v1/session").await.done();
    let again = Client { token: office.token.clone(), ..town.care(before.clone()) };
    again.get("/v1/session").await.done();
    let told: Diagnosis = town.public_as(Some(before.clone())).get(&town.path("/diagnosis")).await.ok();
    assert!(told.ok, "{told:?}");
    let nursing = town.facility(&office, "架空訪問看護").await;
    nursing.manager.get("/v1/session").await.done();
    let signer = |i: &Identity| tls::authority_id(&i.chain[1]);
    assert_eq!(
        (signer(&before), signer(nursing.manager.identity.as_ref().unwrap())),
        (old.clone(), new.clone())
    );
    let early = setup::ceremony::retire(db, "one").await.unwrap_err().to_string();
    assert!(early.contains("1 certificates"), "{early}");
    // The renewal needs no window now.
    let (key, request) = csr();
    let path = "/v1/devices/current/certificate";
    let issued: CertificateIssued = office.post(path, &CertificateRenewal { csr: request }).await.ok();
    let after = identity(&key, &issued);
    assert_eq!(signer(&after), new);
    let mut renewed = town.care(after);
    renewed.sign_in("jimukyoku", PASSWORD).await;
    app.seen.store(db).await.unwrap();
    renraku_server::device::renew::settle(app, renraku_server::clock::now() + 8 * 86_400_000).await.unwrap();
    // Each authority lists its own: the superseded certificate stands on the old one's.
    assert_eq!(list(&town, &format!("/one/crl/{old}")).await.serials.len(), 1);
    assert!(list(&town, "/one/crl").await.serials.is_empty());
    assert_eq!(setup::ceremony::retire(db, "one").await.unwrap(), old);
    app.load_authorities().await.unwrap();
    let refused = town.care(before.clone());
    assert!(refused.request(reqwest::Method::GET, "/v1/session").send().await.is_err(), "no handshake");
    let told: Diagnosis = town.public_as(Some(before)).get(&town.path("/diagnosis")).await.ok();
    assert_eq!(told.short, "R-106");
    renewed.get("/v1/session").await.done();
    assert_eq!(list(&town, &format!("/one/crl/{old}")).await.serials.len(), 1, "its last list stays");
    let standing = setup::ceremony::standing(db, "one").await.unwrap();
    assert_eq!(
        standing.iter().map(|s| (s.present, s.certificates)).collect::<Vec<_>>(),
        [(true, 2), (false, 0)]
    );
    assert!(setup::ceremony::retire(db, "one").await.is_err());
    setup::ceremony::check_authorities(db, &host.secret).await.unwrap();
}
