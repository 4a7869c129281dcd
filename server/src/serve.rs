//! The composition root: opens everything, listens on both hosts, runs the workers.

use crate::config::{MailArgs, PushArgs, ServeConfig};
use crate::db::Db;
use crate::error::AppError;
use crate::hashing::Hashing;
use crate::mail::{MailConfig, Mailer};
use crate::notice::{self, Senders};
use crate::push::{ApnsConfig, FcmConfig, PushConfig, Pusher};
use crate::secret::OperatorSecret;
use crate::state::App;
use crate::storage::Storage;
use crate::tls::{self, CareVerifier, HostCertificate, Peer};
use crate::{chores, router, setup, unread};
use axum::body::Body;
use axum::http::Request;
use axum::{Extension, Router, middleware};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tower::ServiceBuilder;

/// How long a client may take for the handshake, for its first request and, on HTTP/1, for the head of each: one
/// that has nothing to ask for so long is hung up on.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// Connections at once; further ones wait in the system's queue.
const CONNECTIONS: usize = 4_096;

/// A running server. Dropping it stops it at once; [`Server::stop`] lets requests end first.
#[derive(Debug)]
pub struct Server {
    /// The shared state.
    pub app: App,
    /// Where the public host listens.
    pub public: SocketAddr,
    /// Where the care host listens.
    pub care: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    _lock: std::fs::File,
}

impl Server {
    /// Opens data, secret and certificates, binds both hosts and starts the workers.
    ///
    /// # Errors
    /// A sentence that says what to do; then nothing was changed.
    pub async fn start(config: &ServeConfig) -> Result<Self, AppError> {
        let secret = OperatorSecret::read(&config.data.secret_path())?;
        let lock = config.data.lock(false)?;
        let host_folder = config.data.data.join("host");
        if config.tls_certificate.is_none() {
            HostCertificate::check(&host_folder)?;
        }
        let db = open_database(config, &secret).await?;
        setup::ceremony::check_authorities(&db, &secret).await?;
        let storage = Storage::folder(&config.data.data.join("media"), secret.clone())?;
        let senders = Arc::new(Senders {
            pusher: pusher(&config.push)?,
            mailer: mailer(&config.mail, config.push.extra_root.as_deref())?,
        });
        let (public_listener, care_listener) =
            (bind(config.public_listen).await?, bind(config.care_listen).await?);
        let address = |l: &TcpListener| l.local_addr().map_err(|e| AppError::internal(e.to_string()));
        let (public, care) = (address(&public_listener)?, address(&care_listener)?);
        let url = |given: &Option<String>, at: SocketAddr| {
            given.clone().unwrap_or_else(|| format!("https://localhost:{}", at.port()))
        };
        let public_url = url(&config.public_url, public).trim_end_matches('/').to_owned();
        let care_url = url(&config.care_url, care).trim_end_matches('/').to_owned();
        let host = host_certificate(config, &[&public_url, &care_url])?;
        let verifier = Arc::new(CareVerifier::new(tls::provider()));
        let app = App::new(
            db,
            storage,
            secret,
            public_url,
            care_url,
            verifier.clone(),
            Hashing::new(config.password_cost),
        );
        app.throttle.allow(config.public_forms_per_minute);
        app.load_authorities().await?;
        let broken =
            |e: rustls::Error| AppError::internal(format!("the TLS certificate cannot be used: {e}"));
        let public_tls = TlsAcceptor::from(Arc::new(tls::public_config(&host).map_err(broken)?));
        let care_tls = TlsAcceptor::from(Arc::new(tls::care_config(&host, verifier).map_err(broken)?));
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(public_listener, public_tls, router::public(app.clone()), stopped.clone()));
        tasks.spawn(listen(care_listener, care_tls, router::care(app.clone()), stopped));
        tasks.spawn(notice::run_worker(app.clone(), senders));
        tasks.spawn(chores::run(app.clone()));
        Ok(Self { app, public, care, stop, tasks, _lock: lock })
    }

    /// Takes no new connections, lets running requests end (at most ten seconds), stores what is held.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let _ = tokio::time::timeout(Duration::from_secs(10), async {
            while self.stop.receiver_count() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await;
        self.tasks.abort_all();
        if let Err(e) = self.app.seen.store(&self.app.db).await {
            let _ = e.into_problem();
        }
    }
}

/// Opens the database that the configuration names.
///
/// # Errors
/// A sentence that says what to do.
pub async fn open_database(config: &ServeConfig, secret: &OperatorSecret) -> Result<Db, AppError> {
    Db::open_any(&config.data.database_url(), &secret.database_keys()).await
}

async fn bind(address: SocketAddr) -> Result<TcpListener, AppError> {
    TcpListener::bind(address)
        .await
        .map_err(|e| AppError::internal(format!("cannot listen on {address}: {e}; choose another address")))
}

fn host_certificate(config: &ServeConfig, urls: &[&str]) -> Result<HostCertificate, AppError> {
    if let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) {
        return HostCertificate::read(certificate, key);
    }
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    for url in urls {
        let host = url.parse::<axum::http::Uri>().ok().and_then(|u| u.host().map(str::to_owned));
        names.extend(host.filter(|h| !names.contains(h)));
    }
    HostCertificate::in_folder(&config.data.data.join("host"), &names)
}

fn text(path: &Path) -> Result<String, AppError> {
    std::fs::read_to_string(path)
        .map_err(|e| AppError::internal(format!("{} cannot be read: {e}", path.display())))
}

fn pusher(args: &PushArgs) -> Result<Pusher, AppError> {
    let root = args.extra_root.as_deref().map(text).transpose()?;
    let apns = match &args.apns_key {
        Some(key) => Some(ApnsConfig {
            key_p8_pem: text(key)?,
            key_id: args.apns_key_id.clone(),
            team_id: args.apns_team_id.clone(),
            topic: args.apns_topic.clone(),
            endpoint: args.apns_endpoint.clone().unwrap_or_else(|| crate::push::APNS_ENDPOINT.to_owned()),
            extra_root_pem: root.clone(),
        }),
        None => None,
    };
    let fcm = match &args.fcm_account {
        Some(account) => Some(FcmConfig {
            service_account_json: text(account)?,
            endpoint: args.fcm_endpoint.clone().unwrap_or_else(|| crate::push::FCM_ENDPOINT.to_owned()),
            extra_root_pem: root,
        }),
        None => None,
    };
    let config = PushConfig { apns, fcm, ..PushConfig::default() };
    Pusher::new(&config).map_err(|e| AppError::internal(format!("pushes cannot be set up: {e}")))
}

fn mailer(args: &MailArgs, root: Option<&Path>) -> Result<Option<Mailer>, AppError> {
    let Some(url) = &args.smtp else { return Ok(None) };
    let config = MailConfig {
        smtp_url: url.clone(),
        from: args.mail_from.clone(),
        extra_root_pem: root.map(text).transpose()?,
    };
    Mailer::new(&config).map(Some).map_err(|e| AppError::internal(format!("mail cannot be set up: {e}")))
}

async fn listen(listener: TcpListener, tls: TlsAcceptor, router: Router, mut stop: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(e) => {
                    // Out of file descriptors, most likely: wait for some to come free.
                    tracing::warn!(error = %e, "a connection could not be taken");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            _ = stop.changed() => return,
        };
        let (tls, router, stop) = (tls.clone(), router.clone(), stop.clone());
        tokio::spawn(async move {
            connection(stream, tls, router, stop).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, router: Router, mut stop: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, tls.accept(stream)).await else { return };
    let Ok(address) = stream.get_ref().0.peer_addr() else { return };
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let peer = Peer::of(certificate.map(|c| c.as_ref()));
    let asked = Arc::new(AtomicBool::new(false));
    let heard = asked.clone();
    // Around the router as a whole: its own layers would be put around every route, for each connection.
    let service = ServiceBuilder::new()
        .map_request(move |request: Request<Incoming>| {
            heard.store(true, Ordering::Relaxed);
            request.map(Body::new)
        })
        .layer(middleware::from_fn(unread::finish))
        .layer(Extension(peer))
        .layer(Extension(crate::throttle::Address(address.ip())))
        .service(router);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(Duration::from_secs(30)))
        .max_concurrent_streams(100);
    let serving =
        builder.serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service));
    tokio::pin!(serving);
    tokio::select! {
        _ = &mut serving => {}
        () = silence(&asked) => {}
        _ = stop.changed() => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }
}

/// Ends when nothing was asked for too long after the handshake; never, once something was.
async fn silence(asked: &AtomicBool) {
    tokio::time::sleep(PATIENCE).await;
    if asked.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_who_asked_nothing_is_hung_up_on() {
        let asked = AtomicBool::new(false);
        assert!(tokio::time::timeout(PATIENCE / 2, silence(&asked)).await.is_err());
        assert!(tokio::time::timeout(PATIENCE * 2, silence(&asked)).await.is_ok());
        asked.store(true, Ordering::Relaxed);
        assert!(tokio::time::timeout(PATIENCE * 99, silence(&asked)).await.is_err());
    }
}
