//! A device of the tests: its key and certificate, its client, and what it is answered.

use crate::town::PASSWORD;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use renraku_server::policy::has_words;
use renraku_wire::*;
use reqwest::Method;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde::Serialize;
use serde::de::DeserializeOwned;
/// A device's key and certificate.
#[derive(Clone)]
pub struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: Vec<u8>,
    pub device_id: Option<DeviceId>,
}

/// A request for a certificate with a fresh P-256 key.
pub fn csr() -> (KeyPair, String) {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let csr = CertificateParams::new(vec![]).unwrap().serialize_request(&key).unwrap();
    let text = STANDARD.encode(csr.der());
    (key, text)
}

/// A client of either host.
#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub base: String,
    pub token: Option<String>,
    pub identity: Option<Identity>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    pub fn ok<T: DeserializeOwned>(self) -> T {
        assert!(self.status < 300, "{} {}", self.status, String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    pub fn done(self) -> Self {
        assert!(self.status < 300, "{} {}", self.status, String::from_utf8_lossy(&self.body));
        self
    }

    /// The refusal: a whole problem document with this code and the status that goes with it.
    #[track_caller]
    pub fn refused(self, code: Code) -> Problem {
        let text = String::from_utf8_lossy(&self.body).into_owned();
        assert_eq!(
            self.headers.get("content-type").map(|v| v.to_str().unwrap()),
            Some("application/problem+json"),
            "{} {text}",
            self.status
        );
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.code, code, "{text}");
        assert_eq!((problem.status, self.status), (code.status(), code.status()));
        // A sentence that names something speaks the town's own words (`words`).
        assert!(problem.detail == code.sentence() || has_words(code.sentence()), "{}", problem.detail);
        problem
    }
}

impl Answer {
    /// The refusal of a sign-in that has to wait; the sentence says for how long.
    #[track_caller]
    pub fn locked(self, says: &str) {
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!((problem.code, self.status), (Code::AccountLocked, 429), "{problem:?}");
        assert!(problem.detail.contains(says), "{}", problem.detail);
    }
}

impl Client {
    pub fn new(root: &CertificateDer<'static>, base: &str, identity: Option<Identity>) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let builder = rustls::ClientConfig::builder_with_provider(renraku_server::tls::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match &identity {
            None => builder.with_no_client_auth(),
            Some(i) => builder
                .with_client_auth_cert(
                    i.chain.clone(),
                    PrivateKeyDer::from(PrivatePkcs8KeyDer::from(i.key.clone())),
                )
                .unwrap(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        let http = reqwest::Client::builder().tls_backend_preconfigured(config).build().unwrap();
        Self { http, base: base.to_owned(), token: None, identity }
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.unwrap().to_vec(),
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &impl Serialize) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Sends a form of a page, as a browser on this host does; redirects are followed.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let escape = |s: &str| s.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
        let body: Vec<_> = fields.iter().map(|(n, v)| format!("{}={}", escape(n), escape(v))).collect();
        let request = self
            .request(Method::POST, path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(body.join("&"))).await
    }

    pub async fn put(&self, path: &str, body: &impl Serialize) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn sign_in(&mut self, login_id: &str, password: &str) -> SessionOpened {
        let body = SignIn { id: None, login_id: login_id.into(), password: password.into() };
        let opened: SessionOpened = self.post("/v1/session", &body).await.ok();
        self.token = Some(opened.token.clone());
        opened
    }

    /// Signs in for the first time and changes the first password to [`PASSWORD`].
    pub async fn first_sign_in(&mut self, login_id: &str, first: &str) -> SessionOpened {
        let opened = self.sign_in(login_id, first).await;
        assert!(opened.must_change_password);
        let change = PasswordChange { current: first.into(), new: PASSWORD.into() };
        self.post("/v1/session/password", &change).await.done();
        opened
    }

    /// Uploads the bytes of an announced file in two chunks.
    pub async fn upload(&self, id: MediaId, bytes: &[u8]) -> Answer {
        let half = bytes.len() / 2;
        self.chunk(id, 0, &bytes[..half]).await.done();
        self.chunk(id, half, &bytes[half..]).await
    }

    pub async fn chunk(&self, id: MediaId, offset: usize, bytes: &[u8]) -> Answer {
        let request = self
            .request(Method::PATCH, &format!("/v1/media/{id}/upload"))
            .header("content-type", "application/offset+octet-stream")
            .header("upload-offset", offset.to_string())
            .body(bytes.to_vec());
        self.send(request).await
    }
}

/// The identity of an issued certificate.
pub fn identity(key: &KeyPair, issued: &CertificateIssued) -> Identity {
    Identity {
        chain: issued.chain.iter().map(|c| STANDARD.decode(c).unwrap().into()).collect(),
        key: key.serialize_der(),
        device_id: Some(issued.device_id),
    }
}
