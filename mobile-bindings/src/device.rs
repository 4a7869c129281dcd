//! The way in for a shell: this device, its town, the people on it.

use crate::foreign::{CancelToken, DeviceKey, ForeignKey, ForeignVault, Vault};
use crate::held::Held;
use crate::{KnownPerson, MobileError, Municipality, RenrakuCertificate, RenrakuPerson, RenrakuSession};
use renraku_core::{Device, DeviceSettings, runtime};
use renraku_wire::StaffId;
use std::sync::Arc;

/// This device in a town. Open one for the app's life. Calls may come from any thread and do not keep it busy; nor does
/// letting go of the object.
#[derive(Debug, uniffi::Object)]
pub struct RenrakuDevice(Held<Device>);

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
        Ok(Arc::new(Self(Held::new(device))))
    }

    /// The same device, whose calls to the network (`sign_in`, and with its `certificate`: `enrol`, `renew`, `diagnose`)
    /// end with `Cancelled` when somebody cancels the token, within 200 ms. Nothing is half done then: the same No
    /// enrols when asked again, and no session stays open that cannot be reached from here. Only at its very end a call
    /// may be done all the same; `municipality` and `people` tell. Other calls take no notice of the token, and
    /// sessions have their own `until`. Returns at once.
    #[must_use]
    pub fn until(&self, cancelled: Arc<CancelToken>) -> Arc<Self> {
        Arc::new(Self(self.0.until(cancelled.inner.clone())))
    }

    /// The certificate that this device has of the town, or is to get. Returns at once.
    #[must_use]
    pub fn certificate(&self) -> Arc<RenrakuCertificate> {
        Arc::new(RenrakuCertificate(self.0.clone()))
    }

    /// One of `people`, or somebody unknown here. Returns at once.
    #[must_use]
    pub fn person(&self, staff_id: StaffId) -> Arc<RenrakuPerson> {
        Arc::new(RenrakuPerson { device: self.0.clone(), staff_id })
    }

    /// The town as it described itself when somebody last signed in; none before the enrolment. Returns at once.
    #[must_use]
    pub fn municipality(&self) -> Option<Municipality> {
        self.0.get().municipality().map(Into::into)
    }

    /// Those who signed in on this device before, in that order.
    ///
    /// Fails with `Storage` when the vault cannot look now.
    pub async fn people(&self) -> Result<Vec<KnownPerson>, MobileError> {
        let people = self.0.run(async move |device| device.people().await).await?;
        Ok(people.into_iter().map(|p| KnownPerson { staff_id: p.staff_id, name: p.name }).collect())
    }

    /// Signs a person in, and opens or makes their sealed store. Their session before ends: one person has one on a
    /// device. Some seconds. When the certificate's renewal is
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
        let session =
            self.0.run_until(async move |device| device.sign_in(&login_id, &password).await).await?;
        Ok(RenrakuSession::new(session))
    }

    /// Forgets everything of this town: everyone on this device with store and outbox, the certificate, the keys. What
    /// was not sent is lost. The device must enrol again.
    ///
    /// Fails with `Storage` when something may still be there.
    pub async fn forget(&self) -> Result<(), MobileError> {
        self.0.run(async move |device| device.forget().await).await
    }
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
