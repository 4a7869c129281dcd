//! Reading: patients, timelines, pictures. From the server where it is reached, else from what it said last; and,
//! for a screen that shall not wait to find that out, from what it said last alone (`…_last_seen`).

use super::clear::Clear;
use super::{Seen, Session, lease_end, unreached};
use crate::Cancel;
use crate::api::{ApiError, ApiResult};
use crate::error::CoreError;
use crate::runtime::unless_cancelled;
use crate::store::cache::{self, Kept};
use crate::store::{Store, StoreError, StoreResult, session};
use diesel::SqliteConnection;
use renraku_wire::limits::{PHOTO_BYTES, TIMELINE_PAGE};
use renraku_wire::{
    Code, MediaId, Patient, PatientId, PatientSummary, Post, PostId, PostPage, ReceiptList, Timestamp,
};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What every JPEG begins with.
const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF];
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
        self.seen(fresh, |tx, list: &Vec<_>, now| cache::put_patients(tx, list, now), cache::patients).await
    }

    /// The patients as last seen, at once: from the sealed store, whatever the network does. None when there was
    /// no list yet.
    ///
    /// # Errors
    /// `SignedOut` when this session is over, `Storage`: with `LeaseOver` and `ClockSetBack` as
    /// [`Session::patients`].
    pub async fn patients_last_seen(&self) -> Result<Option<Seen<Vec<PatientSummary>>>, CoreError> {
        self.last_seen(cache::patients).await
    }

    /// One patient with the team.
    ///
    /// # Errors
    /// As [`Session::patients`], and `NotFound`.
    pub async fn patient(&self, id: PatientId) -> Result<Seen<Patient>, CoreError> {
        let fresh = async {
            let patient = self.care.patient(id).await?;
            if patient.id == id { Ok(patient) } else { Err(ApiError::Nonsense("another patient")) }
        };
        let seen = self.seen(fresh, cache::put_patient, move |c| cache::patient(c, id)).await;
        self.gone_is_forgotten(id, seen).await
    }

    /// One patient as last seen, at once. None for one whose page was not opened before, or is not kept any more.
    ///
    /// # Errors
    /// As [`Session::patients_last_seen`].
    pub async fn patient_last_seen(&self, id: PatientId) -> Result<Option<Seen<Patient>>, CoreError> {
        self.last_seen(move |c| cache::patient(c, id)).await
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
        if before.is_some_and(|cursor| cursor.starts_with(STORED)) {
            let page = self.timeline_last_seen(patient, before).await?;
            return page.ok_or(CoreError::Offline { code: None });
        }
        let first = before.is_none();
        let keep =
            |tx: &mut SqliteConnection, page: &PostPage, now| cache::put_posts(tx, &page.posts, Some(now));
        let fresh = async {
            let page = self.care.posts(patient, before).await?;
            let are_theirs = page.posts.iter().all(|post| post.patient_id == patient);
            if are_theirs { Ok(page) } else { Err(ApiError::Nonsense("another patient's posts")) }
        };
        let load = move |c: &mut SqliteConnection| if first { stored_page(c, patient, 0) } else { Ok(None) };
        let seen = self.seen(fresh, keep, load).await;
        self.gone_is_forgotten(patient, seen).await
    }

    /// One page of a patient's timeline as last seen, at once. `before` is the `next` of such a page; the server's
    /// own leads to none here. It is as old as the oldest of its posts. None when nothing is kept there.
    ///
    /// # Errors
    /// As [`Session::patients_last_seen`]; `Invalid` for a `before` that no page gave.
    pub async fn timeline_last_seen(
        &self,
        patient: PatientId,
        before: Option<&str>,
    ) -> Result<Option<Seen<PostPage>>, CoreError> {
        let skip = match before.map(|cursor| cursor.strip_prefix(STORED)) {
            None => 0,
            Some(Some(skip)) => skip.parse().map_err(|_| CoreError::invalid("before"))?,
            Some(None) => return Ok(None),
        };
        self.last_seen(move |c| stored_page(c, patient, skip)).await
    }

    /// One post.
    ///
    /// # Errors
    /// As [`Session::patients`], and `NotFound`.
    pub async fn post(&self, id: PostId) -> Result<Seen<Post>, CoreError> {
        let keep = |tx: &mut SqliteConnection, post: &Post, now| {
            cache::put_posts(tx, std::slice::from_ref(post), Some(now))
        };
        let fresh = async {
            let post = self.care.post_by_id(id).await?;
            if post.id == id { Ok(post) } else { Err(ApiError::Nonsense("another post")) }
        };
        let seen = self.seen(fresh, keep, move |c| cache::post(c, id)).await;
        if matches!(seen, Err(CoreError::NotFound)) {
            let _ = self.desk.store.write(move |tx| cache::forget_post(tx, id)).await;
        }
        seen
    }

    /// One post as last seen, at once. None when it is not kept.
    ///
    /// # Errors
    /// As [`Session::patients_last_seen`].
    pub async fn post_last_seen(&self, id: PostId) -> Result<Option<Seen<Post>>, CoreError> {
        self.last_seen(move |c| cache::post(c, id)).await
    }

    /// Who has read a post; for its author and the lead. Only with the server.
    ///
    /// # Errors
    /// `Offline`, `NotFound`, `Conflict`, `SignedOut`, `Certificate`; `Storage` with `Locked` when the store was
    /// closed: then this session tells nothing more.
    pub async fn receipts(&self, id: PostId) -> Result<ReceiptList, CoreError> {
        if self.desk.store.is_closed() {
            return Err(StoreError::Locked.into());
        }
        let list = self.care.receipts(id).await?;
        // It may have been closed meanwhile.
        if self.desk.store.is_closed() { Err(StoreError::Locked.into()) } else { Ok(list) }
    }

    /// A picture in small, or the poster of a film, as JPEG. Kept sealed for the next time.
    ///
    /// # Errors
    /// `Offline`, `NotFound` (of a film without a poster, too), `Media` when it has not arrived yet,
    /// `SignedOut`, `Certificate`.
    pub async fn thumbnail(&self, id: MediaId) -> Result<Vec<u8>, CoreError> {
        if let Some(kept) = self.kept(id, true).await? {
            return Ok(kept);
        }
        let bytes = self.care.thumbnail(id).await?;
        if !bytes.starts_with(JPEG) {
            return Err(ApiError::Nonsense("no JPEG").into());
        }
        let (kept, now) = (bytes.clone(), self.now());
        if_room(self.desk.store.write(move |tx| cache::put_picture(tx, id, true, &kept, now)).await)?;
        Ok(bytes)
    }

    /// Writes a picture, film or document into a new file, **in the clear**: `to` must be in a folder of the
    /// app's own, and the caller removes it after showing it. Photos are kept sealed for the next time.
    /// Gives the length in bytes. A film may take minutes: `cancel` stops it, and nothing of it stays; nor does it when
    /// the caller goes away.
    ///
    /// # Errors
    /// As [`Session::thumbnail`], `Cancelled`, and `Storage` when `to` exists or cannot be written, or when the store
    /// was closed. Nothing stays at `to` then that was not there before.
    pub async fn media(&self, id: MediaId, to: &Path, cancel: &Cancel) -> Result<u64, CoreError> {
        let clear = Clear::new(to);
        let length = if let Some(kept) = self.kept(id, false).await? {
            let (length, write) = (kept.len() as u64, clear.writer());
            crate::runtime::block(move || write(&kept)).await??;
            length
        } else {
            let fetched = unless_cancelled(self.care.media(id, to), cancel).await;
            let length = fetched.ok_or(CoreError::Cancelled)??;
            clear.is_made();
            self.keep_photo(id, to.to_path_buf(), length).await?;
            length
        };
        clear.stays();
        Ok(length)
    }

    /// Keeps what was fetched for the next time, if it is a photo. Fails when the store was closed meanwhile.
    async fn keep_photo(&self, id: MediaId, path: PathBuf, length: u64) -> Result<(), CoreError> {
        if self.desk.store.is_closed() {
            return Err(StoreError::Locked.into());
        }
        if length > PHOTO_BYTES {
            return Ok(());
        }
        let bytes = crate::runtime::block(move || std::fs::read(&path)).await??;
        if !bytes.starts_with(JPEG) {
            return Ok(());
        }
        let now = self.now();
        Ok(if_room(self.desk.store.write(move |tx| cache::put_picture(tx, id, false, &bytes, now)).await)?)
    }

    async fn kept(&self, id: MediaId, small: bool) -> Result<Option<Vec<u8>>, CoreError> {
        let kept = self.desk.store.read(move |c| cache::picture(c, id, small)).await?;
        let Some(bytes) = kept else { return Ok(None) };
        Ok(self.last_seen(move |_| Ok(Some((bytes, None)))).await?.map(|seen| seen.value))
    }

    /// What the store alone gives, as long as the town lets it, and of what it lets a device keep.
    async fn last_seen<T, L>(&self, load: L) -> Result<Option<Seen<T>>, CoreError>
    where
        T: Send + 'static,
        L: FnOnce(&mut SqliteConnection) -> StoreResult<Option<Kept<T>>> + Send + 'static,
    {
        self.prune_now_and_then().await?;
        let (now, hours) = (self.now(), self.policy.offline_lease_hours);
        let store = self.desk.store.clone();
        let read = self.desk.store.read(move |c| match told(&store, c, now, hours)? {
            Ok(()) => load(c).map(Ok),
            Err(why) => Ok(Err(why)),
        });
        Ok(read.await??.map(|(value, seen_at)| Seen { value, stale: true, seen_at }))
    }

    /// A patient whom the server does not show any more is not shown from here either.
    async fn gone_is_forgotten<T>(
        &self,
        patient: PatientId,
        seen: Result<Seen<T>, CoreError>,
    ) -> Result<Seen<T>, CoreError> {
        if matches!(seen, Err(CoreError::NotFound)) {
            // What cannot be written down now is forgotten with the next list.
            let _ = self.desk.store.write(move |tx| cache::forget_patient(tx, patient)).await;
        }
        seen
    }

    /// Asks the server and keeps its answer; without the server gives what was kept.
    async fn seen<T, K, L>(
        &self,
        fresh: impl Future<Output = ApiResult<T>>,
        keep: K,
        load: L,
    ) -> Result<Seen<T>, CoreError>
    where
        T: Send + Sync + 'static,
        K: FnOnce(&mut SqliteConnection, &T, Timestamp) -> StoreResult<()> + Send + 'static,
        L: FnOnce(&mut SqliteConnection) -> StoreResult<Option<Kept<T>>> + Send + 'static,
    {
        match fresh.await {
            Ok(value) => {
                let (store, now, window) = (&self.desk.store, self.now(), self.window());
                let value = Arc::new(value);
                let shown = value.clone();
                let kept = store.write(move |tx| {
                    session::contact(tx, now)?;
                    keep(tx, &shown, now)?;
                    cache::prune(tx, window, now)
                });
                if_room(kept.await)?;
                let value = Arc::into_inner(value).ok_or_else(|| CoreError::from(StoreError::Record))?;
                Ok(Seen { value, stale: false, seen_at: Some(now) })
            }
            Err(e) if unreached(&e) => self.last_seen(load).await?.ok_or_else(|| e.into()),
            Err(e) => Err(e.into()),
        }
    }
}

/// Whether what is kept may be told: not once the lease is over, the clock was set back or the server ended the session.
pub(super) fn told(
    store: &Store,
    c: &mut SqliteConnection,
    now: Timestamp,
    lease_hours: u32,
) -> StoreResult<Result<(), CoreError>> {
    let token = session::token(c)?.map(Zeroizing::new);
    if !token.map_or(Ok(false), |token| store.is_occupied_by(&token))? {
        return Ok(Err(CoreError::SignedOut { code: Code::SessionInvalid }));
    }
    Ok(session::lease(c, now, lease_hours)?.map_err(lease_end))
}

/// What a full device cannot keep it can show.
fn if_room(kept: StoreResult<()>) -> StoreResult<()> {
    match kept {
        Err(StoreError::Full) => Ok(()),
        kept => kept,
    }
}

fn stored_page(
    connection: &mut SqliteConnection,
    patient: PatientId,
    skip: u32,
) -> StoreResult<Option<Kept<PostPage>>> {
    let mut posts = cache::posts(connection, patient, skip.into(), TIMELINE_PAGE as i64 + 1)?;
    let more = posts.len() > TIMELINE_PAGE;
    posts.truncate(TIMELINE_PAGE);
    let next = more.then(|| format!("{STORED}{}", skip as usize + TIMELINE_PAGE));
    let at = posts.iter().map(|(_, at)| *at).min().flatten();
    let posts: Vec<Post> = posts.into_iter().map(|(post, _)| post).collect();
    Ok((!posts.is_empty()).then_some((PostPage { posts, next }, at)))
}
