//! The public host's pages: certificate pick-up, login diagnosis, the list of revocations.

use super::finding::Finding;
use super::{diagnosis, pick_up, revocation_list};
use crate::clock;
use crate::error::AppError;
use crate::portal::forms::{Fields, Trouble, shown};
use crate::portal::{self, Frame, language};
use crate::state::App;
use crate::tls::Peer;
use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use renraku_wire::{DiagnosisQuestion, Pkcs12Request};
use serde::Deserialize;

/// The pick-up as typed.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Typed {
    page: String,
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
    page: String,
    number: String,
    device_name: String,
}

/// `GET /{slug}/certificate` (F05).
pub async fn certificate(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    portal::page(&CertificatePage {
        frame: Frame::of_slug(&app, &slug).await?,
        trouble: Trouble::none(),
        care_url: app.care_url.clone(),
        page: pick_up::page_secret(),
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
    match pick_up::pkcs12(&app, &slug, &form.page, request).await {
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
                page: form.page,
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
    enrols: bool,
    sentence: String,
    short: String,
    server_time: String,
    asked: bool,
    login_id: String,
    care_url: String,
}

impl DiagnosisPage {
    async fn of(
        app: &App,
        slug: &str,
        peer: &Peer,
        question: DiagnosisQuestion,
    ) -> Result<Response, AppError> {
        let found = diagnosis::diagnose(app, slug, peer, &question).await?;
        let at = clock::japan(found.server_time.0);
        portal::page(&Self {
            frame: Frame::of_slug(app, slug).await?,
            ok: found.ok,
            enrols: Finding::parse(&found.short).is_some_and(Finding::enrols),
            sentence: found.sentence,
            short: found.short,
            server_time: format!(
                "{} {}:{:02}:{:02}",
                language::day(found.server_time.0),
                at.hour(),
                at.minute(),
                at.second()
            ),
            asked: question != DiagnosisQuestion::default(),
            login_id: question.login_id.unwrap_or_default(),
            care_url: app.care_url.clone(),
        })
    }
}

/// `GET /{slug}/diagnosis` (F62).
pub async fn diagnose(
    State(app): State<App>,
    Path(slug): Path<String>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, AppError> {
    DiagnosisPage::of(&app, &slug, &peer, DiagnosisQuestion::default()).await
}

/// The question as asked.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    login_id: String,
    mail_missing: String,
}

/// `POST /{slug}/diagnosis`: with a question. Not `GET`: a user id does not belong into an address.
pub async fn diagnose_more(
    State(app): State<App>,
    Path(slug): Path<String>,
    Extension(peer): Extension<Peer>,
    Fields(form): Fields<Asked>,
) -> Result<Response, AppError> {
    let login_id = Some(form.login_id).filter(|id| !id.trim().is_empty());
    let question = DiagnosisQuestion { login_id, mail_missing: !form.mail_missing.is_empty() };
    DiagnosisPage::of(&app, &slug, &peer, question).await
}

/// `GET /{slug}/crl`: what the town's present authority revoked.
pub async fn revocations(State(app): State<App>, Path(slug): Path<String>) -> Result<Response, AppError> {
    Ok(list(revocation_list::current(&app, &slug, None).await?))
}

/// `GET /{slug}/crl/{authority}`: what one of its authorities revoked; certificates name this address.
pub async fn revocations_of(
    State(app): State<App>,
    Path((slug, authority)): Path<(String, String)>,
) -> Result<Response, AppError> {
    Ok(list(revocation_list::current(&app, &slug, Some(&authority)).await?))
}

fn list(der: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, "application/pkix-crl")], der).into_response()
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
