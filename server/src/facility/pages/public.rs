//! The public host's pages about facilities: application, correction, the mail that did not come, the list.

use super::{ApplyPage, Typed};
use crate::error::AppError;
use crate::facility::store::record;
use crate::facility::{apply, map};
use crate::municipality;
use crate::portal::forms::{Fields, Trouble, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use renraku_wire::{Code, FacilityId, MapPosition, NoMailReport};
use serde::Deserialize;

async fn policy(app: &App, slug: &str) -> Result<crate::policy::MunicipalityPolicy, AppError> {
    Ok(app.db.read(async |c| municipality::store::by_slug(c, slug).await).await?.policy)
}

fn apply_page(frame: Frame, form: Typed) -> ApplyPage {
    let (action, back) = (format!("/{}/apply", frame.slug), format!("/{}", frame.slug));
    ApplyPage::new(frame, action, back, form)
}

#[derive(Template)]
#[template(path = "facility/closed.html")]
struct ClosedPage {
    frame: Frame,
    sentence: &'static str,
}

/// `GET /{slug}/apply`; during a trial it says that applications go by way of the office (F20).
pub async fn form(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    let frame = Frame::of_slug(&app, &slug).await?;
    if policy(&app, &slug).await?.trial_mode {
        return portal::page(&ClosedPage { frame, sentence: Code::TrialClosed.sentence() });
    }
    portal::page(&apply_page(frame, Typed::fresh()))
}

/// `POST /{slug}/apply`.
pub async fn apply(
    State(app): State<App>,
    Path(slug): Path<String>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = match form.request() {
        Ok(application) => apply::apply(&app, &slug, application).await,
        Err(e) => Err(e),
    };
    match outcome {
        Ok(_) => Ok(local::see(&format!("/{slug}/apply/done"))),
        Err(e) => {
            let (status, problem) = shown(e)?;
            let mut form = form;
            if problem.code == Code::IdConflict {
                form.id = FacilityId::new().to_string();
            }
            let mut page = apply_page(Frame::of_slug(&app, &slug).await?, form);
            page.trouble = Trouble::of(&problem, &page.frame.words, blame(problem.code));
            portal::html(status, &page)
        }
    }
}

pub(super) fn blame(code: Code) -> &'static str {
    if code == Code::FacilityOutside { "place" } else { "" }
}

#[derive(Template)]
#[template(path = "facility/applied.html")]
struct AppliedPage {
    frame: Frame,
    days: u32,
}

/// `GET /{slug}/apply/done`: promises the mail (F04).
pub async fn applied(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    let days = policy(&app, &slug).await?.approval_mail_days;
    portal::page(&AppliedPage { frame: Frame::of_slug(&app, &slug).await?, days })
}

fn correction_page(
    frame: Frame,
    token: &str,
    returned: &renraku_wire::ReturnedApplication,
    form: Typed,
) -> ApplyPage {
    let (action, back) = (format!("/{}/corrections/{token}", frame.slug), format!("/{}", frame.slug));
    let mut page = ApplyPage::new(frame, action, back, form);
    page.returned = Some((returned.reason.clone(), language::day(returned.expires_at.0)));
    page
}

/// `GET /{slug}/corrections/{token}`: the returned application, filled in.
pub async fn returned(
    State(app): State<App>,
    Path((slug, token)): Path<(String, String)>,
) -> Result<Response, AppError> {
    let returned = apply::returned(&app, &slug, &token).await?;
    let form = Typed::of(&returned.application);
    portal::page(&correction_page(Frame::of_slug(&app, &slug).await?, &token, &returned, form))
}

/// `POST /{slug}/corrections/{token}`.
pub async fn correct(
    State(app): State<App>,
    Path((slug, token)): Path<(String, String)>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = match form.request() {
        Ok(application) => apply::correct(&app, &slug, &token, application).await,
        Err(e) => Err(e),
    };
    match outcome {
        Ok(_) => Ok(local::see(&format!("/{slug}/apply/done"))),
        Err(e) => {
            let (status, problem) = shown(e)?;
            // A link that works no longer has no form to come back to.
            let returned = apply::returned(&app, &slug, &token).await?;
            let mut page = correction_page(Frame::of_slug(&app, &slug).await?, &token, &returned, form);
            page.trouble = Trouble::of(&problem, &page.frame.words, blame(problem.code));
            portal::html(status, &page)
        }
    }
}

/// A report as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Report {
    name: String,
    manager_mail: String,
}

#[derive(Template)]
#[template(path = "facility/no_mail.html")]
struct NoMailPage {
    frame: Frame,
    trouble: Trouble,
    form: Report,
    days: u32,
    told: bool,
}

/// `GET /{slug}/no-mail`: for a manager whom the mail did not reach (F04).
pub async fn no_mail_form(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    let days = policy(&app, &slug).await?.approval_mail_days;
    let frame = Frame::of_slug(&app, &slug).await?;
    let (trouble, form) = (Trouble::none(), Report::default());
    portal::page(&NoMailPage { frame, trouble, form, days, told: false })
}

/// `POST /{slug}/no-mail`: the same sentence whether or not there is such a facility.
pub async fn no_mail(
    State(app): State<App>,
    Path(slug): Path<String>,
    Fields(form): Fields<Report>,
) -> Result<Response, AppError> {
    let report = NoMailReport { name: form.name.clone(), manager_mail: form.manager_mail.clone() };
    let outcome = apply::no_mail(&app, &slug, &report).await;
    let days = policy(&app, &slug).await?.approval_mail_days;
    let frame = Frame::of_slug(&app, &slug).await?;
    match outcome {
        Ok(()) => portal::page(&NoMailPage { frame, trouble: Trouble::none(), form, days, told: true }),
        Err(e) => {
            let (status, problem) = shown(e)?;
            let trouble = Trouble::of(&problem, &frame.words, "");
            portal::html(status, &NoMailPage { frame, trouble, form, days, told: false })
        }
    }
}

struct Listed {
    number: usize,
    name: String,
    kind: &'static str,
    address: String,
    telephone: String,
    opening: String,
    links: Option<(String, String)>,
}

struct Pin {
    number: usize,
    name: String,
    x: String,
    y: String,
}

#[derive(Template)]
#[template(path = "facility/map.html")]
struct MapPage {
    frame: Frame,
    listed: Vec<Listed>,
    pins: Vec<Pin>,
    width: f64,
    height: f64,
}

/// A link that telephones open in their own map, and one for every browser.
fn links(at: MapPosition) -> (String, String) {
    let MapPosition { latitude, longitude } = at;
    let place = format!("{latitude:.6}/{longitude:.6}");
    (
        format!("geo:{latitude:.6},{longitude:.6}"),
        format!("https://www.openstreetmap.org/?mlat={latitude:.6}&mlon={longitude:.6}#map=17/{place}"),
    )
}

/// `GET /{slug}/facilities`: the facilities that wish to be listed, with an overview map (F16).
pub async fn listed(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    let found = app
        .db
        .read(async |c| {
            let town = municipality::store::by_slug(c, &slug).await?;
            if !town.policy.public_facility_map {
                return Err(Code::NotOffered.into());
            }
            record::listed(c, town.id).await
        })
        .await?;
    let placed: Vec<(usize, String, MapPosition)> = found
        .iter()
        .enumerate()
        .filter_map(|(i, f)| f.position.map(|p| (i + 1, f.name.clone(), p)))
        .collect();
    let places: Vec<MapPosition> = placed.iter().map(|(_, _, p)| *p).collect();
    let pins = placed
        .into_iter()
        .zip(map::project(&places))
        .map(|((number, name, _), (x, y))| Pin { number, name, x: format!("{x:.1}"), y: format!("{y:.1}") })
        .collect();
    let listed = found
        .into_iter()
        .enumerate()
        .map(|(i, f)| Listed {
            number: i + 1,
            name: f.name,
            kind: language::kind(f.kind),
            address: f.address,
            telephone: f.telephone,
            opening: f.opening,
            links: f.position.map(links),
        })
        .collect();
    let frame = Frame::of_slug(&app, &slug).await?;
    portal::page(&MapPage { frame, listed, pins, width: map::WIDTH, height: map::HEIGHT })
}
