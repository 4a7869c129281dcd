//! The whole URL map on one screen: two hosts, their JSON and their pages.

use crate::error::AppError;
use crate::portal::{self, assets, upload};
use crate::state::App;
use crate::{device, facility, media, municipality, patient, post, session, staff, worklist};
use crate::{inbox, incident, review, training};
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post as posting, put};
use axum::{Json, Router};
use renraku_wire::{Code, limits};
use utoipa::OpenApi;

/// The public host: forms, certificate pick-up, login diagnosis. No patient data.
pub fn public(app: App) -> Router {
    Router::new()
        .route("/v1/openapi.json", get(openapi))
        .route("/v1/municipalities/{slug}", get(municipality::api::info))
        .route("/v1/municipalities/{slug}/facility-applications", posting(facility::api::create))
        .route("/v1/municipalities/{slug}/certificates", posting(device::api::enrol))
        .route("/v1/municipalities/{slug}/certificates/pkcs12", posting(device::api::pkcs12))
        .route("/v1/municipalities/{slug}/diagnosis", get(device::api::diagnose))
        .route("/health", get(health))
        .route("/assets/{name}", get(assets::get))
        .route("/", get(municipality::pages::towns))
        .route("/{slug}", get(municipality::pages::home))
        .route("/{slug}/apply", get(facility::pages::form).post(facility::pages::apply))
        .route("/{slug}/apply/done", get(facility::pages::applied))
        .route("/{slug}/certificate", get(device::pages::certificate).post(device::pages::pick_up))
        .route("/{slug}/diagnosis", get(device::pages::diagnose))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(limits::JSON_BYTES))
        .layer(from_fn_with_state(app.clone(), portal::public))
        .with_state(app)
}

/// The care host: behind a client certificate.
pub fn care(app: App) -> Router {
    Router::new()
        .route("/v1/session", posting(session::api::open).get(session::api::me).delete(session::api::close))
        .route("/v1/session/password", posting(session::api::change_password))
        .route("/v1/session/push", put(session::api::register_push))
        .route("/v1/facilities", get(facility::api::list))
        .route("/v1/facilities/{id}/approval", posting(facility::api::approve))
        .route("/v1/facilities/{id}/tickets", posting(facility::api::ticket))
        .route("/v1/directory", get(facility::api::directory))
        .route("/v1/staff", posting(staff::api::create))
        .route("/v1/devices", get(device::api::list))
        .route("/v1/devices/{id}/revocation", posting(device::api::revoke))
        .route("/v1/patients", posting(patient::api::create).get(patient::api::list))
        .route("/v1/patients/{id}", get(patient::api::get))
        .route("/v1/patients/{id}/posts", posting(post::api::create).get(post::api::page))
        .route("/v1/posts/{id}", get(post::api::get))
        .route("/v1/posts/{id}/receipt", put(post::api::put_receipt))
        .route("/v1/posts/{id}/receipts", get(post::api::receipts))
        .route("/v1/notices/{id}", get(worklist::notice))
        .route("/v1/inbox", get(inbox::api::list))
        .route("/v1/inbox/{id}/claim", posting(inbox::api::claim).delete(inbox::api::give_back))
        .route("/v1/inbox/{id}/done", posting(inbox::api::finish))
        .route("/v1/training", get(training::api::status))
        .route("/v1/training/completions", posting(training::api::create))
        .route("/v1/training/overview", get(training::api::overview))
        .route("/v1/access-review", get(review::api::current))
        .route("/v1/access-reviews", posting(review::api::create).get(review::api::overview))
        .route("/v1/incidents", posting(incident::api::create).get(incident::api::list))
        .route("/v1/incidents/{id}", get(incident::api::get))
        .route("/v1/incidents/{id}/entries", posting(incident::api::enter))
        .route("/v1/undelivered", get(worklist::undelivered::list))
        .route("/v1/undelivered/{id}/handled", posting(worklist::undelivered::handled))
        .route("/v1/media", posting(media::api::announce))
        .route("/v1/media/{id}", get(media::api::whole))
        .route("/v1/media/{id}/thumbnail", get(media::api::thumbnail))
        .route(
            "/v1/media/{id}/upload",
            axum::routing::head(media::api::progress)
                .patch(media::api::append)
                .layer(DefaultBodyLimit::max(limits::CHUNK_BYTES)),
        )
        .route("/assets/{name}", get(assets::get))
        .route("/", get(patient::pages::home))
        .route("/sign-in", get(session::pages::form).post(session::pages::open))
        .route("/sign-out", posting(session::pages::close))
        .route("/password", get(session::pages::password).post(session::pages::change_password))
        .route("/facilities", get(facility::pages::list))
        .route("/facilities/{id}/approval", posting(facility::pages::approve))
        .route("/facilities/{id}/rejection", posting(facility::pages::reject))
        .route("/staff", get(staff::pages::list).post(staff::pages::create))
        .route("/devices", get(device::pages::list))
        .route("/devices/tickets", posting(facility::pages::ticket))
        .route("/devices/{id}/revocation", posting(device::pages::revoke))
        .route("/patients/new", with_file(get(patient::pages::form).post(patient::pages::create)))
        .route("/patients/{id}", with_file(get(post::pages::timeline).post(post::pages::publish)))
        .route("/posts/{id}/acknowledgement", posting(post::pages::acknowledge))
        .route("/posts/{id}/receipts", get(post::pages::receipts))
        .route("/inbox", get(inbox::pages::list))
        .route("/inbox/{id}/claim", posting(inbox::pages::claim))
        .route("/inbox/{id}/return", posting(inbox::pages::give_back))
        .route("/inbox/{id}/done", posting(inbox::pages::finish))
        .route("/training", get(training::pages::training).post(training::pages::complete))
        .route("/training/overview", get(training::pages::overview))
        .route("/review", get(review::pages::review).post(review::pages::sign))
        .route("/review/overview", get(review::pages::overview))
        .route("/incidents", get(incident::pages::list).post(incident::pages::create))
        .route("/incidents/{id}", get(incident::pages::incident))
        .route("/incidents/{id}/entries", posting(incident::pages::enter))
        .route("/undelivered", get(worklist::undelivered::page))
        .route("/undelivered/{id}/handled", posting(worklist::undelivered::put_aside))
        .route("/tasks", get(worklist::page))
        .route("/notices/{id}", get(worklist::landing))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(limits::JSON_BYTES))
        .layer(from_fn_with_state(app.clone(), portal::care))
        .with_state(app)
}

/// Routes whose forms carry a file.
fn with_file(route: MethodRouter<App>) -> MethodRouter<App> {
    route.layer(DefaultBodyLimit::max(upload::FORM_BYTES))
}

async fn nothing_here() -> AppError {
    Code::NotFound.into()
}

async fn wrong_method() -> AppError {
    Code::MethodNotAllowed.into()
}

/// 204 as long as the database answers: for the machine that watches this one.
async fn health(axum::extract::State(app): axum::extract::State<App>) -> Result<StatusCode, AppError> {
    app.db.read(async |c| municipality::store::all(c).await.map(|_| ())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The OpenAPI document, made from the handlers.
#[derive(OpenApi, Debug)]
#[openapi(
    info(title = "Renraku", description = "Care-team network. Refusals are RFC 9457 problem documents."),
    paths(
        municipality::api::info,
        facility::api::create,
        device::api::enrol,
        device::api::pkcs12,
        device::api::diagnose,
        session::api::open,
        session::api::me,
        session::api::close,
        session::api::change_password,
        session::api::register_push,
        facility::api::list,
        facility::api::approve,
        facility::api::ticket,
        facility::api::directory,
        staff::api::create,
        device::api::list,
        device::api::revoke,
        patient::api::create,
        patient::api::list,
        patient::api::get,
        post::api::create,
        post::api::page,
        post::api::get,
        post::api::put_receipt,
        post::api::receipts,
        worklist::notice,
        worklist::undelivered::list,
        worklist::undelivered::handled,
        inbox::api::list,
        inbox::api::claim,
        inbox::api::give_back,
        inbox::api::finish,
        training::api::status,
        training::api::create,
        training::api::overview,
        review::api::current,
        review::api::create,
        review::api::overview,
        incident::api::list,
        incident::api::create,
        incident::api::get,
        incident::api::enter,
        media::api::announce,
        media::api::progress,
        media::api::append,
        media::api::whole,
        media::api::thumbnail
    ),
    components(schemas(renraku_wire::Problem))
)]
pub struct ApiDocument;

async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(ApiDocument::openapi())
}
