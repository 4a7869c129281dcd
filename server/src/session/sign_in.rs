//! Opening a session and changing a password: what the API and the portal share.

use super::{password, rules, store};
use crate::access::{Credentials, DeviceAccess, SignedIn, token_hash};
use crate::audit::{self, Actor};
use crate::db::Id;
use crate::error::AppError;
use crate::policy::MunicipalityPolicy;
use crate::state::App;
use crate::{access, clock};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use renraku_wire::{Code, SessionOpened, Staff, Timestamp};

/// Opens a session on this device. The password is checked before anything is told: an id that nobody
/// has, one of another facility, a wrong password and a suspended account answer alike, after the same
/// work.
///
/// # Errors
/// [`Code::SignInRefused`], [`Code::AccountLocked`].
pub async fn sign_in(
    app: &App,
    device: &DeviceAccess,
    login_id: &str,
    given: &str,
) -> Result<SessionOpened, AppError> {
    let town = device.municipality_id();
    let login_id = login_id.trim().to_lowercase();
    let account = app.db.read(async |c| store::account(c, town, &login_id).await).await?;
    // An account is open on the devices of its own facility only.
    let account = account.filter(|a| a.facility_id == device.facility_id() && a.state == "active");
    let now = clock::now();
    if account.as_ref().is_some_and(|a| rules::locked(a.locked_until, now)) {
        return Err(Code::AccountLocked.into());
    }
    let fits = password::verify(app, given, account.as_ref().map(|a| a.password_hash.as_str())).await?;
    let Some(account) = account else { return Err(Code::SignInRefused.into()) };
    let actor = Actor { staff_id: Some(account.id), ..device.actor() };
    if !fits {
        return Err(count_wrong(app, actor, account.id, device.policy(), now).await?.into());
    }
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
    let hash = token_hash(&token);
    let expires_at = now + i64::from(device.policy().session_hours) * 3_600_000;
    let who = app
        .db
        .write(async |c| {
            let stored = store::account_of(c, town, account.id).await?;
            if rules::locked(stored.locked_until, now) {
                return Err(Code::AccountLocked.into());
            }
            store::set_tries(c, town, account.id, 0, None).await?;
            store::open(
                c,
                &store::NewSession {
                    municipality_id: town,
                    token_hash: &hash,
                    staff_id: account.id,
                    device_id: device.device_id(),
                    serial: device.serial(),
                    created_at: now,
                    last_seen_at: now,
                    expires_at,
                },
            )
            .await?;
            audit::record(c, actor, "session.open", Some(account.id), "").await?;
            let credentials = Credentials {
                serial: Some(device.serial().to_owned()),
                token_hash: Some(hash.clone()),
                seen: app.seen.clone(),
            };
            let who = access::session(c, &credentials).await?;
            let staff = me(c, &who).await?;
            Ok((staff, who.must_change_password()))
        })
        .await?;
    let (staff, must_change_password) = who;
    Ok(SessionOpened { token, expires_at: Timestamp(expires_at), staff, must_change_password })
}

/// Counts a wrong password and says which refusal it earns. Counted from what is stored at that moment:
/// tries that arrive together all count.
async fn count_wrong(
    app: &App,
    actor: Actor,
    account: Id,
    policy: &MunicipalityPolicy,
    now: i64,
) -> Result<Code, AppError> {
    let town = actor.municipality_id;
    app.db
        .write(async |c| {
            let stored = store::account_of(c, town, account).await?;
            let after = rules::wrong(stored.failed_count, policy, now);
            let until = after.locked_until.or(stored.locked_until);
            store::set_tries(c, town, account, after.failed_count, until).await?;
            audit::record(c, actor, "session.refuse", Some(account), "").await?;
            Ok(if after.locked_until.is_some() { Code::AccountLocked } else { Code::SignInRefused })
        })
        .await
}

/// The person signed in, as colleagues see them.
///
/// # Errors
/// The database failed.
pub async fn me(c: &mut crate::db::Conn, who: &SignedIn) -> Result<Staff, AppError> {
    Ok(Staff {
        id: who.staff_id().into(),
        facility_id: who.facility_id().into(),
        facility_name: store::facility_name(c, who.municipality_id(), who.facility_id()).await?,
        name: who.name().to_owned(),
        profession: who.profession(),
        role: who.role(),
    })
}

/// Changes the password of the person signed in and ends their other sessions.
///
/// # Errors
/// [`Code::SignInRefused`] for a wrong current password, which counts like one at sign-in;
/// [`Code::AccountLocked`]; [`Code::PasswordWeak`].
pub async fn change_password(
    app: &App,
    who: &SignedIn,
    credentials: &Credentials,
    current: &str,
    new: &str,
) -> Result<(), AppError> {
    let town = who.municipality_id();
    let account = app.db.read(async |c| store::account_of(c, town, who.staff_id()).await).await?;
    let now = clock::now();
    if rules::locked(account.locked_until, now) {
        return Err(Code::AccountLocked.into());
    }
    if !password::verify(app, current, Some(&account.password_hash)).await? {
        return Err(count_wrong(app, who.actor(), account.id, who.policy(), now).await?.into());
    }
    if new == current {
        return Err(Code::PasswordWeak.into());
    }
    password::check(new, &account.login_id, &account.name)?;
    let hash = password::hash(app, new).await?;
    let keep = credentials.token_hash.clone().unwrap_or_default();
    app.db
        .write(async |c| {
            store::set_password(c, who, &hash).await?;
            store::set_tries(c, town, account.id, 0, None).await?;
            store::close_others(c, town, account.id, &keep).await?;
            audit::record(c, who.actor(), "session.password", Some(account.id), "").await
        })
        .await
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
