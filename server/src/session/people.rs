//! Several people at one device: changing the person (交代), and the own sessions on every device.

use super::pages::with_cookie;
use super::{roll, sign_in};
use crate::access::{self, COOKIE_NAME, Credentials, SignedIn};
use crate::error::AppError;
use crate::portal::forms::{Fields, Trouble, shown};
use crate::portal::{self, Frame, cookie, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{OwnSession, PersonHere, SessionId, StaffId};
use serde::Deserialize;

struct Colleague {
    id: String,
    name: String,
    profession: &'static str,
    since: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "session/switch.html")]
struct SwitchPage {
    frame: Frame,
    trouble: Trouble,
    id: SessionId,
    people: Vec<Colleague>,
}

impl SwitchPage {
    async fn new(app: &App, who: &SignedIn, chosen: &str, trouble: Trouble) -> Result<Self, AppError> {
        let (frame, people) =
            app.db.read(async |c| Ok((who.frame(app, c).await?, roll::others(c, who).await?))).await?;
        let people = people.into_iter().map(|p| Colleague::of(p, chosen)).collect();
        Ok(Self { frame, trouble, id: SessionId::new(), people })
    }
}

impl Colleague {
    fn of(person: PersonHere, chosen: &str) -> Self {
        let id = person.staff_id.to_string();
        Self {
            chosen: id == chosen,
            id,
            name: person.name,
            profession: language::profession(person.profession),
            since: language::when(person.last_seen_at.0),
        }
    }
}

/// `GET /switch`: who else has a session on this device. Also for somebody who still has to change the
/// first password: the tablet is not theirs alone.
pub async fn list(State(app): State<App>, credentials: Credentials) -> Result<Response, AppError> {
    let who = app.db.glance(async |c| access::session(c, &credentials).await).await?;
    portal::page(&SwitchPage::new(&app, &who, "", Trouble::none()).await?)
}

/// Who takes over, with their password.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Takeover {
    id: String,
    person: String,
    password: String,
}

/// `POST /switch`: the other one's session runs, the own one rests.
pub async fn switch(
    State(app): State<App>,
    credentials: Credentials,
    Fields(form): Fields<Takeover>,
) -> Result<Response, AppError> {
    let who = app.db.glance(async |c| access::session(c, &credentials).await).await?;
    let to = form.person.parse::<StaffId>().map_err(|_| AppError::field("person"))?;
    let id = form.id.parse::<SessionId>().ok().map(Into::into);
    match sign_in::switch(&app, &who, &credentials, id, to.into(), &form.password).await {
        Ok(opened) => {
            let to = if opened.must_change_password { "/password" } else { "/" };
            with_cookie(local::see(to), &cookie::set(COOKIE_NAME, &opened.token))
        }
        Err(e) => {
            let (status, problem) = shown(e)?;
            let sentence = match problem.code {
                renraku_wire::Code::SignInRefused => "パスワードが違います。もう一度入力してください。",
                _ => &problem.detail,
            };
            let trouble = Trouble::own(&format!("password-{}", form.person), sentence);
            portal::html(status, &SwitchPage::new(&app, &who, &form.person, trouble).await?)
        }
    }
}

struct Line {
    id: String,
    device: String,
    platform: &'static str,
    current: bool,
    resting: bool,
    opened: String,
    seen: String,
}

impl From<OwnSession> for Line {
    fn from(s: OwnSession) -> Self {
        Self {
            id: s.id.to_string(),
            device: s.device_name,
            platform: language::platform(s.platform),
            current: s.current,
            resting: s.resting,
            opened: language::when(s.opened_at.0),
            seen: language::when(s.last_seen_at.0),
        }
    }
}

#[derive(Template)]
#[template(path = "session/sessions.html")]
struct SessionsPage {
    frame: Frame,
    sessions: Vec<Line>,
    ended: bool,
}

/// What was just done.
#[derive(Deserialize, Debug)]
pub struct Done {
    ended: Option<String>,
}

/// `GET /sessions`: the own ones, with device and last use.
pub async fn own(
    State(app): State<App>,
    who: SignedIn,
    credentials: Credentials,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    let current = credentials.token_hash.unwrap_or_default();
    let (frame, sessions) =
        app.db.read(async |c| Ok((who.frame(&app, c).await?, roll::own(c, &who, &current).await?))).await?;
    let sessions = sessions.into_iter().map(Line::from).collect();
    portal::html(StatusCode::OK, &SessionsPage { frame, sessions, ended: done.ended.is_some() })
}

/// Which session is to end; every other one when it names none.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Ending {
    id: String,
}

/// `POST /sessions`: ends one, or all others.
pub async fn end(
    State(app): State<App>,
    who: SignedIn,
    credentials: Credentials,
    Fields(form): Fields<Ending>,
) -> Result<Response, AppError> {
    if form.id.is_empty() {
        sign_in::end_others(&app, &who, &credentials).await?;
    } else {
        let id = form.id.parse::<SessionId>().map_err(|_| AppError::from(renraku_wire::Code::NotFound))?;
        sign_in::end(&app, &who, id.into()).await?;
    }
    Ok(local::see("/sessions?ended=1"))
}
