//! `/v1/session` on the care host.

use super::{sign_in, store};
use crate::access::{self, Credentials, DeviceAccess, SignedIn};
use crate::error::AppError;
use crate::input::{self, Body};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use renraku_wire::{PasswordChange, PushRegistration, SessionOpened, SignIn, Staff};

/// Opens a session.
#[utoipa::path(post, path = "/v1/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = SessionOpened)))]
pub async fn open(
    State(app): State<App>,
    device: DeviceAccess,
    Body(body): Body<SignIn>,
) -> Result<Json<SessionOpened>, AppError> {
    Ok(Json(sign_in::sign_in(&app, &device, &body.login_id, &body.password).await?))
}

/// Who is signed in.
#[utoipa::path(get, path = "/v1/session", tag = "session", responses((status = 200, body = Staff)))]
pub async fn me(State(app): State<App>, who: SignedIn) -> Result<Json<Staff>, AppError> {
    Ok(Json(app.db.read(async |c| sign_in::me(c, &who).await).await?))
}

/// Ends the session.
#[utoipa::path(delete, path = "/v1/session", tag = "session", responses((status = 204)))]
pub async fn close(State(app): State<App>, credentials: Credentials) -> Result<StatusCode, AppError> {
    let who = app.db.read(async |c| access::session(c, &credentials).await).await?;
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
    let who = app.db.read(async |c| access::session(c, &credentials).await).await?;
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
