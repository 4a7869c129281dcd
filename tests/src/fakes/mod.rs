//! Fake Apple, Google and mail: the real protocols over real sockets and TLS on 127.0.0.1, so that the
//! server that is tested is the one that ships. They check what they are sent as strictly as the real
//! ones, keep it, and answer by the first part of the device token or address.
//!
//! Not here: anything of ours. A fake knows its service's documents, not this project's code.

mod apns;
mod google;
mod pki;
mod smtp;

pub use apns::Apns;
pub use google::Google;
pub use pki::Pki;
pub use smtp::{Received as ReceivedMail, Smtp};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use ring::signature::{UnparsedPublicKey, VerificationAlgorithm};
use rustls::ServerConfig;
use serde_json::Value;
use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// One push as a fake service got it.
#[derive(Clone, Debug)]
pub struct Received {
    /// When its last byte was read.
    pub at: Instant,
    /// The device token.
    pub token: String,
    /// The push's id: the `apns-id` header, or `data.id` of a message to Google.
    pub id: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub payload: Value,
    /// What the fake answered.
    pub status: StatusCode,
}

/// A list that a test can wait on.
pub(crate) struct Record<T> {
    items: Mutex<Vec<T>>,
    grown: Notify,
}

impl<T> Default for Record<T> {
    fn default() -> Self {
        Self { items: Mutex::default(), grown: Notify::new() }
    }
}

impl<T: Clone> Record<T> {
    fn add(&self, item: T) {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).push(item);
        self.grown.notify_waiters();
    }

    fn all(&self) -> Vec<T> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Those that `counts`, once there are `n` of them or the time is over.
    async fn wait_for(&self, n: usize, timeout: Duration, counts: impl Fn(&T) -> bool) -> Vec<T> {
        let enough = async {
            loop {
                let grown = self.grown.notified();
                tokio::pin!(grown);
                grown.as_mut().enable();
                if self.all().iter().filter(|i| counts(i)).count() >= n {
                    return;
                }
                grown.await;
            }
        };
        let _ = tokio::time::timeout(timeout, enough).await;
        self.all().into_iter().filter(|i| counts(i)).collect()
    }
}

/// A server on an ephemeral port; gone with all its connections when dropped.
pub(crate) struct Listening {
    url: String,
    connections: Arc<AtomicUsize>,
    hang_up: watch::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Listening {
    /// Serves HTTP/2 over TLS.
    async fn start(tls: Arc<ServerConfig>, router: Router) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let url = format!("https://localhost:{}", listener.local_addr().expect("bound").port());
        let connections = Arc::new(AtomicUsize::new(0));
        let (hang_up, ended) = watch::channel(());
        let accepting =
            tokio::spawn(accept(listener, TlsAcceptor::from(tls), router, connections.clone(), ended));
        Self { url, connections, hang_up, accepting }
    }

    /// How many connections finished their TLS handshake so far.
    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Breaks every open connection; new ones are accepted.
    fn hang_up(&self) {
        self.hang_up.send_replace(());
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(
    listener: TcpListener,
    tls: TlsAcceptor,
    router: Router,
    connections: Arc<AtomicUsize>,
    ended: watch::Receiver<()>,
) {
    let mut open = JoinSet::new();
    while let Ok((tcp, _)) = listener.accept().await {
        while open.try_join_next().is_some() {}
        let (tls, router, connections, mut ended) =
            (tls.clone(), router.clone(), connections.clone(), ended.clone());
        ended.mark_unchanged();
        open.spawn(async move {
            let _ = tcp.set_nodelay(true);
            let Ok(stream) = tls.accept(tcp).await else { return };
            // Both services speak nothing else.
            if stream.get_ref().1.alpn_protocol() != Some(b"h2") {
                return;
            }
            connections.fetch_add(1, Ordering::SeqCst);
            let service = TowerToHyperService::new(router);
            let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                _ = served => {}
                _ = ended.changed() => {}
            }
        });
    }
}

/// A JSON answer.
fn json(status: StatusCode, body: &Value) -> Response<Body> {
    answer(status, "application/json", Body::from(body.to_string()))
}

/// What a box in between answers: a page.
fn page(status: StatusCode) -> Response<Body> {
    answer(status, "text/html", Body::from("<html><body>おや</body></html>"))
}

/// An answer that begins and never ends.
fn stalled(status: StatusCode) -> Response<Body> {
    let begun = futures_util::stream::once(async { Ok::<_, std::convert::Infallible>("{") });
    let never = futures_util::stream::pending();
    answer(status, "application/json", Body::from_stream(futures_util::StreamExt::chain(begun, never)))
}

fn answer(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", axum::http::HeaderValue::from_static(kind));
    response
}

/// True the first time a key is asked for.
#[derive(Default)]
struct Once(Mutex<HashSet<String>>);

impl Once {
    fn first(&self, key: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned())
    }
}

/// Header and claims of a compact JWT whose signature fits; what is wrong with it otherwise.
fn verified(
    token: &str,
    algorithm: (&str, &'static dyn VerificationAlgorithm),
    public_key: &[u8],
) -> Result<(Value, Value), &'static str> {
    let (signed, signature) = token.rsplit_once('.').ok_or("not three parts")?;
    let (header, claims) = signed.split_once('.').ok_or("not three parts")?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| "not base64url without padding");
    let json = |part: &str| serde_json::from_slice::<Value>(&decode(part)?).map_err(|_| "not JSON");
    let (header, claims) = (json(header)?, json(claims)?);
    if header["alg"] != algorithm.0 {
        return Err("another algorithm");
    }
    UnparsedPublicKey::new(algorithm.1, public_key)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| "the signature does not fit")?;
    Ok((header, claims))
}

/// Whether `iat` lies within the last hour, give or take a minute of clock.
fn fresh(iat: &Value) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    iat.as_u64().is_some_and(|iat| iat <= now + 60 && iat + 3600 > now)
}

/// The first part of a device token picks the answer: `gone-7` is `gone`.
fn script(token: &str) -> &str {
    token.split_once('-').map_or("", |(first, _)| first)
}
