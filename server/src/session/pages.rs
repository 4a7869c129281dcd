//! Signing in, signing out and changing the password in a browser.

use super::sign_in::{self, Before};
use crate::access::{self, COOKIE_NAME, Credentials, DeviceAccess, SignedIn};
use crate::error::AppError;
use crate::portal::forms::{Fields, Trouble, shown};
use crate::portal::{self, Frame, cookie, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use renraku_wire::{Code, SessionId};
use serde::Deserialize;

/// Where to go afterwards.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Onward {
    next: String,
}

#[derive(Template)]
#[template(path = "session/sign_in.html")]
struct SignInPage {
    frame: Frame,
    trouble: Trouble,
    /// Under which the form opens one session, however often it is sent.
    id: SessionId,
    login_id: String,
    next: String,
}

/// `GET /sign-in`.
pub async fn form(
    State(app): State<App>,
    device: DeviceAccess,
    Query(onward): Query<Onward>,
) -> Result<Response, AppError> {
    let frame = app.db.read(async |c| device.bare_frame(&app, c).await).await?;
    let next = local::next(&onward.next);
    let (id, login_id) = (SessionId::new(), String::new());
    portal::page(&SignInPage { frame, trouble: Trouble::none(), id, login_id, next })
}

/// Id and password as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    id: String,
    login_id: String,
    password: String,
    next: String,
}

/// `POST /sign-in`.
pub async fn open(
    State(app): State<App>,
    device: DeviceAccess,
    credentials: Credentials,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let next = local::next(&form.next);
    let who = current(&app, &credentials).await?;
    let before = Before {
        session: who.as_ref().zip(credentials.token_hash.as_deref()),
        id: form.id.parse::<SessionId>().ok().map(Into::into),
    };
    match sign_in::sign_in(&app, &device, before, &form.login_id, &form.password).await {
        Ok(opened) => {
            let to = if opened.must_change_password { local::with_next("/password", &next) } else { next };
            with_cookie(local::see(&to), &cookie::set(COOKIE_NAME, &opened.token))
        }
        Err(e) => {
            let (status, problem) = shown(e)?;
            let frame = app.db.read(async |c| device.bare_frame(&app, c).await).await?;
            let trouble = Trouble::of(&problem, &frame.words, "login_id");
            let id = SessionId::new();
            portal::html(status, &SignInPage { frame, trouble, id, login_id: form.login_id, next })
        }
    }
}

pub(super) fn with_cookie(mut response: Response, line: &str) -> Result<Response, AppError> {
    let value = HeaderValue::from_str(line).map_err(|_| AppError::internal("a cookie cannot be written"))?;
    response.headers_mut().insert(header::SET_COOKIE, value);
    Ok(response)
}

/// Whose session the cookie names, if it still runs.
async fn current(app: &App, credentials: &Credentials) -> Result<Option<SignedIn>, AppError> {
    match app.db.glance(async |c| access::session(c, credentials).await).await {
        Ok(who) => Ok(Some(who)),
        Err(AppError::Refused(p)) if p.code == Code::SessionInvalid => Ok(None),
        Err(e) => Err(e),
    }
}

/// `POST /sign-out`.
pub async fn close(State(app): State<App>, credentials: Credentials) -> Result<Response, AppError> {
    if let Some(who) = current(&app, &credentials).await? {
        sign_in::sign_out(&app, &who, &credentials).await?;
    }
    with_cookie(local::see("/sign-in"), &cookie::clear(COOKIE_NAME))
}

#[derive(Template)]
#[template(path = "session/password.html")]
struct PasswordPage {
    frame: Frame,
    trouble: Trouble,
    forced: bool,
    next: String,
}

/// `GET /password`.
pub async fn password(
    State(app): State<App>,
    credentials: Credentials,
    Query(onward): Query<Onward>,
) -> Result<Response, AppError> {
    let (frame, forced) = app
        .db
        .read(async |c| {
            let who = access::session(c, &credentials).await?;
            Ok((who.frame(&app, c).await?, who.must_change_password()))
        })
        .await?;
    let next = local::next(&onward.next);
    portal::page(&PasswordPage { frame, trouble: Trouble::none(), forced, next })
}

/// The passwords as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Change {
    current: String,
    new: String,
    again: String,
    next: String,
}

/// `POST /password`.
pub async fn change_password(
    State(app): State<App>,
    credentials: Credentials,
    Fields(form): Fields<Change>,
) -> Result<Response, AppError> {
    let (frame, who) = app
        .db
        .read(async |c| {
            let who = access::session(c, &credentials).await?;
            Ok((who.frame(&app, c).await?, who))
        })
        .await?;
    let next = local::next(&form.next);
    let forced = who.must_change_password();
    if form.new != form.again {
        let trouble = Trouble::own("again", "新しいパスワードが2回とも同じになるように入力してください。");
        let page = PasswordPage { frame, trouble, forced, next };
        return portal::html(axum::http::StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    match sign_in::change_password(&app, &who, &credentials, &form.current, &form.new).await {
        Ok(()) => Ok(local::see(&next)),
        Err(e) => {
            let (status, problem) = shown(e)?;
            let trouble = match problem.code {
                Code::SignInRefused => {
                    Trouble::own("current", "今のパスワードが違います。もう一度入力してください。")
                }
                _ => Trouble::of(&problem, &frame.words, "new"),
            };
            portal::html(status, &PasswordPage { frame, trouble, forced, next })
        }
    }
}
