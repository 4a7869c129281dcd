//! A request refused before its body was read leaves the rest of it on an HTTP/1 connection. A little is read and
//! thrown away; a connection with more on it is closed, and its client told so, which would otherwise send its next
//! request into it (RFC 9112, 9.6).

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// What is thrown away rather than closing the connection, in bytes.
const LITTLE: usize = 2 * 1024 * 1024;
/// How long the answer waits for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads what is left of a request's body, or adds `Connection: close` to the answer.
pub async fn finish(request: Request, next: Next) -> Response {
    if request.version() > Version::HTTP_11 || request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Whoever asks first whether a body is wanted does not send one that is not.
    let asks = request.headers().contains_key(header::EXPECT);
    let (parts, body) = request.into_parts();
    let left = Arc::new(Mutex::new(Left::Held));
    let body = Body::new(Watched { body, left: left.clone() });
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let rest = std::mem::replace(&mut *left.lock().unwrap_or_else(PoisonError::into_inner), Left::Held);
    let read = match rest {
        Left::Nothing => true,
        Left::Body(body) if !asks => {
            matches!(tokio::time::timeout(PATIENCE, throw_away(body)).await, Ok(true))
        }
        Left::Body(_) | Left::Held => false,
    };
    if !read {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether the body ended before it was too much.
async fn throw_away(mut body: Body) -> bool {
    let mut bytes = 0;
    while bytes <= LITTLE {
        match body.frame().await {
            None => return true,
            Some(Err(_)) => return false,
            Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, |d| d.len()),
        }
    }
    false
}

enum Left {
    Nothing,
    Body(Body),
    /// Whoever reads it has it still.
    Held,
}

/// A body that gives back what was not read of it.
struct Watched {
    body: Body,
    left: Arc<Mutex<Left>>,
}

impl HttpBody for Watched {
    type Data = <Body as HttpBody>::Data;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let body = std::mem::take(&mut self.body);
        let left = if body.is_end_stream() { Left::Nothing } else { Left::Body(body) };
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::routing::post;
    use tower::ServiceExt;

    async fn hangs_up(path: &str, bytes: usize, change: impl FnOnce(&mut Request)) -> bool {
        let router = Router::new()
            .route("/ignores", post(|| async {}))
            .route("/reads", post(|_: bytes::Bytes| async {}))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .layer(axum::middleware::from_fn(finish));
        let mut request = Request::post(path).body(Body::from(vec![0; bytes])).unwrap();
        change(&mut request);
        let response = router.oneshot(request).await.unwrap();
        response.headers().get(header::CONNECTION).is_some_and(|v| v == "close")
    }

    #[tokio::test]
    async fn only_a_connection_with_much_left_on_it_is_closed() {
        assert!(!hangs_up("/ignores", 0, |_| {}).await);
        assert!(!hangs_up("/ignores", LITTLE, |_| {}).await);
        assert!(hangs_up("/ignores", LITTLE + 1, |_| {}).await);
        assert!(!hangs_up("/reads", LITTLE + 1, |_| {}).await);
    }

    #[tokio::test]
    async fn nobody_is_made_to_send_what_is_not_wanted() {
        let asks = |r: &mut Request| {
            r.headers_mut().insert(header::EXPECT, HeaderValue::from_static("100-continue"));
        };
        assert!(hangs_up("/ignores", 1, asks).await);
        assert!(!hangs_up("/reads", 1, asks).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_comes_is_not_waited_for() {
        let never = |r: &mut Request| {
            *r.body_mut() =
                Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
        };
        assert!(hangs_up("/ignores", 0, never).await);
    }

    #[tokio::test]
    async fn http_2_has_no_connection_to_close() {
        assert!(!hangs_up("/ignores", LITTLE + 1, |r| *r.version_mut() = Version::HTTP_2).await);
    }
}
