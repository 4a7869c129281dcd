//! Handing a file out: whole, or the range that a film player asks for.

use super::store::{self, File};
use super::upload::name;
use crate::access::{self, Credentials, Of, Read, Secretariat};
use crate::audit;
use crate::db::Id;
use crate::error::AppError;
use crate::state::App;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use renraku_wire::{Code, MediaId, MediaKind, MediaState};
use std::ops::RangeInclusive;

/// Which of a file's two pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The file itself.
    Whole,
    /// A photo in small.
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
    hand_out(app, &file, part, headers).await
}

/// Hands out a document of the office's own files: who asks has found out that it is one. Opening it is
/// logged.
///
/// # Errors
/// [`Code::NotFound`].
pub async fn office_document(app: &App, office: &Secretariat, id: Id) -> Result<Response, AppError> {
    let file = app
        .db
        .write(async |c| {
            audit::record(c, office.actor(), "media.read", Some(id), "").await?;
            store::document(c, office, id).await
        })
        .await?;
    hand_out(app, &file, Part::Whole, &HeaderMap::new()).await
}

async fn hand_out(app: &App, file: &File, part: Part, headers: &HeaderMap) -> Result<Response, AppError> {
    let (object, media_type) = match part {
        Part::Whole => {
            (name(file, "whole"), file.content_type.as_deref().unwrap_or("application/octet-stream"))
        }
        Part::Thumbnail if file.kind()? == MediaKind::Photo => (name(file, "thumbnail"), "image/jpeg"),
        Part::Thumbnail => return Err(Code::NotFound.into()),
    };
    let bytes = app.storage.get(&object).await?;
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
            let part = bytes[range].to_vec();
            (StatusCode::PARTIAL_CONTENT, common, head, Body::from(part)).into_response()
        }
        Some(None) => {
            let head = [(header::CONTENT_RANGE, format!("bytes */{total}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, head).into_response()
        }
        None => (common, Body::from(bytes.to_vec())).into_response(),
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
