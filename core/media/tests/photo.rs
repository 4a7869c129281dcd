//! Photos: what comes out of the compressor, and what the check lets in.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]

mod pictures;

use image::{ImageFormat, Rgb, RgbImage};
use pictures::{compress, contains, decoded, encoded, flag, markers, near};
use renraku_media::{Cancel, MediaError, fixture, photo};
use std::sync::OnceLock;

fn phone_photo() -> &'static [u8] {
    static PHOTO: OnceLock<Vec<u8>> = OnceLock::new();
    PHOTO.get_or_init(|| fixture::phone_photo(1))
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

#[test]
fn what_needs_more_memory_may_have_fewer_pixels() {
    use jpeg_encoder::SamplingFactor::{R_4_2_0, R_4_4_4};
    let jpeg = |kind, set: &dyn Fn(&mut jpeg_encoder::Encoder<&mut Vec<u8>>)| {
        let mut file = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut file, 80);
        set(&mut encoder);
        encoder.encode(&[128; 16 * 16 * 4], 16, 16, kind).unwrap();
        let frame = file.windows(2).position(|w| w[0] == 0xFF && matches!(w[1], 0xC0..=0xC2)).unwrap();
        // 8000 each way.
        file[frame + 5..frame + 9].copy_from_slice(&[0x1F, 0x40, 0x1F, 0x40]);
        file
    };
    let limit = |file: &[u8]| match compress(file) {
        Err(MediaError::TooLarge { what: "pixels", limit }) => Some(limit / 1_000_000),
        _ => None,
    };
    use jpeg_encoder::ColorType::{Cmyk, Rgba};
    assert_eq!(limit(&jpeg(Rgba, &|_| ())), None, "64 million are read");
    assert_eq!(limit(&jpeg(Cmyk, &|_| ())), Some(50));
    let separate = jpeg(Rgba, &|e| {
        e.set_optimized_huffman_tables(true);
        e.set_sampling_factor(R_4_2_0);
    });
    assert_eq!(limit(&separate), Some(40));
    for (sampling, most) in [(R_4_2_0, 33), (R_4_4_4, 22)] {
        let progressive = jpeg(Rgba, &|e| {
            e.set_progressive(true);
            e.set_sampling_factor(sampling);
        });
        assert_eq!(limit(&progressive), Some(most));
    }
    let wide = |picture: image::DynamicImage| {
        let mut png = encoded(picture, ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 0, 0x1F, 0x40, 0, 0, 0x1F, 0x40]);
        let sum = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&sum.to_be_bytes());
        png
    };
    let picture = image::DynamicImage::new_rgba8(16, 16);
    assert_eq!(limit(&wide(picture.to_rgb8().into())), None);
    assert_eq!(limit(&wide(picture.clone())), Some(50));
    assert_eq!(limit(&wide(picture.to_rgb16().into())), Some(33));
    assert_eq!(limit(&wide(picture.to_rgba16().into())), Some(25));
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
