//! `/v1/session` on the care host.

use super::sign_in::{self, Before};
use super::{roll, store};
use crate::access::{self, Credentials, DeviceAccess, SignedIn};
use crate::error::AppError;
use crate::input::{self, Body, PathId};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use renraku_wire::{
    OwnSessions, PasswordChange, PeopleHere, PushRegistration, SessionId, SessionOpened, SignIn, Staff,
};

/// Opens a session.
#[utoipa::path(post, path = "/v1/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = SessionOpened)))]
pub async fn open(
    State(app): State<App>,
    device: DeviceAccess,
    Body(body): Body<SignIn>,
) -> Result<Json<SessionOpened>, AppError> {
    let before = Before { session: None, id: body.id.map(Into::into) };
    Ok(Json(sign_in::sign_in(&app, &device, before, &body.login_id, &body.password).await?))
}

/// Who is signed in.
#[utoipa::path(get, path = "/v1/session", tag = "session", responses((status = 200, body = Staff)))]
pub async fn me(State(app): State<App>, who: SignedIn) -> Result<Json<Staff>, AppError> {
    Ok(Json(app.db.read(async |c| sign_in::me(c, &who).await).await?))
}

/// Ends the session.
#[utoipa::path(delete, path = "/v1/session", tag = "session", responses((status = 204)))]
pub async fn close(State(app): State<App>, credentials: Credentials) -> Result<StatusCode, AppError> {
    let who = app.db.glance(async |c| access::session(c, &credentials).await).await?;
    sign_in::sign_out(&app, &who, &credentials).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes the password.
#[utoipa::path(post, path = "/v1/session/password", tag = "session", request_body = PasswordChange,
    responses((status = 204)))]
pub async fn change_password(
    State(app): State<App>,
    credentials: Credentials,
    Body(body): Body<PasswordChange>,
) -> Result<StatusCode, AppError> {
    let who = app.db.glance(async |c| access::session(c, &credentials).await).await?;
    sign_in::change_password(&app, &who, &credentials, &body.current, &body.new).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Says where pushes for this person on this device go.
#[utoipa::path(put, path = "/v1/session/push", tag = "session", request_body = PushRegistration,
    responses((status = 204)))]
pub async fn register_push(
    State(app): State<App>,
    who: SignedIn,
    Body(body): Body<PushRegistration>,
) -> Result<StatusCode, AppError> {
    let token = input::text(&body.token, "token", 4096)?;
    let push = PushRegistration { token, ..body };
    app.db.write(async |c| store::register_push(c, &who, &push).await).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who else has a session on this device.
#[utoipa::path(get, path = "/v1/session/others", tag = "session", responses((status = 200, body = PeopleHere)))]
pub async fn others(State(app): State<App>, who: SignedIn) -> Result<Json<PeopleHere>, AppError> {
    let people = app.db.read(async |c| roll::others(c, &who).await).await?;
    Ok(Json(PeopleHere { people }))
}

/// The own sessions, on every device.
#[utoipa::path(get, path = "/v1/sessions", tag = "session", responses((status = 200, body = OwnSessions)))]
pub async fn own(
    State(app): State<App>,
    who: SignedIn,
    credentials: Credentials,
) -> Result<Json<OwnSessions>, AppError> {
    let current = credentials.token_hash.unwrap_or_default();
    let sessions = app.db.read(async |c| roll::own(c, &who, &current).await).await?;
    Ok(Json(OwnSessions { sessions }))
}

/// Ends one of the own sessions, wherever it runs.
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "session",
    params(("id" = SessionId, Path)), responses((status = 204)))]
pub async fn end(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<SessionId>,
) -> Result<StatusCode, AppError> {
    sign_in::end(&app, &who, id.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends every own session but the one that asks.
#[utoipa::path(delete, path = "/v1/sessions", tag = "session", responses((status = 204)))]
pub async fn end_others(
    State(app): State<App>,
    who: SignedIn,
    credentials: Credentials,
) -> Result<StatusCode, AppError> {
    sign_in::end_others(&app, &who, &credentials).await?;
    Ok(StatusCode::NO_CONTENT)
}
