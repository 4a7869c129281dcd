//! Staff as JSON.

use super::{add, change, detail, leave, store, suspend};
use crate::access::{FacilityAdmin, Secretariat, SignedIn};
use crate::error::AppError;
use crate::input::{Body, PathId};
use crate::state::App;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use renraku_wire::{
    FacilityId, Leaving, NewFirstPassword, NewStaff, OwnMail, StaffAdded, StaffChange, StaffDetail, StaffId,
    Suspending,
};
use serde::Deserialize;

/// Adds an account to the own facility (F08).
#[utoipa::path(post, path = "/v1/staff", tag = "staff", request_body = NewStaff,
    responses((status = 201, body = StaffAdded)))]
pub async fn create(
    State(app): State<App>,
    admin: FacilityAdmin,
    Body(body): Body<NewStaff>,
) -> Result<(StatusCode, Json<StaffAdded>), AppError> {
    Ok((StatusCode::CREATED, Json(add::add(&app, &admin, None, body).await?)))
}

/// Adds an account to a facility: the own one, or any for the office.
#[utoipa::path(post, path = "/v1/facilities/{id}/staff", tag = "staff", params(("id" = FacilityId, Path)),
    request_body = NewStaff, responses((status = 201, body = StaffAdded)))]
pub async fn create_at(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<FacilityId>,
    Body(body): Body<NewStaff>,
) -> Result<(StatusCode, Json<StaffAdded>), AppError> {
    Ok((StatusCode::CREATED, Json(add::add(&app, &admin, Some(id.into()), body).await?)))
}

/// Of which facility; the own one when it is not said.
#[derive(Deserialize, Debug)]
pub struct Of {
    facility: Option<FacilityId>,
}

/// The accounts of the own facility, or of the one the office names (a suspended one too), with their states.
#[utoipa::path(get, path = "/v1/staff", tag = "staff", params(("facility" = Option<FacilityId>, Query)),
    responses((status = 200, body = [StaffDetail])))]
pub async fn list(
    State(app): State<App>,
    admin: FacilityAdmin,
    Query(of): Query<Of>,
) -> Result<Json<Vec<StaffDetail>>, AppError> {
    let list = app
        .db
        .read(async |c| {
            let place = store::facility(c, &admin, of.facility.map(Into::into)).await?;
            detail::of_facility(c, &admin, place.id).await
        })
        .await?;
    Ok(Json(list))
}

/// One account.
#[utoipa::path(get, path = "/v1/staff/{id}", tag = "staff", params(("id" = StaffId, Path)),
    responses((status = 200, body = StaffDetail)))]
pub async fn get(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<StaffId>,
) -> Result<Json<StaffDetail>, AppError> {
    Ok(Json(app.db.read(async |c| detail::of(c, &admin, id.into()).await).await?))
}

/// Changes a profile (F10).
#[utoipa::path(put, path = "/v1/staff/{id}", tag = "staff", params(("id" = StaffId, Path)),
    request_body = StaffChange, responses((status = 200, body = StaffDetail)))]
pub async fn put(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<StaffId>,
    Body(body): Body<StaffChange>,
) -> Result<Json<StaffDetail>, AppError> {
    change::change(&app, &admin, id.into(), &body).await?;
    Ok(Json(app.db.read(async |c| detail::of(c, &admin, id.into()).await).await?))
}

/// Hands out a new first password; the sessions of the account end.
#[utoipa::path(post, path = "/v1/staff/{id}/first-password", tag = "staff", params(("id" = StaffId, Path)),
    request_body = NewFirstPassword, responses((status = 201, body = StaffAdded)))]
pub async fn first_password(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<StaffId>,
    Body(body): Body<NewFirstPassword>,
) -> Result<(StatusCode, Json<StaffAdded>), AppError> {
    Ok((StatusCode::CREATED, Json(change::first_password(&app, &admin, id.into(), body.id).await?)))
}

/// Ends an account of somebody who leaves (F11).
#[utoipa::path(post, path = "/v1/staff/{id}/leaving", tag = "staff", params(("id" = StaffId, Path)),
    request_body = Leaving, responses((status = 204)))]
pub async fn leaving(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<StaffId>,
    Body(body): Body<Leaving>,
) -> Result<StatusCode, AppError> {
    leave::leave(&app, &admin, id.into(), &body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Suspends an id (F55).
#[utoipa::path(post, path = "/v1/staff/{id}/suspension", tag = "staff", params(("id" = StaffId, Path)),
    request_body = Suspending, responses((status = 204)))]
pub async fn suspension(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<StaffId>,
    Body(body): Body<Suspending>,
) -> Result<StatusCode, AppError> {
    suspend::suspend(&app, &office, id.into(), &body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets a suspended id be used again.
#[utoipa::path(post, path = "/v1/staff/{id}/resumption", tag = "staff", params(("id" = StaffId, Path)),
    responses((status = 204)))]
pub async fn resumption(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<StaffId>,
) -> Result<StatusCode, AppError> {
    suspend::resume(&app, &office, id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The own account.
#[utoipa::path(get, path = "/v1/profile", tag = "staff", responses((status = 200, body = StaffDetail)))]
pub async fn profile(State(app): State<App>, who: SignedIn) -> Result<Json<StaffDetail>, AppError> {
    Ok(Json(app.db.read(async |c| detail::own(c, &who).await).await?))
}

/// Changes the own mail addresses.
#[utoipa::path(put, path = "/v1/profile/mail", tag = "staff", request_body = OwnMail,
    responses((status = 200, body = StaffDetail)))]
pub async fn own_mail(
    State(app): State<App>,
    who: SignedIn,
    Body(body): Body<OwnMail>,
) -> Result<Json<StaffDetail>, AppError> {
    change::own_mail(&app, &who, &body).await?;
    Ok(Json(app.db.read(async |c| detail::own(c, &who).await).await?))
}
