//! Incident reports as JSON.

use super::{report, store};
use crate::access::SignedIn;
use crate::error::AppError;
use crate::input::{Body, PathId};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use renraku_wire::{Incident, IncidentId, IncidentList, NewIncident, NewIncidentEntry};

/// The reports that the caller may see: own ones, the own facility's for its manager, all for the office.
#[utoipa::path(get, path = "/v1/incidents", tag = "incident", responses((status = 200, body = IncidentList)))]
pub async fn list(State(app): State<App>, who: SignedIn) -> Result<Json<IncidentList>, AppError> {
    let reports = app.db.read(async |c| store::list(c, &who).await).await?;
    Ok(Json(IncidentList { incidents: reports.into_iter().map(|r| r.summary).collect() }))
}

/// Reports an incident (F56).
#[utoipa::path(post, path = "/v1/incidents", tag = "incident", request_body = NewIncident,
    responses((status = 201, body = Incident)))]
pub async fn create(
    State(app): State<App>,
    who: SignedIn,
    Body(body): Body<NewIncident>,
) -> Result<(StatusCode, Json<Incident>), AppError> {
    Ok((StatusCode::CREATED, Json(report::report(&app, &who, &body).await?)))
}

/// A report with its timeline.
#[utoipa::path(get, path = "/v1/incidents/{id}", tag = "incident", params(("id" = IncidentId, Path)),
    responses((status = 200, body = Incident)))]
pub async fn get(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<IncidentId>,
) -> Result<Json<Incident>, AppError> {
    Ok(Json(report::read(&app, &who, id).await?))
}

/// Adds an entry, which may move the report on.
#[utoipa::path(post, path = "/v1/incidents/{id}/entries", tag = "incident", params(("id" = IncidentId, Path)),
    request_body = NewIncidentEntry, responses((status = 201, body = Incident)))]
pub async fn enter(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<IncidentId>,
    Body(body): Body<NewIncidentEntry>,
) -> Result<(StatusCode, Json<Incident>), AppError> {
    Ok((StatusCode::CREATED, Json(report::enter(&app, &who, id, &body).await?)))
}
