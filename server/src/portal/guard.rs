//! What surrounds every page of a host: the same-origin rule for changes, redirects to signing in, pages
//! instead of problem documents, and the security headers. JSON addresses pass untouched.

use super::layout::{Frame, html, interrupted_short};
use super::local;
use crate::error::AppError;
use crate::policy::{has_words, worded};
use crate::state::App;
use crate::tls::Peer;
use askama::Template;
use axum::Form;
use axum::body::Body;
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use renraku_wire::{Code, Problem, Words, limits};

const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; \
                      form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Surrounds the care host.
pub async fn care(State(app): State<App>, request: Request, next: Next) -> Response {
    let (path, headers, uri) =
        (request.uri().path().to_owned(), request.headers().clone(), request.uri().clone());
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let by_browser = is_page(&path)
        || (headers.contains_key(header::COOKIE) && !headers.contains_key(header::AUTHORIZATION));
    if !safe && by_browser && !same_origin(&headers, &uri) {
        let problem = Problem {
            detail: "ほかのサイトから開かれた操作のため、受け付けませんでした。画面を開き直して、もう一度操作してください。"
                .to_owned(),
            ..Problem::new(Code::RequestMalformed)
        };
        let refusal = AppError::from(problem).into_response();
        return if is_page(&path) { dress(refusal, Frame::nameless(&app, "/")).await } else { refusal };
    }
    let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
    let (request, typed) = match remembered(request, &path, safe).await {
        Ok(both) => both,
        Err(code) => {
            return dress(AppError::from(code).into_response(), Frame::of_peer(&app, &peer).await).await;
        }
    };
    let response = next.run(request).await;
    if !is_page(&path) {
        return match names_a_thing(&response) {
            Some(problem) => said(response, &problem, &Frame::of_peer(&app, &peer).await.words),
            None => response,
        };
    }
    let ended = response.extensions().get::<Problem>().is_some_and(|p| p.code == Code::SessionInvalid);
    if let (true, Some(fields)) = (ended, typed) {
        let page = interrupted_short(Frame::of_peer(&app, &peer).await, &path, &fields);
        return sealed(page.unwrap_or_else(|e| e.into_response()));
    }
    let back = || {
        if safe {
            return uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
        }
        // After a change that was refused, the page with the form is the place to come back to.
        let referer = headers.get(header::REFERER).and_then(|v| v.to_str().ok());
        let referer = referer.and_then(|r| r.parse::<Uri>().ok());
        referer.and_then(|r| r.path_and_query().map(|p| p.as_str().to_owned())).unwrap_or_default()
    };
    match response.extensions().get::<Problem>().map(|p| p.code) {
        Some(Code::SessionInvalid) => sealed(local::see(&local::with_next("/sign-in", &back()))),
        Some(Code::PasswordChangeRequired) => sealed(local::see(&local::with_next("/password", &back()))),
        Some(_) => dress(response, Frame::of_peer(&app, &peer).await).await,
        None => sealed(response),
    }
}

/// The fields of a short form, kept until it is known whether its session still runs: what somebody typed
/// must not be lost (forms with a file keep theirs themselves). Passwords are never kept, and a form
/// without fields has nothing to lose.
async fn remembered(
    request: Request,
    path: &str,
    safe: bool,
) -> Result<(Request, Option<Vec<(String, String)>>), Code> {
    let short = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|t| {
        t.split(';').next().is_some_and(|kind| kind.trim() == "application/x-www-form-urlencoded")
    });
    let secret = matches!(path, "/sign-in" | "/sign-out" | "/password" | "/switch");
    if safe || !short || secret || !is_page(path) {
        return Ok((request, None));
    }
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, limits::JSON_BYTES).await.map_err(|_| Code::BodyTooLarge)?;
    let copy = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let fields = Form::<Vec<(String, String)>>::from_request(copy, &()).await.ok().map(|f| f.0);
    let fields = fields.filter(|f| !f.is_empty() && !f.iter().any(|(name, _)| name == "password"));
    Ok((Request::from_parts(parts, Body::from(bytes)), fields))
}

/// Surrounds the public host.
pub async fn public(State(app): State<App>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    if !is_page(&path) {
        let slug = path.strip_prefix("/v1/municipalities/").and_then(|p| p.split('/').next());
        return match (names_a_thing(&response), slug) {
            (Some(problem), Some(slug)) => {
                said(response, &problem, &Frame::of_slug_or_nameless(&app, slug).await.words)
            }
            _ => response,
        };
    }
    if response.extensions().get::<Problem>().is_some() {
        let slug = path.split('/').nth(1).unwrap_or_default();
        return dress(response, Frame::of_slug_or_nameless(&app, slug).await).await;
    }
    sealed(response)
}

/// The refusal whose sentence names something for which towns have words of their own.
fn names_a_thing(response: &Response) -> Option<Problem> {
    response.extensions().get::<Problem>().filter(|p| has_words(&p.detail)).cloned()
}

/// The problem document in the town's words (F17).
fn said(response: Response, problem: &Problem, words: &Words) -> Response {
    let (mut parts, _) = response.into_parts();
    let told = Problem { detail: worded(&problem.detail, words), ..problem.clone() };
    let Ok(text) = serde_json::to_vec(&told) else { return AppError::from(problem.code).into_response() };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(text))
}

fn is_page(path: &str) -> bool {
    !(path.starts_with("/v1/") || path.starts_with("/assets/") || path == "/health")
}

/// A change must come from a page of this very host. Browsers say so in `Sec-Fetch-Site`; older ones
/// only in `Origin`, which must then be this host, port included.
fn same_origin(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    if let Some(site) = text(&HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    let host = text(&header::HOST).or_else(|| uri.authority().map(|a| a.as_str()));
    let origin = text(&header::ORIGIN).and_then(|o| o.split_once("://")).map(|(_, rest)| rest);
    matches!((origin, host), (Some(origin), Some(host)) if origin.eq_ignore_ascii_case(host))
}

/// Adds what every page carries.
fn sealed(mut response: Response) -> Response {
    let add = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        // Not `no-referrer`: with it a browser sends `Origin: null` with the host's own forms.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("5"));
    }
    for (name, value) in add {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    sentence: String,
    code: &'static str,
    reference: Option<String>,
    diagnosis: Option<String>,
}

/// The page that stands for a refusal.
async fn dress(response: Response, frame: Frame) -> Response {
    let Some(problem) = response.extensions().get::<Problem>().cloned() else { return sealed(response) };
    let certificate = matches!(
        problem.code,
        Code::CertificateMissing
            | Code::CertificateForeign
            | Code::CertificateExpired
            | Code::CertificateNotYetValid
            | Code::CertificateRevoked
            | Code::CertificateReplaced
            | Code::FacilitySuspended
    );
    let page = ProblemPage {
        diagnosis: certificate.then(|| frame.diagnosis()),
        sentence: worded(&problem.detail, &frame.words),
        frame,
        code: problem.code.as_str(),
        reference: problem.reference,
    };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let wait = response.headers().get(header::RETRY_AFTER).cloned();
    let mut page = sealed(html(status, &page).unwrap_or_else(|_| status.into_response()));
    if let Some(wait) = wait {
        page.headers_mut().insert(header::RETRY_AFTER, wait);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(pairs: &[(&str, &str)], uri: &str) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap());
        }
        same_origin(&headers, &uri.parse().unwrap())
    }

    #[test]
    fn changes_come_from_own_pages_only() {
        let host = ("host", "127.0.0.1:9443");
        assert!(says(&[host, ("sec-fetch-site", "same-origin")], "/x"));
        assert!(says(&[host, ("sec-fetch-site", "none")], "/x"));
        for site in ["cross-site", "same-site", "", "nonsense"] {
            let origin = ("origin", "https://127.0.0.1:9443");
            assert!(!says(&[host, ("sec-fetch-site", site), origin], "/x"), "{site}");
        }
        assert!(says(&[host, ("origin", "https://127.0.0.1:9443")], "/x"));
        assert!(says(&[host, ("origin", "http://127.0.0.1:9443")], "/x"), "a gateway on loopback");
        assert!(says(&[("origin", "https://care.town.invalid")], "https://care.town.invalid/x"), "HTTP/2");
        for origin in ["https://127.0.0.1", "https://127.0.0.1:9444", "https://evil.invalid", "null", ""] {
            assert!(!says(&[host, ("origin", origin)], "/x"), "{origin}");
        }
        assert!(!says(&[host], "/x"), "a browser that says nothing");
        assert!(!says(&[("origin", "https://a")], "/x"), "no host to compare with");
    }

    #[test]
    fn json_and_assets_are_no_pages() {
        for page in ["/", "/sign-in", "/minowa/apply", "/v1x", "/patients/1"] {
            assert!(is_page(page), "{page}");
        }
        for other in ["/v1/session", "/assets/style.css", "/health"] {
            assert!(!is_page(other), "{other}");
        }
    }

    #[test]
    fn a_page_keeps_the_header_it_set_itself() {
        let own = [(header::CACHE_CONTROL, "private, no-store")];
        let response = sealed((own, "x").into_response());
        assert_eq!(response.headers()[header::CACHE_CONTROL], "private, no-store");
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    }
}
