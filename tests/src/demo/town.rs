//! What the demo remembers of its town from run to run.

use super::error::{DemoError, Step};
use renraku_wire::Profession;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// The name of the record in the demo's folder. Written last: without it the town is not finished.
const FILE: &str = "town.json";

/// The town. It holds the demo's passwords, which are no secrets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Town {
    /// Its name in addresses.
    pub slug: String,
    /// Its name on screens.
    pub name: String,
    /// Its PCs, the office's first.
    pub devices: Vec<Device>,
    /// Who can sign in.
    pub sign_ins: Vec<SignIn>,
}

/// A PC with a certificate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Device {
    /// How the demo calls it.
    pub key: String,
    /// How the town calls it.
    pub name: String,
    /// The port on which its gateway is tried first.
    pub port: u16,
    /// Its PKCS#12 file, from the demo's folder.
    pub file: PathBuf,
    /// What opens it.
    pub password: String,
}

/// Somebody's way in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignIn {
    /// User id.
    pub login_id: String,
    /// Password.
    pub password: String,
    /// Name.
    pub name: String,
    /// Where they work.
    pub facility: String,
    /// Profession; none for a facility's manager.
    pub profession: Option<Profession>,
    /// The PC's key.
    pub device: String,
}

impl SignIn {
    /// What they are, as a screen says it.
    #[must_use]
    pub fn role(&self) -> &'static str {
        match (self.profession, self.device.as_str()) {
            (_, "office") => "事務局",
            (None, _) => "施設管理者",
            (Some(profession), _) => super::people::profession(profession),
        }
    }
}

impl Town {
    /// The finished town in a folder, or none.
    ///
    /// # Errors
    /// The record is there and cannot be read.
    pub fn load(folder: &Path) -> Result<Option<Self>, DemoError> {
        match fs::read(folder.join(FILE)) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).step("reading the demo's record"),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e).step("reading the demo's record"),
        }
    }

    /// Keeps the record, all of it or nothing.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), DemoError> {
        let text = serde_json::to_vec_pretty(self).step("writing the demo's record")?;
        let fresh = folder.join("town.new");
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, folder.join(FILE)))
            .step("writing the demo's record")
    }

    /// The PC of that key.
    #[must_use]
    pub fn device(&self, key: &str) -> Option<&Device> {
        self.devices.iter().find(|d| d.key == key)
    }

    /// The first sign-in that belongs to a PC and a profession.
    #[must_use]
    pub fn sign_in(&self, device: &str, profession: Option<Profession>) -> Option<&SignIn> {
        self.sign_ins.iter().find(|s| s.device == device && s.profession == profession)
    }
}
