//! Enumerations of the contract and the core.

use renraku_core::{FileState, ItemState};
use renraku_wire::{
    BodySite, Code, Gender, MediaKind, MediaState, NoticeKind, Platform, Profession, PushProvider, Role,
};

/// Administrative gender, as FHIR has it.
#[uniffi::remote(Enum)]
pub enum Gender {
    /// 男
    Male,
    /// 女
    Female,
    /// その他
    Other,
    /// 不明
    Unknown,
}

/// A profession (職種).
#[uniffi::remote(Enum)]
pub enum Profession {
    /// 医師
    Physician,
    /// 歯科医師
    Dentist,
    /// 薬剤師
    Pharmacist,
    /// 看護師
    Nurse,
    /// 保健師
    PublicHealthNurse,
    /// 介護支援専門員（ケアマネジャー）
    CareManager,
    /// 介護職・ヘルパー
    Helper,
    /// 理学療法士・作業療法士・言語聴覚士
    Therapist,
    /// 管理栄養士
    Dietitian,
    /// 社会福祉士・相談員
    SocialWorker,
    /// 事務職
    Clerk,
    /// その他
    Other,
}

/// What a person may do beside caring.
#[uniffi::remote(Enum)]
pub enum Role {
    /// 利用スタッフ
    Member,
    /// 施設管理者
    FacilityManager,
    /// 事務局
    Secretariat,
    /// A role of a newer server: treat as `Member`.
    Unknown,
}

/// A place on the body that a picture shows.
#[uniffi::remote(Enum)]
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
    Other,
}

/// What a file is.
#[uniffi::remote(Enum)]
pub enum MediaKind {
    /// JPEG, upright, stripped.
    Photo,
    /// MP4, H.264 and AAC, fast start, stripped.
    Video,
    /// PDF, JPEG or PNG: a consent.
    Document,
}

/// Where a file stands.
#[uniffi::remote(Enum)]
pub enum MediaState {
    /// Announced; its bytes have not all arrived.
    Pending,
    /// There.
    Ready,
    /// Its bytes arrived and were refused; nothing of them is kept.
    Refused,
    /// A state of a newer server.
    Unknown,
}

/// What a device is.
#[uniffi::remote(Enum)]
pub enum Platform {
    /// A browser on a PC, with a PKCS#12 file.
    Browser,
    /// The iOS app.
    Ios,
    /// The Android app.
    Android,
    /// A platform of a newer version.
    Unknown,
}

/// Whose push service.
#[uniffi::remote(Enum)]
pub enum PushProvider {
    /// Apple.
    Apns,
    /// Google.
    Fcm,
}

/// What a notice is about.
#[uniffi::remote(Enum)]
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
    /// Somebody of the facility got No and password for one more device (F07).
    DeviceTicketIssued,
    /// A device's certificate ends soon.
    CertificateExpiring,
    /// The recipient's own id was suspended (mail only, F55).
    AccountSuspended,
    /// The recipient's own id may be used again (mail only).
    AccountResumed,
    /// An id of the manager's facility was suspended or may be used again (F55).
    StaffStateChanged,
    /// A kind of a newer server.
    Unknown,
}

/// Where a file of an item stands on this device.
#[uniffi::remote(Enum)]
pub enum FileState {
    /// Being made small and sealed, or to be (準備中): `prepare` does it. The text does not wait.
    Planned,
    /// Made and sealed: `uploaded` and `done` tell how far it is.
    Made,
    /// It cannot be made (失敗). The text goes without it.
    Failed {
        /// Why.
        code: Code,
    },
}

/// Where an item stands.
#[uniffi::remote(Enum)]
pub enum ItemState {
    /// Kept, not to be sent yet (下書き).
    Draft,
    /// To be sent as soon as the network allows (送信待ち). May be changed and cancelled.
    Waiting,
    /// On its way (送信中): the server may have the text, or has it and media follow.
    Sending,
    /// The server has all of it (送信済).
    Sent,
    /// The server refused it for good, and said why (失敗). May be changed, tried again or cancelled.
    Failed {
        /// Why.
        code: Code,
        /// The field at fault as the contract names it (`urgent`, `body` …), where the server said it.
        field: Option<String>,
    },
}
