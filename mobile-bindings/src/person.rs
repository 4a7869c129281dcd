//! One of those who use this device, for a shell: how their store is guarded, opened and closed.

use crate::foreign::{ForeignVault, Vault};
use crate::held::Held;
use crate::{MobileError, RenrakuSession};
use renraku_core::{CoreError, Device, PersonLock, Unlock};
use renraku_wire::StaffId;
use std::future::Future;
use std::sync::Arc;

/// A person on a device, known there or not. Threads: as [`RenrakuDevice`](crate::RenrakuDevice).
#[derive(Debug, uniffi::Object)]
pub struct RenrakuPerson {
    pub(crate) device: Held<Device>,
    pub(crate) staff_id: StaffId,
}

impl RenrakuPerson {
    async fn run<R, F>(&self, work: impl FnOnce(Arc<Device>, StaffId) -> F) -> Result<R, MobileError>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, CoreError>> + Send + 'static,
    {
        self.device.run(|device| work(device, self.staff_id)).await
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl RenrakuPerson {
    /// Takes up the session that the person left open, without the network. Milliseconds. Where they have
    /// no PIN, the shell must have made sure who holds the device.
    ///
    /// Fails with `SignedOut` when there is none, `Certificate` when the device is not enrolled (any more),
    /// `Storage`: with `Locked`, the person has a PIN, so unlock first.
    pub async fn resume(&self) -> Result<Arc<RenrakuSession>, MobileError> {
        Ok(RenrakuSession::new(self.run(async move |device, staff_id| device.resume(staff_id).await).await?))
    }

    /// How the person's store is guarded: whether there is a PIN, whether biometrics open it too, and how many
    /// wrong PINs are left. Milliseconds.
    ///
    /// Fails with `NotFound` for somebody unknown here, `Storage`.
    pub async fn lock_state(&self) -> Result<PersonLock, MobileError> {
        self.run(async move |device, staff_id| device.person_lock(staff_id).await).await
    }

    /// Opens the person's store with their PIN, until `lock` or the app's end; `resume` or `RenrakuDevice.sign_in` comes next.
    /// Some tenths of a second, for the PIN's sake; no network. Each try is counted before it is looked at,
    /// and the tenth wrong one in a row wipes everything of the person from this device. Once begun it cannot
    /// be cancelled.
    ///
    /// Fails with `Storage` (`WrongPin`, `Wiped`), `NotFound` for somebody unknown here.
    pub async fn unlock_with_pin(&self, pin: String) -> Result<(), MobileError> {
        self.run(async move |device, staff_id| device.unlock(staff_id, Unlock::Pin(pin)).await).await
    }

    /// Opens the person's store by finger or face, as `unlock_with_pin`. `guarded`: a vault that gives out
    /// what it keeps only after the platform recognised the person; it is asked on a worker thread and may
    /// block until then.
    ///
    /// Fails with `Storage` (`Locked`: not recognised, or not set up any more; ask for the PIN), `NotFound`.
    pub async fn unlock_with_biometrics(&self, guarded: Arc<dyn Vault>) -> Result<(), MobileError> {
        let unlock = Unlock::Biometrics(Arc::new(ForeignVault(guarded)));
        self.run(async move |device, staff_id| device.unlock(staff_id, unlock).await).await
    }

    /// Closes the store of a person with a PIN: their sessions here fail with `Storage` (`Locked`) from now on.
    /// Call it after `relock_seconds` in the background, and when another person takes the tablet. What is on
    /// its way to the disk is finished first. Someone without a PIN stays as they are.
    ///
    /// Never fails.
    pub async fn lock(&self) -> Result<(), MobileError> {
        self.run(async move |device, staff_id| {
            device.lock(staff_id).await;
            Ok(())
        })
        .await
    }

    /// Sets a person's first PIN (`current` is none), or another one. Some tenths of a second. A kill leaves
    /// the old PIN or the new one.
    ///
    /// Fails with `Invalid` (`pin`) for less than 6 or more than 64 characters, one character over and over, or
    /// a run like 123456; `Storage` as `unlock_with_pin` for a wrong `current`; `NotFound`.
    pub async fn set_pin(&self, current: Option<String>, pin: String) -> Result<(), MobileError> {
        self.run(async move |device, staff_id| device.set_pin(staff_id, current, pin).await).await
    }

    /// Lets the person's finger or face open their store, beside the PIN. `guarded`: as in
    /// `unlock_with_biometrics`; it must lose what it keeps when another finger or face is enrolled.
    ///
    /// Fails with `Storage` as `unlock_with_pin` for a wrong PIN, `Damaged` when none was set; `NotFound`.
    pub async fn add_biometrics(&self, pin: String, guarded: Arc<dyn Vault>) -> Result<(), MobileError> {
        let guarded = Arc::new(ForeignVault(guarded));
        self.run(async move |device, staff_id| device.add_biometrics(staff_id, pin, guarded).await).await
    }

    /// Only the PIN opens the person's store from now on. What the platform still keeps opens nothing.
    ///
    /// Fails with `Storage`.
    pub async fn remove_biometrics(&self) -> Result<(), MobileError> {
        self.run(async move |device, staff_id| device.remove_biometrics(staff_id).await).await
    }

    /// Forgets the person on this device: key, store, outbox. What was not sent is lost. Their session is ended, and
    /// pushes to them with it, as at signing out; behind a PIN, where nobody can read which that is, it ends by itself.
    ///
    /// Fails with `Storage` when something may still be there.
    pub async fn forget(&self) -> Result<(), MobileError> {
        self.run(async move |device, staff_id| device.forget_person(staff_id).await).await
    }
}
