//! What the town's hosts answer, as the contract has it.

use super::posts::{new_post, one_post, readers, receipt, timeline};
use super::{PASSWORD, Shared, Town, Wrong, now};
use crate::files;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use renraku_wire::*;
use std::sync::Arc;

pub(super) async fn in_front(State(town): Shared, request: Request, next: Next) -> Response {
    let in_the_way = {
        let facts = town.facts();
        (facts.shut, facts.nonsense)
    };
    if town.facts().hangs {
        std::future::pending::<()>().await;
    }
    if let Some(seconds) = town.facts().busy {
        return ([(header::RETRY_AFTER, seconds.to_string())], no(Code::Unavailable)).into_response();
    }
    match in_the_way {
        (Some(code), _) => no(code),
        (None, Some(nonsense)) => nonsense.answer(),
        (None, None) => next.run(request).await,
    }
}

pub(super) fn public_routes() -> Router<Arc<Town>> {
    Router::new()
        .route("/v1/municipalities/{slug}", get(municipality))
        .route("/v1/municipalities/{slug}/certificates", post(certificates))
        .route("/v1/municipalities/{slug}/diagnosis", get(diagnosis))
}

pub(super) fn care_routes() -> Router<Arc<Town>> {
    Router::new()
        .route("/v1/session", post(sign_in).get(me).delete(sign_out))
        .route("/v1/devices/current/certificate", post(renewal))
        .route("/v1/session/password", post(ended_well))
        .route("/v1/session/push", put(ended_well))
        .route("/v1/patients", get(patients))
        .route("/v1/patients/{id}", get(patient))
        .route("/v1/patients/{id}/posts", get(timeline).post(new_post))
        .route("/v1/posts/{id}", get(one_post))
        .route("/v1/posts/{id}/receipt", put(receipt))
        .route("/v1/posts/{id}/receipts", get(readers))
        .route("/v1/notices/{id}", get(notice))
        .route("/v1/media", post(files::announce))
        .route("/v1/media/{id}", get(files::bytes))
        .route("/v1/media/{id}/thumbnail", get(files::thumbnail).put(files::poster))
        .route("/v1/media/{id}/upload", patch(files::chunk).head(files::offset).delete(files::give_up))
}

pub fn no(code: Code) -> Response {
    let problem = [(header::CONTENT_TYPE, "application/problem+json")];
    (StatusCode::from_u16(code.status()).unwrap(), problem, Json(Problem::new(code))).into_response()
}

/// The session of the contract, in small: one token, and a switch for the revoked certificate.
pub fn session(town: &Town, headers: &HeaderMap) -> Result<(), Box<Response>> {
    if town.facts().revoked {
        return Err(no(Code::CertificateRevoked).into());
    }
    let token = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()?.strip_prefix("Bearer "));
    match token {
        Some(token) if token.starts_with("the-token") && !town.facts().over.contains(token) => Ok(()),
        _ => Err(no(Code::SessionInvalid).into()),
    }
}

async fn municipality(State(town): Shared, Path(slug): Path<String>) -> Response {
    let mut info = town.info.clone();
    if let Some(policy) = town.facts().policy.clone() {
        info.device_policy = policy;
    }
    if slug == info.slug { Json(info).into_response() } else { no(Code::NotFound) }
}

async fn certificates(State(town): Shared, Json(request): Json<CertificateRequest>) -> Response {
    if (request.number.as_str(), request.password.as_str()) != ("1234", "ticket") {
        return no(Code::TicketInvalid);
    }
    let (csr, key) = read_csr(&request.csr);
    if let Some(again) = town.facts().issued.get(&key) {
        return Json(again.clone()).into_response();
    }
    if !town.facts().keys.insert(key.clone()) {
        return no(Code::CsrKeyInUse);
    }
    let not_after = town.facts().not_after.unwrap_or(Timestamp(4_000_000_000_000));
    let issued = town.issue(DeviceId::new(), csr, not_after);
    town.facts().issued.insert(key, issued.clone());
    let held = town.facts().hold_enrolment.take();
    if let Some(held) = held {
        held.wait().await;
        held.wait().await;
    }
    Json(issued).into_response()
}

fn read_csr(csr: &str) -> (Vec<u8>, Vec<u8>) {
    let csr = STANDARD.decode(csr).unwrap();
    let (_, parsed) =
        <x509_parser::prelude::X509CertificationRequest as x509_parser::prelude::FromDer<_>>::from_der(&csr)
            .unwrap();
    let key = parsed.certification_request_info.subject_pki.subject_public_key.data.to_vec();
    (csr, key)
}

impl Town {
    fn issue(&self, device_id: DeviceId, csr: Vec<u8>, not_after: Timestamp) -> CertificateIssued {
        let certificate = self.devices.sign(csr);
        let issued = CertificateIssued {
            device_id,
            municipality_id: self.info.id,
            chain: vec![STANDARD.encode(&certificate), STANDARD.encode(&self.devices.root)],
            not_after,
            care_url: self.info.care_url.clone(),
        };
        self.facts().device = Some(device_id);
        issued
    }
}

/// As the contract has it: the same key again gets the same again, a key that was used before nothing.
async fn renewal(State(town): Shared, headers: HeaderMap, Json(body): Json<serde_json::Value>) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    town.facts().renewals += 1;
    if let Some(code) = town.facts().no_renewal {
        return no(code);
    }
    let (csr, key) = read_csr(body["csr"].as_str().unwrap());
    if let Some(again) = town.facts().renewed.get(&key) {
        return Json(again.clone()).into_response();
    }
    if !town.facts().keys.insert(key.clone()) {
        return no(Code::CsrKeyInUse);
    }
    let device = town.facts().device.unwrap();
    let issued = town.issue(device, csr, Timestamp(4_100_000_000_000));
    let held = town.facts().hold_renewal.clone();
    if let Some(held) = held {
        held.wait().await;
        held.wait().await;
    }
    town.facts().renewed.insert(key, issued.clone());
    Json(issued).into_response()
}

async fn diagnosis(State(town): Shared) -> Json<Diagnosis> {
    let code = {
        let facts = town.facts();
        let replaced = facts.shut.filter(|code| *code == Code::CertificateReplaced);
        facts.revoked.then_some(Code::CertificateRevoked).or(replaced)
    };
    Json(Diagnosis {
        ok: code.is_none(),
        code,
        sentence: String::new(),
        short: String::new(),
        server_time: Timestamp(0),
    })
}

async fn sign_in(State(town): Shared, Json(sign_in): Json<SignIn>) -> Response {
    if town.facts().revoked {
        return no(Code::CertificateRevoked);
    }
    let staff = match (sign_in.login_id.as_str(), sign_in.password.as_str()) {
        ("nurse", PASSWORD) => town.staff.clone(),
        ("doctor", PASSWORD) => town.doctor.clone(),
        _ => return no(Code::SignInRefused),
    };
    let must_change_password = !town.facts().settled;
    let (together, token) = {
        let mut facts = town.facts();
        facts.sign_ins += 1;
        let token = format!("the-token-{}", facts.sign_ins);
        if facts.down_at_sign_in == Some(facts.sign_ins) {
            town.network.set_down(true);
        }
        if let Some((_, code)) = facts.refuse_sign_in.filter(|(which, _)| *which == facts.sign_ins) {
            return no(code);
        }
        (facts.together.clone().filter(|_| facts.sign_ins <= 2), token)
    };
    if let Some(together) = together {
        together.wait().await;
    }
    let held = town.facts().hold_sign_in.take();
    if let Some(held) = held {
        held.wait().await;
        held.wait().await;
    }
    let expires_at = Timestamp(now() + 12 * 3_600_000);
    Json(SessionOpened { token, expires_at, staff, must_change_password }).into_response()
}

async fn me(State(town): Shared, headers: HeaderMap) -> Response {
    session(&town, &headers).map_or_else(|no| *no, |()| Json(town.staff.clone()).into_response())
}

async fn sign_out(State(town): Shared, headers: HeaderMap) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    let token = headers[header::AUTHORIZATION].to_str().unwrap().trim_start_matches("Bearer ").to_owned();
    let mut facts = town.facts();
    if let Some(code) = facts.farewell {
        facts.farewells_refused += u32::from(code == Code::SessionInvalid);
        return no(code);
    }
    facts.over.insert(token.clone());
    facts.signed_out.push(token);
    StatusCode::NO_CONTENT.into_response()
}

async fn ended_well(State(town): Shared, headers: HeaderMap) -> Response {
    session(&town, &headers).map_or_else(|no| *no, |()| StatusCode::NO_CONTENT.into_response())
}

async fn patients(State(town): Shared, headers: HeaderMap) -> Response {
    let list = PatientList { patients: vec![town.patient.clone()] };
    session(&town, &headers).map_or_else(|no| *no, |()| Json(list).into_response())
}

async fn patient(State(town): Shared, headers: HeaderMap, Path(id): Path<PatientId>) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    if id != town.patient.id || town.facts().hidden {
        return no(Code::NotFound);
    }
    let summary = town.patient.clone();
    let patient = Patient {
        id: if matches!(town.facts().wrong, Some(Wrong::Page)) { PatientId::new() } else { id },
        name: summary.name,
        kana: summary.kana,
        gender: summary.gender,
        birth_date: summary.birth_date,
        age: summary.age,
        address: "箕輪町".into(),
        telephone: "0265".into(),
        care_level: None,
        team: vec![],
    };
    Json(patient).into_response()
}

async fn notice(State(town): Shared, headers: HeaderMap, Path(id): Path<NoticeId>) -> Response {
    if let Err(no) = session(&town, &headers) {
        return *no;
    }
    let found = town.facts().notices.get(&id).copied();
    found.map_or_else(|| no(Code::NotFound), |notice| Json(notice).into_response())
}
