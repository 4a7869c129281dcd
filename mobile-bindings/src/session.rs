//! What a signed-in person does, for a shell.

use crate::device::{on_core, on_core_until};
use crate::foreign::{CancelToken, ForeignProgress, ProgressListener};
use crate::held::Held;
use crate::{MobileError, PatientSeen, PatientsSeen, PostDraft, PostSeen, TimelinePage};
use renraku_core::{Cancel, FlushReport, Item, PrepareReport, PushShown, Session, Text};
use renraku_wire::{MediaId, PatientId, PostId, PushProvider, Receipt, Staff};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A signed-in person on this device. Calls may come from any thread and do not keep it busy; nor does letting go of
/// the object.
///
/// Beside the cases named with each call, any that asks the server may fail with `SignedOut` (sign in again),
/// `Certificate` (diagnose), `Cancelled` (see `until`) or `Unexpected`, and any with `Storage`.
#[derive(Debug, uniffi::Object)]
pub struct RenrakuSession {
    inner: Held<Session>,
    cancel: Option<Cancel>,
}

impl RenrakuSession {
    pub(crate) fn new(session: Session) -> Arc<Self> {
        Arc::new(Self { inner: Held::new(Arc::new(session)), cancel: None })
    }

    /// The core's session, for Rust callers that need more than a shell does.
    #[must_use]
    pub fn core(&self) -> &Arc<Session> {
        &self.inner
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl RenrakuSession {
    /// The same session, whose calls that may take long end with `Cancelled` when somebody cancels the token, within
    /// 200 ms: all that ask the network but `change_password`, `compose` (when the disk lets go) and `prepare`. What
    /// was kept stays kept, and a `flush` that is stopped loses at most the chunk on its way. Make one for a call, or
    /// for a screen; a cancelled Swift task needs it to stop anything. Returns at once.
    #[must_use]
    pub fn until(&self, cancelled: Arc<CancelToken>) -> Arc<Self> {
        Arc::new(Self { inner: Held::new(self.inner.clone()), cancel: Some(cancelled.inner.clone()) })
    }

    /// Who is signed in. Returns at once.
    #[must_use]
    pub fn staff(&self) -> Staff {
        self.inner.staff().clone()
    }

    /// True until the first password was changed: the server takes nothing else before. Returns at once.
    #[must_use]
    pub fn must_change_password(&self) -> bool {
        self.inner.must_change_password()
    }

    /// Changes the own password. The session goes on.
    ///
    /// Fails with `Invalid` for a weak one, `SignedOut` for a wrong current one, `Offline`.
    pub async fn change_password(&self, current: String, new: String) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.change_password(&current, &new).await }).await
    }

    /// Ends the session here: milliseconds, no network. The store is closed; who has a PIN unlocks it before the next
    /// sign-in. The outbox stays sealed. The server is told in the background, now or when it is reached again.
    ///
    /// Fails with `Storage` when the session may still be there.
    pub async fn sign_out(&self) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.sign_out().await }).await
    }

    /// Tells the server where pushes for this person on this device go: the token of Apple or Google.
    ///
    /// Fails with `Offline`.
    pub async fn register_push(&self, provider: PushProvider, token: String) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move { inner.register_push(provider, &token).await }).await
    }

    /// Takes a push's payload (the whole JSON as it was delivered, or its `renraku` part), fetches what it is
    /// about and keeps the post for reading. Does not mark it as read. A session that is over and a store that is locked
    /// are no errors: then there is nothing for the unlocked screen.
    ///
    /// Fails with `Invalid` for a payload that is not ours: show the generic line then.
    pub async fn handle_push(&self, payload: String) -> Result<PushShown, MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move { inner.handle_push(&payload).await }).await
    }

    /// The patients whom this person may see. Without the server, as last seen.
    ///
    /// Fails with `Offline` when nothing was seen yet, `Storage` when the offline lease is over (`LeaseOver`) or
    /// the clock was set back (`ClockSetBack`).
    pub async fn patients(&self) -> Result<PatientsSeen, MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move { inner.patients().await.map(Into::into) }).await
    }

    /// The patients as last seen, from the sealed store alone: milliseconds, whatever the network does. Show them,
    /// then call `patients`. None when there was no list yet.
    ///
    /// Fails with `SignedOut` when the session is over, `Storage` as `patients`.
    pub async fn patients_last_seen(&self) -> Result<Option<PatientsSeen>, MobileError> {
        let inner = self.inner.clone();
        on_core(async move { Ok(inner.patients_last_seen().await?.map(Into::into)) }).await
    }

    /// One patient with the team. Without the server, as last seen.
    ///
    /// Fails as `patients`, and with `NotFound`.
    pub async fn patient(&self, id: PatientId) -> Result<PatientSeen, MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move { inner.patient(id).await.map(Into::into) }).await
    }

    /// One patient as last seen, from the sealed store alone. Milliseconds. None for one who was not opened before.
    ///
    /// Fails as `patients_last_seen`.
    pub async fn patient_last_seen(&self, id: PatientId) -> Result<Option<PatientSeen>, MobileError> {
        let inner = self.inner.clone();
        on_core(async move { Ok(inner.patient_last_seen(id).await?.map(Into::into)) }).await
    }

    /// One page of a patient's timeline, newest first. `before`: the `next` of the page before, none for the
    /// first. Without the server, as last seen.
    ///
    /// Fails as `patients`, and with `NotFound`.
    pub async fn timeline(
        &self,
        patient_id: PatientId,
        before: Option<String>,
    ) -> Result<TimelinePage, MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move {
            inner.timeline(patient_id, before.as_deref()).await.map(Into::into)
        })
        .await
    }

    /// One page of a patient's timeline as last seen, from the sealed store alone: milliseconds. `before`: the `next`
    /// of such a page, none for the first. It is as old as the oldest of its posts. None when nothing is kept.
    ///
    /// Fails as `patients_last_seen`, and with `Invalid` for a `before` that no page gave.
    pub async fn timeline_last_seen(
        &self,
        patient_id: PatientId,
        before: Option<String>,
    ) -> Result<Option<TimelinePage>, MobileError> {
        let inner = self.inner.clone();
        on_core(async move {
            let page = inner.timeline_last_seen(patient_id, before.as_deref()).await?;
            Ok(page.map(Into::into))
        })
        .await
    }

    /// One post. Without the server, as last seen.
    ///
    /// Fails as `patients`, and with `NotFound`.
    pub async fn post(&self, id: PostId) -> Result<PostSeen, MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move { inner.post(id).await.map(Into::into) }).await
    }

    /// One post as last seen, from the sealed store alone. Milliseconds. None when it is not kept.
    ///
    /// Fails as `patients_last_seen`.
    pub async fn post_last_seen(&self, id: PostId) -> Result<Option<PostSeen>, MobileError> {
        let inner = self.inner.clone();
        on_core(async move { Ok(inner.post_last_seen(id).await?.map(Into::into)) }).await
    }

    /// Notes that the person saw a post now. The note is on the disk after milliseconds, and stays until the server has
    /// it. Then the call sends it, unless a `flush` is under way, which takes it along: that takes as long as the
    /// server's answer, at most some 30 seconds where none comes, and that is no error. Nobody need wait for it: what
    /// is cancelled meanwhile has kept the note, and the next `flush` sends it.
    ///
    /// Fails with `Storage`; `SignedOut` or `Certificate` when the server refuses the session: the note is kept.
    pub async fn mark_read(&self, id: PostId) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move { inner.mark_read(id).await }).await
    }

    /// Presses 👍 (`on`), or takes it back. Counts as reading too. Kept, sent and waited for as with `mark_read`.
    ///
    /// Fails as `mark_read`, and with `Invalid` (`acknowledged`) for a 👍 in a town that has none.
    pub async fn acknowledge(&self, id: PostId, on: bool) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move { inner.acknowledge(id, on).await }).await
    }

    /// Who has read a post, those who have first; for its author and the lead. Only with the server.
    ///
    /// Fails with `Offline`, `NotFound`, `Conflict` for everybody else.
    pub async fn receipts(&self, id: PostId) -> Result<Vec<Receipt>, MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move { inner.receipts(id).await.map(|list| list.receipts) })
            .await
    }

    /// A picture in small, or the poster of a film, as JPEG of some kilobytes.
    /// Kept sealed for the next time.
    ///
    /// Fails with `Offline`, `NotFound` (of a film without a poster, too), `Media` when it has not
    /// arrived yet.
    pub async fn thumbnail(&self, id: MediaId) -> Result<Vec<u8>, MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move { inner.thumbnail(id).await }).await
    }

    /// Writes a picture, film or document into a new file at `path`, **in the clear**: in a folder of the
    /// app's own, and the shell removes it after showing it. Gives its length in bytes. Up to minutes for a film;
    /// cancelled, nothing of it stays.
    ///
    /// Fails with `Offline`, `NotFound`, `Media` when it has not arrived yet, `Storage` when the file exists.
    pub async fn media(&self, id: MediaId, path: String) -> Result<u64, MobileError> {
        let inner = self.inner.clone();
        let cancel = self.cancel.clone().unwrap_or_default();
        on_core(async move { inner.media(id, &PathBuf::from(path), &cancel).await }).await
    }

    /// Puts the post into the outbox, with what its files are to be made of. Needs no network; milliseconds, and as
    /// long as copying takes what is handed over. When it returns, post and files are sealed on the disk and survive
    /// a kill; call `prepare` if it has files, and `flush` to send: the text does not wait for the files.
    ///
    /// Fails with `Cancelled` (nothing is kept); `Invalid` for an empty post, too long a text or control characters
    /// (`body`), 緊急 in a town without it (`urgent`), a `description` of more than a line, and with
    /// `mark_invalid` for a mark that is no area of a photo or a mark on a film; `Media` for too many files;
    /// `Storage` with `File` for a file that is not there.
    pub async fn compose(&self, draft: PostDraft) -> Result<PostId, MobileError> {
        let inner = self.inner.clone();
        let cancel = self.cancel.clone().unwrap_or_default();
        on_core(async move { inner.compose_until(draft.into(), &cancel).await }).await
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
        let inner = self.inner.clone();
        let cancel = self.cancel.clone().unwrap_or_default();
        let progress = progress.map(|listener| Arc::new(ForeignProgress(listener)) as _);
        on_core(async move { inner.prepare(cancel, progress).await }).await
    }

    /// Everything in the outbox, in the order of sending. What was sent stays listed for a day. Where every
    /// item stands is always told; once the offline lease is over or the server ended the session, texts and
    /// descriptions are empty. Milliseconds.
    ///
    /// Fails with `Storage`.
    pub async fn outbox(&self) -> Result<Vec<Item>, MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.outbox().await }).await
    }

    /// Waits until something in the outbox or the store may have changed since the call that gave `seen` (0 at
    /// first), and gives what to pass next. Tells at most ten times a second, and gives `seen` again when
    /// nothing changed for `patience_millis` (at most 60,000): call it in a loop, no timer and no cancelling
    /// needed.
    ///
    /// Fails with `Storage` (`Locked`) when the store was closed.
    pub async fn outbox_changed(&self, seen: u64, patience_millis: u32) -> Result<u64, MobileError> {
        let inner = self.inner.clone();
        let patience = Duration::from_millis(patience_millis.into());
        on_core(async move { inner.outbox_changed(seen, patience).await }).await
    }

    /// Changes the text of a post that is a draft, waits or failed.
    ///
    /// Fails with `NotFound`, `Conflict` when the server may already have it, `Invalid`; with `SignedOut` and `Storage`
    /// where the outbox does not tell what was written: nobody writes over what they cannot see.
    pub async fn edit(&self, id: PostId, text: Text) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.edit(id, text).await }).await
    }

    /// Lets a draft go, or tries a failed post again. It leaves with the next `flush`. A file that its text has
    /// left out stays failed, and the post with it, until it is taken back.
    ///
    /// Fails with `NotFound`, `Conflict` when it is on its way or sent.
    pub async fn release(&self, id: PostId) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.release(id).await }).await
    }

    /// Takes a post back that is a draft, waits or failed. It and its files are gone.
    ///
    /// Fails with `NotFound`, `Conflict` when the server may already have it.
    pub async fn take_back(&self, id: PostId) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.cancel(id).await }).await
    }

    /// One pass over what waits: receipts, texts in order per patient, then files. Call it after composing,
    /// when the network is back, when the app comes to the front. With `now`, also what is not due yet. Up to
    /// minutes over a slow network; dropped or cancelled (`until`) it loses at most the chunk on its way, and the next
    /// pass takes up what was begun. Not being reached is no error: the report tells.
    ///
    /// Fails with `SignedOut` or `Certificate` when nothing can be sent until the person acts.
    pub async fn flush(&self, now: bool) -> Result<FlushReport, MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move { inner.flush(now).await }).await
    }
}
