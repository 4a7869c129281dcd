//! Which encoder makes the pictures: the phone's own, or else code; opened so that its film fits the plan.

use super::source::Track;
use super::{NO_ENCODER, Plan, refused};
use crate::MediaError;
use ffmpeg::codec::threading;
use ffmpeg::format::Pixel;
use ffmpeg::{Codec, Dictionary, Rational, codec, encoder};
use ffmpeg_next as ffmpeg;
use std::io::ErrorKind;

/// The unit of time on the way out: divides evenly by every usual rate.
pub(super) const TICKS: i32 = 90_000;

/// An encoder that there may be.
#[derive(Clone, Copy)]
pub(super) struct Kind<'a> {
    /// FFmpeg's name for it.
    pub name: &'static str,
    /// A chip: those may refuse in the middle of a film, and are somebody else's at times.
    pub is_hardware: bool,
    /// FFmpeg's options for it.
    pub options: &'a [(&'a str, &'a str)],
}

/// What phones have, then what is code; tried in this order.
pub(super) const ALL: &[Kind<'static>] = &[
    // On a Mac Apple's own code, too, where the chip is busy; iOS decides by itself.
    Kind { name: "h264_videotoolbox", is_hardware: true, options: &[("allow_sw", "1")] },
    Kind { name: "h264_mediacodec", is_hardware: true, options: &[] },
    Kind { name: "libx264", is_hardware: false, options: &[("preset", "veryfast"), ("crf", "26")] },
    Kind { name: "libopenh264", is_hardware: false, options: &[] },
];

impl Kind<'_> {
    fn find(&self) -> Option<Codec> {
        encoder::find_by_name(self.name)
    }

    /// How pictures may lie in memory for it, the likeliest first. Chips are made for colours side by side, and older
    /// ones take nothing else whatever FFmpeg lists for them.
    fn formats(&self) -> [Pixel; 2] {
        if self.is_hardware { [Pixel::NV12, Pixel::YUV420P] } else { [Pixel::YUV420P, Pixel::NV12] }
    }
}

/// Whether there is code that does a chip's work.
pub(super) fn is_software_there(kinds: &[Kind<'_>]) -> bool {
    kinds.iter().any(|kind| !kind.is_hardware && kind.find().is_some())
}

/// An encoder ready for pictures.
pub(super) struct Opened {
    pub encoder: encoder::video::Encoder,
    pub name: &'static str,
    pub is_hardware: bool,
    /// How it wants them.
    pub pixel: Pixel,
}

/// Opens the first that lets itself be opened, in the first format that it takes. The size is that of what it gets.
///
/// Errors: `Unsupported` where there is none at all, [`its_own`] where there is one that cannot be had.
pub(super) fn open(
    kinds: &[Kind<'_>],
    size: (u32, u32),
    track: &Track,
    plan: &Plan,
    bits: u32,
) -> Result<Opened, MediaError> {
    let mut trouble = None;
    for kind in kinds.iter().filter(|kind| plan.hardware || !kind.is_hardware) {
        let Some(codec) = kind.find() else { continue };
        let listed = codec.video().ok().and_then(|video| video.formats()).map(Iterator::collect::<Vec<_>>);
        let takes = |pixel: &Pixel| listed.as_ref().is_none_or(|all| all.contains(pixel));
        for pixel in kind.formats().into_iter().filter(takes) {
            match one(kind, codec, pixel, size, track, plan, bits) {
                Ok(encoder) => {
                    return Ok(Opened { encoder, name: kind.name, is_hardware: kind.is_hardware, pixel });
                }
                Err(e) => drop(trouble.get_or_insert(its_own(refused(e)))),
            }
        }
    }
    Err(trouble.unwrap_or(MediaError::Unsupported { what: NO_ENCODER }))
}

/// What an encoder's failure means, which is nothing for the film: another application films, the phone went into a
/// pocket. It may go well the next time.
pub(super) fn its_own(e: MediaError) -> MediaError {
    match e {
        // Of what is too large only the bytes are the film's: it was cut and made small before.
        MediaError::Io(ErrorKind::OutOfMemory)
        | MediaError::TooLarge { what: "bytes", .. }
        | MediaError::Cancelled => e,
        _ => MediaError::Io(ErrorKind::ResourceBusy),
    }
}

/// Pictures a second on the way out.
pub(super) fn rate(track: &Track, plan: &Plan) -> f64 {
    let most = f64::from(plan.rate);
    if track.rate > 0.0 { track.rate.min(most) } else { most }
}

const BT709: (ffmpeg::color::Space, ffmpeg::color::Primaries, ffmpeg::color::TransferCharacteristic) = (
    ffmpeg::color::Space::BT709,
    ffmpeg::color::Primaries::BT709,
    ffmpeg::color::TransferCharacteristic::BT709,
);

/// Seconds of the highest rate that may come at once.
const BUFFER_SECONDS: u32 = 2;

fn one(
    kind: &Kind<'_>,
    codec: Codec,
    pixel: Pixel,
    (width, height): (u32, u32),
    track: &Track,
    plan: &Plan,
    bits: u32,
) -> Result<encoder::video::Encoder, ffmpeg::Error> {
    let mut encoder = codec::Context::new_with_codec(codec).encoder().video()?;
    encoder.set_width(width);
    encoder.set_height(height);
    encoder.set_format(pixel);
    encoder.set_time_base(Rational(1, TICKS));
    encoder.set_frame_rate(Some(Rational((rate(track, plan) * 1000.0).round() as i32, 1000)));
    encoder.set_gop(plan.rate * 2);
    encoder.set_color_range(ffmpeg::color::Range::MPEG);
    // What holds more light is toned down to these.
    let (space, primaries, transfer) = if track.hdr.is_some() { BT709 } else { track.color };
    encoder.set_colorspace(space);
    encoder.set_color_primaries(primaries);
    encoder.set_color_transfer_characteristic(transfer);
    encoder.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
    let mut options: Dictionary = kind.options.iter().copied().collect();
    if kind.name == "libx264" {
        options.set("maxrate", &bits.to_string());
        options.set("bufsize", &(bits * BUFFER_SECONDS).to_string());
        if track.large {
            // Ten pictures ahead in as many threads as there are processors would take a hundred megabytes.
            options.set("rc-lookahead", if track.deep { "0" } else { "4" });
            encoder.set_max_b_frames(0);
            encoder.set_threading(threading::Config {
                kind: threading::Type::Frame,
                count: 1,
                ..threading::Config::default()
            });
        }
    } else {
        encoder.set_bit_rate(bits.min(CHIPS_BITS) as usize);
    }
    encoder.open_with(options)
}

/// More bits a second no chip is asked for.
pub(super) const CHIPS_BITS: u32 = 2_500_000;

/// Bits a second that the pictures may take, so that the film stays under the planned bytes: never more than
/// four million, which is plenty, and never so few that there is nothing to see.
pub(super) fn most_bits(expected_ms: u64, plan: &Plan) -> u32 {
    let playing = if expected_ms == 0 { plan.longest_ms } else { expected_ms.min(plan.longest_ms) };
    let ms = playing.saturating_add(u64::from(BUFFER_SECONDS) * 1000);
    let all = u128::from(plan.max_bytes as u64) * 8 * 1000 * 95 / 100 / u128::from(ms);
    let sound = if plan.sound { u128::from(super::sound::BITS) } else { 0 };
    u32::try_from(all.saturating_sub(sound)).unwrap_or(u32::MAX).clamp(150_000, 4_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chips_come_first_and_get_their_colours_side_by_side() {
        let names: Vec<_> = ALL.iter().map(|kind| (kind.name, kind.is_hardware)).collect();
        let expected = [
            ("h264_videotoolbox", true),
            ("h264_mediacodec", true),
            ("libx264", false),
            ("libopenh264", false),
        ];
        assert_eq!(names, expected);
        for kind in ALL {
            let first = if kind.is_hardware { Pixel::NV12 } else { Pixel::YUV420P };
            let formats = kind.formats();
            assert!(
                formats[0] == first && formats.contains(&Pixel::NV12) && formats.contains(&Pixel::YUV420P)
            );
        }
    }

    #[test]
    fn a_long_film_gets_fewer_bits_and_none_gets_too_few() {
        let plan = |max_bytes| Plan { max_bytes, longest_ms: 60_000, ..Plan::default() };
        assert_eq!(most_bits(60_000, &plan(64 << 20)), 4_000_000);
        let tight = most_bits(60_000, &plan(4_000_000));
        assert!((350_000..450_000).contains(&tight), "{tight}");
        assert!(most_bits(6_000, &plan(4_000_000)) > 3_000_000, "a short one may use them all");
        assert_eq!(most_bits(0, &plan(4_000_000)), tight, "unknown is as long as can be");
        assert_eq!(most_bits(u64::MAX, &plan(0)), 150_000);
        assert_eq!(most_bits(1, &plan(usize::MAX)), 4_000_000);
    }
}
