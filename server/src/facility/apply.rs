//! Application and approval (F02, F03): what the API and the portal share.

use super::store;
use crate::access::Secretariat;
use crate::audit::{self, Actor};
use crate::db::Id;
use crate::device::ticket;
use crate::error::AppError;
use crate::notice::{self, TicketMail};
use crate::session::password;
use crate::staff;
use crate::state::App;
use crate::{clock, input, municipality};
use renraku_wire::{FacilityApplication, FacilityId, FacilityKind, FacilityState};

/// Takes an application. Sending the same one twice applies once.
///
/// # Errors
/// [`renraku_wire::Code::NotFound`] for the town; [`renraku_wire::Code::FieldInvalid`].
pub async fn apply(app: &App, slug: &str, application: FacilityApplication) -> Result<FacilityId, AppError> {
    if application.kind == FacilityKind::Secretariat {
        return Err(AppError::field("kind"));
    }
    let clean = FacilityApplication {
        name: input::line(&application.name, "name")?,
        address: input::line(&application.address, "address")?,
        telephone: input::line(&application.telephone, "telephone")?,
        manager_name: input::line(&application.manager_name, "manager_name")?,
        manager_mail: input::mail(&application.manager_mail, "manager_mail")?,
        ..application
    };
    let now = clock::now();
    app.db
        .write(async |c| {
            let town = municipality::store::by_slug(c, slug).await?;
            if store::insert(c, town.id, &clean, now).await? {
                let stranger = Actor { municipality_id: town.id, staff_id: None, device_id: None };
                audit::record(c, stranger, "facility.apply", Some(clean.id.into()), "").await?;
            }
            Ok(clean.id)
        })
        .await
}

/// Approves an application: the manager gets an account, and by mail a certificate No and password.
/// Returns the manager's user id and first password, which the office hands over.
///
/// # Errors
/// [`renraku_wire::Code::NotFound`], [`renraku_wire::Code::StateConflict`].
pub async fn approve(app: &App, office: &Secretariat, id: Id) -> Result<ManagerAccount, AppError> {
    let town = office.municipality_id();
    let now = clock::now();
    let fresh = ticket::Fresh::make(office.policy(), now)?;
    let first_password = password::random();
    let hash = password::hash(app, &first_password).await?;
    let login_id = format!("k{}", password::random_text(7));
    app.db
        .write(async |c| {
            let mail = store::decide(c, office, id, FacilityState::Approved, now).await?;
            let (name, _) = store::manager(c, town, id).await?;
            staff::store::insert_manager(c, office, id, &login_id, &name, &hash, now).await?;
            ticket::insert(c, town, id, &fresh).await?;
            let shown = fresh.shown();
            let ticket = TicketMail { number: shown.number, password: shown.password };
            notice::queue_ticket(c, &app.secret, town, &mail, &ticket).await?;
            audit::record(c, office.actor(), "facility.approve", Some(id), "").await
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(ManagerAccount { login_id, first_password })
}

/// Rejects an application.
///
/// # Errors
/// [`renraku_wire::Code::NotFound`], [`renraku_wire::Code::StateConflict`].
pub async fn reject(app: &App, office: &Secretariat, id: Id) -> Result<(), AppError> {
    let now = clock::now();
    app.db
        .write(async |c| {
            store::decide(c, office, id, FacilityState::Rejected, now).await?;
            audit::record(c, office.actor(), "facility.reject", Some(id), "").await
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
