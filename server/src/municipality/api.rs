//! `GET /v1/municipalities/{slug}` on the public host.

use super::store;
use crate::error::AppError;
use crate::state::App;
use axum::Json;
use axum::extract::{Path, State};
use renraku_wire::MunicipalityInfo;

/// What a device needs to know of a town before it enrols.
#[utoipa::path(get, path = "/v1/municipalities/{slug}", tag = "public",
    params(("slug" = String, Path)), responses((status = 200, body = MunicipalityInfo)))]
pub async fn info(
    State(app): State<App>,
    Path(slug): Path<String>,
) -> Result<Json<MunicipalityInfo>, AppError> {
    let town = app.db.read(async |c| store::by_slug(c, &slug).await).await?;
    Ok(Json(MunicipalityInfo {
        id: town.id.into(),
        slug: town.slug,
        name: town.name,
        care_url: app.care_url.clone(),
        words: town.policy.words.clone(),
        contact: town.policy.contact.clone(),
        device_policy: town.policy.for_devices(),
    }))
}
