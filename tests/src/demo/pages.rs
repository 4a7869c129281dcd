//! The demo's own two pages: where everything is, and what the town sent. No script, no style from elsewhere.

use super::sent::{Sent, SentLog};
use super::town::{SignIn, Town};
use crate::harness::Fakes;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use std::sync::{Arc, Mutex, PoisonError};

/// Most entries on the page of what was sent.
const SHOWN: usize = 200;

/// A PC's gateway.
#[derive(Clone, Debug)]
pub struct Door {
    /// The PC's key.
    pub key: String,
    /// The PC's name.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// Where everything is.
#[derive(Clone, Debug, Template)]
#[template(path = "demo/index.html")]
pub struct Index {
    /// The town.
    pub town: Town,
    /// The PCs.
    pub doors: Vec<Door>,
    /// The public host as a browser without a certificate reaches it.
    pub public: String,
    /// The real public host.
    pub public_host: String,
    /// The real care host.
    pub care_host: String,
}

impl Index {
    /// Those who sign in on a PC.
    #[must_use]
    pub fn people(&self, door: &Door) -> Vec<&SignIn> {
        self.town.sign_ins.iter().filter(|s| s.device == door.key).collect()
    }

    /// Address of the PC of that key.
    #[must_use]
    pub fn door(&self, key: &str) -> &str {
        self.doors.iter().find(|d| d.key == key).map_or("", |d| d.url.as_str())
    }
}

#[derive(Template)]
#[template(path = "demo/sent.html")]
struct SentPage {
    sent: Vec<Sent>,
    all: usize,
}

pub(crate) struct Site {
    pub(crate) index: Index,
    pub(crate) fakes: Arc<Fakes>,
    pub(crate) log: Mutex<SentLog>,
}

impl Site {
    /// What was sent so far, newest first.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).newest(&self.fakes)
    }
}

pub(crate) fn router(site: Arc<Site>) -> Router {
    Router::new().route("/", get(index)).route("/sent", get(sent)).fallback(elsewhere).with_state(site)
}

async fn index(State(site): State<Arc<Site>>) -> Response {
    shown(&site.index)
}

async fn sent(State(site): State<Arc<Site>>) -> Response {
    let mut sent = site.sent();
    let all = sent.len();
    sent.truncate(SHOWN);
    shown(&SentPage { sent, all })
}

/// A link to the care host from a page without a certificate: choose a PC first.
async fn elsewhere() -> Redirect {
    Redirect::to("/")
}

fn shown(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => ([(header::CACHE_CONTROL, "no-store")], Html(text)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
