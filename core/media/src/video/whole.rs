//! Whether a file is all there, before anything of it is decoded.

use super::Stream;
use super::index::{self, Aspect};
use crate::{Cancel, MediaError, boxes, samples};
use mp4parse::{SampleEntry, Track, TrackType, VideoCodecSpecific};
use std::io::{Cursor, Read, SeekFrom};

/// An index of a film of many hours.
const MAX_INDEX: u64 = 64 << 20;

/// What the container says.
pub(super) struct Told {
    /// Of the largest pictures, where it can be asked.
    pub pictures: Option<Stored>,
    /// The shape of each track's pixels, where it is named.
    pub aspects: Vec<Option<Aspect>>,
}

/// What the container says of a track's pictures.
#[derive(Clone, Copy)]
pub(super) struct Stored {
    /// Pixels of one.
    pub pixels: u64,
    /// Perhaps more than eight bits a value, two bytes in memory.
    pub deep: bool,
}

impl Stored {
    /// Whether the decoder's pictures alone could fill what memory there is to be had.
    pub fn large(self) -> bool {
        self.pixels > 2560 * 1440
    }
}

/// Checks that the pictures and sounds which the index speaks of lie within the file: a cut-off file is known by that
/// before anything is decoded, and one that speaks of more than there can be before FFmpeg takes memory for that. Files
/// whose index only FFmpeg understands are otherwise left to the judgement after decoding.
pub(super) fn check(mut file: Box<dyn Stream>, cancel: &Cancel) -> Result<Told, MediaError> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut head = Vec::new();
    let mut at = 0;
    while at < length {
        cancel.check()?;
        let mut start = [0; 16];
        let room = (length - at).min(16) as usize;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut start[..room])?;
        let size = match u32::from_be_bytes([start[0], start[1], start[2], start[3]]) {
            0 => length - at,
            1 => u64::from_be_bytes([8, 9, 10, 11, 12, 13, 14, 15].map(|i: usize| start[i])),
            size => u64::from(size),
        };
        if room < 8 || size < 8 || size > length - at {
            return Err(MediaError::Unreadable);
        }
        let kind = [start[4], start[5], start[6], start[7]];
        if kind == *b"ftyp" || index::is_part(kind) {
            if head.len() as u64 + size > MAX_INDEX {
                return Err(MediaError::TooLarge { what: "bytes", limit: MAX_INDEX });
            }
            file.seek(SeekFrom::Start(at))?;
            file.by_ref().take(size).read_to_end(&mut head)?;
        }
        at += size;
    }
    if boxes::boxes(&head, 0..head.len())?.iter().all(|b| b.kind != *b"moov") {
        return Err(MediaError::Unreadable);
    }
    let aspects = index::check(&head, length)?;
    let Ok(parsed) = mp4parse::read_mp4(&mut Cursor::new(&head)) else {
        return Ok(Told { pictures: None, aspects });
    };
    let pictures = || parsed.tracks.iter().filter(|t| t.track_type == TrackType::Video);
    let shown = |t: &&Track| matches!(t.track_type, TrackType::Video | TrackType::Audio);
    for extents in parsed.tracks.iter().filter(shown).filter_map(|t| samples::extents(t, u64::MAX).ok()) {
        if extents.iter().any(|e| e.end > length) {
            return Err(MediaError::Unreadable);
        }
    }
    Ok(Told { pictures: pictures().filter_map(stored).max_by_key(|s| s.pixels), aspects })
}

fn stored(track: &Track) -> Option<Stored> {
    let header = track.tkhd.as_ref()?;
    let pixels = u64::from(header.width >> 16) * u64::from(header.height >> 16);
    let entry = track.stsd.as_ref().and_then(|s| s.descriptions.first());
    let (pixels, usual) = match entry {
        Some(SampleEntry::Video(v)) => (
            pixels.max(u64::from(v.width) * u64::from(v.height)),
            // Baseline, main and high: the profiles of eight bits.
            matches!(&v.codec_specific, VideoCodecSpecific::AVCConfig(c) if matches!(c.get(1), Some(66 | 77 | 88 | 100))),
        ),
        _ => (pixels, false),
    };
    (pixels > 0).then_some(Stored { pixels, deep: !usual })
}
