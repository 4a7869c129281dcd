//! Changing an account (F10) and handing out a new first password: what the API and the portal share.

use super::on_file::{self, Fate};
use super::{account, rules, store};
use crate::access::{FacilityAdmin, SignedIn};
use crate::db::Id;
use crate::error::AppError;
use crate::notice;
use crate::session::{self, password};
use crate::state::App;
use crate::{audit, clock, input, sent};
use renraku_wire::{Code, FirstPasswordId, OwnMail, Role, StaffAdded, StaffChange};

/// In milliseconds.
const DAY: i64 = 86_400_000;

/// Changes a profile: the manager's for the own facility, the office's for any.
///
/// # Errors
/// [`renraku_wire::Code::NotFound`]; [`renraku_wire::Code::FieldInvalid`];
/// [`renraku_wire::Code::AlreadyTaken`] for the mail address; [`renraku_wire::Code::ManagerNeeded`];
/// [`renraku_wire::Code::StateConflict`] for somebody who left.
pub async fn change(app: &App, admin: &FacilityAdmin, id: Id, given: &StaffChange) -> Result<(), AppError> {
    let town = admin.municipality_id();
    let name = input::line(&given.name, "name")?;
    let mails = rules::mails(admin.policy(), given.mail.as_deref(), given.forwarding_mail.as_deref())?;
    app.db
        .write(async |c| {
            let account = account::managed(c, admin, id).await?;
            if account.state() == renraku_wire::StaffState::Left {
                return Err(renraku_wire::Code::StateConflict.into());
            }
            let before = account.role()?;
            let after = rules::role(given.role, account.office()).or_else(|e| {
                // A role that this version does not know stays as it is.
                if given.role == Role::Unknown { Ok(before) } else { Err(e) }
            })?;
            if id == admin.staff_id() && after != before {
                return Err(AppError::field("role"));
            }
            let others = account::managers_but(c, town, account.facility_id, id).await?.len();
            rules::keeps_a_manager(before, Some(after), i64::try_from(others).unwrap_or(i64::MAX))?;
            let fate =
                if rules::runs(after) { Fate::Stays(&name, mails.mail.as_deref()) } else { Fate::Goes };
            on_file::follow(c, &app.secret, admin, &account, fate).await?;
            store::mail_is_free(c, town, id, &mails).await?;
            let profile = account::Profile {
                name: &name,
                profession: given.profession,
                role: after,
                may_export: given.may_export,
            };
            account::change(c, town, id, &profile, &mails).await?;
            if rules::runs(before) && !rules::runs(after) {
                // Some of it only who manages may see.
                notice::inbox::give_back(c, town, id).await?;
            }
            if after != before {
                audit::record(c, admin.actor(), "staff.role", Some(id), &crate::db::sql::word(&after))
                    .await?;
            }
            if given.may_export != account.may_export {
                let verb = if given.may_export { "staff.grant_export" } else { "staff.revoke_export" };
                audit::record(c, admin.actor(), verb, Some(id), "").await?;
            }
            audit::record(c, admin.actor(), "staff.change", Some(id), "").await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(())
}

/// Changes the own addresses.
///
/// # Errors
/// [`renraku_wire::Code::FieldInvalid`], [`renraku_wire::Code::AlreadyTaken`].
pub async fn own_mail(app: &App, who: &SignedIn, given: &OwnMail) -> Result<(), AppError> {
    let (town, id) = (who.municipality_id(), who.staff_id());
    let mails = rules::mails(who.policy(), given.mail.as_deref(), given.forwarding_mail.as_deref())?;
    app.db
        .write(async |c| {
            store::mail_is_free(c, town, id, &mails).await?;
            if let Ok(admin) = who.facility_admin() {
                let account = account::managed(c, &admin, id).await?;
                let fate = Fate::Stays(&account.name, mails.mail.as_deref());
                on_file::follow(c, &app.secret, who, &account, fate).await?;
            }
            account::set_mails(c, town, id, &mails).await?;
            audit::record(c, who.actor(), "staff.own_mail", Some(id), "").await
        })
        .await
}

/// Hands out a new first password: the old one was forgotten. Sessions and certificate Nos that nobody used end,
/// locks are lifted. The same request again gets the same one again, until it is used.
///
/// # Errors
/// [`renraku_wire::Code::NotFound`]; [`renraku_wire::Code::RoleInsufficient`] for the own account;
/// [`renraku_wire::Code::StateConflict`] for one that is suspended or ended;
/// [`renraku_wire::Code::IdConflict`] for a request whose password was used.
pub async fn first_password(
    app: &App,
    admin: &FacilityAdmin,
    id: Id,
    request: FirstPasswordId,
) -> Result<StaffAdded, AppError> {
    let request = Id::from(request);
    // Ids are compared by their time below: none may be so far ahead that no other could follow it.
    let made_at = clock::made_at(request.0);
    if made_at.is_some_and(|at| at > clock::now() + DAY) {
        return Err(Code::IdConflict.into());
    }
    let town = admin.municipality_id();
    // Asked before the work of hashing, and again when it counts.
    app.db
        .read(async |c| {
            let account = account::managed(c, admin, id).await?;
            account::not_own(admin, id)?;
            Ok(rules::next(account.state(), rules::Act::NewFirstPassword)?)
        })
        .await?;
    let about = format!("staff {id}");
    let first_password = password::asked_for(&app.secret, town, &about, request);
    let hash = app.hashing.hash(&first_password).await?;
    let login_id = app
        .db
        .write(async |c| {
            let account = account::managed(c, admin, id).await?;
            rules::next(account.state(), rules::Act::NewFirstPassword)?;
            sent::again(c, town, super::FIRST_PASSWORD, request, &id.to_string()).await?;
            let before = account.first_password_id == Some(request);
            // A form that is sent again later must not bring back a password that was replaced since.
            let last = account.first_password_id.and_then(|last| clock::made_at(last.0));
            let stale = last.zip(made_at).is_some_and(|(last, this)| this < last);
            if stale || (before && !account.must_change_password) {
                return Err(Code::IdConflict.into());
            }
            account::set_first_password(c, town, id, &hash, request).await?;
            if before {
                audit::record(c, admin.actor(), "staff.new_first_password_again", Some(id), "").await?;
                return Ok(account.login_id);
            }
            session::store::close_all(c, town, id).await?;
            session::tally::lift(c, town, &account.login_id).await?;
            session::store::end_tickets(c, town, id, clock::now()).await?;
            audit::record(c, admin.actor(), "staff.new_first_password", Some(id), "").await?;
            Ok(account.login_id)
        })
        .await?;
    Ok(StaffAdded { id: id.into(), login_id, first_password: first_password.to_string() })
}
