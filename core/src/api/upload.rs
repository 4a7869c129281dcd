//! Resumable upload, tus 1.0: ask for the offset, append a chunk. Not here: which chunk, and when.

use super::{ApiError, ApiResult, Care, decode, nothing, with_token};
use bytes::Bytes;
use renraku_wire::{MediaId, NewMedia, UploadStatus};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

/// How far an upload is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    /// Bytes that the server has.
    pub offset: u64,
    /// Bytes that were announced.
    pub length: u64,
}

impl Care {
    /// Announces a document, or what became of a file that a post said would follow. The same again announces
    /// nothing twice.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn announce(&self, media: &NewMedia) -> ApiResult<UploadStatus> {
        decode(self.http.send_json(self.request(Method::POST, &["v1", "media"]), media).await?).await
    }

    /// Asks how far an upload is.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn upload_offset(&self, id: MediaId) -> ApiResult<Offset> {
        let request = self.request(Method::HEAD, &["v1", "media", &id.to_string(), "upload"]);
        let answer = self.http.send(request.header("tus-resumable", "1.0.0")).await?;
        let offset = number(answer.headers(), "upload-offset")?;
        let length = number(answer.headers(), "upload-length")?;
        if offset > length {
            return Err(ApiError::Nonsense("the upload's offset"));
        }
        Ok(Offset { offset, length })
    }

    /// Says that a file will not come, or not wholly: `DELETE` as of tus's termination. Again changes nothing.
    ///
    /// # Errors
    /// As [`ApiError`] tells; `not_found`, `state_conflict` for a file that is there.
    pub async fn give_up(&self, id: MediaId) -> ApiResult<()> {
        let request = self.request(Method::DELETE, &["v1", "media", &id.to_string(), "upload"]);
        nothing(self.http.send(request.header("tus-resumable", "1.0.0")).await?)
    }

    /// Gives a film its poster, as long as the film is on its way. Again changes nothing.
    ///
    /// # Errors
    /// As [`ApiError`] tells; `not_found` for what is no film, `id_conflict`, `state_conflict` for a film that is
    /// there.
    pub async fn give_poster(&self, id: MediaId, jpeg: Vec<u8>) -> ApiResult<()> {
        let request = self.request(Method::PUT, &["v1", "media", &id.to_string(), "thumbnail"]);
        nothing(self.http.send(request.header(CONTENT_TYPE, "image/jpeg").body(jpeg)).await?)
    }

    /// Appends one chunk at an offset: all of it, or nothing. Gives the offset after it. With the last byte the
    /// server checks the file, and what it gives here is its consent.
    ///
    /// # Errors
    /// As [`ApiError`] tells; `offset_conflict` when the server is elsewhere, and the refusals of a finished
    /// file (`media_unreadable`, `media_not_stripped`, `checksum_mismatch` …).
    pub async fn upload_chunk(&self, id: MediaId, offset: u64, chunk: Bytes) -> ApiResult<u64> {
        let path = ["v1", "media", &id.to_string(), "upload"];
        let request = with_token(self.http.upload(Method::PATCH, &path), self.token.as_deref())
            .header("tus-resumable", "1.0.0")
            .header("upload-offset", offset)
            .header(CONTENT_TYPE, "application/offset+octet-stream")
            .body(chunk);
        number(self.http.send(request).await?.headers(), "upload-offset")
    }
}

fn number(headers: &HeaderMap, name: &str) -> ApiResult<u64> {
    let value = headers.get(name).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    value.ok_or(ApiError::Nonsense("the upload's headers"))
}
