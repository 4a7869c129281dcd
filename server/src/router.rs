//! The whole URL map on one screen: two hosts, their JSON and their pages.

use crate::error::AppError;
use crate::municipality::{settings, texts};
use crate::portal::{self, assets, upload};
use crate::state::App;
use crate::{device, facility, media, municipality, patient, post, session, staff, throttle, worklist};
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
        .route("/v1/municipalities/{slug}/texts", get(texts::api::published))
        .route("/v1/municipalities/{slug}/facility-applications", posting(facility::api::public::create))
        .route(
            "/v1/municipalities/{slug}/corrections/{token}",
            get(facility::api::public::returned).post(facility::api::public::correct),
        )
        .route("/v1/municipalities/{slug}/no-mail-reports", posting(facility::api::public::no_mail))
        .route("/v1/municipalities/{slug}/facilities", get(facility::api::public::listed))
        .route("/v1/municipalities/{slug}/certificates", posting(device::api::enrol))
        .route("/v1/municipalities/{slug}/certificates/pkcs12", posting(device::api::pkcs12))
        .route(
            "/v1/municipalities/{slug}/diagnosis",
            get(device::api::diagnose).post(device::api::diagnose_more),
        )
        .route("/health", get(health))
        .route("/assets/{name}", get(assets::get))
        .route("/", get(municipality::pages::towns))
        .route("/{slug}", get(municipality::pages::home))
        .route("/{slug}/guide", get(municipality::pages::guide))
        .route("/{slug}/apply", get(facility::pages::public::form).post(facility::pages::public::apply))
        .route("/{slug}/apply/done", get(facility::pages::public::applied))
        .route(
            "/{slug}/corrections/{token}",
            get(facility::pages::public::returned).post(facility::pages::public::correct),
        )
        .route(
            "/{slug}/no-mail",
            get(facility::pages::public::no_mail_form).post(facility::pages::public::no_mail),
        )
        .route("/{slug}/facilities", get(facility::pages::public::listed))
        .route("/{slug}/certificate", get(device::pages::certificate).post(device::pages::pick_up))
        .route("/{slug}/diagnosis", get(device::pages::diagnose).post(device::pages::diagnose_more))
        .route("/{slug}/crl", get(device::pages::revocations))
        .route("/{slug}/crl/{authority}", get(device::pages::revocations_of))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(limits::JSON_BYTES))
        .layer(from_fn_with_state(app.throttle.clone(), throttle::hold))
        .layer(from_fn_with_state(app.clone(), portal::public))
        .with_state(app)
}

/// The care host: behind a client certificate.
pub fn care(app: App) -> Router {
    Router::new()
        .route("/v1/session", posting(session::api::open).get(session::api::me).delete(session::api::close))
        .route("/v1/session/password", posting(session::api::change_password))
        .route("/v1/session/push", put(session::api::register_push))
        .route("/v1/policy", get(settings::api::get).put(settings::api::put))
        .route("/v1/policy/versions", get(settings::api::versions))
        .route("/v1/portal/texts", get(texts::api::list))
        .route("/v1/portal/texts/{key}", put(texts::api::put))
        .route("/v1/session/others", get(session::api::others))
        .route("/v1/sessions", get(session::api::own).delete(session::api::end_others))
        .route("/v1/sessions/{id}", axum::routing::delete(session::api::end))
        .route("/v1/facilities", get(facility::api::list))
        .route("/v1/facility-applications", posting(facility::api::on_paper))
        .route("/v1/facilities/{id}", get(facility::api::get))
        .route("/v1/facilities/{id}/scan", get(facility::api::scan))
        .route("/v1/facilities/{id}/return", posting(facility::api::send_back))
        .route("/v1/facilities/{id}/rejection", posting(facility::api::reject))
        .route("/v1/facilities/{id}/suspension", posting(facility::api::suspend))
        .route("/v1/facilities/{id}/resumption", posting(facility::api::resume))
        .route("/v1/facilities/{id}/closure", posting(facility::api::close))
        .route("/v1/facilities/{id}/changes", posting(facility::api::change))
        .route("/v1/facilities/{id}/manager", posting(facility::api::designate))
        .route("/v1/facilities/{id}/map", put(facility::api::set_map))
        .route("/v1/facilities/{id}/ticket-mail", posting(facility::api::mail_again))
        .route("/v1/facilities/{id}/no-mail-settlement", posting(facility::api::settle))
        .route("/v1/facility-changes/{id}/confirmation", posting(facility::api::confirm_change))
        .route("/v1/facility-changes/{id}/refusal", posting(facility::api::refuse_change))
        .route("/v1/facilities/{id}/approval", posting(facility::api::approve))
        .route("/v1/facilities/{id}/tickets", posting(facility::api::ticket))
        .route("/v1/directory", get(facility::api::directory))
        .route("/v1/staff", posting(staff::api::create).get(staff::api::list))
        .route("/v1/facilities/{id}/staff", posting(staff::api::create_at))
        .route("/v1/staff/{id}", get(staff::api::get).put(staff::api::put))
        .route("/v1/staff/{id}/first-password", posting(staff::api::first_password))
        .route("/v1/staff/{id}/leaving", posting(staff::api::leaving))
        .route("/v1/staff/{id}/suspension", posting(staff::api::suspension))
        .route("/v1/staff/{id}/resumption", posting(staff::api::resumption))
        .route("/v1/profile", get(staff::api::profile))
        .route("/v1/profile/mail", put(staff::api::own_mail))
        .route("/v1/devices", get(device::api::list))
        .route("/v1/devices/{id}/revocation", posting(device::api::revoke))
        .route("/v1/devices/{id}/name", put(device::api::rename))
        .route("/v1/devices/tickets", posting(device::api::ticket))
        .route("/v1/devices/current/certificate", posting(device::api::renew))
        .route("/v1/patients", posting(patient::api::create).get(patient::api::list))
        .route("/v1/patients/{id}", get(patient::api::get))
        .route("/v1/patients/{id}/posts", posting(post::api::create).get(post::api::page))
        .route("/v1/posts/{id}", get(post::api::get))
        .route("/v1/posts/{id}/receipt", put(post::api::put_receipt))
        .route("/v1/posts/{id}/receipts", get(post::api::receipts))
        .route("/v1/notices/{id}", get(worklist::notice))
        .route("/v1/tasks", get(worklist::list))
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
        .route(
            "/v1/media/{id}/thumbnail",
            put(media::api::give_poster)
                .layer(DefaultBodyLimit::max(limits::POSTER_BYTES))
                .get(media::api::thumbnail),
        )
        .route(
            "/v1/media/{id}/upload",
            axum::routing::head(media::api::progress)
                .patch(media::api::append)
                .delete(media::api::give_up)
                .layer(DefaultBodyLimit::max(limits::CHUNK_BYTES)),
        )
        .route("/assets/{name}", get(assets::get))
        .route("/", get(worklist::home))
        .route("/sign-in", get(session::pages::form).post(session::pages::open))
        .route("/sign-out", posting(session::pages::close))
        .route("/switch", get(session::people::list).post(session::people::switch))
        .route("/sessions", get(session::people::own).post(session::people::end))
        .route("/password", get(session::pages::password).post(session::pages::change_password))
        .route("/settings", get(settings::pages::form).post(settings::pages::save))
        .route("/settings/history", get(settings::pages::history))
        .route("/portal-texts", get(texts::pages::list))
        .route("/portal-texts/new", get(texts::pages::fresh))
        .route("/portal-texts/{key}", get(texts::pages::form).post(texts::pages::save))
        .route("/facilities", get(facility::pages::list))
        .route("/facility", get(facility::pages::record::own))
        .route(
            "/facilities/new",
            with_file(get(facility::pages::paper::form).post(facility::pages::paper::create)),
        )
        .route("/facilities/{id}", get(facility::pages::record::page))
        .route("/facilities/{id}/scan", get(facility::api::scan))
        .route("/facilities/{id}/return", posting(facility::pages::acts::send_back))
        .route("/facilities/{id}/suspension", posting(facility::pages::acts::suspend))
        .route("/facilities/{id}/resumption", posting(facility::pages::acts::resume))
        .route("/facilities/{id}/closure", posting(facility::pages::acts::close))
        .route("/facilities/{id}/changes", posting(facility::pages::acts::change))
        .route("/facilities/{id}/manager", posting(facility::pages::acts::designate))
        .route("/facilities/{id}/map", posting(facility::pages::acts::map))
        .route("/facilities/{id}/ticket-mail", posting(facility::pages::acts::mail_again))
        .route("/facilities/{id}/no-mail-settlement", posting(facility::pages::acts::settle))
        .route("/no-mail-reports/{id}/settlement", posting(facility::pages::settle_stray))
        .route("/facility-changes/{id}/confirmation", posting(facility::pages::acts::confirm))
        .route("/facility-changes/{id}/refusal", posting(facility::pages::acts::refuse))
        .route("/facilities/{id}/approval", posting(facility::pages::approve))
        .route("/facilities/{id}/rejection", posting(facility::pages::reject))
        .route("/staff", get(staff::pages::list).post(staff::pages::create))
        .route("/devices", get(device::inventory::list))
        .route("/devices/own", get(device::inventory::own))
        .route("/devices/codes", get(device::explain::page))
        .route("/devices/tickets", posting(device::inventory::ticket))
        .route("/devices/{id}/name", posting(device::inventory::rename))
        .route("/devices/{id}/revocation", posting(device::inventory::revoke))
        .route("/staff/{id}", get(staff::person::show).post(staff::person::change))
        .route("/staff/{id}/first-password", posting(staff::person::first_password))
        .route("/staff/{id}/leaving", posting(staff::person::leave))
        .route("/staff/{id}/suspension", posting(staff::person::suspend))
        .route("/staff/{id}/resumption", posting(staff::person::resume))
        .route("/profile", get(staff::profile::show).post(staff::profile::change))
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
        settings::api::get,
        settings::api::put,
        settings::api::versions,
        texts::api::published,
        texts::api::list,
        texts::api::put,
        facility::api::public::create,
        facility::api::public::returned,
        facility::api::public::correct,
        facility::api::public::no_mail,
        facility::api::public::listed,
        device::api::enrol,
        device::api::pkcs12,
        device::api::diagnose,
        device::api::diagnose_more,
        session::api::open,
        session::api::me,
        session::api::close,
        session::api::change_password,
        session::api::register_push,
        session::api::others,
        session::api::own,
        session::api::end,
        session::api::end_others,
        facility::api::list,
        facility::api::get,
        facility::api::scan,
        facility::api::on_paper,
        facility::api::send_back,
        facility::api::reject,
        facility::api::suspend,
        facility::api::resume,
        facility::api::close,
        facility::api::change,
        facility::api::confirm_change,
        facility::api::refuse_change,
        facility::api::designate,
        facility::api::set_map,
        facility::api::mail_again,
        facility::api::settle,
        facility::api::approve,
        facility::api::ticket,
        facility::api::directory,
        staff::api::create,
        staff::api::create_at,
        staff::api::list,
        staff::api::get,
        staff::api::put,
        staff::api::first_password,
        staff::api::leaving,
        staff::api::suspension,
        staff::api::resumption,
        staff::api::profile,
        staff::api::own_mail,
        device::api::list,
        device::api::revoke,
        device::api::rename,
        device::api::ticket,
        device::api::renew,
        patient::api::create,
        patient::api::list,
        patient::api::get,
        post::api::create,
        post::api::page,
        post::api::get,
        post::api::put_receipt,
        post::api::receipts,
        worklist::notice,
        worklist::list,
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
        media::api::give_up,
        media::api::whole,
        media::api::thumbnail,
        media::api::give_poster
    ),
    components(schemas(renraku_wire::Problem))
)]
pub struct ApiDocument;

async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(ApiDocument::openapi())
}
