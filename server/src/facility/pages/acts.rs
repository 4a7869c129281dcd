//! What the forms of a facility's page do.

use super::record::{RecordPage, Typed};
use super::{ApprovedPage, kind};
use crate::access::{FacilityAdmin, Secretariat};
use crate::error::AppError;
use crate::facility::{change, decide};
use crate::input::PathId;
use crate::portal::forms::{Fields, Trouble, shown};
use crate::portal::{self, local};
use crate::state::App;
use axum::extract::State;
use axum::response::Response;
use renraku_wire::{
    ChangeState, FacilityChange, FacilityChangeId, FacilityClosing, FacilityId, FacilityReturn,
    FirstPasswordId, ManagerChange, MapListing, MapPosition, NoticeId, Problem, StaffId, TicketMailAgain,
};

/// Leads back to the page; a refusal is shown at the control that `control` names for the field at fault.
async fn answer(
    app: &App,
    admin: &FacilityAdmin,
    id: FacilityId,
    outcome: Result<&'static str, AppError>,
    form: Typed,
    control: impl Fn(&str) -> &'static str,
) -> Result<Response, AppError> {
    let e = match outcome {
        Ok(done) => return Ok(local::see(&format!("/facilities/{id}?done={done}"))),
        Err(e) => e,
    };
    let (status, problem): (_, Problem) = shown(e)?;
    let mut page = RecordPage::new(app, admin, id, form).await?;
    let trouble = Trouble::of(&problem, &page.frame.words, "");
    page.trouble = match problem.field.as_deref().map(control) {
        Some(name) if !name.is_empty() => Trouble::own(name, trouble.sentence()),
        _ => trouble,
    };
    portal::html(status, &page)
}

/// `POST /facilities/{id}/return`.
pub async fn send_back(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let given = FacilityReturn {
        id: form.id.parse().unwrap_or_else(|_| NoticeId::new()),
        reason: form.reason.clone(),
        mail: Some(form.return_mail.clone()),
        replaces: form.replaces.parse().ok(),
    };
    let outcome = decide::send_back(&app, &office, id.into(), &given).await.map(|()| "returned");
    let control = |field: &str| if field == "mail" { "return_mail" } else { "return-reason" };
    answer(&app, &office.facility_admin()?, id, outcome, form, control).await
}

/// `POST /facilities/{id}/suspension`.
pub async fn suspend(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = decide::suspend(&app, &office, id.into(), &form.reason).await.map(|()| "suspended");
    answer(&app, &office.facility_admin()?, id, outcome, form, |_| "suspend-reason").await
}

/// `POST /facilities/{id}/resumption`.
pub async fn resume(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
) -> Result<Response, AppError> {
    let outcome = decide::resume(&app, &office, id.into()).await.map(|()| "resumed");
    answer(&app, &office.facility_admin()?, id, outcome, Typed::default(), |_| "").await
}

fn told(state: ChangeState, done: &'static str) -> &'static str {
    if state == ChangeState::Waiting { "waiting" } else { done }
}

/// `POST /facilities/{id}/closure`.
pub async fn close(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let closing = FacilityClosing {
        id: form.id.parse().unwrap_or_else(|_| FacilityChangeId::new()),
        reason: form.reason.clone(),
    };
    let outcome = change::end(&app, &admin, id.into(), &closing).await.map(|c| told(c.state, "closed"));
    answer(&app, &admin, id, outcome, form, |_| "close-reason").await
}

/// `POST /facilities/{id}/changes`.
pub async fn change(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let given = kind(&form.kind).map(|kind| FacilityChange {
        id: form.id.parse().unwrap_or_else(|_| FacilityChangeId::new()),
        name: form.name.clone(),
        kind,
        address: form.address.clone(),
        telephone: form.telephone.clone(),
        opening: form.opening.clone(),
    });
    let outcome = match given {
        Some(given) => change::change(&app, &admin, id.into(), given).await.map(|c| told(c.state, "changed")),
        None => Err(AppError::field("kind")),
    };
    answer(&app, &admin, id, outcome, form, |_| "").await
}

/// `POST /facility-changes/{id}/confirmation`.
pub async fn confirm(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityChangeId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = change::confirm(&app, &office, id.into()).await.map(|_| "changed");
    let facility = form.facility.parse().map_err(|_| AppError::field("facility"))?;
    answer(&app, &office.facility_admin()?, facility, outcome, form, |_| "").await
}

/// `POST /facility-changes/{id}/refusal`.
pub async fn refuse(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityChangeId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = change::refuse(&app, &office, id.into(), &form.reason).await.map(|_| "refused");
    let facility = form.facility.parse().map_err(|_| AppError::field("facility"))?;
    answer(&app, &office.facility_admin()?, facility, outcome, form, |_| "refuse-reason").await
}

/// `POST /facilities/{id}/manager`: shows a new account, once.
pub async fn designate(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let name = Some(form.manager_name.trim().to_owned()).filter(|name| !name.is_empty());
    let staff_id = match (&name, form.staff_id.parse()) {
        // Somebody new: the form brings an id for them.
        (Some(_), _) => form.id.parse::<StaffId>().map_err(|_| AppError::field("staff_id")),
        (None, Ok(chosen)) => Ok(chosen),
        (None, Err(_)) => Err(AppError::field("staff_id")),
    };
    let outcome = match staff_id {
        Ok(staff_id) => {
            let first = form.id.parse().unwrap_or_else(|_| FirstPasswordId::new());
            let given = ManagerChange { id: first, staff_id, name, mail: form.manager_mail.clone() };
            change::designate(&app, &admin, id.into(), &given).await
        }
        Err(e) => Err(e),
    };
    let outcome = match outcome {
        Ok(designated) => match designated.first_password {
            Some(first_password) => {
                let frame = app.db.read(async |c| admin.frame(&app, c).await).await?;
                return portal::page(&ApprovedPage {
                    frame,
                    heading: "管理者を決めました".to_owned(),
                    mailed: false,
                    login_id: designated.login_id,
                    first_password,
                });
            }
            // Who handed over is no manager any more, and this page is none of theirs.
            None if admin.secretariat().is_err() => return Ok(local::see("/")),
            None => Ok("managed"),
        },
        Err(e) => Err(e),
    };
    let control = |field: &str| match field {
        "mail" => "manager_mail",
        "name" => "manager_name",
        _ => "staff_id",
    };
    answer(&app, &admin, id, outcome, form, control).await
}

/// `POST /facilities/{id}/map`.
pub async fn map(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Fields(mut form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = match position(&form) {
        Ok(position) => {
            let listing = MapListing { listed: form.listed == "true", position };
            change::list(&app, &admin, id.into(), listing).await.map(|()| "listed")
        }
        Err(e) => Err(e),
    };
    // Unticked, the box sends nothing; refused, it stays unticked.
    if form.listed.is_empty() {
        "false".clone_into(&mut form.listed);
    }
    answer(&app, &admin, id, outcome, form, |_| "").await
}

fn position(form: &Typed) -> Result<Option<MapPosition>, AppError> {
    let (latitude, longitude) = (form.latitude.trim(), form.longitude.trim());
    if latitude.is_empty() && longitude.is_empty() {
        return Ok(None);
    }
    Ok(Some(MapPosition {
        latitude: latitude.parse().map_err(|_| AppError::field("latitude"))?,
        longitude: longitude.parse().map_err(|_| AppError::field("longitude"))?,
    }))
}

/// `POST /facilities/{id}/ticket-mail`.
pub async fn mail_again(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let again = TicketMailAgain {
        id: form.id.parse().unwrap_or_else(|_| NoticeId::new()),
        mail: Some(form.ticket_mail.clone()),
    };
    let outcome = decide::mail_again(&app, &office, id.into(), &again).await.map(|()| "mailed");
    answer(&app, &office.facility_admin()?, id, outcome, form, |_| "ticket_mail").await
}

/// `POST /facilities/{id}/no-mail-settlement`.
pub async fn settle(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
) -> Result<Response, AppError> {
    let outcome = decide::settle(&app, &office, id.into()).await.map(|()| "settled");
    answer(&app, &office.facility_admin()?, id, outcome, Typed::default(), |_| "").await
}
