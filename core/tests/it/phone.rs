//! A phone: a folder, a vault, a key that counts how often it signed. It can be killed and switched on again.

use crate::town::{PASSWORD, SLUG, Town};
use renraku_core::identity::{DeviceKey, KeyError, SoftwareKey};
use renraku_core::vault::FileVault;
use renraku_core::{
    Attachment, Cancel, Clock, CoreError, Device, DeviceSettings, Draft, NewDevice, Session, SystemClock,
    Text,
};
use renraku_wire::{MediaKind, PatientId, Platform, PostId, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use tempfile::TempDir;

/// Stands for the chip.
pub struct Chip {
    inner: SoftwareKey,
    pub signed: AtomicU32,
    /// Gives the SubjectPublicKeyInfo instead of the point, as Android does.
    pub as_spki: bool,
    pub locked: std::sync::atomic::AtomicBool,
    pub gone: std::sync::atomic::AtomicBool,
}

impl DeviceKey for Chip {
    fn public_key(&self) -> Result<Vec<u8>, KeyError> {
        let point = self.inner.public_key()?;
        if !self.as_spki {
            return Ok(point);
        }
        let head = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
        Ok([head, point].concat())
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        if self.locked.load(Ordering::SeqCst) {
            return Err(KeyError::Locked);
        }
        if self.gone.load(Ordering::SeqCst) {
            return Err(KeyError::Gone);
        }
        self.signed.fetch_add(1, Ordering::SeqCst);
        self.inner.sign(message)
    }

    fn is_hardware_backed(&self) -> bool {
        true
    }

    fn delete(&self) -> Result<(), KeyError> {
        self.inner.delete()
    }
}

/// The device's clock, which anybody may set.
#[derive(Default)]
pub struct Watch {
    /// Milliseconds ahead of the true time.
    pub ahead: AtomicI64,
}

impl Watch {
    pub fn hours(&self, hours: i64) {
        self.ahead.fetch_add(hours * 3_600_000, Ordering::SeqCst);
    }
}

impl Clock for Watch {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().0 + self.ahead.load(Ordering::SeqCst))
    }
}

pub struct Phone {
    pub town: Arc<Town>,
    pub folder: TempDir,
    pub key: Arc<Chip>,
    pub spare: Arc<Chip>,
    pub clock: Arc<Watch>,
    pub device: Device,
}

impl Phone {
    /// A new phone, not enrolled.
    pub fn new(town: &Arc<Town>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault = Arc::new(FileVault::open(folder.path().join("vault")).unwrap());
        let chip = |inner| {
            let (signed, as_spki) = (AtomicU32::new(0), true);
            Arc::new(Chip { inner, signed, as_spki, locked: false.into(), gone: false.into() })
        };
        let (key, spare) = (chip(SoftwareKey::new(vault.clone())), chip(SoftwareKey::spare(vault)));
        let clock = Arc::new(Watch::default());
        let device = Device::open(settings(town, folder.path(), &key, &spare, &clock)).unwrap();
        Self { town: town.clone(), folder, key, spare, clock, device }
    }

    /// Killed, and switched on again.
    pub fn restart(self) -> Self {
        self.try_restart().unwrap_or_else(|e| panic!("{e:?}"))
    }

    pub fn try_restart(self) -> Result<Self, CoreError> {
        let Self { town, folder, key, spare, clock, device } = self;
        drop(device);
        let device = Device::open(settings(&town, folder.path(), &key, &spare, &clock))?;
        Ok(Self { town, folder, key, spare, clock, device })
    }

    pub async fn enrol(&self, number: &str) -> Result<(), CoreError> {
        let new = NewDevice { number: number.into(), ..ticket(self.town.public_url.clone()) };
        self.device.enrol(new).await.map(drop)
    }

    /// Enrolled, and the nurse signed in.
    pub async fn with_nurse(town: &Arc<Town>) -> (Self, Session) {
        let phone = Self::new(town);
        phone.enrol("1234").await.unwrap();
        let session = phone.device.sign_in("nurse", PASSWORD).await.unwrap();
        (phone, session)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// What the mail to the facility's manager says, typed.
pub fn ticket(public_url: String) -> NewDevice {
    NewDevice {
        public_url,
        slug: SLUG.into(),
        number: "1234".into(),
        password: "ticket".into(),
        device_name: "訪問用スマホ1".into(),
        platform: Platform::Android,
    }
}

/// Of a phone whose process another one killed: what it left in its folder is all there is.
pub fn of_another_process(folder: &Path) -> DeviceSettings {
    DeviceSettings {
        folder: folder.join("app"),
        vault: Arc::new(FileVault::open(folder.join("vault")).unwrap()),
        key: None,
        spare_key: None,
        extra_roots: Some(std::fs::read_to_string(folder.join("roots.pem")).unwrap()),
        town: None,
        clock: None,
    }
}

pub fn settings(
    town: &Town,
    folder: &Path,
    key: &Arc<Chip>,
    spare: &Arc<Chip>,
    clock: &Arc<Watch>,
) -> DeviceSettings {
    DeviceSettings {
        folder: folder.join("app"),
        vault: Arc::new(FileVault::open(folder.join("vault")).unwrap()),
        key: Some(key.clone()),
        spare_key: Some(spare.clone()),
        extra_roots: Some(town.web.pem.clone()),
        town: None,
        clock: Some(clock.clone()),
    }
}

pub fn text(body: &str) -> Text {
    Text { body: body.into(), urgent: false, body_site: None }
}

pub fn draft(patient_id: PatientId, body: &str) -> Draft {
    Draft { id: None, patient_id, text: text(body), attachments: vec![], keep_as_draft: false }
}

/// Composed, and its files made.
pub async fn composed(session: &Session, draft: Draft) -> PostId {
    let id = session.compose(draft).await.unwrap();
    assert_eq!(session.prepare(Cancel::new(), None).await.unwrap().failed, 0);
    id
}

/// A noisy picture: noise does not compress, so it makes a photo of some length.
pub fn noisy_photo(path: PathBuf, side: u32) -> Attachment {
    let mut state = 7u32;
    let picture = image::RgbImage::from_fn(side, side, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([(state >> 24) as u8, (state >> 16) as u8, (state >> 8) as u8])
    });
    picture.save_with_format(&path, image::ImageFormat::Jpeg).unwrap();
    Attachment::new(MediaKind::Photo, path, "左踵".into())
}
