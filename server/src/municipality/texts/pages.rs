//! `/portal-texts` on the care host: the office writes what the public portal says.

use super::api::today;
use super::rules::{self, Key, Standing};
use super::store;
use crate::access::{Filled, Secretariat};
use crate::clock;
use crate::error::AppError;
use crate::portal::forms::{Trouble, shown};
use crate::portal::upload::FieldsAndFile;
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use renraku_wire::{Code, PortalText, PortalTextChange, PortalTopic};
use serde::Deserialize;
use uuid::Uuid;

/// Most versions that a text's page shows.
const MOST_VERSIONS: i64 = 50;

struct Line {
    key: String,
    title: String,
    standing: &'static str,
    days: String,
    written: String,
}

impl Line {
    fn of(text: PortalText, today: &str, on_trial: bool) -> Self {
        let days = match (&text.publish_from, &text.publish_until) {
            (None, None) => String::new(),
            (from, until) => {
                format!("{}〜{}", from.as_deref().unwrap_or_default(), until.as_deref().unwrap_or_default())
            }
        };
        let standing = match rules::standing(&text, today) {
            Standing::Shown if text.topic == PortalTopic::Trial && !on_trial => "試行期間だけ表示",
            Standing::Shown => "表示中",
            Standing::Coming => "表示の前",
            Standing::Over => "表示の終わり",
            Standing::Withdrawn => "取り下げ",
        };
        let written = match text.changed_at {
            Some(at) => format!("第{}版　{}", text.version, language::when(at.0)),
            None => "最初の文章".to_owned(),
        };
        Self { key: text.key, title: text.title, standing, days, written }
    }
}

#[derive(Template)]
#[template(path = "municipality/texts.html")]
struct ListPage {
    frame: Frame,
    saved: bool,
    announcements: Vec<Line>,
    standing: Vec<Line>,
}

/// What was just done.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Done {
    saved: Option<String>,
}

/// `GET /portal-texts`.
pub async fn list(
    State(app): State<App>,
    office: Secretariat,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    let policy = office.policy();
    let (frame, all) = app
        .db
        .read(async |c| {
            let all = store::all(c, office.municipality_id(), &policy.words).await?;
            Ok((office.frame(&app, c).await?, all))
        })
        .await?;
    let today = today();
    let lines = |texts: Vec<PortalText>| {
        texts.into_iter().map(|text| Line::of(text, &today, policy.trial_mode)).collect()
    };
    let (announcements, standing): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|text| text.topic == PortalTopic::Announcement);
    portal::page(&ListPage {
        frame,
        saved: done.saved.is_some(),
        announcements: lines(announcements),
        standing: lines(standing),
    })
}

/// A text as typed.
struct Typed {
    key: String,
    version: String,
    title: String,
    body: String,
    publish_from: String,
    publish_until: String,
    withdrawn: bool,
}

impl Typed {
    fn of(text: PortalText) -> Self {
        Self {
            key: text.key,
            version: text.version.to_string(),
            title: text.title,
            body: text.body,
            publish_from: text.publish_from.unwrap_or_default(),
            publish_until: text.publish_until.unwrap_or_default(),
            withdrawn: text.withdrawn,
        }
    }

    fn fresh() -> Self {
        Self {
            key: Uuid::now_v7().to_string(),
            version: "0".to_owned(),
            title: String::new(),
            body: String::new(),
            publish_from: today(),
            publish_until: String::new(),
            withdrawn: false,
        }
    }

    fn sent(key: Key, form: &FieldsAndFile) -> Self {
        let get = |name: &str| form.get(name).to_owned();
        Self {
            key: key.name(),
            version: get("version"),
            title: get("title"),
            body: get("body"),
            publish_from: get("publish_from"),
            publish_until: get("publish_until"),
            withdrawn: form.get("withdrawn") == "true",
        }
    }

    fn change(&self) -> Result<PortalTextChange, AppError> {
        rules::check(&PortalTextChange {
            version: self.version.parse().map_err(|_| AppError::from(Code::StateConflict))?,
            title: self.title.clone(),
            body: self.body.clone(),
            publish_from: Some(self.publish_from.clone()),
            publish_until: Some(self.publish_until.clone()),
            withdrawn: self.withdrawn,
        })
    }
}

struct Earlier {
    version: u32,
    when: String,
    by: String,
    title: String,
    body: String,
    days: String,
}

impl From<store::Version> for Earlier {
    fn from(v: store::Version) -> Self {
        let at = v.text.changed_at.map_or(0, |at| at.0);
        let line = Line::of(v.text.clone(), "", true);
        let days = if v.text.withdrawn { "取り下げ".to_owned() } else { line.days };
        Self {
            version: v.text.version,
            when: language::when(at),
            by: v.name,
            title: v.text.title,
            body: v.text.body,
            days,
        }
    }
}

#[derive(Template)]
#[template(path = "municipality/text.html")]
struct TextPage {
    frame: Frame,
    trouble: Trouble,
    form: Typed,
    announcement: bool,
    earlier: Vec<Earlier>,
}

impl TextPage {
    async fn new(app: &App, office: &Secretariat, key: Option<Key>, form: Typed) -> Result<Self, AppError> {
        let (frame, earlier) = app
            .db
            .read(async |c| {
                let earlier = match key {
                    Some(key) => store::versions(c, office, key, MOST_VERSIONS).await?,
                    None => vec![],
                };
                Ok((office.frame(app, c).await?, earlier))
            })
            .await?;
        Ok(Self {
            frame,
            trouble: Trouble::none(),
            form,
            announcement: key.is_none_or(|key| key.topic() == PortalTopic::Announcement),
            earlier: earlier.into_iter().map(Earlier::from).collect(),
        })
    }
}

/// `GET /portal-texts/new`: a new announcement.
pub async fn fresh(State(app): State<App>, office: Secretariat) -> Result<Response, AppError> {
    portal::page(&TextPage::new(&app, &office, None, Typed::fresh()).await?)
}

/// `GET /portal-texts/{key}`: a text and its earlier versions.
pub async fn form(
    State(app): State<App>,
    office: Secretariat,
    Path(key): Path<String>,
) -> Result<Response, AppError> {
    let key = Key::parse(&key).ok_or(Code::NotFound)?;
    let text = app.db.read(async |c| store::current(c, &office, key).await).await?;
    portal::page(&TextPage::new(&app, &office, Some(key), Typed::of(text)).await?)
}

/// `POST /portal-texts/{key}`: writes the next version. A refused form comes back as it was typed.
pub async fn save(
    State(app): State<App>,
    Path(key): Path<String>,
    Filled { who, form }: Filled,
) -> Result<Response, AppError> {
    let key = Key::parse(&key).ok_or(Code::NotFound)?;
    let office = who.secretariat()?;
    let typed = Typed::sent(key, &form);
    let Err(e) = keep(&app, &office, key, &typed).await else {
        return Ok(local::see("/portal-texts?saved=1"));
    };
    let (status, problem) = shown(e)?;
    let mut page = TextPage::new(&app, &office, Some(key), typed).await?;
    page.trouble = match (problem.field.as_deref(), problem.code) {
        (Some("title"), _) => Trouble::own("title", "題名を1行、200文字までで入力してください。"),
        (Some("body"), _) => Trouble::own("body", "文章を4,000文字までで入力してください。"),
        (Some("publish_from"), _) => Trouble::own("publish_from", "表示を始める日を確認してください。"),
        (Some("publish_until"), _) => {
            Trouble::own("publish_until", "表示を終える日を、始める日より後の日にしてください。")
        }
        (_, Code::StateConflict) => Trouble::own(
            "",
            "編集している間に、ほかの人がこの文章を変えました。一覧から開き直して、もう一度書いてください。",
        ),
        _ => Trouble::of(&problem, &page.frame.words, ""),
    };
    portal::html(status, &page)
}

async fn keep(app: &App, office: &Secretariat, key: Key, typed: &Typed) -> Result<(), AppError> {
    let new = typed.change()?;
    let now = clock::now();
    app.db.write(async |c| store::change(c, office, key, &new, now).await.map(|_| ())).await
}
