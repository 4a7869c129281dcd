//! The facility's staff: the list, the form, and the first password shown once.

use super::{add, store};
use crate::access::FacilityAdmin;
use crate::db::sql::from_word;
use crate::error::AppError;
use crate::portal::forms::{Choice, Fields, Trouble, choices, shown};
use crate::portal::{self, Frame, language};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{NewStaff, Profession, Role, StaffId};
use serde::Deserialize;

/// A new account as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    id: String,
    name: String,
    profession: String,
    login_id: String,
    mail: String,
    forwarding_mail: String,
}

struct Line {
    name: String,
    profession: &'static str,
    login_id: String,
    manager: bool,
}

#[derive(Template)]
#[template(path = "staff/list.html")]
struct ListPage {
    frame: Frame,
    facility: String,
    trouble: Trouble,
    staff: Vec<Line>,
    professions: Vec<Choice>,
    form: Typed,
}

impl ListPage {
    async fn new(app: &App, admin: &FacilityAdmin, form: Typed) -> Result<Self, AppError> {
        let (frame, own) =
            app.db.read(async |c| Ok((admin.frame(app, c).await?, store::own(c, admin).await?))).await?;
        let staff = own
            .into_iter()
            .map(|(person, login_id)| Line {
                name: person.name,
                profession: language::profession(person.profession),
                login_id,
                manager: matches!(person.role, Role::FacilityManager | Role::Secretariat),
            })
            .collect();
        let mut professions = choices(&[("", "選んでください")], &form.profession);
        professions.extend(choices(language::PROFESSIONS, &form.profession));
        let facility = frame.person.as_ref().map(|p| p.facility.clone()).unwrap_or_default();
        Ok(Self { frame, facility, trouble: Trouble::none(), staff, professions, form })
    }
}

/// `GET /staff`.
pub async fn list(State(app): State<App>, admin: FacilityAdmin) -> Result<Response, AppError> {
    let form = Typed { id: StaffId::new().to_string(), ..Typed::default() };
    portal::page(&ListPage::new(&app, &admin, form).await?)
}

#[derive(Template)]
#[template(path = "staff/added.html")]
struct AddedPage {
    frame: Frame,
    name: String,
    login_id: String,
    first_password: String,
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
            add::add(&app, &admin, new).await
        }
        None => Err(AppError::field("profession")),
    };
    match outcome {
        Ok(added) => {
            let frame = app.db.read(async |c| admin.frame(&app, c).await).await?;
            let page = AddedPage {
                frame,
                name: form.name,
                login_id: added.login_id,
                first_password: added.first_password,
            };
            portal::html(StatusCode::OK, &page)
        }
        Err(e) => {
            let (status, problem) = shown(e)?;
            let mut page = ListPage::new(&app, &admin, form).await?;
            page.trouble = Trouble::of(&problem, &page.frame.words, "login_id");
            portal::html(status, &page)
        }
    }
}

fn profession(word: &str) -> Option<Profession> {
    let offered = language::PROFESSIONS.iter().any(|(value, _)| *value == word);
    if offered { from_word(word).ok() } else { None }
}
