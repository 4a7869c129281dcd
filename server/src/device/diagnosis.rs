//! Login diagnosis (F62): what is wrong with the certificate that arrived, if anything.

use super::store;
use crate::error::AppError;
use crate::state::App;
use crate::tls::Peer;
use crate::{clock, municipality};
use renraku_wire::{Code, Diagnosis};
use x509_parser::prelude::FromDer as _;

/// Tells what the care host would make of this certificate.
///
/// # Errors
/// [`Code::NotFound`] for the town.
pub async fn diagnose(app: &App, slug: &str, peer: &Peer) -> Result<Diagnosis, AppError> {
    let (town, known) = app
        .db
        .read(async |c| {
            let town = municipality::store::by_slug(c, slug).await?;
            let known = match &peer.serial {
                Some(serial) => store::known(c, town.id, serial).await?,
                None => None,
            };
            Ok((town, known))
        })
        .await?;
    let verdict = verdict(peer, &town.authority, known.as_ref(), clock::now());
    Ok(match verdict {
        Ok(()) => Diagnosis {
            ok: true,
            code: None,
            sentence: "この端末の電子証明書は有効です。サインインに進んでください。".to_owned(),
        },
        Err(code) => Diagnosis { ok: false, code: Some(code), sentence: code.sentence().to_owned() },
    })
}

fn verdict(peer: &Peer, authority: &[u8], known: Option<&store::Known>, now: i64) -> Result<(), Code> {
    use x509_parser::certificate::X509Certificate;
    let der = peer.certificate.as_deref().ok_or(Code::CertificateMissing)?;
    let (_, certificate) = X509Certificate::from_der(der).map_err(|_| Code::CertificateForeign)?;
    let (_, authority) = X509Certificate::from_der(authority).map_err(|_| Code::CertificateForeign)?;
    // A serial number alone proves nothing: the signature must be this town's.
    certificate.verify_signature(Some(authority.public_key())).map_err(|_| Code::CertificateForeign)?;
    let known = known.ok_or(Code::CertificateForeign)?;
    if known.revoked_at.is_some() {
        Err(Code::CertificateRevoked)
    } else if now > known.not_after {
        Err(Code::CertificateExpired)
    } else if now < known.not_before {
        Err(Code::CertificateNotYetValid)
    } else if known.facility_state != "approved" {
        Err(Code::FacilitySuspended)
    } else {
        Ok(())
    }
}
