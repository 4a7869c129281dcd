//! Size and turn. Works on pixels of one or three bytes whatever they mean.

use super::decode::{Picture, Space};
use crate::MediaError;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use image::metadata::Orientation;

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

/// Pixels of one kind in another size. The kind is named where this is called: code for all that the library
/// knows would be megabytes.
pub(super) fn resize<P: PixelTrait>(
    pixels: &[u8],
    from: (u32, u32),
    to: (u32, u32),
    options: &ResizeOptions,
) -> Result<Vec<u8>, MediaError> {
    let source = TypedImageRef::<P>::from_buffer(from.0, from.1, pixels);
    let source = source.map_err(|_| MediaError::Unreadable)?;
    let mut bytes = vec![0; to.0 as usize * to.1 as usize * P::size()];
    let target = TypedImage::<P>::from_buffer(to.0, to.1, &mut bytes);
    let mut target = target.map_err(|_| MediaError::Unreadable)?;
    Resizer::new().resize_typed(&source, &mut target, options).map_err(|_| MediaError::Unreadable)?;
    Ok(bytes)
}

/// The picture as it is to be looked at.
pub(super) fn turn(picture: Picture, orientation: Orientation) -> Picture {
    if orientation == Orientation::NoTransforms {
        return picture;
    }
    match picture.space {
        Space::Luma => turn_by::<1>(picture, orientation),
        Space::Ycc | Space::Rgb => turn_by::<3>(picture, orientation),
        Space::Ink => turn_by::<4>(picture, orientation),
    }
}

/// Side of the squares in which pixels move: source rows and target rows of one square stay in the cache.
const BLOCK: usize = 32;

fn turn_by<const N: usize>(picture: Picture, orientation: Orientation) -> Picture {
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
    let mut pixels = vec![0; picture.pixels.len()];
    let (target, _) = pixels.as_chunks_mut::<N>();
    for by in (0..th).step_by(BLOCK) {
        for bx in (0..tw).step_by(BLOCK) {
            let columns = BLOCK.min(tw - bx);
            for y in by..(by + BLOCK).min(th) {
                let from = start + y as isize * dy + bx as isize * dx;
                let row = &mut target[y * tw + bx..][..columns];
                for (i, pixel) in row.iter_mut().enumerate() {
                    *pixel = source[(from + i as isize * dx) as usize];
                }
            }
        }
    }
    Picture { pixels, width: tw as u32, height: th as u32, space: picture.space }
}
