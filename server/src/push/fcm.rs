//! Google's service, HTTP v1: the request, the access token, and what each answer means.

use super::credential::{Credential, Held, Made, NoCredential};
use super::exchange::{self, Exchange, Reply};
use super::jwt::{SigningKey, unix_now};
use super::{AFTER_BAD_CREDENTIALS, FCM_ENDPOINT, FcmConfig, KEPT_FOR, Outcome, PushConfigError, plain_word};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use renraku_wire::PushPayload;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

const SERVICE: &str = "fcm";
const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
const FCM_ERROR: &str = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";
/// An access token is put away this long before Google would.
const SPARE: Duration = Duration::from_secs(120);
/// A token turned down while still young is replaced, but not in a loop.
const RENEWED_AT_MOST_EVERY: Duration = Duration::from_secs(60);

/// A sender to one project on Google's service.
pub(super) struct Fcm {
    exchange: Exchange,
    send_to: String,
    token_uri: String,
    key: SigningKey,
    key_id: String,
    client_email: String,
    credential: Credential,
}

#[derive(Deserialize)]
struct ServiceAccount {
    project_id: String,
    private_key_id: String,
    private_key: String,
    client_email: String,
    token_uri: String,
}

impl Fcm {
    pub fn new(config: &FcmConfig, limit: Duration) -> Result<Self, PushConfigError> {
        let bad = |name| PushConfigError::Field(SERVICE, name);
        let account: ServiceAccount =
            serde_json::from_str(&config.service_account_json).map_err(|_| bad("service account"))?;
        let project = &account.project_id;
        if project.is_empty() || !project.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b)) {
            return Err(bad("project_id"));
        }
        let uri: http::Uri = account.token_uri.parse().map_err(|_| bad("token_uri"))?;
        if uri.scheme_str() != Some("https") || uri.authority().is_none() {
            return Err(bad("token_uri"));
        }
        if account.token_uri != TOKEN_URI {
            tracing::warn!(service = SERVICE, token_uri = %uri, "access tokens do not come from the usual service");
        }
        let base = exchange::base(SERVICE, FCM_ENDPOINT, &config.endpoint)?;
        Ok(Self {
            exchange: Exchange::new(SERVICE, config.extra_root_pem.as_deref(), limit)?,
            send_to: format!("{base}/v1/projects/{project}/messages:send"),
            key: SigningKey::rs256(&account.private_key).map_err(|why| PushConfigError::Key(SERVICE, why))?,
            key_id: account.private_key_id,
            client_email: account.client_email,
            token_uri: account.token_uri,
            credential: Credential::default(),
        })
    }

    pub async fn send(&self, token: &str, payload: &PushPayload) -> Outcome {
        let mut held = match self.credential.get(self.fetch_token()).await {
            Ok(held) => held,
            Err(why) => return why.into(),
        };
        let mut renewed = false;
        loop {
            let request = match self.request(token, payload, &held) {
                Ok(request) => request,
                Err(reason) => return Outcome::Refused { reason },
            };
            let reply = match self.exchange.send(request).await {
                Ok(reply) => reply,
                Err(reason) => return Outcome::Retry { after: None, reason },
            };
            if reply.status != StatusCode::UNAUTHORIZED || renewed {
                return read(&reply);
            }
            renewed = true;
            held = match self.credential.renew(&held, RENEWED_AT_MOST_EVERY, self.fetch_token()).await {
                Ok(held) => held,
                Err(why) => return why.into(),
            };
        }
    }

    fn request(
        &self,
        token: &str,
        payload: &PushPayload,
        held: &Held,
    ) -> Result<Request<Full<Bytes>>, String> {
        let body = serde_json::to_vec(&Send { message: message(token, payload) })
            .map_err(|_| "the message cannot be written".to_owned())?;
        Request::post(&self.send_to)
            .header(AUTHORIZATION, held.header.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .map_err(|_| "the request cannot be written".to_owned())
    }

    /// Trades an assertion signed with the service account's key for an access token (RFC 7523).
    async fn fetch_token(&self) -> Made {
        let none = |reason: &str| NoCredential { after: None, reason: format!("{SERVICE} token: {reason}") };
        let now = unix_now();
        let claims = json!({
            "iss": self.client_email, "scope": SCOPE, "aud": self.token_uri, "iat": now, "exp": now + 3600,
        });
        let assertion = self.key.sign(&self.key_id, &claims).map_err(|_| none("cannot be signed for"))?;
        let request = Request::post(&self.token_uri)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(format!("grant_type={GRANT}&assertion={assertion}")))
            .map_err(|_| none("the request cannot be written"))?;
        let reply = self.exchange.send(request).await.map_err(|why| none(&why))?;
        read_token(&reply)
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: u64,
}

#[derive(Default, Deserialize)]
struct TokenError {
    #[serde(default)]
    error: String,
}

fn read_token(reply: &Reply) -> Made {
    if reply.status != StatusCode::OK {
        let told: TokenError = serde_json::from_slice(&reply.body).unwrap_or_default();
        let wait = reply.status.is_client_error().then_some(AFTER_BAD_CREDENTIALS);
        let reason = format!("{SERVICE} token: {} {}", reply.status.as_u16(), plain_word(&told.error));
        return Err(NoCredential { after: reply.retry_after.or(wait), reason });
    }
    let unread = || NoCredential { after: None, reason: format!("{SERVICE} token: 200 that cannot be read") };
    let token: Token = serde_json::from_slice(&reply.body).map_err(|_| unread())?;
    let header = HeaderValue::try_from(format!("Bearer {}", token.access_token)).map_err(|_| unread())?;
    Ok((header, Duration::from_secs(token.expires_in).saturating_sub(SPARE)))
}

#[derive(Serialize)]
struct Send<'a> {
    message: Message<'a>,
}

/// `projects.messages`, the fields that are used.
#[derive(Serialize)]
struct Message<'a> {
    token: &'a str,
    data: &'a PushPayload,
    notification: Notification,
    android: Android,
}

#[derive(Serialize)]
struct Notification {
    body: &'static str,
}

#[derive(Serialize)]
struct Android {
    priority: &'static str,
    ttl: String,
}

/// The whole message: a generic line, a kind and an id. `data` takes texts only, which both are.
fn message<'a>(token: &'a str, payload: &'a PushPayload) -> Message<'a> {
    Message {
        token,
        data: payload,
        notification: Notification { body: payload.kind.line() },
        android: Android { priority: "high", ttl: format!("{}s", KEPT_FOR.as_secs()) },
    }
}

/// `google.rpc.Status`, the fields that are used.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Failure {
    error: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    status: String,
    details: Vec<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    #[serde(rename = "@type")]
    kind: String,
    error_code: String,
    field_violations: Vec<Violation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Violation {
    field: String,
}

/// The service's own code for this failure; other layers of Google's answer without one.
fn fcm_code(details: &[Detail]) -> Option<&str> {
    details.iter().find(|d| d.kind == FCM_ERROR).map(|d| d.error_code.as_str())
}

/// Whether a part of the message other than the token is blamed.
fn blames_message(details: &[Detail]) -> bool {
    let mut bad = details.iter().filter(|d| d.kind == BAD_REQUEST);
    bad.any(|d| d.field_violations.iter().any(|v| v.field != "message.token"))
}

/// Decides by the status first; a body that cannot be read changes nothing of that.
fn read(reply: &Reply) -> Outcome {
    let code = reply.status.as_u16();
    if reply.status.is_success() {
        // Only the service itself names the message; a page of something in between does not.
        let named =
            serde_json::from_slice::<serde_json::Value>(&reply.body).is_ok_and(|v| v["name"].is_string());
        let unread =
            || Outcome::Retry { after: None, reason: format!("{SERVICE} {code} that cannot be read") };
        return if named { Outcome::Delivered } else { unread() };
    }
    let Failure { error: Status { status, details } } =
        serde_json::from_slice(&reply.body).unwrap_or_default();
    let fcm_code = fcm_code(&details);
    let reason = format!("{SERVICE} {code} {}", plain_word(fcm_code.unwrap_or(&status)));
    let retry = |usual| Outcome::Retry { after: reply.retry_after.or(usual), reason: reason.clone() };
    match (reply.status, fcm_code) {
        (StatusCode::NOT_FOUND, Some("UNREGISTERED"))
        | (StatusCode::FORBIDDEN, Some("SENDER_ID_MISMATCH")) => Outcome::DeadToken { since_ms: None },
        (StatusCode::BAD_REQUEST, Some("INVALID_ARGUMENT")) if !blames_message(&details) => {
            Outcome::DeadToken { since_ms: None }
        }
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => retry(Some(AFTER_BAD_CREDENTIALS)),
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT, _) => retry(None),
        (status, _) if status.is_server_error() => retry(None),
        _ => Outcome::Refused { reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use renraku_wire::{NoticeId, NoticeKind};

    fn reply(status: u16, body: &str) -> Reply {
        let status = StatusCode::from_u16(status).unwrap();
        Reply { status, retry_after: None, body: Bytes::from(body.to_owned()) }
    }

    fn failure(status: &str, code: Option<&str>, fields: &[&str]) -> String {
        let mut details = Vec::new();
        if !fields.is_empty() {
            let fields: Vec<_> = fields.iter().map(|f| json!({ "field": f, "description": "…" })).collect();
            details.push(json!({ "@type": BAD_REQUEST, "fieldViolations": fields }));
        }
        if let Some(code) = code {
            details.push(json!({ "@type": FCM_ERROR, "errorCode": code }));
        }
        json!({ "error": { "code": 0, "message": "…", "status": status, "details": details } }).to_string()
    }

    #[test]
    fn each_answer_has_its_meaning() {
        let dead = Outcome::DeadToken { since_ms: None };
        let refused = |reason: &str| Outcome::Refused { reason: reason.into() };
        let retry = |after: Option<u64>, reason: &str| Outcome::Retry {
            after: after.map(Duration::from_secs),
            reason: reason.into(),
        };
        let invalid = |code, fields| failure("INVALID_ARGUMENT", code, fields);
        let arg = Some("INVALID_ARGUMENT");
        let table = [
            (200, r#"{"name":"projects/p/messages/1"}"#.to_owned(), Outcome::Delivered),
            (200, "<html>".into(), retry(None, "fcm 200 that cannot be read")),
            (404, failure("NOT_FOUND", Some("UNREGISTERED"), &[]), dead.clone()),
            (404, failure("NOT_FOUND", None, &[]), refused("fcm 404 NOT_FOUND")),
            (404, "<html>".into(), refused("fcm 404 no reason given")),
            (403, failure("PERMISSION_DENIED", Some("SENDER_ID_MISMATCH"), &[]), dead.clone()),
            (403, failure("PERMISSION_DENIED", None, &[]), retry(Some(300), "fcm 403 PERMISSION_DENIED")),
            (400, invalid(arg, &[]), dead.clone()),
            (400, invalid(arg, &["message.token"]), dead),
            (400, invalid(arg, &["message.android.ttl"]), refused("fcm 400 INVALID_ARGUMENT")),
            (400, invalid(None, &["message.data"]), refused("fcm 400 INVALID_ARGUMENT")),
            (400, invalid(None, &[]), refused("fcm 400 INVALID_ARGUMENT")),
            (401, failure("UNAUTHENTICATED", None, &[]), retry(Some(300), "fcm 401 UNAUTHENTICATED")),
            (
                429,
                failure("RESOURCE_EXHAUSTED", Some("QUOTA_EXCEEDED"), &[]),
                retry(None, "fcm 429 QUOTA_EXCEEDED"),
            ),
            (500, "".into(), retry(None, "fcm 500 no reason given")),
            (503, failure("UNAVAILABLE", Some("UNAVAILABLE"), &[]), retry(None, "fcm 503 UNAVAILABLE")),
        ];
        for (status, body, meaning) in table {
            assert_eq!(read(&reply(status, &body)), meaning, "{status} {body}");
        }
    }

    #[test]
    fn a_token_is_used_for_less_than_it_lives() {
        let (header, life) = read_token(&reply(200, r#"{"access_token":"abc","expires_in":3599}"#)).unwrap();
        assert_eq!((header.to_str().unwrap(), life), ("Bearer abc", Duration::from_secs(3479)));
        let wrong = |status, body| read_token(&reply(status, body)).unwrap_err();
        assert_eq!(wrong(200, "<html>").reason, "fcm token: 200 that cannot be read");
        assert_eq!(wrong(400, r#"{"error":"invalid_grant"}"#).reason, "fcm token: 400 invalid_grant");
        assert_eq!(wrong(400, "").after, Some(AFTER_BAD_CREDENTIALS));
        assert_eq!(wrong(503, "").after, None);
    }

    #[test]
    fn a_message_is_a_line_a_kind_and_an_id() {
        let payload = PushPayload { kind: NoticeKind::PostPublished, id: NoticeId::new() };
        let sent = serde_json::to_value(Send { message: message("TOKEN", &payload) }).unwrap();
        assert!(sent.to_string().len() < 4096);
        let expected = json!({ "message": {
            "token": "TOKEN",
            "data": { "kind": "post_published", "id": payload.id.to_string() },
            "notification": { "body": "新しい連絡があります" },
            "android": { "priority": "high", "ttl": "604800s" },
        } });
        assert_eq!(sent, expected);
    }

    #[test]
    fn a_service_account_must_be_whole() {
        let made = |json: &str| {
            let config = FcmConfig {
                service_account_json: json.into(),
                endpoint: FCM_ENDPOINT.into(),
                extra_root_pem: None,
            };
            Fcm::new(&config, Duration::from_secs(1)).err().unwrap().to_string()
        };
        let account = |project: &str, token_uri: &str| {
            json!({ "project_id": project, "private_key_id": "k", "private_key": "x", "client_email": "e",
                "token_uri": token_uri })
            .to_string()
        };
        assert_eq!(made("{}"), "fcm: service account is missing or not valid");
        assert_eq!(made(&account("a/b", TOKEN_URI)), "fcm: project_id is missing or not valid");
        assert_eq!(made(&account("a", "http://x/token")), "fcm: token_uri is missing or not valid");
        assert_eq!(made(&account("a", TOKEN_URI)), "fcm: the signing key cannot be used: not a PEM key");
    }
}
