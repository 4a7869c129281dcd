//! The office's page beside the telephone (F62): what a short code of the login diagnosis means, and how a
//! device or a facility stands at this moment.

use super::finding::Finding;
use super::store::{self, Listed};
use super::ticket;
use crate::access::Secretariat;
use crate::clock;
use crate::db::prelude::*;
use crate::db::schema::{enrolment_ticket, facility, notice, ticket_letter};
use crate::db::sql::from_word;
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::policy::worded;
use crate::portal::{self, Frame, language};
use crate::run;
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use renraku_wire::{DeviceState, Words};
use serde::Deserialize;
use std::collections::HashMap;

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

/// A finding in the town's own words.
struct Told {
    short: &'static str,
    cause: String,
    sentence: String,
    office: String,
}

impl Told {
    fn of(finding: Finding, words: &Words) -> Self {
        Self {
            short: finding.short(),
            cause: worded(finding.cause(), words),
            sentence: worded(finding.sentence(), words),
            office: worded(finding.office(), words),
        }
    }
}

#[derive(Template)]
#[template(path = "device/explain.html")]
struct ExplainPage {
    frame: Frame,
    code: String,
    search: String,
    found: Option<Told>,
    all: Vec<(&'static str, String)>,
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
        found: Finding::parse(&typed.code).map(|f| Told::of(f, &office.policy().words)),
        code: typed.code,
        search: typed.search,
        all: Finding::ALL.iter().map(|f| (f.short(), worded(f.cause(), &office.policy().words))).collect(),
        facilities,
        devices: devices.into_iter().map(DeviceLine::from).collect(),
        cut,
    })
}

/// The facilities of this name, each with what became of its own last mail of No and password.
async fn found(c: &mut Conn, office: &Secretariat, search: &str) -> Result<Vec<FacilityLine>, AppError> {
    let town = office.municipality_id();
    let mut all: Vec<(Id, String, String)> = run!(
        c,
        load,
        facility::table.filter(facility::municipality_id.eq(town)).order(facility::name).select((
            facility::id,
            facility::name,
            facility::state
        ))
    )?;
    all.retain(|f| f.1.to_lowercase().contains(search));
    all.truncate(MOST + 1);
    type Row = (Id, (String, i32, i64, Option<i64>), (Option<i64>, i32, i64));
    let letters: Vec<Row> = run!(
        c,
        load,
        ticket_letter::table
            .inner_join(
                notice::table.on(notice::municipality_id
                    .eq(ticket_letter::municipality_id)
                    .and(notice::id.eq(ticket_letter::notice_id)))
            )
            .inner_join(
                enrolment_ticket::table.on(enrolment_ticket::municipality_id
                    .eq(ticket_letter::municipality_id)
                    .and(enrolment_ticket::number.eq(ticket_letter::number)))
            )
            .filter(ticket_letter::municipality_id.eq(town))
            .filter(ticket_letter::replaced_at.is_null())
            .filter(ticket_letter::facility_id.eq_any(all.iter().map(|f| f.0).collect::<Vec<_>>()))
            .select((
                ticket_letter::facility_id,
                (notice::state, notice::tries, notice::created_at, notice::done_at),
                (enrolment_ticket::used_at, enrolment_ticket::failed_count, enrolment_ticket::expires_at)
            ))
    )?;
    let letter = |(of, (state, tries, created_at, done_at), (used_at, failed_count, expires_at)): Row| {
        (of, Letter { state, tries, created_at, done_at, used_at, failed_count, expires_at })
    };
    let letters: HashMap<Id, Letter> = letters.into_iter().map(letter).collect();
    let now = clock::now();
    let line = |(id, name, state): (Id, String, String)| {
        let mail = letters.get(&id).map_or_else(|| "まだ送っていません".to_owned(), |l| l.told(now));
        Ok(FacilityLine { name, state: language::state(from_word(&state)?), mail })
    };
    all.into_iter().map(line).collect()
}

/// A mail of No and password, and its No.
struct Letter {
    state: String,
    tries: i32,
    created_at: i64,
    done_at: Option<i64>,
    used_at: Option<i64>,
    failed_count: i32,
    expires_at: i64,
}

impl Letter {
    /// What to say about it: a mail that left is of no use when its No is not.
    fn told(&self, now: i64) -> String {
        let queued = language::when(self.created_at);
        let done = language::when(self.done_at.unwrap_or(self.created_at));
        let mail = match self.state.as_str() {
            "sent" => format!("送信済み（{done}）"),
            "dead" => format!("送信できませんでした（{done}、R-111）"),
            _ => format!("送信待ち（{queued}から、{}回試行、R-111）", self.tries),
        };
        const ANEW: &str = "Noを発行し直し、電話か手渡しで伝えてください";
        if self.used_at.is_some() {
            format!("{mail}。このNoは使用済みです")
        } else if self.failed_count >= ticket::MAX_WRONG {
            format!("{mail}。パスワードの間違いが続いたため、このNoは使えません。{ANEW}")
        } else if self.expires_at < now {
            format!("{mail}。Noの期限が切れています。{ANEW}")
        } else if self.state == "dead" {
            format!("{mail}。{ANEW}")
        } else {
            mail
        }
    }
}
