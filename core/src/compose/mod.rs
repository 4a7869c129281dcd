//! Pictures and films made ready to leave: small, upright, nothing in them but what they show.
//! The work itself is `renraku-media`'s. Not here: the outbox, which keeps the result.

use crate::error::{CoreError, Fault};
use bytes::Bytes;
use renraku_media::photo::Mark;
use renraku_media::video::Recording;
use renraku_media::{Cancel, MediaError, photo, video};
use renraku_wire::limits;
use renraku_wire::{DevicePolicy, MediaKind, NewMedia};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two times that progress is told.
const PAUSE: Duration = Duration::from_millis(100);
/// Longest original of a photo that is read into memory: 64 million pixels, four bytes each.
const ORIGINAL_BYTES: u64 = 256_000_000;

mod original;
mod sealed;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use original::Original;
#[cfg(test)]
pub(crate) use sealed::Key;
pub(crate) use source::{Arriving, Planned, Source, Tried, is_the_files_fault, sweep};

/// A file to go with a post, as the camera wrote it. Unless it is handed over it is only read, whose it is removes
/// it, and it must stay until [`crate::Session::prepare`] has made of it what is sent, through kills and restarts.
#[derive(Clone)]
pub struct Attachment {
    /// [`MediaKind::Photo`] (JPEG, PNG or WebP, or else `pixels`) or [`MediaKind::Video`].
    pub kind: MediaKind,
    /// Where it is.
    pub path: PathBuf,
    /// What it shows, for those who cannot see it: one line of at most 200 characters. May be empty.
    pub description: String,
    /// Areas of a photo that are covered in the photo and its thumbnail, before either is kept. Each counts, or
    /// the photo is refused. None for a film.
    pub marks: Vec<Mark>,
    /// For a photo of another kind (HEIC): the file at `path` holds no such photo but what the platform's
    /// decoder made of it, row by row, eight bits each of red, green, blue and alpha.
    pub pixels: Option<PixelLayout>,
    /// False to leave a film's sound out. Without meaning for a photo.
    pub sound: bool,
    /// True to hand the file over: when the post is kept it is gone from `path`, and lies sealed in a folder of the
    /// core's own until it is made or its post taken back.
    pub hand_over: bool,
}

/// How the pixels of a decoded photo lie in their file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PixelLayout {
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

impl Attachment {
    /// A file without marks, a film with its sound.
    #[must_use]
    pub fn new(kind: MediaKind, path: PathBuf, description: String) -> Self {
        Self { kind, path, description, marks: Vec::new(), pixels: None, sound: true, hand_over: false }
    }

    /// What was asked of it can be done to a file of its kind: nobody shall believe a face covered that is not.
    pub(crate) fn check(&self) -> Result<(), CoreError> {
        match self.kind {
            MediaKind::Document => Err(CoreError::invalid("attachments")),
            MediaKind::Video if !self.marks.is_empty() => Err(MediaError::BadMark.into()),
            MediaKind::Photo if !source::are_areas(&self.marks) => Err(MediaError::BadMark.into()),
            MediaKind::Video if self.pixels.is_some() => Err(MediaError::BadPixels.into()),
            MediaKind::Photo | MediaKind::Video => Ok(()),
        }
    }
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachment").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Told how far a preparation is. Called from a worker thread, at most ten times a second, and once more at the end.
pub trait Progress: Send + Sync {
    /// `done` of all the files, from 0 to 1, more each time. 1 comes when the last file is sealed.
    fn on_progress(&self, done: f32);
}

/// A file ready to be kept in the outbox.
pub(crate) struct Prepared {
    pub(crate) media: NewMedia,
    pub(crate) thumbnail: Option<Vec<u8>>,
    pub(crate) content: Bytes,
}

/// Makes of one file what is sent. Blocks for as long as the work takes. Tells a share of it, below 1: it is to be
/// sealed yet.
pub(crate) fn make(
    planned: &Planned,
    original: &Original<'_>,
    policy: &DevicePolicy,
    progress: &mut dyn FnMut(f32),
    cancel: &Cancel,
) -> Result<Prepared, Fault> {
    match planned.kind {
        MediaKind::Video => film(planned, original, policy, progress, cancel),
        MediaKind::Photo | MediaKind::Document => picture(planned, original, policy, cancel),
    }
}

/// Who listens, and what they have heard.
#[derive(Clone)]
pub(crate) struct Told {
    progress: Option<Arc<dyn Progress>>,
    last: Option<Instant>,
    most: f32,
}

impl Told {
    pub(crate) fn new(progress: Option<Arc<dyn Progress>>) -> Self {
        Self { progress, last: None, most: 0.0 }
    }

    /// Tells of `part` of the file that comes after `number` others, of `all`. Nothing but what is more than before,
    /// though files may be added meanwhile.
    #[expect(clippy::cast_precision_loss, reason = "a share of a few files")]
    pub(crate) fn tell(&mut self, number: usize, part: f32, all: usize) {
        let Some(progress) = &self.progress else { return };
        let done = (number as f32 + part.clamp(0.0, 1.0)) / all.max(1) as f32;
        if done > self.most && (done >= 1.0 || self.last.is_none_or(|last| last.elapsed() >= PAUSE)) {
            (self.last, self.most) = (Some(Instant::now()), done);
            progress.on_progress(done);
        }
    }
}

fn picture(
    planned: &Planned,
    original: &Original<'_>,
    policy: &DevicePolicy,
    cancel: &Cancel,
) -> Result<Prepared, Fault> {
    let quality = u8::try_from(policy.photo_quality.clamp(30, 95)).unwrap_or(95);
    let plan = photo::Plan {
        longest_side: limits::PHOTO_SIDE,
        thumbnail_side: limits::THUMBNAIL_SIDE,
        max_bytes: policy.photo_bytes.clamp(64 * 1024, limits::PHOTO_BYTES as u32) as usize,
        quality,
        least_quality: photo::Plan::default().least_quality.min(quality),
        ..photo::Plan::default()
    };
    let bytes = whole(original)?;
    let source = match &planned.source.pixels {
        None => photo::Source::File(&bytes),
        Some(layout) => photo::Source::Pixels(photo::Pixels {
            rgba: &bytes,
            width: layout.width,
            height: layout.height,
            stride: layout.stride as usize,
            orientation: layout.orientation,
            icc: layout.icc.as_deref(),
        }),
    };
    let compressed = photo::prepare(source, &plan, &planned.source.marks(), cancel)?;
    Ok(prepared(planned, compressed.photo.into(), Some(compressed.thumbnail)))
}

fn whole(original: &Original<'_>) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    original.open()?.take(ORIGINAL_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > ORIGINAL_BYTES {
        return Err(MediaError::TooLarge { what: "bytes", limit: ORIGINAL_BYTES }.into());
    }
    Ok(bytes)
}

fn film(
    planned: &Planned,
    original: &Original<'_>,
    policy: &DevicePolicy,
    progress: &mut dyn FnMut(f32),
    cancel: &Cancel,
) -> Result<Prepared, Fault> {
    let plan = video::Plan {
        longest_ms: (u64::from(policy.video_seconds) * 1000).clamp(1000, limits::VIDEO_MILLIS),
        max_bytes: policy.video_bytes.clamp(2_000_000, limits::VIDEO_BYTES as u32) as usize,
        short_side: limits::VIDEO_SHORT_SIDE,
        rate: policy.video_rate.clamp(5, 30),
        sound: planned.source.sound,
        hardware: true,
    };
    // Its picture and its sealing are to come.
    let mut most = |part: f32| progress(part.min(0.99));
    let film = video::transcode(original, &plan, &mut most, cancel)?;
    let poster = poster(&film, cancel)?;
    Ok(prepared(planned, film.bytes, poster))
}

/// The picture that stands for the film in this person's timeline. A film of which none can be made is a good
/// film all the same.
fn poster(film: &video::Film, cancel: &Cancel) -> Result<Option<Vec<u8>>, Fault> {
    let side = limits::THUMBNAIL_SIDE;
    let plan = photo::Plan { longest_side: side, thumbnail_side: side, ..photo::Plan::default() };
    match video::poster(film, &plan, cancel) {
        Ok(poster) => Ok(Some(poster.thumbnail)),
        Err(MediaError::Cancelled) => Err(MediaError::Cancelled.into()),
        Err(_) => Ok(None),
    }
}

fn prepared(planned: &Planned, content: Bytes, thumbnail: Option<Vec<u8>>) -> Prepared {
    let media = NewMedia {
        id: planned.id,
        kind: planned.kind,
        length: content.len() as u64,
        sha256: hex::encode(Sha256::digest(&content)),
        description: planned.description.clone(),
    };
    Prepared { media, thumbnail, content }
}
