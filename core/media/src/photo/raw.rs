//! Pixels that the platform's own decoder hands over: HEIC, AVIF and camera formats, which this crate does
//! not read itself.

use super::colour::Profile;
use super::decode::{Original, Picture, Space, room};
use super::memory::Memory;
use crate::MediaError;
use image::metadata::Orientation;

/// A decoded picture: eight bits each of red, green, blue and alpha (not multiplied in).
#[derive(Clone, Copy)]
pub struct Pixels<'a> {
    /// The rows, from the top. `stride` bytes from the begin of one to the begin of the next; the last may
    /// stop after its last pixel.
    pub rgba: &'a [u8],
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// Bytes from row to row, at least four times the width.
    pub stride: usize,
    /// How it is to be turned: EXIF's 1 to 8. 1 where the platform has done so already.
    pub orientation: u8,
    /// The colour profile that the platform names, as ICC bytes. `None` for sRGB.
    pub icc: Option<&'a [u8]>,
}

impl std::fmt::Debug for Pixels<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pixels({}x{}, orientation {})", self.width, self.height, self.orientation)
    }
}

/// Takes the pixels over: three bytes each here, beside those that the caller has anyway. Errors: `TooLarge` (pixels),
/// `BadPixels` where the numbers do not fit the bytes.
pub(super) fn open(pixels: &Pixels<'_>, max_pixels: u64) -> Result<Original, MediaError> {
    let unfit = || MediaError::BadPixels;
    let Pixels { rgba, width, height, stride, orientation, icc } = *pixels;
    let count = u64::from(width) * u64::from(height);
    room(count, count.saturating_mul(3), max_pixels)?;
    let row = (width as usize).checked_mul(4).ok_or_else(unfit)?;
    let needed = stride.checked_mul((height as usize).saturating_sub(1)).and_then(|n| n.checked_add(row));
    let whole = width > 0 && height > 0 && stride >= row && needed.is_some_and(|n| n <= rgba.len());
    let orientation = Orientation::from_exif(orientation).filter(|_| whole).ok_or_else(unfit)?;
    let mut out = Memory::zeroed(u64::from(width) * u64::from(height) * 3)?;
    let (target, _) = out.as_chunks_mut::<3>();
    for (from, to) in rgba.chunks(stride).zip(target.chunks_exact_mut(width as usize)) {
        for (p, q) in from.as_chunks::<4>().0.iter().zip(to) {
            *q = [0, 1, 2].map(|i| super::decode::on_white(p[i], p[3]));
        }
    }
    let profile = icc.and_then(|icc| Profile::unlike_srgb(icc, Space::Rgb));
    Ok(Original { picture: Picture { pixels: out, width, height, space: Space::Rgb }, orientation, profile })
}
