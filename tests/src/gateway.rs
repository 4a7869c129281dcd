//! A gateway on loopback that stands where a browser with an installed certificate would: plain HTTP in, TLS
//! with one device's client certificate out. For the demo and the tests of the portal alone: whoever reaches
//! the port holds the device, so it listens on 127.0.0.1 and nowhere else.
//!
//! A browser keeps one set of cookies for all ports of a host, and a `Secure` cookie only where it likes plain
//! HTTP on loopback. So each gateway marks the cookies that pass it with a name of its own and drops `Secure`;
//! two devices in two tabs do not sign each other out. In pages, links to the real hosts become links to their
//! gateways. Nothing else of a message is changed, but for the headers that belong to one connection.
//! Not here: which devices there are (demo).

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName,
    HeaderValue, LOCATION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// How long an unused connection to the server is kept: so much shorter than the server keeps it that no request
/// is sent into one that is just being closed.
const IDLE: Duration = Duration::from_secs(5);

type Body = BoxBody<Bytes, hyper::Error>;

/// A running gateway. Gone with its connections when dropped.
#[derive(Debug)]
pub struct Gateway {
    /// Where a browser reaches it: `http://localhost:port`.
    pub url: String,
    accepting: JoinHandle<()>,
}

struct Way {
    client: Client<HttpsConnector<HttpConnector>, Incoming>,
    /// The server, `https://host:port`.
    upstream: String,
    /// Addresses of real hosts, and where they lead here.
    links: Vec<(String, String)>,
    /// What the names of its cookies begin with.
    mark: String,
}

impl Gateway {
    /// Forwards everything that arrives at `listener` to `upstream` (`https://host:port`). `tls` must have no
    /// ALPN protocols set. `links`: further addresses of real hosts, and where pages shall lead instead.
    ///
    /// # Errors
    /// The listener is not bound, or not to loopback.
    pub fn start(
        listener: TcpListener,
        upstream: &str,
        tls: ClientConfig,
        links: &[(&str, &str)],
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(io::Error::other("a gateway listens on loopback only"));
        }
        // HTTP/1.1 outwards, too: the browser's Host header then arrives as it was sent.
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        let own = format!("http://localhost:{}", address.port());
        let upstream = upstream.trim_end_matches('/');
        let links = [(upstream, own.as_str())].into_iter().chain(links.iter().copied());
        let way = Arc::new(Way {
            client,
            upstream: upstream.to_owned(),
            links: links.map(|(there, here)| (there.to_owned(), here.to_owned())).collect(),
            mark: format!("p{}-", address.port()),
        });
        Ok(Self { url: own, accepting: tokio::spawn(accept(listener, way)) })
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, way: Arc<Way>) {
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let way = way.clone();
        open.spawn(async move {
            let _ = stream.set_nodelay(true);
            let service = service_fn(move |request| {
                let way = way.clone();
                async move { Ok::<_, Infallible>(way.pass(request).await) }
            });
            // A browser that hangs up in the middle is its own affair.
            let _ = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

impl Way {
    async fn pass(&self, mut request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path_and_query().map_or("/", |p| p.as_str());
        let Ok(uri) = format!("{}{path}", self.upstream).parse::<Uri>() else {
            return said(StatusCode::BAD_REQUEST, "アドレスを読み取れません。");
        };
        *request.uri_mut() = uri;
        drop_hop_by_hop(request.headers_mut());
        inward(request.headers_mut(), &self.mark);
        match self.client.request(request).await {
            Ok(mut response) => {
                drop_hop_by_hop(response.headers_mut());
                self.outward(response.headers_mut());
                if is_page(response.headers()) {
                    self.page(response).await
                } else {
                    response.map(BodyExt::boxed)
                }
            }
            Err(_) => unreached(),
        }
    }

    /// A page with its links leading here.
    async fn page(&self, response: Response<Incoming>) -> Response<Body> {
        let (mut head, body) = response.into_parts();
        let Ok(bytes) = body.collect().await else { return unreached() };
        let mut text = String::from_utf8_lossy(&bytes.to_bytes()).into_owned();
        for (there, here) in &self.links {
            text = text.replace(there, here);
        }
        // An answer to HEAD has the length of what it does not bring.
        if !text.is_empty() {
            head.headers.insert(CONTENT_LENGTH, text.len().into());
        }
        Response::from_parts(head, whole(text))
    }

    fn outward(&self, headers: &mut HeaderMap) {
        // It would bind the browser to HTTPS on every port of localhost.
        headers.remove(STRICT_TRANSPORT_SECURITY);
        let cookies: Vec<_> = headers.get_all(SET_COOKIE).iter().map(|c| marked(c, &self.mark)).collect();
        headers.remove(SET_COOKIE);
        for cookie in cookies {
            headers.append(SET_COOKIE, cookie);
        }
        let location = headers.get(LOCATION).and_then(|l| l.to_str().ok()).unwrap_or_default();
        let here = self.links.iter().find_map(|(there, here)| {
            let rest = location.strip_prefix(there)?;
            let path = rest.is_empty() || rest.starts_with('/');
            path.then(|| HeaderValue::from_str(&format!("{here}{rest}")).ok())?
        });
        if let Some(here) = here {
            headers.insert(LOCATION, here);
        }
    }
}

fn is_page(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/html") && !headers.contains_key(CONTENT_ENCODING)
}

/// Headers that speak of one connection, those that `Connection` names among them.
fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| *name != HOST)
        .collect();
    let fixed =
        [CONNECTION, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    for name in named.into_iter().chain(fixed) {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    headers.remove("proxy-connection");
}

/// Lets through the cookies that bear the mark, without it.
fn inward(headers: &mut HeaderMap, mark: &str) {
    let own: Vec<String> = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(mark).map(str::to_owned))
        .collect();
    headers.remove(COOKIE);
    if let Ok(value) = HeaderValue::from_str(&own.join("; "))
        && !own.is_empty()
    {
        headers.insert(COOKIE, value);
    }
}

/// A cookie under the gateway's name for it, fit for plain HTTP.
fn marked(cookie: &HeaderValue, mark: &str) -> HeaderValue {
    let Ok(text) = cookie.to_str() else { return cookie.clone() };
    let parts: Vec<&str> =
        text.split(';').map(str::trim).filter(|part| !part.eq_ignore_ascii_case("secure")).collect();
    HeaderValue::from_str(&format!("{mark}{}", parts.join("; "))).unwrap_or_else(|_| cookie.clone())
}

fn whole(text: String) -> Body {
    Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed()
}

fn unreached() -> Response<Body> {
    said(StatusCode::BAD_GATEWAY, "サーバーに届かないか、この端末の電子証明書が受け付けられませんでした。")
}

fn said(status: StatusCode, sentence: &str) -> Response<Body> {
    let page = format!("<!doctype html><html lang=\"ja\"><meta charset=\"utf-8\"><p>{sentence}</p></html>");
    let mut response = Response::new(whole(page));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(text: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_static(text))])
    }

    #[test]
    fn an_unused_connection_is_given_up_before_the_server_does() {
        assert!(IDLE * 2 < renraku_server::serve::PATIENCE);
    }

    #[test]
    fn cookies_of_other_ports_stay_outside() {
        let mut headers = cookies("p1-__Host-renraku=abc; p2-__Host-renraku=def; other=1; p1-x=y=z");
        inward(&mut headers, "p1-");
        assert_eq!(headers[COOKIE], "__Host-renraku=abc; x=y=z");
        let mut headers = cookies("p2-__Host-renraku=def; __Host-renraku=forged");
        inward(&mut headers, "p1-");
        assert!(headers.get(COOKIE).is_none());
    }

    #[test]
    fn a_cookie_is_marked_and_made_fit_for_plain_http() {
        let cookie =
            HeaderValue::from_static("__Host-renraku=abc; Path=/; Secure; HttpOnly; SameSite=Strict");
        assert_eq!(marked(&cookie, "p1-"), "p1-__Host-renraku=abc; Path=/; HttpOnly; SameSite=Strict");
    }

    #[test]
    fn only_what_belongs_to_one_connection_is_dropped() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "keep-alive, x-own"),
            ("keep-alive", "timeout=5"),
            ("x-own", "1"),
            ("transfer-encoding", "chunked"),
            ("host", "localhost:8482"),
            ("origin", "http://localhost:8482"),
        ] {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        drop_hop_by_hop(&mut headers);
        let left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["host", "origin"]);
    }
}
