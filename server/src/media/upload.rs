//! Resumable upload (tus 1.0): chunk after chunk, then the check of the whole.

use super::store::{self, Facts, File};
use crate::access::{self, Credentials, Of, SignedIn, Write};
use crate::db::{Conn, Id};
use crate::error::AppError;
use crate::state::App;
use crate::{audit, clock, input, sent};
use renraku_media::{MediaError, document, film, photo};
use renraku_wire::{Code, MediaId, MediaKind, MediaState, NewMedia, Timestamp, UploadStatus, limits};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Checks an announcement.
///
/// # Errors
/// [`Code::FieldInvalid`], [`Code::MediaTooLarge`].
pub fn check(new: &NewMedia) -> Result<NewMedia, AppError> {
    let most = match new.kind {
        MediaKind::Photo => limits::PHOTO_BYTES,
        MediaKind::Video => limits::VIDEO_BYTES,
        MediaKind::Document => limits::DOCUMENT_BYTES,
    };
    if new.length > most {
        return Err(Code::MediaTooLarge.into());
    }
    let digest_ok = new.sha256.len() == 64 && new.sha256.bytes().all(|b| b.is_ascii_hexdigit());
    if new.length == 0 || !digest_ok {
        return Err(AppError::field(if digest_ok { "length" } else { "sha256" }));
    }
    Ok(NewMedia {
        sha256: new.sha256.to_ascii_lowercase(),
        description: input::line_or_empty(&new.description, "description")?,
        ..new.clone()
    })
}

/// Checks what a post says of a file: all, or that it will follow when the device has made it.
///
/// # Errors
/// As [`check`]; [`Code::FieldInvalid`] for a document.
pub fn check_of_post(new: &NewMedia) -> Result<NewMedia, AppError> {
    if new.kind == MediaKind::Document {
        return Err(AppError::field("media"));
    }
    if !new.is_to_follow() {
        return check(new);
    }
    Ok(NewMedia { description: input::line_or_empty(&new.description, "description")?, ..new.clone() })
}

/// Announces a document, or, with the credentials of whoever asks, what became of a file that a post said would
/// follow. The same announcement again is the same file.
///
/// # Errors
/// As [`check`]; [`Code::FieldInvalid`] for another kind that no post spoke of; [`Code::IdConflict`]; the access's,
/// for a file that was to follow.
pub async fn announce(
    app: &App,
    who: &SignedIn,
    credentials: Option<&Credentials>,
    new: &NewMedia,
) -> Result<UploadStatus, AppError> {
    let new = check(new)?;
    let now = clock::now();
    let file = app
        .db
        .write(async |c| {
            let what = (who.staff_id().to_string(), &new);
            let document = async |c: &mut Conn| {
                sent::again(c, who.municipality_id(), "document", new.id.into(), &what).await
            };
            match store::own(c, who, new.id.into()).await {
                Ok(file) if file.kind()? != new.kind => return Err(Code::IdConflict.into()),
                Ok(file) if file.sha256 == new.sha256 => {
                    if new.kind == MediaKind::Document {
                        document(c).await?;
                    }
                    return Ok(file);
                }
                Ok(file) if file.is_to_follow() => {
                    // What it is to show is said only now: by somebody who may still write about the patient.
                    let credentials = credentials.ok_or(Code::IdConflict)?;
                    access::patient::<Write>(c, credentials, Of::Media(file.id)).await?;
                    store::made(c, &file, &new, now).await?;
                    return store::own(c, who, new.id.into()).await;
                }
                Ok(_) => return Err(Code::IdConflict.into()),
                Err(AppError::Refused(_)) => {}
                Err(e) => return Err(e),
            }
            if new.kind != MediaKind::Document {
                return Err(AppError::field("kind"));
            }
            if store::taken(c, who, new.id.into()).await? {
                return Err(Code::IdConflict.into());
            }
            document(c).await?;
            store::announce(c, who, None, std::slice::from_ref(&new), now).await?;
            store::own(c, who, new.id.into()).await
        })
        .await?;
    status(&file)
}

/// How far an upload is.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn progress(app: &App, who: &SignedIn, id: MediaId) -> Result<UploadStatus, AppError> {
    status(&app.db.read(async |c| store::own(c, who, id.into()).await).await?)
}

fn status(file: &File) -> Result<UploadStatus, AppError> {
    Ok(UploadStatus {
        id: file.id.into(),
        offset: u64::try_from(file.received).unwrap_or(0),
        length: u64::try_from(file.length).unwrap_or(0),
        state: file.state()?,
        at: Timestamp(file.changed_at),
    })
}

/// Appends one chunk at `offset`, all of it or nothing; with the last byte the file is checked.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::OffsetConflict`] when the upload goes on elsewhere, or is over;
/// [`Code::StateConflict`] when the file was refused or given up; [`Code::BodyTooLarge`]; and, with the last byte, why the file is refused.
pub async fn append(
    app: &App,
    who: &SignedIn,
    id: MediaId,
    offset: u64,
    chunk: &[u8],
) -> Result<UploadStatus, AppError> {
    let file = app.db.read(async |c| store::own(c, who, id.into()).await).await?;
    if file.is_to_follow() {
        return Err(Code::MediaPending.into());
    }
    if file.state()? == MediaState::Pending && file.received == file.length {
        // All bytes are here, but the check was cut off: do it now.
        return conclude(app, who, &file).await;
    }
    if file.state()? == MediaState::Refused {
        // Nothing will make it good: whoever sends it need not try again.
        return Err(Code::StateConflict.into());
    }
    if file.state()? != MediaState::Pending || i64::try_from(offset).ok() != Some(file.received) {
        return Err(Code::OffsetConflict.into());
    }
    let length = i64::try_from(chunk.len()).unwrap_or(i64::MAX);
    if length == 0 || file.received.saturating_add(length) > file.length {
        return Err(Code::BodyTooLarge.into());
    }
    // A name of its own for every try: two that come at once do not overwrite each other.
    let object = format!("chunk/{}/{}/{}", file.municipality_id, file.id, Id::new());
    app.storage.put(&object, chunk).await?;
    let now = clock::now();
    let added = app.db.write(async |c| store::add_chunk(c, &file, length, &object, now).await).await;
    if !matches!(added, Ok(true)) {
        app.storage.remove(&object).await;
        added?;
        return Err(Code::OffsetConflict.into());
    }
    let file = File { received: file.received + length, changed_at: now, ..file };
    if file.received == file.length { conclude(app, who, &file).await } else { status(&file) }
}

/// Notes that the rest of a file will not come: nobody waits for it any more. Again changes nothing.
///
/// # Errors
/// [`Code::NotFound`]; [`Code::StateConflict`] for a file that is there.
pub async fn give_up(app: &App, who: &SignedIn, id: MediaId) -> Result<(), AppError> {
    let now = clock::now();
    let (chunks, poster) = app
        .db
        .write(async |c| {
            let file = store::own(c, who, id.into()).await?;
            let poster = name(&file, "thumbnail");
            match file.state()? {
                MediaState::Refused => return Ok((Vec::new(), poster)),
                MediaState::Pending => {}
                MediaState::Ready | MediaState::Unknown => return Err(Code::StateConflict.into()),
            }
            let chunks = store::chunks(c, &file).await?;
            store::finish(c, &file, None, now).await?;
            audit::record(c, who.actor(), "media.give_up", Some(file.id), "").await?;
            Ok((chunks, poster))
        })
        .await?;
    for name in chunks.iter().chain([&poster]) {
        app.storage.remove(name).await;
    }
    Ok(())
}

/// Takes in a document that a page's form brought, as a device would upload it; returns its id.
///
/// # Errors
/// [`Code::MediaTooLarge`], [`Code::MediaUnreadable`].
pub async fn keep_document(app: &App, who: &SignedIn, bytes: &[u8]) -> Result<MediaId, AppError> {
    let new = NewMedia {
        id: MediaId::new(),
        kind: MediaKind::Document,
        length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        sha256: hex::encode(Sha256::digest(bytes)),
        description: String::new(),
    };
    if new.length == 0 {
        return Err(Code::MediaUnreadable.into());
    }
    announce(app, who, None, &new).await?;
    let mut offset = 0;
    for chunk in bytes.chunks(limits::CHUNK_BYTES) {
        offset = append(app, who, new.id, offset, chunk).await?.offset;
    }
    Ok(new.id)
}

/// Puts the chunks together, checks the whole and keeps it, or throws it away.
async fn conclude(app: &App, who: &SignedIn, file: &File) -> Result<UploadStatus, AppError> {
    let names = app.db.read(async |c| store::chunks(c, file).await).await?;
    let mut whole = Zeroizing::new(Vec::with_capacity(usize::try_from(file.length).unwrap_or(0)));
    for name in &names {
        match app.storage.find(name).await? {
            Some(chunk) => whole.extend_from_slice(&chunk),
            None => return ended_elsewhere(app, who, file).await,
        }
    }
    let kind = file.kind()?;
    let digest = file.sha256.clone();
    let checked = tokio::task::spawn_blocking(move || {
        inspect(kind, &digest, &whole).map(|(facts, small)| (facts, small, whole))
    })
    .await
    .map_err(|_| AppError::from(Code::MediaUnreadable))?;
    let now = clock::now();
    let verdict = match checked {
        Ok((facts, small, whole)) => {
            app.storage.put(&name(file, "whole"), &whole).await?;
            if let Some(small) = small {
                app.storage.put(&name(file, "thumbnail"), &small).await?;
            }
            Ok(facts)
        }
        Err(code) => Err(code),
    };
    // Asked twice at once, or given up meanwhile: what stands, stands.
    let (ended, stands) = app
        .db
        .write(async |c| {
            let ended = store::finish(c, file, verdict.as_ref().ok(), now).await?;
            if ended {
                let action = if verdict.is_ok() { "media.keep" } else { "media.refuse" };
                audit::record(c, who.actor(), action, Some(file.id), "").await?;
            }
            Ok((ended, store::own(c, who, file.id).await?))
        })
        .await?;
    let ready = stands.state()? == MediaState::Ready;
    if !ready {
        for part in ["whole", "thumbnail"] {
            app.storage.remove(&name(file, part)).await;
        }
    }
    for name in &names {
        app.storage.remove(name).await;
    }
    match verdict {
        _ if ready => status(&stands),
        Err(code) if ended => Err(code.into()),
        _ => Err(Code::OffsetConflict.into()),
    }
}

/// What became of a file whose chunks are gone: whoever ends an upload takes them away.
async fn ended_elsewhere(app: &App, who: &SignedIn, file: &File) -> Result<UploadStatus, AppError> {
    let stands = app.db.read(async |c| store::own(c, who, file.id).await).await?;
    match stands.state()? {
        MediaState::Ready => status(&stands),
        MediaState::Refused | MediaState::Unknown => Err(Code::OffsetConflict.into()),
        MediaState::Pending => Err(AppError::internal("the media store lacks a chunk")),
    }
}

/// The object's name of a file or of its picture in small.
#[must_use]
pub fn name(file: &File, part: &str) -> String {
    format!("media/{}/{}/{part}", file.municipality_id, file.id)
}

fn inspect(kind: MediaKind, digest: &str, whole: &[u8]) -> Result<(Facts, Option<Vec<u8>>), Code> {
    if hex::encode(Sha256::digest(whole)) != digest {
        return Err(Code::ChecksumMismatch);
    }
    match kind {
        MediaKind::Photo => {
            let facts = photo::verify(whole, &photo::Limits::default()).map_err(|e| refusal(&e))?;
            let small = photo::thumbnail(whole, limits::THUMBNAIL_SIDE).map_err(|e| refusal(&e))?;
            let facts = Facts {
                width: Some(facts.width),
                height: Some(facts.height),
                duration_ms: None,
                content_type: "image/jpeg",
            };
            Ok((facts, Some(small)))
        }
        MediaKind::Video => {
            let facts = film::verify(whole, &film::Limits::default()).map_err(|e| refusal(&e))?;
            let facts = Facts {
                width: Some(facts.width),
                height: Some(facts.height),
                duration_ms: Some(facts.duration_ms),
                content_type: "video/mp4",
            };
            Ok((facts, None))
        }
        MediaKind::Document => {
            let most = usize::try_from(limits::DOCUMENT_BYTES).unwrap_or(usize::MAX);
            let kind = document::verify(whole, most).map_err(|e| refusal(&e))?;
            Ok((Facts { content_type: kind.media_type(), ..Facts::default() }, None))
        }
    }
}

pub(super) fn refusal(e: &MediaError) -> Code {
    match e {
        MediaError::TooLarge { .. } => Code::MediaTooLarge,
        MediaError::NotStripped { .. } => Code::MediaNotStripped,
        _ => Code::MediaUnreadable,
    }
}
