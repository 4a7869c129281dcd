//! Opening and ending a session and changing a password: what the API and the portal share.

use super::password::{self, Owner};
use super::rules;
use super::rules::Tallies;
use super::{opening, roll, store, tally};
use crate::access::{Credentials, DeviceAccess, SignedIn, token_hash};
use crate::audit::{self, Actor};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::policy::MunicipalityPolicy;
use crate::state::App;
use crate::{access, clock, input};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use renraku_wire::{Code, Problem, SessionOpened, Staff, Timestamp};

/// What a device brings to a sign-in beside id and password.
#[derive(Debug, Default)]
pub struct Before<'a> {
    /// Whose session it has, with that session's token hash.
    pub session: Option<(&'a SignedIn, &'a [u8])>,
    /// The caller's id for the sign-in: sent twice, it opens one session.
    pub id: Option<Id>,
}

/// Opens a session on this device. The password is checked before anything is told: an id that nobody
/// has, one of another facility, a wrong password and a suspended account answer alike, after the same
/// work, and are counted alike.
///
/// In a browser in which somebody else is signed in, their session rests and the new one opens in one step;
/// the same person's old session ends.
///
/// # Errors
/// [`Code::SignInRefused`], [`Code::AccountLocked`], [`Code::Unavailable`].
pub async fn sign_in(
    app: &App,
    device: &DeviceAccess,
    before: Before<'_>,
    login_id: &str,
    given: &str,
) -> Result<SessionOpened, AppError> {
    let login_id = input::login_id(login_id);
    let town = device.municipality_id();
    let key = tally::Key::new(town, &login_id, device.device_id(), device.facility_id());
    let (account, tallies) = app.db.glance(async |c| opening::meet(c, town, &login_id, &key).await).await?;
    enter(app, device, &key, tallies, account, given, before).await
}

/// Changes the person at this device (交代): only the other one's password is asked for, and the session
/// of whoever is signed in rests until they come back with theirs.
///
/// # Errors
/// As [`sign_in`]; somebody who has no session on this device answers like a wrong password.
pub async fn switch(
    app: &App,
    who: &SignedIn,
    credentials: &Credentials,
    id: Option<Id>,
    to: Id,
    given: &str,
) -> Result<SessionOpened, AppError> {
    let (account, key, tallies) = app
        .db
        .read(async |c| {
            let here = roll::others(c, who).await?.into_iter().any(|p| Id::from(p.staff_id) == to);
            let account =
                if here { Some(store::account_of(c, who.municipality_id(), to).await?) } else { None };
            let login_id = account.as_ref().map_or_else(|| to.to_string(), |a| a.login_id.clone());
            let key = tally::Key::new(who.municipality_id(), &login_id, who.device_id(), who.facility_id());
            let tallies = tally::load(c, &key).await?;
            Ok((account, key, tallies))
        })
        .await?;
    let session = credentials.token_hash.as_deref().map(|hash| (who, hash));
    enter(app, who, &key, tallies, account, given, Before { session, id }).await
}

async fn enter(
    app: &App,
    device: &DeviceAccess,
    key: &tally::Key,
    tallies: Tallies,
    account: Option<store::Account>,
    given: &str,
    before: Before<'_>,
) -> Result<SessionOpened, AppError> {
    let town = device.municipality_id();
    // An account is open on the devices of its own facility only.
    let account = account.filter(|a| a.facility_id == device.facility_id() && a.state == "active");
    let fits = check(app, tallies, given, account.as_ref()).await?;
    let token = URL_SAFE_NO_PAD.encode(token(app, device, account.as_ref(), before.id));
    let hash = token_hash(&token);
    let now = clock::now();
    let expires_at = now + i64::from(device.policy().session_hours) * 3_600_000;
    let actor = Actor { staff_id: account.as_ref().map(|a| a.id), ..device.actor() };
    let person = app
        .db
        .write(async |c| {
            // Right or wrong, it begins with the same question, and who has to wait is asked no other.
            let tallies = tally::load(c, key).await?;
            if let Some(until) = tallies.wait(now) {
                return Ok(Err(locked(until, now)));
            }
            let Some(account) = account.as_ref().filter(|_| fits) else {
                return Ok(Err(wrong(c, actor, device.policy(), key, &tallies).await?));
            };
            let found = opening::look(c, device, account, &hash).await?;
            // Between the check and now, the office may have suspended the id, the facility or the device.
            let Some(person) = found.person.filter(|_| now <= device.not_after()) else {
                access::device(c, &device.credentials(app.seen.clone())).await?;
                return Err(Code::SignInRefused.into());
            };
            if let Some((before, old)) = before.session.filter(|(_, old)| *old != hash) {
                step_aside(c, before, old, account.id, now).await?;
            }
            let new = store::NewSession {
                municipality_id: town,
                token_hash: &hash,
                id: Id::new(),
                staff_id: account.id,
                device_id: device.device_id(),
                serial: device.serial(),
                created_at: now,
                last_seen_at: now,
                expires_at,
            };
            let ended = |s: &opening::Before| now >= s.expires_at || s.last_seen_at <= device.idle_since(now);
            match found.before {
                Some(same) if !same.rests && !ended(&same) => opening::open_again(c, key, &new).await?,
                before => {
                    if before.is_some() {
                        store::close(c, town, &hash).await?;
                    }
                    opening::open(c, key, &new, actor).await?;
                }
            }
            Ok(Ok(person))
        })
        .await??;
    device.signed_in_on(&app.seen);
    let opening::Person { staff, must_change_password } = person;
    Ok(SessionOpened { token, expires_at: Timestamp(expires_at), staff, must_change_password })
}

/// An id that is older opens a session of its own each time: sent again after its session was ended, it must
/// not bring that one's token back.
const FRESH_MILLIS: i64 = 10 * 60_000;

/// A session's token: a random one; for a fresh id, which may be sent twice, the one that belongs to it, so that either answer holds the token that counts.
fn token(
    app: &App,
    device: &DeviceAccess,
    account: Option<&store::Account>,
    id: Option<Id>,
) -> zeroize::Zeroizing<[u8; 32]> {
    let fresh =
        id.filter(|id| clock::made_at(id.0).is_some_and(|at| (clock::now() - at).abs() < FRESH_MILLIS));
    match (account, fresh) {
        (Some(account), Some(id)) => app.secret.derive(&[
            b"session",
            device.municipality_id().0.as_bytes(),
            device.device_id().0.as_bytes(),
            account.id.0.as_bytes(),
            // A new password or certificate opens new sessions only.
            account.password_hash.as_bytes(),
            device.serial().as_bytes(),
            id.0.as_bytes(),
        ]),
        _ => zeroize::Zeroizing::new(rand::random()),
    }
}

/// Lets the session rest that a browser had before somebody else signed in at it; ends it when it is the
/// same person's.
async fn step_aside(c: &mut Conn, before: &SignedIn, old: &[u8], to: Id, now: i64) -> Result<(), AppError> {
    let town = before.municipality_id();
    let (done, verb) = if to == before.staff_id() {
        (store::close(c, town, old).await?, "session.close")
    } else {
        (store::rest(c, town, old, now).await?, "session.rest")
    };
    if done {
        audit::record(c, before.actor(), verb, Some(before.staff_id()), "").await?;
    }
    Ok(())
}

/// Holds a password against an account's, unless it has to wait.
async fn check(
    app: &App,
    tallies: Tallies,
    given: &str,
    account: Option<&store::Account>,
) -> Result<bool, AppError> {
    let now = clock::now();
    if let Some(until) = tallies.wait(now) {
        return Err(locked(until, now).into());
    }
    app.hashing.verify(given, account.map(|a| a.password_hash.as_str())).await
}

/// Counts a password that was checked, and says what refusal it earns. Decided by what is stored at that
/// moment: tries that arrive together all count, and none of those that came too late tells anything.
async fn judge(
    c: &mut Conn,
    actor: Actor,
    policy: &MunicipalityPolicy,
    key: &tally::Key,
    fits: bool,
) -> Result<Option<Problem>, AppError> {
    let now = clock::now();
    let tallies = tally::load(c, key).await?;
    if let Some(until) = tallies.wait(now) {
        return Ok(Some(locked(until, now)));
    }
    if fits {
        tally::right(c, key, now).await?;
        return Ok(None);
    }
    wrong(c, actor, policy, key, &tallies).await.map(Some)
}

/// Counts a wrong password, and says what refusal it earns.
async fn wrong(
    c: &mut Conn,
    actor: Actor,
    policy: &MunicipalityPolicy,
    key: &tally::Key,
    tallies: &Tallies,
) -> Result<Problem, AppError> {
    let now = clock::now();
    let after = tallies.wrong(policy, now);
    tally::store(c, key, &after).await?;
    audit::record(c, actor, "session.refuse", actor.staff_id, "").await?;
    Ok(match after.wait(now) {
        Some(until) => locked(until, now),
        None => Problem::new(Code::SignInRefused),
    })
}

/// The refusal that says how long to wait.
fn locked(until: i64, now: i64) -> Problem {
    Problem {
        detail: format!(
            "パスワードを続けて間違えたため、しばらくサインインできません。{}分待つか、管理者に連絡してください。",
            rules::minutes(until, now),
        ),
        ..Problem::new(Code::AccountLocked)
    }
}

/// The person signed in, as colleagues see them.
///
/// # Errors
/// The database failed.
pub async fn me(c: &mut Conn, who: &SignedIn) -> Result<Staff, AppError> {
    Ok(Staff {
        id: who.staff_id().into(),
        facility_id: who.facility_id().into(),
        facility_name: store::facility_name(c, who.municipality_id(), who.facility_id()).await?,
        name: who.name().to_owned(),
        profession: who.profession(),
        role: who.role(),
    })
}

/// How long after a change of password the same change is taken for the one that was done.
const TWICE_MILLIS: i64 = 60_000;

/// Changes the password of the person signed in, ends their other sessions, the pushes to the devices that had
/// those, and the certificate Nos that they made and nobody used. The same change sent twice is one.
///
/// # Errors
/// [`Code::SignInRefused`] for a wrong current password, which counts like one at sign-in;
/// [`Code::AccountLocked`]; [`Code::PasswordWeak`]; [`Code::Unavailable`].
pub async fn change_password(
    app: &App,
    who: &SignedIn,
    credentials: &Credentials,
    current: &str,
    new: &str,
) -> Result<(), AppError> {
    let town = who.municipality_id();
    let (account, about, just_changed, key, tallies) = app
        .db
        .read(async |c| {
            let account = store::account_of(c, town, who.staff_id()).await?;
            let key = tally::Key::new(town, &account.login_id, who.device_id(), who.facility_id());
            let tallies = tally::load(c, &key).await?;
            let about = store::about(c, town, &account).await?;
            let since = clock::now() - TWICE_MILLIS;
            let just_changed = audit::did_since(c, who.actor(), "session.password", since).await?;
            Ok((account, about, just_changed, key, tallies))
        })
        .await?;
    let fits = check(app, tallies, current, Some(&account)).await?;
    // Sent twice: the first of the two has made it the password that counts. At any other time this would be a
    // second guess at the current one for the price of one.
    let done = !fits
        && just_changed
        && !account.must_change_password
        && app.hashing.verify(new, Some(&account.password_hash)).await?;
    let fits = fits || done;
    app.db
        .write(async |c| Ok(judge(c, who.actor(), who.policy(), &key, fits).await?.map_or(Ok(()), Err)))
        .await??;
    if done {
        return Ok(());
    }
    if new == current {
        return Err(Code::PasswordWeak.into());
    }
    let about: Vec<&str> = about.iter().map(String::as_str).collect();
    password::check(new, &Owner { login_id: &account.login_id, name: &account.name, about: &about })?;
    let hash = app.hashing.hash(new).await?;
    let keep = credentials.token_hash.clone().unwrap_or_default();
    let changed = app
        .db
        .write(async |c| {
            // Two changes at once: the later one was proved with a password that is no more.
            if !store::set_password(c, who, &account.password_hash, &hash).await? {
                return Ok(false);
            }
            store::close_others(c, town, account.id, &keep).await?;
            store::forget_push_elsewhere(c, who).await?;
            // Whoever knew the old password may have made some.
            store::end_tickets(c, town, account.id, clock::now()).await?;
            audit::record(c, who.actor(), "session.password", Some(account.id), "").await?;
            Ok(true)
        })
        .await?;
    if changed {
        return Ok(());
    }
    let now = app.db.read(async |c| store::account_of(c, town, who.staff_id()).await).await?;
    let same = app.hashing.verify(new, Some(&now.password_hash)).await?;
    if same { Ok(()) } else { Err(Code::StateConflict.into()) }
}

/// Ends the session and the pushes on this device.
///
/// # Errors
/// The database failed.
pub async fn sign_out(app: &App, who: &SignedIn, credentials: &Credentials) -> Result<(), AppError> {
    let Some(hash) = &credentials.token_hash else { return Ok(()) };
    app.db
        .write(async |c| {
            store::close(c, who.municipality_id(), hash).await?;
            store::forget_push(c, who).await?;
            audit::record(c, who.actor(), "session.close", Some(who.staff_id()), "").await
        })
        .await
}

/// Ends one of the own sessions, wherever it runs; its device gets no more pushes for this person.
///
/// # Errors
/// [`Code::NotFound`], alike for another's and for none.
pub async fn end(app: &App, who: &SignedIn, id: Id) -> Result<(), AppError> {
    app.db
        .write(async |c| {
            store::close_own(c, who, id).await?;
            audit::record(c, who.actor(), "session.end", Some(who.staff_id()), "").await
        })
        .await
}

/// Ends every own session but this one.
///
/// # Errors
/// The database failed.
pub async fn end_others(app: &App, who: &SignedIn, credentials: &Credentials) -> Result<(), AppError> {
    let keep = credentials.token_hash.clone().unwrap_or_default();
    app.db
        .write(async |c| {
            store::close_others(c, who.municipality_id(), who.staff_id(), &keep).await?;
            store::forget_push_elsewhere(c, who).await?;
            audit::record(c, who.actor(), "session.end_others", Some(who.staff_id()), "").await
        })
        .await
}
