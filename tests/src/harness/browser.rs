//! A PC with an installed certificate: what a browser does, without the pages. It speaks the JSON API by
//! itself, not through the devices' core, so that the two check each other.

use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use renraku_wire::{
    Code, MediaId, MediaKind, MunicipalityInfo, NewMedia, PasswordChange, Pkcs12Request, Problem,
    SessionOpened, SignIn, Staff, limits,
};
use reqwest::{Client, Method, RequestBuilder, Response};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

/// What was typed into the page that hands out certificates.
#[derive(Clone, Copy)]
pub struct Pickup<'a> {
    /// The public host.
    pub public_url: &'a str,
    /// PEM of the root that the PC trusts as a server.
    pub root_pem: &'a str,
    /// The town's name in addresses.
    pub slug: &'a str,
    /// 証明書取得用No.
    pub number: &'a str,
    /// Its password.
    pub password: &'a str,
    /// What people call the PC.
    pub device_name: &'a str,
}

/// The PC. Cheap to clone: a clone shares connections and has a session of its own.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    /// The town as the public host describes it.
    pub municipality: MunicipalityInfo,
    /// Where the care host is.
    pub care_url: String,
    /// Its certificate and the authority's, DER.
    pub chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
    root_pem: String,
    /// The session's token, once signed in.
    pub token: Option<String>,
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Browser").field("signed_in", &self.token.is_some()).finish_non_exhaustive()
    }
}

impl Browser {
    /// Picks up the PKCS#12 file with No and password, opens and "installs" it.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn pick_up(at: Pickup<'_>) -> Result<Self, Problem> {
        let Pickup { public_url, root_pem, slug, number, password, device_name } = at;
        let anyone = stranger(root_pem);
        let town = format!("{public_url}/v1/municipalities/{slug}");
        let municipality: MunicipalityInfo = answer(anyone.get(&town)).await?;
        let request = Pkcs12Request {
            number: number.to_owned(),
            password: password.to_owned(),
            device_name: device_name.to_owned(),
        };
        let file = exchange(anyone.post(format!("{town}/certificates/pkcs12")).json(&request)).await?;
        let file = file.bytes().await.map_err(unreached)?;
        let store = KeyStore::from_pkcs12(&file, password, Pkcs12ImportPolicy::Relaxed).map_err(odd)?;
        let (_, entry) = store.private_key_chain().ok_or_else(|| odd("a PKCS#12 file without a key"))?;
        let chain: Vec<_> = entry.certs().iter().map(|c| CertificateDer::from(c.as_der().to_vec())).collect();
        let key: Arc<PrivateKeyDer<'_>> =
            Arc::new(PrivatePkcs8KeyDer::from(entry.key().as_der().to_vec()).into());
        let tls = client_tls(root_pem, Some((&chain, &key)), rustls::ALL_VERSIONS);
        Ok(Self {
            client: client(tls),
            care_url: municipality.care_url.clone(),
            municipality,
            chain,
            key,
            root_pem: root_pem.to_owned(),
            token: None,
        })
    }

    /// The TLS settings of its connections.
    #[must_use]
    pub fn tls(&self) -> ClientConfig {
        self.tls_for(rustls::ALL_VERSIONS)
    }

    /// The same for these versions of TLS alone.
    #[must_use]
    pub fn tls_for(&self, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        client_tls(&self.root_pem, Some((&self.chain, &self.key)), versions)
    }

    /// The same PC with an open connection of its own, and the same session.
    #[must_use]
    pub fn reconnected(&self) -> Self {
        Self { client: client(self.tls()), ..self.clone() }
    }

    /// Signs in.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn sign_in(&mut self, login_id: &str, password: &str) -> Result<SessionOpened, Problem> {
        let sign_in = SignIn { id: None, login_id: login_id.to_owned(), password: password.to_owned() };
        let opened: SessionOpened = self.post("/v1/session", &sign_in).await?;
        self.token = Some(opened.token.clone());
        Ok(opened)
    }

    /// Changes the own password; the session goes on.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn change_password(&self, current: &str, new: &str) -> Result<(), Problem> {
        let change = PasswordChange { current: current.to_owned(), new: new.to_owned() };
        self.send(Method::POST, "/v1/session/password", &change).await
    }

    /// Signs in for the first time and changes the first password, as one must.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn first_sign_in(&mut self, login_id: &str, first: &str, new: &str) -> Result<Staff, Problem> {
        let opened = self.sign_in(login_id, first).await?;
        self.change_password(first, new).await?;
        Ok(opened.staff)
    }

    /// `GET` on the care host.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Problem> {
        answer(self.request(Method::GET, path)).await
    }

    /// `POST` on the care host.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Problem> {
        answer(self.request(Method::POST, path).json(body)).await
    }

    /// A request without an answer worth reading.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn send(&self, method: Method, path: &str, body: &impl Serialize) -> Result<(), Problem> {
        exchange(self.request(method, path).json(body)).await.map(drop)
    }

    /// A request on the care host with the session's token, for what the others do not fit.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.care_url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// The bytes that a `GET` answers.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>, Problem> {
        let whole = exchange(self.request(Method::GET, path)).await?.bytes().await;
        whole.map(Vec::from).map_err(unreached)
    }

    /// Uploads a document (PDF, JPEG or PNG) in chunks, for a consent.
    ///
    /// # Errors
    /// What the server refused.
    pub async fn upload_document(&self, bytes: &[u8], description: &str) -> Result<MediaId, Problem> {
        let media = NewMedia {
            id: MediaId::new(),
            kind: MediaKind::Document,
            length: bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(bytes)),
            description: description.to_owned(),
        };
        self.send(Method::POST, "/v1/media", &media).await?;
        for (number, chunk) in bytes.chunks(limits::DEVICE_CHUNK_BYTES).enumerate() {
            let append = self
                .request(Method::PATCH, &format!("/v1/media/{}/upload", media.id))
                .header("content-type", "application/offset+octet-stream")
                .header("upload-offset", (number * limits::DEVICE_CHUNK_BYTES).to_string())
                .body(chunk.to_vec());
            exchange(append).await?;
        }
        Ok(media.id)
    }
}

/// A client that trusts `root_pem` and has no certificate: anyone on the public host.
///
/// # Panics
/// When the PEM holds no certificate.
#[must_use]
pub fn stranger(root_pem: &str) -> Client {
    client(client_tls(root_pem, None, rustls::ALL_VERSIONS))
}

/// TLS settings of a client, with or without a certificate, for these versions. Nothing is resumed, so that
/// each connection proves the certificate anew.
///
/// # Panics
/// When the PEM holds no certificate, or certificate and key do not belong together.
#[must_use]
pub fn client_tls(
    root_pem: &str,
    identity: Option<(&[CertificateDer<'static>], &PrivateKeyDer<'static>)>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let read = CertificateDer::pem_slice_iter(root_pem.as_bytes()).flatten().map(|root| roots.add(root));
    assert!(read.filter(Result::is_ok).count() > 0, "the PEM holds no root");
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .expect("ring knows these versions")
        .with_root_certificates(roots);
    let mut tls = match identity {
        Some((chain, key)) => builder
            .with_client_auth_cert(chain.to_vec(), key.clone_key())
            .expect("certificate and key belong together"),
        None => builder.with_no_client_auth(),
    };
    tls.resumption = rustls::client::Resumption::disabled();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    tls
}

fn client(tls: ClientConfig) -> Client {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .https_only(true)
        .no_proxy()
        .tcp_nodelay(true)
        .timeout(Duration::from_secs(60))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("the settings are complete")
}

/// Sends a request; an answer that is no success becomes its problem.
///
/// # Errors
/// What the server refused; `unavailable` when it was not reached.
pub async fn exchange(request: RequestBuilder) -> Result<Response, Problem> {
    let answer = request.send().await.map_err(unreached)?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body = answer.bytes().await.map_err(unreached)?;
    Err(serde_json::from_slice(&body).unwrap_or_else(|_| {
        let problem = odd(String::from_utf8_lossy(&body));
        Problem { status: status.as_u16(), ..problem }
    }))
}

/// Sends a request and reads the JSON it answers.
///
/// # Errors
/// As [`exchange`].
pub async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Problem> {
    let bytes = exchange(request).await?.bytes().await.map_err(unreached)?;
    serde_json::from_slice(&bytes).map_err(odd)
}

fn unreached(e: reqwest::Error) -> Problem {
    use std::error::Error;
    let mut told = e.to_string();
    let mut cause = e.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    Problem { detail: told, ..Problem::new(Code::Unavailable) }
}

fn odd(what: impl std::fmt::Display) -> Problem {
    Problem { detail: format!("not as agreed: {what}"), ..Problem::new(Code::Unknown) }
}
