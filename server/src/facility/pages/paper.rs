//! The office enters an application that came on paper, with its scan (F02, F28), or the correction of one.

use super::public::blame;
use super::{ApplyPage, PaperTyped, Typed};
use crate::access::{Filled, Secretariat};
use crate::error::AppError;
use crate::facility::apply;
use crate::media;
use crate::portal::forms::{Trouble, choices, shown};
use crate::portal::upload::{FieldsAndFile, Given};
use crate::portal::{self, language, local};
use crate::state::App;
use axum::extract::{Query, State};
use axum::response::Response;
use renraku_wire::{Code, FacilityId, IntakeChannel, PaperApplication, limits};
use serde::Deserialize;

fn paper(form: &FieldsAndFile) -> PaperTyped {
    PaperTyped {
        corrects: form.get("corrects").to_owned(),
        replaces: form.get("replaces").to_owned(),
        channel: form.get("channel").to_owned(),
        received_on: form.get("received_on").to_owned(),
        uploaded: form.get("uploaded").to_owned(),
        uploaded_name: form.get("uploaded_name").to_owned(),
    }
}

fn typed(form: &FieldsAndFile) -> Typed {
    let get = |name: &str| form.get(name).to_owned();
    Typed {
        id: get("id"),
        name: get("name"),
        kind: get("kind"),
        address: get("address"),
        telephone: get("telephone"),
        manager_name: get("manager_name"),
        manager_mail: get("manager_mail"),
        place: get("place"),
    }
}

async fn page(
    app: &App,
    office: &Secretariat,
    form: Typed,
    paper: PaperTyped,
) -> Result<ApplyPage, AppError> {
    let frame = app.db.read(async |c| office.frame(app, c).await).await?;
    let back = match paper.corrects.parse::<FacilityId>() {
        Ok(id) => format!("/facilities/{id}"),
        Err(_) => "/facilities".to_owned(),
    };
    let mut page = ApplyPage::new(frame, "/facilities/new".to_owned(), back, form);
    page.channels = choices(language::CHANNELS, &paper.channel);
    page.paper = Some(paper);
    Ok(page)
}

/// What the form is opened for.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Asked {
    corrects: String,
}

/// `GET /facilities/new`: empty, or filled in with the application that a paper corrects.
pub async fn form(
    State(app): State<App>,
    office: Secretariat,
    Query(asked): Query<Asked>,
) -> Result<Response, AppError> {
    let (mut form, mut scan) = (Typed::fresh(), PaperTyped::default());
    if !asked.corrects.is_empty() {
        let id = asked.corrects.parse().map_err(|_| AppError::from(Code::NotFound))?;
        let (application, letter) = apply::to_correct(&app, &office, id).await?;
        form = Typed { id: form.id, ..Typed::of(&application) };
        scan.corrects = asked.corrects;
        scan.replaces = letter.map(|id| id.to_string()).unwrap_or_default();
    }
    portal::page(&page(&app, &office, form, scan).await?)
}

/// `POST /facilities/new`: keeps the scan first, so that it need not be chosen again when another field is
/// refused.
pub async fn create(State(app): State<App>, Filled { who, mut form }: Filled) -> Result<Response, AppError> {
    let office = who.secretariat()?;
    let (fields, mut scan) = (typed(&form), paper(&form));
    let kept = match form.file.take() {
        Some(file) => keep(&app, &office, file, &mut scan).await,
        None => Ok(()),
    };
    let outcome = match (kept, request(&fields, &scan)) {
        (Err(e), _) => Err((e, "scan")),
        (Ok(()), Err(e)) => Err((e, "")),
        (Ok(()), Ok(given)) => apply::on_paper(&app, &office, &given).await.map_err(|e| (e, "")),
    };
    match outcome {
        Ok(id) => {
            let done = if scan.corrects.is_empty() { "taken" } else { "corrected" };
            Ok(local::see(&format!("/facilities/{id}?done={done}")))
        }
        Err((e, at)) => {
            let (status, problem) = shown(e)?;
            let mut fields = fields;
            if problem.code == Code::IdConflict {
                fields.id = FacilityId::new().to_string();
            }
            let mut page = page(&app, &office, fields, scan).await?;
            page.trouble = match (at, problem.code) {
                ("scan", Code::MediaTooLarge) => {
                    Trouble::own("scan", "ファイルが大きすぎます。16MBより小さいファイルを選んでください。")
                }
                ("scan", Code::MediaUnreadable) => Trouble::own(
                    "scan",
                    "このファイルは読み取れません。PDF・JPEG・PNGのファイルを選んでください。",
                ),
                _ => Trouble::of(&problem, &page.frame.words, blame(problem.code)),
            };
            portal::html(status, &page)
        }
    }
}

fn request(fields: &Typed, scan: &PaperTyped) -> Result<PaperApplication, AppError> {
    if !language::CHANNELS.iter().any(|(word, _)| *word == scan.channel) {
        return Err(AppError::field("channel"));
    }
    let channel: IntakeChannel = crate::db::sql::from_word(&scan.channel)?;
    let corrects = match scan.corrects.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| AppError::from(Code::NotFound))?),
    };
    Ok(PaperApplication {
        application: fields.request()?,
        channel,
        received_on: scan.received_on.clone(),
        scan: scan.uploaded.parse().map_err(|_| AppError::field("scan"))?,
        corrects,
        replaces: scan.replaces.parse().ok(),
    })
}

async fn keep(app: &App, office: &Secretariat, file: Given, scan: &mut PaperTyped) -> Result<(), AppError> {
    let bytes = file.bytes.ok_or(Code::MediaTooLarge)?;
    let id = media::upload::keep_document(app, office, &bytes).await?;
    scan.uploaded = id.to_string();
    scan.uploaded_name = file.name.chars().take(limits::LINE_CHARS).collect();
    Ok(())
}
