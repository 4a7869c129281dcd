//! A facility's life after its application: change, manager, map, and what is on file.

use crate::application::{IntakeChannel, ReturnMailStatus};
use crate::delivery::DeliveryState;
use crate::quiet::quiet;
use crate::{
    Facility, FacilityChangeId, FacilityId, FacilityKind, FirstPasswordId, NoticeId, StaffId, Timestamp,
};
use serde::{Deserialize, Serialize};

/// How far a facility is (domain 1.11), worked out from what is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FacilityStage {
    /// 申請
    Applied,
    /// 差戻し
    Returned,
    /// 却下
    Rejected,
    /// 承認・登録: No and password were mailed, no device has its certificate yet.
    Approved,
    /// 証明書導入済: a device has its certificate, the manager has not signed in yet.
    Equipped,
    /// 稼働
    Operating,
    /// 稼働, and a change waits for the office.
    Changing,
    /// 利用停止
    Suspended,
    /// 廃止
    Closed,
    /// A stage of a newer server.
    #[serde(other)]
    Unknown,
}

/// Body of what the office does with a reason: `POST /v1/facilities/{id}/suspension` (利用停止),
/// `POST /v1/facility-changes/{id}/refusal`. The manager is told by mail.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FacilityReason {
    /// Why.
    pub reason: String,
}

/// Body of `POST /v1/facilities/{id}/rejection` (却下). The applicant is told by mail, without the reason.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FacilityRejection {
    /// Why, for the office's own record.
    #[serde(default)]
    pub reason: Option<String>,
}

/// The last mail with No and password, as the office sees it (F04).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicketMailStatus {
    /// Where it went.
    pub address: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why it will not arrive, or did not yet.
    pub reason: Option<String>,
    /// When it was written.
    pub queued_at: Timestamp,
    /// When it left, or was given up.
    pub done_at: Option<Timestamp>,
    /// The No was used: a device has its certificate.
    pub used: bool,
    /// Nobody used the No, and wrong passwords have worn it out: it is worth nothing any more.
    #[serde(default)]
    pub worn: bool,
    /// Nobody used the No in its days.
    #[serde(default)]
    pub expired: bool,
}

/// Body of `POST /v1/facilities/{id}/ticket-mail`, by the office (F04): sends a new No and password; the
/// old No is worth nothing from then on.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct TicketMailAgain {
    /// Made by the caller: sending twice mails once.
    pub id: NoticeId,
    /// The corrected address; none for the one on file.
    #[serde(default)]
    pub mail: Option<String>,
}

/// Body of `POST /v1/facilities/{id}/manager` (F09): by the facility's manager, handing over to one of the
/// facility's staff; or by the office, who may also name somebody new.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ManagerChange {
    /// Made by the caller: the same request again gets the same first password again, until it is used.
    pub id: FirstPasswordId,
    /// One of the facility's active staff; or, with `name`, the new account's id, made by the caller.
    pub staff_id: StaffId,
    /// Name of somebody who has no account yet. The office only.
    #[serde(default)]
    pub name: Option<String>,
    /// The manager's mail address.
    pub mail: String,
}

/// Answer of `POST /v1/facilities/{id}/manager`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ManagerDesignated {
    /// Who manages from now on.
    pub staff_id: StaffId,
    /// Their user id.
    pub login_id: String,
    /// The first password of a new account.
    pub first_password: Option<String>,
}

/// Body of `POST /v1/facilities/{id}/changes`, by its manager or the office: the facility as it shall be.
/// Telephone and opening hours take effect at once; name, kind and address wait for the office when the
/// manager changes them. A later change takes the place of one that waits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FacilityChange {
    /// Made by the caller: sending twice changes once.
    pub id: FacilityChangeId,
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: FacilityKind,
    /// Address.
    pub address: String,
    /// Telephone.
    pub telephone: String,
    /// Opening days and hours, as people read them; may be empty.
    pub opening: String,
}

/// Body of `POST /v1/facilities/{id}/closure` (廃止届): the manager's waits for the office, the office's own
/// takes effect at once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FacilityClosing {
    /// Made by the caller: sending twice closes once.
    pub id: FacilityChangeId,
    /// Why.
    pub reason: String,
}

/// Where a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChangeState {
    /// Waits for the office.
    Waiting,
    /// In effect.
    Done,
    /// Refused by the office.
    Refused,
    /// A later one took its place.
    Replaced,
    /// A state of a newer server.
    #[serde(other)]
    Unknown,
}

/// Answer of what changes a facility.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacilityChanged {
    /// The change.
    pub id: FacilityChangeId,
    /// Where it stands.
    pub state: ChangeState,
}

/// A place on the map, WGS 84.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MapPosition {
    /// Degrees north, 20 to 46.
    pub latitude: f64,
    /// Degrees east, 122 to 154.
    pub longitude: f64,
}

/// Body of `PUT /v1/facilities/{id}/map` (F16), by its manager or the office: whether the public list shows
/// the facility, and where it is. Refusals: `not_offered` where the town has no public list, `field_invalid`
/// (`latitude`, `longitude`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct MapListing {
    /// The facility wishes to be listed.
    pub listed: bool,
    /// Where it is, if that shall be shown.
    #[serde(default)]
    pub position: Option<MapPosition>,
}

/// A line of `GET /v1/municipalities/{slug}/facilities` on the public host (F16): facilities that wish it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ListedFacility {
    /// Name.
    pub name: String,
    /// What it is.
    pub kind: FacilityKind,
    /// Address.
    pub address: String,
    /// Telephone.
    pub telephone: String,
    /// Opening days and hours; may be empty.
    pub opening: String,
    /// Where it is.
    pub position: Option<MapPosition>,
}

/// A change that waits for the office.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WaitingChange {
    /// Its id.
    pub id: FacilityChangeId,
    /// Name as it shall be.
    pub name: String,
    /// What it shall be.
    pub kind: FacilityKind,
    /// Address as it shall be.
    pub address: String,
    /// Set for a 廃止届: why the facility closes.
    pub closing: Option<String>,
    /// When it was asked for.
    pub asked_at: Timestamp,
}

/// What was on file before a change.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacilityPast {
    /// Name.
    pub name: String,
    /// What it was.
    pub kind: FacilityKind,
    /// Address.
    pub address: String,
    /// Telephone.
    pub telephone: String,
    /// Opening days and hours.
    pub opening: String,
    /// Name of the manager.
    pub manager_name: String,
    /// The manager's mail address.
    pub manager_mail: String,
    /// When it was replaced.
    pub until: Timestamp,
}

/// What only the office sees of a facility.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacilityFile {
    /// How the application came.
    pub channel: IntakeChannel,
    /// The day it came on paper.
    pub received_on: Option<String>,
    /// Who took it in.
    pub received_by: Option<String>,
    /// There is a scan: `GET /v1/facilities/{id}/scan`.
    pub scan: bool,
    /// The reason last stated: of the return, the rejection, the suspension or the closure.
    pub reason: Option<String>,
    /// The last mail with No and password.
    pub ticket_mail: Option<TicketMailStatus>,
    /// Of a returned application: the last mail with the link to correct it. None once that link works no longer.
    #[serde(default)]
    pub return_mail: Option<ReturnMailStatus>,
    /// Since when a report lies here that the mail did not come.
    pub no_mail_since: Option<Timestamp>,
}

/// Answer of `GET /v1/facilities/{id}`, for the office, and for the facility's own manager.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FacilityRecord {
    /// The facility.
    pub facility: Facility,
    /// How far it is.
    pub stage: FacilityStage,
    /// It lies outside the town.
    pub outside: bool,
    /// The manager's mail address.
    pub manager_mail: String,
    /// Opening days and hours; may be empty.
    pub opening: String,
    /// Whether and where the public list shows it.
    pub map: MapListing,
    /// The change that waits for the office.
    pub waiting: Option<WaitingChange>,
    /// What was on file before, the newest first.
    pub past: Vec<FacilityPast>,
    /// For the office alone.
    pub file: Option<FacilityFile>,
}

impl FacilityRecord {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> FacilityId {
        self.facility.id
    }
}

quiet!(
    FacilityReason,
    FacilityRejection,
    TicketMailStatus,
    TicketMailAgain,
    ManagerChange,
    ManagerDesignated,
    FacilityChange,
    FacilityClosing,
    ListedFacility,
    WaitingChange,
    FacilityPast,
    FacilityFile,
    FacilityRecord,
);
