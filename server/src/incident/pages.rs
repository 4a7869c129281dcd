//! Reporting an incident, and a report's timeline with the steps that the reader may take.

use super::words::{DUTIES, KINDS, duty, kind, state, step};
use super::{people, report, store};
use crate::access::SignedIn;
use crate::clock;
use crate::db::sql::{from_word, word};
use crate::error::AppError;
use crate::input::PathId;
use crate::portal::forms::{Choice, Fields, Trouble, choices, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use renraku_wire::{
    EntryId, Incident, IncidentEntry, IncidentId, IncidentStep, IncidentSummary, LegalDuty, NewIncident,
    NewIncidentEntry, Problem, Role, Timestamp, Words,
};
use serde::Deserialize;

struct Head {
    id: String,
    kind: &'static str,
    state: &'static str,
    facility: String,
    reporter: String,
    reporter_id: String,
    noticed: String,
    reported: String,
    prompt_due: Option<String>,
    final_due: Option<String>,
}

impl Head {
    fn of(s: IncidentSummary, manager: bool) -> Self {
        Self {
            id: s.id.to_string(),
            kind: kind(s.kind),
            state: state(s.state, manager),
            facility: s.facility_name,
            reporter: s.reporter_name,
            reporter_id: s.reporter_id.to_string(),
            noticed: language::when(s.noticed_at.0),
            reported: language::when(s.reported_at.0),
            prompt_due: s.prompt_due_at.map(|t| language::day(t.0)),
            final_due: s.final_due_at.map(|t| language::day(t.0)),
        }
    }
}

/// A report as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    id: String,
    kind: String,
    noticed_at: String,
    description: String,
    device: String,
}

#[derive(Template)]
#[template(path = "incident/list.html")]
struct ListPage {
    frame: Frame,
    trouble: Trouble,
    through_facility: bool,
    reports: Vec<Head>,
    kinds: Vec<Choice>,
    devices: Vec<Choice>,
    form: Typed,
}

impl ListPage {
    async fn new(app: &App, who: &SignedIn, form: Typed) -> Result<Self, AppError> {
        let (frame, reports, own) = app
            .db
            .read(async |c| {
                let frame = who.frame(app, c).await?;
                Ok((frame, store::list(c, who).await?, people::own_devices(c, who).await?))
            })
            .await?;
        let kinds: Vec<(String, &str)> = KINDS.iter().map(|k| (word(k), kind(*k))).collect();
        let mut kind_choices = choices(&[("", "選んでください")], &form.kind);
        kind_choices.extend(choices(
            &kinds.iter().map(|(value, label)| (value.as_str(), *label)).collect::<Vec<_>>(),
            &form.kind,
        ));
        let mut devices = choices(&[("", "関係する端末はない・わからない")], &form.device);
        devices.extend(own.into_iter().map(|(id, label)| {
            let value = id.to_string();
            Choice { chosen: value == form.device, value, label }
        }));
        Ok(Self {
            frame,
            trouble: Trouble::none(),
            through_facility: who.policy().incident_through_facility && who.role() == Role::Member,
            reports: reports.into_iter().map(|r| Head::of(r.summary, r.seats.manager)).collect(),
            kinds: kind_choices,
            devices,
            form,
        })
    }
}

/// `GET /incidents`.
pub async fn list(State(app): State<App>, who: SignedIn) -> Result<Response, AppError> {
    let now = clock::japan(clock::now()).strftime("%Y-%m-%dT%H:%M").to_string();
    let form = Typed { id: IncidentId::new().to_string(), noticed_at: now, ..Typed::default() };
    portal::page(&ListPage::new(&app, &who, form).await?)
}

/// An instant of Japan as a form sends it: `2026-11-22T10:30`.
fn instant(typed: &str) -> Option<Timestamp> {
    let at: jiff::civil::DateTime = typed.trim().parse().ok()?;
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
    at.to_zoned(zone).ok().map(|z| Timestamp(z.timestamp().as_millisecond()))
}

fn typed(form: &Typed) -> Result<NewIncident, AppError> {
    let kind = KINDS.iter().find(|k| word(*k) == form.kind).copied();
    let device_id = match form.device.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| AppError::field("device_id"))?),
    };
    Ok(NewIncident {
        id: form.id.parse().unwrap_or_else(|_| IncidentId::new()),
        kind: kind.ok_or_else(|| AppError::field("kind"))?,
        noticed_at: instant(&form.noticed_at).ok_or_else(|| AppError::field("noticed_at"))?,
        description: form.description.clone(),
        device_id,
    })
}

/// `POST /incidents`.
pub async fn create(
    State(app): State<App>,
    who: SignedIn,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let outcome = match typed(&form) {
        Ok(new) => report::report(&app, &who, &new).await,
        Err(e) => Err(e),
    };
    match outcome {
        Ok(incident) => Ok(local::see(&format!("/incidents/{}?done=1", incident.summary.id))),
        Err(e) => {
            let (status, problem) = shown(e)?;
            let mut page = ListPage::new(&app, &who, form).await?;
            page.trouble = trouble(&problem, &page.frame.words, "");
            portal::html(status, &page)
        }
    }
}

/// What to do about a refusal, at the control of these forms.
fn trouble(problem: &Problem, words: &Words, suffix: &str) -> Trouble {
    match problem.field.as_deref() {
        Some("kind") => Trouble::own("kind", "何があったかを一覧から選んでください。"),
        Some("noticed_at") => Trouble::own(
            "noticed_at",
            "気づいた日時を確認してください。今より前の、1年以内の日時を入力してください。",
        ),
        Some("description") => Trouble::own("description", "状況を入力してください（2,000文字まで）。"),
        Some("device_id") => Trouble::own("device", "端末を一覧から選んでください。"),
        Some("text") => Trouble::own(&format!("text-{suffix}"), "内容を入力してください（2,000文字まで）。"),
        Some("duty") => Trouble::own(&format!("duty-{suffix}"), "法令の報告が要るかを選んでください。"),
        _ => Trouble::of(problem, words, ""),
    }
}

struct Line {
    id: String,
    title: &'static str,
    author: String,
    when: String,
    text: String,
    duty: Option<&'static str>,
}

impl From<IncidentEntry> for Line {
    fn from(e: IncidentEntry) -> Self {
        Self {
            id: e.id.to_string(),
            title: step(e.step).0,
            author: e.author_name,
            when: language::when(e.at.0),
            text: e.text,
            duty: e.duty.map(duty),
        }
    }
}

/// The form of one step.
struct Step {
    word: String,
    entry_id: String,
    title: &'static str,
    button: &'static str,
    label: &'static str,
    text: String,
    open: bool,
    duties: Vec<Choice>,
}

/// An entry as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Entered {
    id: String,
    step: String,
    text: String,
    duty: String,
}

#[derive(Template)]
#[template(path = "incident/incident.html")]
struct IncidentPage {
    frame: Frame,
    trouble: Trouble,
    done: bool,
    office: bool,
    head: Head,
    device_id: Option<String>,
    duty: &'static str,
    entries: Vec<Line>,
    steps: Vec<Step>,
}

impl IncidentPage {
    async fn new(app: &App, who: &SignedIn, incident: Incident, form: &Entered) -> Result<Self, AppError> {
        let frame = app.db.read(async |c| who.frame(app, c).await).await?;
        let manager = incident.steps.contains(&IncidentStep::Forward);
        let steps = incident.steps.iter().enumerate().map(|(at, of)| {
            let (title, button, label) = step(*of);
            let word = word(of);
            let typed = form.step == word;
            let chosen = if typed { form.duty.clone() } else { crate::db::sql::word(&incident.duty) };
            let asks = matches!(of, IncidentStep::Receive | IncidentStep::Assess);
            Step {
                entry_id: if typed { form.id.clone() } else { EntryId::new().to_string() },
                text: if typed { form.text.clone() } else { String::new() },
                open: typed || (at == 0 && form.step.is_empty()),
                duties: if asks { choices(DUTIES, &chosen) } else { vec![] },
                word,
                title,
                button,
                label,
            }
        });
        Ok(Self {
            trouble: Trouble::none(),
            done: false,
            office: who.role() == Role::Secretariat,
            steps: steps.collect(),
            head: Head::of(incident.summary, manager),
            device_id: incident.device_id.map(|id| id.to_string()),
            duty: duty(incident.duty),
            entries: incident.entries.into_iter().map(Line::from).collect(),
            frame,
        })
    }
}

/// What was just done.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Done {
    done: String,
}

/// `GET /incidents/{id}`.
pub async fn incident(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<IncidentId>,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    let incident = report::read(&app, &who, id).await?;
    let page = IncidentPage::new(&app, &who, incident, &Entered::default()).await?;
    portal::page(&IncidentPage { done: !done.done.is_empty(), ..page })
}

/// The duty that a form chose; none where the form asks for none.
fn chosen_duty(word: &str) -> Option<LegalDuty> {
    DUTIES.iter().any(|(value, _)| *value == word).then(|| from_word(word).ok()).flatten()
}

/// `POST /incidents/{id}/entries`.
pub async fn enter(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<IncidentId>,
    Fields(form): Fields<Entered>,
) -> Result<Response, AppError> {
    let new = NewIncidentEntry {
        id: form.id.parse().unwrap_or_else(|_| EntryId::new()),
        step: from_word(&form.step).unwrap_or(IncidentStep::Unknown),
        text: form.text.clone(),
        duty: chosen_duty(&form.duty),
    };
    match report::enter(&app, &who, id, &new).await {
        Ok(_) => Ok(local::see(&format!("/incidents/{id}?done=1"))),
        Err(e) => {
            let (status, problem) = shown(e)?;
            let incident = report::read(&app, &who, id).await?;
            let mut page = IncidentPage::new(&app, &who, incident, &form).await?;
            page.trouble = trouble(&problem, &page.frame.words, &form.step);
            portal::html(status, &page)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_instant_is_japans() {
        assert_eq!(instant("2000-01-01T08:59"), Some(Timestamp(946_684_740_000)));
        for bad in ["", "2000-01-01T25:00", "昨日"] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_form_without_a_duty_chooses_none() {
        assert_eq!(chosen_duty(""), None);
        assert_eq!(chosen_duty("sometime"), None);
        assert_eq!(chosen_duty("none"), Some(LegalDuty::None));
        assert_eq!(chosen_duty("malicious_leak"), Some(LegalDuty::MaliciousLeak));
    }
}
