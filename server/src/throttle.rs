//! How often strangers may send something to the public host: by address; what makes work for a town's office, by
//! town as well. Addresses are held in
//! memory for as long as they count; they are written and logged nowhere.
//!
//! Not here: wrong passwords of accounts (`session::rules`) and of certificate Nos (`device::ticket`).

use crate::config::PUBLIC_FORMS_PER_MINUTE;
use crate::error::AppError;
use axum::extract::{FromRequestParts as _, MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use renraku_wire::Code;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, RwLock};

/// A town takes as many applications and reports, from everybody together, as so many addresses may send.
const ADDRESSES: u32 = 10;
/// So many addresses or towns are held before those that count no more are forgotten.
const MANY: usize = 10_000;

/// The address at the other end of the connection: behind a proxy, the proxy's.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub IpAddr);

/// Who has sent how much.
pub struct Throttle(RwLock<Option<Limits>>);

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Throttle")
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self(RwLock::new(Limits::new(PUBLIC_FORMS_PER_MINUTE)))
    }
}

struct Limits {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    towns: DefaultKeyedRateLimiter<String>,
}

impl Limits {
    fn new(per_minute: u32) -> Option<Self> {
        let quota = |times: u32| NonZeroU32::new(per_minute.saturating_mul(times)).map(Quota::per_minute);
        Some(Self {
            addresses: DefaultKeyedRateLimiter::keyed(quota(1)?),
            towns: DefaultKeyedRateLimiter::keyed(quota(ADDRESSES)?),
        })
    }

    fn take(&self, address: IpAddr, town: Option<&str>) -> Result<(), u64> {
        if self.addresses.len() > MANY {
            self.addresses.retain_recent();
        }
        if self.towns.len() > MANY {
            self.towns.retain_recent();
        }
        let wait = |not: &governor::NotUntil<std::time::Instant>| {
            not.wait_time_from(DefaultClock::default().now()).as_secs().saturating_add(1)
        };
        self.addresses.check_key(&network(address)).map_err(|not| wait(&not))?;
        let Some(town) = town else { return Ok(()) };
        self.towns.check_key(&town.to_owned()).map_err(|not| wait(&not))
    }
}

impl Throttle {
    /// Sets what one address may send in a minute, all at once if it likes; 0 for no limit.
    pub fn allow(&self, per_minute: u32) {
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Limits::new(per_minute);
    }

    /// Counts one more, against a town's share too where one is named, or says how many seconds to wait.
    ///
    /// # Errors
    /// Seconds until the next one is taken.
    pub fn take(&self, address: IpAddr, town: Option<&str>) -> Result<(), u64> {
        let limits = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        limits.as_ref().map_or(Ok(()), |limits| limits.take(address, town))
    }
}

/// What one household or office has: an IPv4 address, or an IPv6 network of 56 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 72)).into(),
    }
}

/// What makes work for a town's office. Certificates, the diagnosis and corrections are not among them: nobody is
/// to be kept from those by what others send.
const WORK: &[&str] = &["/facility-applications", "/apply", "/no-mail-reports", "/no-mail"];

/// The town whose share a request counts against.
async fn town(request: Request) -> (Option<String>, Request) {
    let (mut parts, body) = request.into_parts();
    let path = parts.extensions.get::<MatchedPath>();
    let makes_work = path.is_some_and(|path| WORK.iter().any(|end| path.as_str().ends_with(end)));
    let mut town = None;
    if makes_work && let Ok(named) = RawPathParams::from_request_parts(&mut parts, &()).await {
        town = named.iter().find(|(name, _)| *name == "slug").map(|(_, slug)| slug.to_owned());
    }
    (town, Request::from_parts(parts, body))
}

/// Holds back what is sent too often: `too_many_requests` with `Retry-After`.
pub async fn hold(State(throttle): State<Arc<Throttle>>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let address = request.extensions().get::<Address>().map_or(Ipv4Addr::UNSPECIFIED.into(), |a| a.0);
    let (town, request) = town(request).await;
    match throttle.take(address, town.as_deref()) {
        Ok(()) => next.run(request).await,
        Err(seconds) => {
            let mut refusal = AppError::from(Code::TooManyRequests).into_response();
            refusal.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            refusal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use tower::ServiceExt as _;

    #[test]
    fn an_address_has_its_share_and_a_town_has_ten() {
        let throttle = Throttle::default();
        throttle.allow(3);
        let of = |n: u8| IpAddr::from([192, 0, 2, n]);
        for _ in 0..3 {
            throttle.take(of(1), Some("one")).unwrap();
        }
        let wait = throttle.take(of(1), Some("one")).unwrap_err();
        assert!((1..=21).contains(&wait), "{wait}");
        throttle.take(of(1), Some("two")).unwrap_err();
        throttle.take(of(2), Some("one")).unwrap();
        for n in 3..29 {
            throttle.take(of(n), Some("one")).unwrap();
        }
        throttle.take(of(30), Some("one")).unwrap_err();
        throttle.take(of(32), None).unwrap();
        throttle.take(of(31), Some("two")).unwrap();
        throttle.allow(0);
        for _ in 0..100 {
            throttle.take(of(1), Some("one")).unwrap();
        }
    }

    #[test]
    fn a_household_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:ff:ffff::9"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:101::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[tokio::test]
    async fn a_town_has_one_share_of_work_however_its_name_is_written() {
        let throttle = Arc::new(Throttle::default());
        throttle.allow(1);
        let router = Router::new()
            .route("/{slug}/apply", post(|| async {}))
            .route("/{slug}/certificate", post(|| async {}))
            .layer(from_fn_with_state(throttle, hold));
        let sent = async |path: &str, n: u8| {
            let mut request = Request::post(path).body(Body::empty()).unwrap();
            request.extensions_mut().insert(Address(IpAddr::from([192, 0, 2, n])));
            router.clone().oneshot(request).await.unwrap().status().as_u16()
        };
        for n in 0..10 {
            assert_eq!(sent("/one/apply", n).await, 200);
        }
        assert_eq!(sent("/%6fne/apply", 10).await, 429);
        assert_eq!(sent("/two/apply", 11).await, 200);
        assert_eq!(sent("/one/certificate", 12).await, 200, "nobody is kept from a certificate");
    }
}
