//! Photos: from what a camera wrote to a small upright picture that holds nothing but pixels, and the
//! check that a picture is such a one. HEIC is not read here: the phone's system decodes it and hands over
//! [`Pixels`].

mod colour;
mod decode;
mod lines;
mod mark;
mod memory;
mod other;
mod raw;
mod separate;
mod shape;

pub use mark::{Cover, Mark, Shape};
pub use raw::Pixels;

use crate::jpeg::{self, Outline};
use crate::{Cancel, MediaError};
use decode::{Picture, Space};
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};

/// What a photo becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Longest side of the photo, in pixels. Smaller originals keep their size.
    pub longest_side: u32,
    /// Longest side of the thumbnail, in pixels.
    pub thumbnail_side: u32,
    /// JPEG quality tried first, 1 to 100.
    pub quality: u8,
    /// Lowest quality; below it the picture gets smaller instead.
    pub least_quality: u8,
    /// Most bytes of the photo.
    pub max_bytes: usize,
    /// Most pixels that an original may have. Checked before memory is taken: decoding needs three bytes for each
    /// in most files, six to twelve in progressive ones, up to eight in PNG and eighteen in WebP. Of those that need
    /// more than three fewer are read, so that a photo takes less than 300 MB beside its file.
    pub max_pixels: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            longest_side: 2048,
            thumbnail_side: 400,
            quality: 81,
            least_quality: 56,
            max_bytes: 1_500_000,
            max_pixels: 64_000_000,
        }
    }
}

/// A photo ready to leave the device: two JPEG files, upright, sRGB, without a tag.
#[derive(Clone, PartialEq, Eq)]
pub struct Compressed {
    /// The photo.
    pub photo: Vec<u8>,
    /// The same in small.
    pub thumbnail: Vec<u8>,
    /// Width of the photo in pixels.
    pub width: u32,
    /// Height of the photo in pixels.
    pub height: u32,
    /// The quality that met the budget.
    pub quality: u8,
}

impl std::fmt::Debug for Compressed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Compressed({}x{}, {} bytes)", self.width, self.height, self.photo.len())
    }
}

/// What the server accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes.
    pub max_bytes: usize,
    /// Longest side in pixels.
    pub max_side: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_bytes: 8 * 1024 * 1024, max_side: 2048 }
    }
}

/// What a verified photo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhotoFacts {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// Where a photo comes from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// The bytes of a JPEG (sequential or progressive; grey, colour or CMYK), PNG or WebP file.
    File(&'a [u8]),
    /// What the platform's decoder made of any other file.
    Pixels(Pixels<'a>),
}

impl std::fmt::Debug for Source<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(bytes) => write!(f, "File({} bytes)", bytes.len()),
            Self::Pixels(pixels) => pixels.fmt(f),
        }
    }
}

/// Makes the photo and its thumbnail from a file's bytes: [`prepare`] without marks.
pub fn compress(bytes: &[u8], plan: &Plan, cancel: &Cancel) -> Result<Compressed, MediaError> {
    prepare(Source::File(bytes), plan, &[], cancel)
}

/// Makes the photo and its thumbnail: turned upright, colours brought to sRGB, downscaled, marked areas
/// covered in both, everything but the pixels left out. Blocks for tens of milliseconds and uses a second
/// thread for the thumbnail: not for a UI thread.
///
/// Errors: [`MediaError::Unreadable`] (damaged or cut off), `Unsupported` (HEIC bytes, a lossless, arithmetic
/// or twelve-bit JPEG), `TooLarge` (pixels of the original; bytes when no quality meets the budget),
/// `Cancelled`, `BadMark` (a mark that is no area of the picture, or too many), `BadPixels` (that do not fit
/// their numbers).
pub fn prepare(
    source: Source<'_>,
    plan: &Plan,
    marks: &[Mark],
    cancel: &Cancel,
) -> Result<Compressed, MediaError> {
    cancel.check()?;
    let original = match source {
        Source::File(bytes) => decode::open(bytes, plan.max_pixels)?,
        Source::Pixels(pixels) => raw::open(&pixels, plan.max_pixels)?,
    };
    cancel.check()?;
    let mut picture = finish(original, plan.longest_side)?;
    mark::cover(&mut picture, marks)?;
    cancel.check()?;
    std::thread::scope(|threads| {
        let thumbnail = threads.spawn(|| match shape::shrink(&picture, plan.thumbnail_side)? {
            Some(small) => encode(&small, THUMBNAIL_QUALITY),
            None => encode(&picture, THUMBNAIL_QUALITY),
        });
        let first = encode(&picture, plan.quality)?;
        let thumbnail = thumbnail.join().map_err(|_| MediaError::Unreadable)??;
        Ok((first, thumbnail))
    })
    .and_then(|(mut photo, thumbnail)| {
        let mut quality = plan.quality;
        while photo.len() > plan.max_bytes {
            cancel.check()?;
            if quality > plan.least_quality {
                quality = quality.saturating_sub(QUALITY_STEP).max(plan.least_quality);
            } else {
                let side = picture.width.max(picture.height) / 4 * 3;
                if side < LEAST_SIDE {
                    return Err(MediaError::TooLarge { what: "bytes", limit: plan.max_bytes as u64 });
                }
                picture = shape::shrink(&picture, side)?.unwrap_or(picture);
            }
            photo = encode(&picture, quality)?;
        }
        Ok(Compressed { photo, thumbnail, width: picture.width, height: picture.height, quality })
    })
}

/// Checks that the bytes are one whole JPEG picture within the limits and nothing else: no EXIF, XMP, ICC,
/// comment or other segment than a plain JFIF or Adobe one, no byte after its end. Sizes are checked before
/// memory is taken.
///
/// Errors: [`MediaError::Unreadable`], `TooLarge`, `NotStripped`.
pub fn verify(bytes: &[u8], limits: &Limits) -> Result<PhotoFacts, MediaError> {
    if bytes.len() > limits.max_bytes {
        return Err(MediaError::TooLarge { what: "bytes", limit: limits.max_bytes as u64 });
    }
    let outline = jpeg::outline(bytes).ok_or(MediaError::Unreadable)?;
    if outline.width.max(outline.height) > limits.max_side {
        return Err(MediaError::TooLarge { what: "side", limit: limits.max_side.into() });
    }
    only_pixels(bytes, &outline)?;
    decode::jpeg(bytes, &outline)?;
    Ok(PhotoFacts { width: outline.width, height: outline.height })
}

/// A small JPEG of a JPEG, PNG or WebP, its longest side at most `side` pixels, as free of tags as a photo.
/// Meant for pictures that passed [`verify`]; others are read with the same care as by [`compress`].
pub fn thumbnail(bytes: &[u8], side: u32) -> Result<Vec<u8>, MediaError> {
    encode(&finish(decode::open(bytes, Plan::default().max_pixels)?, side)?, THUMBNAIL_QUALITY)
}

const THUMBNAIL_QUALITY: u8 = 75;
const QUALITY_STEP: u8 = 8;
const LEAST_SIDE: u32 = 320;

/// Everything that is done to the pixels. Small first: turning and colour then cost a quarter.
fn finish(original: decode::Original, side: u32) -> Result<Picture, MediaError> {
    let decode::Original { picture, orientation, profile } = original;
    let (mut picture, spare) = match shape::shrink(&picture, side)? {
        Some(small) => (small, picture.pixels),
        None => (picture, Vec::new().into()),
    };
    if let Some(profile) = profile {
        profile.to_srgb(&mut picture)?;
    }
    shape::turn(picture, orientation, spare)
}

fn encode(picture: &Picture, quality: u8) -> Result<Vec<u8>, MediaError> {
    let too_large = MediaError::TooLarge { what: "side", limit: u16::MAX.into() };
    let width = u16::try_from(picture.width).map_err(|_| too_large.clone())?;
    let height = u16::try_from(picture.height).map_err(|_| too_large)?;
    let mut out = Vec::with_capacity(picture.pixels.len() / 8);
    let mut encoder = Encoder::new(&mut out, quality.clamp(1, 100));
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    // Two passes over the coefficients and tables of the picture's own: a seventh fewer bytes for the same
    // pixels. This encoder does that only for progressive files or with a scan for each colour, and the
    // latter many decoders cannot read.
    encoder.set_progressive_scans(2);
    encoder.set_optimized_huffman_tables(true);
    let pixels = &picture.pixels;
    let encoded = match picture.space {
        Space::Luma => encoder.encode(pixels, width, height, ColorType::Luma),
        Space::Ycc => {
            encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Nearest);
            encoder.encode_image(lines::Ycc { pixels: pixels.as_chunks().0, width, height })
        }
        Space::Rgb => encoder.encode(pixels, width, height, ColorType::Rgb),
        Space::Ink => return Err(MediaError::Unreadable),
    };
    encoded.map_err(|_| MediaError::Unreadable)?;
    Ok(out)
}

/// Refuses every segment and byte that decoding does not need.
fn only_pixels(bytes: &[u8], outline: &Outline) -> Result<(), MediaError> {
    if outline.gaps {
        return Err(MediaError::extra("bytes between segments"));
    }
    if bytes.len() != outline.end + 2 {
        return Err(MediaError::extra("bytes after the end"));
    }
    for segment in &outline.segments {
        let content = &bytes[segment.content.clone()];
        let plain = match segment.marker {
            // JFIF with neither extension nor thumbnail, Adobe's colour transform: both have one length.
            0xE0 => content.len() == 14 && content.starts_with(b"JFIF\0") && content[12..] == [0, 0],
            0xEE => content.len() == 12 && content.starts_with(b"Adobe"),
            0xE1..=0xEF | 0xF0..=0xFE | 0x00..=0xBF => false,
            _ => true,
        };
        if !plain {
            return Err(MediaError::extra(match segment.marker {
                0xE0..=0xEF => format!("APP{}", segment.marker - 0xE0),
                0xFE => "comment".into(),
                other => format!("marker {other:02X}"),
            }));
        }
    }
    Ok(())
}
