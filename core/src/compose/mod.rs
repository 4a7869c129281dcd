//! Pictures and films made ready to leave: small, upright, nothing in them but what they show.
//! The work itself is `renraku-media`'s. Not here: the outbox, which keeps the result.

use crate::error::Fault;
use film::Film;
use renraku_media::{Cancel, photo, video};
use renraku_wire::limits;
use renraku_wire::{DevicePolicy, MediaId, MediaKind, NewMedia};
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two times that progress is told.
const PAUSE: Duration = Duration::from_millis(100);

mod film;

/// A file to go with a post, as the camera wrote it. It is only read; whose it is must remove it.
#[derive(Clone)]
pub struct Attachment {
    /// [`MediaKind::Photo`] (JPEG, PNG or WebP) or [`MediaKind::Video`].
    pub kind: MediaKind,
    /// Where it is.
    pub path: PathBuf,
    /// What it shows, for those who cannot see it. May be empty.
    pub description: String,
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachment").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Told how far a preparation is. Called from a worker thread, at most ten times a second.
pub trait Progress: Send + Sync {
    /// `done` of all the files, from 0 to 1.
    fn on_progress(&self, done: f32);
}

/// A file ready to be kept in the outbox.
pub(crate) struct Prepared {
    pub(crate) media: NewMedia,
    pub(crate) thumbnail: Option<Vec<u8>>,
    content: Content,
}

enum Content {
    Bytes(Vec<u8>),
    Film(Film),
}

impl Prepared {
    /// Its bytes, from the start.
    pub(crate) fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        match &self.content {
            Content::Bytes(bytes) => Ok(Box::new(bytes.as_slice())),
            Content::Film(film) => Ok(Box::new(film.rewound()?)),
        }
    }
}

/// Prepares files one after the other. Blocks for as long as the work takes. `folder` is where a film rests
/// until it is sealed.
pub(crate) fn prepare(
    attachments: &[Attachment],
    policy: &DevicePolicy,
    folder: &Path,
    progress: Option<&dyn Progress>,
    cancel: &Cancel,
) -> Result<Vec<Prepared>, Fault> {
    let mut told = Told { progress, last: None, all: attachments.len() };
    let mut prepared = Vec::new();
    for (number, attachment) in attachments.iter().enumerate() {
        prepared.push(match attachment.kind {
            MediaKind::Video => {
                film(attachment, policy, folder, &mut |part| told.tell(number, part), cancel)?
            }
            MediaKind::Photo | MediaKind::Document => picture(attachment, policy, cancel)?,
        });
        told.tell(number, 1.0);
    }
    Ok(prepared)
}

struct Told<'a> {
    progress: Option<&'a dyn Progress>,
    last: Option<Instant>,
    all: usize,
}

impl Told<'_> {
    #[expect(clippy::cast_precision_loss, reason = "a share of a few files")]
    fn tell(&mut self, number: usize, part: f32) {
        let Some(progress) = self.progress else { return };
        let done = (number as f32 + part.clamp(0.0, 1.0)) / self.all.max(1) as f32;
        if done >= 1.0 || self.last.is_none_or(|last| last.elapsed() >= PAUSE) {
            self.last = Some(Instant::now());
            progress.on_progress(done);
        }
    }
}

fn picture(attachment: &Attachment, policy: &DevicePolicy, cancel: &Cancel) -> Result<Prepared, Fault> {
    let plan = photo::Plan {
        longest_side: limits::PHOTO_SIDE,
        thumbnail_side: limits::THUMBNAIL_SIDE,
        max_bytes: policy.photo_bytes.clamp(64 * 1024, limits::PHOTO_BYTES as u32) as usize,
        ..photo::Plan::default()
    };
    let original = std::fs::read(&attachment.path)?;
    let compressed = photo::compress(&original, &plan, cancel)?;
    let digest = Sha256::digest(&compressed.photo);
    Ok(Prepared {
        media: announced(attachment, compressed.photo.len() as u64, digest.as_slice()),
        thumbnail: Some(compressed.thumbnail),
        content: Content::Bytes(compressed.photo),
    })
}

fn film(
    attachment: &Attachment,
    policy: &DevicePolicy,
    folder: &Path,
    progress: &mut dyn FnMut(f32),
    cancel: &Cancel,
) -> Result<Prepared, Fault> {
    let plan = video::Plan {
        longest_ms: (u64::from(policy.video_seconds) * 1000).clamp(1000, limits::VIDEO_MILLIS),
        max_bytes: limits::VIDEO_BYTES as usize,
        short_side: limits::VIDEO_SHORT_SIDE,
        ..video::Plan::default()
    };
    std::fs::create_dir_all(folder)?;
    let place = film::Place::new(folder)?;
    video::transcode(&attachment.path, place.path(), &plan, progress, cancel)?;
    let film = place.take()?;
    let (length, digest) = digest(&film)?;
    Ok(Prepared {
        media: announced(attachment, length, &digest),
        thumbnail: None,
        content: Content::Film(film),
    })
}

fn announced(attachment: &Attachment, length: u64, digest: &[u8]) -> NewMedia {
    NewMedia {
        id: MediaId::new(),
        kind: attachment.kind,
        length,
        sha256: hex::encode(digest),
        description: attachment.description.clone(),
    }
}

fn digest(film: &Film) -> io::Result<(u64, Vec<u8>)> {
    let mut hasher = Sha256::new();
    let length = io::copy(&mut film.rewound()?, &mut hasher)?;
    Ok((length, hasher.finalize().to_vec()))
}
