//! From a file's bytes to pixels. Limits come before memory, and a file that is cut off is an error:
//! decoders like to fill the missing part with grey and call it a success.

use super::colour::Profile;
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
}

/// Pixels without gaps, row by row.
#[derive(Clone)]
pub(super) struct Picture {
    pub pixels: Vec<u8>,
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
    // The decoder takes the first of several plain scans for the whole and shows the rest in green. Cameras
    // write one; only progressive files have more.
    if !outline.progressive && outline.segments.iter().filter(|s| s.marker == jpeg::SOS).count() > 1 {
        return Err(MediaError::Unsupported { what: "a JPEG with one scan for each colour" });
    }
    if !outline.complete {
        return Err(MediaError::Unreadable);
    }
    // With its end marker a picture that stops early decodes to grey without a word. Without it the decoder
    // notices the lack, but reads ahead by eight bytes: sure only where a row takes more than that.
    let sure = !outline.progressive && outline.width > 512;
    let readable = &bytes[..if sure { outline.end } else { outline.end + 2 }];
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(outline.width as usize)
        .set_max_height(outline.height as usize)
        .jpeg_set_max_scans(MAX_SCANS);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(readable), options);
    decoder.decode_headers().map_err(|_| MediaError::Unreadable)?;
    let profile = decoder.icc_profile().and_then(|icc| Profile::unlike_srgb(&icc));
    let orientation = decoder
        .exif()
        .and_then(|exif| Orientation::from_exif_chunk(exif))
        .unwrap_or(Orientation::NoTransforms);
    let (space, target) = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => (Space::Luma, ColorSpace::Luma),
        Some(ColorSpace::YCbCr) if profile.is_none() => (Space::Ycc, ColorSpace::YCbCr),
        Some(ColorSpace::YCbCr | ColorSpace::RGB | ColorSpace::CMYK | ColorSpace::YCCK) => {
            (Space::Rgb, ColorSpace::RGB)
        }
        _ => return Err(MediaError::Unreadable),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(target));
    let size = decoder.output_buffer_size().ok_or(MediaError::Unreadable)?;
    let mut pixels = reserve(size as u64)?;
    decoder.decode_into(&mut pixels).map_err(|_| MediaError::Unreadable)?;
    let picture = Picture { pixels, width: outline.width, height: outline.height, space };
    let profile = profile.filter(|_| space == Space::Rgb);
    Ok(Original { picture, orientation, profile })
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
    let profile = decoder.icc_profile().ok().flatten().and_then(|icc| Profile::unlike_srgb(&icc));
    let decoded = DynamicImage::from_decoder(decoder).map_err(|e| read_error(&e, max_pixels))?;
    let (pixels, space) = match decoded.color().has_alpha() {
        true => (on_white(&decoded), Space::Rgb),
        false if grey => (decoded.into_luma8().into_raw(), Space::Luma),
        false => (decoded.into_rgb8().into_raw(), Space::Rgb),
    };
    let profile = profile.filter(|_| space == Space::Rgb);
    Ok(Original { picture: Picture { pixels, width, height, space }, orientation, profile })
}

/// JPEG knows no transparency; paper is white.
fn on_white(picture: &DynamicImage) -> Vec<u8> {
    let over = |c: u8, a: u8| ((u32::from(c) * u32::from(a) + 255 * (255 - u32::from(a)) + 127) / 255) as u8;
    picture.to_rgba8().pixels().flat_map(|p| [0, 1, 2].map(|i| over(p.0[i], p.0[3]))).collect()
}

/// Zeroed memory, or an error where the device has none left.
fn reserve(bytes: u64) -> Result<Vec<u8>, MediaError> {
    let bytes = usize::try_from(bytes).map_err(|_| MediaError::TooLarge { what: "pixels", limit: 0 })?;
    let mut out = Vec::new();
    out.try_reserve_exact(bytes).map_err(|_| MediaError::TooLarge { what: "bytes", limit: bytes as u64 })?;
    out.resize(bytes, 0);
    Ok(out)
}
