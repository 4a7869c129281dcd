//! Apple's push service, as its documents describe it: HTTP/2, provider tokens, headers, reasons.

use super::{Listening, Once, Pki, Received, Record, fresh, json, page, script, stalled, verified};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Version};
use rcgen::{KeyPair, PublicKeyData};
use ring::signature::ECDSA_P256_SHA256_FIXED;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A running fake. Device tokens that begin with `gone-`, `bad-`, `busy-`, `expired-` (once), `down-`,
/// `html-`, `slow-` and `slowbody-` get the answer their name says; all others are taken.
pub struct Apns {
    /// Its address.
    pub url: String,
    /// The root to trust for it, PEM.
    pub root_pem: String,
    /// The provider's signing key, PEM.
    pub key_p8_pem: String,
    /// The id of that key.
    pub key_id: String,
    /// The team.
    pub team_id: String,
    /// The app.
    pub topic: String,
    state: Arc<Service>,
    listening: Listening,
}

struct Service {
    public_key: Vec<u8>,
    record: Record<Received>,
    provider_tokens: Mutex<HashSet<String>>,
    expired: Once,
}

const KEY_ID: &str = "FAKEKEY123";
const TEAM_ID: &str = "FAKETEAM12";
const TOPIC: &str = "jp.renraku.app";
/// The `timestamp` of a 410 answer, UTC milliseconds.
const GONE_SINCE: u64 = 1_700_000_000_000;

impl Apns {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// Without a free port or randomness.
    pub async fn start(pki: &Pki) -> Self {
        let key = KeyPair::generate().expect("randomness");
        let state = Arc::new(Service {
            public_key: key.der_bytes().to_vec(),
            record: Record::default(),
            provider_tokens: Mutex::default(),
            expired: Once::default(),
        });
        let router = Router::new()
            .route("/3/device/{token}", axum::routing::any(device))
            .fallback(|| async { refuse(StatusCode::NOT_FOUND, "BadPath") })
            .with_state(state.clone());
        let listening = Listening::start(pki.server(&["h2"]), router).await;
        Self {
            url: listening.url.clone(),
            root_pem: pki.root_pem(),
            key_p8_pem: key.serialize_pem(),
            key_id: KEY_ID.into(),
            team_id: TEAM_ID.into(),
            topic: TOPIC.into(),
            state,
            listening,
        }
    }

    /// Every push that was well-formed and signed, in order, whatever was answered.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.state.record.all()
    }

    /// The pushes taken, once there are `n` or the time is over.
    pub async fn wait_for(&self, n: usize, timeout: Duration) -> Vec<Received> {
        self.state.record.wait_for(n, timeout, |r| r.status == StatusCode::OK).await
    }

    /// How many connections were made so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.listening.connections()
    }

    /// How many different provider tokens were seen so far.
    #[must_use]
    pub fn provider_tokens(&self) -> usize {
        self.state.provider_tokens.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Breaks every open connection.
    pub fn hang_up(&self) {
        self.listening.hang_up();
    }
}

fn refuse(status: StatusCode, reason: &str) -> Response<Body> {
    json(status, &json!({ "reason": reason }))
}

async fn device(
    State(state): State<Arc<Service>>,
    Path(token): Path<String>,
    method: Method,
    version: Version,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let at = Instant::now();
    if method != Method::POST || version != Version::HTTP_2 {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed");
    }
    let (id, payload) = match state.checked(&headers, &body) {
        Ok(push) => push,
        Err((status, reason)) => return refuse(status, reason),
    };
    let mut response = state.scripted(&token).await;
    if let Ok(id) = id.parse() {
        response.headers_mut().insert("apns-id", id);
    }
    state.record.add(Received { at, token, id, headers, payload, status: response.status() });
    response
}

impl Service {
    fn checked(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(String, Value), (StatusCode, &'static str)> {
        let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
        let bad = |reason| Err((StatusCode::BAD_REQUEST, reason));
        let bearer = header("authorization").and_then(|a| a.strip_prefix("bearer "));
        let Some(bearer) = bearer else { return Err((StatusCode::FORBIDDEN, "MissingProviderToken")) };
        let (head, claims) = verified(bearer, ("ES256", &ECDSA_P256_SHA256_FIXED), &self.public_key)
            .map_err(|_| (StatusCode::FORBIDDEN, "InvalidProviderToken"))?;
        if head["kid"] != KEY_ID || claims["iss"] != TEAM_ID {
            return Err((StatusCode::FORBIDDEN, "InvalidProviderToken"));
        }
        if !fresh(&claims["iat"]) {
            return Err((StatusCode::FORBIDDEN, "ExpiredProviderToken"));
        }
        self.provider_tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(bearer.to_owned());
        if header("apns-topic") != Some(TOPIC) {
            return bad("BadTopic");
        }
        if header("apns-push-type") != Some("alert") {
            return bad("InvalidPushType");
        }
        if header("apns-priority").is_some_and(|p| !matches!(p, "1" | "5" | "10")) {
            return bad("BadPriority");
        }
        if header("apns-expiration").is_some_and(|e| e.parse::<u64>().is_err()) {
            return bad("BadExpirationDate");
        }
        let id = match header("apns-id") {
            Some(id) if uuid::Uuid::parse_str(id).is_ok() => id.to_owned(),
            Some(_) => return bad("BadMessageId"),
            None => uuid::Uuid::now_v7().to_string(),
        };
        if body.len() > 4096 {
            return Err((StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge"));
        }
        match serde_json::from_slice::<Value>(body) {
            Ok(payload) if payload["aps"].is_object() => Ok((id, payload)),
            _ => bad("PayloadEmpty"),
        }
    }

    async fn scripted(&self, token: &str) -> Response<Body> {
        match script(token) {
            "gone" => json(StatusCode::GONE, &json!({ "reason": "Unregistered", "timestamp": GONE_SINCE })),
            "bad" => refuse(StatusCode::BAD_REQUEST, "BadDeviceToken"),
            "busy" => {
                let mut busy = refuse(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests");
                busy.headers_mut().insert("retry-after", 7.into());
                busy
            }
            "expired" if self.expired.first(token) => refuse(StatusCode::FORBIDDEN, "ExpiredProviderToken"),
            "down" => refuse(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
            "html" => page(StatusCode::BAD_GATEWAY),
            "slowbody" => stalled(StatusCode::BAD_REQUEST),
            "slow" => {
                tokio::time::sleep(Duration::from_secs(30)).await;
                Response::new(Body::empty())
            }
            _ => Response::new(Body::empty()),
        }
    }
}
