//! Size and turn. Works on pixels of one or three bytes whatever they mean.

use super::decode::{Picture, Space};
use crate::MediaError;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
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
    let kind = match picture.space {
        Space::Luma => PixelType::U8,
        Space::Ycc | Space::Rgb => PixelType::U8x3,
        Space::Ink => PixelType::U8x4,
    };
    let source = ImageRef::new(picture.width, picture.height, &picture.pixels, kind)
        .map_err(|_| MediaError::Unreadable)?;
    let mut target = Image::new(width, height, kind);
    let options =
        ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false);
    Resizer::new().resize(&source, &mut target, &options).map_err(|_| MediaError::Unreadable)?;
    Ok(Some(Picture { pixels: target.into_vec(), width, height, space: picture.space }))
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
