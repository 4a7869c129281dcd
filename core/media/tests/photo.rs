//! Photos: what comes out of the compressor, and what the check lets in.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use renraku_media::{Cancel, MediaError, fixture, photo};
use std::io::Cursor;
use std::sync::OnceLock;

fn phone_photo() -> &'static [u8] {
    static PHOTO: OnceLock<Vec<u8>> = OnceLock::new();
    PHOTO.get_or_init(|| fixture::phone_photo(1))
}

fn compress(bytes: &[u8]) -> Result<photo::Compressed, MediaError> {
    photo::compress(bytes, &photo::Plan::default(), &Cancel::new())
}

/// The markers of a JPEG up to its scan, found without the code under test.
fn markers(jpeg: &[u8]) -> Vec<u8> {
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

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|w| w == needle)
}

/// Red above, green below, blue in the left upper corner: every one of the eight turns looks different.
fn flag(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| match (x < width / 2, y < height / 2) {
        (true, true) => Rgb([20, 20, 230]),
        (false, true) => Rgb([230, 20, 20]),
        (_, false) => Rgb([20, 230, 20]),
    })
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    picture.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn decoded(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).unwrap().into_rgb8()
}

#[track_caller]
fn near(found: &Rgb<u8>, wanted: [u8; 3], tolerance: u8) {
    for (a, b) in found.0.iter().zip(wanted) {
        assert!(a.abs_diff(b) <= tolerance, "{found:?} is not {wanted:?}");
    }
}

#[test]
fn a_phones_photo_becomes_small_upright_and_bare() {
    let original = phone_photo();
    for tag in [fixture::MAKE, fixture::MODEL, fixture::SERIAL, fixture::TAKEN, "GPSLatitude", "kitchen"] {
        assert!(contains(original, tag.as_bytes()), "the original must hold {tag}");
    }
    let made = compress(original).unwrap();
    assert_eq!((made.width, made.height), (1536, 2048));
    for jpeg in [&made.photo, &made.thumbnail] {
        let unexpected: Vec<_> =
            markers(jpeg).into_iter().filter(|m| !matches!(m, 0xE0 | 0xDB | 0xC2 | 0xC4 | 0xDA)).collect();
        assert_eq!(unexpected, [], "segments that are not needed");
        for tag in
            [fixture::MAKE, fixture::MODEL, fixture::SERIAL, fixture::TAKEN, "Exif", "GPS", "http", "ICC"]
        {
            assert!(!contains(jpeg, tag.as_bytes()), "{tag} must be gone");
        }
    }
    let facts = photo::verify(&made.photo, &photo::Limits::default()).unwrap();
    assert_eq!((facts.width, facts.height), (1536, 2048));
    assert!(made.photo.len() < 1_500_000);
    // Upright: the same picture as the drawing that was laid on its side.
    let drawing = fixture::heel(1, 3024, 4032);
    let small = decoded(&made.photo);
    let thumbnail = decoded(&made.thumbnail);
    assert_eq!(thumbnail.dimensions(), (300, 400));
    for (x, y) in [(0.5, 0.35), (0.05, 0.1), (0.3, 0.6), (0.9, 0.95)] {
        let near_by = |w: u32, h: u32, at: &dyn Fn(u32, u32) -> [u8; 3]| -> [u8; 3] {
            let (cx, cy, r) = ((w as f32 * x) as u32, (h as f32 * y) as u32, w / 60);
            let mut sum = [0_u32; 3];
            let mut n = 0;
            for py in cy - r..cy + r {
                for px in cx - r..cx + r {
                    let p = at(px, py);
                    (0..3).for_each(|i| sum[i] += u32::from(p[i]));
                    n += 1;
                }
            }
            sum.map(|s| (s / n) as u8)
        };
        let wanted = near_by(3024, 4032, &|px, py| {
            let i = (py as usize * 3024 + px as usize) * 3;
            [drawing[i], drawing[i + 1], drawing[i + 2]]
        });
        near(&Rgb(near_by(1536, 2048, &|px, py| small.get_pixel(px, py).0)), wanted, 4);
        near(&Rgb(near_by(300, 400, &|px, py| thumbnail.get_pixel(px, py).0)), wanted, 6);
    }
}

#[test]
fn the_fixture_is_deterministic_and_differs_by_seed() {
    assert!(fixture::heel(7, 90, 120) == fixture::heel(7, 90, 120));
    assert!(fixture::heel(7, 90, 120) != fixture::heel(8, 90, 120));
    assert_eq!(fixture::display_p3(), fixture::display_p3());
}

#[test]
fn every_orientation_ends_upright() {
    use image::metadata::Orientation;
    for orientation in 1..=8_u16 {
        for (width, height) in [(640, 480), (90, 33)] {
            let upright = DynamicImage::from(flag(width, height));
            // Stored so that the tag brings it back: the opposite turn. Only 6 and 8 swap.
            let opposite = match orientation {
                6 => 8,
                8 => 6,
                other => other as u8,
            };
            let mut stored = upright.clone();
            stored.apply_orientation(Orientation::from_exif(opposite).unwrap());
            let stored = stored.into_rgb8();
            let plain = fixture::jpeg(stored.as_raw(), stored.width(), stored.height(), 95);
            let tagged = fixture::tagged(&plain, orientation, None);
            let made = compress(&tagged).unwrap();
            assert_eq!((made.width, made.height), (width, height), "orientation {orientation}");
            let shown = decoded(&made.photo);
            for (x, y) in [(width / 4, height / 4), (width * 3 / 4, height / 4), (width / 4, height * 3 / 4)]
            {
                near(shown.get_pixel(x, y), upright.as_rgb8().unwrap().get_pixel(x, y).0, 12);
            }
        }
    }
}

#[test]
fn grey_and_tagged_sideways() {
    let grey = image::GrayImage::from_fn(800, 600, |x, _| image::Luma([if x < 400 { 30 } else { 220 }]));
    let tagged = fixture::tagged(&encoded(grey, ImageFormat::Jpeg), 6, None);
    let made = compress(&tagged).unwrap();
    assert_eq!((made.width, made.height), (600, 800));
    let shown = decoded(&made.photo);
    near(shown.get_pixel(300, 100), [30; 3], 4);
    near(shown.get_pixel(300, 700), [220; 3], 4);
    photo::verify(&made.photo, &photo::Limits::default()).unwrap();
}

#[test]
fn display_p3_becomes_srgb_and_srgb_stays() {
    let patch = RgbImage::from_pixel(640, 640, Rgb([180, 60, 50]));
    let plain = fixture::jpeg(patch.as_raw(), 640, 640, 95);
    let shown = |jpeg: &[u8]| *decoded(&compress(jpeg).unwrap().photo).get_pixel(320, 320);
    near(&shown(&plain), [180, 60, 50], 3);
    // By the definitions of the two spaces: (180, 60, 50) in P3 is (196, 47, 41) in sRGB.
    near(&shown(&fixture::tagged(&plain, 1, Some(&fixture::display_p3()))), [196, 47, 41], 4);
    near(&shown(&fixture::tagged(&plain, 1, Some(b"no profile at all"))), [180, 60, 50], 3);
}

#[test]
fn sixteen_bit_png_webp_and_transparency() {
    let deep = image::ImageBuffer::from_fn(3000, 1500, |x, _| {
        Rgb([if x < 1500 { 60_000_u16 } else { 5_000 }, 30_000, 0])
    });
    let made = compress(&encoded(DynamicImage::ImageRgb16(deep), ImageFormat::Png)).unwrap();
    assert_eq!((made.width, made.height), (2048, 1024));
    near(decoded(&made.photo).get_pixel(500, 500), [233, 117, 0], 4);

    let webp = encoded(flag(500, 400), ImageFormat::WebP);
    near(decoded(&compress(&webp).unwrap().photo).get_pixel(125, 100), [20, 20, 230], 8);
    assert_eq!(compress(&webp[..webp.len() / 2]), Err(MediaError::Unreadable));

    let glass = image::RgbaImage::from_pixel(64, 64, image::Rgba([0, 0, 0, 0]));
    near(decoded(&compress(&encoded(glass, ImageFormat::Png)).unwrap().photo).get_pixel(32, 32), [255; 3], 2);
}

#[test]
fn cmyk_and_progressive() {
    let ink = [30_u8, 200, 180, 10].repeat(640 * 400);
    let mut cmyk = Vec::new();
    jpeg_encoder::Encoder::new(&mut cmyk, 95).encode(&ink, 640, 400, jpeg_encoder::ColorType::Cmyk).unwrap();
    let made = compress(&cmyk).unwrap();
    // Ink on paper: light is what neither the colour nor the black takes away.
    near(decoded(&made.photo).get_pixel(300, 200), [216, 53, 72], 6);

    let mut progressive = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut progressive, 90);
    encoder.set_progressive(true);
    encoder.encode(flag(1000, 800).as_raw(), 1000, 800, jpeg_encoder::ColorType::Rgb).unwrap();
    assert!(markers(&progressive).contains(&0xC2));
    let made = compress(&progressive).unwrap();
    near(decoded(&made.photo).get_pixel(250, 200), [20, 20, 230], 10);
    for part in [4, 2] {
        let cut = &progressive[..progressive.len() - progressive.len() / part];
        assert_eq!(compress(cut), Err(MediaError::Unreadable));
    }
}

#[test]
fn a_scan_for_each_colour_is_refused_rather_than_shown_in_green() {
    let mut separate = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut separate, 90);
    encoder.set_optimized_huffman_tables(true);
    encoder.encode(flag(640, 480).as_raw(), 640, 480, jpeg_encoder::ColorType::Rgb).unwrap();
    assert!(matches!(compress(&separate), Err(MediaError::Unsupported { .. })));
}

#[test]
fn a_cut_off_photo_is_refused_wherever_it_is_cut() {
    let whole = phone_photo();
    for part in [1, 10, 25, 50, 75, 99] {
        let cut = &whole[..whole.len() * part / 100];
        assert_eq!(compress(cut), Err(MediaError::Unreadable), "{part} %");
        // The same with an end mark put behind it, as a careless repair would.
        let repaired = [cut, &[0xFF, 0xD9]].concat();
        assert_eq!(compress(&repaired), Err(MediaError::Unreadable), "{part} % with an end");
    }
    assert_eq!(compress(&whole[..whole.len() - 1]), Err(MediaError::Unreadable));
    // What we made ourselves is progressive; there a repair hides the lack of whole scans.
    let ours = compress(whole).unwrap().photo;
    for part in [10, 40, 80] {
        let repaired = [&ours[..ours.len() * part / 100], &[0xFF, 0xD9]].concat();
        assert_eq!(
            photo::verify(&repaired, &photo::Limits::default()),
            Err(MediaError::Unreadable),
            "{part} %"
        );
    }
}

#[test]
fn bombs_are_refused_by_their_header() {
    // 65,500 × 65,500 in 600 bytes.
    let mut jpeg = fixture::jpeg(&[128; 16 * 16 * 3], 16, 16, 80);
    let frame = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xDC, 0xFF, 0xDC]);
    let too_large = MediaError::TooLarge { what: "pixels", limit: 64_000_000 };
    assert_eq!(compress(&jpeg), Err(too_large.clone()));
    assert_eq!(
        photo::verify(&jpeg, &photo::Limits::default()),
        Err(MediaError::TooLarge { what: "side", limit: 2048 })
    );
    assert_eq!(photo::thumbnail(&jpeg, 400), Err(too_large.clone()));
    // 200 megapixels, the header whole and right.
    let mut png = encoded(RgbImage::new(8, 8), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0x37, 0x45, 0, 0, 0x37, 0x45]);
    let sum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&sum.to_be_bytes());
    assert_eq!(compress(&png), Err(too_large));
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, b| {
        (0..8).fold(sum ^ u32::from(*b), |s, _| if s & 1 == 1 { (s >> 1) ^ 0xEDB8_8320 } else { s >> 1 })
    })
}

#[test]
fn what_is_no_picture_is_refused() {
    for bytes in [&b""[..], b"\xFF\xD8", b"\xFF\xD8\xFF", b"GIF89a", b"hello, world", &[0; 5000]] {
        assert_eq!(compress(bytes), Err(MediaError::Unreadable));
        assert_eq!(photo::thumbnail(bytes, 100), Err(MediaError::Unreadable));
        assert_eq!(photo::verify(bytes, &photo::Limits::default()), Err(MediaError::Unreadable));
    }
    let heic = [&[0, 0, 0, 24][..], b"ftypheic\0\0\0\0mif1heic"].concat();
    assert!(matches!(compress(&heic), Err(MediaError::Unsupported { .. })));
    let png = encoded(flag(20, 20), ImageFormat::Png);
    assert_eq!(photo::verify(&png, &photo::Limits::default()), Err(MediaError::Unreadable));
}

#[test]
fn the_check_refuses_every_segment_that_is_no_pixel() {
    let limits = photo::Limits::default();
    let bare = fixture::jpeg(flag(640, 480).as_raw(), 640, 480, 80);
    assert_eq!(photo::verify(&bare, &limits), Ok(photo::PhotoFacts { width: 640, height: 480 }));
    let refusal = |what: &str| Err(MediaError::NotStripped { what: what.into() });
    assert_eq!(photo::verify(&fixture::tagged(&bare, 1, None), &limits), refusal("APP1"));
    for (marker, what) in
        [(0xE1, "APP1"), (0xE2, "APP2"), (0xED, "APP13"), (0xE0, "APP0"), (0xEE, "APP14"), (0xFE, "comment")]
    {
        let extra = [&bare[..2], &[0xFF, marker, 0, 6], b"Exif", &bare[2..]].concat();
        assert_eq!(photo::verify(&extra, &limits), refusal(what));
    }
    assert_eq!(photo::verify(&[&bare[..], b"35.9N"].concat(), &limits), refusal("bytes after the end"));
    assert_eq!(
        photo::verify(&[&bare[..2], b"35.9N", &bare[2..]].concat(), &limits),
        Err(MediaError::Unreadable)
    );
    let between = [&bare[..20], b"35.9N", &bare[20..]].concat();
    assert_eq!(photo::verify(&between, &limits), refusal("bytes between segments"));
    let small = photo::Limits { max_side: 639, ..limits };
    assert_eq!(photo::verify(&bare, &small), Err(MediaError::TooLarge { what: "side", limit: 639 }));
    let light = photo::Limits { max_bytes: bare.len() - 1, ..limits };
    assert!(matches!(photo::verify(&bare, &light), Err(MediaError::TooLarge { what: "bytes", .. })));
    for part in [30, 60, 95] {
        assert_eq!(photo::verify(&bare[..bare.len() * part / 100], &limits), Err(MediaError::Unreadable));
    }
}

#[test]
fn the_budget_is_kept() {
    let plan = photo::Plan { max_bytes: 90_000, ..photo::Plan::default() };
    let made = photo::compress(phone_photo(), &plan, &Cancel::new()).unwrap();
    assert!(made.photo.len() <= 90_000 && made.quality < plan.quality, "{made:?}");
    let tiny = photo::Plan { max_bytes: 25_000, ..plan };
    let made = photo::compress(phone_photo(), &tiny, &Cancel::new()).unwrap();
    assert!(made.photo.len() <= 25_000 && made.height < 2048, "{made:?}");
    let none = photo::Plan { max_bytes: 100, ..plan };
    assert_eq!(
        photo::compress(phone_photo(), &none, &Cancel::new()),
        Err(MediaError::TooLarge { what: "bytes", limit: 100 })
    );
}

#[test]
fn cancelled_before_and_meanwhile() {
    let cancel = Cancel::new();
    cancel.cancel();
    assert_eq!(photo::compress(phone_photo(), &photo::Plan::default(), &cancel), Err(MediaError::Cancelled));
    // A budget that cannot be met keeps it busy long enough to be stopped on the way.
    let cancel = Cancel::new();
    let other = cancel.clone();
    let stop = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(5));
        other.cancel();
    });
    let plan = photo::Plan { max_bytes: 100, ..photo::Plan::default() };
    assert_eq!(photo::compress(phone_photo(), &plan, &cancel), Err(MediaError::Cancelled));
    stop.join().unwrap();
}

#[test]
fn thumbnails_are_small_and_bare() {
    let jpeg = photo::thumbnail(phone_photo(), 200).unwrap();
    let facts = photo::verify(&jpeg, &photo::Limits { max_bytes: 30_000, max_side: 200 }).unwrap();
    assert_eq!((facts.width, facts.height), (150, 200));
    let same = photo::thumbnail(&fixture::jpeg(flag(64, 48).as_raw(), 64, 48, 80), 400).unwrap();
    assert_eq!(decoded(&same).dimensions(), (64, 48));
    let line = photo::thumbnail(&encoded(RgbImage::new(3000, 1), ImageFormat::Png), 100).unwrap();
    assert_eq!(decoded(&line).dimensions(), (100, 1));
}
