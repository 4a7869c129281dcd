//! Size and turn. Works on pixels of one or three bytes whatever they mean.

use super::decode::{Picture, Space};
use super::memory::Memory;
use crate::MediaError;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;
use std::sync::{Mutex, PoisonError};

/// The picture with its longest side at `side`, or `None` when it is no larger already.
pub(super) fn shrink(picture: &Picture, side: u32) -> Result<Option<Picture>, MediaError> {
    let longest = picture.width.max(picture.height);
    let side = side.max(1);
    if longest <= side {
        return Ok(None);
    }
    let scaled = |length: u32| {
        let exact = (u64::from(length) * u64::from(side) + u64::from(longest) / 2) / u64::from(longest);
        u32::try_from(exact).unwrap_or(side).max(1)
    };
    let (width, height) = (scaled(picture.width), scaled(picture.height));
    let options =
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false);
    let resize = match picture.space {
        Space::Luma => resize::<U8>,
        Space::Ycc | Space::Rgb => resize::<U8x3>,
        Space::Ink => resize::<U8x4>,
    };
    let pixels = resize(&picture.pixels, (picture.width, picture.height), (width, height), &options)?;
    Ok(Some(Picture { pixels, width, height, space: picture.space }))
}

/// Into how many strips a picture is cut while it is resized. What lies between the two passes over a strip is
/// small enough to be used again at once.
const STRIPS: u32 = 4;

/// Pixels of one kind in another size. The kind is named where this is called: code for all that the library
/// knows would be megabytes. A strip's edges see the pixels beyond them, so none is to be seen.
pub(super) fn resize<P: PixelTrait>(
    pixels: &[u8],
    from: (u32, u32),
    to: (u32, u32),
    options: &ResizeOptions,
) -> Result<Memory, MediaError> {
    let source = TypedImageRef::<P>::from_buffer(from.0, from.1, pixels);
    let source = source.map_err(|_| MediaError::Unreadable)?;
    let row = to.0 as usize * P::size();
    let mut bytes = Memory::zeroed(row as u64 * u64::from(to.1))?;
    let rows = to.1.div_ceil(STRIPS).max(1);
    let (width, height) = (f64::from(from.0), f64::from(from.1));
    let line = |y: u32| height * f64::from(y) / f64::from(to.1);
    let tops = (0..to.1).step_by(rows as usize);
    let strips = Mutex::new(bytes.chunks_mut((row * rows as usize).max(1)).zip(tops));
    together(|| {
        let mut resizer = Resizer::new();
        while let Some((strip, top)) = next(&strips) {
            let bottom = (top + rows).min(to.1);
            let options = options.crop(0.0, line(top), width, line(bottom) - line(top));
            let target = TypedImage::<P>::from_buffer(to.0, bottom - top, strip);
            let mut target = target.map_err(|_| MediaError::Unreadable)?;
            resizer.resize_typed(&source, &mut target, &options).map_err(|_| MediaError::Unreadable)?;
        }
        Ok(())
    })?;
    Ok(bytes)
}

/// The next piece of work, for whichever thread asks.
fn next<T>(pieces: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    pieces.lock().unwrap_or_else(PoisonError::into_inner).next()
}

/// The same on this thread and another, until both find nothing more to do.
fn together(work: impl Fn() -> Result<(), MediaError> + Sync) -> Result<(), MediaError> {
    std::thread::scope(|threads| {
        let other = threads.spawn(&work);
        work()?;
        other.join().map_err(|_| MediaError::Unreadable)?
    })
}

/// The picture as it is to be looked at. `spare` is memory that nobody needs any more: memory that was used
/// before is there sooner than new one.
pub(super) fn turn(picture: Picture, orientation: Orientation, spare: Memory) -> Result<Picture, MediaError> {
    if orientation == Orientation::NoTransforms {
        return Ok(picture);
    }
    match picture.space {
        Space::Luma => turn_by::<1>(picture, orientation, spare),
        Space::Ycc | Space::Rgb => turn_by::<3>(picture, orientation, spare),
        Space::Ink => turn_by::<4>(picture, orientation, spare),
    }
}

/// Side of the squares in which pixels move: source rows and target rows of one square stay in the cache.
const BLOCK: usize = 32;

fn turn_by<const N: usize>(
    picture: Picture,
    orientation: Orientation,
    pixels: Memory,
) -> Result<Picture, MediaError> {
    use Orientation::*;
    let (w, h) = (picture.width as usize, picture.height as usize);
    let sideways = matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH);
    let (tw, th) = if sideways { (h, w) } else { (w, h) };
    // Where the target pixel (x, y) comes from: an offset and a step for each direction, in pixels.
    let (w_, h_) = (w as isize, h as isize);
    let (start, dx, dy) = match orientation {
        NoTransforms => (0, 1, w_),
        FlipHorizontal => (w_ - 1, -1, w_),
        FlipVertical => ((h_ - 1) * w_, 1, -w_),
        Rotate180 => (h_ * w_ - 1, -1, -w_),
        Rotate90 => ((h_ - 1) * w_, -w_, 1),
        Rotate270 => (w_ - 1, w_, -1),
        Rotate90FlipH => (0, w_, 1),
        Rotate270FlipH => (h_ * w_ - 1, -w_, -1),
    };
    let (source, _) = picture.pixels.as_chunks::<N>();
    let mut pixels = pixels.again(picture.pixels.len())?;
    let (target, _) = pixels.as_chunks_mut::<N>();
    let bands = Mutex::new(target.chunks_mut((BLOCK * tw).max(1)).zip((0..th).step_by(BLOCK)));
    together(|| {
        while let Some((band, top)) = next(&bands) {
            for left in (0..tw).step_by(BLOCK) {
                let columns = BLOCK.min(tw - left);
                for (y, row) in band.chunks_exact_mut(tw).enumerate() {
                    let from = start + (top + y) as isize * dy + left as isize * dx;
                    for (i, pixel) in row[left..left + columns].iter_mut().enumerate() {
                        *pixel = source[(from + i as isize * dx) as usize];
                    }
                }
            }
        }
        Ok(())
    })?;
    Ok(Picture { pixels, width: tw as u32, height: th as u32, space: picture.space })
}
