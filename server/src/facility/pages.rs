//! The office's list of facilities, and what is shown once: an account, a certificate No.

pub mod acts;
pub mod paper;
pub mod public;
pub mod record;

use super::{decide, store};
use crate::access::Secretariat;
use crate::error::AppError;
use crate::input::PathId;
use crate::policy::worded;
use crate::portal::forms::{Choice, Fields, Trouble, choices};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{Facility, FacilityApplication, FacilityId, FacilityKind, FacilityState};
use serde::Deserialize;

/// An application as typed.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub struct Typed {
    id: String,
    name: String,
    kind: String,
    address: String,
    telephone: String,
    manager_name: String,
    manager_mail: String,
    place: String,
}

impl Typed {
    fn of(application: &FacilityApplication) -> Self {
        Self {
            id: application.id.to_string(),
            name: application.name.clone(),
            kind: crate::db::sql::word(&application.kind),
            address: application.address.clone(),
            telephone: application.telephone.clone(),
            manager_name: application.manager_name.clone(),
            manager_mail: application.manager_mail.clone(),
            place: if application.outside { "outside" } else { "inside" }.to_owned(),
        }
    }

    fn fresh() -> Self {
        Self { id: FacilityId::new().to_string(), place: "inside".to_owned(), ..Self::default() }
    }

    fn request(&self) -> Result<FacilityApplication, AppError> {
        Ok(FacilityApplication {
            id: self.id.parse().unwrap_or_else(|_| FacilityId::new()),
            name: self.name.clone(),
            kind: kind(&self.kind).ok_or_else(|| AppError::field("kind"))?,
            address: self.address.clone(),
            telephone: self.telephone.clone(),
            manager_name: self.manager_name.clone(),
            manager_mail: self.manager_mail.clone(),
            outside: self.place == "outside",
        })
    }
}

fn kind(word: &str) -> Option<FacilityKind> {
    let offered = language::KINDS.iter().any(|(value, _)| *value == word);
    if offered { crate::db::sql::from_word(word).ok() } else { None }
}

fn kinds(chosen: &str) -> Vec<Choice> {
    let mut kinds = choices(&[("", "選んでください")], chosen);
    kinds.extend(choices(language::KINDS, chosen));
    kinds
}

/// What a paper needs beside the application.
#[derive(Default)]
struct PaperTyped {
    /// The application that it corrects, if it does.
    corrects: String,
    /// The letter whose link the applicant has, if it works.
    replaces: String,
    channel: String,
    received_on: String,
    uploaded: String,
    uploaded_name: String,
}

/// The application's form: a stranger's, an applicant's who corrects it, or the office's.
#[derive(Template)]
#[template(path = "facility/apply.html")]
struct ApplyPage {
    frame: Frame,
    trouble: Trouble,
    kinds: Vec<Choice>,
    places: Vec<Choice>,
    form: Typed,
    action: String,
    back: String,
    returned: Option<(String, String)>,
    paper: Option<PaperTyped>,
    channels: Vec<Choice>,
    manager_hint: String,
}

impl ApplyPage {
    fn new(frame: Frame, action: String, back: String, form: Typed) -> Self {
        let (inside, outside) = (format!("{}の区域の中", frame.town), format!("{}の区域の外", frame.town));
        let place = if form.place == "outside" { "outside" } else { "inside" };
        Self {
            kinds: kinds(&form.kind),
            places: choices(&[("inside", inside.as_str()), ("outside", outside.as_str())], place),
            trouble: Trouble::none(),
            returned: None,
            paper: None,
            channels: vec![],
            manager_hint: worded("利用するスタッフと端末を管理する方です。", &frame.words),
            frame,
            form,
            action,
            back,
        }
    }
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
    office: bool,
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
            office: f.kind == FacilityKind::Secretariat,
        }
    }
}

#[derive(Template)]
#[template(path = "facility/list.html")]
struct ListPage {
    frame: Frame,
    waiting: Vec<Line>,
    decided: Vec<Line>,
    strays: Vec<StrayLine>,
    done: Option<&'static str>,
}

struct StrayLine {
    id: String,
    name: String,
    mail: String,
    at: String,
}

/// What the list was just asked to do.
#[derive(Deserialize, Debug)]
pub struct Done {
    rejected: Option<String>,
    settled: Option<String>,
}

/// `GET /facilities`: the office's list.
pub async fn list(
    State(app): State<App>,
    office: Secretariat,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    let (frame, all, strays) = app
        .db
        .read(async |c| {
            let strays = store::stray::all(c, &office).await?;
            Ok((office.frame(&app, c).await?, store::all(c, &office).await?, strays))
        })
        .await?;
    let strays = strays.into_iter().map(|s| StrayLine {
        id: s.id.to_string(),
        name: s.name,
        mail: s.mail,
        at: language::when(s.reported_at),
    });
    let (waiting, decided): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|f| f.state == FacilityState::Applied);
    portal::page(&ListPage {
        frame,
        waiting: waiting.into_iter().map(Line::from).collect(),
        decided: decided.into_iter().map(Line::from).collect(),
        strays: strays.collect(),
        done: match (done.rejected, done.settled) {
            (Some(_), _) => Some("申請を却下しました。"),
            (None, Some(_)) => Some("対応済みにしました。"),
            (None, None) => None,
        },
    })
}

/// `POST /no-mail-reports/{id}/settlement`: somebody saw to it.
pub async fn settle_stray(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<uuid::Uuid>,
) -> Result<Response, AppError> {
    decide::settle_stray(&app, &office, crate::db::Id(id)).await?;
    Ok(local::see("/facilities?settled=1"))
}

/// An account that is shown once: a manager's.
#[derive(Template)]
#[template(path = "facility/approved.html")]
struct ApprovedPage {
    frame: Frame,
    heading: String,
    mailed: bool,
    login_id: String,
    first_password: String,
}

/// `POST /facilities/{id}/approval`: shows the manager's account, once.
pub async fn approve(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
) -> Result<Response, AppError> {
    let account = decide::approve(&app, &office, id.into()).await?;
    let (frame, facility) = app
        .db
        .read(async |c| Ok((office.frame(&app, c).await?, store::get(c, &office, id.into()).await?)))
        .await?;
    let page = ApprovedPage {
        frame,
        heading: format!("「{}」を承認しました", facility.name),
        mailed: true,
        login_id: account.login_id,
        first_password: account.first_password,
    };
    portal::html(StatusCode::OK, &page)
}

/// The reason of a rejection, which need not be given.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Why {
    reason: String,
}

/// `POST /facilities/{id}/rejection`.
pub async fn reject(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<FacilityId>,
    Fields(why): Fields<Why>,
) -> Result<Response, AppError> {
    decide::reject(&app, &office, id.into(), Some(&why.reason)).await?;
    Ok(local::see("/facilities?rejected=1"))
}
