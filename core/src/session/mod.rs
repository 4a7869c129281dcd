//! One person at work on this device. What they read is in `reading`, what they write in `composing`, how it leaves
//! in `posting`.
//! Not here: screens, and when to send, which the shell knows.

mod clear;
mod composing;
mod making;
mod posting;
mod reading;

pub use composing::Draft;
pub use making::PrepareReport;

use crate::Cancel;
use crate::api::{ApiError, Care};
use crate::clock::Clock;
use crate::device::leaving::Leaving;
use crate::error::{CoreError, StorageTrouble};
use crate::outbox::Retry;
use crate::runtime::block;
use crate::store::cache::{self, Window};
use crate::store::session::LeaseEnd;
use crate::store::{Store, StoreError, session};
use renraku_wire::{
    Code, DevicePolicy, PasswordChange, PostId, PushProvider, PushRegistration, Staff, Timestamp,
};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Between two times that what is too old is let go of while the server is not reached.
const PRUNE_MILLIS: i64 = 3_600_000;

/// What was read, and how old it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// What the server said.
    pub value: T,
    /// True when this is what the server said last, and not what it says now.
    pub stale: bool,
    /// When the server said it, by this device's clock; none for what an older version of the app kept.
    pub seen_at: Option<Timestamp>,
}

/// A person's open store and their one line of sending, shared by all sessions of theirs.
pub(crate) struct Desk {
    pub(crate) store: Store,
    /// Held during a pass: nothing is sent twice at a time.
    pub(crate) sending: tokio::sync::Mutex<()>,
    /// A receipt was noted that may not be on its way yet.
    pub(crate) noted: AtomicBool,
    /// When receipts are tried again.
    receipts: Mutex<Retry>,
    /// Where what was handed over rests, sealed, until it is made.
    pub(crate) sources: PathBuf,
    /// Held while a post and what is handed over with it come in.
    pub(crate) arriving: Arc<tokio::sync::Mutex<()>>,
    /// Held while files are made: one at a time.
    pub(crate) preparing: Arc<tokio::sync::Mutex<()>>,
    /// Whose file is being made, and what stops it.
    pub(crate) making: Mutex<Option<(PostId, Cancel)>>,
    pub(crate) clock: Arc<dyn Clock>,
    /// When what the window does not hold any more was last let go of.
    pruned_at: AtomicI64,
}

impl Desk {
    pub(crate) fn new(store: Store, sources: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            sending: tokio::sync::Mutex::new(()),
            noted: AtomicBool::new(false),
            receipts: Mutex::default(),
            sources,
            arriving: Arc::default(),
            preparing: Arc::default(),
            making: Mutex::new(None),
            clock,
            pruned_at: AtomicI64::new(i64::MIN),
        }
    }

    pub(crate) fn receipts(&self) -> MutexGuard<'_, Retry> {
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A signed-in person. Calls may come from any thread; they need a tokio runtime
/// ([`crate::runtime::run`] brings one).
pub struct Session {
    pub(crate) care: Care,
    /// The chain that `care` shows: the session belongs to it.
    certificate: Vec<String>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) leaving: Arc<Leaving>,
    staff: Staff,
    policy: DevicePolicy,
    must_change_password: AtomicBool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("staff", &self.staff.id).finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(
        (care, certificate): (Care, Vec<String>),
        leaving: Arc<Leaving>,
        desk: Arc<Desk>,
        staff: Staff,
        policy: DevicePolicy,
        must_change_password: bool,
    ) -> Self {
        let must_change_password = AtomicBool::new(must_change_password);
        Self { care, certificate, desk, leaving, staff, policy, must_change_password }
    }

    pub(crate) fn certificate(&self) -> &[String] {
        &self.certificate
    }

    /// Who is signed in.
    #[must_use]
    pub fn staff(&self) -> &Staff {
        &self.staff
    }

    /// What the town's policy asks of a device.
    #[must_use]
    pub fn policy(&self) -> &DevicePolicy {
        &self.policy
    }

    /// True until the first password was changed: the server takes nothing else before.
    #[must_use]
    pub fn must_change_password(&self) -> bool {
        self.must_change_password.load(Ordering::Relaxed)
    }

    /// The client with this session, for what has no method here: administration.
    #[must_use]
    pub fn care(&self) -> &Care {
        &self.care
    }

    /// Changes the own password. The session goes on.
    ///
    /// # Errors
    /// `Invalid` for a weak one, `SignedOut` for a wrong current one, `Offline`.
    pub async fn change_password(&self, current: &str, new: &str) -> Result<(), CoreError> {
        let change = PasswordChange { current: current.to_owned(), new: new.to_owned() };
        self.care.change_password(&change).await?;
        self.must_change_password.store(false, Ordering::Relaxed);
        // The server has changed it, whatever this device can still write down.
        let _ = self.desk.store.write(session::password_changed).await;
        Ok(())
    }

    /// Ends the session here, at once: the token is forgotten, and the store closed for all who hold it. Who has a
    /// PIN needs it for the next sign-in, as after [`crate::Device::lock`]. Cached pages and the outbox stay sealed.
    /// The server is told in the background, now or when it is reached again. A full device is no hindrance.
    ///
    /// # Errors
    /// `Storage` when the session may be taken up again.
    pub async fn sign_out(&self) -> Result<(), CoreError> {
        let Some(token) = self.care.token().map(str::to_owned) else { return Ok(()) };
        let (store, leaving) = (self.desk.store.clone(), self.leaving.clone());
        // Once it is begun it comes to its end, whoever goes away.
        let over = block(move || {
            let vacated = store.vacate(&token);
            // A token that stays, for the store was locked before or has no room, opens nothing here any more.
            let forgotten = store.write_here(|tx| session::over(tx, &token));
            store.close();
            leaving.add(token);
            if forgotten.is_ok() { Ok(()) } else { vacated }
        });
        let over = over.await;
        self.leaving.tell_soon(&self.care);
        Ok(over??)
    }

    /// Tells the server where pushes for this person on this device go.
    ///
    /// # Errors
    /// `Offline`, `SignedOut`, `Certificate`.
    pub async fn register_push(&self, provider: PushProvider, token: &str) -> Result<(), CoreError> {
        let push = PushRegistration { provider, token: token.to_owned() };
        Ok(self.care.register_push(&push).await?)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.desk.clock.now()
    }

    /// Lets go of what the policy's window of patients and days does not hold any more; on a full device, which can
    /// still be read, when there is room for it.
    pub(crate) async fn prune(&self) -> Result<(), CoreError> {
        let (window, now) = (self.window(), self.now());
        match self.desk.store.write(move |tx| cache::prune(tx, window, now)).await {
            Ok(()) => self.desk.pruned_at.store(now.0, Ordering::Relaxed),
            Err(StoreError::Full) => {}
            Err(e) => return Err(e.into()),
        }
        Ok(())
    }

    /// The same, when that was long ago: without the server nothing else does it.
    async fn prune_now_and_then(&self) -> Result<(), CoreError> {
        let since = self.now().0.saturating_sub(self.desk.pruned_at.load(Ordering::Relaxed));
        if (0..PRUNE_MILLIS).contains(&since) {
            return Ok(());
        }
        self.prune().await
    }

    pub(crate) fn window(&self) -> Window {
        Window { patients: self.policy.offline_patients, days: self.policy.offline_days }
    }
}

pub(crate) fn lease_end(end: LeaseEnd) -> CoreError {
    CoreError::storage(match end {
        LeaseEnd::Over => StorageTrouble::LeaseOver,
        LeaseEnd::SetBack => StorageTrouble::ClockSetBack,
    })
}

/// True when the server said nothing about the request itself: what was seen last may stand in.
pub(crate) fn unreached(e: &ApiError) -> bool {
    match e {
        ApiError::Offline { .. } | ApiError::ServerUntrusted { clock: false } => true,
        ApiError::Refused { problem, .. } => {
            matches!(problem.code, Code::Unavailable | Code::TooManyRequests | Code::Internal)
        }
        _ => false,
    }
}

/// A caller who goes away does not want the film any more.
struct StopOnDrop(Cancel);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
