//! A PC of the demo: the PKCS#12 file that its user would install, opened here instead of in a browser.

use super::error::{DemoError, Step, failed};
use crate::harness::{ServerProcess, client_tls, exchange, stranger};
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use renraku_core::api::Care;
use renraku_wire::Pkcs12Request;
use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Certificate and key of one PC.
pub struct Pc {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    root_pem: String,
}

impl std::fmt::Debug for Pc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pc").finish_non_exhaustive()
    }
}

impl Pc {
    /// Opens a PKCS#12 file. `root_pem`: whom the PC trusts as a server.
    ///
    /// # Errors
    /// The file or the password is not right.
    pub fn open(file: &[u8], password: &str, root_pem: &str) -> Result<Self, DemoError> {
        let step = "opening a PC's certificate";
        let store = KeyStore::from_pkcs12(file, password, Pkcs12ImportPolicy::Relaxed).step(step)?;
        let (_, chain) = store.private_key_chain().ok_or_else(|| failed(step, "there is no key in it"))?;
        let key = PrivatePkcs8KeyDer::from(chain.key().as_der().to_vec());
        Ok(Self {
            chain: chain.certs().iter().map(|c| CertificateDer::from(c.as_der().to_vec())).collect(),
            key: key.into(),
            root_pem: root_pem.to_owned(),
        })
    }

    /// TLS as a browser with this certificate would speak it. No ALPN protocols are set.
    #[must_use]
    pub fn tls(&self) -> ClientConfig {
        let mut tls = client_tls(&self.root_pem, Some((&self.chain, &self.key)), &[&rustls::version::TLS13]);
        tls.alpn_protocols.clear();
        tls
    }

    /// A client of the care host that shows this certificate.
    ///
    /// # Errors
    /// The address is none.
    pub fn care(&self, care_url: &str) -> Result<Care, DemoError> {
        let mut tls = self.tls();
        tls.alpn_protocols = vec![b"h2".to_vec()];
        Care::new(tls, care_url).step("preparing a PC")
    }
}

/// Picks up a PKCS#12 file with a certificate No and password, as the portal's form does (F05).
///
/// # Errors
/// The server refused, or was not reached.
pub async fn pick_up(
    server: &ServerProcess,
    slug: &str,
    request: &Pkcs12Request,
) -> Result<Vec<u8>, DemoError> {
    let step = "picking up a PC's certificate";
    let url = format!("{}/v1/municipalities/{slug}/certificates/pkcs12", server.public_url);
    let answer = exchange(stranger(&server.root_pem).post(url).json(request)).await;
    let answer = answer.map_err(|problem| failed(step, problem.detail))?;
    Ok(answer.bytes().await.step(step)?.to_vec())
}
