//! From a file's bytes to pixels. Limits come before memory, and a file that is cut off is an error:
//! decoders like to fill the missing part with grey and call it a success.

use super::colour::Profile;
use super::memory::Memory;
use super::{other, separate};
use crate::MediaError;
use crate::jpeg::{self, Outline};
use image::ImageFormat;
use image::metadata::Orientation;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// What the bytes of a pixel mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// One byte, grey.
    Luma,
    /// Three bytes as JPEG stores them: resizing and turning do not mind, so why convert twice.
    Ycc,
    /// Three bytes.
    Rgb,
    /// Four bytes: cyan, magenta, yellow, black; 255 for none of it. Only on the way to `Rgb`.
    Ink,
}

impl Space {
    /// Bytes of a pixel.
    pub fn bytes(self) -> usize {
        match self {
            Self::Luma => 1,
            Self::Ycc | Self::Rgb => 3,
            Self::Ink => 4,
        }
    }
}

/// Pixels without gaps, row by row.
#[derive(Clone)]
pub(super) struct Picture {
    pub pixels: Memory,
    pub width: u32,
    pub height: u32,
    pub space: Space,
}

/// A decoded file and what it said about how to show it.
pub(super) struct Original {
    pub picture: Picture,
    pub orientation: Orientation,
    /// Only when its colours are not sRGB's.
    pub profile: Option<Profile>,
}

/// Most bytes that decoding may take, beside the file's own. What comes after takes some eighty million more.
const MOST_MEMORY: u64 = 200_000_000;

/// Whether so many pixels may be decoded, which takes so many bytes.
pub(super) fn room(pixels: u64, bytes: u64, max_pixels: u64) -> Result<(), MediaError> {
    let fit = u128::from(pixels) * u128::from(MOST_MEMORY) / u128::from(bytes.max(1));
    let limit = max_pixels.min(u64::try_from(fit).unwrap_or(u64::MAX));
    if pixels > limit { Err(MediaError::TooLarge { what: "pixels", limit }) } else { Ok(()) }
}

/// Decodes a JPEG, PNG or WebP of at most `max_pixels`, or of as many as its kind leaves memory for.
pub(super) fn open(bytes: &[u8], max_pixels: u64) -> Result<Original, MediaError> {
    if bytes.starts_with(&[0xFF, 0xD8]) {
        let outline = jpeg::outline(bytes).ok_or(MediaError::Unreadable)?;
        let pixels = u64::from(outline.width) * u64::from(outline.height);
        let each = match outline.colours {
            1 => 1,
            // A scan for each colour: one is laid upon the others, small and in full size.
            3 if outline.is_separate() => 5,
            3 => 3,
            _ => 4,
        };
        room(pixels, pixels * each + outline.coefficients, max_pixels)?;
        return jpeg(bytes, &outline);
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Err(MediaError::Unsupported { what: "HEIC or another picture in a film's container" });
    }
    match image::guess_format(bytes) {
        Ok(ImageFormat::Png) => other::png(bytes, max_pixels),
        Ok(ImageFormat::WebP) => other::webp(bytes, max_pixels),
        _ => Err(MediaError::Unreadable),
    }
}

/// Decodes a JPEG whose outline is known and whose size was found acceptable.
pub(super) fn jpeg(bytes: &[u8], outline: &Outline) -> Result<Original, MediaError> {
    match outline.process {
        0xC0..=0xC2 if outline.precision == 8 => {}
        0xC0..=0xC2 => return Err(MediaError::Unsupported { what: "a JPEG of more than eight bits" }),
        _ => return Err(MediaError::Unsupported { what: "a lossless or arithmetic JPEG" }),
    }
    if !outline.complete {
        return Err(MediaError::Unreadable);
    }
    // The decoder is strict, so that nothing that is missing is painted grey, and then takes no stray byte either.
    if outline.gaps {
        let whole = jpeg::closed_up(bytes, outline).ok_or(MediaError::Unreadable)?;
        let outline = jpeg::outline(&whole).filter(|o| !o.gaps).ok_or(MediaError::Unreadable)?;
        return jpeg(&whole, &outline);
    }
    // The decoder takes the first of several plain scans for the whole and shows the rest in green.
    if outline.is_separate() {
        return separate::open(bytes, outline);
    }
    let readable = readable(bytes, outline);
    let options = options(outline.width, outline.height);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(readable), options);
    decoder.decode_headers().map_err(|_| MediaError::Unreadable)?;
    let icc = decoder.icc_profile();
    let profile = |space| icc.as_deref().and_then(|icc| Profile::unlike_srgb(icc, space));
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif))
        .unwrap_or(Orientation::NoTransforms);
    let input = decoder.input_colorspace().ok_or(MediaError::Unreadable)?;
    let (space, target, profile) = match input {
        ColorSpace::Luma => (Space::Luma, ColorSpace::Luma, profile(Space::Luma)),
        ColorSpace::YCbCr | ColorSpace::RGB => match profile(Space::Rgb) {
            None if input == ColorSpace::YCbCr => (Space::Ycc, input, None),
            profile => (Space::Rgb, ColorSpace::RGB, profile),
        },
        ColorSpace::CMYK | ColorSpace::YCCK => match profile(Space::Ink) {
            None => (Space::Rgb, ColorSpace::RGB, None),
            profile => (Space::Ink, input, profile),
        },
        _ => return Err(MediaError::Unreadable),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(target));
    let size = decoder.output_buffer_size().ok_or(MediaError::Unreadable)?;
    let mut pixels = Memory::zeroed(size as u64)?;
    decoder.decode_into(&mut pixels).map_err(|_| MediaError::Unreadable)?;
    if target == ColorSpace::YCCK {
        pixels.as_chunks_mut::<4>().0.iter_mut().for_each(ink);
    }
    let picture = Picture { pixels, width: outline.width, height: outline.height, space };
    Ok(Original { picture, orientation, profile })
}

/// As much of the file as the decoder is to see. With its end marker a picture that stops early decodes to
/// grey without a word. Without it the decoder notices the lack, but reads ahead by eight bytes: sure only
/// where a row takes more than that.
pub(super) fn readable<'a>(bytes: &'a [u8], outline: &Outline) -> &'a [u8] {
    let sure = !outline.progressive && outline.width > 512;
    &bytes[..if sure { outline.end } else { outline.end + 2 }]
}

pub(super) fn options(width: u32, height: u32) -> DecoderOptions {
    DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(width as usize)
        .set_max_height(height as usize)
        .jpeg_set_max_scans(MAX_SCANS)
}

/// From YCC and black to the inks, as JPEG defines it: YCC is what red, green and blue of the inks would be.
fn ink([a, b, c, _]: &mut [u8; 4]) {
    let [y, cb, cr] = [f32::from(*a), f32::from(*b) - 128.0, f32::from(*c) - 128.0];
    let rgb = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb];
    [*a, *b, *c] = rgb.map(|v| 255 - v.round().clamp(0.0, 255.0) as u8);
}

/// Progressive files in the wild have about ten.
const MAX_SCANS: usize = 40;

/// JPEG knows no transparency; paper is white.
pub(super) fn on_white(colour: u8, alpha: u8) -> u8 {
    let (c, a) = (u32::from(colour), u32::from(alpha));
    ((c * a + 255 * (255 - a) + 127) / 255) as u8
}
