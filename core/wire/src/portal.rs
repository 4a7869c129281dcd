//! The texts of a town's public portal, which the office writes (F60).

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// What a text of the portal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PortalTopic {
    /// お知らせ; a town has any number of them.
    Announcement,
    /// How to take part while the network is on trial (F20).
    Trial,
    /// 利用規約, and whose terms apply to a patient who lives elsewhere (F22).
    Terms,
    /// 広域利用の協定, above the list that the policy holds (F21).
    WideArea,
    /// 法令など (F66).
    LegalBasis,
    /// What each member of staff keeps to.
    StaffRules,
    /// Devices: virus control, custody, mobile devices, disposal (F58, F68).
    Devices,
    /// What a facility does about personal data (F67).
    FacilityDuties,
    /// The contracted company, and who coordinates (F65).
    Vendor,
    /// A topic of a newer server.
    #[serde(other)]
    Unknown,
}

/// One text of the portal as it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PortalText {
    /// Its name in addresses: the topic's word, or an announcement's UUID.
    pub key: String,
    /// What it is about.
    pub topic: PortalTopic,
    /// Its version: 0 for the text that is shipped, then 1, 2, …
    pub version: u32,
    /// Its title: one line.
    pub title: String,
    /// Plain text. A line with `・` in front is an item of a list.
    pub body: String,
    /// The first day on which it is shown, `YYYY-MM-DD`; none for at once.
    pub publish_from: Option<String>,
    /// The last day on which it is shown, `YYYY-MM-DD`; none for no end.
    pub publish_until: Option<String>,
    /// True when the office took it from the portal.
    pub withdrawn: bool,
    /// When this version was written; none for a shipped text.
    pub changed_at: Option<Timestamp>,
}

/// Body of `PUT /v1/portal/texts/{key}`: the next version of a text. Sending the same change twice
/// changes once; a change of an older version is refused with `state_conflict`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PortalTextChange {
    /// The version that was edited: 0 for the shipped text and for a new announcement.
    pub version: u32,
    /// Title, one line.
    pub title: String,
    /// Plain text, at most [`crate::limits::TEXT_CHARS`] characters.
    pub body: String,
    /// The first day on which it is shown, `YYYY-MM-DD`.
    pub publish_from: Option<String>,
    /// The last day on which it is shown, `YYYY-MM-DD`; not before the first.
    pub publish_until: Option<String>,
    /// True to take it from the portal.
    pub withdrawn: bool,
}
