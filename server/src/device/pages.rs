//! Certificate pick-up and login diagnosis on the public host; the inventory on the care host.

use super::{api, diagnosis, enrol, store};
use crate::access::FacilityAdmin;
use crate::clock;
use crate::error::AppError;
use crate::input::PathId;
use crate::portal::forms::{Choice, Fields, Trouble, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use crate::tls::Peer;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use renraku_wire::{Device, DeviceId, Pkcs12Request};
use serde::Deserialize;

/// The pick-up as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    number: String,
    password: String,
    device_name: String,
}

#[derive(Template)]
#[template(path = "device/certificate.html")]
struct CertificatePage {
    frame: Frame,
    trouble: Trouble,
    care_url: String,
    number: String,
    device_name: String,
}

/// `GET /{slug}/certificate` (F05).
pub async fn certificate(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    portal::page(&CertificatePage {
        frame: Frame::of_slug(&app, &slug).await?,
        trouble: Trouble::none(),
        care_url: app.care_url.clone(),
        number: String::new(),
        device_name: String::new(),
    })
}

/// `POST /{slug}/certificate`: the PKCS#12 file.
pub async fn pick_up(
    State(app): State<App>,
    Path(slug): Path<String>,
    Fields(form): Fields<Typed>,
) -> Result<Response, AppError> {
    let request = Pkcs12Request {
        number: form.number.clone(),
        password: form.password,
        device_name: form.device_name.clone(),
    };
    match enrol::pkcs12(&app, &slug, &request).await {
        Ok(file) => {
            let name = file_name(&slug, &form.device_name);
            let head = [
                (header::CONTENT_TYPE, "application/x-pkcs12".to_owned()),
                (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
            ];
            Ok((head, file).into_response())
        }
        Err(e) => {
            let (status, problem) = shown(e)?;
            let frame = Frame::of_slug(&app, &slug).await?;
            let trouble = Trouble::of(&problem, &frame.words, "number");
            let page = CertificatePage {
                frame,
                trouble,
                care_url: app.care_url.clone(),
                number: form.number,
                device_name: form.device_name,
            };
            portal::html(status, &page)
        }
    }
}

/// `renraku-minowa-pc1.p12`; what is not plain ASCII in the device's name is left out.
fn file_name(slug: &str, device: &str) -> String {
    let plain: String = device.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(40).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { format!("renraku-{slug}.p12") } else { format!("renraku-{slug}-{plain}.p12") }
}

#[derive(Template)]
#[template(path = "device/diagnosis.html")]
struct DiagnosisPage {
    frame: Frame,
    ok: bool,
    sentence: String,
    code: Option<&'static str>,
    care_url: String,
}

/// `GET /{slug}/diagnosis` (F62).
pub async fn diagnose(
    State(app): State<App>,
    Path(slug): Path<String>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, AppError> {
    let found = diagnosis::diagnose(&app, &slug, &peer).await?;
    portal::page(&DiagnosisPage {
        frame: Frame::of_slug(&app, &slug).await?,
        ok: found.ok,
        sentence: found.sentence,
        code: found.code.map(renraku_wire::Code::as_str),
        care_url: app.care_url.clone(),
    })
}

struct Line {
    id: String,
    name: String,
    facility: String,
    platform: &'static str,
    seen: String,
    until: String,
    over: bool,
    revoked_at: Option<String>,
    own: bool,
    reopened: bool,
    reason: String,
}

impl Line {
    fn of(device: Device, facility: String, own: DeviceId, now: i64) -> Self {
        Self {
            id: device.id.to_string(),
            name: device.name,
            facility,
            platform: language::platform(device.platform),
            seen: device.last_seen_at.map_or_else(|| "まだありません".to_owned(), |t| language::when(t.0)),
            until: language::day(device.not_after.0),
            over: device.revoked_at.is_none() && device.not_after.0 < now,
            revoked_at: device.revoked_at.map(|t| language::when(t.0)),
            own: device.id == own,
            reopened: false,
            reason: String::new(),
        }
    }
}

#[derive(Template)]
#[template(path = "device/list.html")]
struct ListPage {
    frame: Frame,
    trouble: Trouble,
    devices: Vec<Line>,
    facilities: Vec<Choice>,
    revoked: bool,
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
                Ok((admin.frame(app, c).await?, store::list(c, admin).await?, all))
            })
            .await?;
        let now = clock::now();
        let own = admin.device_id().into();
        let facilities = all
            .into_iter()
            .map(|(id, label)| Choice { chosen: id == admin.facility_id(), value: id.to_string(), label })
            .collect();
        Ok(Self {
            frame,
            trouble: Trouble::none(),
            devices: devices.into_iter().map(|(d, f)| Line::of(d, f, own, now)).collect(),
            facilities,
            revoked: false,
        })
    }
}

/// What the list was just asked to do.
#[derive(Deserialize, Debug)]
pub struct Done {
    revoked: Option<String>,
}

/// `GET /devices`: the inventory.
pub async fn list(
    State(app): State<App>,
    admin: FacilityAdmin,
    Query(done): Query<Done>,
) -> Result<Response, AppError> {
    let page = ListPage { revoked: done.revoked.is_some(), ..ListPage::new(&app, &admin).await? };
    portal::page(&page)
}

/// Why a device is revoked.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Reason {
    reason: String,
}

/// `POST /devices/{id}/revocation`.
pub async fn revoke(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<DeviceId>,
    Fields(form): Fields<Reason>,
) -> Result<Response, AppError> {
    match api::revoke_device(&app, &admin, id, &form.reason).await {
        Ok(()) => Ok(local::see("/devices?revoked=1")),
        Err(e) => {
            let (status, problem) = shown(e)?;
            let mut page = ListPage::new(&app, &admin).await?;
            let sentence = Trouble::of(&problem, &page.frame.words, "reason").sentence().to_owned();
            page.trouble = Trouble::own(&format!("reason-{id}"), &sentence);
            if let Some(line) = page.devices.iter_mut().find(|d| d.id == id.to_string()) {
                line.reopened = true;
                line.reason = form.reason;
            }
            portal::html(status, &page)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn the_file_is_named_after_town_and_device() {
        assert_eq!(file_name("minowa", "Uketsuke PC-1"), "renraku-minowa-UketsukePC-1.p12");
        assert_eq!(file_name("minowa", "受付のパソコン"), "renraku-minowa.p12");
        assert_eq!(file_name("minowa", "\"\r\nX: y"), "renraku-minowa-Xy.p12");
    }
}
