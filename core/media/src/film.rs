//! The check that a film is one the app makes: MP4, H.264 with at most one AAC track, whole, within limits,
//! playable from its first byte on, and free of tags. Pure Rust and without decoding, so that a server can
//! run it on a stranger's bytes. Not a player: that every picture decodes is for `video::play` to say.

use crate::boxes::{self, Found};
use crate::{MediaError, samples, sps};
use mp4parse::{Track, TrackType};
use std::io::Cursor;

/// What the server accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes.
    pub max_bytes: usize,
    /// Longest playing time in milliseconds.
    pub max_ms: u64,
    /// Longest side in pixels.
    pub max_side: u32,
    /// Longest short side in pixels.
    pub max_short_side: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 64 * 1024 * 1024, max_ms: 60_000, max_side: 1680, max_short_side: 720 }
    }
}

/// What a verified film is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilmFacts {
    /// Width in pixels, as it is shown.
    pub width: u32,
    /// Height in pixels, as it is shown.
    pub height: u32,
    /// Playing time in milliseconds.
    pub duration_ms: u64,
    /// Whether there is sound.
    pub sound: bool,
}

/// A frame of sound may stick out behind the last picture.
const GRACE_MS: u64 = 250;
/// Samples per second of a track that nobody needs to exceed.
const SAMPLES_PER_SECOND: u64 = 130;

/// Checks a whole film in memory. Never panics, takes no more memory than a fraction of the film's size.
///
/// Errors: [`MediaError::Unreadable`] (no such film, cut off, inconsistent), `TooLarge`, `NotStripped`.
pub fn verify(bytes: &[u8], limits: &Limits) -> Result<FilmFacts, MediaError> {
    if bytes.len() > limits.max_bytes {
        return Err(MediaError::TooLarge { what: "bytes", limit: limits.max_bytes as u64 });
    }
    let (movie, data) = layout(bytes)?;
    boxes::only_known(bytes, &movie)?;
    let head = bytes.get(..movie.content.end).ok_or(MediaError::Unreadable)?;
    let parsed = mp4parse::read_mp4(&mut Cursor::new(head)).map_err(|_| MediaError::Unreadable)?;
    let of = |kind: TrackType| parsed.tracks.iter().filter(move |t| t.track_type == kind);
    let (video, sound) =
        match (of(TrackType::Video).collect::<Vec<_>>(), of(TrackType::Audio).collect::<Vec<_>>()) {
            (v, a) if v.len() == 1 && a.len() <= 1 && parsed.tracks.len() == v.len() + a.len() => {
                (v[0], a.first().copied())
            }
            _ => return Err(MediaError::Unreadable),
        };
    let (config, width, height) = samples::h264(video).ok_or(MediaError::Unreadable)?;
    let coded = sps::description(config)?;
    // Three places name the size; a player may believe any of them.
    let header = video.tkhd.as_ref().ok_or(MediaError::Unreadable)?;
    let shown_size = (u64::from(header.width), u64::from(header.height));
    if coded != (width, height) || shown_size != (u64::from(width) << 16, u64::from(height) << 16) {
        return Err(MediaError::Unreadable);
    }
    if sound.is_some_and(|t| !samples::is_aac(t)) {
        return Err(MediaError::Unreadable);
    }
    let (width, height) = shown(video, width, height)?;
    if width.max(height) > limits.max_side || width.min(height) > limits.max_short_side {
        return Err(MediaError::TooLarge { what: "side", limit: limits.max_side.into() });
    }
    let duration_ms = playing_ms(video)?;
    let longest = sound.map_or(Ok(0), playing_ms)?.max(duration_ms);
    if longest > limits.max_ms.saturating_add(GRACE_MS) {
        return Err(MediaError::TooLarge { what: "milliseconds", limit: limits.max_ms });
    }
    if duration_ms == 0 {
        return Err(MediaError::Unreadable);
    }
    let most = (limits.max_ms / 1000 + 2).saturating_mul(SAMPLES_PER_SECOND);
    let pictures = samples::extents(video, most)?;
    let sounds = sound.map_or(Ok(Vec::new()), |t| samples::extents(t, most))?;
    samples::fill(data.content, pictures.iter().chain(&sounds).cloned())?;
    for picture in pictures {
        let (start, end) = (picture.start as usize, picture.end as usize);
        samples::picture(bytes.get(start..end).ok_or(MediaError::Unreadable)?, coded)?;
    }
    Ok(FilmFacts { width, height, duration_ms, sound: sound.is_some() })
}

/// The film's two parts, when the file is made of them, in the order that lets a player start at once.
fn layout(bytes: &[u8]) -> Result<(Found, Found), MediaError> {
    let (mut movie, mut data) = (None, None);
    for (index, found) in boxes::boxes(bytes, 0..bytes.len())?.into_iter().enumerate() {
        match &found.kind {
            b"ftyp" if index == 0 && found.content.len() <= 64 => {}
            b"moov" if index > 0 && movie.is_none() && data.is_none() => movie = Some(found),
            b"mdat" if movie.is_some() && data.is_none() => data = Some(found),
            b"free" if boxes::zero(&bytes[found.content.clone()]) => {}
            b"ftyp" | b"moov" | b"mdat" => return Err(MediaError::Unreadable),
            // Whatever does not begin like a film is none; a film with more in it is not stripped.
            _ if index == 0 => return Err(MediaError::Unreadable),
            other => return Err(MediaError::extra(boxes::name(*other))),
        }
    }
    movie.zip(data).ok_or(MediaError::Unreadable)
}

/// The picture's size after the turn that the track's matrix asks for.
fn shown(video: &Track, width: u32, height: u32) -> Result<(u32, u32), MediaError> {
    let matrix = &video.tkhd.as_ref().ok_or(MediaError::Unreadable)?.matrix;
    match (matrix.a != 0 && matrix.d != 0, matrix.b != 0 && matrix.c != 0) {
        _ if width == 0 || height == 0 => Err(MediaError::Unreadable),
        (true, false) => Ok((width, height)),
        (false, true) => Ok((height, width)),
        _ => Err(MediaError::Unreadable),
    }
}

/// How long the samples of a track last together, in milliseconds.
fn playing_ms(track: &Track) -> Result<u64, MediaError> {
    let scale = track.timescale.ok_or(MediaError::Unreadable)?.0;
    let times = track.stts.as_ref().ok_or(MediaError::Unreadable)?;
    let ticks: u128 =
        times.samples.iter().map(|s| u128::from(s.sample_count) * u128::from(s.sample_delta)).sum();
    let ms = (ticks * 1000).checked_div(u128::from(scale)).ok_or(MediaError::Unreadable)?;
    u64::try_from(ms).map_err(|_| MediaError::Unreadable)
}
