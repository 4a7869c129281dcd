//! Facilities as JSON: the care host. What the public host offers is in [`public`].

pub mod public;

use super::store::{self, letters, record};
use super::{apply, change, decide};
use crate::access::{Credentials, FacilityAdmin, Secretariat, SignedIn};
use crate::error::AppError;
use crate::input::{Body, PathId};
use crate::media;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{
    Directory, EnrolmentTicket, Facility, FacilityApplied, FacilityApproved, FacilityChange,
    FacilityChangeId, FacilityChanged, FacilityClosing, FacilityId, FacilityReason, FacilityRecord,
    FacilityRejection, FacilityReturn, ManagerChange, ManagerDesignated, MapListing, NewTicket,
    PaperApplication, TicketMailAgain,
};

/// Enters an application that came on paper (F02, F28), or the correction of one, for the office, in trial mode too
/// (F20).
#[utoipa::path(post, path = "/v1/facility-applications", tag = "facility",
    request_body = PaperApplication, responses((status = 201, body = FacilityApplied)))]
pub async fn on_paper(
    State(app): State<App>,
    office: Secretariat,
    Body(body): Body<PaperApplication>,
) -> Result<(StatusCode, Json<FacilityApplied>), AppError> {
    let id = apply::on_paper(&app, &office, &body).await?;
    Ok((StatusCode::CREATED, Json(FacilityApplied { id })))
}

/// Every facility, for the office.
#[utoipa::path(get, path = "/v1/facilities", tag = "facility", responses((status = 200, body = [Facility])))]
pub async fn list(State(app): State<App>, office: Secretariat) -> Result<Json<Vec<Facility>>, AppError> {
    Ok(Json(app.db.read(async |c| store::all(c, &office).await).await?))
}

/// One facility with everything on file: any for the office, the own one for its manager.
#[utoipa::path(get, path = "/v1/facilities/{id}", tag = "facility",
    params(("id" = FacilityId, Path)), responses((status = 200, body = FacilityRecord)))]
pub async fn get(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
) -> Result<Json<FacilityRecord>, AppError> {
    Ok(Json(app.db.read(async |c| record::get(c, &admin, id.into()).await).await?))
}

/// The scan of an application that came on paper, for the office. Opening it is logged.
#[utoipa::path(get, path = "/v1/facilities/{id}/scan", tag = "facility",
    params(("id" = FacilityId, Path)), responses((status = 200, description = "PDF, JPEG or PNG")))]
pub async fn scan(
    State(app): State<App>,
    office: Secretariat,
    credentials: Credentials,
    PathId(id): PathId<FacilityId>,
) -> Result<Response, AppError> {
    let scan = app.db.read(async |c| letters::scan(c, &office, id.into()).await).await?;
    media::serve::office_document(&app, &office, &credentials, scan).await
}

/// Approves an application (F03).
#[utoipa::path(post, path = "/v1/facilities/{id}/approval", tag = "facility",
    params(("id" = FacilityId, Path)), responses((status = 200, body = FacilityApproved)))]
pub async fn approve(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
) -> Result<Json<FacilityApproved>, AppError> {
    let account = decide::approve(&app, &office, id.into()).await?;
    Ok(Json(FacilityApproved { login_id: account.login_id, first_password: account.first_password }))
}

/// Returns an application to be corrected (差戻し, F02), also once more.
#[utoipa::path(post, path = "/v1/facilities/{id}/return", tag = "facility",
    params(("id" = FacilityId, Path)), request_body = FacilityReturn, responses((status = 204)))]
pub async fn send_back(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
    Body(body): Body<FacilityReturn>,
) -> Result<StatusCode, AppError> {
    decide::send_back(&app, &office, id.into(), &body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Rejects an application.
#[utoipa::path(post, path = "/v1/facilities/{id}/rejection", tag = "facility",
    params(("id" = FacilityId, Path)), request_body = FacilityRejection, responses((status = 204)))]
pub async fn reject(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
    Body(body): Body<FacilityRejection>,
) -> Result<StatusCode, AppError> {
    decide::reject(&app, &office, id.into(), body.reason.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Suspends a facility: refused with `facility_suspended` from its next request on.
#[utoipa::path(post, path = "/v1/facilities/{id}/suspension", tag = "facility",
    params(("id" = FacilityId, Path)), request_body = FacilityReason, responses((status = 204)))]
pub async fn suspend(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
    Body(body): Body<FacilityReason>,
) -> Result<StatusCode, AppError> {
    decide::suspend(&app, &office, id.into(), &body.reason).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a suspended facility go on.
#[utoipa::path(post, path = "/v1/facilities/{id}/resumption", tag = "facility",
    params(("id" = FacilityId, Path)), responses((status = 204)))]
pub async fn resume(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
) -> Result<StatusCode, AppError> {
    decide::resume(&app, &office, id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// 廃止届: the manager's waits for the office, the office's own takes effect at once.
#[utoipa::path(post, path = "/v1/facilities/{id}/closure", tag = "facility",
    params(("id" = FacilityId, Path)), request_body = FacilityClosing,
    responses((status = 200, body = FacilityChanged)))]
pub async fn close(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Body(body): Body<FacilityClosing>,
) -> Result<Json<FacilityChanged>, AppError> {
    Ok(Json(change::end(&app, &admin, id.into(), &body).await?))
}

/// Changes what is on file of a facility.
#[utoipa::path(post, path = "/v1/facilities/{id}/changes", tag = "facility",
    params(("id" = FacilityId, Path)), request_body = FacilityChange,
    responses((status = 200, body = FacilityChanged)))]
pub async fn change(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Body(body): Body<FacilityChange>,
) -> Result<Json<FacilityChanged>, AppError> {
    Ok(Json(change::change(&app, &admin, id.into(), body).await?))
}

/// Confirms a change that waits.
#[utoipa::path(post, path = "/v1/facility-changes/{id}/confirmation", tag = "facility",
    params(("id" = FacilityChangeId, Path)), responses((status = 200, body = FacilityChanged)))]
pub async fn confirm_change(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityChangeId>,
) -> Result<Json<FacilityChanged>, AppError> {
    Ok(Json(change::confirm(&app, &office, id.into()).await?))
}

/// Refuses a change that waits.
#[utoipa::path(post, path = "/v1/facility-changes/{id}/refusal", tag = "facility",
    params(("id" = FacilityChangeId, Path)), request_body = FacilityReason,
    responses((status = 200, body = FacilityChanged)))]
pub async fn refuse_change(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityChangeId>,
    Body(body): Body<FacilityReason>,
) -> Result<Json<FacilityChanged>, AppError> {
    Ok(Json(change::refuse(&app, &office, id.into(), &body.reason).await?))
}

/// Designates who manages a facility (F09).
#[utoipa::path(post, path = "/v1/facilities/{id}/manager", tag = "facility",
    params(("id" = FacilityId, Path)), request_body = ManagerChange,
    responses((status = 200, body = ManagerDesignated)))]
pub async fn designate(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Body(body): Body<ManagerChange>,
) -> Result<Json<ManagerDesignated>, AppError> {
    Ok(Json(change::designate(&app, &admin, id.into(), &body).await?))
}

/// Sets whether and where the public list shows a facility (F16).
#[utoipa::path(put, path = "/v1/facilities/{id}/map", tag = "facility",
    params(("id" = FacilityId, Path)), request_body = MapListing, responses((status = 204)))]
pub async fn set_map(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Body(body): Body<MapListing>,
) -> Result<StatusCode, AppError> {
    change::list(&app, &admin, id.into(), body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mails a new No and password (F04).
#[utoipa::path(post, path = "/v1/facilities/{id}/ticket-mail", tag = "facility",
    params(("id" = FacilityId, Path)), request_body = TicketMailAgain, responses((status = 204)))]
pub async fn mail_again(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
    Body(body): Body<TicketMailAgain>,
) -> Result<StatusCode, AppError> {
    decide::mail_again(&app, &office, id.into(), &body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Settles a report that no mail came, without another mail (F04).
#[utoipa::path(post, path = "/v1/facilities/{id}/no-mail-settlement", tag = "facility",
    params(("id" = FacilityId, Path)), responses((status = 204)))]
pub async fn settle(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
) -> Result<StatusCode, AppError> {
    decide::settle(&app, &office, id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A further certificate No and password.
#[utoipa::path(post, path = "/v1/facilities/{id}/tickets", tag = "device",
    params(("id" = FacilityId, Path)), request_body = NewTicket,
    responses((status = 201, body = EnrolmentTicket)))]
pub async fn ticket(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Body(body): Body<NewTicket>,
) -> Result<(StatusCode, Json<EnrolmentTicket>), AppError> {
    let ticket = crate::device::issue::ticket(&app, &admin, Some(id.into()), &body).await?;
    Ok((StatusCode::CREATED, Json(ticket)))
}

/// Who can be asked to join a team.
#[utoipa::path(get, path = "/v1/directory", tag = "facility", responses((status = 200, body = Directory)))]
pub async fn directory(State(app): State<App>, who: SignedIn) -> Result<Json<Directory>, AppError> {
    Ok(Json(
        app.db
            .read(async |c| {
                Ok(Directory {
                    facilities: store::approved(c, &who).await?,
                    staff: crate::staff::store::active(c, &who).await?,
                })
            })
            .await?,
    ))
}
