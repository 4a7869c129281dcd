//! What lies over several rooms and belongs to none: a notice's target, seen by its recipient.

use crate::access::SignedIn;
use crate::error::AppError;
use crate::input::PathId;
use crate::notice;
use crate::portal::local;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::response::Response;
use renraku_wire::{Notice, NoticeId};

/// `GET /notices/{id}`: where a mail's link lands; it leads on to what the notice is about.
pub async fn landing(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<NoticeId>,
) -> Result<Response, AppError> {
    let found = app
        .db
        .read(async |c| notice::of_recipient(c, who.municipality_id(), who.staff_id(), id.into()).await)
        .await?;
    Ok(local::see(&match (found.patient_id, found.post_id) {
        (Some(patient), Some(post)) => format!("/patients/{patient}#post-{post}"),
        (Some(patient), None) => format!("/patients/{patient}"),
        (None, _) => "/".to_owned(),
    }))
}

/// Whom and what a notice is about, for its recipient alone.
#[utoipa::path(get, path = "/v1/notices/{id}", tag = "notice",
    params(("id" = NoticeId, Path)), responses((status = 200, body = Notice)))]
pub async fn notice(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<NoticeId>,
) -> Result<Json<Notice>, AppError> {
    let found = app
        .db
        .read(async |c| notice::of_recipient(c, who.municipality_id(), who.staff_id(), id.into()).await)
        .await?;
    Ok(Json(found))
}
