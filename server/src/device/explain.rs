//! The office's page beside the telephone (F62): what a short code of the login diagnosis means, and how a
//! device or a facility stands at this moment.

use super::finding::Finding;
use super::store::{self, Listed};
use crate::access::Secretariat;
use crate::clock;
use crate::db::prelude::*;
use crate::db::schema::{facility, notice};
use crate::db::sql::{from_word, word};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::portal::{self, Frame, language};
use crate::run;
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use renraku_wire::{DeviceState, NoticeKind};
use serde::Deserialize;

/// Lines shown at most; more than that is no answer on the telephone.
const MOST: usize = 30;

/// What was typed: a short code, and a serial number or a name.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    code: String,
    search: String,
}

struct DeviceLine {
    name: String,
    facility: String,
    serial: String,
    until: String,
    seen: String,
    state: &'static str,
    revoked: Option<String>,
}

impl From<Listed> for DeviceLine {
    fn from(listed: Listed) -> Self {
        let device = listed.device;
        Self {
            name: device.name,
            facility: listed.facility,
            serial: device.serial,
            until: language::day(device.not_after.0),
            seen: device.last_seen_at.map_or_else(|| "まだありません".to_owned(), |t| language::when(t.0)),
            state: match device.state {
                DeviceState::Valid => "有効（R-100）",
                DeviceState::Expiring => "有効・期限が近い（R-100）",
                DeviceState::Expired => "期限切れ（R-103）",
                DeviceState::Revoked => "失効済み（R-105・R-106）",
                DeviceState::Unknown => "不明",
            },
            revoked: device
                .revoked_at
                .map(|t| format!("{} {}", language::when(t.0), listed.revoke_reason.unwrap_or_default())),
        }
    }
}

struct FacilityLine {
    name: String,
    state: &'static str,
    mail: String,
}

#[derive(Template)]
#[template(path = "device/explain.html")]
struct ExplainPage {
    frame: Frame,
    code: String,
    search: String,
    found: Option<Finding>,
    all: &'static [Finding],
    facilities: Vec<FacilityLine>,
    devices: Vec<DeviceLine>,
    cut: bool,
}

/// `GET /devices/codes`.
pub async fn page(
    State(app): State<App>,
    office: Secretariat,
    Query(typed): Query<Typed>,
) -> Result<Response, AppError> {
    let search = typed.search.trim().to_lowercase();
    let admin = office.facility_admin()?;
    let (frame, mut facilities, mut devices) = app
        .db
        .read(async |c| {
            let frame = office.frame(&app, c).await?;
            if search.is_empty() {
                return Ok((frame, vec![], vec![]));
            }
            let mut devices = store::list(c, &admin, clock::now()).await?;
            devices.retain(|l| {
                [&l.device.serial, &l.device.name, &l.facility]
                    .iter()
                    .any(|text| text.to_lowercase().contains(&search))
            });
            Ok((frame, found(c, &office, &search).await?, devices))
        })
        .await?;
    let cut = facilities.len() > MOST || devices.len() > MOST;
    facilities.truncate(MOST);
    devices.truncate(MOST);
    portal::page(&ExplainPage {
        frame,
        found: Finding::parse(&typed.code),
        code: typed.code,
        search: typed.search,
        all: Finding::ALL,
        facilities,
        devices: devices.into_iter().map(DeviceLine::from).collect(),
        cut,
    })
}

/// The facilities of this name, with what became of their mail of No and password.
async fn found(c: &mut Conn, office: &Secretariat, search: &str) -> Result<Vec<FacilityLine>, AppError> {
    let town = office.municipality_id();
    let all: Vec<(Id, String, String, String)> = run!(
        c,
        load,
        facility::table.filter(facility::municipality_id.eq(town)).order(facility::name).select((
            facility::id,
            facility::name,
            facility::state,
            facility::manager_mail
        ))
    )?;
    let mut lines = Vec::new();
    for (_, name, state, address) in all.into_iter().filter(|f| f.1.to_lowercase().contains(search)) {
        if lines.len() > MOST {
            break;
        }
        let mail: Option<(String, i32, i64)> = run!(
            c,
            get_result,
            notice::table
                .filter(notice::municipality_id.eq(town))
                .filter(notice::kind.eq(word(&NoticeKind::FacilityApproved)))
                .filter(notice::target.eq(&address))
                .order(notice::created_at.desc())
                .limit(1)
                .select((notice::state, notice::tries, notice::created_at))
        )
        .optional()?;
        lines.push(FacilityLine { name, state: language::state(from_word(&state)?), mail: told(mail) });
    }
    Ok(lines)
}

fn told(mail: Option<(String, i32, i64)>) -> String {
    let Some((state, tries, at)) = mail else { return "まだ送っていません".to_owned() };
    let at = language::when(at);
    match state.as_str() {
        "sent" => format!("送信済み（{at}）"),
        "dead" => {
            format!("送信できませんでした（{at}、R-111）。Noを発行し直し、電話か手渡しで伝えてください")
        }
        _ => format!("送信待ち（{at}から、{tries}回試行、R-111）"),
    }
}
