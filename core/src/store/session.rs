//! Who is signed in with this store, and when the server was last heard. Not here: signing in.

use super::schema::session::dsl;
use super::{StoreError, StoreResult, from_json, to_json};
use diesel::prelude::*;
use renraku_wire::{SessionOpened, Staff, Timestamp};

/// The session as it is kept.
pub(crate) struct StoredSession {
    pub(crate) staff: Staff,
    /// None after signing out.
    pub(crate) token: Option<String>,
    pub(crate) must_change_password: bool,
}

/// Keeps a session just opened.
pub(crate) fn open(tx: &mut SqliteConnection, opened: &SessionOpened, now: Timestamp) -> StoreResult<()> {
    diesel::replace_into(dsl::session)
        .values((
            dsl::id.eq(0),
            dsl::staff.eq(to_json(&opened.staff)?),
            dsl::token.eq(Some(&opened.token)),
            dsl::expires_at.eq(opened.expires_at.0),
            dsl::must_change_password.eq(opened.must_change_password),
            dsl::last_contact_at.eq(now.0),
            dsl::latest_at.eq(now.0),
        ))
        .execute(tx)?;
    Ok(())
}

/// The session, if there ever was one.
pub(crate) fn load(connection: &mut SqliteConnection) -> StoreResult<Option<StoredSession>> {
    let row: Option<(String, Option<String>, bool)> = dsl::session
        .select((dsl::staff, dsl::token, dsl::must_change_password))
        .first(connection)
        .optional()?;
    let Some((staff, token, must_change_password)) = row else { return Ok(None) };
    Ok(Some(StoredSession { staff: from_json(&staff)?, token, must_change_password }))
}

/// Forgets this token, unless a newer one has taken its place.
pub(crate) fn over(tx: &mut SqliteConnection, token: &str) -> StoreResult<()> {
    diesel::update(dsl::session.filter(dsl::token.eq(token)))
        .set(dsl::token.eq(None::<String>))
        .execute(tx)?;
    Ok(())
}

/// Puts the token from before in this one's place. False when a newer one has it.
pub(crate) fn put_back(tx: &mut SqliteConnection, token: &str, before: &str) -> StoreResult<bool> {
    let changed =
        diesel::update(dsl::session.filter(dsl::token.eq(token))).set(dsl::token.eq(before)).execute(tx)?;
    Ok(changed == 1)
}

/// The token of who is signed in with this store; none when nobody is.
pub(crate) fn token(connection: &mut SqliteConnection) -> StoreResult<Option<String>> {
    let token: Option<Option<String>> = dsl::session.select(dsl::token).first(connection).optional()?;
    Ok(token.flatten())
}

/// The first password was changed.
pub(crate) fn password_changed(tx: &mut SqliteConnection) -> StoreResult<()> {
    diesel::update(dsl::session).set(dsl::must_change_password.eq(false)).execute(tx)?;
    Ok(())
}

/// The server was heard. Whatever the clock said before, it counts from here.
pub(crate) fn contact(tx: &mut SqliteConnection, now: Timestamp) -> StoreResult<()> {
    diesel::update(dsl::session)
        .set((dsl::last_contact_at.eq(now.0), dsl::latest_at.eq(now.0)))
        .execute(tx)?;
    Ok(())
}

/// Whether what was kept may still be read without the server. Remembers how late it is, so that a clock set
/// back later is noticed, and the time that was used up stays used up.
pub(crate) fn lease(
    connection: &mut SqliteConnection,
    now: Timestamp,
    hours: u32,
) -> StoreResult<Result<(), LeaseEnd>> {
    let row: Option<(i64, i64)> =
        dsl::session.select((dsl::last_contact_at, dsl::latest_at)).first(connection).optional()?;
    let Some((last, latest)) = row else { return Ok(Err(LeaseEnd::Over)) };
    if now.0.saturating_sub(latest) >= REMEMBER {
        match diesel::update(dsl::session)
            .set(dsl::latest_at.eq(now.0))
            .execute(connection)
            .map_err(StoreError::from)
        {
            // A full device can still be read; the time is written down when there is room.
            Ok(_) | Err(StoreError::Full) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(standing(now.0, last, latest, i64::from(hours) * 3_600_000))
}

/// Why the store may not be read without the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LeaseEnd {
    /// The server was not reached for too long.
    Over,
    /// The clock was set back.
    SetBack,
}

/// Writing down each second would wear the disk out.
const REMEMBER: i64 = 30_000;
/// What a clock is corrected by when it finds the network again, in milliseconds.
const CORRECTION: i64 = 300_000;

fn standing(now: i64, last: i64, latest: i64, lease: i64) -> Result<(), LeaseEnd> {
    if now < latest.saturating_sub(CORRECTION) {
        return Err(LeaseEnd::SetBack);
    }
    if now.max(latest).saturating_sub(last) > lease { Err(LeaseEnd::Over) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_gives_no_time_back() {
        let lease = 72 * 3_600_000;
        assert_eq!(standing(lease, 0, 0, lease), Ok(()));
        assert_eq!(standing(lease + 1, 0, 0, lease), Err(LeaseEnd::Over));
        assert_eq!(standing(lease, 0, lease + 1, lease), Err(LeaseEnd::Over), "a little back");
        assert_eq!(standing(0, 0, lease + 1, lease), Err(LeaseEnd::SetBack), "far back");
        assert_eq!(standing(-1, 0, 0, lease), Ok(()), "a correction");
        assert_eq!(standing(i64::MIN, 0, i64::MIN, lease), Ok(()));
        assert_eq!(standing(i64::MAX, i64::MIN, 0, lease), Err(LeaseEnd::Over));
    }
}
