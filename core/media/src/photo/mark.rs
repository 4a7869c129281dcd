//! Covering what must not be seen: faces, name plates, letters on a bedside table. The pixels themselves are
//! replaced before anything is encoded, so nothing of what lay under a mark is in the photo or its thumbnail.

use super::decode::{Picture, Space};
use crate::MediaError;

/// The outline of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The whole frame of the mark.
    Rectangle,
    /// The largest ellipse within the frame of the mark.
    Ellipse,
}

/// What is put over a marked area.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    /// Black. Nothing of what lay under it can be had back. For names, numbers and everything written.
    Black,
    /// At most six by six mean colours of the area, smoothly joined: light and skin remain, features do not.
    /// For faces. What was one of a few known pictures could be guessed at from the means, so not for text.
    Blur,
}

/// A marked area of a photo. All lengths are shares (0 to 1) of the width and height of the upright picture,
/// as it is shown to the one who marks, from its left upper corner; what sticks out is cut off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Its outline.
    pub shape: Shape,
    /// What covers it.
    pub cover: Cover,
    /// Left edge, as a share of the width.
    pub left: f32,
    /// Upper edge, as a share of the height.
    pub top: f32,
    /// Width, as a share of the width.
    pub width: f32,
    /// Height, as a share of the height.
    pub height: f32,
}

/// More than a person marks.
const MOST: usize = 500;
/// Mean colours along a blurred area's longer side.
const CELLS: usize = 6;

/// A mark's frame in pixels, rounded outwards: `left..right` and `top..bottom`.
struct Frame {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    /// Middle and half axes of the ellipse, `None` for a rectangle.
    ellipse: Option<[f64; 4]>,
}

impl Frame {
    fn of(mark: &Mark, picture: &Picture) -> Option<Self> {
        let (w, h) = (f64::from(picture.width), f64::from(picture.height));
        let [left, width] = [mark.left, mark.width].map(|v| f64::from(v) * w);
        let [top, height] = [mark.top, mark.height].map(|v| f64::from(v) * h);
        let sound = [left, top, width, height].iter().all(|v| v.is_finite()) && width > 0.0 && height > 0.0;
        let inside = |v: f64, most: f64| v.clamp(0.0, most) as usize;
        let frame = Self {
            left: inside(left.floor(), w),
            top: inside(top.floor(), h),
            right: inside((left + width).ceil(), w),
            bottom: inside((top + height).ceil(), h),
            ellipse: (mark.shape == Shape::Ellipse).then_some([
                left + width / 2.0,
                top + height / 2.0,
                width / 2.0,
                height / 2.0,
            ]),
        };
        (sound && frame.left < frame.right && frame.top < frame.bottom).then_some(frame)
    }

    /// The covered pixels of a row. A pixel that the outline only touches counts.
    fn row(&self, y: usize) -> std::ops::Range<usize> {
        let Some([cx, cy, rx, ry]) = self.ellipse else { return self.left..self.right };
        let nearest = cy.clamp(y as f64, y as f64 + 1.0);
        let reach = 1.0 - ((nearest - cy) / ry).powi(2);
        if reach < 0.0 {
            return self.left..self.left;
        }
        let half = rx * reach.sqrt();
        let from = (cx - half).floor().max(self.left as f64) as usize;
        let to = (cx + half).ceil().clamp(0.0, self.right as f64) as usize;
        from.min(to)..to
    }
}

/// Covers every mark. Errors: `BadMark` for a mark that is no area of the picture or for too many
/// of them; a mark is never passed over in silence.
pub(super) fn cover(picture: &mut Picture, marks: &[Mark]) -> Result<(), MediaError> {
    let unfit = MediaError::BadMark;
    if marks.len() > MOST {
        return Err(unfit);
    }
    let frames: Option<Vec<_>> =
        marks.iter().map(|mark| Frame::of(mark, picture).map(|frame| (mark.cover, frame))).collect();
    let frames = frames.ok_or(unfit)?;
    let of = |kind: Cover| frames.iter().filter(move |(cover, _)| *cover == kind).map(|(_, frame)| frame);
    // Black first, so that no blur beside it takes its colours from what is under the black; and once more,
    // so that no blur lies over it.
    of(Cover::Black).for_each(|frame| black(picture, frame));
    of(Cover::Blur).for_each(|frame| blur(picture, frame));
    of(Cover::Black).for_each(|frame| black(picture, frame));
    Ok(())
}

fn black(picture: &mut Picture, frame: &Frame) {
    let colour: &[u8] = match picture.space {
        Space::Luma => &[0],
        Space::Ycc => &[0, 128, 128],
        Space::Rgb => &[0; 3],
        Space::Ink => &[0; 4],
    };
    let (n, width) = (colour.len(), picture.width as usize);
    for y in frame.top..frame.bottom {
        let columns = frame.row(y);
        let row = &mut picture.pixels[(y * width + columns.start) * n..(y * width + columns.end) * n];
        row.chunks_exact_mut(n).for_each(|pixel| pixel.copy_from_slice(colour));
    }
}

fn blur(picture: &mut Picture, frame: &Frame) {
    let (n, stride) = (picture.space.bytes(), picture.width as usize);
    let (width, height) = (frame.right - frame.left, frame.bottom - frame.top);
    let side = width.max(height).div_ceil(CELLS);
    let (across, down) = (width.div_ceil(side), height.div_ceil(side));
    // Sums and counts of the cells, then their means.
    let mut means = vec![[0.0_f32; 4]; across * down];
    let mut counts = vec![0.0_f32; across * down];
    for y in 0..height {
        let start = ((frame.top + y) * stride + frame.left) * n;
        for (x, pixel) in picture.pixels[start..start + width * n].chunks_exact(n).enumerate() {
            let cell = y / side * across + x / side;
            counts[cell] += 1.0;
            for (sum, value) in means[cell].iter_mut().zip(pixel) {
                *sum += f32::from(*value);
            }
        }
    }
    for (mean, count) in means.iter_mut().zip(counts) {
        mean.iter_mut().for_each(|sum| *sum /= count);
    }
    // Between the middles of the cells the colour goes evenly from one to the next.
    let place = |at: usize, cells: usize| {
        let exact = ((at as f32 + 0.5) / side as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
        let low = exact as usize;
        (low, (low + 1).min(cells - 1), exact - low as f32)
    };
    for y in 0..height {
        let (up, below, v) = place(y, down);
        let columns = frame.row(frame.top + y);
        for x in columns {
            let (left, right, u) = place(x - frame.left, across);
            let at = ((frame.top + y) * stride + x) * n;
            for (i, value) in picture.pixels[at..at + n].iter_mut().enumerate() {
                let mix = |row: usize| {
                    means[row * across + left][i] * (1.0 - u) + means[row * across + right][i] * u
                };
                *value = (mix(up) * (1.0 - v) + mix(below) * v).round() as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: u32, height: u32, space: Space) -> Picture {
        let mut state = 7_u32;
        let pixels = (0..width as usize * height as usize * space.bytes()).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        Picture { pixels: pixels.collect::<Vec<u8>>().into(), width, height, space }
    }

    fn mark(shape: Shape, cover: Cover) -> Mark {
        Mark { shape, cover, left: 0.25, top: 0.5, width: 0.5, height: 0.25 }
    }

    #[test]
    fn the_same_remains_whatever_was_under_black() {
        for space in [Space::Luma, Space::Ycc, Space::Rgb] {
            for shape in [Shape::Rectangle, Shape::Ellipse] {
                let marks = [mark(shape, Cover::Black), mark(shape, Cover::Blur)];
                let mut a = noise(61, 47, space);
                let mut b = a.clone();
                let frame = Frame::of(&marks[0], &a).unwrap();
                for y in frame.top..frame.bottom {
                    for x in frame.row(y) {
                        let at = (y * 61 + x) * space.bytes();
                        b.pixels[at..at + space.bytes()].fill(255);
                    }
                }
                assert!(a.pixels != b.pixels);
                cover(&mut a, &marks).unwrap();
                cover(&mut b, &marks).unwrap();
                assert!(a.pixels == b.pixels, "{space:?} {shape:?}");
            }
        }
    }

    #[test]
    fn only_the_area_changes_and_all_of_it() {
        let before = noise(60, 40, Space::Luma);
        let mut after = before.clone();
        cover(&mut after, &[mark(Shape::Rectangle, Cover::Black)]).unwrap();
        for (i, (a, b)) in before.pixels.iter().zip(after.pixels.iter()).enumerate() {
            let inside = (15..45).contains(&(i % 60)) && (20..30).contains(&(i / 60));
            assert_eq!(*b, if inside { 0 } else { *a }, "{} {}", i % 60, i / 60);
        }
        let mut round = before.clone();
        cover(&mut round, &[mark(Shape::Ellipse, Cover::Black)]).unwrap();
        let at = |x: usize, y: usize| (before.pixels[y * 60 + x], round.pixels[y * 60 + x]);
        assert_eq!((at(30, 25).1, at(16, 25).1, at(43, 24).1, at(30, 20).1, at(30, 29).1), (0, 0, 0, 0, 0));
        for (x, y) in [(15, 20), (44, 20), (15, 29), (44, 29), (14, 25), (45, 25)] {
            assert_eq!(at(x, y).0, at(x, y).1, "a corner stays: {x} {y}");
        }
    }

    #[test]
    fn a_blur_leaves_means_and_no_detail() {
        let mut picture = noise(400, 400, Space::Rgb);
        let all =
            Mark { left: -1.0, top: -1.0, width: 3.0, height: 3.0, ..mark(Shape::Rectangle, Cover::Blur) };
        cover(&mut picture, &[all]).unwrap();
        assert!(picture.pixels.iter().all(|v| v.abs_diff(128) < 8), "the mean of noise is grey");
        let mut halves = Picture {
            pixels: [[10_u8; 200], [240; 200]].concat().repeat(400).into(),
            width: 400,
            height: 400,
            space: Space::Luma,
        };
        cover(&mut halves, &[all]).unwrap();
        let row = &halves.pixels[200 * 400..201 * 400];
        assert!(row.windows(2).all(|w| w[0].abs_diff(w[1]) < 6), "no edge is left");
        assert!(row[5] < 20 && row[395] > 230, "light and dark are");
    }

    #[test]
    fn a_mark_that_is_no_area_is_an_error() {
        let mut picture = noise(20, 20, Space::Luma);
        let good = mark(Shape::Ellipse, Cover::Black);
        for bad in [
            Mark { left: f32::NAN, ..good },
            Mark { width: 0.0, ..good },
            Mark { height: -0.1, ..good },
            Mark { top: f32::INFINITY, ..good },
            Mark { left: 1.5, ..good },
            Mark { left: -2.0, ..good },
        ] {
            let before = picture.pixels.clone();
            assert_eq!(cover(&mut picture, &[good, bad]), Err(MediaError::BadMark));
            assert!(picture.pixels == before);
        }
        assert!(cover(&mut picture, &[good; 501]).is_err());
        let tiny = Mark { left: 0.999, top: 0.0, width: 1e-6, height: 1e-6, ..good };
        cover(&mut picture, &[tiny, Mark { cover: Cover::Blur, ..tiny }]).unwrap();
        assert_eq!(picture.pixels[19], 0);
    }
}
