//! Which statements one request sends to the database, in order. Requests go through the care host's own router
//! inside the test's task, so that nothing of what workers or other requests send is among them.

use crate::town::{Client, Host};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use renraku_server::throttle::Address;
use renraku_server::tls::Peer;
use std::cell::RefCell;
use tower::ServiceExt as _;

tokio::task_local! {
    static SENT: RefCell<Vec<String>>;
}

fn ear() -> Option<Box<dyn Instrumentation>> {
    Some(Box::new(|event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            // The text, not the values.
            let text = text.split(" -- binds").next().unwrap_or_default().trim().to_owned();
            let _ = SENT.try_with(|sent| sent.borrow_mut().push(text));
        }
    }))
}

/// Connections opened from now on are listened to.
pub fn listen() {
    set_default_instrumentation(ear).unwrap();
}

/// An answer with what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    pub body: String,
    pub statements: Vec<String>,
}

/// Asks the care host as this client, on its device, with its session.
pub async fn ask(
    host: &Host,
    client: &Client,
    what: (&str, &str),
    (content_type, body): (&str, Vec<u8>),
) -> Answered {
    let certificate = &client.identity.as_ref().unwrap().chain[0];
    let mut headers = vec![("content-type", content_type.to_owned())];
    headers.extend(client.token.as_ref().map(|token| ("authorization", format!("Bearer {token}"))));
    if content_type == "application/offset+octet-stream" {
        headers.push(("upload-offset", "0".to_owned()));
    }
    let router = renraku_server::router::care(host.server.app.clone());
    asked(router, Peer::of(Some(certificate)), what, headers, body).await
}

/// Asks the public host as a stranger.
pub async fn ask_public(host: &Host, what: (&str, &str), (content_type, body): (&str, Vec<u8>)) -> Answered {
    let router = renraku_server::router::public(host.server.app.clone());
    asked(router, Peer::default(), what, vec![("content-type", content_type.to_owned())], body).await
}

async fn asked(
    router: Router,
    peer: Peer,
    (method, path): (&str, &str),
    headers: Vec<(&str, String)>,
    body: Vec<u8>,
) -> Answered {
    let mut request = Request::builder().method(method).uri(path).header("sec-fetch-site", "same-origin");
    for (name, value) in headers.into_iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(name, value);
    }
    let mut request = request.body(Body::from(body)).unwrap();
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(Address([127, 0, 0, 1].into()));
    let asked = async {
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let statements = SENT.with(|sent| sent.take());
        Answered { status, body: String::from_utf8_lossy(&body).into_owned(), statements }
    };
    SENT.scope(RefCell::default(), asked).await
}
