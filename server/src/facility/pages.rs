//! The application form on the public host, and the office's list of facilities.

use super::{apply, store};
use crate::access::Secretariat;
use crate::error::AppError;
use crate::input::PathId;
use crate::municipality;
use crate::portal::forms::{Choice, Fields, Trouble, choices, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{Facility, FacilityApplication, FacilityId, FacilityKind, FacilityState};
use serde::Deserialize;

/// The application as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    id: String,
    name: String,
    kind: String,
    address: String,
    telephone: String,
    manager_name: String,
    manager_mail: String,
}

#[derive(Template)]
#[template(path = "facility/apply.html")]
struct ApplyPage {
    frame: Frame,
    trouble: Trouble,
    kinds: Vec<Choice>,
    form: Typed,
}

impl ApplyPage {
    fn new(frame: Frame, form: Typed, trouble: Trouble) -> Self {
        let mut kinds = choices(&[("", "選んでください")], &form.kind);
        kinds.extend(choices(language::KINDS, &form.kind));
        Self { frame, trouble, kinds, form }
    }
}

/// `GET /{slug}/apply`.
pub async fn form(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    let frame = Frame::of_slug(&app, &slug).await?;
    let form = Typed { id: FacilityId::new().to_string(), ..Typed::default() };
    portal::page(&ApplyPage::new(frame, form, Trouble::none()))
}

/// `POST /{slug}/apply`.
pub async fn apply(
    State(app): State<App>,
    Path(slug): Path<String>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = match kind(&form.kind) {
        Some(kind) => {
            let application = FacilityApplication {
                id: form.id.parse().unwrap_or_else(|_| FacilityId::new()),
                name: form.name.clone(),
                kind,
                address: form.address.clone(),
                telephone: form.telephone.clone(),
                manager_name: form.manager_name.clone(),
                manager_mail: form.manager_mail.clone(),
            };
            apply::apply(&app, &slug, application).await
        }
        None => Err(AppError::field("kind")),
    };
    match outcome {
        Ok(_) => Ok(local::see(&format!("/{slug}/apply/done"))),
        Err(e) => {
            let (status, problem) = shown(e)?;
            let frame = Frame::of_slug(&app, &slug).await?;
            let trouble = Trouble::of(&problem, &frame.words, "");
            portal::html(status, &ApplyPage::new(frame, form, trouble))
        }
    }
}

fn kind(word: &str) -> Option<FacilityKind> {
    let offered = language::KINDS.iter().any(|(value, _)| *value == word);
    if offered { crate::db::sql::from_word(word).ok() } else { None }
}

#[derive(Template)]
#[template(path = "facility/applied.html")]
struct AppliedPage {
    frame: Frame,
    days: u32,
}

/// `GET /{slug}/apply/done`: promises the mail (F04).
pub async fn applied(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    let town = app.db.read(async |c| municipality::store::by_slug(c, &slug).await).await?;
    let frame = Frame::of_slug(&app, &slug).await?;
    portal::page(&AppliedPage { frame, days: town.policy.approval_mail_days })
}

struct Line {
    id: String,
    name: String,
    kind: &'static str,
    address: String,
    telephone: String,
    manager_name: String,
    state: &'static str,
    applied_at: String,
}

impl From<Facility> for Line {
    fn from(f: Facility) -> Self {
        Self {
            id: f.id.to_string(),
            name: f.name,
            kind: language::kind(f.kind),
            address: f.address,
            telephone: f.telephone,
            manager_name: f.manager_name,
            state: language::state(f.state),
            applied_at: language::when(f.applied_at.0),
        }
    }
}

#[derive(Template)]
#[template(path = "facility/list.html")]
struct ListPage {
    frame: Frame,
    waiting: Vec<Line>,
    decided: Vec<Line>,
    rejected: bool,
}

/// What the list was just asked to do.
#[derive(Deserialize, Debug)]
pub struct Done {
    rejected: Option<String>,
}

/// `GET /facilities`: the office's list.
pub async fn list(
    State(app): State<App>,
    office: Secretariat,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    let (frame, all) =
        app.db.read(async |c| Ok((office.frame(&app, c).await?, store::all(c, &office).await?))).await?;
    let (waiting, decided): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|f| f.state == FacilityState::Applied);
    portal::page(&ListPage {
        frame,
        waiting: waiting.into_iter().map(Line::from).collect(),
        decided: decided.into_iter().map(Line::from).collect(),
        rejected: done.rejected.is_some(),
    })
}

#[derive(Template)]
#[template(path = "facility/approved.html")]
struct ApprovedPage {
    frame: Frame,
    name: String,
    login_id: String,
    first_password: String,
}

/// `POST /facilities/{id}/approval`: shows the manager's account, once.
pub async fn approve(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
) -> Result<Response, AppError> {
    let account = apply::approve(&app, &office, id.into()).await?;
    let (frame, facility) = app
        .db
        .read(async |c| Ok((office.frame(&app, c).await?, store::get(c, &office, id.into()).await?)))
        .await?;
    let page = ApprovedPage {
        frame,
        name: facility.name,
        login_id: account.login_id,
        first_password: account.first_password,
    };
    portal::html(StatusCode::OK, &page)
}

/// `POST /facilities/{id}/rejection`.
pub async fn reject(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
) -> Result<Response, AppError> {
    apply::reject(&app, &office, id.into()).await?;
    Ok(local::see("/facilities?rejected=1"))
}
