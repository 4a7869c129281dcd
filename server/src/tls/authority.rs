//! A town's certificate authority: P-256, one level, clients only.

use crate::error::AppError;
use p12_keystore::{Certificate as P12Certificate, KeyStore, KeyStoreEntry, PrivateKeyChain};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PublicKeyData, RevocationReason, RevokedCertParams, SerialNumber, SubjectPublicKeyInfo,
};
use renraku_wire::{Code, RevocationKind};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use x509_parser::prelude::FromDer as _;
use zeroize::Zeroizing;

/// The authority with its key in memory.
pub struct Authority {
    certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
    list_url: Option<String>,
}

/// How an authority is named among a town's: the start of its certificate's SHA-256, hex.
#[must_use]
pub fn authority_id(certificate: &[u8]) -> String {
    hex::encode(&Sha256::digest(certificate)[..8])
}

/// One line of a list of revocations.
#[derive(Clone, Debug)]
pub struct Revoked {
    /// Serial number, hex.
    pub serial: String,
    /// When, UTC milliseconds.
    pub at: i64,
    /// Why.
    pub kind: RevocationKind,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

/// First and last instant of a certificate, in UTC milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    /// First.
    pub not_before: i64,
    /// Last.
    pub not_after: i64,
}

/// A certificate as issued.
#[derive(Clone, Debug)]
pub struct Issued {
    /// DER.
    pub certificate: Vec<u8>,
    /// Serial number, hex.
    pub serial: String,
    /// SHA-256 of the public key (SubjectPublicKeyInfo), hex.
    pub key_sha256: String,
    /// Its days.
    pub validity: Validity,
    /// The authority that signed it.
    pub authority: String,
}

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The request is at fault.
    #[error("refused")]
    Refused(Code),
    /// The authority failed.
    #[error("the authority failed: {0}")]
    Failed(String),
}

impl From<rcgen::Error> for IssueError {
    fn from(e: rcgen::Error) -> Self {
        Self::Failed(e.to_string())
    }
}

impl From<IssueError> for AppError {
    fn from(e: IssueError) -> Self {
        match e {
            IssueError::Refused(code) => code.into(),
            IssueError::Failed(what) => AppError::internal(what),
        }
    }
}

fn instant(millis: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(millis / 1000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

impl Authority {
    /// Makes a new authority; returns it with its key, PKCS#8, to be sealed.
    ///
    /// # Errors
    /// None in practice; the key generator failed.
    pub fn create(town: &str, now: i64) -> Result<(Self, Zeroizing<Vec<u8>>), AppError> {
        let make = || -> Result<_, rcgen::Error> {
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
            let mut params = CertificateParams::new(vec![])?;
            params.distinguished_name.push(DnType::CommonName, format!("Renraku {town}"));
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params.not_before = instant(now - 86_400_000);
            params.not_after = instant(now + 10 * 366 * 86_400_000);
            let certificate = params.self_signed(&key)?.der().to_vec();
            Ok((certificate, Zeroizing::new(key.serialize_der())))
        };
        let (certificate, key) = make().map_err(|e| AppError::internal(format!("no authority: {e}")))?;
        Ok((Self::open(certificate, &key)?, key))
    }

    /// Opens an authority from its certificate (DER) and key (PKCS#8).
    ///
    /// # Errors
    /// They cannot be read.
    pub fn open(certificate: Vec<u8>, key: &[u8]) -> Result<Self, AppError> {
        let failed =
            |e: rcgen::Error| AppError::internal(format!("the town's authority cannot be read: {e}"));
        let key = KeyPair::try_from(key).map_err(failed)?;
        let issuer = Issuer::from_ca_cert_der(&certificate.as_slice().into(), key).map_err(failed)?;
        let own = issuer.key().der_bytes();
        let (_, parsed) = x509_parser::certificate::X509Certificate::from_der(&certificate)
            .map_err(|_| AppError::internal("the town's authority cannot be read"))?;
        if parsed.public_key().subject_public_key.data != own {
            return Err(AppError::internal("the town's authority and its key do not belong together"));
        }
        Ok(Self { certificate, issuer, list_url: None })
    }

    /// Whether these bytes are a certificate at all.
    #[must_use]
    pub fn is_certificate(bytes: &[u8]) -> bool {
        x509_parser::certificate::X509Certificate::from_der(bytes).is_ok_and(|(rest, _)| rest.is_empty())
    }

    /// The same, with the address of its list of revocations in every certificate that it issues.
    #[must_use]
    pub fn with_list_at(mut self, url: String) -> Self {
        self.list_url = Some(url);
        self
    }

    /// Its name among the town's authorities.
    #[must_use]
    pub fn id(&self) -> String {
        authority_id(&self.certificate)
    }

    /// Signs a list of what was revoked (RFC 5280), DER.
    ///
    /// # Errors
    /// None in practice; signing failed.
    pub fn revocation_list(
        &self,
        number: i64,
        revoked: &[Revoked],
        this_update: i64,
        next_update: i64,
    ) -> Result<Vec<u8>, AppError> {
        let entry = |r: &Revoked| RevokedCertParams {
            serial_number: SerialNumber::from_slice(&hex::decode(&r.serial).unwrap_or_default()),
            revocation_time: instant(r.at),
            // "Unspecified" is said by saying nothing.
            reason_code: match r.kind {
                RevocationKind::Lost => Some(RevocationReason::KeyCompromise),
                RevocationKind::Replaced => Some(RevocationReason::Superseded),
                RevocationKind::Ended => Some(RevocationReason::CessationOfOperation),
                RevocationKind::Other => None,
            },
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: instant(this_update),
            next_update: instant(next_update),
            crl_number: SerialNumber::from(u64::try_from(number).unwrap_or(0)),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let signed = list
            .signed_by(&self.issuer)
            .map_err(|e| AppError::internal(format!("no list of revocations: {e}")))?;
        Ok(signed.der().to_vec())
    }

    /// Its certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Issues a certificate for a request (PKCS#10, DER). Of the request only the key counts: what the
    /// certificate says of the device, the server knows better.
    ///
    /// # Errors
    /// Not a request, not a P-256 key, or not signed by that key.
    pub fn issue_for_request(
        &self,
        csr: &[u8],
        device: &str,
        validity: Validity,
    ) -> Result<Issued, IssueError> {
        use x509_parser::certification_request::X509CertificationRequest;
        let (rest, request) =
            X509CertificationRequest::from_der(csr).map_err(|_| IssueError::Refused(Code::CsrMalformed))?;
        if !rest.is_empty() {
            return Err(IssueError::Refused(Code::CsrMalformed));
        }
        let spki = &request.certification_request_info.subject_pki;
        let p256 = spki.algorithm.algorithm == x509_parser::oid_registry::OID_KEY_TYPE_EC_PUBLIC_KEY
            && spki
                .algorithm
                .parameters
                .as_ref()
                .and_then(|p| p.as_oid().ok())
                .is_some_and(|oid| oid == x509_parser::oid_registry::OID_EC_P256);
        if !p256 {
            return Err(IssueError::Refused(Code::CsrKeyUnsupported));
        }
        request.verify_signature().map_err(|_| IssueError::Refused(Code::CsrSignatureInvalid))?;
        let key = SubjectPublicKeyInfo::from_der(spki.raw)
            .map_err(|_| IssueError::Refused(Code::CsrKeyUnsupported))?;
        self.issue(&key, spki.raw, device, validity)
    }

    /// Makes a key and a certificate for a browser and packs both as PKCS#12 under `password`.
    ///
    /// # Errors
    /// None in practice; the key generator failed.
    pub fn issue_pkcs12(
        &self,
        device: &str,
        password: &str,
        validity: Validity,
    ) -> Result<(Issued, Vec<u8>), IssueError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let issued = self.issue(&key, &key.subject_public_key_info(), device, validity)?;
        let failed = |e: p12_keystore::error::Error| IssueError::Failed(e.to_string());
        let chain = vec![
            P12Certificate::from_der(&issued.certificate).map_err(failed)?,
            P12Certificate::from_der(&self.certificate).map_err(failed)?,
        ];
        let id = hex::decode(&issued.serial).unwrap_or_default();
        let secret = Zeroizing::new(key.serialize_der());
        let key = p12_keystore::PrivateKey::from_der(&secret).map_err(failed)?;
        let mut store = KeyStore::new();
        store.add_entry("renraku", KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new(id, key, chain)));
        let file = store.writer(password).write().map_err(failed)?;
        Ok((issued, file))
    }

    fn issue(
        &self,
        key: &impl PublicKeyData,
        spki: &[u8],
        device: &str,
        validity: Validity,
    ) -> Result<Issued, IssueError> {
        let mut serial: [u8; 16] = rand::random();
        // Positive and of full length, so that its hex text is the same for every reader.
        serial[0] = (serial[0] & 0x7f) | 0x40;
        let mut params = CertificateParams::new(vec![])?;
        params.distinguished_name.push(DnType::CommonName, device);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.not_before = instant(validity.not_before);
        params.not_after = instant(validity.not_after);
        if let Some(url) = &self.list_url {
            params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![url.clone()] }];
        }
        let certificate = params.signed_by(key, &self.issuer)?.der().to_vec();
        Ok(Issued {
            certificate,
            serial: hex::encode(serial),
            key_sha256: hex::encode(Sha256::digest(spki)),
            validity,
            authority: self.id(),
        })
    }
}
