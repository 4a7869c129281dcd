//! What opening a session asks of the database and leaves there. What does not need the other's answer goes
//! together: beside the password, the ways to the database and back are what a sign-in costs.

use super::rules::{Tallies, Tally};
use super::store::{Account, NewSession};
use super::tally::{self, Key, load_query, put_query};
use crate::access::DeviceAccess;
use crate::audit::{self, Actor};
use crate::db::prelude::*;
use crate::db::schema::{audit as audit_table, certificate, facility, session, staff};
use crate::db::sql::from_word;
use crate::db::{Conn, Id, kept};
use crate::error::AppError;
use crate::run_together;
use renraku_wire::Staff;

/// The account that a sign-in names, with the tallies that it meets.
///
/// # Errors
/// The database failed.
pub async fn meet(
    c: &mut Conn,
    town: Id,
    login_id: &str,
    key: &Key,
) -> Result<(Option<Account>, Tallies), AppError> {
    let named = staff::table.filter(staff::municipality_id.eq(town)).filter(staff::login_id.eq(login_id));
    let (mut accounts, rows) = run_together!(
        c,
        load::<Account> => named.select(Account::as_select()),
        load::<tally::Row> => load_query!(key)
    )?;
    Ok((accounts.pop(), tally::of_rows(key, &rows)))
}

/// What a sign-in finds at the moment of opening.
pub struct Found {
    /// The person; none when certificate, facility or account let nobody in any more.
    pub person: Option<Person>,
    /// The session under the same token, if there is one.
    pub before: Option<Before>,
}

/// A person about to have a session.
pub struct Person {
    /// As colleagues see them.
    pub staff: Staff,
    /// The first password was not changed yet.
    pub must_change_password: bool,
}

/// A session from before.
#[derive(Clone, Copy, Debug)]
pub struct Before {
    /// When it ends.
    pub expires_at: i64,
    /// When it was last used.
    pub last_seen_at: i64,
    /// It waits for its owner.
    pub rests: bool,
}

type PersonRow = (String, String, String, String, bool);

/// Looks at everything again: the password was checked for a while.
///
/// # Errors
/// The database failed.
pub async fn look(
    c: &mut Conn,
    device: &DeviceAccess,
    account: &Account,
    token_hash: &[u8],
) -> Result<Found, AppError> {
    let town = device.municipality_id();
    // As it was when the password was checked, on a certificate and in a facility that are good.
    let person = staff::table
        .inner_join(facility::table.on(
            facility::municipality_id.eq(staff::municipality_id).and(facility::id.eq(staff::facility_id)),
        ))
        .inner_join(certificate::table.on(certificate::municipality_id.eq(staff::municipality_id)))
        .filter(staff::municipality_id.eq(town))
        .filter(staff::id.eq(account.id))
        .filter(staff::facility_id.eq(device.facility_id()))
        .filter(staff::state.eq("active"))
        .filter(staff::password_hash.eq(&account.password_hash))
        .filter(facility::state.eq("approved"))
        .filter(certificate::serial.eq(device.serial()))
        .filter(certificate::revoked_at.is_null())
        .select((facility::name, staff::name, staff::profession, staff::role, staff::must_change_password));
    let before = session::table.find((town, token_hash)).select((
        session::expires_at,
        session::last_seen_at,
        session::resting_at,
    ));
    let (mut people, mut sessions) = run_together!(
        c,
        load::<PersonRow> => person,
        load::<(i64, i64, Option<i64>)> => before
    )?;
    let person = people.pop().map(|(facility_name, name, profession, role, must_change_password)| {
        let staff = Staff {
            id: account.id.into(),
            facility_id: device.facility_id().into(),
            facility_name,
            name,
            profession: from_word(&profession)?,
            role: from_word(&role)?,
        };
        Ok::<_, AppError>(Person { staff, must_change_password })
    });
    Ok(Found {
        person: person.transpose()?,
        before: sessions.pop().map(|(expires_at, last_seen_at, resting_at)| Before {
            expires_at,
            last_seen_at,
            rests: resting_at.is_some(),
        }),
    })
}

/// The person's sessions that rest on the device.
macro_rules! resting {
    ($new:expr) => {
        session::table
            .filter(session::municipality_id.eq($new.municipality_id))
            .filter(session::staff_id.eq($new.staff_id))
            .filter(session::device_id.eq($new.device_id))
            .filter(session::resting_at.is_not_null())
    };
}

/// Stores that the password was right, forgets the person's resting sessions on the device, and opens the session
/// with its entry in the log.
///
/// # Errors
/// The database failed.
pub async fn open(c: &mut Conn, key: &Key, new: &NewSession<'_>, actor: Actor) -> Result<(), AppError> {
    let right = Tally::right(new.created_at);
    let entry = audit::entry(actor, "session.open", Some(new.staff_id), "");
    run_together!(
        c,
        execute => kept(put_query!(key.town, &key.login, key.device, &right)),
        execute => diesel::delete(resting!(new)),
        // Of two answers to one form the later one is tried again, and finds that the session runs.
        execute => diesel::insert_into(session::table).values(new).on_conflict_do_nothing(),
        execute => diesel::insert_into(audit_table::table).values(&entry)
    )?;
    Ok(())
}

/// As [`open`], where the session runs already.
///
/// # Errors
/// The database failed.
pub async fn open_again(c: &mut Conn, key: &Key, new: &NewSession<'_>) -> Result<(), AppError> {
    let right = Tally::right(new.created_at);
    run_together!(
        c,
        execute => kept(put_query!(key.town, &key.login, key.device, &right)),
        execute => diesel::delete(resting!(new))
    )?;
    Ok(())
}
