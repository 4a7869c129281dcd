//! What a facility owes the network beside caring: its shared inbox, yearly training, the yearly review
//! of who and what has access.

use crate::{DeviceId, FacilityId, InboxLineId, NoticeKind, PatientId, PostId, Role, StaffId, Timestamp};
use crate::{ReviewId, TrainingId};
use serde::{Deserialize, Serialize};

/// One thing that waits for the caller, as the page やること shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Task {
    /// What is to be done, in the town's words; may name a facility, a colleague or a patient.
    pub text: String,
    /// Where: a path of the care host's portal.
    pub path: String,
    /// Since when it waits.
    pub since: Timestamp,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("since", &self.since).finish_non_exhaustive()
    }
}

/// Answer of `GET /v1/tasks`: what waits for the caller, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Tasks {
    /// Each of them.
    pub tasks: Vec<Task>,
}

/// A line of a facility's shared inbox (F14): a notice to somebody without an own mail address. It names a
/// colleague and a kind, never a patient or a clinical word; what `patient_id` and `post_id` lead to opens
/// only to those who have the right to it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InboxLine {
    /// Its id.
    pub id: InboxLineId,
    /// What the notice is about.
    pub kind: NoticeKind,
    /// To whom it was addressed.
    pub staff_id: StaffId,
    /// Their name.
    pub staff_name: String,
    /// When it came.
    pub created_at: Timestamp,
    /// Whom it is about, opaque.
    pub patient_id: Option<PatientId>,
    /// Which post.
    pub post_id: Option<PostId>,
    /// Who claimed it; none while it waits.
    pub claimed_by: Option<StaffId>,
    /// Their name.
    pub claimed_by_name: Option<String>,
    /// When it was ticked off.
    pub done_at: Option<Timestamp>,
}

impl std::fmt::Debug for InboxLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InboxLine").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Answer of `GET /v1/inbox`: the own facility's lines, those that wait first, then by age; ticked-off ones
/// of the last two weeks at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Inbox {
    /// How many nobody has claimed yet.
    pub unclaimed: u32,
    /// The lines.
    pub lines: Vec<InboxLine>,
}

/// Answer of `GET /v1/training` and of a completion: where the caller stands with the yearly security
/// training (F57).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrainingStatus {
    /// When the next completion is due; none where the town asks for no yearly training.
    pub due_at: Option<Timestamp>,
    /// The last completion.
    pub completed_at: Option<Timestamp>,
    /// Version of the material that is shown now; a completion must name it.
    pub material_version: String,
    /// The material: headings with their paragraphs.
    pub material: Vec<TrainingSection>,
}

/// A section of the training's material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrainingSection {
    /// Heading.
    pub title: String,
    /// Its rules, one a paragraph.
    pub rules: Vec<String>,
}

/// Body of `POST /v1/training/completions`: the caller declares to have read and understood the material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewTraining {
    /// Made by the caller: sending twice records once.
    pub id: TrainingId,
    /// The version that was read; refused when it is no longer the current one.
    pub material_version: String,
}

/// A line of `GET /v1/training/overview`: for a manager the own facility's active staff, for the office
/// everybody's; the earliest due first.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrainingLine {
    /// Who.
    pub staff_id: StaffId,
    /// Their name.
    pub name: String,
    /// Name of their facility.
    pub facility_name: String,
    /// The last completion.
    pub completed_at: Option<Timestamp>,
    /// When the next one is due.
    pub due_at: Timestamp,
    /// True when that day has passed.
    pub overdue: bool,
}

impl std::fmt::Debug for TrainingLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrainingLine").field("staff_id", &self.staff_id).finish_non_exhaustive()
    }
}

/// What the yearly review says of an account or a device (R-AUTH4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Unchanged,
    /// Something must change: role, profession, rights, name.
    ChangeNeeded,
    /// The person leaves, or the device is given up.
    Leave,
}

/// A verdict on one person's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StaffVerdict {
    /// Whose account.
    pub staff_id: StaffId,
    /// The verdict.
    pub verdict: Verdict,
}

/// A verdict on one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceVerdict {
    /// Which device.
    pub device_id: DeviceId,
    /// The verdict.
    pub verdict: Verdict,
}

/// Body of `POST /v1/access-reviews`: the manager's signed review. It names each active account and each
/// device with a good certificate of the facility exactly once; otherwise `staff` or `devices` is refused,
/// because the list changed since it was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewAccessReview {
    /// Made by the caller: sending twice records once.
    pub id: ReviewId,
    /// The accounts.
    pub staff: Vec<StaffVerdict>,
    /// The devices.
    pub devices: Vec<DeviceVerdict>,
}

/// An account as the review lists it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewStaff {
    /// Who.
    pub staff_id: StaffId,
    /// Name.
    pub name: String,
    /// Individual user id.
    pub login_id: String,
    /// Role.
    pub role: Role,
    /// The right to print and export.
    pub may_export: bool,
    /// What the last review said of it.
    pub last: Option<Verdict>,
}

impl std::fmt::Debug for ReviewStaff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReviewStaff").field("staff_id", &self.staff_id).finish_non_exhaustive()
    }
}

/// A device as the review lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewDevice {
    /// Which.
    pub device_id: DeviceId,
    /// What people call it.
    pub name: String,
    /// When it last spoke to the server.
    pub last_seen_at: Option<Timestamp>,
    /// What the last review said of it.
    pub last: Option<Verdict>,
}

/// Answer of `GET /v1/access-review`: what the next review of the own facility must confirm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccessReview {
    /// When it is due.
    pub due_at: Timestamp,
    /// When the last one was signed.
    pub signed_at: Option<Timestamp>,
    /// Who signed it.
    pub signed_by: Option<String>,
    /// Active accounts.
    pub staff: Vec<ReviewStaff>,
    /// Devices with a good certificate.
    pub devices: Vec<ReviewDevice>,
}

/// A line of `GET /v1/access-reviews`: where a facility stands, for the office; the earliest due first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReviewLine {
    /// Which facility.
    pub facility_id: FacilityId,
    /// Its name.
    pub facility_name: String,
    /// When the last review was signed.
    pub signed_at: Option<Timestamp>,
    /// When the next is due.
    pub due_at: Timestamp,
    /// True when that day has passed.
    pub overdue: bool,
}

/// A push or mail that will not arrive, for the office (`GET /v1/undelivered`). Neither address nor token,
/// nor a word of what it said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Undelivered {
    /// Its id.
    pub id: crate::NoticeId,
    /// What it was about.
    pub kind: NoticeKind,
    /// `mail`, `apns` or `fcm`.
    pub channel: String,
    /// The last failure, as the carrier gave it.
    pub reason: String,
    /// To whom, where it was a person.
    pub staff_id: Option<StaffId>,
    /// Name of their facility.
    pub facility_name: Option<String>,
    /// When it was given up.
    pub given_up_at: Timestamp,
}
