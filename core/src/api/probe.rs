//! Why a connection broke. In TLS 1.3 a server refuses a client's certificate after the client's handshake is
//! over, and HTTP/2 often loses that alert when it was already sending. So when a connection broke for no
//! known reason, one more is made that sends nothing and only listens. Not here: HTTP.

use super::{ApiError, error};
use reqwest::Url;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The whole probe. A server that accepts the certificate speaks first (HTTP/2 settings) or not at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the server says of this device's certificate, if it refuses it.
pub(super) async fn refusal(tls: Arc<ClientConfig>, host: &Url) -> Option<ApiError> {
    tokio::time::timeout(PATIENCE, listen(tls, host)).await.ok().flatten()
}

async fn listen(tls: Arc<ClientConfig>, url: &Url) -> Option<ApiError> {
    let host = url.host_str()?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).ok()?;
    let port = url.port_or_known_default()?;
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await.ok()?;
    let told = match TlsConnector::from(tls).connect(name, stream).await {
        Ok(mut stream) => stream.read_u8().await.err(),
        Err(e) => Some(e),
    };
    error::tls_cause(&told?)
}
