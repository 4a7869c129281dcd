//! The certificate's life: got by No and password, renewed before its end, diagnosed when it does not work.

use super::{Device, Enrolled, Inner};
use crate::api::{ApiError, Public};
use crate::error::{CoreError, Fault};
use crate::identity::{DeviceKey, Enrolment, KeyError, TlsIdentity, certificate_request, client_config};
use crate::runtime::block;
use crate::session::Session;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use renraku_wire::{
    CertificateIssued, CertificateRequest, Code, MunicipalityInfo, Platform, SetupCode, SetupCodeError,
    Timestamp,
};
use reqwest::Url;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Days before its end from which a certificate is renewed; the server's window is the same (domain 1.5).
const RENEW_DAYS: i64 = 30;

/// What enrolling needs: from the mail to the facility's manager, typed or scanned.
pub struct NewDevice {
    /// The public host, `https://host:port`.
    pub public_url: String,
    /// The town's name in addresses.
    pub slug: String,
    /// 証明書取得用No.
    pub number: String,
    /// Its password.
    pub password: String,
    /// What people call the device.
    pub device_name: String,
    /// What it is.
    pub platform: Platform,
}

impl NewDevice {
    /// What the portal's 2-D code says, whatever a camera may have read there. Trusts nothing in it yet: enrolling
    /// asks the host that it names, over TLS, and believes only a host with a trusted certificate.
    ///
    /// # Errors
    /// `Invalid` with `setup_code_foreign`, `setup_code_newer` or `setup_code_malformed`.
    pub fn scanned(code: &str, device_name: String, platform: Platform) -> Result<Self, CoreError> {
        let code = SetupCode::parse(code).map_err(CoreError::setup_code)?;
        if !is_taken_as_written(code.public_url()) {
            return Err(CoreError::setup_code(SetupCodeError::Malformed));
        }
        Ok(Self {
            public_url: code.public_url().to_owned(),
            slug: code.slug().to_owned(),
            number: code.number,
            password: code.password,
            device_name,
            platform,
        })
    }
}

/// The host that is asked is the host that stands there: `127.1` and `0x7f.0.0.1` are other names of other hosts
/// to whoever resolves them.
fn is_taken_as_written(public_url: &str) -> bool {
    let Ok(url) = Url::parse(public_url) else { return false };
    let written = public_url.strip_prefix("https://").unwrap_or_default();
    let bracketed = written.starts_with('[');
    let name = written.split(':').next().unwrap_or_default();
    url.scheme() == "https"
        && url.path() == "/"
        && (bracketed || url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(name)))
}

impl std::fmt::Debug for NewDevice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewDevice").field("slug", &self.slug).finish_non_exhaustive()
    }
}

/// Whether this device can reach the care host, and if not, why (F62).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diagnosed {
    /// It can.
    Ready,
    /// There is no certificate: enrol.
    NotEnrolled,
    /// The server was not reached.
    Offline,
    /// The certificate stands in the way.
    Refused {
        /// Why.
        code: Code,
    },
}

/// How long the certificate lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateStatus {
    /// First instant at which it is valid, if it can be read.
    pub not_before: Option<Timestamp>,
    /// Last instant at which it is valid.
    pub not_after: Timestamp,
    /// True in its last 30 days (in the last third of a short life), and after it: renew it, or enrol anew
    /// once it has ended.
    pub renewal_due: bool,
}

impl Device {
    /// Makes the key, sends the request for a certificate and keeps what comes back.
    ///
    /// A device whose certificate is at its end (it heard `certificate_replaced` or `certificate_expired`, the end
    /// has passed by its clock, or the key is gone) enrols anew in the same town, on the same host: everyone's store
    /// and outbox stay.
    ///
    /// A caller who goes away before the answer may ask again with the same No: the town gives the same certificate
    /// to the same key.
    ///
    /// # Errors
    /// `Conflict` when the device is enrolled already ([`Device::forget`] first), `Certificate` when No,
    /// password or key are refused, `NotFound` for a town that is not there, `Invalid` for an address that is
    /// no `https` or another town's slug than this device's, `Offline`, `Storage`.
    pub async fn enrol(&self, new: NewDevice) -> Result<MunicipalityInfo, CoreError> {
        let inner = &self.inner;
        let changing = inner.changing.clone().lock_owned().await;
        let old = inner.enrolled();
        if old.as_ref().is_some_and(|old| !old.may_enrol_anew(&new, inner.clock.now())) {
            return Err(CoreError::Conflict { code: Code::StateConflict });
        }
        if inner.town.as_ref().is_some_and(|town| *town != new.slug) {
            return Err(CoreError::invalid("slug"));
        }
        let public = Public::new(client_config(None, &inner.roots)?, &new.public_url)
            .map_err(|_| CoreError::invalid("public_url"))?;
        if inner.revoked.load(Ordering::SeqCst) {
            let inner = inner.clone();
            block(move || inner.wipe_once()).await??;
        }
        let (turn, key) = inner.next_key().ok_or(KeyError::Failed)?;
        let municipality = public.municipality(&new.slug).await?;
        if old.as_ref().is_some_and(|old| old.enrolment.municipality.id != municipality.id) {
            return Err(CoreError::Conflict { code: Code::StateConflict });
        }
        let mut request = CertificateRequest {
            number: new.number,
            password: new.password,
            csr: csr(&key, false).await?,
            device_name: new.device_name,
            platform: new.platform,
        };
        let mut answer = public.enrol(&new.slug, &request).await;
        if answer.as_ref().is_err_and(|e| e.code() == Some(Code::CsrKeyInUse)) {
            // It was used before, with another No: that certificate is lost, so is its key.
            request.csr = csr(&key, true).await?;
            answer = public.enrol(&new.slug, &request).await;
        }
        let enrolment =
            Enrolment { public_url: new.public_url, municipality, certificate: answer?, key: turn };
        let municipality = enrolment.municipality.clone();
        inner.keep(changing, key, old, enrolment).await?;
        Ok(municipality)
    }

    /// How long the certificate lasts; none before the enrolment.
    #[must_use]
    pub fn certificate(&self) -> Option<CertificateStatus> {
        let enrolled = self.inner.enrolled()?;
        let (from, until) = (enrolled.enrolment.not_before(), enrolled.enrolment.certificate.not_after);
        let renewal_due = renewal_from(&enrolled.enrolment) <= self.inner.clock.now();
        Some(CertificateStatus { not_before: from, not_after: until, renewal_due })
    }

    /// Renews the certificate before its end ([`Device::sign_in`] does so by itself): a new key (the other of the device's two), a new certificate, one
    /// switch. The person signed in vouches for the device. Killed at any instant, the device has the old
    /// certificate or the new one, and either works: the server keeps the old one good until the new one is
    /// used, and gives the same certificate again to whoever asks again with the same key.
    ///
    /// Sessions belong to the certificate that they were opened with: afterwards everybody on this device signs
    /// in again. Nothing in their stores is lost. Gives how long the new one lasts.
    ///
    /// # Errors
    /// `Conflict` when it is too early, or there is no second key; `SignedOut` for a session of the certificate
    /// before, as the second of two calls at once finds: it is renewed; `Certificate`, `Offline`, `Storage`,
    /// `Unexpected` when the server sent a certificate that is no better.
    pub async fn renew_certificate(&self, session: &Session) -> Result<CertificateStatus, CoreError> {
        let inner = &self.inner;
        let changing = inner.changing.clone().lock_owned().await;
        self.renew(changing, session).await
    }

    /// The same, unless another sign-in did it while this one waited for its turn.
    pub(super) async fn renew_if_due(&self, session: &Session, until: Timestamp) -> Result<(), CoreError> {
        let changing = self.inner.changing.clone().lock_owned().await;
        if self.is_renewal_due(until) { self.renew(changing, session).await.map(drop) } else { Ok(()) }
    }

    /// One at a time: the caller holds `changing`.
    async fn renew(&self, changing: Changing, session: &Session) -> Result<CertificateStatus, CoreError> {
        let inner = &self.inner;
        let enrolled = inner.must_be_enrolled()?;
        if !inner.is_enrolled_with(session.certificate()) {
            // Renewed meanwhile. Asked over this session's connection, the town would take the new one back.
            return Err(CoreError::SignedOut { code: Code::SessionInvalid });
        }
        let turn = 1 - enrolled.enrolment.key.min(1);
        let spare = inner.keys[usize::from(turn)].clone();
        let spare = spare.ok_or(CoreError::Conflict { code: Code::StateConflict })?;
        let mut answer = session.care().renew_certificate(&csr(&spare, false).await?).await;
        if answer.as_ref().is_err_and(|e| e.code() == Some(Code::CsrKeyInUse)) {
            // The key of the certificate before: it has had its time.
            answer = session.care().renew_certificate(&csr(&spare, true).await?).await;
        }
        let certificate: CertificateIssued = answer?;
        let old = &enrolled.enrolment;
        let same = certificate.device_id == old.certificate.device_id
            && certificate.municipality_id == old.certificate.municipality_id;
        if !same || certificate.not_after <= old.certificate.not_after {
            return Err(CoreError::Unexpected { reference: None });
        }
        let retired = inner.key();
        let new = Enrolment { certificate, key: turn, ..old.clone() };
        inner.keep(changing, spare, Some(enrolled), new).await?;
        // If the chip does not let go of it now, the next renewal replaces it.
        let _ = block(move || retired.map(|key| key.delete())).await;
        self.certificate().ok_or(CoreError::Unexpected { reference: None })
    }

    /// Finds out whether this device can reach the care host, asking the public host over a fresh connection.
    /// If it says that the device is revoked, everything is wiped from the device, as at any other contact.
    ///
    /// # Errors
    /// `Unexpected` when the server answers something else than a diagnosis; `Storage` when the key is locked.
    pub async fn diagnose(&self) -> Result<Diagnosed, CoreError> {
        let inner = &self.inner;
        let Some(enrolled) = inner.enrolled() else {
            let revoked = inner.revoked.load(Ordering::SeqCst);
            let refused = Diagnosed::Refused { code: Code::CertificateRevoked };
            return Ok(if revoked { refused } else { Diagnosed::NotEnrolled });
        };
        let enrolment = &enrolled.enrolment;
        let tls = client_config(Some(inner.identity(enrolment)?), &inner.roots)?;
        let public = Public::new(tls, &enrolment.public_url)?;
        let asked = public.diagnosis(&enrolment.municipality.slug).await;
        let now = inner.clock.now();
        let is_current = || inner.enrolled().is_some_and(|now| Arc::ptr_eq(&now, &enrolled));
        Ok(match asked {
            Ok(diagnosis) if diagnosis.ok => Diagnosed::Ready,
            Ok(diagnosis) => {
                let code = diagnosis.code.unwrap_or(Code::Unknown);
                let current = is_current();
                if code == Code::CertificateRevoked && current {
                    let inner = inner.clone();
                    block(move || inner.wipe_revoked()).await??;
                } else if matches!(code, Code::CertificateReplaced | Code::CertificateExpired) && current {
                    inner.mark_ended();
                }
                Diagnosed::Refused { code }
            }
            Err(ApiError::CertificateRefused(code)) => {
                if code == Code::CertificateExpired && is_current() {
                    inner.mark_ended();
                }
                Diagnosed::Refused { code }
            }
            Err(ApiError::ServerUntrusted { clock: true }) => {
                Diagnosed::Refused { code: Code::CertificateNotYetValid }
            }
            Err(ApiError::Key(KeyError::Gone)) => {
                if is_current() {
                    inner.mark_ended();
                }
                Diagnosed::NotEnrolled
            }
            Err(ApiError::Offline { .. } | ApiError::ServerUntrusted { clock: false }) => {
                if now > enrolment.certificate.not_after {
                    Diagnosed::Refused { code: Code::CertificateExpired }
                } else if enrolment.not_before().is_some_and(|from| now < from) {
                    Diagnosed::Refused { code: Code::CertificateNotYetValid }
                } else {
                    Diagnosed::Offline
                }
            }
            Err(e) => return Err(e.into()),
        })
    }
}

/// The instant from which a certificate is renewed.
pub(super) fn renewal_from(enrolment: &Enrolment) -> Timestamp {
    let (from, until) = (enrolment.not_before(), enrolment.certificate.not_after);
    let days = RENEW_DAYS * 86_400_000;
    let third = from.map_or(days, |from| until.0.saturating_sub(from.0) / 3);
    Timestamp(until.0.saturating_sub(days.min(third)))
}

impl Enrolled {
    /// Only where its people's records came from: another host could say that it is the same town.
    fn may_enrol_anew(&self, new: &NewDevice, now: Timestamp) -> bool {
        let same_host = match (Url::parse(&self.enrolment.public_url), Url::parse(&new.public_url)) {
            (Ok(old), Ok(new)) => old == new,
            _ => false,
        };
        let ended = self.ended.load(Ordering::SeqCst) || now > self.enrolment.certificate.not_after;
        ended && same_host && self.enrolment.municipality.slug == new.slug
    }
}

impl Inner {
    /// The key for an enrolment: the first one, or the other one while the device has a certificate, so that a
    /// refusal leaves that one as it is.
    fn next_key(&self) -> Option<(u8, Arc<dyn DeviceKey>)> {
        let turns = match self.enrolled() {
            Some(old) => [1 - old.enrolment.key.min(1), old.enrolment.key.min(1)],
            None => [0, 1],
        };
        turns.into_iter().find_map(|turn| Some((turn, self.keys[usize::from(turn)].clone()?)))
    }

    pub(super) fn identity(&self, enrolment: &Enrolment) -> Result<TlsIdentity, Fault> {
        let key = self.keys.get(usize::from(enrolment.key)).cloned().flatten();
        Ok(TlsIdentity::new(enrolment.chain()?, key.ok_or(KeyError::Gone)?))
    }

    /// Checks that a certificate is for this key, and puts it in the place of the one before. A caller who goes away
    /// does not stop it half-way, and the next one waits for it.
    async fn keep(
        self: &Arc<Self>,
        changing: Changing,
        key: Arc<dyn DeviceKey>,
        before: Option<Arc<Enrolled>>,
        enrolment: Enrolment,
    ) -> Result<(), CoreError> {
        let inner = self.clone();
        block(move || -> Result<(), CoreError> {
            let _changing = changing;
            // A key that is gone is made anew by asking for it.
            inner.still(before.as_ref(), inner.enrolled().as_ref())?;
            enrolment.check_key(&key.public_key()?)?;
            if before.is_none() && inner.revoked.load(Ordering::SeqCst) {
                // Only now: until then a start says why there is no certificate. And first: with the mark the next
                // start would wipe the new one.
                inner.unmark()?;
            }
            inner.replace(before.as_ref(), enrolment)?;
            inner.look_at_the_key();
            Ok(())
        })
        .await?
    }
}

/// The turn of whoever changes the certificate.
type Changing = tokio::sync::OwnedMutexGuard<()>;

async fn csr(key: &Arc<dyn DeviceKey>, fresh: bool) -> Result<String, CoreError> {
    let key = key.clone();
    let der = block(move || {
        if fresh {
            key.delete()?;
        }
        certificate_request(key.as_ref())
    });
    Ok(STANDARD.encode(der.await?? as Vec<u8>))
}
