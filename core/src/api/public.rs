//! The public host: what works without a certificate. No patient data here.

use super::{ApiResult, Http, decode};
use renraku_wire::{
    CertificateIssued, CertificateRequest, Diagnosis, FacilityApplication, FacilityApplied, MunicipalityInfo,
};
use reqwest::Method;

/// A client of one town's public host. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Public {
    http: Http,
}

impl Public {
    /// Prepares the way to `base` (`https://host:port`); connects on the first call.
    ///
    /// # Errors
    /// [`super::ApiError::Nonsense`] when `base` is not an `https` address.
    pub fn new(tls: rustls::ClientConfig, base: &str) -> ApiResult<Self> {
        Ok(Self { http: Http::new(tls, base)? })
    }

    /// What the town says of itself.
    ///
    /// # Errors
    /// As [`super::ApiError`] tells; `not_found` for a town that is not here.
    pub async fn municipality(&self, slug: &str) -> ApiResult<MunicipalityInfo> {
        decode(self.http.send(self.http.request(Method::GET, &["v1", "municipalities", slug])).await?).await
    }

    /// Trades a certificate No and password for a certificate.
    ///
    /// # Errors
    /// As [`super::ApiError`] tells; the ticket's and CSR's codes among the refusals.
    pub async fn enrol(&self, slug: &str, request: &CertificateRequest) -> ApiResult<CertificateIssued> {
        let path = ["v1", "municipalities", slug, "certificates"];
        decode(self.http.send_json(self.http.request(Method::POST, &path), request).await?).await
    }

    /// What the server makes of the certificate that this device shows.
    ///
    /// # Errors
    /// As [`super::ApiError`] tells.
    pub async fn diagnosis(&self, slug: &str) -> ApiResult<Diagnosis> {
        let path = ["v1", "municipalities", slug, "diagnosis"];
        decode(self.http.send(self.http.request(Method::GET, &path)).await?).await
    }

    /// Applies for a facility.
    ///
    /// # Errors
    /// As [`super::ApiError`] tells.
    pub async fn apply(&self, slug: &str, application: &FacilityApplication) -> ApiResult<FacilityApplied> {
        let path = ["v1", "municipalities", slug, "facility-applications"];
        decode(self.http.send_json(self.http.request(Method::POST, &path), application).await?).await
    }
}
