//! Pushes to Apple's and Google's services, over one HTTP/2 stack.
//!
//! A push is a generic line, a kind and an opaque id; the device fetches the rest by itself. Here is
//! how one push is sent and what its answer means. Not here: which pushes are due, how often a failed
//! one is tried again, and what becomes of a dead token; that is the notice queue's part.
//!
//! Why neither service's client crate is used:
//! * `a2` gives the payload, options and reasons; its own client can be pointed nowhere but at Apple
//!   (so the binary that is tested would not be the one that ships), does not set `TCP_NODELAY` (about
//!   40 ms for each push of a quiet town), hides `Retry-After` and puts no limit on a stalled body.
//! * `fcm` speaks the API that Google has shut down (`/fcm/send` with a server key).
//! * `google-fcm1` and `yup-oauth2` speak today's API, but for the six fields sent here they bring a
//!   generated client and the system's root store. `yup-oauth2` also writes assertion and access token
//!   to the debug log, fetches one token for each waiting send and hides `Retry-After`.

mod apns;
mod credential;
mod exchange;
mod fcm;
mod jwt;

use renraku_wire::{PushPayload, PushProvider};
use std::fmt;
use std::time::Duration;

/// Apple's production service.
pub const APNS_ENDPOINT: &str = "https://api.push.apple.com";
/// Google's service.
pub const FCM_ENDPOINT: &str = "https://fcm.googleapis.com";

/// How long either service keeps a push for a device that is off.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
/// When to ask again after an answer that blames our credentials: somebody must look at them first.
const AFTER_BAD_CREDENTIALS: Duration = Duration::from_secs(300);

/// Which services are set up. None is valid: a town may run without pushes.
#[derive(Clone, Debug)]
pub struct PushConfig {
    /// Apple's.
    pub apns: Option<ApnsConfig>,
    /// Google's.
    pub fcm: Option<FcmConfig>,
    /// Upper bound for one exchange, from dialling to the last byte of the answer.
    pub timeout: Duration,
}

impl Default for PushConfig {
    fn default() -> Self {
        Self { apns: None, fcm: None, timeout: Duration::from_secs(20) }
    }
}

/// Access to Apple's service by provider token.
#[derive(Clone)]
pub struct ApnsConfig {
    /// The signing key (`AuthKey_….p8`), PEM.
    pub key_p8_pem: String,
    /// Apple's id of that key.
    pub key_id: String,
    /// The developer team.
    pub team_id: String,
    /// The app's bundle id.
    pub topic: String,
    /// Base address, `https` only; [`APNS_ENDPOINT`] unless this is a test.
    pub endpoint: String,
    /// Certificates trusted beside Mozilla's roots, PEM.
    pub extra_root_pem: Option<String>,
}

/// Access to Google's service by service account.
#[derive(Clone)]
pub struct FcmConfig {
    /// The service account's JSON file; names project, key and token address.
    pub service_account_json: String,
    /// Base address, `https` only; [`FCM_ENDPOINT`] unless this is a test.
    pub endpoint: String,
    /// Certificates trusted beside Mozilla's roots, PEM.
    pub extra_root_pem: Option<String>,
}

impl fmt::Debug for ApnsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApnsConfig")
            .field("topic", &self.topic)
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FcmConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FcmConfig").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Why pushes cannot be set up. Every case is a mistake in the configuration.
#[derive(Debug, thiserror::Error)]
pub enum PushConfigError {
    /// The address is not a plain `https://host[:port]`.
    #[error("{0}: the endpoint is not a plain https address")]
    Endpoint(&'static str),
    /// The extra root is not a PEM certificate.
    #[error("{0}: the extra root is not a PEM certificate")]
    Root(&'static str),
    /// The signing key cannot be read.
    #[error("{0}: the signing key cannot be used: {1}")]
    Key(&'static str, &'static str),
    /// A field is empty, or has characters that its service does not know.
    #[error("{0}: {1} is missing or not valid")]
    Field(&'static str, &'static str),
    /// The TLS library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Tls,
}

/// One push to one device.
#[derive(Clone, PartialEq, Eq)]
pub struct Push {
    /// Whose service.
    pub provider: PushProvider,
    /// That service's token for the device.
    pub token: String,
    /// What to tell; its id is the push's id on every try.
    pub payload: PushPayload,
}

impl fmt::Debug for Push {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Push")
            .field("provider", &self.provider)
            .field("payload", &self.payload)
            .finish_non_exhaustive()
    }
}

/// What became of one push. Reasons are for the log and the secretariat; they never hold a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service has taken it.
    Delivered,
    /// The token will never work again: forget it.
    DeadToken {
        /// Since when, UTC milliseconds, where the service says. A token registered later is alive.
        since_ms: Option<i64>,
    },
    /// Not now: try the same again.
    Retry {
        /// Not before this has passed, where the service says.
        after: Option<Duration>,
        /// What went wrong.
        reason: String,
    },
    /// Not this, however often it is tried.
    Refused {
        /// What the service says.
        reason: String,
    },
    /// That service is not set up here.
    NotConfigured,
}

/// Sends pushes. One for the process: it holds the connections and the credentials. Shared freely.
pub struct Pusher {
    apns: Option<apns::Apns>,
    fcm: Option<fcm::Fcm>,
}

impl fmt::Debug for Pusher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pusher")
            .field("apns", &self.apns.is_some())
            .field("fcm", &self.fcm.is_some())
            .finish()
    }
}

impl Pusher {
    /// Reads keys and addresses; dials nothing yet.
    ///
    /// # Errors
    /// A mistake in the configuration, named.
    pub fn new(config: &PushConfig) -> Result<Self, PushConfigError> {
        let apns = config.apns.as_ref().map(|c| apns::Apns::new(c, config.timeout)).transpose()?;
        let fcm = config.fcm.as_ref().map(|c| fcm::Fcm::new(c, config.timeout)).transpose()?;
        Ok(Self { apns, fcm })
    }

    /// Sends one push and says what became of it. Never longer than a few exchanges' timeouts;
    /// dropping the future gives the push up.
    pub async fn send(&self, push: &Push) -> Outcome {
        if !sendable(&push.token) {
            return Outcome::DeadToken { since_ms: None };
        }
        let outcome = match push.provider {
            PushProvider::Apns => match &self.apns {
                Some(apns) => apns.send(&push.token, &push.payload).await,
                None => Outcome::NotConfigured,
            },
            PushProvider::Fcm => match &self.fcm {
                Some(fcm) => fcm.send(&push.token, &push.payload).await,
                None => Outcome::NotConfigured,
            },
        };
        scrubbed(outcome, &push.token)
    }
}

/// Whether this can be a device token at all; what cannot must not reach a request's path.
fn sendable(token: &str) -> bool {
    (1..=4096).contains(&token.len())
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:".contains(&b))
}

fn scrubbed(outcome: Outcome, token: &str) -> Outcome {
    match outcome {
        Outcome::Retry { after, reason } => Outcome::Retry { after, reason: reason.replace(token, "…") },
        Outcome::Refused { reason } => Outcome::Refused { reason: reason.replace(token, "…") },
        other => other,
    }
}

/// A reason as the other side words it, if it is one plain word; anything else stays out of the log.
fn plain_word(text: &str) -> &str {
    let plain =
        (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain { text } else { "no reason given" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use renraku_wire::{NoticeId, NoticeKind};

    fn push(token: &str) -> Push {
        let payload = PushPayload { kind: NoticeKind::PostPublished, id: NoticeId::new() };
        Push { provider: PushProvider::Apns, token: token.into(), payload }
    }

    #[tokio::test]
    async fn a_service_that_is_not_set_up_is_said() {
        let pusher = Pusher::new(&PushConfig::default()).unwrap();
        assert_eq!(pusher.send(&push("abc")).await, Outcome::NotConfigured);
    }

    #[tokio::test]
    async fn a_token_that_would_change_the_path_is_dead() {
        let pusher = Pusher::new(&PushConfig::default()).unwrap();
        for token in ["", "a/../b", "a b", "a?b", "a#b", "ｱ", "a\nb", "a.b", "a%2fb", &"a".repeat(4097)] {
            assert_eq!(pusher.send(&push(token)).await, Outcome::DeadToken { since_ms: None }, "{token:?}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        assert!(!format!("{:?}", push("SECRET")).contains("SECRET"));
        let apns = ApnsConfig {
            key_p8_pem: "SECRET".into(),
            key_id: String::new(),
            team_id: String::new(),
            topic: String::new(),
            endpoint: APNS_ENDPOINT.into(),
            extra_root_pem: None,
        };
        let fcm = FcmConfig {
            service_account_json: "SECRET".into(),
            endpoint: FCM_ENDPOINT.into(),
            extra_root_pem: None,
        };
        let config = PushConfig { apns: Some(apns), fcm: Some(fcm), ..PushConfig::default() };
        assert!(!format!("{config:?}").contains("SECRET"));
        let outcome = Outcome::Refused { reason: "no such SECRET".into() };
        assert_eq!(scrubbed(outcome, "SECRET"), Outcome::Refused { reason: "no such …".into() });
    }

    #[test]
    fn only_plain_words_of_the_other_side_are_kept() {
        assert_eq!(plain_word("BadTopic"), "BadTopic");
        assert_eq!(plain_word("<html>"), "no reason given");
        assert_eq!(plain_word(""), "no reason given");
        assert_eq!(plain_word(&"x".repeat(65)), "no reason given");
    }
}
