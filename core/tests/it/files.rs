//! The town's files: announced, uploaded in chunks, given back.

use crate::town::{Shared, Stored, Wrong, no, session};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use renraku_wire::*;
use sha2::{Digest, Sha256};

/// What a picture in small is here: it begins as a JPEG does.
pub const SMALL_PICTURE: &[u8] = b"\xFF\xD8\xFFsmall picture";

pub async fn announce(State(town): Shared, headers: HeaderMap, Json(new): Json<NewMedia>) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    let mut facts = town.facts();
    let (id, length) = (new.id, new.length);
    let fresh = Stored { new: new.clone(), bytes: vec![], state: MediaState::Pending };
    let stored = facts.files.entry(id).or_insert(fresh);
    if stored.new.is_to_follow() {
        stored.new = new;
    }
    let (offset, state) = (stored.bytes.len() as u64, stored.state);
    let id = if matches!(facts.wrong, Some(Wrong::Announcement)) { MediaId::new() } else { id };
    Json(UploadStatus { id, offset, length, state, at: Timestamp(0) }).into_response()
}

pub async fn offset(State(town): Shared, headers: HeaderMap, Path(id): Path<MediaId>) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    let facts = town.facts();
    let Some(stored) = facts.files.get(&id) else { return no(Code::NotFound) };
    let offset = [("upload-offset", stored.bytes.len() as u64), ("upload-length", stored.new.length)];
    offset.map(|(name, value)| (name, value.to_string())).into_response()
}

/// All of a chunk or nothing, whatever the network does meanwhile.
pub async fn chunk(
    State(town): Shared,
    headers: HeaderMap,
    Path(id): Path<MediaId>,
    mut body: Body,
) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    let mut chunk = Vec::new();
    town.facts().chunks += 1;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return no(Code::BodyTruncated) };
        if let Ok(data) = frame.into_data() {
            town.facts().chunk_bytes += data.len() as u64;
            chunk.extend_from_slice(&data);
        }
    }
    let held = town.facts().hold_chunk.take();
    if let Some(held) = held {
        held.wait().await;
        held.wait().await;
    }
    let at: u64 = headers["upload-offset"].to_str().unwrap().parse().unwrap();
    let mut facts = town.facts();
    let (refused, wrong) = (facts.refuse_file == Some(id), facts.wrong);
    let Some(stored) = facts.files.get_mut(&id) else { return no(Code::NotFound) };
    if refused {
        stored.state = MediaState::Refused;
        return no(Code::MediaUnreadable);
    }
    if stored.new.is_to_follow() {
        return no(Code::MediaPending);
    }
    if stored.state != MediaState::Pending || at != stored.bytes.len() as u64 {
        return no(Code::OffsetConflict);
    }
    if matches!(wrong, Some(Wrong::Offset)) {
        let whole = stored.new.length.to_string();
        return (StatusCode::NO_CONTENT, [("upload-offset", whole)]).into_response();
    }
    stored.bytes.extend_from_slice(&chunk);
    let (offset, length) = (stored.bytes.len() as u64, stored.new.length);
    let taken = (StatusCode::NO_CONTENT, [("upload-offset", offset.to_string())]).into_response();
    if offset < length {
        return taken;
    }
    if hex::encode(Sha256::digest(&stored.bytes)) != stored.new.sha256 {
        stored.state = MediaState::Refused;
        return no(Code::ChecksumMismatch);
    }
    stored.state = if matches!(wrong, Some(Wrong::State)) { MediaState::Unknown } else { MediaState::Ready };
    if matches!(wrong, Some(Wrong::State | Wrong::Verdict)) {
        return no(Code::OffsetConflict);
    }
    taken
}

pub async fn give_up(State(town): Shared, headers: HeaderMap, Path(id): Path<MediaId>) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    match town.facts().files.get_mut(&id) {
        Some(stored) if stored.state == MediaState::Ready => no(Code::StateConflict),
        Some(stored) => {
            stored.state = MediaState::Refused;
            StatusCode::NO_CONTENT.into_response()
        }
        None => no(Code::NotFound),
    }
}

pub async fn bytes(State(town): Shared, headers: HeaderMap, Path(id): Path<MediaId>) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    match town.facts().files.get(&id) {
        Some(stored) if stored.state == MediaState::Ready => stored.bytes.clone().into_response(),
        Some(_) => no(Code::MediaPending),
        None => no(Code::NotFound),
    }
}

pub async fn thumbnail(State(town): Shared, headers: HeaderMap, Path(id): Path<MediaId>) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    let mut facts = town.facts();
    facts.thumbnails_served += 1;
    let small = facts.small_picture.clone().unwrap_or_else(|| SMALL_PICTURE.to_vec());
    let small = if matches!(facts.wrong, Some(Wrong::Page)) { b"<!doctype html>".to_vec() } else { small };
    let known = facts.small_picture.is_some() || facts.files.contains_key(&id);
    if known { small.into_response() } else { no(Code::NotFound) }
}

pub async fn poster(
    State(town): Shared,
    headers: HeaderMap,
    Path(id): Path<MediaId>,
    bytes: Bytes,
) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    let mut facts = town.facts();
    if !facts.files.get(&id).is_some_and(|f| f.new.kind == MediaKind::Video && f.state == MediaState::Pending)
    {
        return no(Code::NotFound);
    }
    facts.posters.insert(id, bytes.to_vec());
    StatusCode::NO_CONTENT.into_response()
}
