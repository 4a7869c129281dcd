//! Sequential JPEG files with a scan for each colour. Each scan is by itself a grey JPEG of the colour's own
//! size; so it is given to the decoder as such, and the colours are laid over one another here.

use super::colour::Profile;
use super::decode::{Original, Picture, Space, options};
use super::memory::Memory;
use super::shape;
use crate::MediaError;
use crate::jpeg::{self, Outline, SOS, Segment};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions};
use image::metadata::Orientation;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_jpeg::JpegDecoder;

/// A colour as the frame describes it.
struct Colour {
    id: u8,
    /// Samples per block row and column, compared with the other colours.
    across: u32,
    down: u32,
    /// Which quantisation table.
    table: u8,
}

/// Decodes such a file of one or three colours. Other splits of colours onto scans are `Unsupported`.
pub(super) fn open(bytes: &[u8], outline: &Outline) -> Result<Original, MediaError> {
    let unsupported = MediaError::Unsupported { what: "a JPEG with an unusual order of scans" };
    let frame = outline.segments.iter().find(|s| jpeg::is_frame(s.marker)).ok_or(MediaError::Unreadable)?;
    let colours: Vec<Colour> = bytes[frame.content.clone()][6..]
        .chunks_exact(3)
        .map(|c| Colour { id: c[0], across: u32::from(c[1] >> 4), down: u32::from(c[1] & 15), table: c[2] })
        .collect();
    let most = |side: fn(&Colour) -> u32| colours.iter().map(side).max().unwrap_or(0);
    let (across, down) = (most(|c| c.across), most(|c| c.down));
    if colours.len() != 3 || colours.iter().any(|c| !matches!((c.across, c.down), (1..=4, 1..=4))) {
        return Err(unsupported);
    }
    let (width, height) = (outline.width, outline.height);
    let mut pixels = Memory::zeroed(u64::from(width) * u64::from(height) * 3)?;
    let mut seen = [false; 3];
    for (number, segment) in outline.segments.iter().enumerate().filter(|(_, s)| s.marker == SOS) {
        let [1, id, ..] = bytes[segment.content.clone()] else { return Err(unsupported) };
        let index = colours.iter().position(|c| c.id == id).ok_or(MediaError::Unreadable)?;
        if std::mem::replace(&mut seen[index], true) {
            return Err(MediaError::Unreadable);
        }
        let colour = &colours[index];
        let size = ((width * colour.across).div_ceil(across), (height * colour.down).div_ceil(down));
        let plane = plane(bytes, &outline.segments[..=number], colour, size)?;
        let plane = stretch(plane, size, (width, height))?;
        pixels.as_chunks_mut::<3>().0.iter_mut().zip(plane.iter()).for_each(|(p, v)| p[index] = *v);
    }
    if seen != [true; 3] {
        return Err(MediaError::Unreadable);
    }
    let of = |marker: u8, start: &'static [u8]| {
        let all = outline.segments.iter().filter(move |s| s.marker == marker);
        all.map(|s| &bytes[s.content.clone()]).filter_map(move |c| c.strip_prefix(start))
    };
    let orientation = of(0xE1, b"Exif\0\0").find_map(Orientation::from_exif_chunk);
    let icc: Vec<u8> = of(0xE2, b"ICC_PROFILE\0").filter_map(|c| c.get(2..)).flatten().copied().collect();
    let transform = of(0xEE, b"Adobe").find_map(|c| c.get(6).copied());
    let rgb = transform == Some(0) || (transform.is_none() && colours.iter().map(|c| c.id).eq(*b"RGB"));
    let mut picture = Picture { pixels, width, height, space: if rgb { Space::Rgb } else { Space::Ycc } };
    let profile = Profile::unlike_srgb(&icc, Space::Rgb);
    if profile.is_some() && !rgb {
        picture.pixels.as_chunks_mut::<3>().0.iter_mut().for_each(to_rgb);
        picture.space = Space::Rgb;
    }
    Ok(Original { picture, orientation: orientation.unwrap_or(Orientation::NoTransforms), profile })
}

/// Decodes the last of these scans as a grey picture of that size.
fn plane(
    bytes: &[u8],
    segments: &[Segment],
    colour: &Colour,
    (width, height): (u32, u32),
) -> Result<Memory, MediaError> {
    let scan = segments.last().ok_or(MediaError::Unreadable)?;
    let mut file = vec![0xFF, 0xD8];
    let mut add = |marker: u8, content: &[u8]| {
        file.extend([0xFF, marker]);
        file.extend((content.len() as u16 + 2).to_be_bytes());
        file.extend(content);
    };
    // Tables hold until others of the same number come.
    for segment in segments.iter().filter(|s| matches!(s.marker, 0xC4 | 0xDB | 0xDD)) {
        add(segment.marker, &bytes[segment.content.clone()]);
    }
    let side = |length: u32| u16::try_from(length).unwrap_or(0).to_be_bytes();
    let ([h, h_], [w, w_]) = (side(height), side(width));
    add(0xC0, &[8, h, h_, w, w_, 1, colour.id, 0x11, colour.table]);
    add(SOS, &bytes[scan.content.clone()]);
    let end = jpeg::scan_end(bytes, scan.content.end).ok_or(MediaError::Unreadable)?;
    file.extend(&bytes[scan.content.end..end]);
    // As in `decode::readable`: without an end mark a lack of data is noticed.
    if width <= 512 {
        file.extend([0xFF, 0xD9]);
    }
    let options = options(width, height).jpeg_set_out_colorspace(ColorSpace::Luma);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&file), options);
    let mut out = Memory::zeroed(u64::from(width) * u64::from(height))?;
    decoder.decode_into(&mut out).map_err(|_| MediaError::Unreadable)?;
    Ok(out)
}

fn stretch(plane: Memory, from: (u32, u32), to: (u32, u32)) -> Result<Memory, MediaError> {
    if from == to {
        return Ok(plane);
    }
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Interpolation(FilterType::Bilinear));
    shape::resize::<U8>(&plane, from, to, &options)
}

fn to_rgb(pixel: &mut [u8; 3]) {
    let [y, cb, cr] = pixel.map(f32::from);
    let (cb, cr) = (cb - 128.0, cr - 128.0);
    *pixel = [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb]
        .map(|v| v.round().clamp(0.0, 255.0) as u8);
}
