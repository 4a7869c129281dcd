//! Who is signed in with this store, and when the server was last heard. Not here: signing in.

use super::schema::session::dsl;
use super::{StoreResult, from_json, to_json};
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

/// Forgets the token.
pub(crate) fn close(tx: &mut SqliteConnection) -> StoreResult<()> {
    diesel::update(dsl::session).set(dsl::token.eq(None::<String>)).execute(tx)?;
    Ok(())
}

/// The first password was changed.
pub(crate) fn password_changed(tx: &mut SqliteConnection) -> StoreResult<()> {
    diesel::update(dsl::session).set(dsl::must_change_password.eq(false)).execute(tx)?;
    Ok(())
}

/// The server was heard.
pub(crate) fn contact(tx: &mut SqliteConnection, now: Timestamp) -> StoreResult<()> {
    diesel::update(dsl::session).set(dsl::last_contact_at.eq(now.0)).execute(tx)?;
    Ok(())
}

/// When the server was last heard.
pub(crate) fn last_contact(connection: &mut SqliteConnection) -> StoreResult<Option<Timestamp>> {
    Ok(dsl::session.select(dsl::last_contact_at).first(connection).optional()?.map(Timestamp))
}
