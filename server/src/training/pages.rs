//! The training to read and declare done, and who is due.

use super::{api, rules, store};
use crate::access::{FacilityAdmin, SignedIn};
use crate::clock;
use crate::error::AppError;
use crate::portal::forms::{Fields, Trouble, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{NewTraining, TrainingId, TrainingSection};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "training/training.html")]
struct TrainingPage {
    frame: Frame,
    trouble: Trouble,
    done: bool,
    admin: bool,
    id: String,
    version: String,
    due: Option<String>,
    overdue: bool,
    completed: Option<String>,
    sections: Vec<TrainingSection>,
}

impl TrainingPage {
    async fn new(app: &App, who: &SignedIn) -> Result<Self, AppError> {
        let (frame, status) =
            app.db.read(async |c| Ok((who.frame(app, c).await?, store::status(c, who).await?))).await?;
        Ok(Self {
            frame,
            trouble: Trouble::none(),
            done: false,
            admin: who.facility_admin().is_ok(),
            id: TrainingId::new().to_string(),
            version: status.material_version,
            due: status.due_at.map(|t| language::day(t.0)),
            overdue: status.due_at.is_some_and(|t| rules::overdue(t.0, clock::now())),
            completed: status.completed_at.map(|t| language::day(t.0)),
            sections: status.material,
        })
    }
}

/// What was just done.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Done {
    done: String,
}

/// `GET /training`.
pub async fn training(
    State(app): State<App>,
    who: SignedIn,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    portal::page(&TrainingPage { done: !done.done.is_empty(), ..TrainingPage::new(&app, &who).await? })
}

/// The declaration as sent.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Typed {
    id: String,
    version: String,
    understood: String,
}

/// `POST /training`.
pub async fn complete(
    State(app): State<App>,
    who: SignedIn,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let id = form.id.parse().unwrap_or_else(|_| TrainingId::new());
    if form.understood.is_empty() {
        let mut page = TrainingPage::new(&app, &who).await?;
        page.trouble =
            Trouble::own("understood", "読んで理解したら、「読んで理解しました」に印を付けてください。");
        page.id = id.to_string();
        return portal::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let new = NewTraining { id, material_version: form.version };
    match api::complete(&app, &who, &new).await {
        Ok(_) => Ok(local::see("/training?done=1")),
        Err(e) => {
            let (status, problem) = shown(e)?;
            let mut page = TrainingPage::new(&app, &who).await?;
            page.trouble = match problem.field.as_deref() {
                Some("material_version") => {
                    Trouble::own("understood", "研修の内容が新しくなりました。もう一度読んでください。")
                }
                _ => Trouble::of(&problem, &page.frame.words, ""),
            };
            portal::html(status, &page)
        }
    }
}

struct Line {
    name: String,
    facility: String,
    completed: String,
    due: String,
    overdue: bool,
}

#[derive(Template)]
#[template(path = "training/overview.html")]
struct OverviewPage {
    frame: Frame,
    asked: bool,
    late: usize,
    lines: Vec<Line>,
}

/// `GET /training/overview`.
pub async fn overview(State(app): State<App>, admin: FacilityAdmin) -> Result<Response, AppError> {
    let (frame, lines) = app
        .db
        .read(async |c| Ok((admin.frame(&app, c).await?, store::overview(c, &admin, clock::now()).await?)))
        .await?;
    portal::page(&OverviewPage {
        frame,
        asked: admin.policy().yearly_training,
        late: lines.iter().filter(|l| l.overdue).count(),
        lines: lines
            .into_iter()
            .map(|l| Line {
                name: l.name,
                facility: l.facility_name,
                completed: l.completed_at.map_or_else(|| "まだありません".to_owned(), |t| language::day(t.0)),
                due: language::day(l.due_at.0),
                overdue: l.overdue,
            })
            .collect(),
    })
}
