//! The review as JSON.

use super::store;
use crate::access::{FacilityAdmin, Secretariat};
use crate::error::AppError;
use crate::input::Body;
use crate::state::App;
use crate::{audit, clock};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use renraku_wire::{AccessReview, NewAccessReview, ReviewLine};

/// What the next review of the own facility must confirm (R-AUTH4).
#[utoipa::path(get, path = "/v1/access-review", tag = "review",
    responses((status = 200, body = AccessReview)))]
pub async fn current(State(app): State<App>, admin: FacilityAdmin) -> Result<Json<AccessReview>, AppError> {
    Ok(Json(app.db.read(async |c| store::current(c, &admin, clock::now()).await).await?))
}

/// Signs a review of the own facility.
#[utoipa::path(post, path = "/v1/access-reviews", tag = "review", request_body = NewAccessReview,
    responses((status = 201, body = AccessReview)))]
pub async fn create(
    State(app): State<App>,
    admin: FacilityAdmin,
    Body(body): Body<NewAccessReview>,
) -> Result<(StatusCode, Json<AccessReview>), AppError> {
    Ok((StatusCode::CREATED, Json(sign(&app, &admin, &body).await?)))
}

/// Where every facility stands, for the office.
#[utoipa::path(get, path = "/v1/access-reviews", tag = "review",
    responses((status = 200, body = [ReviewLine])))]
pub async fn overview(
    State(app): State<App>,
    office: Secretariat,
) -> Result<Json<Vec<ReviewLine>>, AppError> {
    Ok(Json(app.db.read(async |c| store::overview(c, &office, clock::now()).await).await?))
}

/// Stores a signed review with its audit entry; sent twice it is one.
///
/// # Errors
/// As [`store::sign`].
pub async fn sign(app: &App, admin: &FacilityAdmin, new: &NewAccessReview) -> Result<AccessReview, AppError> {
    let now = clock::now();
    app.db
        .write(async |c| {
            if store::sign(c, admin, new, now).await? {
                audit::record(c, admin.actor(), "review.sign", Some(new.id.into()), "").await?;
            }
            store::current(c, admin, now).await
        })
        .await
}
