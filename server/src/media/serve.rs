//! Handing a file out: whole, or the range that a film player asks for.

use super::store::{self, File};
use super::upload::name;
use crate::access::{self, Credentials, Of, Read, Secretariat};
use crate::audit;
use crate::db::Id;
use crate::error::AppError;
use crate::seen::Seen;
use crate::state::App;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use renraku_wire::{Code, MediaId, MediaKind, MediaState};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Which of a file's two pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The file itself.
    Whole,
    /// A photo in small, or a film's poster.
    Thumbnail,
}

/// Hands out a patient's file. Opening the file itself is logged.
///
/// # Errors
/// The access's codes; [`Code::MediaPending`]; [`Code::NotFound`].
pub async fn serve(
    app: &App,
    credentials: &Credentials,
    id: MediaId,
    part: Part,
    headers: &HeaderMap,
) -> Result<Response, AppError> {
    let file: File = app
        .db
        .write(async |c| {
            let access = access::patient::<Read>(c, credentials, Of::Media(id.into())).await?;
            if part == Part::Whole {
                audit::record(c, access.actor(), "media.read", Some(id.into()), "").await?;
            }
            store::of_patient(c, &access, id.into()).await
        })
        .await?;
    match file.state()? {
        MediaState::Ready => {}
        MediaState::Pending => return Err(Code::MediaPending.into()),
        MediaState::Refused | MediaState::Unknown => return Err(Code::NotFound.into()),
    }
    let watch = Watch::Patient(unseen(credentials), id);
    hand_out(app, &file, part, headers, watch).await
}

/// Hands out a document of the office's own files: who asks has found out that it is one. Opening it is
/// logged.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn office_document(
    app: &App,
    office: &Secretariat,
    credentials: &Credentials,
    id: Id,
) -> Result<Response, AppError> {
    let file = app
        .db
        .write(async |c| {
            audit::record(c, office.actor(), "media.read", Some(id), "").await?;
            store::document(c, office, id).await
        })
        .await?;
    hand_out(app, &file, Part::Whole, &HeaderMap::new(), Watch::Office(unseen(credentials))).await
}

/// The same credentials; that they are looked at again is no use of the session.
fn unseen(credentials: &Credentials) -> Credentials {
    Credentials { seen: Seen::default(), ..credentials.clone() }
}

/// Whose access a body depends on while it is on its way.
enum Watch {
    /// Of a patient's file.
    Patient(Credentials, MediaId),
    /// Of the office's own files.
    Office(Credentials),
}

impl Watch {
    /// Asks again for the access that opened the file.
    async fn again(&self, app: &App) -> Result<(), AppError> {
        app.db
            .read(async |c| match self {
                Self::Patient(credentials, id) => {
                    access::patient::<Read>(c, credentials, Of::Media(Id::from(*id))).await.map(|_| ())
                }
                Self::Office(credentials) => {
                    access::signed_in(c, credentials).await?.secretariat().map(|_| ())
                }
            })
            .await
    }
}

/// What is sent at once, before a slow reader is waited for.
const PIECE: usize = 64 * 1024;
/// How old an access may be for the next piece.
const STALE: Duration = Duration::from_secs(1);
/// How old it may become while the database cannot be asked.
const UNSURE: Duration = Duration::from_secs(10);

/// Whether a failed question says nothing about the access.
fn unsure(e: &AppError) -> bool {
    match e {
        AppError::Refused(problem) => problem.code == Code::Unavailable,
        AppError::Db(_) | AppError::Internal(_) => true,
    }
}

/// The body in pieces. A film may be read for minutes: whoever is revoked, suspended or taken out of the team
/// meanwhile gets no further piece, and the body ends with an error, so that nobody takes it for whole.
fn body(app: &App, bytes: Zeroizing<Vec<u8>>, range: RangeInclusive<usize>, watch: Watch) -> Body {
    let (start, end) = (*range.start(), *range.end() + 1);
    if end - start <= PIECE {
        return Body::from(bytes[start..end].to_vec());
    }
    let held = Arc::new((app.clone(), bytes, watch));
    Body::from_stream(stream::try_unfold((start, Instant::now()), move |(at, asked)| {
        let held = held.clone();
        async move {
            let (app, bytes, watch) = &*held;
            if at >= end {
                return Ok(None);
            }
            let mut asked = asked;
            if asked.elapsed() >= STALE {
                match watch.again(app).await {
                    Ok(()) => asked = Instant::now(),
                    // A hiccup of the database ends nobody's access; one that lasts does.
                    Err(e) if unsure(&e) && asked.elapsed() < UNSURE => {
                        let _ = e.into_problem();
                    }
                    Err(e) => {
                        let _ = e.into_problem();
                        return Err(std::io::Error::other("the access has ended"));
                    }
                }
            }
            let next = end.min(at + PIECE);
            Ok::<_, std::io::Error>(Some((Bytes::copy_from_slice(&bytes[at..next]), (next, asked))))
        }
    }))
}

async fn hand_out(
    app: &App,
    file: &File,
    part: Part,
    headers: &HeaderMap,
    watch: Watch,
) -> Result<Response, AppError> {
    let (object, media_type) = match part {
        Part::Whole => {
            (name(file, "whole"), file.content_type.as_deref().unwrap_or("application/octet-stream"))
        }
        Part::Thumbnail if file.kind()? != MediaKind::Document => (name(file, "thumbnail"), "image/jpeg"),
        Part::Thumbnail => return Err(Code::NotFound.into()),
    };
    // A film may have come without a poster.
    let may_lack = part == Part::Thumbnail && file.kind()? == MediaKind::Video;
    let bytes = match app.storage.find(&object).await? {
        None if may_lack => return Err(Code::NotFound.into()),
        None => return Err(AppError::internal("the media store lacks a file")),
        Some(bytes) => bytes,
    };
    let common = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    let total = bytes.len();
    let asked = headers.get(header::RANGE).and_then(|v| v.to_str().ok());
    Ok(match asked.map(|text| range(text, total)) {
        Some(Some(range)) => {
            let head = [(header::CONTENT_RANGE, format!("bytes {}-{}/{total}", range.start(), range.end()))];
            let length = [(header::CONTENT_LENGTH, range.clone().count().to_string())];
            let body = body(app, bytes, range, watch);
            (StatusCode::PARTIAL_CONTENT, common, head, length, body).into_response()
        }
        Some(None) => {
            let head = [(header::CONTENT_RANGE, format!("bytes */{total}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, head).into_response()
        }
        None if total == 0 => common.into_response(),
        None => {
            let length = [(header::CONTENT_LENGTH, total.to_string())];
            (common, length, body(app, bytes, 0..=total - 1, watch)).into_response()
        }
    })
}

/// One range of RFC 9110; several at once are answered as none that fits.
fn range(text: &str, total: usize) -> Option<RangeInclusive<usize>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let end = total.checked_sub(1)?;
    let range = match (first.trim(), last.trim()) {
        ("", suffix) => total.saturating_sub(suffix.parse().ok().filter(|n| *n > 0)?)..=end,
        (first, "") => first.parse().ok()?..=end,
        (first, last) => first.parse().ok()?..=last.parse::<usize>().ok()?.min(end),
    };
    (range.start() <= range.end() && *range.start() < total).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges_as_players_ask_for_them() {
        assert_eq!(range("bytes=0-", 10), Some(0..=9));
        assert_eq!(range("bytes=2-3", 10), Some(2..=3));
        assert_eq!(range("bytes=2-99", 10), Some(2..=9));
        assert_eq!(range("bytes=-4", 10), Some(6..=9));
        assert_eq!(range("bytes=-40", 10), Some(0..=9));
        for bad in
            ["bytes=10-", "bytes=5-4", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1", "bytes=-0", "bytes=-"]
        {
            assert_eq!(range(bad, 10), None, "{bad}");
        }
        assert_eq!(range("bytes=0-", 0), None);
    }
}
