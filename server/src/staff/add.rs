//! Adding an account (F08): what the API and the portal share.

use super::{rules, store};
use crate::access::FacilityAdmin;
use crate::error::AppError;
use crate::session::password;
use crate::state::App;
use crate::{audit, clock, input};
use renraku_wire::{NewStaff, StaffAdded};

/// Adds an account to the admin's own facility, or renews the first password of one never used.
///
/// # Errors
/// [`renraku_wire::Code::FieldInvalid`], [`renraku_wire::Code::AlreadyTaken`],
/// [`renraku_wire::Code::IdConflict`].
pub async fn add(app: &App, admin: &FacilityAdmin, new: NewStaff) -> Result<StaffAdded, AppError> {
    let address = |value: &Option<String>, field| match value.as_deref().map(str::trim) {
        None | Some("") => Ok(None),
        Some(given) => input::mail(given, field).map(Some),
    };
    let new = NewStaff {
        login_id: rules::login_id(&new.login_id)?,
        name: input::line(&new.name, "name")?,
        mail: address(&new.mail, "mail")?,
        forwarding_mail: address(&new.forwarding_mail, "forwarding_mail")?,
        ..new
    };
    let first_password = password::random();
    let hash = password::hash(app, &first_password).await?;
    let now = clock::now();
    app.db
        .write(async |c| {
            let action = match store::insert(c, admin, &new, &hash, now).await? {
                store::Added::New => "staff.add",
                store::Added::Renewed => "staff.renew_first_password",
            };
            audit::record(c, admin.actor(), action, Some(new.id.into()), "").await
        })
        .await?;
    Ok(StaffAdded { id: new.id, login_id: new.login_id, first_password })
}
