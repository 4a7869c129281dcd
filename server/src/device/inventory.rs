//! The care host's pages: the inventory, No and password for one more device, and the device that asks.

use super::store::Listed;
use super::{api, issue, rules, store};
use crate::access::{FacilityAdmin, SignedIn};
use crate::clock;
use crate::error::AppError;
use crate::input::PathId;
use crate::portal::forms::{Choice, Fields, Trouble, choices, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{
    DeviceId, DeviceState, EnrolmentTicket, FacilityId, NewTicket, Revocation, RevocationKind, SetupCode,
    TicketId,
};
use serde::Deserialize;

/// Why a device is revoked, as the form offers it.
const KINDS: &[(&str, &str)] =
    &[("lost", "紛失・盗難"), ("replaced", "端末の交換"), ("ended", "利用の終了"), ("other", "その他")];

/// A device's state.
const fn state(of: DeviceState) -> &'static str {
    match of {
        DeviceState::Valid => "有効",
        DeviceState::Expiring => "期限が近い",
        DeviceState::Expired => "期限切れ",
        DeviceState::Revoked => "失効済み",
        DeviceState::Unknown => "不明",
    }
}

struct Line {
    id: String,
    /// Under which id a successor's No is asked for.
    ticket: TicketId,
    name: String,
    facility: String,
    facility_id: String,
    platform: &'static str,
    state: &'static str,
    seen: String,
    enrolled: String,
    by: Option<String>,
    until: String,
    serial: String,
    near: bool,
    revoked: Option<String>,
    own: bool,
    /// The device that this one replaces, and whether that one is still good.
    replaces: Option<(String, bool)>,
    /// The device that replaces this one, while this one is still good; and whether it has proved itself.
    replaced_by: Option<(String, bool)>,
    kinds: Vec<Choice>,
    reason: String,
    reopened: bool,
    renaming: bool,
}

impl Line {
    fn of(listed: &Listed, own: DeviceId) -> Self {
        let device = &listed.device;
        Self {
            id: device.id.to_string(),
            ticket: TicketId::new(),
            name: device.name.clone(),
            facility: listed.facility.clone(),
            facility_id: device.facility_id.to_string(),
            platform: language::platform(device.platform),
            state: state(device.state),
            seen: device.last_seen_at.map_or_else(|| "まだありません".to_owned(), |t| language::when(t.0)),
            enrolled: language::day(listed.enrolled_at),
            by: listed.enrolled_by.clone(),
            until: language::day(device.not_after.0),
            serial: device.serial.clone(),
            near: matches!(device.state, DeviceState::Expiring | DeviceState::Expired),
            revoked: device.revoked_at.map(|t| {
                let why = listed.revoke_reason.as_deref().unwrap_or_default();
                format!("{} {why}", language::when(t.0))
            }),
            own: device.id == own,
            replaces: None,
            replaced_by: None,
            kinds: choices(KINDS, ""),
            reason: String::new(),
            reopened: false,
            renaming: false,
        }
    }
}

/// The lines with their replacements tied together.
fn lines(all: &[Listed], own: DeviceId) -> Vec<Line> {
    let good = |l: &Listed| !matches!(l.device.state, DeviceState::Revoked | DeviceState::Expired);
    all.iter()
        .map(|listed| {
            let mut line = Line::of(listed, own);
            line.replaces = listed.device.replaces.and_then(|old| {
                all.iter().find(|l| l.device.id == old).map(|old| (old.device.name.clone(), good(old)))
            });
            let new = all.iter().find(|l| l.device.replaces == Some(listed.device.id));
            if let Some(new) = new.filter(|_| good(listed)) {
                let proved = new.first_sign_in_at.is_some();
                line.replaced_by = Some((new.device.name.clone(), proved));
                if proved {
                    line.kinds = choices(KINDS, "replaced");
                    "新しい端末に交換".clone_into(&mut line.reason);
                }
            }
            line
        })
        .collect()
}

#[derive(Template)]
#[template(path = "device/list.html")]
struct ListPage {
    frame: Frame,
    trouble: Trouble,
    devices: Vec<Line>,
    facilities: Vec<Choice>,
    office: bool,
    may_issue: bool,
    ticket: TicketId,
    done: Option<&'static str>,
}

impl ListPage {
    async fn new(app: &App, admin: &FacilityAdmin) -> Result<Self, AppError> {
        let (frame, devices, all) = app
            .db
            .read(async |c| {
                let all = match admin.secretariat() {
                    Ok(office) => store::facilities(c, &office).await?,
                    Err(_) => vec![],
                };
                Ok((admin.frame(app, c).await?, store::list(c, admin, clock::now()).await?, all))
            })
            .await?;
        let facilities = all
            .into_iter()
            .map(|(id, label)| Choice { chosen: id == admin.facility_id(), value: id.to_string(), label })
            .collect();
        Ok(Self {
            frame,
            trouble: Trouble::none(),
            devices: lines(&devices, admin.device_id().into()),
            facilities,
            office: admin.secretariat().is_ok(),
            may_issue: rules::may_issue(admin.role(), admin.policy()),
            ticket: TicketId::new(),
            done: None,
        })
    }

    /// The page again, with what went wrong at one device's form.
    fn wrong_at(mut self, field: &str, id: DeviceId, e: AppError) -> Result<(StatusCode, Self), AppError> {
        let (status, problem) = shown(e)?;
        let sentence = Trouble::of(&problem, &self.frame.words, field).sentence().to_owned();
        self.trouble = Trouble::own(&format!("{field}-{id}"), &sentence);
        Ok((status, self))
    }

    fn line(&mut self, id: DeviceId) -> Option<&mut Line> {
        let id = id.to_string();
        self.devices.iter_mut().find(|d| d.id == id)
    }
}

/// What the list was just asked to do.
#[derive(Deserialize, Debug)]
pub struct Done {
    revoked: Option<String>,
    renamed: Option<String>,
}

/// `GET /devices`: the inventory.
pub async fn list(
    State(app): State<App>,
    admin: FacilityAdmin,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    let mut page = ListPage::new(&app, &admin).await?;
    page.done = match (done.revoked, done.renamed) {
        (Some(_), _) => Some("端末の電子証明書を失効させました。次の通信から使えません。"),
        (None, Some(_)) => Some("端末の名前を変更しました。"),
        (None, None) => None,
    };
    portal::page(&page)
}

/// Why a device is revoked.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Reason {
    reason: String,
    kind: String,
}

/// `POST /devices/{id}/revocation`.
pub async fn revoke(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<DeviceId>,
    Fields(form): Fields<Reason>,
) -> Result<Response, AppError> {
    let kind: RevocationKind = crate::db::sql::from_word(&form.kind).unwrap_or_default();
    let why = Revocation { reason: form.reason.clone(), kind };
    match api::revoke_device(&app, &admin, id, why).await {
        Ok(()) => Ok(local::see("/devices?revoked=1")),
        Err(e) => {
            let (status, mut page) = ListPage::new(&app, &admin).await?.wrong_at("reason", id, e)?;
            if let Some(line) = page.line(id) {
                line.reopened = true;
                line.kinds = choices(KINDS, &form.kind);
                line.reason = form.reason;
            }
            portal::html(status, &page)
        }
    }
}

/// What a device is called from now on.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct NewName {
    device_name: String,
}

/// `POST /devices/{id}/name`.
pub async fn rename(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<DeviceId>,
    Fields(form): Fields<NewName>,
) -> Result<Response, AppError> {
    match api::rename_device(&app, &admin, id, &form.device_name).await {
        Ok(()) => Ok(local::see("/devices?renamed=1")),
        Err(e) => {
            let (status, mut page) = ListPage::new(&app, &admin).await?.wrong_at("device_name", id, e)?;
            if let Some(line) = page.line(id) {
                line.renaming = true;
            }
            portal::html(status, &page)
        }
    }
}

#[derive(Template)]
#[template(path = "device/own.html")]
struct OwnPage {
    frame: Frame,
    device: Line,
    browser: bool,
    may_issue: bool,
    ticket: TicketId,
    /// Who makes No and password instead.
    ask: &'static str,
}

/// `GET /devices/own`: the device that asks; its end, a successor, one more device (F07).
pub async fn own(State(app): State<App>, who: SignedIn) -> Result<Response, AppError> {
    let (frame, listed) = app
        .db
        .read(async |c| Ok((who.frame(&app, c).await?, store::own(c, &who, clock::now()).await?)))
        .await?;
    portal::page(&OwnPage {
        frame,
        device: Line::of(&listed, who.device_id().into()),
        browser: listed.device.platform == renraku_wire::Platform::Browser,
        may_issue: rules::may_issue(who.role(), who.policy()),
        ticket: TicketId::new(),
        ask: match who.policy().extra_certificate {
            crate::policy::ExtraCertificate::Secretariat => "事務局",
            _ => "管理者か事務局",
        },
    })
}

/// Under which id, which the form brings; for which facility, the own one when the form does not say; and which device is replaced, if any.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct For {
    id: String,
    facility: String,
    replaces: String,
}

#[derive(Template)]
#[template(path = "device/ticket.html")]
struct TicketPage {
    frame: Frame,
    number: String,
    password: String,
    until: String,
    replacing: bool,
    /// The set-up code as a picture; none where the public address is not one that a phone could open.
    code: Option<String>,
    back: &'static str,
}

/// `POST /devices/tickets`: No and password for one more device, shown once (F07).
pub async fn ticket(
    State(app): State<App>,
    who: SignedIn,
    Fields(form): Fields<For>,
) -> Result<Response, AppError> {
    let of = match form.facility.as_str() {
        "" => None,
        id => Some(id.parse::<FacilityId>().map_err(|_| AppError::field("facility"))?),
    };
    let replaces = match form.replaces.as_str() {
        "" => None,
        id => Some(id.parse::<DeviceId>().map_err(|_| AppError::field("replaces"))?),
    };
    let id = form.id.parse().unwrap_or_else(|_| TicketId::new());
    let new = NewTicket { id, facility_id: of, replaces };
    let ticket = issue::ticket(&app, &who, None, &new).await?;
    let frame = app.db.read(async |c| who.frame(&app, c).await).await?;
    let code = picture(&frame, &ticket);
    let page = TicketPage {
        frame,
        number: ticket.number,
        password: ticket.password,
        until: language::day(ticket.expires_at.0),
        replacing: replaces.is_some(),
        code,
        back: if who.facility_admin().is_ok() { "/devices" } else { "/devices/own" },
    };
    portal::html(StatusCode::CREATED, &page)
}

/// The set-up code as inline SVG.
fn picture(frame: &Frame, ticket: &EnrolmentTicket) -> Option<String> {
    let code = SetupCode {
        portal: frame.portal(),
        number: ticket.number.clone(),
        password: ticket.password.clone(),
    };
    portal::code::svg(&code.to_uri().ok()?).ok()
}
