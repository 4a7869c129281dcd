//! Why a call failed, in detail. Screens see [`crate::CoreError`] instead.

use crate::identity::KeyError;
use renraku_wire::{Code, Problem};
use rustls::{AlertDescription, CertificateError};
use std::error::Error;
use std::time::Duration;

/// Why a call to the server failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The server was not reached, or stopped answering. With `sent`, it may have the request all the same.
    #[error("the server was not reached")]
    Offline {
        /// False when the request surely did not arrive.
        sent: bool,
    },
    /// The handshake was refused because of this device's certificate.
    #[error("the certificate was refused in the handshake: {}", .0.as_str())]
    CertificateRefused(Code),
    /// Whoever answered has no certificate that this device trusts. With `clock`, only its dates are wrong,
    /// which most often means that the device's clock is.
    #[error("the server's certificate is not trusted")]
    ServerUntrusted {
        /// True when only the validity period is at odds.
        clock: bool,
    },
    /// The device's key did not sign the handshake.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The server refused, and said why.
    #[error("refused: {}", .problem.code.as_str())]
    Refused {
        /// What it said.
        problem: Box<Problem>,
        /// When it asks to be tried again.
        retry_after: Option<Duration>,
    },
    /// The answer is not what the contract promises.
    #[error("the answer is not as agreed: {0}")]
    Nonsense(&'static str),
    /// A file on this device could not be read or written.
    #[error("a file could not be written")]
    File,
    /// There is no room on this device.
    #[error("the device is full")]
    Full,
}

impl ApiError {
    /// The stable code, where there is one.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::CertificateRefused(code) => Some(*code),
            Self::Refused { problem, .. } => Some(problem.code),
            _ => None,
        }
    }

    /// What went wrong on the way, told apart by the errors underneath.
    pub(crate) fn from_transport(e: &reqwest::Error) -> Self {
        let mut next: Option<&(dyn Error + 'static)> = Some(e);
        while let Some(error) = next {
            if let Some(told) = tls_cause(error) {
                return told;
            }
            next = error.source();
        }
        Self::Offline { sent: !e.is_connect() }
    }
}

/// What TLS says of this error, if it is TLS's.
pub(super) fn tls_cause(error: &(dyn Error + 'static)) -> Option<ApiError> {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return tls_error(tls);
    }
    if let Some(io) = error.downcast_ref::<std::io::Error>() {
        return tls_cause(io.get_ref()?);
    }
    // HTTP/2 keeps only the text of what broke its connection, so the text is all there is to compare.
    let text = error.to_string();
    if text.contains("fatal alert") {
        let alerts = (0..=u8::MAX).map(AlertDescription::from);
        let told = |a: &AlertDescription| text.contains(&rustls::Error::AlertReceived(*a).to_string());
        return alerts.filter(told).find_map(alert);
    }
    None
}

fn tls_error(error: &rustls::Error) -> Option<ApiError> {
    match error {
        rustls::Error::AlertReceived(description) => alert(*description),
        rustls::Error::InvalidCertificate(reason) => {
            let clock = matches!(
                reason,
                CertificateError::Expired
                    | CertificateError::ExpiredContext { .. }
                    | CertificateError::NotValidYet
                    | CertificateError::NotValidYetContext { .. }
            );
            Some(ApiError::ServerUntrusted { clock })
        }
        rustls::Error::Other(other) => other.0.downcast_ref::<KeyError>().map(|e| ApiError::Key(*e)),
        _ => None,
    }
}

fn alert(description: AlertDescription) -> Option<ApiError> {
    let code = match description {
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => Code::CertificateMissing,
        AlertDescription::CertificateExpired => Code::CertificateExpired,
        AlertDescription::CertificateRevoked => Code::CertificateRevoked,
        AlertDescription::UnknownCA
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateUnknown
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied => Code::CertificateForeign,
        _ => return None,
    };
    Some(ApiError::CertificateRefused(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_told_from_its_error_and_from_its_text() {
        let error = rustls::Error::AlertReceived(AlertDescription::CertificateExpired);
        let text = std::io::Error::other(format!("connection error: {error}"));
        let typed = std::io::Error::other(error);
        for e in [&typed, &text] {
            let told = tls_cause(e).and_then(|e| e.code());
            assert_eq!(told, Some(Code::CertificateExpired), "{e:?}");
        }
    }

    #[test]
    fn other_trouble_is_not_blamed_on_the_certificate() {
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(tls_cause(&reset).is_none());
        let alert = rustls::Error::AlertReceived(AlertDescription::InternalError);
        assert!(tls_cause(&std::io::Error::other(alert)).is_none());
    }

    #[test]
    fn a_key_that_failed_in_the_handshake_is_told() {
        let error = rustls::Error::Other(rustls::OtherError(std::sync::Arc::new(KeyError::Locked)));
        assert!(matches!(tls_cause(&std::io::Error::other(error)), Some(ApiError::Key(KeyError::Locked))));
    }
}
