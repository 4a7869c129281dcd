//! The towns and a town's portal on the public host.

use super::store;
use crate::error::AppError;
use crate::portal::{self, Frame};
use crate::state::App;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;

struct Town {
    slug: String,
    name: String,
}

#[derive(Template)]
#[template(path = "municipality/towns.html")]
struct TownsPage {
    frame: Frame,
    towns: Vec<Town>,
}

/// `GET /`: the towns.
pub async fn towns(State(app): State<App>) -> Result<Response, AppError> {
    let towns = app.db.read(async |c| store::all(c).await).await?;
    let towns = towns.into_iter().map(|t| Town { slug: t.slug, name: t.name }).collect();
    portal::page(&TownsPage { frame: Frame::nameless(&app, "/"), towns })
}

#[derive(Template)]
#[template(path = "municipality/home.html")]
struct HomePage {
    frame: Frame,
    care_url: String,
    days: u32,
    map: bool,
}

/// `GET /{slug}`: everything that a town offers without a certificate.
pub async fn home(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    let town = app.db.read(async |c| store::by_slug(c, &slug).await).await?;
    portal::page(&HomePage {
        frame: Frame::of_slug(&app, &slug).await?,
        care_url: app.care_url.clone(),
        days: town.policy.approval_mail_days,
        map: town.policy.public_facility_map,
    })
}
