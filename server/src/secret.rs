//! The operator's secret: one age identity that opens the database, the authorities' keys and the media.
//!
//! Everything at rest is sealed to it with age, so that a backup can be opened with the standard tool and
//! nothing but this one line. The database's key is derived from it.

use crate::error::AppError;
use age::secrecy::ExposeSecret as _;
use age::x25519::{Identity, Recipient};
use sha2::{Digest as _, Sha256};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::str::FromStr as _;
use zeroize::Zeroizing;

/// The secret in memory. Its file may hold more than one identity while the operator changes it: the first
/// seals, and all of them open.
#[derive(Clone)]
pub struct OperatorSecret {
    identities: Vec<Identity>,
    recipient: Recipient,
}

impl std::fmt::Debug for OperatorSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorSecret")
    }
}

impl OperatorSecret {
    fn of(identities: Vec<Identity>) -> Option<Self> {
        Some(Self { recipient: identities.first()?.to_public(), identities })
    }

    /// Reads the secret's file.
    ///
    /// # Errors
    /// A sentence that says what to do: no such file, not an age identity.
    pub fn read(path: &Path) -> Result<Self, AppError> {
        let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|e| {
            AppError::internal(format!(
                "the operator's secret cannot be read from {}: {e}; run `renraku-server init` once, \
                 or name the file with --secret-file",
                path.display()
            ))
        })?);
        let lines = text.lines().map(str::trim).filter(|l| !l.starts_with('#') && !l.is_empty());
        let identities: Option<Vec<Identity>> = lines.map(|l| Identity::from_str(l).ok()).collect();
        identities.and_then(Self::of).ok_or_else(|| {
            AppError::internal(format!(
                "{} does not hold an age identity; put the copy of the operator's secret back that was \
                 kept away from this machine",
                path.display()
            ))
        })
    }

    /// Makes a secret's file, readable by its owner only. Refuses to overwrite one, and leaves none
    /// half written.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn create(path: &Path) -> Result<Self, AppError> {
        let identities = vec![Identity::generate()];
        write(path, &identities, false)?;
        Self::of(identities).ok_or_else(|| AppError::internal("no secret was made"))
    }

    /// Begins a change: puts a fresh identity before the present one, in the file too. From then on the
    /// file opens what either of them sealed. A change that was begun before goes on.
    ///
    /// # Errors
    /// The file cannot be written; then it is as it was.
    pub fn begin_change(&self, path: &Path) -> Result<Self, AppError> {
        if self.changing() {
            return Ok(self.clone());
        }
        let mut identities = vec![Identity::generate()];
        identities.extend(self.identities.iter().cloned());
        write(path, &identities, true)?;
        Self::of(identities).ok_or_else(|| AppError::internal("no secret was made"))
    }

    /// Ends a change: only the newest identity stays in the file.
    ///
    /// # Errors
    /// The file cannot be written; then it is as it was.
    pub fn end_change(&self, path: &Path) -> Result<Self, AppError> {
        let identities: Vec<Identity> = self.identities.iter().take(1).cloned().collect();
        write(path, &identities, true)?;
        Self::of(identities).ok_or_else(|| AppError::internal("no secret was made"))
    }

    /// True while an older identity is still in the file.
    #[must_use]
    pub fn changing(&self) -> bool {
        self.identities.len() > 1
    }

    /// True when `sealed` was sealed under the newest identity.
    #[must_use]
    pub fn is_newest(&self, sealed: &[u8]) -> bool {
        let newest = self.identities.iter().take(1).map(|i| i as _);
        age::Decryptor::new(sealed).is_ok_and(|d| d.decrypt(newest).is_ok())
    }

    /// The key of the SQLite file.
    #[must_use]
    pub fn database_key(&self) -> [u8; 32] {
        self.identities.first().map_or([0; 32], database_key)
    }

    /// The keys that the SQLite file may have, the newest first.
    #[must_use]
    pub fn database_keys(&self) -> Vec<[u8; 32]> {
        self.identities.iter().map(database_key).collect()
    }

    /// What the newest identity makes of `about`: always the same, and nothing to whoever does not know the
    /// secret. For what is shown to the one who asked for it twice, and must not lie here in the clear.
    #[must_use]
    pub fn derive(&self, about: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        use hmac::{Hmac, Mac as _};
        let secret = self.identities.first().map(Identity::to_string);
        let key = secret.as_ref().map_or(&[][..], |s| s.expose_secret().as_bytes());
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("any key fits"));
        mac.update(b"renraku derived v1");
        for part in about {
            mac.update(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            mac.update(part);
        }
        Zeroizing::new(mac.finalize().into_bytes().into())
    }

    /// Seals `plain` for storage.
    ///
    /// # Errors
    /// None in practice; the cipher failed.
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>, AppError> {
        let failed = |_| AppError::internal("sealing failed");
        let encryptor = age::Encryptor::with_recipients(std::iter::once(&self.recipient as _))
            .map_err(|_| AppError::internal("sealing failed"))?;
        let mut sealed = Vec::with_capacity(plain.len() + 512);
        let mut writer = encryptor.wrap_output(&mut sealed).map_err(failed)?;
        writer.write_all(plain).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(sealed)
    }

    /// Opens what [`Self::seal`] made.
    ///
    /// # Errors
    /// Sealed under another secret, or damaged.
    pub fn open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AppError> {
        self.try_open(sealed).map_err(|_| {
            AppError::internal(
                "a sealed record does not open: the operator's secret is not the one it was made with, \
                 or the record is damaged",
            )
        })
    }

    /// Opens what [`Self::seal`] made, or says what keeps it closed.
    ///
    /// # Errors
    /// Which of the two it is, as far as the record tells.
    pub fn try_open(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Closed> {
        let decryptor = age::Decryptor::new(sealed).map_err(|_| Closed::Damaged)?;
        let identities = self.identities.iter().map(|i| i as _);
        let mut reader = decryptor.decrypt(identities).map_err(|e| match e {
            age::DecryptError::NoMatchingKeys => Closed::ToAnother,
            _ => Closed::Damaged,
        })?;
        let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
        reader.read_to_end(&mut plain).map_err(|_| Closed::Damaged)?;
        Ok(plain)
    }
}

/// Why a sealed record does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// It names another recipient (or its first line is damaged).
    ToAnother,
    /// It is cut short or altered, or is none.
    Damaged,
}

fn database_key(identity: &Identity) -> [u8; 32] {
    let secret = identity.to_string();
    let mut hash = Sha256::new();
    hash.update(b"renraku database key v1\0");
    hash.update(secret.expose_secret().as_bytes());
    hash.finalize().into()
}

/// Writes the file whole or not at all: beside it first, then in its place.
fn write(path: &Path, identities: &[Identity], replace: bool) -> Result<(), AppError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |e: std::io::Error| {
        AppError::internal(format!(
            "{} cannot be written: {e}; nothing was changed. Free space on the disk, or check the folder's \
             owner, and run the command again",
            path.display()
        ))
    };
    let mut text =
        Zeroizing::new("# Renraku: the operator's secret. Keep a copy away from the data.\n".to_owned());
    for identity in identities {
        text.push_str(identity.to_string().expose_secret());
        text.push('\n');
    }
    let beside = path.with_extension("new");
    // What a killed command left there opens nothing that the file itself does not.
    let _ = std::fs::remove_file(&beside);
    let whole = || {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if replace {
            std::fs::rename(&beside, path)?;
        } else {
            // Unlike a rename, a link never takes the place of a file.
            std::fs::hard_link(&beside, path)?;
        }
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    let outcome = whole();
    if !replace || outcome.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    outcome.map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_its_own_seals_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let made = OperatorSecret::create(&path).unwrap();
        assert!(OperatorSecret::create(&path).is_err(), "a secret is never overwritten");
        let read = OperatorSecret::read(&path).unwrap();
        assert_eq!(made.database_key(), read.database_key());
        let sealed = made.seal(b"abc").unwrap();
        assert_eq!(read.open(&sealed).unwrap().as_slice(), b"abc");
        let other = OperatorSecret::create(&dir.path().join("other")).unwrap();
        assert_eq!(other.try_open(&sealed).unwrap_err(), Closed::ToAnother);
        for cut in [0, 40, sealed.len() - 1] {
            assert_eq!(read.try_open(&sealed[..cut]).unwrap_err(), Closed::Damaged, "{cut}");
        }
        assert!(OperatorSecret::read(&dir.path().join("none")).is_err());
    }
    #[test]
    fn a_change_opens_old_and_new_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        let old = OperatorSecret::create(&path).unwrap();
        let sealed = old.seal(b"abc").unwrap();
        let both = old.begin_change(&path).unwrap();
        assert!(both.changing() && !old.changing());
        let read = OperatorSecret::read(&path).unwrap();
        assert_eq!(read.open(&sealed).unwrap().as_slice(), b"abc");
        assert!(!read.is_newest(&sealed));
        let fresh = read.seal(b"def").unwrap();
        assert!(read.is_newest(&fresh) && old.open(&fresh).is_err());
        assert_eq!(read.database_keys()[1], old.database_key());
        // Begun twice it is one change.
        let again = read.begin_change(&path).unwrap();
        assert_eq!(again.database_keys(), read.database_keys());
        let new = again.end_change(&path).unwrap();
        assert!(new.open(&sealed).is_err());
        assert_eq!(OperatorSecret::read(&path).unwrap().open(&fresh).unwrap().as_slice(), b"def");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
        std::fs::write(&path, "AGE-SECRET-KEY-1").unwrap();
        assert!(OperatorSecret::read(&path).is_err(), "a cut file is told");
        std::fs::write(&path, "").unwrap();
        assert!(OperatorSecret::read(&path).is_err());
    }
}
