//! A patient's timeline, 👍 and the read list.

use super::compose::{self, Sent, Typed};
use super::view::{View, Viewer};
use super::{api, receipt, store};
use crate::access::{self, Credentials, Filled, Of, Read, SignedIn};
use crate::db::sql::word;
use crate::error::AppError;
use crate::input::PathId;
use crate::portal::forms::{Choice, Fields, Trouble, choices, shown};
use crate::portal::{self, Frame, language, local};
use crate::state::App;
use crate::{audit, clock, facility, patient};
use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use renraku_wire::{BodySite, Code, Contact, NewReceipt, Patient, PatientId, PostId, Timestamp};
use serde::Deserialize;

struct Head {
    id: String,
    name: String,
    kana: String,
    age: u32,
    gender: &'static str,
    born: String,
    address: String,
    telephone: String,
    care_level: &'static str,
}

struct Member {
    name: String,
    profession: &'static str,
    facility: String,
    lead: bool,
}

#[derive(Template)]
#[template(path = "post/timeline.html")]
struct TimelinePage {
    frame: Frame,
    trouble: Trouble,
    patients: Vec<patient::roll::Line>,
    patient: Head,
    team: Vec<Member>,
    posts: Vec<View>,
    /// Where the next page begins.
    before: Option<String>,
    /// Where this page begins; empty for the newest.
    here: String,
    older: bool,
    sent: bool,
    photo_lost: bool,
    recipients: usize,
    office: Option<Contact>,
    phones: Vec<(String, String)>,
    guidance: Option<u32>,
    urgent_flag: bool,
    sites: Vec<Choice>,
    form: Typed,
}

/// Which page of the timeline, and what was just done.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Asked {
    before: String,
    sent: Option<String>,
    photo: Option<String>,
}

/// `GET /patients/{id}`: the timeline. Reading is logged, and the posts shown count as read.
pub async fn timeline(
    State(app): State<App>,
    credentials: Credentials,
    PathId(id): PathId<PatientId>,
    Query(asked): Query<Asked>,
) -> Result<Response, AppError> {
    portal::page(&gather(&app, &credentials, id, &asked, Typed::fresh()).await?)
}

async fn gather(
    app: &App,
    credentials: &Credentials,
    id: PatientId,
    asked: &Asked,
    form: Typed,
) -> Result<TimelinePage, AppError> {
    let before = match asked.before.as_str() {
        "" => None,
        text => Some(store::Cursor::parse(text).ok_or_else(|| AppError::field("before"))?),
    };
    let now = clock::now();
    let (access, frame, record, posts, next, roll, facilities) = app
        .db
        .write(async |c| {
            let access = access::patient::<Read>(c, credentials, Of::Patient(id.into())).await?;
            audit::record(c, access.actor(), "timeline.read", Some(access.patient_id()), "").await?;
            let (posts, next) = store::page(c, &access, before).await?;
            let seen = NewReceipt { read_at: Timestamp(now), acknowledged: None };
            for post in posts.iter().filter(|p| !p.read) {
                receipt::put(c, &access, post.id.into(), seen).await?;
                audit::record(c, access.actor(), "receipt.read", Some(post.id.into()), "").await?;
            }
            let record = patient::store::get(c, &access).await?;
            let roll = patient::store::list(c, &access).await?;
            let facilities = facility::store::approved(c, &access).await?;
            let frame = access.frame(app, c).await?;
            Ok((access, frame, record, posts, next, roll, facilities))
        })
        .await?;
    let me = access.staff_id().into();
    let viewer = Viewer { staff_id: me, lead: access.lead() };
    let policy = access.policy();
    let mut sites = choices(&[("", "指定しない")], &form.body_site);
    sites.extend(BodySite::ALL.iter().map(|site| Choice {
        chosen: word(site) == form.body_site,
        value: word(site),
        label: site.label().to_owned(),
    }));
    let phones = facilities
        .into_iter()
        .filter(|f| !f.telephone.is_empty() && record.team.iter().any(|m| m.facility_id == f.id))
        .map(|f| (f.name, f.telephone))
        .collect();
    let posts = posts.into_iter().map(|post| View::of(post, viewer, policy)).collect();
    let recipients = record.team.iter().filter(|m| m.staff_id != me).count();
    let (patient, team) = split(record);
    Ok(TimelinePage {
        trouble: Trouble::none(),
        patients: patient::roll::lines(roll, Some(id)),
        patient,
        team,
        posts,
        before: next.map(|n| n.text()),
        here: asked.before.clone(),
        older: before.is_some(),
        sent: asked.sent.is_some(),
        photo_lost: asked.photo.is_some(),
        recipients,
        office: frame.contact.clone(),
        frame,
        phones,
        guidance: Some(policy.device.post_chars_guidance).filter(|chars| *chars > 0),
        urgent_flag: policy.urgent_flag,
        sites,
        form,
    })
}

fn split(record: Patient) -> (Head, Vec<Member>) {
    let head = Head {
        id: record.id.to_string(),
        name: record.name,
        kana: record.kana,
        age: record.age,
        gender: language::gender(record.gender),
        born: language::birthday(&record.birth_date),
        address: record.address,
        telephone: record.telephone,
        care_level: record.care_level.as_deref().map_or("", language::care_level),
    };
    let team = record
        .team
        .into_iter()
        .map(|m| Member {
            name: m.name,
            profession: language::profession(m.profession),
            facility: m.facility_name,
            lead: m.lead,
        })
        .collect();
    (head, team)
}

/// `POST /patients/{id}`: publishes a post.
pub async fn publish(
    State(app): State<App>,
    credentials: Credentials,
    PathId(id): PathId<PatientId>,
    Filled { who, mut form }: Filled,
) -> Result<Response, AppError> {
    let mut typed = Typed::of(&form);
    match compose::send(&app, &credentials, &who, id, &typed, form.file.take()).await {
        Ok(Sent::Whole) => Ok(local::see(&format!("/patients/{id}?sent=1"))),
        Ok(Sent::WithoutPhoto) => Ok(local::see(&format!("/patients/{id}?sent=1&photo=lost"))),
        Err(e) => {
            let (status, problem) = shown(e)?;
            let own = match problem.code {
                Code::IdConflict => {
                    typed.id = PostId::new().to_string();
                    Some((
                        "body",
                        "この画面からは、すでに別の内容が送られています。新しく送るときは、もう一度ボタンを押してください。",
                    ))
                }
                Code::MediaTooLarge => Some(("photo", "写真が大きすぎます。別の写真を選んでください。")),
                Code::MediaUnreadable => {
                    Some(("photo", "この写真は読み取れません。JPEG・PNG・WebPの写真を選んでください。"))
                }
                _ => None,
            };
            let mut page = gather(&app, &credentials, id, &Asked::default(), typed).await?;
            page.trouble = match own {
                Some((field, sentence)) => Trouble::own(field, sentence),
                None => Trouble::of(&problem, &page.frame.words, "body"),
            };
            portal::html(status, &page)
        }
    }
}

/// 👍 on or off, and the page it was pressed on.
#[derive(Deserialize, Default, Debug)]
#[serde(default)]
pub struct Thumb {
    on: String,
    before: String,
}

/// `POST /posts/{id}/acknowledgement`.
pub async fn acknowledge(
    State(app): State<App>,
    _who: SignedIn,
    credentials: Credentials,
    PathId(id): PathId<PostId>,
    Fields(form): Fields<Thumb>,
) -> Result<Response, AppError> {
    let new = NewReceipt { read_at: Timestamp(clock::now()), acknowledged: Some(form.on != "false") };
    let patient = api::acknowledge(&app, &credentials, id, new).await?;
    let page =
        store::Cursor::parse(&form.before).map(|c| format!("?before={}", c.text())).unwrap_or_default();
    Ok(local::see(&format!("/patients/{patient}{page}#post-{id}")))
}

struct Reader {
    id: String,
    name: String,
    profession: &'static str,
    facility: String,
    read: Option<String>,
    thumb: Option<String>,
}

#[derive(Template)]
#[template(path = "post/receipts.html")]
struct ReceiptsPage {
    frame: Frame,
    id: String,
    patient: String,
    author: String,
    body: String,
    written: String,
    read: usize,
    /// How many pressed 👍; none in a town without it.
    thumbs: Option<usize>,
    people: Vec<Reader>,
}

/// `GET /posts/{id}/receipts`: who has read the post, for its author and the leads (F49).
pub async fn receipts(
    State(app): State<App>,
    who: SignedIn,
    credentials: Credentials,
    PathId(id): PathId<PostId>,
) -> Result<Response, AppError> {
    let (frame, post, list) = app
        .db
        .read(async |c| {
            let access = access::patient::<Read>(c, &credentials, Of::Post(id.into())).await?;
            let list = receipt::list(c, &access, id.into()).await?;
            let post = store::get(c, &access, id.into()).await?;
            Ok((who.frame(&app, c).await?, post, list))
        })
        .await?;
    let people: Vec<Reader> = list
        .into_iter()
        .map(|r| Reader {
            id: r.staff_id.to_string(),
            name: r.name,
            profession: language::profession(r.profession),
            facility: r.facility_name,
            read: r.read_at.map(|t| language::when(t.0)),
            thumb: r.acknowledged_at.map(|t| language::when(t.0)),
        })
        .collect();
    portal::html(
        StatusCode::OK,
        &ReceiptsPage {
            frame,
            id: id.to_string(),
            patient: post.patient_id.to_string(),
            author: post.author_name,
            body: post.body,
            written: language::when(post.written_at.0),
            read: people.iter().filter(|p| p.read.is_some()).count(),
            thumbs: who.policy().thumbs_ack.then(|| people.iter().filter(|p| p.thumb.is_some()).count()),
            people,
        },
    )
}
