//! A phone: the devices' core as the shells use it, with a vault in plain files. The shell itself, its
//! screens and its secure chip, is what is missing.

use renraku_core::vault::FileVault;
use renraku_core::{CoreError, Device, DeviceSettings, NewDevice, Session};
use renraku_wire::Platform;
use std::path::{Path, PathBuf};
use std::sync::Arc;
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
    pub device: Device,
    root_pem: String,
    folder: TempDir,
}

impl Phone {
    /// A new phone without a certificate.
    ///
    /// # Errors
    /// `Storage` when its folder cannot be made; `Invalid` for a root that is none.
    pub fn new(root_pem: &str) -> Result<Self, CoreError> {
        let folder = tempfile::tempdir()?;
        Ok(Self { device: opened(folder.path(), root_pem)?, root_pem: root_pem.to_owned(), folder })
    }

    /// A new phone that makes its own key and enrols with No and password.
    ///
    /// # Errors
    /// As [`Device::enrol`].
    pub async fn enrol(at: PhoneEnrolment<'_>) -> Result<Self, CoreError> {
        let phone = Self::new(at.root_pem)?;
        let new = NewDevice {
            public_url: at.public_url.to_owned(),
            slug: at.slug.to_owned(),
            number: at.number.to_owned(),
            password: at.password.to_owned(),
            device_name: at.device_name.to_owned(),
            platform: at.platform,
        };
        phone.device.enrol(new).await?;
        Ok(phone)
    }

    /// The app is killed and opened again.
    ///
    /// # Errors
    /// As [`Device::open`].
    pub fn restarted(self) -> Result<Self, CoreError> {
        let Self { device, root_pem, folder } = self;
        drop(device);
        Ok(Self { device: opened(folder.path(), &root_pem)?, root_pem, folder })
    }

    /// Signs in for the first time and changes the first password, as one must.
    ///
    /// # Errors
    /// As [`Device::sign_in`] and [`Session::change_password`].
    pub async fn first_sign_in(&self, login_id: &str, first: &str, new: &str) -> Result<Session, CoreError> {
        let session = self.device.sign_in(login_id, first).await?;
        session.change_password(first, new).await?;
        Ok(session)
    }

    /// A path in the phone's own folder, for what its camera writes and its player reads.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The phone's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn opened(folder: &Path, root_pem: &str) -> Result<Device, CoreError> {
    let vault = FileVault::open(folder.join("vault"))?;
    Device::open(DeviceSettings {
        folder: folder.join("app"),
        vault: Arc::new(vault),
        key: None,
        extra_roots: Some(root_pem.to_owned()),
    })
}
