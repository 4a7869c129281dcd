//! The town's posts: taken once each, listed, read.

use super::{Facts, Shared, Stored, Town, Wrong, no, now, session};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use renraku_wire::*;

/// A post may have waited on a device for this long, or counts as written then.
const KEPT_BACK_MILLIS: i64 = 60 * 86_400_000;

impl Wrong {
    /// The well-formed answer to a post that is of something else; the town keeps nothing then.
    fn post(self, town: &Town, patient: PatientId, new: &NewPost) -> Option<Post> {
        let post = |patient, id| town.as_post(patient, &NewPost { id, ..new.clone() }, 0);
        match self {
            Self::AnotherPost => Some(post(patient, PostId::new())),
            Self::AnotherPatient => Some(post(PatientId::new(), new.id)),
            Self::Offset | Self::State | Self::Verdict | Self::Announcement | Self::Page => None,
        }
    }
}

pub(super) async fn timeline(State(town): Shared, headers: HeaderMap, Path(id): Path<PatientId>) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    if town.facts().hidden {
        return no(Code::NotFound);
    }
    let mut posts: Vec<Post> = town.facts().posts.iter().filter(|p| p.patient_id == id).cloned().collect();
    if matches!(town.facts().wrong, Some(Wrong::Page)) {
        posts.iter_mut().for_each(|post| post.patient_id = PatientId::new());
    }
    posts.sort_by_key(|post| std::cmp::Reverse((post.written_at, post.id.0)));
    Json(PostPage { posts, next: None }).into_response()
}

pub(super) async fn new_post(
    State(town): Shared,
    headers: HeaderMap,
    Path(patient_id): Path<PatientId>,
    Json(new): Json<NewPost>,
) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    let mut facts = town.facts();
    if let Some(nonsense) = facts.nonsense_to_posts {
        return nonsense.answer();
    }
    if std::mem::take(&mut facts.lose_posts_answer) {
        town.network.lose_answer();
    }
    if let Some(wrong) = facts.wrong
        && let Some(post) = wrong.post(&town, patient_id, &new)
    {
        return Json(post).into_response();
    }
    facts.attempts.push(new.id);
    let chunks = facts.chunks;
    facts.chunks_before.push(chunks);
    if new.urgent && !town.policy(&facts).urgent_flag {
        return field("urgent");
    }
    let refused =
        facts.refuse.as_ref().filter(|(text, _)| new.body.contains(text.as_str())).map(|(_, code)| *code);
    if refused.is_none_or(|code| code == Code::Internal) {
        let said = serde_json::to_string(&new).unwrap();
        if *facts.said.entry(new.id).or_insert_with(|| said.clone()) != said {
            return no(Code::IdConflict);
        }
    }
    if let Some(code) = refused {
        return no(code);
    }
    if let Some(post) = facts.posts.iter().find(|p| p.id == new.id) {
        return Json(post.clone()).into_response();
    }
    let post = town.as_post(patient_id, &new, facts.posts.len());
    facts.posts.push(post.clone());
    for file in new.media {
        facts.files.insert(file.id, Stored { new: file, bytes: vec![], state: MediaState::Pending });
    }
    (StatusCode::CREATED, Json(post)).into_response()
}

/// Refused for what stands in a field.
fn field(name: &str) -> Response {
    let problem = Problem { field: Some(name.to_owned()), ..Problem::new(Code::FieldInvalid) };
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::UNPROCESSABLE_ENTITY, kind, Json(problem)).into_response()
}

impl Town {
    /// What the town asks of devices now.
    fn policy(&self, facts: &Facts) -> DevicePolicy {
        facts.policy.clone().unwrap_or_else(|| self.info.device_policy.clone())
    }

    /// A post of somebody's, as the team sees it.
    pub fn as_post(&self, patient_id: PatientId, new: &NewPost, place: usize) -> Post {
        let media = new.media.iter().map(|m| Media {
            id: m.id,
            kind: m.kind,
            state: MediaState::Pending,
            length: m.length,
            width: None,
            height: None,
            duration_ms: None,
            description: m.description.clone(),
        });
        Post {
            id: new.id,
            patient_id,
            author_id: self.staff.id,
            author_name: self.staff.name.clone(),
            author_profession: self.staff.profession,
            facility_id: self.staff.facility_id,
            facility_name: self.staff.facility_name.clone(),
            body: new.body.clone(),
            urgent: new.urgent,
            body_site: new.body_site,
            written_at: if (now() - KEPT_BACK_MILLIS..=now()).contains(&new.written_at.0) {
                new.written_at
            } else {
                Timestamp(now())
            },
            received_at: Timestamp(self.founded + i64::try_from(place).unwrap()),
            media: media.collect(),
            read: false,
            acknowledged: false,
            read_count: 0,
            acknowledged_count: 0,
        }
    }
}

pub(super) async fn one_post(State(town): Shared, headers: HeaderMap, Path(id): Path<PostId>) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    let facts = town.facts();
    let Some(mut post) = facts.posts.iter().find(|p| p.id == id).cloned() else { return no(Code::NotFound) };
    for media in &mut post.media {
        media.state = facts.files[&media.id].state;
    }
    if matches!(facts.wrong, Some(Wrong::Verdict | Wrong::Page)) {
        post.id = PostId::new();
    }
    Json(post).into_response()
}

pub(super) async fn receipt(
    State(town): Shared,
    headers: HeaderMap,
    Path(id): Path<PostId>,
    Json(new): Json<NewReceipt>,
) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    let mut facts = town.facts();
    if new.acknowledged == Some(true) && !town.policy(&facts).thumbs_ack {
        return field("acknowledged");
    }
    facts.receipts.insert(id, new);
    StatusCode::NO_CONTENT.into_response()
}

/// Nobody but the author is on this team.
pub(super) async fn readers(State(town): Shared, headers: HeaderMap) -> Response {
    let list = ReceiptList { receipts: vec![] };
    session(&town, &headers).map_or_else(|no| *no, |()| Json(list).into_response())
}
