//! Capabilities as axum extractors: what a handler asks for in its arguments.

use super::{Credentials, DeviceAccess, FacilityAdmin, Registrar, Secretariat, SignedIn};
use crate::error::AppError;
use crate::state::App;
use crate::tls::Peer;
use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use sha2::{Digest as _, Sha256};
use std::convert::Infallible;

/// Name of the portal's session cookie. `__Host-`: this host only, TLS only, whole site.
pub const COOKIE_NAME: &str = "__Host-renraku";

/// What is stored of a session token.
#[must_use]
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

fn token(parts: &Parts) -> Option<&str> {
    if let Some(value) = parts.headers.get(AUTHORIZATION) {
        return value.to_str().ok()?.strip_prefix("Bearer ");
    }
    parts
        .headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, value)| value)
}

impl FromRequestParts<App> for Credentials {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>();
        Ok(Self {
            serial: peer.and_then(|p| p.serial.clone()),
            key_sha256: peer.and_then(|p| p.key_sha256.clone()),
            token_hash: token(parts).map(token_hash),
            seen: app.seen.clone(),
        })
    }
}

async fn credentials(parts: &mut Parts, app: &App) -> Credentials {
    match Credentials::from_request_parts(parts, app).await {
        Ok(credentials) => credentials,
        Err(never) => match never {},
    }
}

impl FromRequestParts<App> for DeviceAccess {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let credentials = credentials(parts, app).await;
        app.db.glance(async |c| super::device(c, &credentials).await).await
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        let credentials = credentials(parts, app).await;
        app.db.glance(async |c| super::signed_in(c, &credentials).await).await
    }
}

impl FromRequestParts<App> for FacilityAdmin {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        SignedIn::from_request_parts(parts, app).await?.facility_admin()
    }
}

impl FromRequestParts<App> for Secretariat {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        SignedIn::from_request_parts(parts, app).await?.secretariat()
    }
}

impl FromRequestParts<App> for Registrar {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, AppError> {
        SignedIn::from_request_parts(parts, app).await?.registrar()
    }
}
