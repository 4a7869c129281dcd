//! How often strangers may send something to the public host: by address, and by town. Addresses are held in
//! memory for as long as they count; they are written and logged nowhere.
//!
//! Not here: wrong passwords of accounts (`session::rules`) and of certificate Nos (`device::ticket`).

use crate::config::PUBLIC_FORMS_PER_MINUTE;
use crate::error::AppError;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use renraku_wire::Code;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, RwLock};

/// A town takes as much as so many addresses.
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

    fn take(&self, address: IpAddr, town: &str) -> Result<(), u64> {
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
        self.towns.check_key(&town.to_owned()).map_err(|not| wait(&not))
    }
}

impl Throttle {
    /// Sets what one address may send in a minute, all at once if it likes; 0 for no limit.
    pub fn allow(&self, per_minute: u32) {
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = Limits::new(per_minute);
    }

    /// Counts one more, or says how many seconds to wait.
    ///
    /// # Errors
    /// Seconds until the next one is taken.
    pub fn take(&self, address: IpAddr, town: &str) -> Result<(), u64> {
        let limits = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        limits.as_ref().map_or(Ok(()), |limits| limits.take(address, town))
    }
}

/// What one household or office has: an IPv4 address, or the upper half of an IPv6 one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// The town that an address of the public host is about.
fn town(path: &str) -> &str {
    let path = path.strip_prefix("/v1/municipalities").unwrap_or(path);
    path.split('/').nth(1).filter(|slug| slug.len() <= 64).unwrap_or_default()
}

/// Holds back what is sent too often, before anything is read of it: `too_many_requests` with `Retry-After`.
pub async fn hold(State(throttle): State<Arc<Throttle>>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let address = request.extensions().get::<Address>().map_or(Ipv4Addr::UNSPECIFIED.into(), |a| a.0);
    match throttle.take(address, town(request.uri().path())) {
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

    #[test]
    fn an_address_has_its_share_and_a_town_has_ten() {
        let throttle = Throttle::default();
        throttle.allow(3);
        let of = |n: u8| IpAddr::from([192, 0, 2, n]);
        for _ in 0..3 {
            throttle.take(of(1), "one").unwrap();
        }
        let wait = throttle.take(of(1), "one").unwrap_err();
        assert!((1..=21).contains(&wait), "{wait}");
        throttle.take(of(1), "two").unwrap_err();
        throttle.take(of(2), "one").unwrap();
        for n in 3..29 {
            throttle.take(of(n), "one").unwrap();
        }
        throttle.take(of(30), "one").unwrap_err();
        throttle.take(of(31), "two").unwrap();
        throttle.allow(0);
        for _ in 0..100 {
            throttle.take(of(1), "one").unwrap();
        }
    }

    #[test]
    fn a_household_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::9"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn the_town_is_in_the_address() {
        assert_eq!(town("/v1/municipalities/minowa/certificates"), "minowa");
        assert_eq!(town("/minowa/apply"), "minowa");
        assert_eq!(town("/"), "");
        assert_eq!(town(&format!("/{}/apply", "x".repeat(65))), "");
    }
}
