//! The training as JSON.

use super::store;
use crate::access::{FacilityAdmin, SignedIn};
use crate::error::AppError;
use crate::input::Body;
use crate::state::App;
use crate::{audit, clock};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use renraku_wire::{NewTraining, TrainingLine, TrainingStatus};

/// Where the caller stands with the yearly security training, and what to read (F57).
#[utoipa::path(get, path = "/v1/training", tag = "training",
    responses((status = 200, body = TrainingStatus)))]
pub async fn status(State(app): State<App>, who: SignedIn) -> Result<Json<TrainingStatus>, AppError> {
    Ok(Json(app.db.read(async |c| store::status(c, &who).await).await?))
}

/// Declares the training done.
#[utoipa::path(post, path = "/v1/training/completions", tag = "training", request_body = NewTraining,
    responses((status = 201, body = TrainingStatus)))]
pub async fn create(
    State(app): State<App>,
    who: SignedIn,
    Body(body): Body<NewTraining>,
) -> Result<(StatusCode, Json<TrainingStatus>), AppError> {
    Ok((StatusCode::CREATED, Json(complete(&app, &who, &body).await?)))
}

/// Who is due when: a manager's own facility, the whole town for the office.
#[utoipa::path(get, path = "/v1/training/overview", tag = "training",
    responses((status = 200, body = [TrainingLine])))]
pub async fn overview(
    State(app): State<App>,
    admin: FacilityAdmin,
) -> Result<Json<Vec<TrainingLine>>, AppError> {
    Ok(Json(app.db.read(async |c| store::overview(c, &admin, clock::now()).await).await?))
}

/// Records a completion with its audit entry; sent twice it is one.
///
/// # Errors
/// As [`store::complete`].
pub async fn complete(app: &App, who: &SignedIn, new: &NewTraining) -> Result<TrainingStatus, AppError> {
    let now = clock::now();
    app.db
        .write(async |c| {
            if store::complete(c, who, new, now).await? {
                let version = &new.material_version;
                audit::record(c, who.actor(), "training.complete", Some(new.id.into()), version).await?;
            }
            store::status(c, who).await
        })
        .await
}
