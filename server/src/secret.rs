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

/// The secret in memory.
#[derive(Clone)]
pub struct OperatorSecret {
    identity: Identity,
    recipient: Recipient,
}

impl std::fmt::Debug for OperatorSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OperatorSecret")
    }
}

impl OperatorSecret {
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
        let line = text.lines().find(|l| !l.starts_with('#') && !l.trim().is_empty()).unwrap_or_default();
        let identity = Identity::from_str(line.trim())
            .map_err(|_| AppError::internal(format!("{} does not hold an age identity", path.display())))?;
        Ok(Self { recipient: identity.to_public(), identity })
    }

    /// Makes a secret's file, readable by its owner only. Refuses to overwrite one.
    ///
    /// # Errors
    /// The file exists or cannot be written.
    pub fn create(path: &Path) -> Result<Self, AppError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let identity = Identity::generate();
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|e| AppError::internal(format!("{} cannot be made: {e}", path.display())))?;
        let secret = identity.to_string();
        writeln!(
            file,
            "# Renraku: the operator's secret. Keep a copy away from the data.\n{}",
            secret.expose_secret()
        )
        .and_then(|()| file.sync_all())
        .map_err(|e| AppError::internal(format!("{} cannot be written: {e}", path.display())))?;
        Ok(Self { recipient: identity.to_public(), identity })
    }

    /// The key of the SQLite file.
    #[must_use]
    pub fn database_key(&self) -> [u8; 32] {
        let secret = self.identity.to_string();
        let mut hash = Sha256::new();
        hash.update(b"renraku database key v1\0");
        hash.update(secret.expose_secret().as_bytes());
        hash.finalize().into()
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
        let wrong = || {
            AppError::internal(
                "a sealed record does not open: the operator's secret is not the one it was made with, \
                 or the record is damaged",
            )
        };
        let decryptor = age::Decryptor::new(sealed).map_err(|_| wrong())?;
        let mut reader = decryptor.decrypt(std::iter::once(&self.identity as _)).map_err(|_| wrong())?;
        let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
        reader.read_to_end(&mut plain).map_err(|_| wrong())?;
        Ok(plain)
    }
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
        assert!(other.open(&sealed).is_err());
        assert!(read.open(&sealed[..sealed.len() - 1]).is_err());
        assert!(OperatorSecret::read(&dir.path().join("none")).is_err());
    }
}
