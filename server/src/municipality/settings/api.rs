//! The policy as JSON, for the office's own tools. Devices learn their part of it from
//! `GET /v1/municipalities/{slug}`, so these bodies are no part of the devices' contract.

use super::{rules, store};
use crate::access::Secretariat;
use crate::clock;
use crate::error::AppError;
use crate::input::Body;
use crate::policy::MunicipalityPolicy;
use crate::state::App;
use axum::Json;
use axum::extract::State;
use renraku_wire::{StaffId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One version of the town's policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PolicyVersion {
    /// 1 for the policy that the town was made with, then 2, 3, …
    pub version: i32,
    /// The whole policy.
    pub policy: MunicipalityPolicy,
    /// Who wrote it; none for the operator.
    pub changed_by: Option<StaffId>,
    /// When, UTC milliseconds.
    pub changed_at: Timestamp,
}

impl From<store::Version> for PolicyVersion {
    fn from(v: store::Version) -> Self {
        Self {
            version: v.version,
            policy: v.policy,
            changed_by: v.changed_by.map(Into::into),
            changed_at: Timestamp(v.changed_at),
        }
    }
}

/// Body of `PUT /v1/policy`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyChange {
    /// The version that was edited.
    pub version: i32,
    /// The whole policy, every field of it.
    #[schema(value_type = MunicipalityPolicy)]
    pub policy: serde_json::Value,
}

/// The policy in force, for the office.
#[utoipa::path(get, path = "/v1/policy", tag = "municipality", responses((status = 200, body = PolicyVersion)))]
pub async fn get(State(app): State<App>, office: Secretariat) -> Result<Json<PolicyVersion>, AppError> {
    Ok(Json(app.db.read(async |c| store::current(c, &office).await).await?.into()))
}

/// Changes the policy; it holds from the next request on. The same change twice is one change. Refused:
/// `request_malformed` for a policy that is not whole, `field_invalid` with the row (`consent.givers`),
/// `state_conflict` when another version is in force by now.
#[utoipa::path(put, path = "/v1/policy", tag = "municipality", request_body = PolicyChange,
    responses((status = 200, body = PolicyVersion)))]
pub async fn put(
    State(app): State<App>,
    office: Secretariat,
    Body(body): Body<PolicyChange>,
) -> Result<Json<PolicyVersion>, AppError> {
    let new = rules::check(&rules::whole(&body.policy)?)?;
    let now = clock::now();
    let version = app.db.write(async |c| store::change(c, &office, body.version, &new, now).await).await?;
    Ok(Json(version.into()))
}

/// Every version of the policy, the newest first, at most 200, for the office.
#[utoipa::path(get, path = "/v1/policy/versions", tag = "municipality",
    responses((status = 200, body = [PolicyVersion])))]
pub async fn versions(
    State(app): State<App>,
    office: Secretariat,
) -> Result<Json<Vec<PolicyVersion>>, AppError> {
    let all = app.db.read(async |c| store::versions(c, &office, 200).await).await?;
    Ok(Json(all.into_iter().map(PolicyVersion::from).collect()))
}
