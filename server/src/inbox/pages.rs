//! The inbox as a page.

use super::api;
use super::rules::Act;
use super::store;
use crate::access::SignedIn;
use crate::clock;
use crate::error::AppError;
use crate::input::PathId;
use crate::policy::worded;
use crate::portal::forms::{Trouble, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{InboxLineId, Role, StaffId, Words};
use serde::Deserialize;

struct Line {
    id: String,
    text: String,
    path: String,
    to: String,
    when: String,
    holder: Option<String>,
    mine: bool,
    may_give_back: bool,
    done_at: Option<String>,
}

impl Line {
    fn of(line: store::Line, me: StaffId, manager: bool, words: &Words) -> Self {
        let wire = line.wire;
        let mine = wire.claimed_by == Some(me);
        Self {
            id: wire.id.to_string(),
            text: worded(wire.kind.line(), words),
            path: line.path,
            to: wire.staff_name,
            when: language::when(wire.created_at.0),
            mine,
            may_give_back: wire.claimed_by.is_some() && (mine || manager),
            holder: wire.claimed_by_name,
            done_at: wire.done_at.map(|t| language::when(t.0)),
        }
    }
}

#[derive(Template)]
#[template(path = "inbox/list.html")]
struct ListPage {
    frame: Frame,
    facility: String,
    manager: bool,
    trouble: Trouble,
    done: &'static str,
    open: Vec<Line>,
    finished: Vec<Line>,
}

impl ListPage {
    async fn new(app: &App, who: &SignedIn) -> Result<Self, AppError> {
        let (frame, lines) = app
            .db
            .read(async |c| Ok((who.frame(app, c).await?, store::list(c, who, clock::now()).await?)))
            .await?;
        let manager = matches!(who.role(), Role::FacilityManager | Role::Secretariat);
        let me = who.staff_id().into();
        let (finished, open) = lines
            .into_iter()
            .map(|l| Line::of(l, me, manager, &frame.words))
            .partition(|l| l.done_at.is_some());
        let facility = frame.person.as_ref().map(|p| p.facility.clone()).unwrap_or_default();
        Ok(Self { frame, facility, manager, trouble: Trouble::none(), done: "", open, finished })
    }
}

/// What was just done.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Done {
    done: String,
}

/// `GET /inbox`.
pub async fn list(
    State(app): State<App>,
    who: SignedIn,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    let done = match done.done.as_str() {
        "claim" => "受け取りました。対応したら「済みにする」を押してください。",
        "back" => "受け取りを取り消しました。",
        "finish" => "済みにしました。",
        _ => "",
    };
    portal::page(&ListPage { done, ..ListPage::new(&app, &who).await? })
}

/// `POST /inbox/{id}/claim`.
pub async fn claim(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<InboxLineId>,
) -> Result<Response, AppError> {
    act(&app, &who, id, Act::Claim, "claim").await
}

/// `POST /inbox/{id}/return`.
pub async fn give_back(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<InboxLineId>,
) -> Result<Response, AppError> {
    act(&app, &who, id, Act::GiveBack, "back").await
}

/// `POST /inbox/{id}/done`.
pub async fn finish(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<InboxLineId>,
) -> Result<Response, AppError> {
    act(&app, &who, id, Act::Finish, "finish").await
}

async fn act(app: &App, who: &SignedIn, id: InboxLineId, act: Act, done: &str) -> Result<Response, AppError> {
    match api::act(app, who, id, act).await {
        Ok(_) => Ok(local::see(&format!("/inbox?done={done}"))),
        Err(e) => {
            let (status, problem): (StatusCode, _) = shown(e)?;
            let mut page = ListPage::new(app, who).await?;
            page.trouble = Trouble::of(&problem, &page.frame.words, "");
            portal::html(status, &page)
        }
    }
}
