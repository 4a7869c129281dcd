//! The way in for a shell: this device, its town, the people on it.

use crate::foreign::{DeviceKey, ForeignKey, ForeignVault, Vault};
use crate::{EnrolmentForm, KnownPerson, MobileError, Municipality, RenrakuSession};
use renraku_core::{CoreError, Device, DeviceSettings, Diagnosed, NewDevice, runtime};
use renraku_wire::{Code, StaffId};
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

/// This device. Open one for the app's life. Calls may come from any thread and do not keep it busy.
#[derive(Debug, uniffi::Object)]
pub struct RenrakuDevice {
    inner: Arc<Device>,
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
        let settings = DeviceSettings {
            folder: folder.into(),
            vault: Arc::new(ForeignVault(vault)),
            key: key.map(|key| Arc::new(ForeignKey(key)) as _),
            extra_roots,
        };
        let opened = runtime::block(move || Device::open(settings)).await;
        let inner = Arc::new(opened.map_err(|_| MobileError::Unexpected { reference: None })??);
        Ok(Arc::new(Self { inner }))
    }

    /// The town as it described itself at the enrolment; none before. Returns at once.
    #[must_use]
    pub fn municipality(&self) -> Option<Municipality> {
        self.inner.municipality().map(Into::into)
    }

    /// True when the device's key cannot be read out of it. Asks the key: may block for a moment.
    #[must_use]
    pub fn is_hardware_backed(&self) -> bool {
        self.inner.is_hardware_backed()
    }

    /// Makes the key, sends the request for a certificate and keeps what comes back. Some seconds.
    ///
    /// Fails with `Conflict` when the device is enrolled already (`forget` first), `Certificate` when No,
    /// password or key are refused, `NotFound` for a town that is not there, `Invalid` for an address that is
    /// not `https`, `Offline`, `Storage`.
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
        on_core(async move { inner.enrol(new).await.map(Into::into) }).await
    }

    /// Finds out whether this device can reach the care host. Some seconds.
    ///
    /// Fails with `Storage` when the key is locked, `Unexpected` when the answer is no diagnosis.
    pub async fn diagnose(&self) -> Result<Diagnosis, MobileError> {
        let inner = self.inner.clone();
        let diagnosed = on_core(async move { inner.diagnose().await }).await?;
        Ok(match diagnosed {
            Diagnosed::Ready => Diagnosis::Ready,
            Diagnosed::NotEnrolled => Diagnosis::NotEnrolled,
            Diagnosed::Offline => Diagnosis::Offline,
            Diagnosed::Refused { code } => Diagnosis::Refused { code },
        })
    }

    /// Signs a person in, and opens or makes their sealed store. Some seconds.
    ///
    /// Fails with `SignedOut` for a wrong id or password or a locked account, `Certificate`, `Offline`,
    /// `Storage`.
    pub async fn sign_in(
        &self,
        login_id: String,
        password: String,
    ) -> Result<Arc<RenrakuSession>, MobileError> {
        let inner = self.inner.clone();
        let session = on_core(async move { inner.sign_in(&login_id, &password).await }).await?;
        Ok(RenrakuSession::new(session))
    }

    /// Takes up the session that a person left open, without the network. Milliseconds. The shell must have
    /// made sure who holds the device (PIN, biometrics).
    ///
    /// Fails with `SignedOut` when there is none, `Certificate` when the device is not enrolled, `Storage`.
    pub async fn resume(&self, staff_id: StaffId) -> Result<Arc<RenrakuSession>, MobileError> {
        let inner = self.inner.clone();
        Ok(RenrakuSession::new(on_core(async move { inner.resume(staff_id).await }).await?))
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

    /// Forgets everything: everyone on this device, the certificate, the key. The device must enrol again.
    ///
    /// Fails with `Storage` when something may still be there.
    pub async fn forget(&self) -> Result<(), MobileError> {
        let inner = self.inner.clone();
        on_core(async move { inner.forget().await }).await
    }
}
