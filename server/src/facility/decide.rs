//! What the office decides (F03, F04): return, rejection, approval, suspension, the mail once more, and one
//! more No for a device. What the API and the portal share.

use super::rules::{self, Event};
use super::store::{self, Standing, letters, people, stray};
use crate::access::{Secretariat, token_hash};
use crate::audit;
use crate::clock;
use crate::db::{Conn, Id};
use crate::device::ticket;
use crate::error::AppError;
use crate::input;
use crate::notice::{self, FacilityNews, Letter};
use crate::sent;
use crate::session::password;
use crate::staff;
use crate::state::App;
use renraku_wire::{Code, FacilityReturn, FacilityState, TicketMailAgain};

/// Tells a facility's manager.
///
/// # Errors
/// The database failed.
pub(super) async fn tell(
    c: &mut Conn,
    app: &App,
    town: Id,
    mail: &str,
    news: FacilityNews,
) -> Result<(), AppError> {
    notice::queue_letter(c, &app.secret, town, Id::new(), mail, &Letter::Facility { news }).await
}

/// Approves an application: the manager gets an account, and by mail a certificate No and password.
/// Returns the manager's user id and first password, which the office hands over. Approving again shows them
/// again to whoever approved, until the manager has signed in.
///
/// # Errors
/// [`Code::NotFound`], [`Code::StateConflict`].
pub async fn approve(app: &App, office: &Secretariat, id: Id) -> Result<ManagerAccount, AppError> {
    let town = office.municipality_id();
    let now = clock::now();
    let fresh = ticket::Fresh::make(&app.hashing, office.policy(), now).await?;
    let first_password = password::asked_for(&app.secret, town, "approval", id).to_string();
    let hash = app.hashing.hash(&first_password).await?;
    let fresh_id = fresh_login();
    let login_id = app
        .db
        .write(async |c| {
            if store::approved_by(c, town, id).await? == Some(office.staff_id())
                && let Some(manager) = people::fresh_manager(c, town, id).await?
            {
                staff::account::set_first_password(c, town, manager.id, &hash, id).await?;
                audit::record(c, office.actor(), "facility.approve_again", Some(id), "").await?;
                return Ok(manager.login_id);
            }
            let application = store::advance(c, town, id, Event::Approve, None).await?;
            store::decided(c, office, id, now).await?;
            let name = &application.manager_name;
            let account = (id, Id::new());
            staff::store::insert_manager(c, office, account, &fresh_id, name, (&hash, id), now).await?;
            let to = (town, id, application.manager_mail.as_str());
            letters::mail_ticket(c, &app.secret, to, Id::new(), &fresh, now).await?;
            audit::record(c, office.actor(), "facility.approve", Some(id), "").await?;
            Ok(fresh_id.clone())
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(ManagerAccount { login_id, first_password })
}

/// A user id for a manager.
pub(super) fn fresh_login() -> String {
    format!("k{}", password::random_text(7))
}

/// Rejects an application, and tells the applicant.
///
/// # Errors
/// [`Code::NotFound`], [`Code::StateConflict`], [`Code::FieldInvalid`].
pub async fn reject(app: &App, office: &Secretariat, id: Id, reason: Option<&str>) -> Result<(), AppError> {
    let reason = match reason.map(str::trim) {
        None | Some("") => None,
        Some(given) => Some(rules::reason(given)?),
    };
    let town = office.municipality_id();
    let now = clock::now();
    app.db
        .write(async |c| {
            let application = store::advance(c, town, id, Event::Reject, reason.as_deref()).await?;
            store::decided(c, office, id, now).await?;
            letters::end_links(c, town, id, now).await?;
            // Who waits for a No hears that there will be none.
            letters::settle(c, office, id, now).await?;
            let mail = &application.manager_mail;
            notice::queue_letter(c, &app.secret, town, Id::new(), mail, &Letter::Rejected).await?;
            audit::record(c, office.actor(), "facility.reject", Some(id), "").await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(())
}

/// Returns an application to be corrected: the applicant gets a link that works once, as long as a
/// certificate No does. Returned again, the application has a new link, mailed to the address on file or to the
/// corrected one, and the link before is worth nothing. Sending it twice mails once.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::StateConflict`], also where another link works than the sender saw;
/// [`Code::FieldInvalid`]; [`Code::IdConflict`].
pub async fn send_back(
    app: &App,
    office: &Secretariat,
    id: Id,
    given: &FacilityReturn,
) -> Result<(), AppError> {
    let reason = rules::reason(&given.reason)?;
    let corrected = corrected(given.mail.as_deref())?;
    let town = office.municipality_id();
    let now = clock::now();
    let until = now + i64::from(office.policy().ticket_days) * 86_400_000;
    let token = password::random_text(40);
    app.db
        .write(async |c| {
            store::standing(c, town, id).await?;
            let (letter_id, what) =
                (Id::from(given.id), (id.to_string(), &reason, &corrected, given.replaces));
            if sent::again(c, town, "facility_return", letter_id, &what).await? {
                return Ok(());
            }
            if notice::exists(c, town, letter_id).await? {
                return Err(Code::IdConflict.into());
            }
            letters::as_seen(c, town, id, given.replaces).await?;
            let application = store::advance(c, town, id, Event::Return, Some(&reason)).await?;
            let mail = corrected.as_deref().unwrap_or(&application.manager_mail);
            readdress(c, office, id, &application, mail, now).await?;
            letters::insert_link(c, town, id, (&token_hash(&token), letter_id), until, now).await?;
            let letter = Letter::Returned { token: token.clone(), until };
            notice::queue_letter(c, &app.secret, town, letter_id, mail, &letter).await?;
            audit::record(c, office.actor(), "facility.return", Some(id), "").await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(())
}

/// The address that the office put in the place of the one on file, if it did.
fn corrected(given: Option<&str>) -> Result<Option<String>, AppError> {
    match given.map(str::trim) {
        None | Some("") => Ok(None),
        Some(given) => input::mail(given, "mail").map(Some),
    }
}

/// Notes the manager's corrected address, and keeps the one before.
async fn readdress(
    c: &mut Conn,
    office: &Secretariat,
    id: Id,
    before: &Standing,
    address: &str,
    now: i64,
) -> Result<(), AppError> {
    if address == before.manager_mail {
        return Ok(());
    }
    let town = office.municipality_id();
    store::keep_past(c, town, id, before, Some(office.staff_id()), now).await?;
    store::set_manager(c, town, id, &before.manager_name, address).await?;
    audit::record(c, office.actor(), "facility.mail_address", Some(id), "").await
}

/// Suspends a facility (利用停止): its sessions end, and its certificates are refused from the next request
/// on.
///
/// # Errors
/// [`Code::NotFound`], [`Code::StateConflict`], [`Code::FieldInvalid`].
pub async fn suspend(app: &App, office: &Secretariat, id: Id, reason: &str) -> Result<(), AppError> {
    let reason = rules::reason(reason)?;
    let town = office.municipality_id();
    app.db
        .write(async |c| {
            let facility = store::advance(c, town, id, Event::Suspend, Some(&reason)).await?;
            people::end_sessions(c, town, id).await?;
            tell(c, app, town, &facility.manager_mail, FacilityNews::Suspended).await?;
            audit::record(c, office.actor(), "facility.suspend", Some(id), "").await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(())
}

/// Lets a suspended facility go on. Its people sign in again.
///
/// # Errors
/// [`Code::NotFound`], [`Code::StateConflict`].
pub async fn resume(app: &App, office: &Secretariat, id: Id) -> Result<(), AppError> {
    let town = office.municipality_id();
    app.db
        .write(async |c| {
            let facility = store::advance(c, town, id, Event::Resume, None).await?;
            tell(c, app, town, &facility.manager_mail, FacilityNews::Resumed).await?;
            audit::record(c, office.actor(), "facility.resume", Some(id), "").await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(())
}

/// Mails a new No and password (F04); the old No is worth nothing from then on. Sending it twice mails once.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::StateConflict`] for a facility that is not approved; [`Code::FieldInvalid`];
/// [`Code::IdConflict`].
pub async fn mail_again(
    app: &App,
    office: &Secretariat,
    id: Id,
    again: &TicketMailAgain,
) -> Result<(), AppError> {
    let corrected = corrected(again.mail.as_deref())?;
    let town = office.municipality_id();
    let now = clock::now();
    let fresh = ticket::Fresh::make(&app.hashing, office.policy(), now).await?;
    app.db
        .write(async |c| {
            let facility = store::standing(c, town, id).await?;
            if facility.state != crate::db::sql::word(&FacilityState::Approved) {
                return Err(Code::StateConflict.into());
            }
            let address = corrected.as_deref().unwrap_or(&facility.manager_mail);
            let what = (id.to_string(), &corrected);
            sent::again(c, town, "ticket_mail", again.id.into(), &what).await?;
            let to = (town, id, address);
            if !letters::mail_ticket(c, &app.secret, to, again.id.into(), &fresh, now).await? {
                return Ok(());
            }
            readdress(c, office, id, &facility, address, now).await?;
            letters::settle(c, office, id, now).await?;
            audit::record(c, office.actor(), "facility.ticket_mail", Some(id), "").await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(())
}

/// Settles a report that no mail came, without another mail: somebody telephoned.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::StateConflict`] when there is no such report.
pub async fn settle(app: &App, office: &Secretariat, id: Id) -> Result<(), AppError> {
    let now = clock::now();
    app.db
        .write(async |c| {
            store::standing(c, office.municipality_id(), id).await?;
            if !letters::settle(c, office, id, now).await? {
                return Err(Code::StateConflict.into());
            }
            audit::record(c, office.actor(), "facility.no_mail_settled", Some(id), "").await
        })
        .await
}

/// Settles a report that no mail came whose name or address is no facility's.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn settle_stray(app: &App, office: &Secretariat, id: Id) -> Result<(), AppError> {
    let now = clock::now();
    app.db
        .write(async |c| {
            stray::settle(c, office, id, now).await?;
            audit::record(c, office.actor(), "facility.stray_settled", Some(id), "").await
        })
        .await
}

/// The manager's account as handed over.
pub struct ManagerAccount {
    /// Individual user id.
    pub login_id: String,
    /// First password.
    pub first_password: String,
}

impl std::fmt::Debug for ManagerAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ManagerAccount")
    }
}
