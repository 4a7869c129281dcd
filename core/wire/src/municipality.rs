//! What the public host tells of a town.

use crate::MunicipalityId;
use serde::{Deserialize, Serialize};

/// The words that a town's screens use (domain: F17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Words {
    /// The person supported: 支援対象者, 患者 …
    pub patient: String,
    /// A care provider: 施設, 事業所 …
    pub facility: String,
    /// A member of staff: 利用者, 利用スタッフ …
    pub staff: String,
    /// A post: 投稿, 記事, メッセージ …
    pub post: String,
    /// The team's lead: 担当者, 代表者 …
    pub lead: String,
}

/// Whom to ask (F64).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Contact {
    /// Name of the office.
    pub office: String,
    /// The section of the town that the office belongs to; empty where the name says it.
    #[serde(default)]
    pub section: String,
    /// Telephone, as it is printed.
    pub telephone: String,
    /// FAX, as it is printed; empty for none.
    pub fax: String,
    /// Mail address of the office.
    pub mail: String,
    /// Days and hours, as they are printed.
    pub hours: String,
    /// Version and day of issue of the town's guide, as they are printed; empty for none.
    #[serde(default)]
    pub document: String,
}

/// Answer of `GET /v1/municipalities/{slug}` on the public host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MunicipalityInfo {
    /// Its id.
    pub id: MunicipalityId,
    /// Its name in addresses: `minowa`.
    pub slug: String,
    /// Its name on screens.
    pub name: String,
    /// Where the care host is: `https://host:port`.
    pub care_url: String,
    /// The words its screens use.
    pub words: Words,
    /// Whom to ask.
    pub contact: Contact,
    /// What a device may know of the policy.
    pub device_policy: DevicePolicy,
}

/// The part of a town's policy that a device follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DevicePolicy {
    /// Characters after which the counter turns, 0 for none: guidance, never a refusal (F44).
    pub post_chars_guidance: u32,
    /// Longest film, in seconds.
    pub video_seconds: u32,
    /// Bytes that a photo should stay under.
    pub photo_bytes: u32,
    /// JPEG quality of a photo, 1 to 100, where its bytes allow it.
    #[serde(default = "photo_quality")]
    pub photo_quality: u32,
    /// Bytes that a film should stay under.
    #[serde(default = "video_bytes")]
    pub video_bytes: u32,
    /// Pictures of a film in a second, at most.
    #[serde(default = "video_rate")]
    pub video_rate: u32,
    /// Hours for which a device may read its store without having reached the server.
    pub offline_lease_hours: u32,
    /// Seconds in the background after which the app locks.
    pub relock_seconds: u32,
    /// Days whose posts and pictures a device keeps for reading without the server, 0 for none.
    #[serde(default = "offline_days")]
    pub offline_days: u32,
    /// Patients whose posts a device keeps so: the first of the list, newest post first; 0 for none.
    #[serde(default = "offline_patients")]
    pub offline_patients: u32,
    /// Posts may be marked 緊急（重要）(F46).
    #[serde(default = "yes")]
    pub urgent_flag: bool,
    /// Posts have a 👍 (F50). One that was given may be taken back in any town.
    #[serde(default = "yes")]
    pub thumbs_ack: bool,
}

/// What a server that does not say it yet leaves to itself.
fn yes() -> bool {
    true
}

fn photo_quality() -> u32 {
    81
}

fn video_bytes() -> u32 {
    32_000_000
}

fn video_rate() -> u32 {
    30
}

fn offline_days() -> u32 {
    30
}

fn offline_patients() -> u32 {
    50
}
