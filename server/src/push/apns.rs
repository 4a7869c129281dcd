//! Apple's service: the request, the provider token, and what each answer means.

use super::credential::{Credential, Held, Made, NoCredential};
use super::exchange::{self, Exchange, Reply};
use super::jwt::{SigningKey, unix_now};
use super::{
    AFTER_BAD_CREDENTIALS, APNS_ENDPOINT, ApnsConfig, KEPT_FOR, Outcome, PushConfigError, plain_word,
};
use a2::request::payload::{Payload, PayloadLike};
use a2::{
    DefaultNotificationBuilder, ErrorReason, NotificationBuilder, NotificationOptions, Priority, PushType,
};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use renraku_wire::PushPayload;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

const SERVICE: &str = "apns";
/// Apple takes a provider token for an hour and asks for a new one no oftener than every 20 minutes.
const TOKEN_USED_FOR: Duration = Duration::from_secs(45 * 60);
const RENEWED_AT_MOST_EVERY: Duration = Duration::from_secs(20 * 60);

/// Refusals, beside every 410, after which a token is never tried again.
const DEAD_TOKEN: &[(u16, ErrorReason)] = &[
    (400, ErrorReason::BadDeviceToken),
    (400, ErrorReason::DeviceTokenNotForTopic),
    (400, ErrorReason::MissingDeviceToken),
];

/// A sender to one app on Apple's service.
pub(super) struct Apns {
    exchange: Exchange,
    base: String,
    topic: String,
    key: SigningKey,
    key_id: String,
    team_id: String,
    credential: Credential,
}

impl Apns {
    pub fn new(config: &ApnsConfig, limit: Duration) -> Result<Self, PushConfigError> {
        let named = |name, text: &str| {
            let good =
                !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
            if good { Ok(text.to_owned()) } else { Err(PushConfigError::Field(SERVICE, name)) }
        };
        Ok(Self {
            exchange: Exchange::new(SERVICE, config.extra_root_pem.as_deref(), limit)?,
            base: exchange::base(SERVICE, APNS_ENDPOINT, &config.endpoint)?,
            topic: named("topic", &config.topic)?,
            key: SigningKey::es256(&config.key_p8_pem).map_err(|why| PushConfigError::Key(SERVICE, why))?,
            key_id: named("key id", &config.key_id)?,
            team_id: named("team id", &config.team_id)?,
            credential: Credential::default(),
        })
    }

    pub async fn send(&self, token: &str, payload: &PushPayload) -> Outcome {
        let mut held = match self.credential.get(self.make_token()).await {
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
            match read(&reply) {
                Answer::Final(outcome) => return outcome,
                Answer::StaleToken if renewed => return stale(),
                Answer::StaleToken => {
                    renewed = true;
                    held = match self.credential.renew(&held, RENEWED_AT_MOST_EVERY, self.make_token()).await
                    {
                        Ok(held) => held,
                        Err(why) => return why.into(),
                    };
                }
            }
        }
    }

    async fn make_token(&self) -> Made {
        let failed = |_| NoCredential { after: None, reason: "the provider token cannot be signed".into() };
        let claims = json!({ "iss": self.team_id, "iat": unix_now() });
        let token = self.key.sign(&self.key_id, &claims).map_err(failed)?;
        let header = HeaderValue::try_from(format!("bearer {token}"))
            .map_err(|_| NoCredential { after: None, reason: "the provider token is no header".into() })?;
        Ok((header, TOKEN_USED_FOR))
    }

    fn request(
        &self,
        token: &str,
        payload: &PushPayload,
        held: &Held,
    ) -> Result<Request<Full<Bytes>>, String> {
        let id = payload.id.to_string();
        let message = message(token, payload, &id, &self.topic, unix_now() + KEPT_FOR.as_secs())?;
        let body = message.to_json_string().map_err(|_| "the payload cannot be written".to_owned())?;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/3/device/{token}", self.base))
            .header(AUTHORIZATION, held.header.clone());
        for (name, value) in headers(&message.options) {
            request = request.header(name, value);
        }
        request.body(Full::from(body)).map_err(|_| "the request cannot be written".to_owned())
    }
}

/// The whole message: a generic line, a kind and an id.
fn message<'a>(
    token: &'a str,
    payload: &PushPayload,
    id: &'a str,
    topic: &'a str,
    until: u64,
) -> Result<Payload<'a>, String> {
    let options = NotificationOptions {
        apns_id: Some(id),
        apns_push_type: Some(PushType::Alert),
        apns_expiration: Some(until),
        apns_priority: Some(Priority::High),
        apns_topic: Some(topic),
        apns_collapse_id: None,
    };
    let mut message = DefaultNotificationBuilder::new()
        .set_body(payload.kind.line())
        .set_sound("default")
        .set_mutable_content()
        .build(token, options);
    message.add_custom_data("renraku", payload).map_err(|_| "the payload cannot be written".to_owned())?;
    Ok(message)
}

fn headers(options: &NotificationOptions<'_>) -> impl Iterator<Item = (&'static str, String)> {
    [
        ("apns-id", options.apns_id.map(str::to_owned)),
        ("apns-push-type", options.apns_push_type.map(|t| t.to_string())),
        ("apns-expiration", options.apns_expiration.map(|t| t.to_string())),
        ("apns-priority", options.apns_priority.as_ref().map(ToString::to_string)),
        ("apns-topic", options.apns_topic.map(str::to_owned)),
        ("apns-collapse-id", options.apns_collapse_id.as_ref().map(|c| c.value.to_owned())),
    ]
    .into_iter()
    .filter_map(|(name, value)| value.map(|value| (name, value)))
}

#[derive(Debug, PartialEq)]
enum Answer {
    Final(Outcome),
    StaleToken,
}

/// Apple's error body, also with reasons that `a2` does not know yet.
#[derive(Default, Deserialize)]
struct Told {
    #[serde(default)]
    reason: String,
    timestamp: Option<i64>,
}

/// Decides by the status first; a body that cannot be read changes nothing of that.
fn read(reply: &Reply) -> Answer {
    let told: Told = serde_json::from_slice(&reply.body).unwrap_or_default();
    let known: Option<ErrorReason> = serde_json::from_value(json!(told.reason)).ok();
    let code = reply.status.as_u16();
    let reason = format!("{SERVICE} {code} {}", plain_word(&told.reason));
    let retry = |usual: Option<Duration>| Outcome::Retry {
        after: reply.retry_after.or(usual),
        reason: reason.clone(),
    };
    Answer::Final(match (reply.status, known) {
        (StatusCode::OK, _) => Outcome::Delivered,
        (StatusCode::GONE, _) => Outcome::DeadToken { since_ms: told.timestamp },
        (StatusCode::FORBIDDEN, Some(ErrorReason::ExpiredProviderToken)) => return Answer::StaleToken,
        (StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED, _) => retry(Some(AFTER_BAD_CREDENTIALS)),
        (StatusCode::TOO_MANY_REQUESTS, Some(ErrorReason::TooManyProviderTokenUpdates)) => {
            retry(Some(RENEWED_AT_MOST_EVERY))
        }
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT, _) => retry(None),
        (status, _) if status.is_server_error() => retry(None),
        (StatusCode::BAD_REQUEST, Some(ErrorReason::IdleTimeout)) => retry(None),
        (_, Some(known)) if DEAD_TOKEN.iter().any(|(c, r)| (*c, r) == (code, &known)) => {
            Outcome::DeadToken { since_ms: None }
        }
        _ => Outcome::Refused { reason },
    })
}

fn stale() -> Outcome {
    let reason = format!("{SERVICE} 403 ExpiredProviderToken");
    Outcome::Retry { after: Some(AFTER_BAD_CREDENTIALS), reason }
}

impl From<NoCredential> for Outcome {
    fn from(why: NoCredential) -> Self {
        Self::Retry { after: why.after, reason: why.reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use renraku_wire::{NoticeId, NoticeKind};
    use serde_json::Value;

    fn reply(status: u16, body: &str) -> Reply {
        let status = StatusCode::from_u16(status).unwrap();
        Reply { status, retry_after: None, body: Bytes::from(body.to_owned()) }
    }

    #[test]
    fn each_answer_has_its_meaning() {
        let dead = |since_ms| Answer::Final(Outcome::DeadToken { since_ms });
        let retry = |after: Option<u64>, reason: &str| {
            Answer::Final(Outcome::Retry { after: after.map(Duration::from_secs), reason: reason.into() })
        };
        let refused = |reason: &str| Answer::Final(Outcome::Refused { reason: reason.into() });
        let table = [
            (200, "", Answer::Final(Outcome::Delivered)),
            (410, r#"{"reason":"Unregistered","timestamp":1508249865488}"#, dead(Some(1_508_249_865_488))),
            (410, r#"{"reason":"ExpiredToken","timestamp":7}"#, dead(Some(7))),
            (410, "<html>", dead(None)),
            (400, r#"{"reason":"BadDeviceToken"}"#, dead(None)),
            (400, r#"{"reason":"DeviceTokenNotForTopic"}"#, dead(None)),
            (413, r#"{"reason":"BadDeviceToken"}"#, refused("apns 413 BadDeviceToken")),
            (400, r#"{"reason":"BadTopic"}"#, refused("apns 400 BadTopic")),
            (400, r#"{"reason":"InvalidPushType"}"#, refused("apns 400 InvalidPushType")),
            (400, "<html>", refused("apns 400 no reason given")),
            (400, r#"{"reason":"IdleTimeout"}"#, retry(None, "apns 400 IdleTimeout")),
            (404, r#"{"reason":"BadPath"}"#, refused("apns 404 BadPath")),
            (413, r#"{"reason":"PayloadTooLarge"}"#, refused("apns 413 PayloadTooLarge")),
            (403, r#"{"reason":"ExpiredProviderToken"}"#, Answer::StaleToken),
            (403, r#"{"reason":"InvalidProviderToken"}"#, retry(Some(300), "apns 403 InvalidProviderToken")),
            (429, r#"{"reason":"TooManyRequests"}"#, retry(None, "apns 429 TooManyRequests")),
            (
                429,
                r#"{"reason":"TooManyProviderTokenUpdates"}"#,
                retry(Some(1200), "apns 429 TooManyProviderTokenUpdates"),
            ),
            (500, r#"{"reason":"InternalServerError"}"#, retry(None, "apns 500 InternalServerError")),
            (503, "", retry(None, "apns 503 no reason given")),
        ];
        for (status, body, meaning) in table {
            assert_eq!(read(&reply(status, body)), meaning, "{status} {body}");
        }
    }

    #[test]
    fn retry_after_wins_over_our_own_wait() {
        let mut asked = reply(429, r#"{"reason":"TooManyProviderTokenUpdates"}"#);
        asked.retry_after = Some(Duration::from_secs(9));
        let Answer::Final(Outcome::Retry { after, .. }) = read(&asked) else { panic!("not a retry") };
        assert_eq!(after, Some(Duration::from_secs(9)));
    }

    #[test]
    fn a_message_is_a_line_a_kind_and_an_id() {
        for kind in [NoticeKind::PatientRegistered, NoticeKind::PostPublished, NoticeKind::Unknown] {
            let payload = PushPayload { kind, id: NoticeId::new() };
            let id = payload.id.to_string();
            let message = message("TOKEN", &payload, &id, "town.app", 99).unwrap();
            let text = message.to_json_string().unwrap();
            assert!(text.len() < 4096);
            let expected = json!({
                "aps": { "alert": { "body": kind.line() }, "sound": "default", "mutable-content": 1 },
                "renraku": { "kind": kind, "id": id },
            });
            let mut got: Value = serde_json::from_str(&text).unwrap();
            if got["aps"]["alert"].is_string() {
                got["aps"]["alert"] = json!({ "body": got["aps"]["alert"] });
            }
            assert_eq!(got, expected);
            let headers: Vec<_> = headers(&message.options).collect();
            let expected = [
                ("apns-id", id.as_str()),
                ("apns-push-type", "alert"),
                ("apns-expiration", "99"),
                ("apns-priority", "10"),
                ("apns-topic", "town.app"),
            ];
            assert_eq!(headers, expected.map(|(n, v)| (n, v.to_owned())));
        }
    }
}
