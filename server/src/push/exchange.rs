//! The HTTP/2 connection that both services are spoken to over: one connection, many streams.
//!
//! Knows TLS, timeouts and `Retry-After`; knows nothing of what an answer means.

use super::PushConfigError;
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Longest answer that is read; both services answer with a few hundred bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Longest `Retry-After` that is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// A client with its own connection, trust and time limit.
pub(super) struct Exchange {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    limit: Duration,
}

/// A whole answer.
pub(super) struct Reply {
    pub status: StatusCode,
    pub retry_after: Option<Duration>,
    pub body: Bytes,
}

impl Exchange {
    /// Trusts Mozilla's roots and, if given, those in `extra_root_pem`.
    pub fn new(
        service: &'static str,
        extra_root_pem: Option<&str>,
        limit: Duration,
    ) -> Result<Self, PushConfigError> {
        let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(pem) = extra_root_pem {
            let bad = || PushConfigError::Root(service);
            let extra: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
                .collect::<Result<_, _>>()
                .map_err(|_| bad())?;
            let (added, unusable) = roots.add_parsable_certificates(extra);
            if added == 0 || unusable > 0 {
                return Err(bad());
            }
            tracing::warn!(service, added, "pushes trust extra root certificates: meant for tests only");
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_| PushConfigError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();

        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        // Without it each push of an idle connection waits for the other side's delayed ACK.
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(limit));
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http2().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .http2_only(true)
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(3600))
            .http2_keep_alive_interval(Duration::from_secs(60))
            .http2_keep_alive_timeout(Duration::from_secs(10))
            .http2_keep_alive_while_idle(true)
            .build(connector);
        Ok(Self { client, limit })
    }

    /// Sends and reads the whole answer within the time limit. The error is a short reason to log.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Reply, String> {
        let whole = async {
            let answer = self.client.request(request).await.map_err(|e| told(&e))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(|e| {
                if e.is::<LengthLimitError>() { "answer too long".to_owned() } else { told(e.as_ref()) }
            })?;
            let retry_after = retry_after(&head.headers, SystemTime::now());
            Ok(Reply { status: head.status, retry_after, body: body.to_bytes() })
        };
        match tokio::time::timeout(self.limit, whole).await {
            Ok(reply) => reply,
            Err(_) => Err(format!("no whole answer within {:?}", self.limit)),
        }
    }
}

/// An `https` address without path, query or user, ready to have a path appended.
pub(super) fn base(service: &'static str, usual: &str, endpoint: &str) -> Result<String, PushConfigError> {
    let bad = || PushConfigError::Endpoint(service);
    let uri: Uri = endpoint.parse().map_err(|_| bad())?;
    let authority = uri.authority().ok_or_else(bad)?;
    let plain = uri.path_and_query().is_none_or(|p| p.as_str() == "/") && !authority.as_str().contains('@');
    if uri.scheme_str() != Some("https") || !plain {
        return Err(bad());
    }
    let base = format!("https://{authority}");
    if base != usual {
        tracing::warn!(service, endpoint = %base, "pushes do not go to the usual service: meant for tests only");
    }
    Ok(base)
}

/// An error with its causes on one line. None of them names a request's path.
fn told(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text = format!("{text}: {e}");
        cause = e.source();
    }
    text
}

/// `Retry-After`, as seconds or as a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            SystemTime::from(date).duration_since(now).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let at = |text: &str| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, now)
        };
        assert_eq!(at("7"), Some(Duration::from_secs(7)));
        assert_eq!(at("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(at("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(at("99999999"), Some(LONGEST_WAIT));
        assert_eq!(at("soon"), None);
        assert_eq!(at("-1"), None);
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::now()), None);
    }

    #[test]
    fn an_endpoint_is_a_plain_https_address() {
        let base = |e| base("x", "https://a.example", e).ok();
        assert_eq!(base("https://a.example"), Some("https://a.example".into()));
        assert_eq!(base("https://a.example:8443/"), Some("https://a.example:8443".into()));
        for bad in [
            "http://a.example",
            "a.example",
            "https://a.example/x",
            "https://u@a.example",
            "https://a.example?x",
            "",
        ] {
            assert_eq!(base(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_extra_root_must_be_a_certificate() {
        for bad in ["", "no pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let made = Exchange::new("x", Some(bad), Duration::from_secs(1));
            assert!(matches!(made, Err(PushConfigError::Root("x"))), "{bad:?}");
        }
    }
}
