//! The way in: this device, its town, the people on it. Not here: what a person does (session).

use crate::api::{ApiError, Care, Public};
use crate::clock;
use crate::error::{CoreError, Fault};
use crate::identity::{
    DeviceKey, Enrolment, KeyError, SoftwareKey, TlsIdentity, certificate_request, client_config, extra_roots,
};
use crate::people::{self, Person};
use crate::runtime::block;
use crate::session::{Desk, Session};
use crate::store::session;
use crate::vault::Vault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use renraku_wire::{CertificateRequest, Code, MunicipalityInfo, Platform, SignIn, StaffId};
use rustls::pki_types::TrustAnchor;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

/// What the shell brings.
pub struct DeviceSettings {
    /// A folder of the app's own, kept out of backups.
    pub folder: PathBuf,
    /// The platform's keystore.
    pub vault: Arc<dyn Vault>,
    /// The key in hardware; none for a software key sealed by the vault.
    pub key: Option<Arc<dyn DeviceKey>>,
    /// PEM of extra roots, for a town whose server has a certificate of its own.
    pub extra_roots: Option<String>,
}

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

/// This device. All calls may come from any thread; the asynchronous ones need a tokio runtime
/// ([`crate::runtime::run`] brings one).
pub struct Device {
    folder: PathBuf,
    vault: Arc<dyn Vault>,
    key: Arc<dyn DeviceKey>,
    roots: Vec<TrustAnchor<'static>>,
    enrolled: RwLock<Option<Arc<Enrolled>>>,
    desks: Mutex<HashMap<StaffId, Weak<Desk>>>,
}

struct Enrolled {
    enrolment: Enrolment,
    care: Care,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").finish_non_exhaustive()
    }
}

impl Device {
    /// Opens the device's folder and vault, and takes up an earlier enrolment. Blocks for some milliseconds;
    /// touches neither the network nor the key.
    ///
    /// # Errors
    /// `Storage` when folder or vault fail; `Invalid` for roots that are no certificates.
    pub fn open(settings: DeviceSettings) -> Result<Self, CoreError> {
        let DeviceSettings { folder, vault, key, extra_roots: pem } = settings;
        std::fs::create_dir_all(&folder)?;
        // What a kill left of a film that was being made.
        match std::fs::remove_dir_all(folder.join(WORK)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
        let roots = match pem {
            Some(pem) => extra_roots(&pem).map_err(|_| CoreError::invalid("extra_roots"))?,
            None => Vec::new(),
        };
        let key = key.unwrap_or_else(|| Arc::new(SoftwareKey::new(vault.clone())));
        let device = Self {
            folder,
            key,
            roots,
            enrolled: RwLock::new(None),
            desks: Mutex::new(HashMap::new()),
            vault,
        };
        if let Some(enrolment) = Enrolment::load(device.vault.as_ref())? {
            device.take_up(enrolment)?;
        }
        Ok(device)
    }

    fn take_up(&self, enrolment: Enrolment) -> Result<(), CoreError> {
        let identity = TlsIdentity::new(enrolment.chain()?, self.key.clone());
        let tls = client_config(Some(identity), &self.roots)?;
        let care = Care::new(tls, &enrolment.certificate.care_url)?;
        let mut enrolled = self.enrolled.write().unwrap_or_else(PoisonError::into_inner);
        *enrolled = Some(Arc::new(Enrolled { enrolment, care }));
        Ok(())
    }

    fn enrolled(&self) -> Option<Arc<Enrolled>> {
        self.enrolled.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn must_be_enrolled(&self) -> Result<Arc<Enrolled>, CoreError> {
        self.enrolled().ok_or(CoreError::Certificate { code: Code::CertificateMissing })
    }

    /// The town as it described itself at the enrolment; none before.
    #[must_use]
    pub fn municipality(&self) -> Option<MunicipalityInfo> {
        self.enrolled().map(|e| e.enrolment.municipality.clone())
    }

    /// The device's enrolment; none before.
    #[must_use]
    pub fn enrolment(&self) -> Option<Enrolment> {
        self.enrolled().map(|e| e.enrolment.clone())
    }

    /// True when the device's key cannot be read out of it.
    #[must_use]
    pub fn is_hardware_backed(&self) -> bool {
        self.key.is_hardware_backed()
    }

    /// Makes the key, sends the request for a certificate and keeps what comes back.
    ///
    /// # Errors
    /// `Conflict` when the device is enrolled already ([`Device::forget`] first), `Certificate` when No,
    /// password or key are refused, `NotFound` for a town that is not there, `Offline`, `Storage`.
    pub async fn enrol(&self, new: NewDevice) -> Result<MunicipalityInfo, CoreError> {
        if self.enrolled().is_some() {
            return Err(CoreError::Conflict { code: Code::StateConflict });
        }
        let public = Public::new(client_config(None, &self.roots)?, &new.public_url)
            .map_err(|_| CoreError::invalid("public_url"))?;
        let municipality = public.municipality(&new.slug).await?;
        let mut request = CertificateRequest {
            number: new.number,
            password: new.password,
            csr: self.csr(false).await?,
            device_name: new.device_name,
            platform: new.platform,
        };
        let mut answer = public.enrol(&new.slug, &request).await;
        if answer.as_ref().is_err_and(|e| e.code() == Some(Code::CsrKeyInUse)) {
            // An earlier try got through and its answer did not: that certificate is lost, so is its key.
            request.csr = self.csr(true).await?;
            answer = public.enrol(&new.slug, &request).await;
        }
        let enrolment = Enrolment { public_url: new.public_url, municipality, certificate: answer? };
        let (key, vault, checked) = (self.key.clone(), self.vault.clone(), enrolment.clone());
        block(move || {
            checked.check_key(&key.public_key()?)?;
            checked.save(vault.as_ref()).map_err(Fault::from)
        })
        .await??;
        let municipality = enrolment.municipality.clone();
        self.take_up(enrolment)?;
        Ok(municipality)
    }

    async fn csr(&self, fresh: bool) -> Result<String, CoreError> {
        let key = self.key.clone();
        let der = block(move || {
            if fresh {
                key.delete()?;
            }
            certificate_request(key.as_ref())
        });
        Ok(STANDARD.encode(der.await?? as Vec<u8>))
    }

    /// Finds out whether this device can reach the care host, asking the public host over a fresh connection.
    ///
    /// # Errors
    /// `Unexpected` when the server answers something else than a diagnosis; `Storage` when the key is locked.
    pub async fn diagnose(&self) -> Result<Diagnosed, CoreError> {
        let Some(enrolled) = self.enrolled() else { return Ok(Diagnosed::NotEnrolled) };
        let enrolment = &enrolled.enrolment;
        let identity = TlsIdentity::new(enrolment.chain()?, self.key.clone());
        let public = Public::new(client_config(Some(identity), &self.roots)?, &enrolment.public_url)?;
        let asked = public.diagnosis(&enrolment.municipality.slug).await;
        let now = clock::now();
        Ok(match asked {
            Ok(diagnosis) if diagnosis.ok => Diagnosed::Ready,
            Ok(diagnosis) => Diagnosed::Refused { code: diagnosis.code.unwrap_or(Code::Unknown) },
            Err(ApiError::CertificateRefused(code)) => Diagnosed::Refused { code },
            Err(ApiError::ServerUntrusted { clock: true }) => {
                Diagnosed::Refused { code: Code::CertificateNotYetValid }
            }
            Err(ApiError::Key(KeyError::Gone)) => Diagnosed::NotEnrolled,
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

    /// Signs a person in, and opens or makes their store.
    ///
    /// # Errors
    /// `SignedOut` for a wrong id or password or a locked account, `Certificate`, `Offline`, `Storage`.
    pub async fn sign_in(&self, login_id: &str, password: &str) -> Result<Session, CoreError> {
        let enrolled = self.must_be_enrolled()?;
        let sign_in = SignIn { login_id: login_id.to_owned(), password: password.to_owned() };
        let opened = enrolled.care.sign_in(&sign_in).await?;
        let staff = opened.staff.clone();
        let (vault, folder) = (self.vault.clone(), self.folder.join(STORES));
        let desk = match self.desk(staff.id) {
            Some(desk) => desk,
            None => self
                .seat(staff.id, block(move || people::open_or_make(vault.as_ref(), &folder, &staff)).await??),
        };
        let kept = opened.clone();
        desk.store.write(move |tx| session::open(tx, &kept, clock::now())).await?;
        let care = enrolled.care.with_session(opened.token);
        Ok(self.session(&enrolled, care, desk, opened.staff, opened.must_change_password))
    }

    /// Takes up the session that a person left open, without the network.
    ///
    /// # Errors
    /// `SignedOut` when there is none, `Certificate` when the device is not enrolled, `Storage`.
    pub async fn resume(&self, staff: StaffId) -> Result<Session, CoreError> {
        let enrolled = self.must_be_enrolled()?;
        let signed_out = CoreError::SignedOut { code: Code::SessionInvalid };
        let desk = match self.desk(staff) {
            Some(desk) => desk,
            None => {
                let (vault, folder) = (self.vault.clone(), self.folder.join(STORES));
                let store = block(move || people::open(vault.as_ref(), &folder, staff)).await??;
                self.seat(staff, store.ok_or_else(|| signed_out.clone())?)
            }
        };
        let stored = desk.store.read(session::load).await?.ok_or_else(|| signed_out.clone())?;
        let care = enrolled.care.with_session(stored.token.ok_or(signed_out)?);
        Ok(self.session(&enrolled, care, desk, stored.staff, stored.must_change_password))
    }

    /// Those who signed in on this device before.
    ///
    /// # Errors
    /// `Storage` when the vault cannot look now.
    pub async fn people(&self) -> Result<Vec<Person>, CoreError> {
        let vault = self.vault.clone();
        Ok(block(move || people::list(vault.as_ref())).await??)
    }

    /// Forgets a person on this device: key, store, outbox. What was not sent is lost.
    ///
    /// # Errors
    /// `Storage` when something may still be there.
    pub async fn forget_person(&self, staff: StaffId) -> Result<(), CoreError> {
        let (vault, folder) = (self.vault.clone(), self.folder.join(STORES));
        self.desks.lock().unwrap_or_else(PoisonError::into_inner).remove(&staff);
        Ok(block(move || people::forget(vault.as_ref(), &folder, staff)).await??)
    }

    /// Forgets everything: everyone on this device, the certificate and the key. The device must enrol again.
    ///
    /// # Errors
    /// `Storage` when something may still be there.
    pub async fn forget(&self) -> Result<(), CoreError> {
        for person in self.people().await? {
            self.forget_person(person.staff_id).await?;
        }
        let (vault, key) = (self.vault.clone(), self.key.clone());
        *self.enrolled.write().unwrap_or_else(PoisonError::into_inner) = None;
        block(move || {
            key.delete()?;
            Enrolment::forget(vault.as_ref()).map_err(Fault::from)
        })
        .await??;
        Ok(())
    }

    fn desk(&self, staff: StaffId) -> Option<Arc<Desk>> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner).get(&staff)?.upgrade()
    }

    /// Two sessions of one person share one store and one line of sending.
    fn seat(&self, staff: StaffId, store: crate::store::Store) -> Arc<Desk> {
        let mut desks = self.desks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(desk) = desks.get(&staff).and_then(Weak::upgrade) {
            return desk;
        }
        let desk = Arc::new(Desk::new(store, self.folder.join(WORK)));
        desks.insert(staff, Arc::downgrade(&desk));
        desk
    }

    fn session(
        &self,
        enrolled: &Enrolled,
        care: Care,
        desk: Arc<Desk>,
        staff: renraku_wire::Staff,
        must_change_password: bool,
    ) -> Session {
        let policy = enrolled.enrolment.municipality.device_policy.clone();
        Session::new(care, desk, staff, policy, must_change_password)
    }
}

const STORES: &str = "people";
const WORK: &str = "work";
