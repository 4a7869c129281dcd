//! The review as a page: everybody and everything with a choice, signed at the end.

use super::{api, store};
use crate::access::{FacilityAdmin, Secretariat};
use crate::clock;
use crate::db::sql::{from_word, word};
use crate::error::AppError;
use crate::portal::forms::{Choice, Fields, Trouble, choices, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use renraku_wire::{AccessReview, DeviceVerdict, NewAccessReview, ReviewId, Role, StaffVerdict, Verdict};
use serde::Deserialize;
use std::collections::HashMap;

const VERDICTS: &[(&str, &str)] = &[
    ("", "選んでください"),
    ("unchanged", "変更なし"),
    ("change_needed", "変更が必要"),
    ("leave", "やめる・退職"),
];

const THINGS: &[(&str, &str)] = &[
    ("", "選んでください"),
    ("unchanged", "使っている"),
    ("change_needed", "変更が必要"),
    ("leave", "使わない・紛失"),
];

struct Line {
    control: String,
    name: String,
    facts: String,
    last: Option<&'static str>,
    choices: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "review/review.html")]
struct ReviewPage {
    frame: Frame,
    trouble: Trouble,
    done: bool,
    office: bool,
    id: String,
    due: String,
    overdue: bool,
    signed: Option<String>,
    staff: Vec<Line>,
    devices: Vec<Line>,
}

fn label(of: &'static [(&str, &str)], verdict: Verdict) -> &'static str {
    let word = word(&verdict);
    of.iter().find(|(w, _)| *w == word).map_or("", |(_, label)| label)
}

impl ReviewPage {
    async fn new(
        app: &App,
        admin: &FacilityAdmin,
        typed: &HashMap<String, String>,
    ) -> Result<Self, AppError> {
        let now = clock::now();
        let (frame, review): (Frame, AccessReview) = app
            .db
            .read(async |c| Ok((admin.frame(app, c).await?, store::current(c, admin, now).await?)))
            .await?;
        let chosen = |control: &str| typed.get(control).map_or("", String::as_str);
        let staff = review.staff.into_iter().map(|s| {
            let control = format!("staff-{}", s.staff_id);
            let role = match s.role {
                Role::FacilityManager => "管理者",
                Role::Secretariat => "事務局",
                Role::Member | Role::Unknown => "一般",
            };
            Line {
                choices: choices(VERDICTS, chosen(&control)),
                control,
                name: s.name,
                facts: format!(
                    "ユーザーID {}　権限 {role}{}",
                    s.login_id,
                    if s.may_export { "・印刷と書き出し" } else { "" }
                ),
                last: s.last.map(|v| label(VERDICTS, v)),
            }
        });
        let devices = review.devices.into_iter().map(|d| {
            let control = format!("device-{}", d.device_id);
            let seen = d.last_seen_at.map_or_else(|| "まだありません".to_owned(), |t| language::when(t.0));
            Line {
                choices: choices(THINGS, chosen(&control)),
                control,
                name: d.name,
                facts: format!("最後の通信 {seen}"),
                last: d.last.map(|v| label(THINGS, v)),
            }
        });
        let signed = review.signed_at.zip(review.signed_by);
        Ok(Self {
            frame,
            trouble: Trouble::none(),
            done: false,
            office: admin.secretariat().is_ok(),
            id: typed.get("id").cloned().unwrap_or_else(|| ReviewId::new().to_string()),
            due: language::day(review.due_at.0),
            overdue: now >= review.due_at.0,
            signed: signed.map(|(at, name)| format!("{}（{name}さん）", language::day(at.0))),
            staff: staff.collect(),
            devices: devices.collect(),
        })
    }
}

/// What was just done.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Done {
    done: String,
}

/// `GET /review`.
pub async fn review(
    State(app): State<App>,
    admin: FacilityAdmin,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    let page = ReviewPage::new(&app, &admin, &HashMap::new()).await?;
    portal::page(&ReviewPage { done: !done.done.is_empty(), ..page })
}

/// `POST /review`: the choices are fields named after account or device.
pub async fn sign(
    State(app): State<App>,
    admin: FacilityAdmin,
    Fields(form): Fields<HashMap<String, String>>,
) -> Result<Response, AppError> {
    let mut page = ReviewPage::new(&app, &admin, &form).await?;
    let open = page
        .staff
        .iter()
        .chain(&page.devices)
        .find(|l| !l.choices.iter().any(|c| c.chosen && !c.value.is_empty()));
    if let Some(line) = open {
        page.trouble =
            Trouble::own(&line.control, &format!("「{}」の確認の結果を選んでください。", line.name));
        return portal::html(axum::http::StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    match api::sign(&app, &admin, &request(&form)).await {
        Ok(_) => Ok(local::see("/review?done=1")),
        Err(e) => {
            let (status, problem) = shown(e)?;
            page.trouble = match problem.field.as_deref() {
                Some("staff" | "devices") => Trouble::own(
                    "",
                    "この画面を開いている間に登録が変わりました。もう一度確認して送信してください。",
                ),
                _ => Trouble::of(&problem, &page.frame.words, ""),
            };
            portal::html(status, &page)
        }
    }
}

/// The review that a form stands for. Fields that are no choice are left out; the rule on wholeness then
/// refuses what is missing.
fn request(form: &HashMap<String, String>) -> NewAccessReview {
    let id = form.get("id").and_then(|id| id.parse().ok()).unwrap_or_else(ReviewId::new);
    let mut review = NewAccessReview { id, staff: vec![], devices: vec![] };
    for (control, value) in form {
        let Ok(verdict) = from_word(value) else { continue };
        if let Some(staff_id) = control.strip_prefix("staff-").and_then(|id| id.parse().ok()) {
            review.staff.push(StaffVerdict { staff_id, verdict });
        } else if let Some(device_id) = control.strip_prefix("device-").and_then(|id| id.parse().ok()) {
            review.devices.push(DeviceVerdict { device_id, verdict });
        }
    }
    // The same form in another order is the same review.
    review.staff.sort_by_key(|s| s.staff_id);
    review.devices.sort_by_key(|d| d.device_id);
    review
}

struct Row {
    name: String,
    signed: String,
    due: String,
    overdue: bool,
}

#[derive(Template)]
#[template(path = "review/overview.html")]
struct OverviewPage {
    frame: Frame,
    late: usize,
    rows: Vec<Row>,
}

/// `GET /review/overview`.
pub async fn overview(State(app): State<App>, office: Secretariat) -> Result<Response, AppError> {
    let (frame, lines) = app
        .db
        .read(async |c| Ok((office.frame(&app, c).await?, store::overview(c, &office, clock::now()).await?)))
        .await?;
    portal::page(&OverviewPage {
        frame,
        late: lines.iter().filter(|l| l.overdue).count(),
        rows: lines
            .into_iter()
            .map(|l| Row {
                name: l.facility_name,
                signed: l.signed_at.map_or_else(|| "まだありません".to_owned(), |t| language::day(t.0)),
                due: language::day(l.due_at.0),
                overdue: l.overdue,
            })
            .collect(),
    })
}
