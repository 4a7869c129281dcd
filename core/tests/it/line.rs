//! The town's two hosts: TLS 1.3, with and without a client certificate. What they answer is in `town`.

use crate::network::{Line, Network};
use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, CertificateSigningRequestParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, CertificateSigningRequestDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A certificate authority that signs in memory.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub root: CertificateDer<'static>,
    pub pem: String,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        Self { root: root.der().clone(), pem: root.pem(), issuer: Issuer::new(params, key) }
    }

    fn server(&self) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.der().clone(), PrivateKeyDer::try_from(key.serialize_der()).unwrap())
    }

    /// Signs a device's request, after checking its signature.
    pub fn sign(&self, csr: Vec<u8>) -> CertificateDer<'static> {
        let request = CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(csr));
        request.unwrap().signed_by(&self.issuer).unwrap().der().clone()
    }
}

/// A free port of the loopback.
pub async fn bind() -> (TcpListener, u16) {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Serves on it; with an authority, only to those whose certificate it signed.
pub fn serve(
    listener: TcpListener,
    router: Router,
    server: &Authority,
    clients: Option<&Authority>,
    network: Arc<Network>,
) {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap();
    let builder = match clients {
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.root.clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
        None => builder.with_no_client_auth(),
    };
    let is_care = clients.is_some();
    let (certificate, key) = server.server();
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let (acceptor, router, network) = (acceptor.clone(), router.clone(), network.clone());
            tokio::spawn(async move {
                if network.is_down() {
                    return;
                }
                if is_care && network.forged.load(std::sync::atomic::Ordering::SeqCst) {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(&[0x15, 3, 3, 0, 2, 2, 44]).await;
                    return;
                }
                let Ok(tls) = acceptor.accept(Line::new(stream, network)).await else { return };
                let service = TowerToHyperService::new(router);
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(tls), service).await;
            });
        }
    });
}
