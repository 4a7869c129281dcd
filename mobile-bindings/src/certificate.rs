//! This device's certificate of the town, for a shell: got, looked at, renewed, diagnosed.

use crate::held::Held;
use crate::{EnrolmentForm, MobileError, Municipality, RenrakuSession};
use renraku_core::{CertificateStatus, Device, Diagnosed, NewDevice};
use renraku_wire::{Code, Platform};
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

/// The certificate of a device, and its key. Threads and cancelling: as [`RenrakuDevice`](crate::RenrakuDevice).
#[derive(Debug, uniffi::Object)]
pub struct RenrakuCertificate(pub(crate) Held<Device>);

#[uniffi::export(async_runtime = "tokio")]
impl RenrakuCertificate {
    /// Makes the key, sends the request for a certificate and keeps what comes back. Some seconds.
    ///
    /// A device whose certificate is at its end (`certificate_replaced`, `certificate_expired`, or its key is gone)
    /// enrols anew in the same town: stores and outboxes stay.
    ///
    /// Fails with `Conflict` when the device has a certificate that is not at its end (for one more town see
    /// `RenrakuDevice.open_town`), `Certificate` when No, password or key are refused, `NotFound` for a town that is
    /// not there, `Invalid` for an address that is not `https`, `Offline`, `Storage`. Only `RenrakuDevice.forget` gives
    /// up a certificate that works, and it destroys the stores and outboxes of everybody here: what was not sent is
    /// lost.
    pub async fn enrol(&self, form: EnrolmentForm) -> Result<Municipality, MobileError> {
        let new = NewDevice {
            public_url: form.public_url,
            slug: form.slug,
            number: form.number,
            password: form.password,
            device_name: form.device_name,
            platform: form.platform,
        };
        self.0.run_until(async move |device| device.enrol(new).await.map(Into::into)).await
    }

    /// How long the certificate lasts; none before the enrolment. Returns at once. `RenrakuDevice.sign_in` renews it by
    /// itself when `renewal_due`; a shell may say so, or call `renew` while somebody is signed in.
    #[must_use]
    pub fn status(&self) -> Option<CertificateStatus> {
        self.0.get().certificate()
    }

    /// True when the device's key could not be read out of it when it was last looked at: at the opening, and with
    /// each certificate. Returns at once.
    #[must_use]
    pub fn is_hardware_backed(&self) -> bool {
        self.0.get().is_hardware_backed()
    }

    /// Renews the certificate before its end, as `RenrakuDevice.sign_in` does by itself, with a new key; the person
    /// signed in vouches. Some seconds. A kill leaves the old certificate or the new one, and either works. Afterwards everybody on this device
    /// signs in again: sessions belong to the certificate they were opened with. Stores and outboxes stay.
    ///
    /// Fails with `Conflict` when it is too early or there is no second key, `SignedOut` for a session of the
    /// certificate before (the second of two taps: it is renewed), `Certificate`, `Offline`, `Storage`,
    /// `Unexpected` when the server sent a certificate that is no better.
    pub async fn renew(&self, session: Arc<RenrakuSession>) -> Result<CertificateStatus, MobileError> {
        self.0.run_until(async move |device| device.renew_certificate(session.core()).await).await
    }

    /// Finds out whether this device can reach the care host. Some seconds. If the town says that the device
    /// is revoked, everything of the town is wiped from it, as at any other contact.
    ///
    /// Fails with `Storage` when the key is locked, `Unexpected` when the answer is no diagnosis.
    pub async fn diagnose(&self) -> Result<Diagnosis, MobileError> {
        let diagnosed = self.0.run_until(async move |device| device.diagnose().await).await?;
        Ok(match diagnosed {
            Diagnosed::Ready => Diagnosis::Ready,
            Diagnosed::NotEnrolled => Diagnosis::NotEnrolled,
            Diagnosed::Offline => Diagnosis::Offline,
            Diagnosed::Refused { code } => Diagnosis::Refused { code },
        })
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
