//! From a file's bytes to pixels. Limits come before memory, and a file that is cut off is an error:
//! decoders like to fill the missing part with grey and call it a success.

use super::colour::Profile;
use super::memory::Memory;
use super::separate;
use crate::MediaError;
use crate::jpeg::{self, Outline};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat};
use std::io::Cursor;
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

/// Decodes a JPEG, PNG or WebP of at most `max_pixels`.
pub(super) fn open(bytes: &[u8], max_pixels: u64) -> Result<Original, MediaError> {
    let too_large = MediaError::TooLarge { what: "pixels", limit: max_pixels };
    if bytes.starts_with(&[0xFF, 0xD8]) {
        let outline = jpeg::outline(bytes);
        return match outline {
            Some(o) if u64::from(o.width) * u64::from(o.height) > max_pixels => Err(too_large),
            Some(outline) => jpeg(bytes, &outline),
            None => Err(MediaError::Unreadable),
        };
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Err(MediaError::Unsupported { what: "HEIC or another picture in a film's container" });
    }
    match image::guess_format(bytes) {
        Ok(ImageFormat::Png) => {
            let decoder = image::codecs::png::PngDecoder::with_limits(Cursor::new(bytes), limits(max_pixels));
            other(decoder.map_err(|e| read_error(&e, max_pixels))?, max_pixels)
        }
        Ok(ImageFormat::WebP) => {
            let decoder = image::codecs::webp::WebPDecoder::new(Cursor::new(bytes));
            other(decoder.map_err(|e| read_error(&e, max_pixels))?, max_pixels)
        }
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

fn limits(max_pixels: u64) -> image::Limits {
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(max_pixels.saturating_mul(8));
    limits
}

fn read_error(e: &image::ImageError, max_pixels: u64) -> MediaError {
    match e {
        image::ImageError::Limits(_) => MediaError::TooLarge { what: "pixels", limit: max_pixels },
        _ => MediaError::Unreadable,
    }
}

fn other(mut decoder: impl ImageDecoder, max_pixels: u64) -> Result<Original, MediaError> {
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(MediaError::TooLarge { what: "pixels", limit: max_pixels });
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let grey = !decoder.color_type().has_color();
    let space = if grey { Space::Luma } else { Space::Rgb };
    let profile = decoder.icc_profile().ok().flatten().and_then(|icc| Profile::unlike_srgb(&icc, space));
    let decoded = DynamicImage::from_decoder(decoder).map_err(|e| read_error(&e, max_pixels))?;
    let pixels: Vec<u8> = match (grey, decoded.color().has_alpha()) {
        (true, true) => decoded.into_luma_alpha8().pixels().map(|p| on_white(p.0[0], p.0[1])).collect(),
        (false, true) => {
            let rgba = decoded.into_rgba8();
            rgba.pixels().flat_map(|p| [0, 1, 2].map(|i| on_white(p.0[i], p.0[3]))).collect()
        }
        (true, false) => decoded.into_luma8().into_raw(),
        (false, false) => decoded.into_rgb8().into_raw(),
    };
    Ok(Original { picture: Picture { pixels: pixels.into(), width, height, space }, orientation, profile })
}

/// JPEG knows no transparency; paper is white.
pub(super) fn on_white(colour: u8, alpha: u8) -> u8 {
    let (c, a) = (u32::from(colour), u32::from(alpha));
    ((c * a + 255 * (255 - a) + 127) / 255) as u8
}
