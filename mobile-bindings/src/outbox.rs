//! What a signed-in person writes, for a shell: from the first word until it is sent.

use crate::foreign::{ForeignProgress, ProgressListener};
use crate::held::Held;
use crate::{MobileError, PostDraft};
use renraku_core::{FlushReport, Item, PrepareReport, Session, Text};
use renraku_wire::PostId;
use std::sync::Arc;
use std::time::Duration;

/// The outbox of a signed-in person. Errors, threads and cancelling: as [`RenrakuSession`](crate::RenrakuSession).
#[derive(Debug, uniffi::Object)]
pub struct RenrakuOutbox(pub(crate) Held<Session>);

#[uniffi::export(async_runtime = "tokio")]
impl RenrakuOutbox {
    /// Puts the post into the outbox, with what its files are to be made of. Needs no network; milliseconds, and as
    /// long as copying takes what is handed over. When it returns, post and files are sealed on the disk and survive
    /// a kill; call `prepare` if it has files, and `flush` to send: the text does not wait for the files.
    ///
    /// What is still a draft in the outbox gives place to a post of the same id, and its files to that one's: what was
    /// handed over with the draft is gone with it, so hand a second name of a file over that is to be used again. Any
    /// other post of that id is this one, tapped twice: it stays as it is, and what was handed over with it goes.
    ///
    /// Fails with `Cancelled` (nothing is kept); `Invalid` for an empty post, too long a text or control characters
    /// (`body`), 緊急 in a town without it (`urgent`), a `description` of more than a line, and with
    /// `mark_invalid` for a mark that is no area of a photo or a mark on a film; `Media` for too many files;
    /// `Conflict` for the id of a post with other files, or of a draft that was let go meanwhile; `Storage` with `File`
    /// for a file that is not there.
    pub async fn compose(&self, draft: PostDraft) -> Result<PostId, MobileError> {
        let cancel = self.0.cancel();
        self.0.run(async move |session| session.compose_until(draft.into(), &cancel).await).await
    }

    /// Makes and seals the files of all posts that still want it, one at a time: call it after `compose`, and after
    /// `resume` and `sign_in` for what a kill broke off; then `flush`. Needs no network. Some tenths of a second a
    /// photo, up to a minute a film. A file that cannot be used is failed in the outbox, and the others go on.
    ///
    /// Fails with `Cancelled`, `Storage`: what was sealed stays, and the rest waits for the next call.
    #[uniffi::method(default(progress = None))]
    pub async fn prepare(
        &self,
        progress: Option<Arc<dyn ProgressListener>>,
    ) -> Result<PrepareReport, MobileError> {
        let cancel = self.0.cancel();
        let progress = progress.map(|listener| Arc::new(ForeignProgress(listener)) as _);
        self.0.run(async move |session| session.prepare(cancel, progress).await).await
    }

    /// Everything in the outbox, in the order of sending. What was sent stays listed for a day. Where every
    /// item stands is always told; once the offline lease is over or the server ended the session, texts and
    /// descriptions are empty. Milliseconds.
    ///
    /// Fails with `Storage`.
    pub async fn items(&self) -> Result<Vec<Item>, MobileError> {
        self.0.run(async move |session| session.outbox().await).await
    }

    /// Waits until something in the outbox or the store may have changed since the call that gave `seen` (0 at
    /// first), and gives what to pass next. Tells at most ten times a second, and gives `seen` again when
    /// nothing changed for `patience_millis` (at most 60,000): call it in a loop, no timer and no cancelling
    /// needed.
    ///
    /// Fails with `Storage` (`Locked`) when the store was closed.
    pub async fn changed(&self, seen: u64, patience_millis: u32) -> Result<u64, MobileError> {
        let patience = Duration::from_millis(patience_millis.into());
        self.0.run(async move |session| session.outbox_changed(seen, patience).await).await
    }

    /// Changes the text of a post that is a draft, waits or failed. One that failed after a try whose answer was lost
    /// may be with the server all the same; changed, it is refused there as another post of that id.
    ///
    /// Fails with `NotFound`, `Conflict` when the server may already have it, `Invalid`; with `SignedOut` and `Storage`
    /// where the outbox does not tell what was written: nobody writes over what they cannot see.
    pub async fn edit(&self, id: PostId, text: Text) -> Result<(), MobileError> {
        self.0.run(async move |session| session.edit(id, text).await).await
    }

    /// Lets a draft go, or tries a failed post again. It leaves with the next `flush`. A file that its text has
    /// left out stays failed, and the post with it, until it is taken back.
    ///
    /// Fails with `NotFound`, `Conflict` when it is on its way or sent.
    pub async fn release(&self, id: PostId) -> Result<(), MobileError> {
        self.0.run(async move |session| session.release(id).await).await
    }

    /// Takes a post back that is a draft, waits or failed. It and its files are gone.
    ///
    /// Fails with `NotFound`, `Conflict` when the server may already have it.
    pub async fn take_back(&self, id: PostId) -> Result<(), MobileError> {
        self.0.run(async move |session| session.cancel(id).await).await
    }

    /// One pass over what waits: receipts, texts in order per patient, then files. Call it after composing,
    /// when the network is back, when the app comes to the front. With `now`, also what is not due yet. Up to
    /// minutes over a slow network; dropped or cancelled (`until`) it loses at most the chunk on its way, and the next
    /// pass takes up what was begun. Not being reached is no error: the report tells.
    ///
    /// Fails with `SignedOut` or `Certificate` when nothing can be sent until the person acts.
    pub async fn flush(&self, now: bool) -> Result<FlushReport, MobileError> {
        self.0.run_until(async move |session| session.flush(now).await).await
    }
}
