//! Pictures, films and documents, and their resumable upload (tus 1.0).
//!
//! `POST /v1/media` announces a document (a post announces its own media, or that they will follow: then this
//! completes the announcement of each); `HEAD /v1/media/{id}/upload`
//! answers `Upload-Offset` and `Upload-Length`; `PATCH /v1/media/{id}/upload` with
//! `Content-Type: application/offset+octet-stream` and `Upload-Offset` appends one chunk, all of it or
//! nothing. With the last byte the server checks length, digest and content, and only then is it there. `DELETE`
//! of the same says that the rest will not come.

use crate::{MediaId, Timestamp};
use serde::{Deserialize, Serialize};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// JPEG, upright, stripped.
    Photo,
    /// MP4, H.264 and AAC, fast start, stripped.
    Video,
    /// PDF, JPEG or PNG: a consent.
    Document,
}

/// A file announced.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewMedia {
    /// Made by the device: announcing twice stores once.
    pub id: MediaId,
    /// What it is.
    pub kind: MediaKind,
    /// Length in bytes; 0, with an empty `sha256`, for a picture or film of a post that is not made yet.
    pub length: u64,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// What it shows, for those who cannot see it. May be empty.
    pub description: String,
}

impl NewMedia {
    /// True for a file that is not made yet, and follows its post.
    #[must_use]
    pub fn is_to_follow(&self) -> bool {
        self.length == 0 && self.sha256.is_empty()
    }
}

impl std::fmt::Debug for NewMedia {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMedia")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

/// Where a file stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MediaState {
    /// Announced; its bytes have not all arrived.
    Pending,
    /// There.
    Ready,
    /// Its bytes arrived and were refused; nothing of them is kept.
    Refused,
    /// A state of a newer server.
    #[serde(other)]
    Unknown,
}

/// A file as the team sees it. Its bytes: `GET /v1/media/{id}`; a photo in small:
/// `GET /v1/media/{id}/thumbnail`; so does the poster of a film whose device gave one, which
/// `PUT /v1/media/{id}/thumbnail` takes until the film is there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Media {
    /// Its id.
    pub id: MediaId,
    /// What it is.
    pub kind: MediaKind,
    /// Where it stands.
    pub state: MediaState,
    /// Length in bytes.
    pub length: u64,
    /// Width in pixels, once known.
    pub width: Option<u32>,
    /// Height in pixels, once known.
    pub height: Option<u32>,
    /// A film's length in milliseconds, once known.
    pub duration_ms: Option<u64>,
    /// What it shows.
    pub description: String,
}

impl std::fmt::Debug for Media {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Media").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// Answer of `POST /v1/media`: where the upload begins, or goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadStatus {
    /// The file.
    pub id: MediaId,
    /// Bytes that the server has.
    pub offset: u64,
    /// Bytes that were announced.
    pub length: u64,
    /// Where it stands.
    pub state: MediaState,
    /// When the server last took a chunk.
    pub at: Timestamp,
}
