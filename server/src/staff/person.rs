//! One account's page: the profile, a new first password, suspension and leaving.

use super::pages::{AddedPage, profession, trouble};
use super::{change, detail, leave as leaving, suspend as suspending};
use crate::access::{FacilityAdmin, Secretariat};
use crate::db::sql::{from_word, word};
use crate::error::AppError;
use crate::input::PathId;
use crate::policy::worded;
use crate::portal::forms::{Choice, Fields, Trouble, choices, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{
    Code, FirstPasswordId, Leaving, MailKind, Problem, Role, StaffChange, StaffDetail, StaffId, StaffState,
    Suspending, SuspensionId,
};
use serde::Deserialize;

/// The profile as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    name: String,
    profession: String,
    role: String,
    mail: String,
    forwarding_mail: String,
    may_export: Option<String>,
}

impl Typed {
    fn of(d: &StaffDetail) -> Self {
        Self {
            name: d.name.clone(),
            profession: word(&d.profession),
            role: word(&d.role),
            mail: d.mail.clone().unwrap_or_default(),
            forwarding_mail: d.forwarding_mail.clone().unwrap_or_default(),
            may_export: d.may_export.then(|| "true".to_owned()),
        }
    }
}

/// The last day and who takes over, as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Last {
    left_on: String,
    successor: String,
}

/// The suspension as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Why {
    id: String,
    reason: String,
    agreed: Option<String>,
}

/// The id that the form brings.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Request {
    id: String,
}

/// What was typed into whichever form came back.
#[derive(Default)]
struct Back {
    typed: Option<Typed>,
    last: Last,
    why: Why,
    problem: Option<(Problem, &'static str)>,
}

#[derive(Template)]
#[template(path = "staff/person.html")]
struct PersonPage {
    frame: Frame,
    trouble: Trouble,
    done: &'static str,
    person: StaffDetail,
    state: &'static str,
    profession_label: &'static str,
    created: String,
    left_on: String,
    placeholder: bool,
    suspended_since: String,
    own: bool,
    left: bool,
    usable: bool,
    suspended: bool,
    office: bool,
    without_asking: bool,
    forwarding: bool,
    unique: bool,
    professions: Vec<Choice>,
    roles: Vec<Choice>,
    successors: Vec<Choice>,
    successor_hint: String,
    form: Typed,
    last: Last,
    why: Why,
    leaving_open: bool,
    suspending_open: bool,
    first: FirstPasswordId,
}

async fn page(
    app: &App,
    admin: &FacilityAdmin,
    id: StaffId,
    done: &str,
    back: Back,
) -> Result<PersonPage, AppError> {
    let (frame, person, colleagues) = app
        .db
        .read(async |c| {
            let person = detail::of(c, admin, id.into()).await?;
            let colleagues = detail::of_facility(c, admin, person.facility_id.into()).await?;
            Ok((admin.frame(app, c).await?, person, colleagues))
        })
        .await?;
    let usable = matches!(person.state, StaffState::Granted | StaffState::Active);
    let form = back.typed.unwrap_or_else(|| Typed::of(&person));
    // The office's people run the office; elsewhere it is the manager.
    let of_office = colleagues.iter().any(|d| d.role == Role::Secretariat);
    let runs = if of_office { ("secretariat", "事務局") } else { ("facility_manager", "管理者") };
    let mut successors = choices(&[("", "選んでください")], &back.last.successor);
    successors.extend(
        colleagues
            .iter()
            .filter(|d| d.id != id && matches!(d.state, StaffState::Granted | StaffState::Active))
            .map(|d| Choice {
                value: d.id.to_string(),
                label: format!("{}（{}）", d.name, language::profession(d.profession)),
                chosen: d.id.to_string() == back.last.successor,
            }),
    );
    let at = |field: &str| back.problem.as_ref().is_some_and(|(_, blame)| *blame == field);
    let trouble = back.problem.as_ref().map_or_else(Trouble::none, |(p, blame)| trouble(p, &frame, blame));
    Ok(PersonPage {
        trouble,
        done: match done {
            "changed" => "変更しました。",
            "left" => "退職の手続きをしました。サインインは終了し、このIDは使えません。",
            "suspended" => "IDを一時停止しました。サインインは終了しました。",
            "resumed" => "IDの利用を再開しました。",
            _ => "",
        },
        state: language::staff_state(person.state),
        profession_label: language::profession(person.profession),
        created: language::day(person.created_at.0),
        left_on: person.left_on.as_deref().map(language::birthday).unwrap_or_default(),
        placeholder: person.mail_kind == MailKind::Placeholder,
        suspended_since: person.suspension.as_ref().map(|s| language::when(s.at.0)).unwrap_or_default(),
        own: admin.staff_id() == id.into(),
        left: person.state == StaffState::Left,
        usable,
        suspended: person.state == StaffState::Suspended,
        office: admin.secretariat().is_ok(),
        without_asking: admin.policy().suspend_without_consent,
        forwarding: admin.policy().forwarding_mail,
        unique: admin.policy().unique_mail,
        professions: choices(language::PROFESSIONS, &form.profession),
        roles: choices(&[("member", "一般"), runs], &form.role),
        successors,
        successor_hint: worded(
            "この人だけが担当者の支援チームがあるときに、担当者を引き継ぎます。",
            &frame.words,
        ),
        leaving_open: at("left_on") || at("successor"),
        suspending_open: at("reason"),
        first: FirstPasswordId::new(),
        last: back.last,
        why: Why { id: SuspensionId::new().to_string(), ..back.why },
        frame,
        person,
        form,
    })
}

/// What was just done.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Asked {
    done: String,
}

/// `GET /staff/{id}`.
pub async fn show(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<StaffId>,
    Query(asked): Query<Asked>,
) -> Result<Response, AppError> {
    portal::page(&page(&app, &admin, id, &asked.done, Back::default()).await?)
}

async fn answer(
    app: &App,
    admin: &FacilityAdmin,
    id: StaffId,
    outcome: Result<(), AppError>,
    done: &str,
    back: impl FnOnce(&Problem) -> Back,
) -> Result<Response, AppError> {
    match outcome {
        Ok(()) => Ok(local::see(&format!("/staff/{id}?done={done}"))),
        Err(e) => {
            let (status, problem) = shown(e)?;
            let filled = back(&problem);
            let back = Back { problem: filled.problem.map(|(_, blame)| (problem, blame)), ..filled };
            portal::html(status, &page(app, admin, id, "", back).await?)
        }
    }
}

fn blame(problem: &Problem, blame: &'static str) -> Option<(Problem, &'static str)> {
    Some((problem.clone(), blame))
}

/// `POST /staff/{id}`: the profile.
pub async fn change(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<StaffId>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = match (profession(&form.profession), from_word::<Role>(&form.role)) {
        (Some(profession), Ok(role)) => {
            let given = StaffChange {
                name: form.name.clone(),
                profession,
                role,
                mail: Some(form.mail.clone()),
                forwarding_mail: Some(form.forwarding_mail.clone()),
                may_export: form.may_export.is_some(),
            };
            change::change(&app, &admin, id.into(), &given).await
        }
        (None, _) => Err(AppError::field("profession")),
        (_, Err(_)) => Err(AppError::field("role")),
    };
    let back = |p: &Problem| {
        let at = if p.code == Code::ManagerNeeded { "role" } else { "name" };
        Back { typed: Some(form), problem: blame(p, at), ..Back::default() }
    };
    answer(&app, &admin, id, outcome, "changed", back).await
}

/// `POST /staff/{id}/first-password`: shows it, once.
pub async fn first_password(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<StaffId>,
    Fields(form): Fields<Request>,
) -> Result<Response, AppError> {
    let request = form.id.parse().unwrap_or_else(|_| FirstPasswordId::new());
    let given = change::first_password(&app, &admin, id.into(), request).await?;
    let (frame, person) = app
        .db
        .read(async |c| Ok((admin.frame(&app, c).await?, detail::of(c, &admin, id.into()).await?)))
        .await?;
    let page = AddedPage {
        frame,
        title: format!("{} さんの初回パスワードを発行しました", person.name),
        login_id: given.login_id,
        first_password: given.first_password,
        back: format!("/staff/{id}"),
    };
    portal::html(StatusCode::OK, &page)
}

/// `POST /staff/{id}/leaving`.
pub async fn leave(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<StaffId>,
    Fields(form): Fields<Last>,
) -> Result<Response, AppError> {
    let given = Leaving { left_on: form.left_on.clone(), successor: form.successor.parse::<StaffId>().ok() };
    let outcome = leaving::leave(&app, &admin, id.into(), &given).await;
    let back = |p: &Problem| {
        let successor = p.code == Code::LeadNeeded || p.field.as_deref() == Some("successor");
        let at = if successor { "successor" } else { "left_on" };
        Back { last: form, problem: blame(p, at), ..Back::default() }
    };
    answer(&app, &admin, id, outcome, "left", back).await
}

/// `POST /staff/{id}/suspension`.
pub async fn suspend(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<StaffId>,
    Fields(form): Fields<Why>,
) -> Result<Response, AppError> {
    let given = Suspending {
        id: form.id.parse().unwrap_or_else(|_| SuspensionId::new()),
        reason: form.reason.clone(),
        agreed: form.agreed.is_some(),
    };
    let outcome = suspending::suspend(&app, &office, id.into(), &given).await;
    let back = |p: &Problem| Back { why: form, problem: blame(p, "reason"), ..Back::default() };
    answer(&app, &office.facility_admin()?, id, outcome, "suspended", back).await
}

/// `POST /staff/{id}/resumption`.
pub async fn resume(
    State(app): State<App>,
    office: Secretariat,
    PathId(id): PathId<StaffId>,
) -> Result<Response, AppError> {
    suspending::resume(&app, &office, id.into()).await?;
    Ok(local::see(&format!("/staff/{id}?done=resumed")))
}
