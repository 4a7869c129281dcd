//! Records that only the shells need: what is read together with its freshness, what is handed in.
//! The records of the contract itself are in `remote`.

use renraku_core::{Attachment, Cover, Draft, Mark, Seen, Shape};
use renraku_wire::{
    BodySite, MediaKind, MunicipalityInfo, Patient, PatientId, PatientSummary, Platform, Post, PostId,
    PostPage, StaffId, Timestamp,
};

/// What enrolling needs: from the mail to the facility's manager, typed or scanned.
#[derive(Clone, uniffi::Record)]
pub struct EnrolmentForm {
    /// The town's public host, `https://host:port`.
    pub public_url: String,
    /// The town's name in addresses: `minowa`.
    pub slug: String,
    /// 証明書取得用No.
    pub number: String,
    /// Its password.
    pub password: String,
    /// What people call the device: 訪問用スマホ1.
    pub device_name: String,
    /// What it is.
    pub platform: Platform,
}

impl std::fmt::Debug for EnrolmentForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EnrolmentForm").field("slug", &self.slug).finish_non_exhaustive()
    }
}

/// The town that this device belongs to, its words, and what its policy asks of a device.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Municipality {
    /// Its name on screens.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// The town's word for the person supported: 支援対象者, 患者 …
    pub word_patient: String,
    /// The town's word for a care provider: 施設, 事業所 …
    pub word_facility: String,
    /// The town's word for a member of staff.
    pub word_staff: String,
    /// The town's word for a post: 投稿, 記事 …
    pub word_post: String,
    /// The town's word for the team's lead.
    pub word_lead: String,
    /// Name of the office to ask.
    pub office: String,
    /// Its telephone, as it is printed.
    pub telephone: String,
    /// Its days and hours, as they are printed.
    pub hours: String,
    /// Characters after which the counter turns, 0 for none: guidance, never a refusal.
    pub post_chars_guidance: u32,
    /// Longest film, in seconds.
    pub video_seconds: u32,
    /// Seconds in the background after which the app locks.
    pub relock_seconds: u32,
    /// Posts may be marked 緊急（重要）: without it no screen offers the mark.
    pub urgent_flag: bool,
    /// Posts have a 👍: without it no screen offers one. One that was given may be taken back all the same.
    pub thumbs_ack: bool,
}

impl From<MunicipalityInfo> for Municipality {
    fn from(info: MunicipalityInfo) -> Self {
        Self {
            name: info.name,
            slug: info.slug,
            word_patient: info.words.patient,
            word_facility: info.words.facility,
            word_staff: info.words.staff,
            word_post: info.words.post,
            word_lead: info.words.lead,
            office: info.contact.office,
            telephone: info.contact.telephone,
            hours: info.contact.hours,
            post_chars_guidance: info.device_policy.post_chars_guidance,
            video_seconds: info.device_policy.video_seconds,
            relock_seconds: info.device_policy.relock_seconds,
            urgent_flag: info.device_policy.urgent_flag,
            thumbs_ack: info.device_policy.thumbs_ack,
        }
    }
}

/// Someone who signed in on this device before.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct KnownPerson {
    /// Who.
    pub staff_id: StaffId,
    /// Name.
    pub name: String,
}

impl std::fmt::Debug for KnownPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownPerson").field("staff_id", &self.staff_id).finish_non_exhaustive()
    }
}

/// The list of patients.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PatientsSeen {
    /// Newest post first.
    pub patients: Vec<PatientSummary>,
    /// True when this is what the server said last, and not what it says now.
    pub stale: bool,
    /// When the server said it, by this device's clock, in milliseconds since 1970 (UTC); none for what an older
    /// version of the app kept.
    pub seen_at: Option<Timestamp>,
}

impl From<Seen<Vec<PatientSummary>>> for PatientsSeen {
    fn from(seen: Seen<Vec<PatientSummary>>) -> Self {
        Self { patients: seen.value, stale: seen.stale, seen_at: seen.seen_at }
    }
}

/// One patient.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PatientSeen {
    /// The patient with the team.
    pub patient: Patient,
    /// True when this is what the server said last, and not what it says now.
    pub stale: bool,
    /// When the server said it, by this device's clock, in milliseconds since 1970 (UTC); none for what an older
    /// version of the app kept.
    pub seen_at: Option<Timestamp>,
}

impl From<Seen<Patient>> for PatientSeen {
    fn from(seen: Seen<Patient>) -> Self {
        Self { patient: seen.value, stale: seen.stale, seen_at: seen.seen_at }
    }
}

/// One page of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct TimelinePage {
    /// At most 30, newest first.
    pub posts: Vec<Post>,
    /// Pass it as `before` for the next page; none on the last.
    pub next: Option<String>,
    /// True when this is what the server said last, and not what it says now.
    pub stale: bool,
    /// When the server said it, by this device's clock, in milliseconds since 1970 (UTC); none for what an older
    /// version of the app kept.
    pub seen_at: Option<Timestamp>,
}

impl From<Seen<PostPage>> for TimelinePage {
    fn from(seen: Seen<PostPage>) -> Self {
        Self { posts: seen.value.posts, next: seen.value.next, stale: seen.stale, seen_at: seen.seen_at }
    }
}

/// One post.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PostSeen {
    /// The post.
    pub post: Post,
    /// True when this is what the server said last, and not what it says now.
    pub stale: bool,
    /// When the server said it, by this device's clock, in milliseconds since 1970 (UTC); none for what an older
    /// version of the app kept.
    pub seen_at: Option<Timestamp>,
}

impl From<Seen<Post>> for PostSeen {
    fn from(seen: Seen<Post>) -> Self {
        Self { post: seen.value, stale: seen.stale, seen_at: seen.seen_at }
    }
}

/// A file to go with a post, as the camera wrote it. It stays until `prepare` has made it, through a kill; unless it is
/// handed over it is only read, and the shell removes it afterwards.
#[derive(Clone, uniffi::Record)]
pub struct AttachmentFile {
    /// `PHOTO` (JPEG, PNG or WebP, or else `pixels`) or `VIDEO` (MP4 or QuickTime).
    pub kind: MediaKind,
    /// Path of the file.
    pub path: String,
    /// What it shows, for those who cannot see it: one line of at most 200 characters. May be empty.
    pub description: String,
    /// Areas of a photo that are covered in the photo and its thumbnail before either is kept; at most 500. None
    /// for a film.
    #[uniffi(default = [])]
    pub marks: Vec<PhotoMark>,
    /// For a photo of another kind (HEIC): the file at `path` holds what the platform's decoder made of it. None
    /// for a file as the camera wrote it.
    #[uniffi(default = None)]
    pub pixels: Option<PixelFile>,
    /// False to leave a film's sound out. Without meaning for a photo.
    #[uniffi(default = true)]
    pub sound: bool,
    /// True to hand the file over: when the post is kept it is gone from `path`, and lies sealed in a folder of the
    /// core's own until it is made or its post taken back.
    #[uniffi(default = false)]
    pub hand_over: bool,
}

/// What is put over a marked area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum MarkCover {
    /// Black: nothing of what lay under it can be had back. For names, numbers and everything written.
    Black,
    /// Some mean colours: light and skin remain, features do not. For faces, never for text.
    Blur,
}

/// The outline of a marked area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum MarkOutline {
    /// The whole frame.
    Rectangle,
    /// The largest ellipse within the frame.
    Ellipse,
}

/// A marked area of a photo. All lengths are shares (0 to 1) of the width and height of the upright picture, from
/// its left upper corner; what sticks out is cut off.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct PhotoMark {
    /// What covers it.
    pub cover: MarkCover,
    /// Its outline.
    pub outline: MarkOutline,
    /// Left edge, as a share of the width.
    pub left: f32,
    /// Upper edge, as a share of the height.
    pub top: f32,
    /// Width, as a share of the width; more than 0.
    pub width: f32,
    /// Height, as a share of the height; more than 0.
    pub height: f32,
}

impl From<PhotoMark> for Mark {
    fn from(mark: PhotoMark) -> Self {
        let PhotoMark { cover, outline, left, top, width, height } = mark;
        let cover = match cover {
            MarkCover::Black => Cover::Black,
            MarkCover::Blur => Cover::Blur,
        };
        let shape = match outline {
            MarkOutline::Rectangle => Shape::Rectangle,
            MarkOutline::Ellipse => Shape::Ellipse,
        };
        Self { shape, cover, left, top, width, height }
    }
}

/// How a decoded photo lies in its file: rows from the top, eight bits each of red, green, blue and alpha (not
/// multiplied in), at most 64 million pixels and 256,000,000 bytes.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PixelFile {
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// Bytes from row to row, at least four times the width.
    pub stride: u32,
    /// How it is to be turned: EXIF's 1 to 8; 1 where the platform has done so already.
    pub orientation: u8,
    /// The colour profile that the platform names, as ICC bytes; none for sRGB.
    pub icc: Option<Vec<u8>>,
}

impl std::fmt::Debug for AttachmentFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttachmentFile").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A post as the person made it.
#[derive(Clone, uniffi::Record)]
pub struct PostDraft {
    /// Whom it is about.
    pub patient_id: PatientId,
    /// The text, at most 2,000 characters. May be empty when there are files.
    pub body: String,
    /// 緊急（重要）, in a town that has the mark.
    pub urgent: bool,
    /// The place on the body, where the post is about one.
    pub body_site: Option<BodySite>,
    /// At most 10 pictures and films, in order.
    pub attachments: Vec<AttachmentFile>,
    /// True to keep it as a draft (下書き), false to let it wait for sending.
    pub keep_as_draft: bool,
    /// The post's id, made by the shell (a UUID) so that the same post is not kept twice, and that a draft
    /// gives place to what was written since: see `compose`. Left out, the core makes one.
    #[uniffi(default = None)]
    pub id: Option<PostId>,
}

impl std::fmt::Debug for PostDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostDraft").field("patient_id", &self.patient_id).finish_non_exhaustive()
    }
}

impl From<PostDraft> for Draft {
    fn from(draft: PostDraft) -> Self {
        let attachment = |file: AttachmentFile| Attachment {
            kind: file.kind,
            path: file.path.into(),
            description: file.description,
            marks: file.marks.into_iter().map(Mark::from).collect(),
            pixels: file.pixels.map(|p| renraku_core::PixelLayout {
                width: p.width,
                height: p.height,
                stride: p.stride,
                orientation: p.orientation,
                icc: p.icc,
            }),
            sound: file.sound,
            hand_over: file.hand_over,
        };
        Self {
            id: draft.id,
            patient_id: draft.patient_id,
            text: renraku_core::Text { body: draft.body, urgent: draft.urgent, body_site: draft.body_site },
            attachments: draft.attachments.into_iter().map(attachment).collect(),
            keep_as_draft: draft.keep_as_draft,
        }
    }
}
