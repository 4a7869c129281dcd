//! What the teams wrote, for a shell: timelines, posts, their files, who has read.

use crate::held::Held;
use crate::{MobileError, PostSeen, TimelinePage};
use renraku_core::Session;
use renraku_wire::{MediaId, PatientId, PostId, Receipt};
use std::path::PathBuf;

/// The posts that a signed-in person may read. Errors, threads and cancelling: as
/// [`RenrakuSession`](crate::RenrakuSession).
#[derive(Debug, uniffi::Object)]
pub struct RenrakuPosts(pub(crate) Held<Session>);

#[uniffi::export(async_runtime = "tokio")]
impl RenrakuPosts {
    /// One page of a patient's timeline, newest first. `before`: the `next` of the page before, none for the
    /// first. Without the server, as last seen.
    ///
    /// Fails as `RenrakuPatients.list`, and with `NotFound`.
    pub async fn timeline(
        &self,
        patient_id: PatientId,
        before: Option<String>,
    ) -> Result<TimelinePage, MobileError> {
        self.0
            .run_until(async move |session| {
                session.timeline(patient_id, before.as_deref()).await.map(Into::into)
            })
            .await
    }

    /// One page of a patient's timeline as last seen, from the sealed store alone: milliseconds. `before`: the `next`
    /// of such a page, none for the first. It is as old as the oldest of its posts. None when nothing is kept.
    ///
    /// Fails as `RenrakuPatients.list_last_seen`, and with `Invalid` for a `before` that no page gave.
    pub async fn timeline_last_seen(
        &self,
        patient_id: PatientId,
        before: Option<String>,
    ) -> Result<Option<TimelinePage>, MobileError> {
        self.0
            .run(async move |session| {
                let page = session.timeline_last_seen(patient_id, before.as_deref()).await?;
                Ok(page.map(Into::into))
            })
            .await
    }

    /// One post. Without the server, as last seen.
    ///
    /// Fails as `RenrakuPatients.list`, and with `NotFound`.
    pub async fn post(&self, id: PostId) -> Result<PostSeen, MobileError> {
        self.0.run_until(async move |session| session.post(id).await.map(Into::into)).await
    }

    /// One post as last seen, from the sealed store alone. Milliseconds. None when it is not kept.
    ///
    /// Fails as `RenrakuPatients.list_last_seen`.
    pub async fn post_last_seen(&self, id: PostId) -> Result<Option<PostSeen>, MobileError> {
        self.0.run(async move |session| Ok(session.post_last_seen(id).await?.map(Into::into))).await
    }

    /// Notes that the person saw a post now. The note is on the disk after milliseconds, and stays until the server has
    /// it. Then the call sends it, unless a `RenrakuOutbox.flush` is under way, which takes it along: that takes as long as the
    /// server's answer, at most some 30 seconds where none comes, and that is no error. Nobody need wait for it: what
    /// is cancelled meanwhile has kept the note, and the next such one sends it.
    ///
    /// Fails with `Storage`; `SignedOut` or `Certificate` when the server refuses the session: the note is kept.
    pub async fn mark_read(&self, id: PostId) -> Result<(), MobileError> {
        self.0.run_until(async move |session| session.mark_read(id).await).await
    }

    /// Presses 👍 (`on`), or takes it back. Counts as reading too. Kept, sent and waited for as with `mark_read`.
    ///
    /// Fails as `mark_read`, and with `Invalid` (`acknowledged`) for a 👍 in a town that has none.
    pub async fn acknowledge(&self, id: PostId, on: bool) -> Result<(), MobileError> {
        self.0.run_until(async move |session| session.acknowledge(id, on).await).await
    }

    /// Who has read a post, those who have first; for its author and the lead. Only with the server.
    ///
    /// Fails with `Offline`, `NotFound`, `Conflict` for everybody else.
    pub async fn receipts(&self, id: PostId) -> Result<Vec<Receipt>, MobileError> {
        self.0.run_until(async move |session| session.receipts(id).await.map(|list| list.receipts)).await
    }

    /// A picture in small, or the poster of a film, as JPEG of some kilobytes.
    /// Kept sealed for the next time.
    ///
    /// Fails with `Offline`, `NotFound` (of a film without a poster, too), `Media` when it has not
    /// arrived yet.
    pub async fn thumbnail(&self, id: MediaId) -> Result<Vec<u8>, MobileError> {
        self.0.run_until(async move |session| session.thumbnail(id).await).await
    }

    /// Writes a picture, film or document into a new file at `path`, **in the clear**: in a folder of the
    /// app's own, and the shell removes it after showing it. Gives its length in bytes. Up to minutes for a film;
    /// cancelled, nothing of it stays.
    ///
    /// Fails with `Offline`, `NotFound`, `Media` when it has not arrived yet, `Storage` when the file exists.
    pub async fn media(&self, id: MediaId, path: String) -> Result<u64, MobileError> {
        let cancel = self.0.cancel();
        self.0.run(async move |session| session.media(id, &PathBuf::from(path), &cancel).await).await
    }
}
