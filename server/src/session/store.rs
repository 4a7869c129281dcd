//! Sessions, accounts as signing in sees them, and push registrations.

use crate::access::SignedIn;
use crate::db::prelude::*;
use crate::db::schema::{enrolment_ticket, facility, municipality, push_registration, session, staff};
use crate::db::sql::word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::{clock, run};
use renraku_wire::{Code, PushRegistration};

/// An account as signing in sees it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = staff)]
pub struct Account {
    /// The person.
    pub id: Id,
    /// Where they work.
    pub facility_id: Id,
    /// Individual user id.
    pub login_id: String,
    /// Name.
    pub name: String,
    /// Argon2id.
    pub password_hash: String,
    /// The first password was not changed yet.
    pub must_change_password: bool,
    /// `active` or not.
    pub state: String,
}

/// The account of a person.
///
/// # Errors
/// The database failed.
pub async fn account_of(c: &mut Conn, town: Id, id: Id) -> Result<Account, AppError> {
    Ok(run!(c, get_result, staff::table.find((town, id)).select(Account::as_select()))?)
}

/// A session to be opened.
#[derive(Insertable)]
#[diesel(table_name = session)]
pub struct NewSession<'a> {
    /// The town.
    pub municipality_id: Id,
    /// SHA-256 of the token.
    pub token_hash: &'a [u8],
    /// Its name for its owner.
    pub id: Id,
    /// Who.
    pub staff_id: Id,
    /// On which device.
    pub device_id: Id,
    /// With which certificate.
    pub serial: &'a str,
    /// Now.
    pub created_at: i64,
    /// Now.
    pub last_seen_at: i64,
    /// When it ends.
    pub expires_at: i64,
}

/// Ends a session; false when it had ended before.
///
/// # Errors
/// The database failed.
pub async fn close(c: &mut Conn, town: Id, token_hash: &[u8]) -> Result<bool, AppError> {
    Ok(run!(c, execute, diesel::delete(session::table.find((town, token_hash))))? == 1)
}

/// Ends every other session of a person.
///
/// # Errors
/// The database failed.
pub async fn close_others(c: &mut Conn, town: Id, staff_id: Id, keep: &[u8]) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::delete(
            session::table
                .filter(session::municipality_id.eq(town))
                .filter(session::staff_id.eq(staff_id))
                .filter(session::token_hash.ne(keep))
        )
    )?;
    Ok(())
}

/// Ends every session and every push of a person: they left, were suspended, or have a new password.
///
/// # Errors
/// The database failed.
pub async fn close_all(c: &mut Conn, town: Id, staff_id: Id) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::delete(
            session::table.filter(session::municipality_id.eq(town)).filter(session::staff_id.eq(staff_id))
        )
    )?;
    run!(
        c,
        execute,
        diesel::delete(
            push_registration::table
                .filter(push_registration::municipality_id.eq(town))
                .filter(push_registration::staff_id.eq(staff_id))
        )
    )?;
    Ok(())
}

/// Ends one of the own sessions and the pushes on its device.
///
/// # Errors
/// [`Code::NotFound`], alike for another's and for none.
pub async fn close_own(c: &mut Conn, who: &SignedIn, id: Id) -> Result<(), AppError> {
    let town = who.municipality_id();
    let own = session::table
        .filter(session::municipality_id.eq(town))
        .filter(session::staff_id.eq(who.staff_id()))
        .filter(session::id.eq(id));
    let device: Option<Id> = run!(c, get_result, own.select(session::device_id)).optional()?;
    let device = device.ok_or(Code::NotFound)?;
    run!(c, execute, diesel::delete(own))?;
    run!(c, execute, diesel::delete(push_registration::table.find((town, who.staff_id(), device))))?;
    Ok(())
}

/// Lets a session rest: it opens nothing until its owner comes back with the password. False when it rested
/// or had ended before.
///
/// # Errors
/// The database failed.
pub async fn rest(c: &mut Conn, town: Id, token_hash: &[u8], now: i64) -> Result<bool, AppError> {
    let running = session::table.find((town, token_hash)).filter(session::resting_at.is_null());
    Ok(run!(c, execute, diesel::update(running).set(session::resting_at.eq(now)))? == 1)
}

/// Forgets sessions that ended, and tallies that bind nobody.
///
/// # Errors
/// The database failed.
pub async fn sweep(c: &mut Conn) -> Result<(), AppError> {
    run!(c, execute, diesel::delete(session::table.filter(session::expires_at.lt(clock::now()))))?;
    super::tally::sweep(c).await
}

/// Stores a new password in place of the one that was proved; false when that one is no more.
///
/// # Errors
/// The database failed.
pub async fn set_password(c: &mut Conn, who: &SignedIn, proved: &str, hash: &str) -> Result<bool, AppError> {
    let own = staff::table.find((who.municipality_id(), who.staff_id()));
    let rows = run!(
        c,
        execute,
        diesel::update(own.filter(staff::password_hash.eq(proved)))
            .set((staff::password_hash.eq(hash), staff::must_change_password.eq(false)))
    )?;
    Ok(rows == 1)
}

/// What a colleague knows of a person and would try as a password: facility, town, mail addresses.
///
/// # Errors
/// The database failed.
pub async fn about(c: &mut Conn, town: Id, account: &Account) -> Result<Vec<String>, AppError> {
    let (name, slug): (String, String) =
        run!(c, get_result, municipality::table.find(town).select((municipality::name, municipality::slug)))?;
    let mails: (Option<String>, Option<String>) = run!(
        c,
        get_result,
        staff::table.find((town, account.id)).select((staff::mail, staff::forwarding_mail))
    )?;
    let facility = facility_name(c, town, account.facility_id).await?;
    Ok([Some(name), Some(slug), Some(facility), mails.0, mails.1].into_iter().flatten().collect())
}

/// Stores where a person's pushes on this device go.
///
/// # Errors
/// The database failed.
pub async fn register_push(c: &mut Conn, who: &SignedIn, push: &PushRegistration) -> Result<(), AppError> {
    let provider = word(&push.provider);
    let now = clock::now();
    run!(
        c,
        execute,
        diesel::insert_into(push_registration::table)
            .values((
                push_registration::municipality_id.eq(who.municipality_id()),
                push_registration::staff_id.eq(who.staff_id()),
                push_registration::device_id.eq(who.device_id()),
                push_registration::provider.eq(&provider),
                push_registration::token.eq(&push.token),
                push_registration::updated_at.eq(now),
            ))
            .on_conflict((
                push_registration::municipality_id,
                push_registration::staff_id,
                push_registration::device_id
            ))
            .do_update()
            .set((
                push_registration::provider.eq(&provider),
                push_registration::token.eq(&push.token),
                push_registration::updated_at.eq(now),
            ))
    )?;
    Ok(())
}

/// Pushes for a person who signed out stop on that device, unless another session of theirs runs there: a phone may
/// tell late that it left one.
///
/// # Errors
/// The database failed.
pub async fn forget_push(c: &mut Conn, who: &SignedIn) -> Result<(), AppError> {
    let others: i64 = run!(
        c,
        get_result,
        session::table
            .filter(session::municipality_id.eq(who.municipality_id()))
            .filter(session::staff_id.eq(who.staff_id()))
            .filter(session::device_id.eq(who.device_id()))
            .filter(session::expires_at.gt(clock::now()))
            .count()
    )?;
    if others > 0 {
        return Ok(());
    }
    run!(
        c,
        execute,
        diesel::delete(push_registration::table.find((
            who.municipality_id(),
            who.staff_id(),
            who.device_id()
        )))
    )?;
    Ok(())
}

/// Pushes for a person stop on every device but this one.
///
/// # Errors
/// The database failed.
pub async fn forget_push_elsewhere(c: &mut Conn, who: &SignedIn) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::delete(
            push_registration::table
                .filter(push_registration::municipality_id.eq(who.municipality_id()))
                .filter(push_registration::staff_id.eq(who.staff_id()))
                .filter(push_registration::device_id.ne(who.device_id()))
        )
    )?;
    Ok(())
}

/// Name of a facility.
///
/// # Errors
/// The database failed.
pub async fn facility_name(c: &mut Conn, town: Id, id: Id) -> Result<String, AppError> {
    Ok(run!(c, get_result, facility::table.find((town, id)).select(facility::name))?)
}

/// Ends the certificate Nos that a person made and nobody used.
///
/// # Errors
/// The database failed.
pub async fn end_tickets(c: &mut Conn, town: Id, id: Id, now: i64) -> Result<(), AppError> {
    run!(
        c,
        execute,
        diesel::update(
            enrolment_ticket::table
                .filter(enrolment_ticket::municipality_id.eq(town))
                .filter(enrolment_ticket::issued_by.eq(id))
                .filter(enrolment_ticket::used_at.is_null())
                .filter(enrolment_ticket::expires_at.gt(now))
        )
        .set(enrolment_ticket::expires_at.eq(now))
    )?;
    Ok(())
}
