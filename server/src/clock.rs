//! The one place that asks what time it is.

use jiff::tz::TimeZone;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in milliseconds since 1970-01-01T00:00:00Z.
#[must_use]
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// The town's clock: Japan has one zone.
#[must_use]
pub fn japan(millis: i64) -> jiff::Zoned {
    let zone = TimeZone::fixed(jiff::tz::offset(9));
    jiff::Timestamp::from_millisecond(millis).unwrap_or_default().to_zoned(zone)
}

/// Age in whole years on the day of `now_millis`, of somebody born on `birth_date` (`YYYY-MM-DD`).
/// None when the date cannot be read or lies ahead.
#[must_use]
pub fn age(birth_date: &str, now_millis: i64) -> Option<u32> {
    let born: jiff::civil::Date = birth_date.parse().ok()?;
    let today = japan(now_millis).date();
    let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
    let years = i32::from(today.year()) - i32::from(born.year()) - i32::from(!had_birthday);
    u32::try_from(years).ok()
}

/// When an id was made, by the clock of whoever made it. None for an id that does not tell (other than version 7 of
/// RFC 9562).
#[must_use]
pub fn made_at(id: uuid::Uuid) -> Option<i64> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    i64::try_from(seconds).ok()?.checked_mul(1_000)?.checked_add(i64::from(nanos / 1_000_000))
}

/// The smallest id that can have been made at a moment, or after it.
#[must_use]
pub fn first_at(millis: i64) -> uuid::Uuid {
    uuid::Builder::from_unix_timestamp_millis(u64::try_from(millis).unwrap_or(0), &[0; 10]).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_when_it_was_made() {
        let made = made_at(uuid::Uuid::now_v7()).unwrap();
        assert!((now() - made).abs() < 60_000);
        assert_eq!(made_at(uuid::Uuid::nil()), None);
        assert_eq!(made_at(first_at(made)), Some(made));
    }

    #[test]
    fn age_turns_on_the_birthday_in_japan() {
        let at = |s: &str| s.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        assert_eq!(age("1940-05-01", at("2026-04-30T14:59:59Z")), Some(85));
        assert_eq!(age("1940-05-01", at("2026-04-30T15:00:00Z")), Some(86));
        assert_eq!(age("2027-01-01", at("2026-04-30T15:00:00Z")), None);
        assert_eq!(age("1940-13-01", at("2026-04-30T15:00:00Z")), None);
    }
}
