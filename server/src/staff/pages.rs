//! A facility's staff: the list with states, the form, and first passwords shown once.

use super::{add, detail, store};
use crate::access::FacilityAdmin;
use crate::db::Id;
use crate::db::sql::from_word;
use crate::error::AppError;
use crate::portal::forms::{Choice, Fields, Trouble, choices, shown};
use crate::portal::{self, Frame, language};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{Code, FacilityId, NewStaff, Problem, Profession, Role, StaffDetail, StaffId, StaffState};
use serde::Deserialize;

/// A new account as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    id: String,
    facility: String,
    name: String,
    profession: String,
    login_id: String,
    mail: String,
    forwarding_mail: String,
}

struct Line {
    id: String,
    name: String,
    profession: &'static str,
    login_id: String,
    manager: bool,
    state: &'static str,
    off: bool,
    may_export: bool,
}

impl From<StaffDetail> for Line {
    fn from(d: StaffDetail) -> Self {
        Self {
            id: d.id.to_string(),
            name: d.name,
            profession: language::profession(d.profession),
            login_id: d.login_id,
            manager: matches!(d.role, Role::FacilityManager | Role::Secretariat),
            state: language::staff_state(d.state),
            off: matches!(d.state, StaffState::Suspended),
            may_export: d.may_export,
        }
    }
}

#[derive(Template)]
#[template(path = "staff/list.html")]
struct ListPage {
    frame: Frame,
    facility: String,
    in_use: bool,
    trouble: Trouble,
    staff: Vec<Line>,
    left: Vec<Line>,
    facilities: Vec<Choice>,
    professions: Vec<Choice>,
    forwarding: bool,
    unique: bool,
    form: Typed,
}

fn wanted(facility: &str) -> Result<Option<Id>, AppError> {
    if facility.is_empty() {
        return Ok(None);
    }
    Ok(Some(facility.parse::<FacilityId>().map_err(|_| AppError::from(Code::NotFound))?.into()))
}

impl ListPage {
    async fn new(app: &App, admin: &FacilityAdmin, form: Typed) -> Result<Self, AppError> {
        let wanted = wanted(&form.facility)?;
        let (frame, place, all, of) = app
            .db
            .read(async |c| {
                let place = store::facility(c, admin, wanted).await?;
                let facilities = match admin.secretariat() {
                    Ok(office) => store::facilities(c, &office).await?,
                    Err(_) => vec![],
                };
                let of = detail::of_facility(c, admin, place.id).await?;
                Ok((admin.frame(app, c).await?, place, facilities, of))
            })
            .await?;
        let (left, staff): (Vec<_>, Vec<_>) = of.into_iter().partition(|d| d.state == StaffState::Left);
        let mut professions = choices(&[("", "選んでください")], &form.profession);
        professions.extend(choices(language::PROFESSIONS, &form.profession));
        let facilities = all
            .into_iter()
            .map(|(id, label)| Choice { chosen: id == place.id, value: id.to_string(), label })
            .collect();
        Ok(Self {
            frame,
            facility: place.name,
            in_use: place.in_use,
            trouble: Trouble::none(),
            staff: staff.into_iter().map(Line::from).collect(),
            left: left.into_iter().map(Line::from).collect(),
            facilities,
            professions,
            forwarding: admin.policy().forwarding_mail,
            unique: admin.policy().unique_mail,
            form,
        })
    }
}

/// Whose staff.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Asked {
    facility: String,
}

/// `GET /staff`: of the own facility, or of the one the office picks.
pub async fn list(
    State(app): State<App>,
    admin: FacilityAdmin,
    Query(asked): Query<Asked>,
) -> Result<Response, AppError> {
    let form = Typed { id: StaffId::new().to_string(), facility: asked.facility, ..Typed::default() };
    portal::page(&ListPage::new(&app, &admin, form).await?)
}

#[derive(Template)]
#[template(path = "staff/added.html")]
pub(super) struct AddedPage {
    pub frame: Frame,
    pub title: String,
    pub login_id: String,
    pub first_password: String,
    pub back: String,
}

/// `POST /staff`: shows the first password, once.
pub async fn create(
    State(app): State<App>,
    admin: FacilityAdmin,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = match profession(&form.profession) {
        Some(profession) => {
            let new = NewStaff {
                id: form.id.parse().unwrap_or_else(|_| StaffId::new()),
                login_id: form.login_id.clone(),
                name: form.name.clone(),
                profession,
                mail: Some(form.mail.clone()),
                forwarding_mail: Some(form.forwarding_mail.clone()),
            };
            add::add(&app, &admin, wanted(&form.facility)?, new).await
        }
        None => Err(AppError::field("profession")),
    };
    match outcome {
        Ok(added) => {
            let frame = app.db.read(async |c| admin.frame(&app, c).await).await?;
            let back = if form.facility.is_empty() {
                "/staff".to_owned()
            } else {
                format!("/staff?facility={}", form.facility)
            };
            let page = AddedPage {
                frame,
                title: format!("{} さんを追加しました", form.name),
                login_id: added.login_id,
                first_password: added.first_password,
                back,
            };
            portal::html(StatusCode::OK, &page)
        }
        Err(e) => {
            let (status, problem) = shown(e)?;
            let mut form = form;
            if problem.code == Code::IdConflict {
                form.id = StaffId::new().to_string();
            }
            let mut page = ListPage::new(&app, &admin, form).await?;
            page.trouble = trouble(&problem, &page.frame, "login_id");
            portal::html(status, &page)
        }
    }
}

/// Why a form came back: a taken address is told as taken, not as malformed.
pub(super) fn trouble(problem: &Problem, frame: &Frame, blame: &str) -> Trouble {
    match (problem.code, problem.field.as_deref()) {
        (Code::AlreadyTaken, Some(field)) => {
            Trouble::of(&Problem { field: None, ..problem.clone() }, &frame.words, field)
        }
        _ => Trouble::of(problem, &frame.words, blame),
    }
}

pub(super) fn profession(word: &str) -> Option<Profession> {
    let offered = language::PROFESSIONS.iter().any(|(value, _)| *value == word);
    if offered { from_word(word).ok() } else { None }
}
