//! The server under strain: strangers who send too much, links that nobody used, and no mail carrier.

use crate::both;
use crate::town::*;
use renraku_server::db::prelude::*;
use renraku_server::db::schema::{facility_link, notice};
use renraku_server::mail::{MailConfig, Mailer};
use renraku_server::notice::{Senders, run_worker};
use renraku_server::push::{PushConfig, Pusher};
use renraku_server::{chores, clock, run, serve, tls};
use renraku_wire::*;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

both!(
    public_forms_take_so_many_in_a_minute,
    links_that_expired_are_forgotten,
    without_a_mail_carrier_mails_wait,
    who_asks_nothing_is_hung_up_on,
);

async fn public_forms_take_so_many_in_a_minute(host: Host) {
    let town = host.town("one").await;
    let office = town.office().await;
    let public = town.public();
    let throttle = &host.server.app.throttle;
    let question = DiagnosisQuestion { login_id: None, mail_missing: false };
    let ticket = Town::certificate_request("0000-0000-0000", "wrong", &csr().1);
    // Each form alike, and what is refused counts as well.
    for (path, body) in [
        ("/facility-applications", serde_json::to_value(application("架空診療所")).unwrap()),
        ("/diagnosis", serde_json::to_value(&question).unwrap()),
        ("/certificates", serde_json::to_value(&ticket).unwrap()),
        ("/corrections/nonsense", serde_json::to_value(application("架空診療所")).unwrap()),
        (
            "/no-mail-reports",
            serde_json::json!({ "name": "架空診療所", "manager_mail": "a@example.invalid" }),
        ),
        ("/certificates/pkcs12", serde_json::json!({ "number": "1", "password": "x", "device_name": "PC" })),
    ] {
        throttle.allow(2);
        for _ in 0..2 {
            let answer = public.post(&town.path(path), &body).await;
            assert_ne!(answer.status, 429, "{path}");
        }
        let held = public.post(&town.path(path), &body).await;
        let wait: u64 = held.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=31).contains(&wait), "{path}: {wait}");
        held.refused(Code::TooManyRequests);
    }
    // A page answers as a page, with the same header; reading is not held back.
    let held = public.form("/one/no-mail", &[("name", "x"), ("manager_mail", "a@example.invalid")]).await;
    assert_eq!(held.status, 429);
    assert!(held.headers.contains_key("retry-after"));
    let text = String::from_utf8(held.body).unwrap();
    assert!(text.contains("<html") && text.contains(Code::TooManyRequests.sentence()), "{text}");
    for _ in 0..5 {
        public.get("/one").await.done();
        public.get(&town.path("/diagnosis")).await.done();
    }
    // Whoever has a certificate is nobody's stranger.
    for _ in 0..5 {
        office.post("/v1/devices/tickets", &NewTicket::another()).await.done();
    }
    throttle.allow(0);
    for _ in 0..5 {
        public.post(&town.path("/diagnosis"), &question).await.done();
    }
}

async fn links(host: &Host) -> i64 {
    let db = &host.server.app.db;
    db.read(async |c| Ok(run!(c, get_result, facility_link::table.count())?)).await.unwrap()
}

async fn links_that_expired_are_forgotten(host: Host) {
    let mute = host.without_mail().await;
    for (host, left) in [(&host, true), (&mute, false)] {
        let town = host.town("one").await;
        let office = town.office().await;
        let id = application("架空診療所");
        town.public().post(&town.path("/facility-applications"), &id).await.done();
        let why = FacilityReturn {
            id: NoticeId::new(),
            reason: "番地を確認してください".into(),
            mail: None,
            replaces: None,
        };
        office.post(&format!("/v1/facilities/{}/return", id.id), &why).await.done();
        if left {
            host.mails.nth("kanri@example.invalid", 0).await;
        }
        chores::hourly(&host.server.app).await.unwrap();
        assert_eq!(links(host).await, 1, "it still works");
        let tasks = async || office.get("/v1/tasks").await.ok::<Tasks>().tasks;
        let over = async || tasks().await.iter().any(|t| t.text.contains("訂正の期限が切れました"));
        assert!(!over().await);
        let db = &host.server.app.db;
        db.write(async |c| {
            let over = facility_link::expires_at.eq(clock::now() - 1);
            run!(c, execute, diesel::update(facility_link::table).set(over))?;
            Ok(())
        })
        .await
        .unwrap();
        for _ in 0..2 {
            chores::hourly(&host.server.app).await.unwrap();
        }
        assert_eq!(links(host).await, 0);
        // That nobody can correct the application any more is the office's task.
        assert!(over().await, "{:?}", tasks().await);
        // The letter with the link is gone too when it never left; the office needs not look after it.
        let held = async || -> i64 {
            let sealed = notice::table.filter(notice::sealed.is_not_null()).count();
            db.read(async |c| Ok(run!(c, get_result, sealed)?)).await.unwrap()
        };
        for _ in 0..100 {
            if held().await == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(held().await, 0);
        assert!(office.get("/v1/undelivered").await.ok::<Vec<Undelivered>>().is_empty());
        let record: FacilityRecord = office.get(&format!("/v1/facilities/{}", id.id)).await.ok();
        assert_eq!(record.file.unwrap().reason.as_deref(), Some("番地を確認してください"));
    }
}

async fn without_a_mail_carrier_mails_wait(host: Host) {
    let mute = host.without_mail().await;
    let town = mute.town("one").await;
    let office = town.office().await;
    town.facility(&office, "架空訪問看護").await;
    let app = &mute.server.app;
    let standing = async || -> Vec<(String, i32)> {
        app.db
            .read(async |c| Ok(run!(c, load, notice::table.select((notice::state, notice::tries)))?))
            .await
            .unwrap()
    };
    // The worker comes round several times.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(standing().await, [("queued".to_owned(), 0)]);
    assert!(office.get("/v1/undelivered").await.ok::<Vec<Undelivered>>().is_empty());
    let lying = async || {
        let tasks = office.get("/v1/tasks").await.ok::<Tasks>().tasks;
        tasks.into_iter().filter(|t| t.text.contains("送られずに待っています")).count()
    };
    assert_eq!(lying().await, 0, "it may leave at any moment");
    let back = async |by: i64| {
        app.db
            .write(async |c| {
                let due = notice::due_at.eq(clock::now() - by);
                run!(c, execute, diesel::update(notice::table).set(due))?;
                Ok(())
            })
            .await
            .unwrap();
    };
    back(11 * 60_000).await;
    assert_eq!(lying().await, 1);
    let page = String::from_utf8(office.get("/undelivered").await.done().body).unwrap();
    assert!(page.contains("id=\"lying\"") && page.contains("メール1件"), "{page}");
    // Once there is a carrier, they leave.
    let mailer = Mailer::new(&MailConfig {
        smtp_url: mute.mails.url.clone(),
        from: "連絡 <renraku@localhost.invalid>".into(),
        extra_root_pem: None,
    });
    let pusher = Pusher::new(&PushConfig::default()).unwrap();
    let senders = Arc::new(Senders { pusher, mailer: Some(mailer.unwrap()) });
    let worker = tokio::spawn(run_worker(app.clone(), senders));
    let mail = mute.mails.nth("kanri@example.invalid", 0).await;
    assert!(mail.body.contains("証明書取得用No"));
    worker.abort();
    assert_eq!(lying().await, 0);
}

async fn who_asks_nothing_is_hung_up_on(host: Host) {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(host.root.clone()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(tls::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let mut silent = JoinSet::new();
    for protocol in ["http/1.1", "h2"] {
        let mut config = config.clone();
        config.alpn_protocols = vec![protocol.into()];
        let stream = TcpStream::connect(host.server.public).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
        silent.spawn(async move { while let Ok(1..) = stream.read(&mut [0; 64]).await {} });
    }
    assert!(silent.try_join_next().is_none());
    tokio::time::timeout(serve::PATIENCE * 2, silent.join_all()).await.expect("both are hung up on");
}
