//! Files over HTTP.

use super::serve::{self, Part};
use super::{poster, upload};
use crate::access::{Credentials, SignedIn};
use crate::error::AppError;
use crate::input::{Body, PathId, body_code};
use crate::state::App;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use renraku_wire::{Code, MediaId, NewMedia, UploadStatus};

const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");

fn tus(status: StatusCode, upload: &UploadStatus) -> Response {
    let head = [
        (RESUMABLE, "1.0.0".to_owned()),
        (OFFSET, upload.offset.to_string()),
        (LENGTH, upload.length.to_string()),
    ];
    (status, [("cache-control", "no-store")], head).into_response()
}

/// Announces a document, or what became of a file that a post said would follow.
#[utoipa::path(post, path = "/v1/media", tag = "media", request_body = NewMedia,
    responses((status = 201, body = UploadStatus)))]
pub async fn announce(
    State(app): State<App>,
    who: SignedIn,
    credentials: Credentials,
    Body(body): Body<NewMedia>,
) -> Result<(StatusCode, Json<UploadStatus>), AppError> {
    Ok((StatusCode::CREATED, Json(upload::announce(&app, &who, Some(&credentials), &body).await?)))
}

/// How far an upload is: `Upload-Offset`, `Upload-Length`.
#[utoipa::path(head, path = "/v1/media/{id}/upload", tag = "media",
    params(("id" = MediaId, Path)), responses((status = 200)))]
pub async fn progress(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<MediaId>,
) -> Result<Response, AppError> {
    Ok(tus(StatusCode::OK, &upload::progress(&app, &who, id).await?))
}

/// Appends one chunk (`application/offset+octet-stream`) at `Upload-Offset`.
#[utoipa::path(patch, path = "/v1/media/{id}/upload", tag = "media",
    params(("id" = MediaId, Path)), request_body(content_type = "application/offset+octet-stream"),
    responses((status = 204)))]
pub async fn append(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<MediaId>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, AppError> {
    let offset = headers
        .get(&OFFSET)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse().ok())
        .ok_or(Code::RequestMalformed)?;
    let chunk = body.map_err(|e| body_code(e.status().as_u16()))?;
    Ok(tus(StatusCode::NO_CONTENT, &upload::append(&app, &who, id, offset, &chunk).await?))
}

/// Says that the rest of a file will not come.
#[utoipa::path(delete, path = "/v1/media/{id}/upload", tag = "media",
    params(("id" = MediaId, Path)), responses((status = 204)))]
pub async fn give_up(
    State(app): State<App>,
    who: SignedIn,
    PathId(id): PathId<MediaId>,
) -> Result<StatusCode, AppError> {
    upload::give_up(&app, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A file's bytes; a single `Range` is served.
#[utoipa::path(get, path = "/v1/media/{id}", tag = "media",
    params(("id" = MediaId, Path)), responses((status = 200), (status = 206)))]
pub async fn whole(
    State(app): State<App>,
    credentials: Credentials,
    PathId(id): PathId<MediaId>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    serve::serve(&app, &credentials, id, Part::Whole, &headers).await
}

/// A photo in small, or a film's poster.
#[utoipa::path(get, path = "/v1/media/{id}/thumbnail", tag = "media",
    params(("id" = MediaId, Path)), responses((status = 200, content_type = "image/jpeg")))]
pub async fn thumbnail(
    State(app): State<App>,
    credentials: Credentials,
    PathId(id): PathId<MediaId>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    serve::serve(&app, &credentials, id, Part::Thumbnail, &headers).await
}

/// Gives a film its poster, a JPEG like a photo's thumbnail, before the film's last byte.
#[utoipa::path(put, path = "/v1/media/{id}/thumbnail", tag = "media",
    params(("id" = MediaId, Path)), request_body(content_type = "image/jpeg"), responses((status = 204)))]
pub async fn give_poster(
    State(app): State<App>,
    who: SignedIn,
    credentials: Credentials,
    PathId(id): PathId<MediaId>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, AppError> {
    let bytes = body.map_err(|e| body_code(e.status().as_u16()))?;
    poster::keep(&app, &who, &credentials, id, bytes.into()).await?;
    Ok(StatusCode::NO_CONTENT)
}
