//! Devices as JSON.

use super::{diagnosis, enrol, issue, renew, store};
use crate::access::{FacilityAdmin, SignedIn};
use crate::error::AppError;
use crate::input::{self, Body, PathId};
use crate::state::App;
use crate::tls::Peer;
use crate::{audit, clock};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use renraku_wire::{
    CertificateIssued, CertificateRenewal, CertificateRequest, Device, DeviceId, DeviceName, Diagnosis,
    DiagnosisQuestion, EnrolmentTicket, NewTicket, Pkcs12Request, Revocation,
};

/// A phone's enrolment (public host).
#[utoipa::path(post, path = "/v1/municipalities/{slug}/certificates", tag = "public",
    params(("slug" = String, Path)), request_body = CertificateRequest,
    responses((status = 201, body = CertificateIssued)))]
pub async fn enrol(
    State(app): State<App>,
    Path(slug): Path<String>,
    Body(body): Body<CertificateRequest>,
) -> Result<(StatusCode, Json<CertificateIssued>), AppError> {
    Ok((StatusCode::CREATED, Json(enrol::by_request(&app, &slug, &body).await?)))
}

/// A PC's pick-up (public host).
#[utoipa::path(post, path = "/v1/municipalities/{slug}/certificates/pkcs12", tag = "public",
    params(("slug" = String, Path)), request_body = Pkcs12Request,
    responses((status = 201, content_type = "application/x-pkcs12")))]
pub async fn pkcs12(
    State(app): State<App>,
    Path(slug): Path<String>,
    Body(body): Body<Pkcs12Request>,
) -> Result<impl IntoResponse, AppError> {
    let picked = enrol::pkcs12(&app, &slug, &body).await?;
    Ok((StatusCode::CREATED, [(header::CONTENT_TYPE, "application/x-pkcs12")], picked.file.to_vec()))
}

/// What is wrong with the certificate that arrived (public host).
#[utoipa::path(get, path = "/v1/municipalities/{slug}/diagnosis", tag = "public",
    params(("slug" = String, Path)), responses((status = 200, body = Diagnosis)))]
pub async fn diagnose(
    State(app): State<App>,
    Path(slug): Path<String>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<Diagnosis>, AppError> {
    Ok(Json(diagnosis::diagnose(&app, &slug, &peer, &DiagnosisQuestion::default()).await?))
}

/// The same with a question: about an account, or about a mail that did not come (public host).
#[utoipa::path(post, path = "/v1/municipalities/{slug}/diagnosis", tag = "public",
    params(("slug" = String, Path)), request_body = DiagnosisQuestion,
    responses((status = 200, body = Diagnosis)))]
pub async fn diagnose_more(
    State(app): State<App>,
    Path(slug): Path<String>,
    Extension(peer): Extension<Peer>,
    Body(question): Body<DiagnosisQuestion>,
) -> Result<Json<Diagnosis>, AppError> {
    Ok(Json(diagnosis::diagnose(&app, &slug, &peer, &question).await?))
}

/// The inventory.
#[utoipa::path(get, path = "/v1/devices", tag = "device", responses((status = 200, body = [Device])))]
pub async fn list(State(app): State<App>, admin: FacilityAdmin) -> Result<Json<Vec<Device>>, AppError> {
    let devices = app.db.read(async |c| store::list(c, &admin, clock::now()).await).await?;
    Ok(Json(devices.into_iter().map(|listed| listed.device).collect()))
}

/// No and password for one more device (F07): by whom, the town says.
#[utoipa::path(post, path = "/v1/devices/tickets", tag = "device", request_body = NewTicket,
    responses((status = 201, body = EnrolmentTicket)))]
pub async fn ticket(
    State(app): State<App>,
    who: SignedIn,
    Body(body): Body<NewTicket>,
) -> Result<(StatusCode, Json<EnrolmentTicket>), AppError> {
    Ok((StatusCode::CREATED, Json(issue::ticket(&app, &who, None, &body).await?)))
}

/// Renews the certificate of the device that asks.
#[utoipa::path(post, path = "/v1/devices/current/certificate", tag = "device",
    request_body = CertificateRenewal, responses((status = 201, body = CertificateIssued)))]
pub async fn renew(
    State(app): State<App>,
    who: SignedIn,
    Body(body): Body<CertificateRenewal>,
) -> Result<(StatusCode, Json<CertificateIssued>), AppError> {
    Ok((StatusCode::CREATED, Json(renew::renew(&app, &who, &body).await?)))
}

/// Gives a device another name.
#[utoipa::path(put, path = "/v1/devices/{id}/name", tag = "device",
    params(("id" = DeviceId, Path)), request_body = DeviceName, responses((status = 204)))]
pub async fn rename(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<DeviceId>,
    Body(body): Body<DeviceName>,
) -> Result<StatusCode, AppError> {
    rename_device(&app, &admin, id, &body.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revokes a device's certificate: its next request is refused, on open connections too.
#[utoipa::path(post, path = "/v1/devices/{id}/revocation", tag = "device",
    params(("id" = DeviceId, Path)), request_body = Revocation, responses((status = 204)))]
pub async fn revoke(
    State(app): State<App>,
    admin: FacilityAdmin,
    PathId(id): PathId<DeviceId>,
    Body(body): Body<Revocation>,
) -> Result<StatusCode, AppError> {
    revoke_device(&app, &admin, id, body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the API and the portal share.
///
/// # Errors
/// [`renraku_wire::Code::NotFound`], [`renraku_wire::Code::FieldInvalid`].
pub async fn revoke_device(
    app: &App,
    admin: &FacilityAdmin,
    id: DeviceId,
    why: Revocation,
) -> Result<(), AppError> {
    let why = Revocation { reason: input::line(&why.reason, "reason")?, ..why };
    let now = clock::now();
    app.db
        .write(async |c| {
            store::revoke(c, admin, id.into(), &why, now).await?;
            audit::record(c, admin.actor(), "device.revoke", Some(id.into()), "").await
        })
        .await
}

/// What the API and the portal share.
///
/// # Errors
/// [`renraku_wire::Code::NotFound`], [`renraku_wire::Code::FieldInvalid`].
pub async fn rename_device(
    app: &App,
    admin: &FacilityAdmin,
    id: DeviceId,
    name: &str,
) -> Result<(), AppError> {
    let name = input::line(name, "device_name")?;
    app.db
        .write(async |c| {
            store::rename(c, admin, id.into(), &name).await?;
            audit::record(c, admin.actor(), "device.rename", Some(id.into()), "").await
        })
        .await
}
