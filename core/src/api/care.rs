//! The care host: signing in, patients, posts, receipts, notices, pictures.
//! Not here: administration (admin) and uploads (upload).

use super::{ApiError, ApiResult, Http, decode, nothing, with_token};
use renraku_wire::limits::VIDEO_BYTES;
use renraku_wire::{
    CertificateIssued, MediaId, NewPatient, NewPost, NewReceipt, Notice, NoticeId, PasswordChange, Patient,
    PatientId, PatientList, PatientRegistered, Post, PostId, PostPage, PushRegistration, ReceiptList,
    SessionOpened, SignIn, Staff,
};
use reqwest::{Method, RequestBuilder};
use std::path::Path;
use tokio::io::AsyncWriteExt;
use zeroize::Zeroizing;

/// A client of the care host, with or without a session. Cheap to clone.
#[derive(Clone)]
pub struct Care {
    pub(super) http: Http,
    pub(super) token: Option<std::sync::Arc<Zeroizing<String>>>,
}

impl std::fmt::Debug for Care {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Care").field("signed_in", &self.token.is_some()).finish_non_exhaustive()
    }
}

impl Care {
    /// Prepares the way to `base` (`https://host:port`); connects on the first call.
    ///
    /// # Errors
    /// [`ApiError::Nonsense`] when `base` is not an `https` address.
    pub fn new(tls: rustls::ClientConfig, base: &str) -> ApiResult<Self> {
        Ok(Self { http: Http::new(tls, base)?, token: None })
    }

    /// The same, telling when the certificate seems to be at its end.
    #[must_use]
    pub(crate) fn watched(mut self, on_ended: super::OnEnded) -> Self {
        self.http.on_ended = Some(on_ended);
        self
    }

    /// The same host with this session's token, over the same connections. Its end is not told to whoever
    /// watches another session.
    #[must_use]
    pub fn with_session(&self, token: String) -> Self {
        let mut http = self.http.clone();
        http.on_over = None;
        Self { http, token: Some(std::sync::Arc::new(Zeroizing::new(token))) }
    }

    /// The same, telling when the care host says that this session is over.
    #[must_use]
    pub(crate) fn until_over(mut self, on_over: super::OnOver) -> Self {
        self.http.on_over = Some(on_over);
        self
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.as_str())
    }

    pub(super) fn request(&self, method: Method, segments: &[&str]) -> RequestBuilder {
        with_token(self.http.request(method, segments), self.token.as_deref())
    }

    /// Opens a session: `POST /v1/session`.
    ///
    /// # Errors
    /// As [`ApiError`] tells; `sign_in_refused` and `account_locked` among the refusals.
    pub async fn sign_in(&self, sign_in: &SignIn) -> ApiResult<SessionOpened> {
        decode(self.http.send_json(self.request(Method::POST, &["v1", "session"]), sign_in).await?).await
    }

    /// Who is signed in: `GET /v1/session`.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn me(&self) -> ApiResult<Staff> {
        decode(self.http.send(self.request(Method::GET, &["v1", "session"])).await?).await
    }

    /// Ends the session: `DELETE /v1/session`.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn sign_out(&self) -> ApiResult<()> {
        nothing(self.http.send(self.request(Method::DELETE, &["v1", "session"])).await?)
    }

    /// Asks for this device's next certificate, for a new key: `POST /v1/devices/current/certificate`. The
    /// person signed in vouches. The same key again gets the same certificate again.
    ///
    /// # Errors
    /// As [`ApiError`] tells; the CSR's codes and "too early" among the refusals.
    pub async fn renew_certificate(&self, csr: &str) -> ApiResult<CertificateIssued> {
        let path = ["v1", "devices", "current", "certificate"];
        let body = serde_json::json!({ "csr": csr });
        decode(self.http.send_json(self.request(Method::POST, &path), &body).await?).await
    }

    /// Changes the own password.
    ///
    /// # Errors
    /// As [`ApiError`] tells; `password_weak` and `sign_in_refused` among the refusals.
    pub async fn change_password(&self, change: &PasswordChange) -> ApiResult<()> {
        let request = self.request(Method::POST, &["v1", "session", "password"]);
        nothing(self.http.send_json(request, change).await?)
    }

    /// Tells where pushes for this person on this device go.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn register_push(&self, push: &PushRegistration) -> ApiResult<()> {
        let request = self.request(Method::PUT, &["v1", "session", "push"]);
        nothing(self.http.send_json(request, push).await?)
    }

    /// The patients whom this person may see.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn patients(&self) -> ApiResult<PatientList> {
        decode(self.http.send(self.request(Method::GET, &["v1", "patients"])).await?).await
    }

    /// One patient with the team.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn patient(&self, id: PatientId) -> ApiResult<Patient> {
        decode(self.http.send(self.request(Method::GET, &["v1", "patients", &id.to_string()])).await?).await
    }

    /// Registers a patient with consent and team.
    ///
    /// # Errors
    /// As [`ApiError`] tells; `consent_missing` and `team_invalid` among the refusals.
    pub async fn register_patient(&self, patient: &NewPatient) -> ApiResult<PatientRegistered> {
        decode(self.http.send_json(self.request(Method::POST, &["v1", "patients"]), patient).await?).await
    }

    /// One page of a timeline, newest first. `before` is the `next` of the page before.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn posts(&self, patient: PatientId, before: Option<&str>) -> ApiResult<PostPage> {
        let mut url = self.http.url(&["v1", "patients", &patient.to_string(), "posts"]);
        if let Some(before) = before {
            url.query_pairs_mut().append_pair("before", before);
        }
        let request = with_token(self.http.client.get(url).timeout(super::EXCHANGE), self.token.as_deref());
        decode(self.http.send(request).await?).await
    }

    /// Sends a post. The same id again stores nothing twice.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn post(&self, patient: PatientId, post: &NewPost) -> ApiResult<Post> {
        let path = ["v1", "patients", &patient.to_string(), "posts"];
        decode(self.http.send_json(self.request(Method::POST, &path), post).await?).await
    }

    /// One post: `GET /v1/posts/{id}`.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn post_by_id(&self, id: PostId) -> ApiResult<Post> {
        decode(self.http.send(self.request(Method::GET, &["v1", "posts", &id.to_string()])).await?).await
    }

    /// Says that the person saw a post, and 👍.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn put_receipt(&self, post: PostId, receipt: &NewReceipt) -> ApiResult<()> {
        let path = ["v1", "posts", &post.to_string(), "receipt"];
        nothing(self.http.send_json(self.request(Method::PUT, &path), receipt).await?)
    }

    /// Who has read a post; for its author and the lead.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn receipts(&self, post: PostId) -> ApiResult<ReceiptList> {
        let path = ["v1", "posts", &post.to_string(), "receipts"];
        decode(self.http.send(self.request(Method::GET, &path)).await?).await
    }

    /// What a push was about.
    ///
    /// # Errors
    /// As [`ApiError`] tells.
    pub async fn notice(&self, id: NoticeId) -> ApiResult<Notice> {
        decode(self.http.send(self.request(Method::GET, &["v1", "notices", &id.to_string()])).await?).await
    }

    /// A thumbnail or a poster, as JPEG.
    ///
    /// # Errors
    /// As [`ApiError`] tells; `media_pending` among the refusals.
    pub async fn thumbnail(&self, id: MediaId) -> ApiResult<Vec<u8>> {
        super::read(
            self.http.send(self.request(Method::GET, &["v1", "media", &id.to_string(), "thumbnail"])).await?,
        )
        .await
    }

    /// Writes a picture, film or document into a new file at `to`. Part of a file never stays behind.
    /// Gives its length in bytes.
    ///
    /// # Errors
    /// As [`ApiError`] tells; [`ApiError::File`] when `to` exists or cannot be written, [`ApiError::Full`].
    pub async fn media(&self, id: MediaId, to: &Path) -> ApiResult<u64> {
        let request = self.request(Method::GET, &["v1", "media", &id.to_string()]);
        // A film takes as long as it takes; the silence between two packets is bounded all the same.
        let answer = self.http.send(request.timeout(std::time::Duration::from_secs(24 * 3600))).await?;
        let announced = answer.content_length();
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(to).await.map_err(file_error)?;
        let part = Part(Some(to));
        let length = pour(answer, file).await?;
        if announced.is_some_and(|announced| announced != length) {
            return Err(ApiError::Offline { sent: true });
        }
        part.keep();
        Ok(length)
    }
}

async fn pour(mut answer: reqwest::Response, mut file: tokio::fs::File) -> ApiResult<u64> {
    let mut length = 0;
    while let Some(bytes) = answer.chunk().await.map_err(|e| ApiError::from_transport(&e))? {
        length += bytes.len() as u64;
        if length > VIDEO_BYTES {
            return Err(ApiError::Nonsense("more than any file has"));
        }
        file.write_all(&bytes).await.map_err(file_error)?;
    }
    file.sync_all().await.map_err(file_error)?;
    Ok(length)
}

fn file_error(e: std::io::Error) -> ApiError {
    match e.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ApiError::Full,
        _ => ApiError::File,
    }
}

/// Removes a file that was not finished, on every way out, a cancelled call too.
struct Part<'a>(Option<&'a Path>);

impl Part<'_> {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}
