//! The device's clock, in one place. Wall time may jump: nothing that must not fail rests on it alone.

use renraku_wire::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, by the device's clock.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
