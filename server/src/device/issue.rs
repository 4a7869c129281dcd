//! No and password for one more device (F07): by any member of staff, the manager or the office, as the
//! town says; what the API and the portal share.

use super::{rules, store, ticket};
use crate::access::SignedIn;
use crate::db::prelude::*;
use crate::db::schema::staff;
use crate::db::sql::word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::notice::{self, About};
use crate::state::App;
use crate::{audit, clock, run};
use renraku_wire::{Code, EnrolmentTicket, NewTicket, NoticeKind, Role};

/// Makes No and password for one more device of `of` (the own facility when none is named), perhaps to
/// replace a device. When a member of staff does it, the facility's manager is told.
/// The same request again gets the same No and password again.
///
/// # Errors
/// [`Code::NotFound`], alike for another's facility or device and for none; [`Code::RoleInsufficient`]
/// by the town's policy; [`Code::StateConflict`] for a facility that is not approved and for a device
/// that is revoked; [`Code::IdConflict`]; [`Code::TicketUsed`] and [`Code::TicketExpired`] for what was asked
/// for before.
pub async fn ticket(
    app: &App,
    who: &SignedIn,
    of: Option<Id>,
    new: &NewTicket,
) -> Result<EnrolmentTicket, AppError> {
    let office = who.secretariat().is_ok();
    let named = new.facility_id.map(Id::from);
    if of.is_some() && named.is_some() && of != named {
        return Err(AppError::field("facility_id"));
    }
    let replaces = new.replaces.map(Id::from);
    let facility = of.or(named).unwrap_or_else(|| who.facility_id());
    if facility != who.facility_id() && !office {
        return Err(Code::NotFound.into());
    }
    if !rules::may_issue(who.role(), who.policy()) {
        return Err(Code::RoleInsufficient.into());
    }
    let town = who.municipality_id();
    let request = Id::from(new.id);
    let fresh = {
        let asked = (town, request);
        ticket::Fresh::asked_for(&app.hashing, &app.secret, asked, who.policy(), clock::now()).await?
    };
    let origin = ticket::Origin {
        issued_by: Some(who.staff_id()),
        replaces,
        request: Some(request),
        on: Some(who.device_id()),
    };
    let shown = app
        .db
        .write(async |c| {
            ticket::facility_is_approved(c, town, facility).await?;
            if let Some(again) = ticket::again(c, town, facility, &fresh, origin).await? {
                audit::record(c, who.actor(), "device.ticket_again", Some(facility), "").await?;
                return Ok(again);
            }
            if let Some(old) = replaces {
                store::can_be_replaced(c, town, facility, old).await?;
            }
            ticket::insert_from(c, town, facility, &fresh, origin).await?;
            audit::record(c, who.actor(), "device.ticket", Some(facility), "").await?;
            if who.role() == Role::Member {
                tell_managers(c, town, facility, NoticeKind::DeviceTicketIssued).await?;
            }
            Ok(fresh.shown())
        })
        .await?;
    app.notices_queued.notify_one();
    Ok(shown)
}

/// Queues a notice to a facility's managers. The office's managers are the office's accounts.
///
/// # Errors
/// The database failed.
pub async fn tell_managers(c: &mut Conn, town: Id, of: Id, kind: NoticeKind) -> Result<(), AppError> {
    let about = About { municipality_id: town, kind, patient_id: None, post_id: None };
    let managers: Vec<Id> = run!(
        c,
        load,
        staff::table
            .filter(staff::municipality_id.eq(town))
            .filter(staff::facility_id.eq(of))
            .filter(staff::state.eq("active"))
            .filter(staff::role.eq_any([word(&Role::FacilityManager), word(&Role::Secretariat)]))
            .select(staff::id)
    )?;
    notice::queue(c, &about, &managers).await?;
    Ok(())
}
