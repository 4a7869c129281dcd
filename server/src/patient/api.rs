//! Patients as JSON.

use super::{register, store};
use crate::access::{self, Credentials, Of, Read, Registrar, SignedIn};
use crate::audit;
use crate::error::AppError;
use crate::input::{Body, PathId};
use crate::state::App;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use renraku_wire::{NewPatient, Patient, PatientId, PatientList, PatientRegistered};

/// Registers a patient with consent and team.
#[utoipa::path(post, path = "/v1/patients", tag = "patient", request_body = NewPatient,
    responses((status = 201, body = PatientRegistered)))]
pub async fn create(
    State(app): State<App>,
    who: Registrar,
    Body(body): Body<NewPatient>,
) -> Result<(StatusCode, Json<PatientRegistered>), AppError> {
    let id = register::register(&app, &who, &body).await?;
    Ok((StatusCode::CREATED, Json(PatientRegistered { id })))
}

/// Those whom the caller may see.
#[utoipa::path(get, path = "/v1/patients", tag = "patient", responses((status = 200, body = PatientList)))]
pub async fn list(State(app): State<App>, who: SignedIn) -> Result<Json<PatientList>, AppError> {
    let patients = app.db.read(async |c| store::list(c, &who).await).await?;
    Ok(Json(PatientList { patients }))
}

/// One patient's record. Reading it is logged.
#[utoipa::path(get, path = "/v1/patients/{id}", tag = "patient",
    params(("id" = PatientId, Path)), responses((status = 200, body = Patient)))]
pub async fn get(
    State(app): State<App>,
    credentials: Credentials,
    PathId(id): PathId<PatientId>,
) -> Result<Json<Patient>, AppError> {
    Ok(Json(
        app.db
            .write(async |c| {
                let access = access::patient::<Read>(c, &credentials, Of::Patient(id.into())).await?;
                audit::record(c, access.actor(), "patient.read", Some(access.patient_id()), "").await?;
                store::get(c, &access).await
            })
            .await?,
    ))
}
