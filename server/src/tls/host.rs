//! The hosts' own certificate: the operator's, or one made here for a machine without.

use crate::error::AppError;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use time::{Duration, OffsetDateTime};

/// A certificate chain and its key.
pub struct HostCertificate {
    /// The host's certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

impl std::fmt::Debug for HostCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HostCertificate")
    }
}

fn failed(what: &str, path: &Path, e: impl std::fmt::Display) -> AppError {
    AppError::internal(format!("{what} {}: {e}", path.display()))
}

impl HostCertificate {
    /// Reads the operator's PEM files.
    ///
    /// # Errors
    /// A file cannot be read or holds no certificate or key.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, AppError> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| failed("the TLS certificate cannot be read from", certificate, e))?;
        if chain.is_empty() {
            return Err(failed("no certificate in", certificate, "the file holds none"));
        }
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|e| failed("the TLS key cannot be read from", key, e))?;
        Ok(Self { chain, key })
    }

    /// Reads `folder/{certificate,key}.pem`, or makes them with an authority of their own
    /// (`folder/authority.pem`, for devices to trust; its key is thrown away).
    ///
    /// # Errors
    /// The folder cannot be written, or is half written.
    pub fn in_folder(folder: &Path, names: &[String]) -> Result<Self, AppError> {
        if !folder.exists() {
            // Beside it first, then in its place: it is there whole or not at all.
            let beside = folder.with_extension(format!("new{}", std::process::id()));
            let made = Self::make(&beside, names)
                .and_then(|()| std::fs::rename(&beside, folder).map_err(Into::into));
            if let Err(e) = made {
                let _ = std::fs::remove_dir_all(&beside);
                return Err(failed(
                    "no TLS certificate can be made; nothing was changed. Free space on the disk, or check \
                     the owner of the folder around",
                    folder,
                    e,
                ));
            }
        }
        Self::check(folder)?;
        Self::read(&folder.join("certificate.pem"), &folder.join("key.pem"))
    }

    /// Refuses a folder in which a file is missing or cannot be read. One that is not there is fine: it
    /// will be made.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn check(folder: &Path) -> Result<(), AppError> {
        if !folder.exists() {
            return Ok(());
        }
        let names = ["certificate.pem", "key.pem", "authority.pem"];
        let missing: Vec<&str> = names.into_iter().filter(|n| !folder.join(n).is_file()).collect();
        let damaged = || Self::read(&folder.join("certificate.pem"), &folder.join("key.pem")).err();
        let what = match missing.as_slice() {
            [] => match damaged() {
                None => return Ok(()),
                Some(e) => e.to_string(),
            },
            some => format!("without {}", some.join(", ")),
        };
        Err(AppError::internal(format!(
            "the folder {} is half written ({what}); nothing was changed. Put it back from a backup; or \
             remove it, and a new one is made, whose authority.pem every device must be told of",
            folder.display()
        )))
    }

    fn make(folder: &Path, names: &[String]) -> Result<(), Box<dyn std::error::Error>> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        let now = OffsetDateTime::now_utc();
        let authority_key = KeyPair::generate()?;
        let mut authority = CertificateParams::new(vec![])?;
        authority.distinguished_name.push(DnType::CommonName, "Renraku host authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.not_before = now - Duration::days(1);
        authority.not_after = now + Duration::days(3650);
        let authority_pem = authority.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(names.to_vec())?;
        leaf.distinguished_name.push(DnType::CommonName, "Renraku");
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.not_before = now - Duration::days(1);
        leaf.not_after = now + Duration::days(825);
        let leaf_pem = leaf.signed_by(&key, &issuer)?.pem();
        std::fs::create_dir_all(folder)?;
        let write = |name: &str, mode: u32, text: &str| {
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(mode)
                .open(folder.join(name))?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write("key.pem", 0o600, &key.serialize_pem())?;
        write("authority.pem", 0o644, &authority_pem)?;
        write("certificate.pem", 0o644, &(leaf_pem + &authority_pem))?;
        Ok(())
    }
}
