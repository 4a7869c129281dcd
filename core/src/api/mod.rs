//! The typed client: one method a route of the contract, on two hosts.
//!
//! [`Public`] needs no certificate; [`Care`] needs the device's certificate and, but for signing in, a
//! session. What crosses stands in `renraku-wire`. Not here: retrying, caching, what to do about a refusal.

mod admin;
mod care;
mod error;
mod probe;
mod public;
mod upload;

pub use care::Care;
pub use error::ApiError;
pub use public::Public;
pub use upload::Offset;

use crate::identity::KeyError;
use renraku_wire::{Code, Problem};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// A call's answer.
pub type ApiResult<T> = Result<T, ApiError>;

const CONNECT: Duration = Duration::from_secs(15);
/// Longest silence while an answer arrives.
const SILENCE: Duration = Duration::from_secs(30);
/// A whole exchange of JSON.
const EXCHANGE: Duration = Duration::from_secs(30);
/// A chunk of 256 KiB at 64 kbit/s takes half of this. Nothing is heard meanwhile.
const CHUNK: Duration = Duration::from_secs(75);
/// How long a server may be silent with a request open before it is asked for a sign of life.
const ALIVE: Duration = Duration::from_secs(20);
/// Longest wait for that sign.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);
/// Longest JSON answer that is read, in bytes. A page of posts stays far below.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// Why a certificate seems to be at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The care host said that it is revoked.
    Said,
    /// The care host said that a newer one took its place.
    Replaced,
    /// The care host said that its time is over, or an alert did.
    Expired,
    /// An alert in the handshake said that it is revoked, which anybody on the way may have put there.
    Alert,
    /// Its key is gone.
    KeyGone,
}

/// Told when a certificate seems to be at its end. Gives what is true instead of what was heard, if it is another
/// thing: the session went with its certificate, or it was replaced and not revoked.
pub(crate) type OnEnded =
    Arc<dyn Fn(Ended) -> Pin<Box<dyn Future<Output = Option<Code>> + Send>> + Send + Sync>;

/// Told when the care host says that the session is over.
pub(crate) type OnOver = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The way to one host.
#[derive(Clone)]
struct Http {
    client: reqwest::Client,
    /// Connections of their own for chunks. On a slow line a sign of life waits behind the chunk that is on its
    /// way, and so would every other request: there a silence says nothing before the chunk's time is over.
    uploads: reqwest::Client,
    tls: Arc<rustls::ClientConfig>,
    base: Url,
    on_ended: Option<OnEnded>,
    on_over: Option<OnOver>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Http").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}

impl Http {
    fn new(tls: rustls::ClientConfig, base: &str) -> ApiResult<Self> {
        let base = Url::parse(base).map_err(|_| ApiError::Nonsense("the host's address"))?;
        if base.scheme() != "https" || base.cannot_be_a_base() {
            return Err(ApiError::Nonsense("the host's address"));
        }
        let builder = |sign_of_life| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .https_only(true)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("renraku/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT)
                .http2_keep_alive_interval(ALIVE)
                .http2_keep_alive_timeout(sign_of_life)
        };
        let built = |builder: reqwest::ClientBuilder| {
            builder.build().map_err(|_| ApiError::Nonsense("the TLS settings"))
        };
        let client = built(builder(SIGN_OF_LIFE).read_timeout(SILENCE))?;
        let uploads = built(builder(CHUNK))?;
        Ok(Self { client, uploads, tls: Arc::new(tls), base, on_ended: None, on_over: None })
    }

    /// A request to the path made of these segments, each escaped.
    fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        self.client.request(method, self.url(segments)).timeout(EXCHANGE)
    }

    /// A request that carries a chunk.
    fn upload(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        self.uploads.request(method, self.url(segments)).timeout(CHUNK)
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        url
    }

    async fn send(&self, request: RequestBuilder) -> ApiResult<Response> {
        let error = match request.send().await {
            Ok(answer) if answer.status().is_success() => return Ok(answer),
            Ok(answer) => refusal(answer).await,
            Err(e) => self.explained(&e).await,
        };
        if let (ApiError::Refused { .. }, Some(Code::SessionInvalid), Some(on_over)) =
            (&error, error.code(), &self.on_over)
        {
            on_over().await;
        }
        let ended = match (&error, error.code()) {
            (ApiError::Key(KeyError::Gone), _) => Ended::KeyGone,
            (_, Some(Code::CertificateExpired)) => Ended::Expired,
            (ApiError::Refused { .. }, Some(Code::CertificateReplaced)) => Ended::Replaced,
            (ApiError::Refused { .. }, Some(Code::CertificateRevoked)) => Ended::Said,
            (_, Some(Code::CertificateRevoked)) => Ended::Alert,
            _ => return Err(error),
        };
        let Some(on_ended) = &self.on_ended else { return Err(error) };
        match on_ended(ended).await {
            None => Err(error),
            Some(code) => Err(ApiError::Refused { problem: Box::new(Problem::new(code)), retry_after: None }),
        }
    }

    async fn send_json<B: Serialize + ?Sized>(
        &self,
        request: RequestBuilder,
        body: &B,
    ) -> ApiResult<Response> {
        self.send(request.json(body)).await
    }

    async fn explained(&self, e: &reqwest::Error) -> ApiError {
        match ApiError::from_transport(e) {
            broken @ ApiError::Offline { sent: true } if !e.is_timeout() => {
                probe::refusal(self.tls.clone(), &self.base).await.unwrap_or(broken)
            }
            known => known,
        }
    }
}

/// Adds the session's token.
fn with_token(request: RequestBuilder, token: Option<&Zeroizing<String>>) -> RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token.as_str()),
        None => request,
    }
}

async fn decode<T: DeserializeOwned>(answer: Response) -> ApiResult<T> {
    let bytes = read(answer).await?;
    serde_json::from_slice(&bytes).map_err(|_| ApiError::Nonsense("the body"))
}

/// An answer without a body. A page in its place is not the server's, however friendly its status.
fn nothing(answer: Response) -> ApiResult<()> {
    if answer.status() == StatusCode::NO_CONTENT { Ok(()) } else { Err(ApiError::Nonsense("the status")) }
}

async fn read(mut answer: Response) -> ApiResult<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|e| ApiError::from_transport(&e))? {
        if bytes.len() + part.len() > ANSWER_BYTES {
            return Err(ApiError::Nonsense("the body's length"));
        }
        bytes.extend_from_slice(&part);
    }
    Ok(bytes)
}

/// What a refusal says. `HEAD` has no body: then the status tells the nearest code. What is not the server's own
/// (a proxy, a café's sign-in page) says nothing about the request, least of all that it was refused for good;
/// that the server is not there just now is believed to anybody, but not that it has not got the request.
async fn refusal(answer: Response) -> ApiError {
    let status = answer.status().as_u16();
    let header = |name| answer.headers().get(name).and_then(|v| v.to_str().ok());
    let retry_after = header(RETRY_AFTER).and_then(|v| v.parse().ok()).map(Duration::from_secs);
    let is_problem = header(CONTENT_TYPE).is_some_and(|v| v.starts_with("application/problem+json"));
    let told = match read(answer).await {
        Ok(bytes) if is_problem && !bytes.is_empty() => serde_json::from_slice::<Problem>(&bytes).ok(),
        Ok(bytes) if is_problem && bytes.is_empty() => nearest(status).map(Problem::new),
        _ => None,
    };
    let problem = told.or_else(|| {
        let away = matches!(status, 429 | 500 | 502..=504);
        away.then(|| Problem { status: status.clamp(429, 502), ..Problem::new(Code::Unavailable) })
    });
    match problem {
        Some(problem) => ApiError::Refused { problem: Box::new(problem), retry_after },
        None => ApiError::Nonsense("the status"),
    }
}

fn nearest(status: u16) -> Option<Code> {
    Some(match status {
        401 => Code::SessionInvalid,
        404 => Code::NotFound,
        409 => Code::StateConflict,
        413 => Code::BodyTooLarge,
        429 | 500 | 502..=504 => Code::Unavailable,
        _ => return None,
    })
}
