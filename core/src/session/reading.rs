//! Reading: patients, timelines, pictures. From the server where it is reached, else from what it said last.

use super::{Seen, Session, unreached};
use crate::Cancel;
use crate::api::ApiResult;
use crate::error::CoreError;
use crate::runtime::unless_cancelled;
use crate::store::{StoreResult, cache, session};
use diesel::SqliteConnection;
use renraku_wire::limits::{PHOTO_BYTES, TIMELINE_PAGE};
use renraku_wire::{MediaId, Patient, PatientId, PatientSummary, Post, PostId, PostPage, ReceiptList};
use std::future::Future;
use std::path::{Path, PathBuf};

/// A page of the store is marked so, to tell it from the server's.
const STORED: &str = "stored:";

impl Session {
    /// The patients whom this person may see, newest post first.
    ///
    /// # Errors
    /// `Offline` when nothing was seen yet, `SignedOut`, `Certificate`, `Storage`: with `LeaseOver` when the
    /// server was not reached for longer than the town allows, with `ClockSetBack` when the clock was.
    pub async fn patients(&self) -> Result<Seen<Vec<PatientSummary>>, CoreError> {
        let fresh = async { Ok(self.care.patients().await?.patients) };
        let keep = |tx: &mut SqliteConnection, list: &Vec<PatientSummary>| cache::put_patients(tx, list);
        self.seen(fresh, keep, |connection| {
            let list = cache::patients(connection)?;
            Ok((!list.is_empty()).then_some(list))
        })
        .await
    }

    /// One patient with the team.
    ///
    /// # Errors
    /// As [`Session::patients`], and `NotFound`.
    pub async fn patient(&self, id: PatientId) -> Result<Seen<Patient>, CoreError> {
        self.seen(self.care.patient(id), cache::put_patient, move |c| cache::patient(c, id)).await
    }

    /// One page of a patient's timeline, newest first. `before` is the `next` of the page before.
    ///
    /// # Errors
    /// As [`Session::patients`], and `NotFound`.
    pub async fn timeline(
        &self,
        patient: PatientId,
        before: Option<&str>,
    ) -> Result<Seen<PostPage>, CoreError> {
        if let Some(skip) = before.and_then(|cursor| cursor.strip_prefix(STORED)) {
            let skip = skip.parse().map_err(|_| CoreError::invalid("before"))?;
            self.within_lease().await?;
            let page = self.desk.store.read(move |c| stored_page(c, patient, skip)).await?;
            return page.map(|value| Seen { value, stale: true }).ok_or(CoreError::Offline { code: None });
        }
        let first = before.is_none();
        let keep = |tx: &mut SqliteConnection, page: &PostPage| cache::put_posts(tx, &page.posts);
        self.seen(self.care.posts(patient, before), keep, move |c| {
            if first { stored_page(c, patient, 0) } else { Ok(None) }
        })
        .await
    }

    /// One post.
    ///
    /// # Errors
    /// As [`Session::patients`], and `NotFound`.
    pub async fn post(&self, id: PostId) -> Result<Seen<Post>, CoreError> {
        let keep = |tx: &mut SqliteConnection, post: &Post| cache::put_posts(tx, std::slice::from_ref(post));
        let seen = self.seen(self.care.post_by_id(id), keep, move |c| cache::post(c, id)).await;
        if matches!(seen, Err(CoreError::NotFound)) {
            self.desk.store.write(move |tx| cache::forget_post(tx, id)).await?;
        }
        seen
    }

    /// Who has read a post; for its author and the lead. Only with the server.
    ///
    /// # Errors
    /// `Offline`, `NotFound`, `Conflict`, `SignedOut`, `Certificate`.
    pub async fn receipts(&self, id: PostId) -> Result<ReceiptList, CoreError> {
        Ok(self.care.receipts(id).await?)
    }

    /// A picture in small as JPEG, or the poster of a film that was sent from this device. Kept sealed for the
    /// next time.
    ///
    /// # Errors
    /// `Offline`, `NotFound` (of a film that came from elsewhere, too), `Media` when it has not arrived yet,
    /// `SignedOut`, `Certificate`.
    pub async fn thumbnail(&self, id: MediaId) -> Result<Vec<u8>, CoreError> {
        if let Some(kept) = self.kept(id, true).await? {
            return Ok(kept);
        }
        let bytes = self.care.thumbnail(id).await?;
        let (kept, now) = (bytes.clone(), self.now());
        self.desk.store.write(move |tx| cache::put_picture(tx, id, true, &kept, now)).await?;
        Ok(bytes)
    }

    /// Writes a picture, film or document into a new file, **in the clear**: `to` must be in a folder of the
    /// app's own, and the caller removes it after showing it. Photos are kept sealed for the next time.
    /// Gives the length in bytes. A film may take minutes: `cancel` stops it, and nothing of it stays.
    ///
    /// # Errors
    /// As [`Session::thumbnail`], `Media` without a code when cancelled, and `Storage` when `to` exists or cannot
    /// be written.
    pub async fn media(&self, id: MediaId, to: &Path, cancel: &Cancel) -> Result<u64, CoreError> {
        let path = to.to_path_buf();
        if let Some(kept) = self.kept(id, false).await? {
            let length = kept.len() as u64;
            crate::runtime::block(move || write_new(&path, &kept)).await??;
            return Ok(length);
        }
        let fetched = unless_cancelled(self.care.media(id, to), cancel).await;
        let length = fetched.ok_or(CoreError::Media { code: None })??;
        if length <= PHOTO_BYTES {
            let bytes = crate::runtime::block(move || std::fs::read(&path)).await??;
            if bytes.starts_with(&[0xFF, 0xD8]) {
                let now = self.now();
                self.desk.store.write(move |tx| cache::put_picture(tx, id, false, &bytes, now)).await?;
            }
        }
        Ok(length)
    }

    async fn kept(&self, id: MediaId, small: bool) -> Result<Option<Vec<u8>>, CoreError> {
        let kept = self.desk.store.read(move |c| cache::picture(c, id, small)).await?;
        if kept.is_some() {
            self.within_lease().await?;
        }
        Ok(kept)
    }

    /// Asks the server and keeps its answer; without the server gives what was kept.
    async fn seen<T, K, L>(
        &self,
        fresh: impl Future<Output = ApiResult<T>>,
        keep: K,
        load: L,
    ) -> Result<Seen<T>, CoreError>
    where
        T: Send + 'static,
        K: FnOnce(&mut SqliteConnection, &T) -> StoreResult<()> + Send + 'static,
        L: FnOnce(&mut SqliteConnection) -> StoreResult<Option<T>> + Send + 'static,
    {
        match fresh.await {
            Ok(value) => {
                let (store, now, window) = (&self.desk.store, self.now(), self.window());
                let value = store.write(move |tx| {
                    session::contact(tx, now)?;
                    keep(tx, &value)?;
                    cache::prune(tx, window, now)?;
                    Ok(value)
                });
                Ok(Seen { value: value.await?, stale: false })
            }
            Err(e) if unreached(&e) => {
                self.within_lease().await?;
                let kept = self.desk.store.read(load).await?;
                kept.map(|value| Seen { value, stale: true }).ok_or_else(|| e.into())
            }
            Err(e) => Err(e.into()),
        }
    }
}

fn stored_page(
    connection: &mut SqliteConnection,
    patient: PatientId,
    skip: u32,
) -> StoreResult<Option<PostPage>> {
    let mut posts = cache::posts(connection, patient, skip.into(), TIMELINE_PAGE as i64 + 1)?;
    let more = posts.len() > TIMELINE_PAGE;
    posts.truncate(TIMELINE_PAGE);
    let next = more.then(|| format!("{STORED}{}", skip as usize + TIMELINE_PAGE));
    Ok((!posts.is_empty()).then_some(PostPage { posts, next }))
}

fn write_new(path: &PathBuf, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}
