//! `/settings` on the care host: the policy as a form, and its history.

use super::changes::{Change, changes};
use super::form::{Group, Typed, blame};
use super::{rules, store};
use crate::access::{Filled, Secretariat};
use crate::clock;
use crate::error::AppError;
use crate::policy::{MunicipalityPolicy, PRESETS, preset};
use crate::portal::forms::{Choice, Trouble, choices, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::Code;
use serde::Deserialize;

/// Most versions that the history shows.
const MOST_VERSIONS: i64 = 100;

#[derive(Template)]
#[template(path = "municipality/settings.html")]
struct SettingsPage {
    frame: Frame,
    trouble: Trouble,
    version: i32,
    changed: String,
    changed_by: String,
    saved: bool,
    /// The name of the preset that fills the form.
    filled_with: Option<String>,
    presets: Vec<Choice>,
    groups: Vec<Group>,
}

/// What was just done, or which preset the form starts from.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Asked {
    preset: String,
    saved: Option<String>,
}

fn by(version: &store::Version) -> String {
    version.name.clone().unwrap_or_else(|| "運用担当（初期設定）".to_owned())
}

impl SettingsPage {
    fn new(frame: Frame, version: &store::Version, typed: &Typed) -> Self {
        Self {
            trouble: Trouble::none(),
            version: version.version,
            changed: language::when(version.changed_at),
            changed_by: by(version),
            saved: false,
            filled_with: None,
            presets: choices(PRESETS, ""),
            groups: typed.groups(&frame.words),
            frame,
        }
    }
}

/// `GET /settings`: the policy in force; or, to start from, a shipped preset with the town's own contact
/// data and agreements, which nothing keeps until it is saved.
pub async fn form(
    State(app): State<App>,
    office: Secretariat,
    Query(asked): Query<Asked>,
) -> Result<Response, AppError> {
    let (frame, current) =
        app.db.read(async |c| Ok((office.frame(&app, c).await?, store::current(c, &office).await?))).await?;
    let start = match asked.preset.as_str() {
        "" => None,
        name => Some(preset(name).ok_or(Code::NotFound)?),
    };
    let filled = start.map(|policy| MunicipalityPolicy {
        contact: current.policy.contact.clone(),
        wide_area_agreements: current.policy.wide_area_agreements.clone(),
        ..policy
    });
    let typed = Typed::of(filled.as_ref().unwrap_or(&current.policy))?;
    let mut page = SettingsPage::new(frame, &current, &typed);
    page.saved = asked.saved.is_some();
    page.filled_with =
        PRESETS.iter().find(|(name, _)| *name == asked.preset).map(|(_, label)| (*label).to_owned());
    page.presets = choices(PRESETS, &asked.preset);
    portal::page(&page)
}

/// `POST /settings`: saves a new version. A refused form comes back as it was typed.
pub async fn save(State(app): State<App>, Filled { who, form }: Filled) -> Result<Response, AppError> {
    let office = who.secretariat()?;
    let typed = Typed::sent(form.fields());
    let outcome = keep(&app, &office, form.get("version"), &typed).await;
    let Err(e) = outcome else { return Ok(local::see("/settings?saved=1")) };
    let (status, problem) = shown(e)?;
    let (frame, current) =
        app.db.read(async |c| Ok((office.frame(&app, c).await?, store::current(c, &office).await?))).await?;
    let mut page = SettingsPage::new(frame, &current, &typed);
    // Saving again must not undo what somebody else changed meanwhile: the form keeps its version.
    page.version = form.get("version").parse().unwrap_or_default();
    page.trouble = match problem.field.as_deref().and_then(|f| blame(f, &page.frame.words)) {
        Some((control, sentence)) => Trouble::own(&control, &sentence),
        None if problem.code == Code::StateConflict => Trouble::own(
            "",
            "編集している間に、ほかの人が設定を変えました。設定の画面を開き直し、変更の履歴を確認してから、もう一度変えてください。",
        ),
        None => Trouble::of(&problem, &page.frame.words, ""),
    };
    portal::html(status, &page)
}

async fn keep(app: &App, office: &Secretariat, version: &str, typed: &Typed) -> Result<(), AppError> {
    let replaces = version.parse().map_err(|_| AppError::from(Code::StateConflict))?;
    let new = rules::check(&typed.policy()?)?;
    let now = clock::now();
    app.db.write(async |c| store::change(c, office, replaces, &new, now).await.map(|_| ())).await
}

struct Line {
    version: i32,
    when: String,
    machine: String,
    by: String,
    changes: Vec<Change>,
}

#[derive(Template)]
#[template(path = "municipality/settings_history.html")]
struct HistoryPage {
    frame: Frame,
    versions: Vec<Line>,
}

/// `GET /settings/history`: each version with who, when and what changed.
pub async fn history(State(app): State<App>, office: Secretariat) -> Result<Response, AppError> {
    let (frame, all) = app
        .db
        .read(async |c| {
            Ok((office.frame(&app, c).await?, store::versions(c, &office, MOST_VERSIONS + 1).await?))
        })
        .await?;
    let mut versions = Vec::with_capacity(all.len());
    for (place, version) in all.iter().enumerate().take(usize::try_from(MOST_VERSIONS).unwrap_or(0)) {
        let changes = match all.get(place + 1) {
            Some(before) => changes(&before.policy, &version.policy, &frame.words)?,
            None => vec![],
        };
        versions.push(Line {
            version: version.version,
            when: language::when(version.changed_at),
            machine: language::machine(version.changed_at),
            by: by(version),
            changes,
        });
    }
    portal::html(StatusCode::OK, &HistoryPage { frame, versions })
}
