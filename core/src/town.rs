//! Several towns on one device: each has a folder and a part of the vault of its own, chosen by its slug.
//! Not here: what is in them.

use crate::error::CoreError;
use crate::vault::{Vault, VaultError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FOLDER: &str = "towns";

/// The towns that have a folder under `folder`, by slug, sorted. Blocks for a moment.
///
/// # Errors
/// `Storage` when the folder cannot be read.
pub fn towns(folder: &Path) -> Result<Vec<String>, CoreError> {
    let entries = match std::fs::read_dir(folder.join(FOLDER)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e.into()),
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(entry?.file_name().into_string().ok().filter(|slug| is_slug(slug)));
    }
    found.sort();
    Ok(found)
}

/// A name that is safe as a folder's and as a part of a secret's name.
fn is_slug(slug: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&slug.len()) && slug.chars().all(good) && !slug.starts_with('-')
}

/// The town's own folder and part of the vault. Without a town: the only one, in the folder itself.
pub(crate) fn place(
    folder: PathBuf,
    vault: Arc<dyn Vault>,
    town: Option<&str>,
) -> Result<(PathBuf, Arc<dyn Vault>), CoreError> {
    match town {
        None => Ok((folder, vault)),
        Some(slug) if is_slug(slug) => {
            Ok((folder.join(FOLDER).join(slug), Arc::new(Part { vault, prefix: format!("town-{slug}/") })))
        }
        Some(_) => Err(CoreError::invalid("town")),
    }
}

/// A part of a vault: the same secrets' names, under a prefix. A slug has no `/`, so no two parts overlap.
struct Part {
    vault: Arc<dyn Vault>,
    prefix: String,
}

impl Part {
    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }
}

impl Vault for Part {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, VaultError> {
        self.vault.load(&self.name(name))
    }

    fn store(&self, name: &str, secret: &[u8]) -> Result<(), VaultError> {
        self.vault.store(&self.name(name), secret)
    }

    fn remove(&self, name: &str) -> Result<(), VaultError> {
        self.vault.remove(&self.name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::FileVault;

    #[test]
    fn two_towns_share_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let vault: Arc<dyn Vault> = Arc::new(FileVault::open(folder.path().join("vault")).unwrap());
        let (one, ones) = place(folder.path().into(), vault.clone(), Some("minowa")).unwrap();
        let (two, twos) = place(folder.path().into(), vault, Some("ina")).unwrap();
        assert_ne!(one, two);
        ones.store("key", b"1").unwrap();
        assert_eq!(twos.load("key").unwrap(), None);
        std::fs::create_dir_all(one).unwrap();
        std::fs::create_dir_all(two).unwrap();
        assert_eq!(towns(folder.path()).unwrap(), ["ina", "minowa"]);
    }

    #[test]
    fn a_slug_cannot_leave_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let vault: Arc<dyn Vault> = Arc::new(FileVault::open(folder.path()).unwrap());
        for slug in ["", "..", "a/b", "A", "-a", "箕輪", &"a".repeat(64)] {
            let refused = place(folder.path().into(), vault.clone(), Some(slug)).err();
            assert_eq!(refused, Some(CoreError::invalid("town")), "{slug}");
        }
        assert!(towns(&folder.path().join("nowhere")).unwrap().is_empty());
    }
}
