//! What was covered is gone: from the photo, from its thumbnail, from every byte of both.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]

mod pictures;

use image::{ImageFormat, Rgb, RgbImage};
use pictures::{decoded, encoded, near};
use renraku_media::photo::{Cover, Mark, Plan, Shape, Source, prepare};
use renraku_media::{Cancel, MediaError, fixture};

/// The upper left eighth, where the name plate is.
const PLATE: Mark =
    Mark { shape: Shape::Rectangle, cover: Cover::Black, left: 0.1, top: 0.2, width: 0.3, height: 0.1 };

/// A grey room with a plate of black and white stripes at [`PLATE`], the stripes as fine as asked.
fn room(width: u32, height: u32, stripes: u32, upside_down: bool) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        let plate = (0.11..0.39).contains(&u) && (0.21..0.29).contains(&v);
        let dark = (x / stripes).is_multiple_of(2) != upside_down;
        Rgb(if plate { [if dark { 0 } else { 255 }; 3] } else { [90, 140, 170] })
    })
}

fn made(file: &[u8], marks: &[Mark]) -> renraku_media::photo::Compressed {
    prepare(Source::File(file), &Plan::default(), marks, &Cancel::new()).unwrap()
}

#[test]
fn two_photos_that_differ_only_under_black_become_the_same_bytes() {
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        for shape in [Shape::Rectangle, Shape::Ellipse] {
            // An ellipse must be larger for the same plate to lie within it.
            let mark = match shape {
                Shape::Rectangle => PLATE,
                Shape::Ellipse => Mark { shape, left: 0.0, top: 0.15, width: 0.5, height: 0.2, ..PLATE },
            };
            let [a, b] = [false, true].map(|turned| encoded(room(1200, 900, 12, turned), format));
            assert!(made(&a, &[]).photo != made(&b, &[]).photo, "the plates differ");
            let (a, b) = (made(&a, &[mark]), made(&b, &[mark]));
            assert!(a.photo == b.photo && a.thumbnail == b.thumbnail, "{format:?} {shape:?}");
        }
    }
}

#[test]
fn black_is_black_in_photo_and_thumbnail_and_the_rest_stays() {
    let file = encoded(room(3000, 2000, 30, false), ImageFormat::Png);
    let made = made(&file, &[PLATE]);
    for jpeg in [&made.photo, &made.thumbnail] {
        let shown = decoded(jpeg);
        let (w, h) = shown.dimensions();
        for (u, v) in [(0.12, 0.22), (0.25, 0.25), (0.38, 0.28)] {
            near(shown.get_pixel((w as f32 * u) as u32, (h as f32 * v) as u32), [0; 3], 10);
        }
        for (u, v) in [(0.05, 0.25), (0.45, 0.25), (0.25, 0.1), (0.25, 0.36)] {
            near(shown.get_pixel((w as f32 * u) as u32, (h as f32 * v) as u32), [90, 140, 170], 10);
        }
    }
}

#[test]
fn marks_are_of_the_upright_picture_in_all_eight_orientations() {
    use image::metadata::Orientation;
    let upright = room(640, 480, 8, false);
    for orientation in 1..=8_u16 {
        let opposite = match orientation {
            6 => 8,
            8 => 6,
            other => other as u8,
        };
        let mut stored = image::DynamicImage::from(upright.clone());
        stored.apply_orientation(Orientation::from_exif(opposite).unwrap());
        let stored = stored.into_rgb8();
        let plain = fixture::jpeg(stored.as_raw(), stored.width(), stored.height(), 95);
        let made = made(&fixture::tagged(&plain, orientation, Some(&fixture::display_p3())), &[PLATE]);
        let shown = decoded(&made.photo);
        for (x, y) in [(75, 105), (150, 120), (240, 135)] {
            near(shown.get_pixel(x, y), [0; 3], 10);
        }
        let plates = shown.pixels().filter(|p| p.0.iter().all(|v| *v > 230)).count();
        assert_eq!(plates, 0, "orientation {orientation}");
    }
}

#[test]
fn a_blurred_face_keeps_its_light_and_loses_its_features() {
    let face =
        Mark { shape: Shape::Ellipse, cover: Cover::Blur, left: 0.3, top: 0.3, width: 0.4, height: 0.4 };
    let checks =
        RgbImage::from_fn(800, 800, |x, y| Rgb([if (x / 20 + y / 20) % 2 == 0 { 40 } else { 200 }; 3]));
    let made = made(&encoded(checks, ImageFormat::Png), &[face]);
    let shown = decoded(&made.photo);
    for (x, y) in [(400, 400), (390, 400), (330, 420), (440, 330), (400, 470)] {
        near(shown.get_pixel(x, y), [120; 3], 25);
    }
    assert!(shown.get_pixel(50, 50).0[0] < 70 && shown.get_pixel(70, 50).0[0] > 170, "outside it is sharp");
}

#[test]
fn every_mark_counts_or_nothing_is_made() {
    let file = encoded(room(640, 480, 8, false), ImageFormat::Png);
    let outside = Mark { left: 1.2, ..PLATE };
    let result = prepare(Source::File(&file), &Plan::default(), &[PLATE, outside], &Cancel::new());
    assert_eq!(result, Err(MediaError::BadMark));
    let whole = Mark { left: 0.0, top: 0.0, width: 1.0, height: 1.0, ..PLATE };
    let made = made(&file, &[whole]);
    assert!(decoded(&made.photo).pixels().all(|p| p.0 == [0; 3]));
    // Grey and ink go the same way.
    let grey = encoded(image::DynamicImage::from(room(640, 480, 8, false)).into_luma8(), ImageFormat::Jpeg);
    near(decoded(&self::made(&grey, &[PLATE]).photo).get_pixel(150, 120), [0; 3], 10);
    let mut inks = Vec::new();
    let paper = [0_u8; 640 * 480 * 4];
    jpeg_encoder::Encoder::new(&mut inks, 90)
        .encode(&paper, 640, 480, jpeg_encoder::ColorType::Cmyk)
        .unwrap();
    let inks = fixture::tagged(&inks, 1, Some(&fixture::ink_profile()));
    let shown = decoded(&self::made(&inks, &[PLATE]).photo);
    near(shown.get_pixel(150, 120), [0; 3], 10);
    near(shown.get_pixel(400, 400), [255; 3], 10);
}
