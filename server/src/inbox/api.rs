//! The inbox as JSON.

use super::rules::Act;
use super::store;
use crate::access::SignedIn;
use crate::error::AppError;
use crate::input::PathId;
use crate::state::App;
use crate::{audit, clock};
use axum::Json;
use axum::extract::State;
use renraku_wire::{Inbox, InboxLine, InboxLineId};

/// The own facility's shared inbox (F14).
#[utoipa::path(get, path = "/v1/inbox", tag = "inbox", responses((status = 200, body = Inbox)))]
pub async fn list(State(app): State<App>, who: SignedIn) -> Result<Json<Inbox>, AppError> {
    let lines = app.db.read(async |c| store::list(c, &who, clock::now()).await).await?;
    let lines: Vec<InboxLine> = lines.into_iter().map(|l| l.wire).collect();
    let unclaimed = lines.iter().filter(|l| l.claimed_by.is_none() && l.done_at.is_none()).count();
    Ok(Json(Inbox { unclaimed: u32::try_from(unclaimed).unwrap_or(u32::MAX), lines }))
}

/// Claims a line. `state_conflict` names who has it.
#[utoipa::path(post, path = "/v1/inbox/{id}/claim", tag = "inbox", params(("id" = InboxLineId, Path)),
    responses((status = 200, body = InboxLine)))]
pub async fn claim(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<InboxLineId>,
) -> Result<Json<InboxLine>, AppError> {
    Ok(Json(act(&app, &who, id, Act::Claim).await?))
}

/// Gives a line back; a manager may for an absent colleague.
#[utoipa::path(delete, path = "/v1/inbox/{id}/claim", tag = "inbox", params(("id" = InboxLineId, Path)),
    responses((status = 200, body = InboxLine)))]
pub async fn give_back(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<InboxLineId>,
) -> Result<Json<InboxLine>, AppError> {
    Ok(Json(act(&app, &who, id, Act::GiveBack).await?))
}

/// Ticks a line off.
#[utoipa::path(post, path = "/v1/inbox/{id}/done", tag = "inbox", params(("id" = InboxLineId, Path)),
    responses((status = 200, body = InboxLine)))]
pub async fn finish(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<InboxLineId>,
) -> Result<Json<InboxLine>, AppError> {
    Ok(Json(act(&app, &who, id, Act::Finish).await?))
}

/// Does it and logs it.
///
/// # Errors
/// As [`store::act`].
pub async fn act(app: &App, who: &SignedIn, id: InboxLineId, act: Act) -> Result<InboxLine, AppError> {
    let now = clock::now();
    let verb = match act {
        Act::Claim => "inbox.claim",
        Act::GiveBack => "inbox.give_back",
        Act::Finish => "inbox.finish",
    };
    app.db
        .write(async |c| {
            let line = store::act(c, who, id.into(), act, now).await?;
            audit::record(c, who.actor(), verb, Some(id.into()), "").await?;
            Ok(line.wire)
        })
        .await
}
