//! What the care host makes of a handshake, seen from below HTTP.

use renraku_tests::harness::client_tls;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, ClientConfig};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The alert with which a host at `url` ends the handshake.
pub async fn alert(url: &str, tls: ClientConfig) -> AlertDescription {
    let port = url.rsplit(':').next().and_then(|p| p.parse::<u16>().ok()).expect("a port");
    let tcp = TcpStream::connect(("127.0.0.1", port)).await.expect("the host listens");
    let name = ServerName::try_from("localhost").expect("a name");
    let refused = async {
        // With TLS 1.3 a client is done before the server has looked at its certificate.
        let mut open = TlsConnector::from(Arc::new(tls)).connect(name, tcp).await?;
        open.read_u8().await
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), refused).await.expect("an answer");
    let error = answer.expect_err("a refusal");
    match error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::AlertReceived(alert)) => *alert,
        other => panic!("no alert: {other:?} in {error}"),
    }
}

/// TLS settings with a certificate of an authority that nobody here knows.
pub fn of_another_authority(root_pem: &str) -> ClientConfig {
    let authority_key = rcgen::KeyPair::generate().expect("randomness");
    let mut authority = rcgen::CertificateParams::new([]).expect("no names");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let issuer = rcgen::CertifiedIssuer::self_signed(authority, authority_key).expect("an authority");
    let key = rcgen::KeyPair::generate().expect("randomness");
    let mut device = rcgen::CertificateParams::new([]).expect("no names");
    device.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = device.signed_by(&key, &issuer).expect("a certificate");
    let chain: [CertificateDer<'static>; 1] = [certificate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS#8");
    client_tls(root_pem, Some((&chain, &key)), rustls::ALL_VERSIONS)
}
