//! The device's clock, in one place. Wall time may jump: nothing that must not fail rests on it alone.

use renraku_wire::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time. A shell needs none of its own: [`SystemClock`] is the default. Called from any thread.
pub trait Clock: Send + Sync {
    /// Now, in milliseconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> Timestamp;
}

/// The device's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}
