//! What the public host offers about facilities: application, correction, the mail that did not come, the
//! list.

use crate::error::AppError;
use crate::facility::apply;
use crate::facility::store::record;
use crate::input::Body;
use crate::municipality;
use crate::state::App;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use renraku_wire::{
    Code, FacilityApplication, FacilityApplied, ListedFacility, NoMailReport, ReturnedApplication,
};

/// Applies for a facility (F02). Closed with `trial_closed` during a trial (F20).
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

/// A returned application, by the link of the mail.
#[utoipa::path(get, path = "/v1/municipalities/{slug}/corrections/{token}", tag = "public",
    params(("slug" = String, Path), ("token" = String, Path)),
    responses((status = 200, body = ReturnedApplication)))]
pub async fn returned(
    State(app): State<App>,
    Path((slug, token)): Path<(String, String)>,
) -> Result<Json<ReturnedApplication>, AppError> {
    Ok(Json(apply::returned(&app, &slug, &token).await?))
}

/// Sends a returned application again, corrected. The body's `id` is not looked at: the link says which.
#[utoipa::path(post, path = "/v1/municipalities/{slug}/corrections/{token}", tag = "public",
    params(("slug" = String, Path), ("token" = String, Path)), request_body = FacilityApplication,
    responses((status = 200, body = FacilityApplied)))]
pub async fn correct(
    State(app): State<App>,
    Path((slug, token)): Path<(String, String)>,
    Body(body): Body<FacilityApplication>,
) -> Result<Json<FacilityApplied>, AppError> {
    let id = apply::correct(&app, &slug, &token, body).await?;
    Ok(Json(FacilityApplied { id }))
}

/// Reports that the mail with No and password did not come (F04).
#[utoipa::path(post, path = "/v1/municipalities/{slug}/no-mail-reports", tag = "public",
    params(("slug" = String, Path)), request_body = NoMailReport, responses((status = 202)))]
pub async fn no_mail(
    State(app): State<App>,
    Path(slug): Path<String>,
    Body(body): Body<NoMailReport>,
) -> Result<StatusCode, AppError> {
    apply::no_mail(&app, &slug, &body).await?;
    Ok(StatusCode::ACCEPTED)
}

/// The facilities that wish to be listed (F16).
#[utoipa::path(get, path = "/v1/municipalities/{slug}/facilities", tag = "public",
    params(("slug" = String, Path)), responses((status = 200, body = [ListedFacility])))]
pub async fn listed(
    State(app): State<App>,
    Path(slug): Path<String>,
) -> Result<Json<Vec<ListedFacility>>, AppError> {
    let listed = app
        .db
        .read(async |c| {
            let town = municipality::store::by_slug(c, &slug).await?;
            if !town.policy.public_facility_map {
                return Err(Code::NotOffered.into());
            }
            record::listed(c, town.id).await
        })
        .await?;
    Ok(Json(listed))
}
