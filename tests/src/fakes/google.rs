//! Google's push service, HTTP v1: the token endpoint of a service account, and the send endpoint.

use super::{Listening, Once, Pki, Received, Record, fresh, json, page, script, stalled, verified};
use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Json, Path, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::post;
use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// A running fake. Device tokens that begin with `gone-`, `mismatch-`, `bad-`, `badfield-`, `busy-`,
/// `expired-` (once), `down-`, `html-`, `slow-` and `slowbody-` get the answer their name says; all
/// others are taken.
pub struct Google {
    /// Address of the send endpoint.
    pub url: String,
    /// The root to trust for it, PEM.
    pub root_pem: String,
    /// A service account's file, as Google hands it out, with this fake's token address.
    pub service_account_json: String,
    state: Arc<Service>,
    listening: Listening,
}

struct Service {
    public_key: Vec<u8>,
    /// What the assertion must be made out to; known once the port is.
    token_uri: OnceLock<String>,
    record: Record<Received>,
    handed_out: Mutex<HashSet<String>>,
    token_requests: AtomicUsize,
    expired: Once,
}

const PROJECT: &str = "renraku-fake";
const EMAIL: &str = "push@renraku-fake.iam.gserviceaccount.com";
const KEY_ID: &str = "0123456789abcdef";
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const FCM_ERROR: &str = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

impl Google {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// Without a free port, or without the command `openssl`, which makes the RSA key.
    pub async fn start(pki: &Pki) -> Self {
        let key_pem = rsa_key_pem();
        let der = PrivatePkcs8KeyDer::from_pem_slice(key_pem.as_bytes()).expect("openssl writes PKCS#8");
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("openssl makes valid keys");
        let state = Arc::new(Service {
            public_key: key.public_key().as_ref().to_vec(),
            token_uri: OnceLock::new(),
            record: Record::default(),
            handed_out: Mutex::default(),
            token_requests: AtomicUsize::new(0),
            expired: Once::default(),
        });
        let router = Router::new()
            .route("/token", post(token))
            .route("/v1/projects/{project}/messages:send", post(send))
            .fallback(|| async { failure(StatusCode::NOT_FOUND, "NOT_FOUND", None) })
            .with_state(state.clone());
        let listening = Listening::start(pki.server(&["h2"]), router).await;
        let token_uri = format!("{}/token", listening.url);
        let account = json!({
            "type": "service_account", "project_id": PROJECT, "private_key_id": KEY_ID, "private_key": key_pem,
            "client_email": EMAIL, "client_id": "1", "token_uri": token_uri,
        });
        state.token_uri.set(token_uri).expect("set once");
        Self {
            url: listening.url.clone(),
            root_pem: pki.root_pem(),
            service_account_json: account.to_string(),
            state,
            listening,
        }
    }

    /// Every push that was well-formed and allowed, in order, whatever was answered.
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

    /// How often an access token was asked for.
    #[must_use]
    pub fn token_requests(&self) -> usize {
        self.state.token_requests.load(Ordering::SeqCst)
    }

    /// Breaks every open connection.
    pub fn hang_up(&self) {
        self.listening.hang_up();
    }
}

/// One key for the process: making one takes longer than most tests.
fn rsa_key_pem() -> String {
    static KEY: OnceLock<String> = OnceLock::new();
    let make = || {
        let made = Command::new("openssl")
            .args(["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
            .output()
            .expect("the command openssl is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        String::from_utf8(made.stdout).expect("PEM is ASCII")
    };
    KEY.get_or_init(make).clone()
}

#[derive(Deserialize)]
struct Grant {
    grant_type: String,
    assertion: String,
}

async fn token(State(state): State<Arc<Service>>, Form(grant): Form<Grant>) -> Response<Body> {
    state.token_requests.fetch_add(1, Ordering::SeqCst);
    let denied = |error: &str, why: &str| {
        json(StatusCode::BAD_REQUEST, &json!({ "error": error, "error_description": why }))
    };
    if grant.grant_type != GRANT {
        return denied("unsupported_grant_type", "");
    }
    let checked = verified(&grant.assertion, ("RS256", &RSA_PKCS1_2048_8192_SHA256), &state.public_key);
    let claims = match checked {
        Ok((header, claims)) if header["kid"] == KEY_ID => claims,
        Ok(_) => return denied("invalid_grant", "unknown key"),
        Err(why) => return denied("invalid_grant", why),
    };
    let lives = claims["exp"].as_u64().zip(claims["iat"].as_u64()).map(|(exp, iat)| exp.saturating_sub(iat));
    if claims["iss"] != EMAIL
        || claims["aud"].as_str() != state.token_uri.get().map(String::as_str)
        || !fresh(&claims["iat"])
        || !lives.is_some_and(|s| (1..=3600).contains(&s))
    {
        return denied("invalid_grant", "claims");
    }
    if claims["scope"] != SCOPE {
        return denied("invalid_scope", "");
    }
    let token = format!("fake.{}", uuid::Uuid::now_v7().simple());
    state.handed_out.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone());
    json(StatusCode::OK, &json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" }))
}

fn failure(status: StatusCode, name: &str, detail: Option<Value>) -> Response<Body> {
    let details: Vec<_> = detail.into_iter().collect();
    json(
        status,
        &json!({ "error": {
        "code": status.as_u16(), "message": "as scripted", "status": name, "details": details,
    } }),
    )
}

fn fcm_error(code: &str) -> Option<Value> {
    Some(json!({ "@type": FCM_ERROR, "errorCode": code }))
}

fn bad_field(field: &str) -> Response<Body> {
    let detail = json!({ "@type": BAD_REQUEST, "fieldViolations": [{ "field": field, "description": "Invalid value" }] });
    failure(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", Some(detail))
}

async fn send(
    State(state): State<Arc<Service>>,
    Path(project): Path<String>,
    headers: HeaderMap,
    Json(payload): Json<Value>,
) -> Response<Body> {
    let at = Instant::now();
    let bearer =
        headers.get("authorization").and_then(|v| v.to_str().ok()).and_then(|a| a.strip_prefix("Bearer "));
    let known =
        bearer.is_some_and(|b| state.handed_out.lock().unwrap_or_else(PoisonError::into_inner).contains(b));
    if !known {
        return failure(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", None);
    }
    if project != PROJECT {
        return failure(StatusCode::FORBIDDEN, "PERMISSION_DENIED", None);
    }
    let message = &payload["message"];
    let Some(token) = message["token"].as_str().map(str::to_owned) else { return bad_field("message.token") };
    let data = message["data"].as_object();
    if data.is_some_and(|d| d.values().any(|v| !v.is_string())) || message.to_string().len() > 4096 {
        return bad_field("message.data");
    }
    let id = message["data"]["id"].as_str().unwrap_or_default().to_owned();
    let response = state.scripted(&token).await;
    state.record.add(Received { at, token, id, headers, payload, status: response.status() });
    response
}

impl Service {
    async fn scripted(&self, token: &str) -> Response<Body> {
        match script(token) {
            "gone" => failure(StatusCode::NOT_FOUND, "NOT_FOUND", fcm_error("UNREGISTERED")),
            "mismatch" => {
                failure(StatusCode::FORBIDDEN, "PERMISSION_DENIED", fcm_error("SENDER_ID_MISMATCH"))
            }
            "bad" => failure(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", fcm_error("INVALID_ARGUMENT")),
            "badfield" => bad_field("message.android.ttl"),
            "busy" => {
                let detail = fcm_error("QUOTA_EXCEEDED");
                let mut busy = failure(StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED", detail);
                busy.headers_mut().insert("retry-after", 7.into());
                busy
            }
            "expired" if self.expired.first(token) => {
                self.handed_out.lock().unwrap_or_else(PoisonError::into_inner).clear();
                failure(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", None)
            }
            "down" => failure(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", fcm_error("UNAVAILABLE")),
            "html" => page(StatusCode::NON_AUTHORITATIVE_INFORMATION),
            "slowbody" => stalled(StatusCode::BAD_REQUEST),
            "slow" => {
                tokio::time::sleep(Duration::from_secs(30)).await;
                taken()
            }
            _ => taken(),
        }
    }
}

fn taken() -> Response<Body> {
    let name = format!("projects/{PROJECT}/messages/{}", uuid::Uuid::now_v7().simple());
    json(StatusCode::OK, &json!({ "name": name }))
}
