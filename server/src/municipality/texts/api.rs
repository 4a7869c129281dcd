//! The portal's texts as JSON.

use super::rules::{self, Key};
use super::store;
use crate::access::Secretariat;
use crate::clock;
use crate::error::AppError;
use crate::input::Body;
use crate::municipality;
use crate::state::App;
use axum::Json;
use axum::extract::{Path, State};
use renraku_wire::{Code, PortalText, PortalTextChange};

/// What the town's portal says today (public host, F60).
#[utoipa::path(get, path = "/v1/municipalities/{slug}/texts", tag = "public",
    params(("slug" = String, Path)), responses((status = 200, body = [PortalText])))]
pub async fn published(
    State(app): State<App>,
    Path(slug): Path<String>,
) -> Result<Json<Vec<PortalText>>, AppError> {
    let town = app.db.read(async |c| municipality::store::by_slug(c, &slug).await).await?;
    let texts = app.db.read(async |c| store::all(c, town.id, &town.policy.words).await).await?;
    Ok(Json(rules::shown(texts, &today(), town.policy.trial_mode)))
}

/// Today in Japan, `YYYY-MM-DD`.
pub(in crate::municipality) fn today() -> String {
    clock::japan(clock::now()).date().to_string()
}

/// Every text as it stands, those that are not shown today too, for the office.
#[utoipa::path(get, path = "/v1/portal/texts", tag = "municipality",
    responses((status = 200, body = [PortalText])))]
pub async fn list(State(app): State<App>, office: Secretariat) -> Result<Json<Vec<PortalText>>, AppError> {
    let words = &office.policy().words;
    Ok(Json(app.db.read(async |c| store::all(c, office.municipality_id(), words).await).await?))
}

/// Writes the next version of a text: `key` is a topic's word or an announcement's own UUID. The same
/// change twice is one change. Refused: `field_invalid` with the field, `state_conflict` when another
/// version stands by now, `not_found` for a key that is neither.
#[utoipa::path(put, path = "/v1/portal/texts/{key}", tag = "municipality",
    params(("key" = String, Path)), request_body = PortalTextChange,
    responses((status = 200, body = PortalText)))]
pub async fn put(
    State(app): State<App>,
    office: Secretariat,
    Path(key): Path<String>,
    Body(body): Body<PortalTextChange>,
) -> Result<Json<PortalText>, AppError> {
    let key = Key::parse(&key).ok_or(Code::NotFound)?;
    let new = rules::check(&body)?;
    let now = clock::now();
    Ok(Json(app.db.write(async |c| store::change(c, &office, key, &new, now).await).await?))
}
