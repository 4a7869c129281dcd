//! A phone: the Rust objects that the shells call, with what a shell brings made of plain files and
//! memory. The screens and the real chip are what is missing.

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData, SigningKey};
use renraku_core::vault::{FileVault, Vault as _, VaultError};
use renraku_mobile::{
    DeviceKey, EnrolmentForm, KeyFailure, MobileError, RenrakuDevice, RenrakuSession, StorageTrouble, Vault,
    VaultFailure,
};
use renraku_wire::Platform;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;

/// What was typed or scanned when the app was opened for the first time.
#[derive(Clone, Copy)]
pub struct PhoneEnrolment<'a> {
    /// The public host.
    pub public_url: &'a str,
    /// PEM of the root that the phone trusts as a server.
    pub root_pem: &'a str,
    /// The town's name in addresses.
    pub slug: &'a str,
    /// 証明書取得用No.
    pub number: &'a str,
    /// Its password.
    pub password: &'a str,
    /// What people call the phone.
    pub device_name: &'a str,
    /// What it is.
    pub platform: Platform,
}

/// The phone. Its folder goes when it is dropped.
pub struct Phone {
    /// The core, opened on the phone's folder.
    pub device: Arc<RenrakuDevice>,
    root_pem: String,
    chip: Option<Arc<dyn DeviceKey>>,
    folder: TempDir,
}

impl Phone {
    /// A new phone without a certificate. `chip`: its secure chip; none for a phone without one, whose key
    /// rests in the vault.
    ///
    /// # Errors
    /// `Storage` when its folder cannot be made; `Invalid` for a root that is none.
    pub async fn new(root_pem: &str, chip: Option<Arc<dyn DeviceKey>>) -> Result<Self, MobileError> {
        let folder =
            tempfile::tempdir().map_err(|_| MobileError::Storage { trouble: StorageTrouble::File })?;
        let device = opened(folder.path(), root_pem, chip.clone()).await?;
        Ok(Self { device, root_pem: root_pem.to_owned(), chip, folder })
    }

    /// A new phone that makes its own key and enrols with No and password: an iPhone or Android phone with
    /// a secure chip, anything else without.
    ///
    /// # Errors
    /// As [`RenrakuCertificate::enrol`](renraku_mobile::RenrakuCertificate::enrol).
    pub async fn enrol(at: PhoneEnrolment<'_>) -> Result<Self, MobileError> {
        let chip: Option<Arc<dyn DeviceKey>> = match at.platform {
            Platform::Ios => Some(Arc::new(Chip::new(Shape::Point))),
            Platform::Android => Some(Arc::new(Chip::new(Shape::Info))),
            Platform::Browser | Platform::Unknown => None,
        };
        let phone = Self::new(at.root_pem, chip).await?;
        phone.enrol_again(at).await?;
        Ok(phone)
    }

    /// The same phone asks for a certificate (again).
    ///
    /// # Errors
    /// As [`RenrakuCertificate::enrol`](renraku_mobile::RenrakuCertificate::enrol).
    pub async fn enrol_again(&self, at: PhoneEnrolment<'_>) -> Result<(), MobileError> {
        let form = EnrolmentForm {
            public_url: at.public_url.to_owned(),
            slug: at.slug.to_owned(),
            number: at.number.to_owned(),
            password: at.password.to_owned(),
            device_name: at.device_name.to_owned(),
            platform: at.platform,
        };
        self.device.certificate().enrol(form).await.map(drop)
    }

    /// The app is killed and opened again. Sessions of before must be gone.
    ///
    /// # Errors
    /// As [`RenrakuDevice::open`].
    pub async fn restarted(self) -> Result<Self, MobileError> {
        let Self { device, root_pem, chip, folder } = self;
        drop(device);
        let device = opened(folder.path(), &root_pem, chip.clone()).await?;
        Ok(Self { device, root_pem, chip, folder })
    }

    /// Signs in for the first time and changes the first password, as one must.
    ///
    /// # Errors
    /// As [`RenrakuDevice::sign_in`] and [`RenrakuSession::change_password`].
    pub async fn first_sign_in(
        &self,
        login_id: &str,
        first: &str,
        new: &str,
    ) -> Result<Arc<RenrakuSession>, MobileError> {
        let session = self.device.sign_in(login_id.to_owned(), first.to_owned()).await?;
        session.change_password(first.to_owned(), new.to_owned()).await?;
        Ok(session)
    }

    /// A path in the phone's own folder, for what its camera writes and its player reads.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

async fn opened(
    folder: &Path,
    root_pem: &str,
    chip: Option<Arc<dyn DeviceKey>>,
) -> Result<Arc<RenrakuDevice>, MobileError> {
    let vault = FileVault::open(folder.join("vault"))
        .map_err(|_| MobileError::Storage { trouble: StorageTrouble::File })?;
    let app = folder.join("app").to_string_lossy().into_owned();
    RenrakuDevice::open(app, Arc::new(PlainVault(vault)), chip, Some(root_pem.to_owned())).await
}

struct PlainVault(FileVault);

fn failure(e: VaultError) -> VaultFailure {
    match e {
        VaultError::Locked => VaultFailure::Locked,
        VaultError::Full => VaultFailure::Full,
        VaultError::Failed => VaultFailure::Failed,
    }
}

impl Vault for PlainVault {
    fn load(&self, name: String) -> Result<Option<Vec<u8>>, VaultFailure> {
        self.0.load(&name).map_err(failure)
    }

    fn store(&self, name: String, secret: Vec<u8>) -> Result<(), VaultFailure> {
        self.0.store(&name, &secret).map_err(failure)
    }

    fn remove(&self, name: String) -> Result<(), VaultFailure> {
        self.0.remove(&name).map_err(failure)
    }
}

/// How a platform hands out a public key.
#[derive(Clone, Copy)]
enum Shape {
    /// As Apple does: the bare point.
    Point,
    /// As Android does: SubjectPublicKeyInfo.
    Info,
}

/// Stands where Secure Enclave or StrongBox is: it signs, and nobody reads the key out of it.
struct Chip {
    shape: Shape,
    key: Mutex<Option<Arc<KeyPair>>>,
}

impl Chip {
    fn new(shape: Shape) -> Self {
        Self { shape, key: Mutex::new(None) }
    }
}

impl DeviceKey for Chip {
    fn public_key(&self) -> Result<Vec<u8>, KeyFailure> {
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if key.is_none() {
            let made = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|_| KeyFailure::Failed)?;
            *key = Some(Arc::new(made));
        }
        let key = key.as_ref().ok_or(KeyFailure::Failed)?;
        Ok(match self.shape {
            Shape::Point => key.der_bytes().to_vec(),
            Shape::Info => key.subject_public_key_info(),
        })
    }

    fn sign(&self, message: Vec<u8>) -> Result<Vec<u8>, KeyFailure> {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner).clone();
        key.ok_or(KeyFailure::Gone)?.sign(&message).map_err(|_| KeyFailure::Failed)
    }

    fn is_hardware_backed(&self) -> bool {
        true
    }

    fn delete(&self) -> Result<(), KeyFailure> {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}
