//! Small pictures and how to look at them, for the tests of this package.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part and may stop here")]

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use renraku_media::{Cancel, MediaError, photo};
use std::io::Cursor;

pub fn compress(bytes: &[u8]) -> Result<photo::Compressed, MediaError> {
    photo::compress(bytes, &photo::Plan::default(), &Cancel::new())
}

/// The markers of a JPEG up to its scan, found without the code under test.
pub fn markers(jpeg: &[u8]) -> Vec<u8> {
    assert_eq!(jpeg[..2], [0xFF, 0xD8]);
    let (mut at, mut found) = (2, vec![]);
    loop {
        assert_eq!(jpeg[at], 0xFF);
        found.push(jpeg[at + 1]);
        if jpeg[at + 1] == 0xDA {
            return found;
        }
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
}

pub fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|w| w == needle)
}

/// Red above, green below, blue in the left upper corner: every one of the eight turns looks different.
pub fn flag(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => Rgb([20, 20, 230]),
        (false, true) => Rgb([230, 20, 20]),
        (_, false) => Rgb([20, 230, 20]),
    })
}

pub fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

pub fn decoded(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).unwrap().into_rgb8()
}

#[track_caller]
pub fn near(found: &Rgb<u8>, wanted: [u8; 3], tolerance: u8) {
    for (a, b) in found.0.iter().zip(wanted) {
        assert!(a.abs_diff(b) <= tolerance, "{found:?} is not {wanted:?}");
    }
}
