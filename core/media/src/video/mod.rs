//! Films with FFmpeg: from what a phone recorded to a small upright one that any phone plays, and a player
//! without a screen. For a device's own recordings; a server checks strangers' films with [`crate::film`].
//!
//! FFmpeg works in its own threads; the calls here block the calling one for seconds. Not for a UI thread.

mod encoder;
mod front;
mod index;
mod output;
mod picture;
mod poster;
mod sound;
mod source;
mod stream;
#[cfg(all(test, feature = "fixture"))]
mod tests;
mod tone;
mod turn;
mod whole;

pub use poster::poster;
pub use stream::{Recording, Stream};

use crate::{Cancel, MediaError, film};
use bytes::Bytes;
use encoder::Kind;
use ffmpeg_next as ffmpeg;
use output::Output;
use picture::Pictures;
use sound::Sounds;
use source::{Source, Track};
use std::sync::Once;
use std::time::{Duration, Instant};

/// What a film becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The short side in pixels. Smaller films keep their size.
    pub short_side: u32,
    /// Most pictures per second.
    pub rate: u32,
    /// Longest playing time in milliseconds; what comes later is cut off.
    pub longest_ms: u64,
    /// Keep the sound. Off, the film is silent: a room's voices are personal data too.
    pub sound: bool,
    /// Try the phone's hardware encoder first.
    pub hardware: bool,
    /// Most bytes of the result.
    pub max_bytes: usize,
}

impl Default for Plan {
    fn default() -> Self {
        let limits = film::Limits::default();
        Self {
            short_side: limits.max_short_side,
            rate: 30,
            longest_ms: limits.max_ms,
            sound: true,
            hardware: true,
            max_bytes: limits.max_bytes,
        }
    }
}

/// What a film became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoFacts {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Playing time in milliseconds.
    pub duration_ms: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// Whether it has sound.
    pub sound: bool,
    /// Whether the original went on after [`Plan::longest_ms`].
    pub cut: bool,
    /// Name of the encoder that made it.
    pub encoder: &'static str,
}

/// What was seen and heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Played {
    /// Pictures decoded.
    pub frames: u64,
    /// Until the last picture is over, in milliseconds.
    pub duration_ms: u64,
    /// Width in pixels, after turning.
    pub width: u32,
    /// Height in pixels, after turning.
    pub height: u32,
    /// Frames of sound decoded.
    pub audio_frames: u64,
}

/// A film that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Film {
    /// The whole file.
    pub bytes: Bytes,
    /// What it is.
    pub facts: VideoFacts,
}

/// Makes a film that passes [`film::verify`] from an MP4 or QuickTime file: H.264 and AAC, turned upright,
/// HDR toned down to what usual screens show, fast start, no tag of any kind. It is made in memory, of which the film takes
/// [`Plan::max_bytes`] at most; no disk sees it. `progress` gets 0 to 1, at most ten times a second, on the
/// calling thread. Stops within 200 ms of a cancel. Where a hardware encoder fails on the way, the whole is done again
/// in software; without such, a film that its hardware made too large is made once more with half the bits.
///
/// Errors: [`MediaError::Unreadable`] (damaged, cut off, no picture), `Unsupported` (no decoder or
/// encoder in this build, Dolby Vision without a plain picture, HDR in an unusual colour space), `TooLarge`,
/// `Cancelled`, `Io`; that with `ResourceBusy` where an encoder cannot be had just now, failed on the way or made what
/// is no film, and there is no other: the film may be made later.
pub fn transcode<R: Recording + ?Sized>(
    input: &R,
    plan: &Plan,
    progress: &mut dyn FnMut(f32),
    cancel: &Cancel,
) -> Result<Film, MediaError> {
    made(input, plan, encoder::ALL, progress, cancel)
}

fn made<R: Recording + ?Sized>(
    input: &R,
    plan: &Plan,
    kinds: &[Kind<'_>],
    progress: &mut dyn FnMut(f32),
    cancel: &Cancel,
) -> Result<Film, MediaError> {
    quiet();
    let mut report = Throttle::new(progress);
    let mut by_hardware = false;
    match attempt(input, plan, kinds, 1, &mut report, cancel, &mut by_hardware) {
        // Chips have moods: a second application that films, a size they do not like. Code has none. Where there
        // is no code, what the chip said stands.
        Err(
            MediaError::Unreadable
            | MediaError::Unsupported { .. }
            | MediaError::NotStripped { .. }
            | MediaError::Io(_)
            | MediaError::TooLarge { what: "bytes", .. },
        ) if by_hardware && encoder::is_software_there(kinds) && !cancel.is_cancelled() => {
            let plan = Plan { hardware: false, ..*plan };
            attempt(input, &plan, kinds, 1, &mut report, cancel, &mut by_hardware)
        }
        // Chips are told how many bits to take in the mean, and take more of them where much moves.
        Err(MediaError::TooLarge { what: "bytes", .. }) if by_hardware && !cancel.is_cancelled() => {
            attempt(input, plan, kinds, 2, &mut report, cancel, &mut by_hardware)
        }
        result => result,
    }
    .map_err(|e| asked(e, cancel))
    .inspect(|_| report.done())
}

/// FFmpeg gives an interruption the most various names.
fn asked(e: MediaError, cancel: &Cancel) -> MediaError {
    if cancel.is_cancelled() { MediaError::Cancelled } else { e }
}

/// Makes the film with one part in `share` of the bits that would fit.
fn attempt<R: Recording + ?Sized>(
    input: &R,
    plan: &Plan,
    kinds: &[Kind<'_>],
    share: u32,
    report: &mut Throttle<'_>,
    cancel: &Cancel,
    by_hardware: &mut bool,
) -> Result<Film, MediaError> {
    let mut source = Source::open(input, plan.sound, cancel)?;
    let mut out = Output::create(plan.max_bytes)?;
    let most = encoder::most_bits(source.expected_ms(), plan);
    let bits = if share > 1 { most.min(encoder::CHIPS_BITS) / share } else { most };
    let mut pictures = Pictures::new(&source, plan, kinds, bits, &mut out)?;
    let name = pictures.name();
    let is_hardware = pictures.is_hardware();
    *by_hardware = is_hardware;
    // What a chip made and nobody can use says nothing of the original; code would make the same another time.
    let refused_film = |e| if is_hardware { encoder::its_own(e) } else { e };
    let mut sounds = source.sound.as_ref().map(|track| Sounds::new(track, &mut out)).transpose()?;
    out.start().map_err(refused_film)?;
    report.total_ms = source.expected_ms().min(plan.longest_ms).max(1);
    let cut = source.run(Some(plan.longest_ms), cancel, &mut |event| match event {
        Event::Picture(frame, track) => {
            report.at(track.end_ms);
            pictures.feed(frame, track, &mut out, cancel)
        }
        Event::Sound(frame, track) => match &mut sounds {
            Some(sounds) => sounds.feed(frame, track, &mut out),
            None => Ok(()),
        },
    })?;
    source.judge(Some(plan.longest_ms))?;
    pictures.finish(&mut out, cancel)?;
    if let Some(sounds) = &mut sounds {
        sounds.finish(&mut out)?;
    }
    // What the codecs hold is no longer needed.
    drop((source, pictures, sounds));
    // The server will ask the same; better to hear it here, while the original is at hand.
    let limits = film::Limits {
        max_bytes: plan.max_bytes,
        max_ms: plan.longest_ms,
        max_short_side: plan.short_side,
        ..film::Limits::default()
    };
    let (facts, bytes) = out.complete(&limits, cancel).map_err(refused_film)?;
    let film::FilmFacts { width, height, duration_ms, sound } = facts;
    let length = bytes.len() as u64;
    Ok(Film {
        bytes: bytes.into(),
        facts: VideoFacts { width, height, duration_ms, bytes: length, sound, cut, encoder: name },
    })
}

/// Decodes a whole film, pictures and sound, and tells what there was.
///
/// Errors: as [`transcode`]; a film of which a part is missing or does not decode is `Unreadable`.
pub fn play<R: Recording + ?Sized>(film: &R, cancel: &Cancel) -> Result<Played, MediaError> {
    quiet();
    let mut source = Source::open(film, true, cancel).map_err(|e| asked(e, cancel))?;
    let played = source.run(None, cancel, &mut |_| Ok(())).and_then(|_| source.judge(None));
    played.map_err(|e| asked(e, cancel))?;
    let (width, height) = source.picture.shown();
    Ok(Played {
        frames: source.picture.frames,
        duration_ms: source.picture.end_ms,
        width,
        height,
        audio_frames: source.sound.as_ref().map_or(0, |t| t.frames),
    })
}

/// A decoded frame on its way, its time set relative to the film's begin, in the track's time base.
enum Event<'a> {
    Picture(&'a mut ffmpeg::frame::Video, &'a Track),
    Sound(&'a mut ffmpeg::frame::Audio, &'a Track),
}

/// FFmpeg would write file names and tags to standard error.
fn quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| ffmpeg::util::log::set_level(ffmpeg::util::log::Level::Quiet));
}

const NO_ENCODER: &str = "no encoder for H.264 or AAC";

/// What FFmpeg's refusal means for a caller.
fn refused(e: ffmpeg::Error) -> MediaError {
    match e {
        ffmpeg::Error::Exit => MediaError::Cancelled,
        ffmpeg::Error::DecoderNotFound => MediaError::Unsupported { what: "a codec without decoder" },
        ffmpeg::Error::EncoderNotFound => MediaError::Unsupported { what: NO_ENCODER },
        ffmpeg::Error::Other { errno } => match std::io::Error::from_raw_os_error(errno) {
            io if io.kind() == std::io::ErrorKind::InvalidInput => MediaError::Unreadable,
            io => io.into(),
        },
        _ => MediaError::Unreadable,
    }
}

/// "Try again later" and "that was the last one": the normal ends of asking for more.
fn nothing_more(e: &ffmpeg::Error) -> bool {
    matches!(e, ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN })
}

/// Passes progress on, not more often than a screen can use.
struct Throttle<'a> {
    tell: &'a mut dyn FnMut(f32),
    total_ms: u64,
    last: Option<Instant>,
    told: f32,
}

impl<'a> Throttle<'a> {
    const EVERY: Duration = Duration::from_millis(100);

    fn new(tell: &'a mut dyn FnMut(f32)) -> Self {
        Self { tell, total_ms: 1, last: None, told: 0.0 }
    }

    fn at(&mut self, ms: u64) {
        let now = (ms as f32 / self.total_ms as f32).min(0.99);
        if now > self.told && self.last.is_none_or(|t| t.elapsed() >= Self::EVERY) {
            (self.last, self.told) = (Some(Instant::now()), now);
            (self.tell)(now);
        }
    }

    fn done(&mut self) {
        (self.tell)(1.0);
    }
}
