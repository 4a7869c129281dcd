//! Who is signed in, for a shell: the way to what they may read and write.

use crate::held::Held;
use crate::{CancelToken, MobileError, RenrakuOutbox, RenrakuPatients, RenrakuPosts};
use renraku_core::{PushShown, Session};
use renraku_wire::{PushProvider, Staff};
use std::sync::Arc;

/// A signed-in person on this device: their password, their pushes, and what they work with by area, `patients`, `posts`
/// and `outbox`. Calls may come from any thread and do not keep it busy; nor does letting go of the object. All that
/// holds for the areas' objects, too; they stay the session's, and end with it.
///
/// Beside the cases named with each call, here and in the areas, any that asks the server may fail with `SignedOut`
/// (sign in again), `Certificate` (diagnose), `Cancelled` (see `until`) or `Unexpected`, and any with `Storage`.
#[derive(Debug, uniffi::Object)]
pub struct RenrakuSession(Held<Session>);

impl RenrakuSession {
    pub(crate) fn new(session: Session) -> Arc<Self> {
        Arc::new(Self(Held::new(session)))
    }

    /// The core's session, for Rust callers that need more than a shell does.
    #[must_use]
    pub fn core(&self) -> &Arc<Session> {
        self.0.get()
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl RenrakuSession {
    /// The same session, whose calls that may take long end with `Cancelled` when somebody cancels the token, within
    /// 200 ms: all that ask the network but `change_password`, `compose` (when the disk lets go) and `prepare`, in the
    /// areas that are had from it, too. What was kept stays kept, and a `flush` that is stopped loses at most the chunk
    /// on its way. Make one for a call, or for a screen; a cancelled Swift task needs it to stop anything. Returns at
    /// once.
    #[must_use]
    pub fn until(&self, cancelled: Arc<CancelToken>) -> Arc<Self> {
        Arc::new(Self(self.0.until(cancelled.inner.clone())))
    }

    /// The patients whom this person may see. Returns at once.
    #[must_use]
    pub fn patients(&self) -> Arc<RenrakuPatients> {
        Arc::new(RenrakuPatients(self.0.clone()))
    }

    /// What the teams wrote, and who has read it. Returns at once.
    #[must_use]
    pub fn posts(&self) -> Arc<RenrakuPosts> {
        Arc::new(RenrakuPosts(self.0.clone()))
    }

    /// What this person wrote and has not been sent, or was today. Returns at once.
    #[must_use]
    pub fn outbox(&self) -> Arc<RenrakuOutbox> {
        Arc::new(RenrakuOutbox(self.0.clone()))
    }

    /// Who is signed in. Returns at once.
    #[must_use]
    pub fn staff(&self) -> Staff {
        self.0.get().staff().clone()
    }

    /// True until the first password was changed: the server takes nothing else before. Returns at once.
    #[must_use]
    pub fn must_change_password(&self) -> bool {
        self.0.get().must_change_password()
    }

    /// Changes the own password. The session goes on.
    ///
    /// Fails with `Invalid` for a weak one, `SignedOut` for a wrong current one, `Offline`.
    pub async fn change_password(&self, current: String, new: String) -> Result<(), MobileError> {
        self.0.run(async move |session| session.change_password(&current, &new).await).await
    }

    /// Ends the session here: milliseconds, no network. The store is closed; who has a PIN unlocks it before the next
    /// sign-in. The outbox stays sealed. The server is told in the background, now or when it is reached again.
    ///
    /// Fails with `Storage` when the session may still be there.
    pub async fn sign_out(&self) -> Result<(), MobileError> {
        self.0.run(async move |session| session.sign_out().await).await
    }

    /// Tells the server where pushes for this person on this device go: the token of Apple or Google.
    ///
    /// Fails with `Offline`.
    pub async fn register_push(&self, provider: PushProvider, token: String) -> Result<(), MobileError> {
        self.0.run_until(async move |session| session.register_push(provider, &token).await).await
    }

    /// Takes a push's payload (the whole JSON as it was delivered, or its `renraku` part), fetches what it is
    /// about and keeps the post for reading. Does not mark it as read. A session that is over and a store that is locked
    /// are no errors: then there is nothing for the unlocked screen.
    ///
    /// Fails with `Invalid` for a payload that is not ours: show the generic line then.
    pub async fn handle_push(&self, payload: String) -> Result<PushShown, MobileError> {
        self.0.run_until(async move |session| session.handle_push(&payload).await).await
    }
}
