//! Notices. A push or mail carries a generic line, a kind and an opaque id, and never more.

use crate::{NoticeId, PatientId, PostId};
use serde::{Deserialize, Serialize};

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A facility was approved; No and password (mail only, F03).
    FacilityApproved,
    /// A letter to a facility's manager or applicant about the facility (mail only).
    FacilityLetter,
    /// A new patient was registered (F35).
    PatientRegistered,
    /// A new post (F48).
    PostPublished,
    /// Lines of the facility's shared inbox wait for somebody to claim them (F15).
    InboxWaiting,
    /// The yearly security training is due (F57).
    TrainingDue,
    /// The yearly review of access is due (R-AUTH4).
    AccessReviewDue,
    /// An incident report waits for the recipient (F56).
    IncidentWaiting,
    /// An incident report that the recipient made or sent on has a new entry.
    IncidentUpdated,
    /// Somebody of the facility got No and password for one more device (F07); to its manager.
    DeviceTicketIssued,
    /// A device's certificate ends soon; to the facility's manager.
    CertificateExpiring,
    /// The recipient's own id was suspended (mail only, F55).
    AccountSuspended,
    /// The recipient's own id may be used again (mail only).
    AccountResumed,
    /// An id of the manager's facility was suspended or may be used again (F55).
    StaffStateChanged,
    /// A kind of a newer server.
    #[serde(other)]
    Unknown,
}

impl NoticeKind {
    /// Every kind this version knows.
    pub const ALL: &[Self] = &[
        Self::FacilityApproved,
        Self::FacilityLetter,
        Self::PatientRegistered,
        Self::PostPublished,
        Self::InboxWaiting,
        Self::TrainingDue,
        Self::AccessReviewDue,
        Self::IncidentWaiting,
        Self::IncidentUpdated,
        Self::DeviceTicketIssued,
        Self::CertificateExpiring,
        Self::AccountSuspended,
        Self::AccountResumed,
        Self::StaffStateChanged,
    ];

    /// The generic line that a locked screen may show: no name, no facility, no clinical word.
    #[must_use]
    pub const fn line(self) -> &'static str {
        match self {
            Self::AccountSuspended => "ユーザーIDの利用が一時停止されました",
            Self::AccountResumed => "ユーザーIDの利用が再開されました",
            Self::StaffStateChanged => "アカウントの利用状態が変わりました",
            Self::PatientRegistered => "新しい支援の登録がありました",
            Self::InboxWaiting => "共有のお知らせが確認を待っています",
            Self::TrainingDue => "研修の期限のお知らせがあります",
            Self::AccessReviewDue => "点検の期限のお知らせがあります",
            Self::IncidentWaiting => "確認を待っている報告があります",
            Self::IncidentUpdated => "報告に新しい記録があります",
            Self::DeviceTicketIssued => "端末を追加する手続きがありました",
            Self::CertificateExpiring => "電子証明書の有効期限が近づいています",
            Self::FacilityApproved | Self::FacilityLetter | Self::PostPublished | Self::Unknown => {
                "新しい連絡があります"
            }
        }
    }
}

/// What a push carries beside the generic line, under the key `renraku`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PushPayload {
    /// What it is about.
    pub kind: NoticeKind,
    /// The notice: `GET /v1/notices/{id}` tells its recipient the rest.
    pub id: NoticeId,
}

/// Answer of `GET /v1/notices/{id}`, for its recipient alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Notice {
    /// Its id.
    pub id: NoticeId,
    /// What it is about.
    pub kind: NoticeKind,
    /// Whom it is about.
    pub patient_id: Option<PatientId>,
    /// The post.
    pub post_id: Option<PostId>,
}
