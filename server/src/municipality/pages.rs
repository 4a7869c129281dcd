//! The towns and a town's portal on the public host.

use super::store;
use super::texts::api::today;
use super::texts::rules::{self, Block};
use super::texts::store as texts;
use crate::error::AppError;
use crate::policy::WideAreaAgreement;
use crate::portal::{self, Frame, code, language};
use crate::state::App;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use renraku_wire::{PortalText, PortalTopic};

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

/// A text as the public reads it.
struct Text {
    key: String,
    title: String,
    blocks: Vec<Block>,
    /// Its day or its version.
    issue: String,
    /// Above the list of agreements.
    wide_area: bool,
}

impl From<PortalText> for Text {
    fn from(text: PortalText) -> Self {
        let written = text.changed_at.map(|at| language::day(at.0));
        let issue = match (text.topic, &text.publish_from, written) {
            (PortalTopic::Announcement, Some(from), _) => language::birthday(from),
            (PortalTopic::Announcement, None, written) => written.unwrap_or_default(),
            (_, _, Some(written)) => format!("第{}版　{written}", text.version),
            (_, _, None) => String::new(),
        };
        Self {
            blocks: rules::blocks(&text.body),
            wide_area: text.topic == PortalTopic::WideArea,
            key: text.key,
            title: text.title,
            issue,
        }
    }
}

/// What the portal says today: announcements, the text about the trial, and the standing texts.
struct Said {
    announcements: Vec<Text>,
    trial: Option<Text>,
    standing: Vec<Text>,
}

async fn said(app: &App, town: &store::Municipality) -> Result<Said, AppError> {
    let all = app.db.read(async |c| texts::all(c, town.id, &town.policy.words).await).await?;
    let mut said = Said { announcements: vec![], trial: None, standing: vec![] };
    for text in rules::shown(all, &today(), town.policy.trial_mode) {
        match text.topic {
            PortalTopic::Announcement => said.announcements.push(text.into()),
            PortalTopic::Trial => said.trial = Some(text.into()),
            _ => said.standing.push(text.into()),
        }
    }
    Ok(said)
}

#[derive(Template)]
#[template(path = "municipality/home.html")]
struct HomePage {
    frame: Frame,
    care_url: String,
    days: u32,
    on_trial: bool,
    trial: Option<Text>,
    announcements: Vec<Text>,
    standing: Vec<Text>,
    address: String,
    code: String,
    map: bool,
}

/// `GET /{slug}`: everything that a town offers without a certificate, and its address as a 2-D code (F01).
pub async fn home(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    let town = app.db.read(async |c| store::by_slug(c, &slug).await).await?;
    let frame = Frame::of_slug(&app, &slug).await?;
    let said = said(&app, &town).await?;
    let address = frame.portal();
    portal::page(&HomePage {
        frame,
        care_url: app.care_url.clone(),
        days: town.policy.approval_mail_days,
        on_trial: town.policy.trial_mode,
        trial: said.trial,
        announcements: said.announcements,
        standing: said.standing,
        code: code::svg(&address)?,
        address,
        map: town.policy.public_facility_map,
    })
}

struct Agreement {
    partner: String,
    days: String,
}

/// Agreements that are in force or still to come (F21).
fn agreements(all: &[WideAreaAgreement], today: &str) -> Vec<Agreement> {
    all.iter()
        .filter(|one| one.until.as_deref().is_none_or(|until| today <= until))
        .map(|one| {
            let until = one.until.as_deref().map(language::birthday).unwrap_or_default();
            Agreement {
                partner: one.partner.clone(),
                days: format!("{}〜{until}", language::birthday(&one.since)),
            }
        })
        .collect()
}

#[derive(Template)]
#[template(path = "municipality/guide.html")]
struct GuidePage {
    frame: Frame,
    texts: Vec<Text>,
    agreements: Vec<Agreement>,
}

/// `GET /{slug}/guide`: terms, agreements, legal basis and rules, on one page to print (F21, F22, F58,
/// F65–F68).
pub async fn guide(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    let town = app.db.read(async |c| store::by_slug(c, &slug).await).await?;
    let said = said(&app, &town).await?;
    portal::page(&GuidePage {
        frame: Frame::of_slug(&app, &slug).await?,
        texts: said.trial.into_iter().chain(said.standing).collect(),
        agreements: agreements(&town.policy.wide_area_agreements, &today()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreements_are_listed_until_their_last_day() {
        let one = |until: Option<&str>| WideAreaAgreement {
            partner: "架空市".into(),
            since: "2024-09-01".into(),
            until: until.map(Into::into),
        };
        let all = [one(None), one(Some("2026-03-31"))];
        assert_eq!(agreements(&all, "2026-03-31").len(), 2);
        let left = agreements(&all, "2026-04-01");
        assert_eq!((left.len(), left[0].days.as_str()), (1, "2024年9月1日〜"));
    }
}
