//! The way in for a shell: this device, its town, the people on it.

use crate::foreign::{CancelToken, DeviceKey, ForeignKey, ForeignVault, Vault};
use crate::held::Held;
use crate::{EnrolmentForm, KnownPerson, MobileError, Municipality, RenrakuSession};
use renraku_core::{
    Cancel, CertificateStatus, CoreError, Device, DeviceSettings, Diagnosed, NewDevice, PersonLock, Unlock,
    runtime,
};
use renraku_wire::{Code, Platform, StaffId};
use std::future::Future;
use std::sync::Arc;

/// Whether this device can reach the care host, and if not, why (F62).
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Diagnosis {
    /// It can: sign in.
    Ready,
    /// There is no certificate: enrol.
    NotEnrolled,
    /// The server was not reached: look at the network.
    Offline,
    /// The certificate stands in the way.
    Refused {
        /// Why: one of the `certificate_…` codes, or `facility_suspended`.
        code: Code,
    },
}

/// This device. Open one for the app's life. Calls may come from any thread and do not keep it busy; nor does letting
/// go of the object.
#[derive(Debug, uniffi::Object)]
pub struct RenrakuDevice {
    inner: Held<Device>,
    cancel: Option<Cancel>,
}

/// Runs work on the core's threads; a dropped call drops it.
pub(crate) async fn on_core<T: Send + 'static>(
    work: impl Future<Output = Result<T, CoreError>> + Send + 'static,
) -> Result<T, MobileError> {
    match runtime::run(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(MobileError::Unexpected { reference: None }),
    }
}

/// The same, until somebody cancels the token, if there is one.
pub(crate) async fn on_core_until<T: Send + 'static>(
    cancel: Option<Cancel>,
    work: impl Future<Output = Result<T, CoreError>> + Send + 'static,
) -> Result<T, MobileError> {
    let Some(cancel) = cancel else { return on_core(work).await };
    match runtime::run_until(work, cancel).await {
        Ok(done) => Ok(done.unwrap_or(Err(CoreError::Cancelled))?),
        Err(_) => Err(MobileError::Unexpected { reference: None }),
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl RenrakuDevice {
    /// Opens the device and takes up an earlier enrolment, without the network.
    ///
    /// `folder`: a folder of the app's own, kept out of backups. `key`: the key in hardware; none for a
    /// software key sealed by the vault. `extra_roots`: PEM of root certificates for a town whose server has
    /// one of its own.
    ///
    /// Fails with `Storage` (folder or vault), `Invalid` (roots).
    #[uniffi::constructor]
    pub async fn open(
        folder: String,
        vault: Arc<dyn Vault>,
        key: Option<Arc<dyn DeviceKey>>,
        extra_roots: Option<String>,
    ) -> Result<Arc<Self>, MobileError> {
        Self::open_town(folder, vault, key, None, extra_roots, None).await
    }

    /// Opens the device in one of several towns, or with two keys in hardware; otherwise as `open`.
    ///
    /// `town`: the town's slug. Each town has a folder and secrets of its own under `folder` and in `vault`;
    /// keys in hardware must be the town's own, too. None for a device with one town. `spare_key`: a second key
    /// in hardware under another name, which takes turns with `key` when the certificate is renewed; without
    /// it a device with `key` in hardware enrols anew when its certificate ends.
    ///
    /// Fails with `Storage` (folder or vault), `Invalid` (roots, or a town that is no slug).
    #[uniffi::constructor]
    pub async fn open_town(
        folder: String,
        vault: Arc<dyn Vault>,
        key: Option<Arc<dyn DeviceKey>>,
        spare_key: Option<Arc<dyn DeviceKey>>,
        extra_roots: Option<String>,
        town: Option<String>,
    ) -> Result<Arc<Self>, MobileError> {
        let settings = DeviceSettings {
            folder: folder.into(),
            vault: Arc::new(ForeignVault(vault)),
            key: key.map(|key| Arc::new(ForeignKey(key)) as _),
            spare_key: spare_key.map(|key| Arc::new(ForeignKey(key)) as _),
            extra_roots,
            town,
            clock: None,
        };
        let opened = runtime::block(move || Device::open(settings)).await;
        let device = opened.map_err(|_| MobileError::Unexpected { reference: None })??;
        Ok(Arc::new(Self { inner: Held::new(Arc::new(device)), cancel: None }))
    }

    /// The same device, whose calls to the network (`enrol`, `renew_certificate`, `diagnose`, `sign_in`) end with
    /// `Cancelled` when somebody cancels the token, within 200 ms. Nothing is half done then: the same No enrols
    /// when asked again, and no session stays open that cannot be reached from here. Only at its very end a call
    /// may be done all the same; `municipality` and `people` tell. Other calls take no notice of the token, and
    /// sessions have their own `until`. Returns at once.
    #[must_use]
    pub fn until(&self, cancelled: Arc<CancelToken>) -> Arc<Self> {
        Arc::new(Self { inner: Held::new(self.inner.clone()), cancel: Some(cancelled.inner.clone()) })
    }

    /// The town as it described itself when somebody last signed in; none before the enrolment. Returns at once.
    #[must_use]
    pub fn municipality(&self) -> Option<Municipality> {
        self.inner.municipality().map(Into::into)
    }

    /// True when the device's key could not be read out of it when it was last looked at: at the opening, and with
    /// each certificate. Returns at once.
    #[must_use]
    pub fn is_hardware_backed(&self) -> bool {
        self.inner.is_hardware_backed()
    }

    /// Makes the key, sends the request for a certificate and keeps what comes back. Some seconds.
    ///
    /// A device whose certificate is at its end (`certificate_replaced`, `certificate_expired`, or its key is gone)
    /// enrols anew in the same town: stores and outboxes stay.
    ///
    /// Fails with `Conflict` when the device has a certificate that is not at its end (for one more town see
    /// `open_town`), `Certificate` when No, password or key are refused, `NotFound` for a town that is not there,
    /// `Invalid` for an address that is not `https`, `Offline`, `Storage`. Only `forget` gives up a certificate that
    /// works, and it destroys the stores and outboxes of everybody here: what was not sent is lost.
    pub async fn enrol(&self, form: EnrolmentForm) -> Result<Municipality, MobileError> {
        let inner = self.inner.clone();
        let new = NewDevice {
            public_url: form.public_url,
            slug: form.slug,
            number: form.number,
            password: form.password,
            device_name: form.device_name,
            platform: form.platform,
        };
        on_core_until(self.cancel.clone(), async move { inner.enrol(new).await.map(Into::into) }).await
    }

    /// How long the certificate lasts; none before the enrolment. Returns at once. `sign_in` renews it by itself
    /// when `renewal_due`; a shell may say so, or call `renew_certificate` while somebody is signed in.
    #[must_use]
    pub fn certificate(&self) -> Option<CertificateStatus> {
        self.inner.certificate()
    }

    /// Renews the certificate before its end, as `sign_in` does by itself, with a new key; the person signed in
    /// vouches. Some seconds. A
    /// kill leaves the old certificate or the new one, and either works. Afterwards everybody on this device
    /// signs in again: sessions belong to the certificate they were opened with. Stores and outboxes stay.
    ///
    /// Fails with `Conflict` when it is too early or there is no second key, `SignedOut` for a session of the
    /// certificate before (the second of two taps: it is renewed), `Certificate`, `Offline`, `Storage`,
    /// `Unexpected` when the server sent a certificate that is no better.
    pub async fn renew_certificate(
        &self,
        session: Arc<RenrakuSession>,
    ) -> Result<CertificateStatus, MobileError> {
        let inner = self.inner.clone();
        on_core_until(self.cancel.clone(), async move { inner.renew_certificate(session.core()).await }).await
    }

    /// Finds out whether this device can reach the care host. Some seconds. If the town says that the device
    /// is revoked, everything of the town is wiped from it, as at any other contact.
    ///
    /// Fails with `Storage` when the key is locked, `Unexpected` when the answer is no diagnosis.
    pub async fn diagnose(&self) -> Result<Diagnosis, MobileError> {
        let inner = self.inner.clone();
        let diagnosed = on_core_until(self.cancel.clone(), async move { inner.diagnose().await }).await?;
        Ok(match diagnosed {
            Diagnosed::Ready => Diagnosis::Ready,
            Diagnosed::NotEnrolled => Diagnosis::NotEnrolled,
            Diagnosed::Offline => Diagnosis::Offline,
            Diagnosed::Refused { code } => Diagnosis::Refused { code },
        })
    }

    /// Signs a person in, and opens or makes their sealed store. Some seconds. When the certificate's renewal is
    /// due, it is renewed on the way, and others on this device sign in again; what hinders that does not hinder
    /// the signing in: when the network goes just then, the session asks to sign in again at its next contact.
    ///
    /// Fails with `SignedOut` for a wrong id or password or a locked account, `Certificate`, `Offline`,
    /// `Storage`: with `Locked`, the person has a PIN here, so unlock first.
    pub async fn sign_in(
        &self,
        login_id: String,
        password: String,
    ) -> Result<Arc<RenrakuSession>, MobileError> {
        let inner = self.inner.clone();
        let session =
            on_core_until(self.cancel.clone(), async move { inner.sign_in(&login_id, &password).await })
                .await?;
        Ok(RenrakuSession::new(session))
    }

    /// Takes up the session that a person left open, without the network. Milliseconds. Where the person has
    /// no PIN, the shell must have made sure who holds the device.
    ///
    /// Fails with `SignedOut` when there is none, `Certificate` when the device is not enrolled (any more),
    /// `Storage`: with `Locked`, the person has a PIN, so unlock first.
    pub async fn resume(&self, staff_id: StaffId) -> Result<Arc<RenrakuSession>, MobileError> {
        let inner = self.inner.clone();
        Ok(RenrakuSession::new(on_core(async move { inner.resume(staff_id).await }).await?))
    }

    /// How a person's store is guarded: whether there is a PIN, whether biometrics open it too, and how many
    /// wrong PINs are left. Milliseconds.
    ///
    /// Fails with `NotFound` for somebody unknown here, `Storage`.
    pub async fn person_lock(&self, staff_id: StaffId) -> Result<PersonLock, MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.person_lock(staff_id).await }).await
    }

    /// Opens the store of a person with a PIN, until `lock` or the app's end; `resume` or `sign_in` comes next.
    /// Some tenths of a second, for the PIN's sake; no network. Each try is counted before it is looked at,
    /// and the tenth wrong one in a row wipes everything of the person from this device. Once begun it cannot
    /// be cancelled.
    ///
    /// Fails with `Storage` (`WrongPin`, `Wiped`), `NotFound` for somebody unknown here.
    pub async fn unlock_with_pin(&self, staff_id: StaffId, pin: String) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.unlock(staff_id, Unlock::Pin(pin)).await }).await
    }

    /// Opens the store of a person by finger or face, as `unlock_with_pin`. `guarded`: a vault that gives out
    /// what it keeps only after the platform recognised the person; it is asked on a worker thread and may
    /// block until then.
    ///
    /// Fails with `Storage` (`Locked`: not recognised, or not set up any more; ask for the PIN), `NotFound`.
    pub async fn unlock_with_biometrics(
        &self,
        staff_id: StaffId,
        guarded: Arc<dyn Vault>,
    ) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        let unlock = Unlock::Biometrics(Arc::new(ForeignVault(guarded)));
        on_core(async move { inner.unlock(staff_id, unlock).await }).await
    }

    /// Closes the store of a person with a PIN: their sessions here fail with `Storage` (`Locked`) from now on.
    /// Call it after `relock_seconds` in the background, and when another person takes the tablet. What is on
    /// its way to the disk is finished first. Someone without a PIN stays as they are.
    ///
    /// Never fails.
    pub async fn lock(&self, staff_id: StaffId) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move {
            inner.lock(staff_id).await;
            Ok(())
        })
        .await
    }

    /// Sets a person's first PIN (`current` is none), or another one. Some tenths of a second. A kill leaves
    /// the old PIN or the new one.
    ///
    /// Fails with `Invalid` (`pin`) for less than 6 or more than 64 characters, one character over and over, or
    /// a run like 123456; `Storage` as `unlock_with_pin` for a wrong `current`; `NotFound`.
    pub async fn set_pin(
        &self,
        staff_id: StaffId,
        current: Option<String>,
        pin: String,
    ) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.set_pin(staff_id, current, pin).await }).await
    }

    /// Lets the person's finger or face open their store, beside the PIN. `guarded`: as in
    /// `unlock_with_biometrics`; it must lose what it keeps when another finger or face is enrolled.
    ///
    /// Fails with `Storage` as `unlock_with_pin` for a wrong PIN, `Damaged` when none was set; `NotFound`.
    pub async fn add_biometrics(
        &self,
        staff_id: StaffId,
        pin: String,
        guarded: Arc<dyn Vault>,
    ) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        let guarded = Arc::new(ForeignVault(guarded));
        on_core(async move { inner.add_biometrics(staff_id, pin, guarded).await }).await
    }

    /// Only the PIN opens the person's store from now on. What the platform still keeps opens nothing.
    ///
    /// Fails with `Storage`.
    pub async fn remove_biometrics(&self, staff_id: StaffId) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.remove_biometrics(staff_id).await }).await
    }

    /// Those who signed in on this device before, in that order.
    ///
    /// Fails with `Storage` when the vault cannot look now.
    pub async fn people(&self) -> Result<Vec<KnownPerson>, MobileError> {
        let inner = self.inner.clone();
        let people = on_core(async move { inner.people().await }).await?;
        Ok(people.into_iter().map(|p| KnownPerson { staff_id: p.staff_id, name: p.name }).collect())
    }

    /// Forgets a person on this device: key, store, outbox. What was not sent is lost.
    ///
    /// Fails with `Storage` when something may still be there.
    pub async fn forget_person(&self, staff_id: StaffId) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.forget_person(staff_id).await }).await
    }

    /// Forgets everything of this town: everyone on this device with store and outbox, the certificate, the keys. What
    /// was not sent is lost. The device must enrol again.
    ///
    /// Fails with `Storage` when something may still be there.
    pub async fn forget(&self) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.forget().await }).await
    }
}

/// What the portal's 2-D code says, as a form that `enrol` takes. `text`: whatever the camera read. Opens nothing
/// and asks nobody. Returns at once, on any thread.
///
/// Fails with `Invalid`: `setup_code_foreign` for another kind of code, `setup_code_newer` for one of a newer
/// version, `setup_code_malformed` for one that is damaged or forged; `problem_sentence` says what to do.
#[uniffi::export]
pub fn scan_setup_code(
    text: String,
    device_name: String,
    platform: Platform,
) -> Result<EnrolmentForm, MobileError> {
    let NewDevice { public_url, slug, number, password, device_name, platform } =
        NewDevice::scanned(&text, device_name, platform)?;
    Ok(EnrolmentForm { public_url, slug, number, password, device_name, platform })
}

/// The towns that have a folder of their own under `folder`, by slug, sorted: open each with `open_town`. Reads
/// one folder.
///
/// Fails with `Storage` when the folder cannot be read.
#[uniffi::export(async_runtime = "tokio")]
pub async fn known_towns(folder: String) -> Result<Vec<String>, MobileError> {
    let read = runtime::block(move || renraku_core::towns(folder.as_ref())).await;
    Ok(read.map_err(|_| MobileError::Unexpected { reference: None })??)
}
