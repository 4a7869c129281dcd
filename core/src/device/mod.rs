//! The way in: this device, its town, the people on it.
//!
//! Getting, renewing and losing the certificate is in `certificate`, signing in and unlocking in `seats` and
//! `opening`, signing out in `leaving`, what happens to a revoked device in `wipe`. Not here: what a person does (session).

mod certificate;
pub(crate) mod leaving;
mod opening;
mod seats;
mod signing_in;
mod wipe;

pub use certificate::{CertificateStatus, Diagnosed, NewDevice};
pub use seats::Unlock;

use crate::api::Care;
use crate::clock::{Clock, SystemClock};
use crate::error::CoreError;
use crate::identity::{DeviceKey, Enrolment, SoftwareKey, client_config, extra_roots};
use crate::people::People;
use crate::session::Desk;
use crate::town;
use crate::vault::Vault;
use leaving::Leaving;
use renraku_wire::{Code, MunicipalityInfo, StaffId};
use rustls::pki_types::TrustAnchor;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

/// What the shell brings.
pub struct DeviceSettings {
    /// A folder of the app's own, kept out of backups. Nothing in it is in the clear.
    pub folder: PathBuf,
    /// The platform's keystore.
    pub vault: Arc<dyn Vault>,
    /// The key in hardware; none for a software key sealed by the vault.
    pub key: Option<Arc<dyn DeviceKey>>,
    /// A second key in hardware, under another name, for the certificate's renewal: the two take turns.
    /// Without it a device whose `key` is in hardware enrols anew when its certificate ends.
    pub spare_key: Option<Arc<dyn DeviceKey>>,
    /// PEM of extra roots, for a town whose server has a certificate of its own.
    pub extra_roots: Option<String>,
    /// The town's slug, for a device that serves several: each is a [`Device`] of its own, with a folder and
    /// secrets of its own under `folder` and in `vault` (and with keys of its own, if they are in hardware).
    /// None for a device with one town.
    pub town: Option<String>,
    /// Tells the time; none for the device's own clock.
    pub clock: Option<Arc<dyn Clock>>,
}

/// This device in one town. All calls may come from any thread; the asynchronous ones need a tokio runtime
/// ([`crate::runtime::run`] brings one).
pub struct Device {
    inner: Arc<Inner>,
}

/// What a device is made of. Calls that outlive the [`Device`] hold it weakly.
struct Inner {
    folder: PathBuf,
    town: Option<String>,
    vault: Arc<dyn Vault>,
    /// They take turns: [`Enrolment::key`] says whose turn it is. None when there is no second one.
    keys: [Option<Arc<dyn DeviceKey>>; 2],
    roots: Vec<TrustAnchor<'static>>,
    clock: Arc<dyn Clock>,
    /// Held for no longer than a look or a change of it takes: screens look.
    enrolled: RwLock<Option<Arc<Enrolled>>>,
    /// Held while the vault is brought to what `enrolled` becomes. Taken before it.
    keeping: Mutex<()>,
    /// The certificate was revoked, and everything wiped; until the device enrols again.
    revoked: AtomicBool,
    people: People,
    desks: Mutex<HashMap<StaffId, Weak<Desk>>>,
    /// Stores that were opened with a PIN, until they are locked again.
    unlocked: Mutex<HashMap<StaffId, Arc<Desk>>>,
    /// Whether the key whose turn it is cannot be read out of the device: asked when the key may have changed.
    hardware: AtomicBool,
    /// One renewal, one enrolment at a time.
    changing: Arc<tokio::sync::Mutex<()>>,
    /// Sessions of which the server does not know yet that they are over.
    leaving: Arc<Leaving>,
}

struct Enrolled {
    enrolment: Enrolment,
    care: Care,
    /// The town said that another certificate took the place of this one or that its time is over, or its key is
    /// gone: the device may enrol anew.
    ended: AtomicBool,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Device").field("town", &self.inner.town).finish_non_exhaustive()
    }
}

impl Device {
    /// Opens the device's folder and vault, and takes up an earlier enrolment. Blocks for some milliseconds;
    /// touches not the network, and asks the key only whether it is in hardware. A wipe that a kill left half-done is
    /// finished first.
    ///
    /// # Errors
    /// `Storage` when folder or vault fail; `Invalid` for roots that are no certificates and for a town that
    /// is no slug.
    pub fn open(settings: DeviceSettings) -> Result<Self, CoreError> {
        let DeviceSettings { folder, vault, key, spare_key, extra_roots: pem, town, clock } = settings;
        let (folder, vault) = town::place(folder, vault, town.as_deref())?;
        std::fs::create_dir_all(&folder)?;
        let roots = match pem {
            Some(pem) => extra_roots(&pem).map_err(|_| CoreError::invalid("extra_roots"))?,
            None => Vec::new(),
        };
        let keys = match key {
            Some(key) => [Some(key), spare_key],
            None => [
                Some(Arc::new(SoftwareKey::new(vault.clone())) as Arc<dyn DeviceKey>),
                Some(Arc::new(SoftwareKey::spare(vault.clone())) as _),
            ],
        };
        let clock = clock.unwrap_or_else(|| Arc::new(SystemClock));
        let inner = Arc::new(Inner {
            leaving: Arc::new(Leaving::new(vault.clone(), clock.clone())),
            people: People::new(vault.clone(), folder.join(STORES), folder.join(SOURCES)),
            folder,
            town,
            keys,
            roots,
            clock,
            enrolled: RwLock::new(None),
            keeping: Mutex::new(()),
            revoked: AtomicBool::new(false),
            hardware: AtomicBool::new(false),
            desks: Mutex::default(),
            unlocked: Mutex::default(),
            changing: Arc::default(),
            vault,
        });
        if inner.is_marked()? {
            inner.wipe_once()?;
        } else if let Some(enrolment) = Enrolment::load(inner.vault.as_ref())? {
            let enrolled = inner.taken_up(enrolment)?;
            inner.set_enrolled(Some(enrolled));
        }
        inner.look_at_the_key();
        Ok(Self { inner })
    }

    /// The town as it described itself when somebody last signed in; none before the enrolment.
    #[must_use]
    pub fn municipality(&self) -> Option<MunicipalityInfo> {
        self.inner.enrolled().map(|e| e.enrolment.municipality.clone())
    }

    /// The device's enrolment; none before.
    #[must_use]
    pub fn enrolment(&self) -> Option<Enrolment> {
        self.inner.enrolled().map(|e| e.enrolment.clone())
    }

    /// True when the device's key could not be read out of it when it was last looked at: at the opening, and
    /// with each certificate.
    #[must_use]
    pub fn is_hardware_backed(&self) -> bool {
        self.inner.hardware.load(Ordering::SeqCst)
    }

    /// Forgets everything of this town: everyone, the certificate and the keys. The device must enrol again.
    ///
    /// # Errors
    /// `Storage` when something may still be there.
    pub async fn forget(&self) -> Result<(), CoreError> {
        let inner = self.inner.clone();
        let forgotten = crate::runtime::block(move || {
            inner.wipe()?;
            inner.unmark()
        });
        Ok(forgotten.await??)
    }
}

impl Inner {
    /// What a device is that is who this record says.
    fn taken_up(self: &Arc<Self>, enrolment: Enrolment) -> Result<Arc<Enrolled>, CoreError> {
        let tls = client_config(Some(self.identity(&enrolment)?), &self.roots)?;
        let care = Care::new(tls, &enrolment.certificate.care_url)?;
        let care = care.watched(self.watch(&enrolment));
        Ok(Arc::new(Enrolled { enrolment, care, ended: AtomicBool::new(false) }))
    }

    /// Keeps an enrolment (one durable step) in the place of the one before it, and works with it from now on.
    /// A device that was forgotten or wiped while the new one was on its way stays so. Blocks.
    fn replace(
        self: &Arc<Self>,
        before: Option<&Arc<Enrolled>>,
        enrolment: Enrolment,
    ) -> Result<(), CoreError> {
        let after = self.taken_up(enrolment)?;
        let _keeping = self.keeping.lock().unwrap_or_else(PoisonError::into_inner);
        self.still(before, self.enrolled().as_ref())?;
        after.enrolment.save(self.vault.as_ref())?;
        self.set_enrolled(Some(after));
        Ok(())
    }

    fn set_enrolled(&self, enrolled: Option<Arc<Enrolled>>) {
        *self.enrolled.write().unwrap_or_else(PoisonError::into_inner) = enrolled;
    }

    fn enrolled(&self) -> Option<Arc<Enrolled>> {
        self.enrolled.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True while this is the device's certificate.
    fn is_enrolled_with(&self, chain: &[String]) -> bool {
        self.enrolled().is_some_and(|now| now.enrolment.certificate.chain == chain)
    }

    fn must_be_enrolled(&self) -> Result<Arc<Enrolled>, CoreError> {
        self.enrolled().ok_or_else(|| self.not_enrolled())
    }

    fn not_enrolled(&self) -> CoreError {
        let revoked = self.revoked.load(Ordering::SeqCst);
        let code = if revoked { Code::CertificateRevoked } else { Code::CertificateMissing };
        CoreError::Certificate { code }
    }

    /// Refuses when the device is no more what it was.
    fn still(&self, before: Option<&Arc<Enrolled>>, now: Option<&Arc<Enrolled>>) -> Result<(), CoreError> {
        match (before, now) {
            (before, now) if before.map(Arc::as_ptr) == now.map(Arc::as_ptr) => Ok(()),
            (_, None) => Err(self.not_enrolled()),
            (_, Some(_)) => Err(CoreError::Conflict { code: Code::StateConflict }),
        }
    }

    /// Asks the key, which may take a moment.
    fn look_at_the_key(&self) {
        let hardware = self.key().is_some_and(|key| key.is_hardware_backed());
        self.hardware.store(hardware, Ordering::SeqCst);
    }

    /// The key whose turn it is.
    fn key(&self) -> Option<Arc<dyn DeviceKey>> {
        let turn = self.enrolled().map_or(0, |e| e.enrolment.key);
        self.keys.get(usize::from(turn)).cloned().flatten()
    }
}

const STORES: &str = "people";
const SOURCES: &str = "sources";
