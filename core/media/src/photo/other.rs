//! PNG and WebP: read at once, then packed to eight bits without transparency in the memory that they were read into.

use super::colour::Profile;
use super::decode::{Original, Picture, Space, on_white, room};
use super::memory::Memory;
use crate::MediaError;
use image::codecs::{png::PngDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageError};
use std::io::Cursor;

/// Decodes a PNG.
pub(super) fn png(bytes: &[u8], max_pixels: u64) -> Result<Original, MediaError> {
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(max_pixels.saturating_mul(MOST_BYTES));
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits);
    open(decoder.map_err(|e| read_error(&e, max_pixels))?, max_pixels, 0)
}

/// Decodes a WebP, an animated one's first picture.
pub(super) fn webp(bytes: &[u8], max_pixels: u64) -> Result<Original, MediaError> {
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|e| read_error(&e, max_pixels))?;
    // Beside what it gives out the decoder holds the picture in other colours, its transparency, and an animation's
    // canvas.
    let beside = if decoder.has_animation() { 14 } else { 7 };
    open(decoder, max_pixels, beside)
}

/// Of a pixel: four values of sixteen bits.
const MOST_BYTES: u64 = 8;

fn read_error(e: &ImageError, max_pixels: u64) -> MediaError {
    match e {
        ImageError::Limits(_) => MediaError::TooLarge { what: "pixels", limit: max_pixels },
        _ => MediaError::Unreadable,
    }
}

/// `beside` is how many bytes the decoder takes for a pixel beside those that it gives.
fn open(mut decoder: impl ImageDecoder, max_pixels: u64, beside: u64) -> Result<Original, MediaError> {
    let ((width, height), color) = (decoder.dimensions(), decoder.color_type());
    let pixels = u64::from(width) * u64::from(height);
    let each = u64::from(color.bytes_per_pixel());
    room(pixels, pixels.saturating_mul(each + beside), max_pixels)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let space = if color.has_color() { Space::Rgb } else { Space::Luma };
    let profile = decoder.icc_profile().ok().flatten().and_then(|icc| Profile::unlike_srgb(&icc, space));
    let mut memory = Memory::zeroed(decoder.total_bytes())?;
    decoder.read_image(&mut memory).map_err(|e| read_error(&e, max_pixels))?;
    let bytes = &mut *memory;
    match color {
        ColorType::L8 | ColorType::Rgb8 => {}
        ColorType::La8 => pack(bytes, |[v, a]: &[u8; 2]| [on_white(*v, *a)]),
        ColorType::Rgba8 => pack(bytes, |[r, g, b, a]: &[u8; 4]| [r, g, b].map(|v| on_white(*v, *a))),
        ColorType::L16 => pack(bytes, |v: &[u8; 2]| [eight(v)]),
        ColorType::Rgb16 => pack(bytes, |p: &[u8; 6]| [0, 2, 4].map(|at| eight(&p[at..]))),
        ColorType::La16 => pack(bytes, |p: &[u8; 4]| [on_white(eight(p), eight(&p[2..]))]),
        ColorType::Rgba16 => {
            pack(bytes, |p: &[u8; 8]| [0, 2, 4].map(|at| on_white(eight(&p[at..]), eight(&p[6..]))));
        }
        _ => return Err(MediaError::Unreadable),
    }
    let length = width as usize * height as usize * space.bytes();
    let picture = Picture { pixels: memory.again(length)?, width, height, space };
    Ok(Original { picture, orientation, profile })
}

/// Puts smaller pixels in the place of larger ones, from the first on.
fn pack<const FROM: usize, const TO: usize>(bytes: &mut [u8], smaller: impl Fn(&[u8; FROM]) -> [u8; TO]) {
    for at in 0..bytes.len() / FROM {
        if let Some(pixel) = bytes[at * FROM..].first_chunk::<FROM>() {
            let packed = smaller(pixel);
            bytes[at * TO..][..TO].copy_from_slice(&packed);
        }
    }
}

/// The nearest of 256 levels for the sixteen bits that begin here, as the machine stores them.
fn eight(bytes: &[u8]) -> u8 {
    let value = bytes.first_chunk().map_or(0, |v| u32::from(u16::from_ne_bytes(*v)));
    ((value * 255 + 32_767) / 65_535) as u8
}
