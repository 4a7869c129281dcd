//! Staff as JSON.

use super::add;
use crate::access::FacilityAdmin;
use crate::error::AppError;
use crate::input::Body;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use renraku_wire::{NewStaff, StaffAdded};

/// Adds an account to the own facility.
#[utoipa::path(post, path = "/v1/staff", tag = "staff", request_body = NewStaff,
    responses((status = 201, body = StaffAdded)))]
pub async fn create(
    State(app): State<App>,
    admin: FacilityAdmin,
    Body(body): Body<NewStaff>,
) -> Result<(StatusCode, Json<StaffAdded>), AppError> {
    Ok((StatusCode::CREATED, Json(add::add(&app, &admin, body).await?)))
}
