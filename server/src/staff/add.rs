//! Adding an account (F08): what the API and the portal share.

use super::{rules, store};
use crate::access::FacilityAdmin;
use crate::db::Id;
use crate::error::AppError;
use crate::session::password;
use crate::state::App;
use crate::{audit, clock, input, sent};
use renraku_wire::{Code, NewStaff, StaffAdded};

/// Adds an account to a facility — the own one, or the one the office names — or answers the same
/// request again, as long as the account was never used.
///
/// # Errors
/// [`Code::NotFound`] for another's facility; [`Code::StateConflict`] for one that is not in use;
/// [`Code::FieldInvalid`], [`Code::AlreadyTaken`], [`Code::IdConflict`].
pub async fn add(
    app: &App,
    admin: &FacilityAdmin,
    facility: Option<Id>,
    new: NewStaff,
) -> Result<StaffAdded, AppError> {
    let new =
        NewStaff { login_id: rules::login_id(&new.login_id)?, name: input::line(&new.name, "name")?, ..new };
    let mails = rules::mails(admin.policy(), new.mail.as_deref(), new.forwarding_mail.as_deref())?;
    let id = Id::from(new.id);
    let first_password = password::asked_for(&app.secret, admin.municipality_id(), "staff", id);
    let hash = app.hashing.hash(&first_password).await?;
    let now = clock::now();
    app.db
        .write(async |c| {
            let place = store::facility(c, admin, facility).await?;
            if !place.in_use {
                return Err(Code::StateConflict.into());
            }
            let facility_id = place.id;
            let what = (admin.staff_id().to_string(), facility_id.to_string(), &new);
            sent::again(c, admin.municipality_id(), "staff", id, &what).await?;
            match store::insert(c, admin, facility_id, &new, &mails, &hash, now).await? {
                store::Added::New => audit::record(c, admin.actor(), "staff.add", Some(id), "").await,
                // Whoever asks again is shown the password again.
                store::Added::Before => {
                    audit::record(c, admin.actor(), "staff.first_password_again", Some(id), "").await
                }
            }
        })
        .await?;
    Ok(StaffAdded { id: new.id, login_id: new.login_id, first_password: first_password.to_string() })
}
