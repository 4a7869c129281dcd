//! Facilities as JSON.

use super::{apply, store};
use crate::access::{FacilityAdmin, Secretariat, SignedIn};
use crate::error::AppError;
use crate::input::{Body, PathId};
use crate::state::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use renraku_wire::{
    Directory, EnrolmentTicket, Facility, FacilityApplication, FacilityApplied, FacilityApproved, FacilityId,
};

/// Applies for a facility (public host).
#[utoipa::path(post, path = "/v1/municipalities/{slug}/facility-applications", tag = "public",
    params(("slug" = String, Path)), request_body = FacilityApplication,
    responses((status = 201, body = FacilityApplied)))]
pub async fn create(
    State(app): State<App>,
    Path(slug): Path<String>,
    Body(body): Body<FacilityApplication>,
) -> Result<(StatusCode, Json<FacilityApplied>), AppError> {
    let id = apply::apply(&app, &slug, body).await?;
    Ok((StatusCode::CREATED, Json(FacilityApplied { id })))
}

/// Every facility, for the office.
#[utoipa::path(get, path = "/v1/facilities", tag = "facility", responses((status = 200, body = [Facility])))]
pub async fn list(State(app): State<App>, office: Secretariat) -> Result<Json<Vec<Facility>>, AppError> {
    Ok(Json(app.db.read(async |c| store::all(c, &office).await).await?))
}

/// Approves an application.
#[utoipa::path(post, path = "/v1/facilities/{id}/approval", tag = "facility",
    params(("id" = FacilityId, Path)), responses((status = 200, body = FacilityApproved)))]
pub async fn approve(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
) -> Result<Json<FacilityApproved>, AppError> {
    let account = apply::approve(&app, &office, id.into()).await?;
    Ok(Json(FacilityApproved { login_id: account.login_id, first_password: account.first_password }))
}

/// A further certificate No and password for this facility.
#[utoipa::path(post, path = "/v1/facilities/{id}/tickets", tag = "device",
    params(("id" = FacilityId, Path)), responses((status = 201, body = EnrolmentTicket)))]
pub async fn ticket(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
) -> Result<(StatusCode, Json<EnrolmentTicket>), AppError> {
    let ticket = crate::device::issue::ticket(&app, &admin, Some(id.into()), None).await?;
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
