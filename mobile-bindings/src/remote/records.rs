//! Records of the contract and the core.

use renraku_core::{
    CertificateStatus, FileState, FlushReport, Item, ItemMedia, ItemState, PersonLock, PrepareReport,
    PushShown, Text, Unlocked,
};
use renraku_wire::{
    BodySite, FacilityId, Gender, Media, MediaId, MediaKind, MediaState, NoticeKind, Patient, PatientId,
    PatientSummary, Post, PostId, Profession, Receipt, Role, Staff, StaffId, TeamMember, Timestamp,
};

/// A person as colleagues see them.
#[uniffi::remote(Record)]
pub struct Staff {
    /// Their id.
    pub id: StaffId,
    /// Where they work.
    pub facility_id: FacilityId,
    /// Name of the place.
    pub facility_name: String,
    /// Name.
    pub name: String,
    /// Profession.
    pub profession: Profession,
    /// Role.
    pub role: Role,
}

/// A team member as the team sees them.
#[uniffi::remote(Record)]
pub struct TeamMember {
    /// Who.
    pub staff_id: StaffId,
    /// Name.
    pub name: String,
    /// Profession.
    pub profession: Profession,
    /// Where they work.
    pub facility_id: FacilityId,
    /// Name of the place.
    pub facility_name: String,
    /// True for the lead.
    pub lead: bool,
}

/// One line in the list of patients.
#[uniffi::remote(Record)]
pub struct PatientSummary {
    /// Their id.
    pub id: PatientId,
    /// Name.
    pub name: String,
    /// Name in kana.
    pub kana: String,
    /// Gender.
    pub gender: Gender,
    /// `YYYY-MM-DD`.
    pub birth_date: String,
    /// Age in years today.
    pub age: u32,
    /// When the newest post was written, in milliseconds since 1970 (UTC).
    pub last_post_at: Option<Timestamp>,
    /// Posts that the caller has not read.
    pub unread: u32,
}

/// Answer of `GET /v1/patients/{id}`.
#[uniffi::remote(Record)]
pub struct Patient {
    /// Their id.
    pub id: PatientId,
    /// Name.
    pub name: String,
    /// Name in kana.
    pub kana: String,
    /// Gender.
    pub gender: Gender,
    /// `YYYY-MM-DD`.
    pub birth_date: String,
    /// Age in years today.
    pub age: u32,
    /// Address.
    pub address: String,
    /// Telephone.
    pub telephone: String,
    /// 要介護状態区分.
    pub care_level: Option<String>,
    /// The team.
    pub team: Vec<TeamMember>,
}

/// A file as the team sees it. Its bytes: `GET /v1/media/{id}`; a photo in small:
/// `GET /v1/media/{id}/thumbnail`.
#[uniffi::remote(Record)]
pub struct Media {
    /// Its id.
    pub id: MediaId,
    /// What it is.
    pub kind: MediaKind,
    /// Where it stands.
    pub state: MediaState,
    /// Length in bytes.
    pub length: u64,
    /// Width in pixels, once known.
    pub width: Option<u32>,
    /// Height in pixels, once known.
    pub height: Option<u32>,
    /// A film's length in milliseconds, once known.
    pub duration_ms: Option<u64>,
    /// What it shows.
    pub description: String,
}

/// A post as the team sees it.
#[uniffi::remote(Record)]
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
    /// When it was written, by the device's clock, in milliseconds since 1970 (UTC).
    pub written_at: Timestamp,
    /// When the server took it, in milliseconds since 1970 (UTC).
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

/// Who has read a post (閲覧履歴, F49).
#[uniffi::remote(Record)]
pub struct Receipt {
    /// Who.
    pub staff_id: StaffId,
    /// Name.
    pub name: String,
    /// Profession.
    pub profession: Profession,
    /// Name of the place.
    pub facility_name: String,
    /// When, in milliseconds since 1970 (UTC); none for a member who has not read it yet.
    pub read_at: Option<Timestamp>,
    /// When they pressed 👍, in milliseconds since 1970 (UTC).
    pub acknowledged_at: Option<Timestamp>,
}

/// One file of an item.
#[uniffi::remote(Record)]
pub struct ItemMedia {
    /// Its id, on the server too.
    pub id: MediaId,
    /// What it is.
    pub kind: MediaKind,
    /// Where it stands.
    pub state: FileState,
    /// Length in bytes; 0 until it is made.
    pub length: u64,
    /// Bytes that the server said it has.
    pub uploaded: u64,
    /// True when the server has checked and kept it.
    pub done: bool,
    /// What it shows.
    pub description: String,
}

/// One post in the outbox.
#[uniffi::remote(Record)]
pub struct Item {
    /// The post's id, made here.
    pub id: PostId,
    /// Whom it is about.
    pub patient_id: PatientId,
    /// Where it stands.
    pub state: ItemState,
    /// The text.
    pub body: String,
    /// 緊急（重要）.
    pub urgent: bool,
    /// The place on the body.
    pub body_site: Option<BodySite>,
    /// When it was written, by this device's clock, in milliseconds since 1970 (UTC).
    pub written_at: Timestamp,
    /// True when the server has the text.
    pub text_sent: bool,
    /// Its files, in order.
    pub media: Vec<ItemMedia>,
    /// How often it was tried in vain.
    pub tries: u32,
    /// When it is tried next, if it was tried in vain, in milliseconds since 1970 (UTC).
    pub next_try_at: Timestamp,
}

/// The text part of a post, as the person wrote it.
#[uniffi::remote(Record)]
pub struct Text {
    /// The text. May be empty when there are media.
    pub body: String,
    /// 緊急（重要）.
    pub urgent: bool,
    /// The place on the body, where the post is about one.
    pub body_site: Option<BodySite>,
}

/// What a preparation did.
#[uniffi::remote(Record)]
pub struct PrepareReport {
    /// Files made and sealed.
    pub made: u32,
    /// Files that cannot be made: the outbox says why.
    pub failed: u32,
}

/// What a pass did, and what is left.
#[uniffi::remote(Record)]
pub struct FlushReport {
    /// Items finished in this pass.
    pub sent: u32,
    /// Items refused for good in this pass.
    pub failed: u32,
    /// Items still to be sent, files included.
    pub remaining: u32,
    /// True when the pass ended because the server was not reached.
    pub offline: bool,
    /// When the next pass is worth while, if anything remains, be it a receipt; in milliseconds since 1970 (UTC).
    pub next_try_at: Option<Timestamp>,
}

/// What a push may show, before and after unlocking.
#[uniffi::remote(Record)]
pub struct PushShown {
    /// For a locked screen: a generic Japanese line, no name, no facility, no clinical word.
    pub locked: String,
    /// For an unlocked screen; none when the server was not reached or tells this person nothing, and when they must
    /// sign in or unlock their store first.
    pub unlocked: Option<Unlocked>,
}

/// What an unlocked screen may show of a notice.
#[uniffi::remote(Record)]
pub struct Unlocked {
    /// What it is about.
    pub kind: NoticeKind,
    /// Whom it is about.
    pub patient_id: Option<PatientId>,
    /// Their name.
    pub patient_name: Option<String>,
    /// The post.
    pub post_id: Option<PostId>,
    /// Who wrote it.
    pub author_name: Option<String>,
    /// Its first characters.
    pub preview: Option<String>,
    /// 緊急（重要）.
    pub urgent: bool,
}

/// How long the certificate lasts.
#[uniffi::remote(Record)]
pub struct CertificateStatus {
    /// First instant at which it is valid, if it can be read, in milliseconds since 1970 (UTC).
    pub not_before: Option<Timestamp>,
    /// Last instant at which it is valid, in milliseconds since 1970 (UTC).
    pub not_after: Timestamp,
    /// True in its last 30 days (in the last third of a short life), and after it: renew it, or enrol anew
    /// once it has ended.
    pub renewal_due: bool,
}

/// How a person's store is guarded, beyond the platform's vault.
#[uniffi::remote(Record)]
pub struct PersonLock {
    /// True when a PIN was set.
    pub pin: bool,
    /// True when biometrics may open it instead of the PIN.
    pub biometrics: bool,
    /// Wrong PINs that are left until everything of the person is wiped from this device.
    pub tries_left: u32,
}
