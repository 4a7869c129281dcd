//! Posts, who read them, who acknowledged them.

use crate::{FacilityId, Media, NewMedia, PatientId, PostId, Profession, StaffId, Timestamp};
use serde::{Deserialize, Serialize};

/// A place on the body that a picture shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BodySite {
    /// 頭部
    Head,
    /// 顔
    Face,
    /// 首
    Neck,
    /// 胸部
    Chest,
    /// 腹部
    Abdomen,
    /// 背部
    Back,
    /// 仙骨部
    Sacrum,
    /// 殿部
    Buttock,
    /// 左上肢
    LeftArm,
    /// 右上肢
    RightArm,
    /// 左手
    LeftHand,
    /// 右手
    RightHand,
    /// 左股関節・大転子部
    LeftHip,
    /// 右股関節・大転子部
    RightHip,
    /// 左下肢
    LeftLeg,
    /// 右下肢
    RightLeg,
    /// 左踵
    LeftHeel,
    /// 右踵
    RightHeel,
    /// 左足
    LeftFoot,
    /// 右足
    RightFoot,
    /// その他
    #[serde(other)]
    Other,
}

impl BodySite {
    /// Every site, in the order in which screens list them.
    pub const ALL: [BodySite; 21] = [
        BodySite::Head,
        BodySite::Face,
        BodySite::Neck,
        BodySite::Chest,
        BodySite::Abdomen,
        BodySite::Back,
        BodySite::Sacrum,
        BodySite::Buttock,
        BodySite::LeftArm,
        BodySite::RightArm,
        BodySite::LeftHand,
        BodySite::RightHand,
        BodySite::LeftHip,
        BodySite::RightHip,
        BodySite::LeftLeg,
        BodySite::RightLeg,
        BodySite::LeftHeel,
        BodySite::RightHeel,
        BodySite::LeftFoot,
        BodySite::RightFoot,
        BodySite::Other,
    ];

    /// The site as screens name it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Head => "頭部",
            Self::Face => "顔",
            Self::Neck => "首",
            Self::Chest => "胸部",
            Self::Abdomen => "腹部",
            Self::Back => "背部",
            Self::Sacrum => "仙骨部",
            Self::Buttock => "殿部",
            Self::LeftArm => "左上肢",
            Self::RightArm => "右上肢",
            Self::LeftHand => "左手",
            Self::RightHand => "右手",
            Self::LeftHip => "左大転子部",
            Self::RightHip => "右大転子部",
            Self::LeftLeg => "左下肢",
            Self::RightLeg => "右下肢",
            Self::LeftHeel => "左踵",
            Self::RightHeel => "右踵",
            Self::LeftFoot => "左足",
            Self::RightFoot => "右足",
            Self::Other => "その他",
        }
    }
}

/// Body of `POST /v1/patients/{id}/posts`. Text goes first; the media it announces follow by
/// upload under their own ids.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewPost {
    /// Made by the device: sending twice stores once.
    pub id: PostId,
    /// The text, two or three lines.
    pub body: String,
    /// 緊急（重要）(F46).
    pub urgent: bool,
    /// The place on the body, where the post is about one.
    pub body_site: Option<BodySite>,
    /// When it was written, by the device's clock. One that is ahead of the server's or 60 days behind it is not
    /// believed: the time of arrival stands instead.
    pub written_at: Timestamp,
    /// Pictures and films that will follow.
    pub media: Vec<NewMedia>,
}

impl std::fmt::Debug for NewPost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewPost")
            .field("id", &self.id)
            .field("media", &self.media.len())
            .finish_non_exhaustive()
    }
}

/// A post as the team sees it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Post {
    /// Its id.
    pub id: PostId,
    /// Whom it is about.
    pub patient_id: PatientId,
    /// Who wrote it.
    pub author_id: StaffId,
    /// Their name.
    pub author_name: String,
    /// Their profession.
    pub author_profession: Profession,
    /// Where they worked when they wrote it.
    pub facility_id: FacilityId,
    /// Name of that place.
    pub facility_name: String,
    /// The text.
    pub body: String,
    /// 緊急（重要）.
    pub urgent: bool,
    /// The place on the body.
    pub body_site: Option<BodySite>,
    /// When it was written, by the device's clock.
    pub written_at: Timestamp,
    /// When the server took it.
    pub received_at: Timestamp,
    /// Its pictures and films.
    pub media: Vec<Media>,
    /// True when the caller has read it (or wrote it).
    pub read: bool,
    /// True when the caller pressed 👍.
    pub acknowledged: bool,
    /// How many have read it, without the author.
    pub read_count: u32,
    /// How many pressed 👍.
    pub acknowledged_count: u32,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post")
            .field("id", &self.id)
            .field("patient_id", &self.patient_id)
            .finish_non_exhaustive()
    }
}

/// Answer of `GET /v1/patients/{id}/posts?before=<cursor>`: newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PostPage {
    /// At most [`crate::limits::TIMELINE_PAGE`] posts.
    pub posts: Vec<Post>,
    /// Pass it as `before` for the next page; none on the last.
    pub next: Option<String>,
}

/// Body of `PUT /v1/posts/{id}/receipt`: the caller saw the post. Reading cannot be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewReceipt {
    /// When it was shown, by the device's clock.
    pub read_at: Timestamp,
    /// 👍 on (true) or off (false); left alone when absent (F50).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<bool>,
}

/// Who has read a post (閲覧履歴, F49).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Receipt {
    /// Who.
    pub staff_id: StaffId,
    /// Name.
    pub name: String,
    /// Profession.
    pub profession: Profession,
    /// Name of the place.
    pub facility_name: String,
    /// When, or none for a member who has not read it yet.
    pub read_at: Option<Timestamp>,
    /// When they pressed 👍.
    pub acknowledged_at: Option<Timestamp>,
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipt").field("staff_id", &self.staff_id).finish_non_exhaustive()
    }
}

/// Answer of `GET /v1/posts/{id}/receipts`, for the author and the lead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReceiptList {
    /// One line a member, those who have read first.
    pub receipts: Vec<Receipt>,
}
