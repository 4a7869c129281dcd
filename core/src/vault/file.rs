//! A vault in plain files, **for tests and desktop development only**: mode 0600 is all that guards it.
//! A shell on a phone brings the platform's keystore instead.

use super::{Vault, VaultError};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// One file a secret, in one folder. Only for tests and desktop development.
#[derive(Debug)]
pub struct FileVault {
    folder: PathBuf,
}

impl FileVault {
    /// Opens or makes the folder.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, VaultError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(told)?;
        restrict(&folder, 0o700)?;
        Ok(Self { folder })
    }

    /// Names become file names as hex, so no name can leave the folder.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(hex::encode(name))
    }
}

impl Vault for FileVault {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        match fs::read(self.path(name)) {
            Ok(secret) => Ok(Some(secret)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(told(e)),
        }
    }

    fn store(&self, name: &str, secret: &[u8]) -> Result<(), VaultError> {
        let path = self.path(name);
        let fresh = path.with_extension("new");
        let write = || -> std::io::Result<()> {
            let _ = fs::remove_file(&fresh);
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&fresh)?;
            file.write_all(secret)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)
        };
        write().map_err(told)
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        match fs::remove_file(self.path(name)) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
            Err(e) => Err(told(e)),
        }
    }
}

/// What a file's fault is to whoever keeps something in the vault.
fn told(e: std::io::Error) -> VaultError {
    match e.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => VaultError::Full,
        _ => VaultError::Failed,
    }
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> Result<(), VaultError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(told)
}

#[cfg(not(unix))]
fn restrict(_: &Path, _: u32) -> Result<(), VaultError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_replaces_and_forgets() {
        let folder = tempfile::tempdir().unwrap();
        let vault = FileVault::open(folder.path().join("vault")).unwrap();
        assert_eq!(vault.load("a/../b").unwrap(), None);
        vault.store("a/../b", b"one").unwrap();
        vault.store("a/../b", b"two").unwrap();
        let again = FileVault::open(folder.path().join("vault")).unwrap();
        assert_eq!(again.load("a/../b").unwrap().as_deref(), Some(&b"two"[..]));
        again.remove("a/../b").unwrap();
        again.remove("a/../b").unwrap();
        assert_eq!(again.load("a/../b").unwrap(), None);
    }

    #[test]
    fn a_full_disk_is_told_from_a_broken_one() {
        let error = |kind: ErrorKind| told(kind.into());
        assert_eq!(error(ErrorKind::StorageFull), VaultError::Full);
        assert_eq!(error(ErrorKind::QuotaExceeded), VaultError::Full);
        assert_eq!(error(ErrorKind::PermissionDenied), VaultError::Failed);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let vault = FileVault::open(folder.path().join("vault")).unwrap();
        vault.store("key", b"secret").unwrap();
        let mode = fs::metadata(vault.path("key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
