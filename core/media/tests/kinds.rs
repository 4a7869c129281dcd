//! Every kind of picture that a phone, a scanner or a hospital's program may hand over.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]

mod pictures;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use pictures::{compress, decoded, encoded, flag, markers, near};
use renraku_media::{Cancel, MediaError, fixture, photo};

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

/// The same file with zeroes between its headers, and fill bytes before each of its markers.
fn padded(jpeg: &[u8]) -> Vec<u8> {
    let (mut out, mut at, mut is_scan) = (jpeg[..2].to_vec(), 2, true);
    while jpeg[at + 1] != 0xD9 {
        // Behind a scan they would be its last, and the first of a file they are in none.
        out.extend(if is_scan { &[][..] } else { &[0; 11] });
        is_scan = jpeg[at + 1] == 0xDA;
        let mut end = at + 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        while is_scan && (jpeg[end] != 0xFF || matches!(jpeg[end + 1], 0 | 0xD0..=0xD7)) {
            end += 1;
        }
        out.extend([&[0xFF; 6], &jpeg[at..end]].concat());
        at = end;
    }
    [&out[..], &[0xFF; 3], &jpeg[at..]].concat()
}

#[test]
fn padding_between_segments_changes_nothing() {
    let (width, height) = (640, 480);
    let pixels = flag(width, height);
    let encode = |set: &dyn Fn(&mut jpeg_encoder::Encoder<&mut Vec<u8>>)| {
        let mut file = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut file, 90);
        set(&mut encoder);
        encoder.encode(pixels.as_raw(), 640, 480, jpeg_encoder::ColorType::Rgb).unwrap();
        fixture::tagged(&file, 6, Some(&fixture::display_p3()))
    };
    let sequential = encode(&|_| ());
    let restarted = encode(&|e| e.set_restart_interval(3));
    let progressive = encode(&|e| e.set_progressive_scans(6));
    let separate = encode(&|e| {
        e.set_optimized_huffman_tables(true);
        e.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_2_0);
    });
    for file in [&sequential, &restarted, &progressive, &separate] {
        let padded = padded(file);
        assert!(padded.len() > file.len() + 60);
        assert_eq!(compress(&padded).unwrap(), compress(file).unwrap());
        for part in [40, 70, 95] {
            assert_eq!(compress(&padded[..padded.len() * part / 100]), Err(MediaError::Unreadable), "{part}");
        }
        // One that is cut off is no better for its padding and an end.
        let half = &padded[..padded.len() / 2];
        assert_eq!(compress(&[half, &[0xFF, 0xD9]].concat()), Err(MediaError::Unreadable));
    }
}

/// The same file with its frame header changed.
fn with_frame(jpeg: &[u8], change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut out = jpeg.to_vec();
    let frame = out.windows(2).position(|w| w[0] == 0xFF && matches!(w[1], 0xC0..=0xC2)).unwrap();
    change(&mut out[frame..]);
    out
}

#[test]
fn a_scan_for_each_colour() {
    let encode = |sampling, (width, height): (u32, u32)| {
        let mut separate = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut separate, 95);
        encoder.set_optimized_huffman_tables(true);
        encoder.set_sampling_factor(sampling);
        let side = |v: u32| u16::try_from(v).unwrap();
        let picture = flag(width, height);
        encoder.encode(picture.as_raw(), side(width), side(height), jpeg_encoder::ColorType::Rgb).unwrap();
        assert_eq!(separate.windows(2).filter(|w| *w == [0xFF, 0xDA]).count(), 3);
        separate
    };
    for sampling in [
        jpeg_encoder::SamplingFactor::R_4_2_0,
        jpeg_encoder::SamplingFactor::R_4_4_4,
        jpeg_encoder::SamplingFactor::R_4_2_2,
    ] {
        for size in [(640, 480), (1301, 77), (33, 190)] {
            let separate = encode(sampling, size);
            let made = compress(&fixture::tagged(&separate, 1, None)).unwrap();
            assert_eq!((made.width, made.height), size);
            let shown = decoded(&made.photo);
            for (x, y) in
                [(size.0 / 4, size.1 / 4), (size.0 * 3 / 4, size.1 / 4), (size.0 / 4, size.1 * 3 / 4)]
            {
                near(shown.get_pixel(x, y), flag(size.0, size.1).get_pixel(x, y).0, 12);
            }
            for part in [30, 60, 90] {
                let cut = &separate[..separate.len() * part / 100];
                assert!(compress(cut).is_err());
            }
        }
    }
    let turned = compress(&fixture::tagged(
        &encode(jpeg_encoder::SamplingFactor::R_4_2_0, (640, 480)),
        6,
        Some(&fixture::display_p3()),
    ))
    .unwrap();
    assert_eq!((turned.width, turned.height), (480, 640));
    near(decoded(&turned.photo).get_pixel(120, 160), [0, 244, 0], 90);
}

#[test]
fn ycck_is_cmyk_in_disguise() {
    let ink = [30_u8, 200, 180, 10].repeat(640 * 400);
    for kind in [jpeg_encoder::ColorType::Cmyk, jpeg_encoder::ColorType::CmykAsYcck] {
        for progressive in [false, true] {
            let mut file = Vec::new();
            let mut encoder = jpeg_encoder::Encoder::new(&mut file, 95);
            encoder.set_progressive(progressive);
            encoder.encode(&ink, 640, 400, kind).unwrap();
            let shown = decoded(&compress(&file).unwrap().photo);
            near(shown.get_pixel(300, 200), [216, 53, 72], 6);
            // The same inks on another press.
            let profiled = fixture::tagged(&file, 1, Some(&fixture::ink_profile()));
            let shown = decoded(&compress(&profiled).unwrap().photo);
            assert!(shown.get_pixel(300, 200).0[0].abs_diff(216) > 20, "{:?}", shown.get_pixel(300, 200));
        }
    }
}

#[test]
fn inks_and_greys_follow_their_profiles() {
    // Cyan alone. The fixture's press prints pink with it: L 76, a 30, b 0, which is (240, 167, 190).
    let cyan = [255_u8, 0, 0, 0].repeat(640 * 400);
    for kind in [jpeg_encoder::ColorType::Cmyk, jpeg_encoder::ColorType::CmykAsYcck] {
        let mut file = Vec::new();
        jpeg_encoder::Encoder::new(&mut file, 98).encode(&cyan, 640, 400, kind).unwrap();
        near(decoded(&compress(&file).unwrap().photo).get_pixel(300, 200), [0, 255, 255], 8);
        let profiled = fixture::tagged(&file, 6, Some(&fixture::ink_profile()));
        let made = compress(&profiled).unwrap();
        assert_eq!((made.width, made.height), (400, 640));
        near(decoded(&made.photo).get_pixel(200, 300), [240, 167, 190], 10);
        // A profile for other pixels than these is passed over.
        let wrong = fixture::tagged(&file, 1, Some(&fixture::display_p3()));
        near(decoded(&compress(&wrong).unwrap().photo).get_pixel(300, 200), [0, 255, 255], 8);
    }
    // A grey of 128 with gamma 1.0 is half of the light: 188 in sRGB.
    let half = encoded(image::GrayImage::from_pixel(400, 300, image::Luma([128])), ImageFormat::Jpeg);
    near(decoded(&compress(&half).unwrap().photo).get_pixel(200, 150), [128; 3], 2);
    let linear = fixture::tagged(&half, 1, Some(&fixture::grey_profile(1.0)));
    near(decoded(&compress(&linear).unwrap().photo).get_pixel(200, 150), [188; 3], 3);
    let wrong = fixture::tagged(&half, 1, Some(&fixture::ink_profile()));
    near(decoded(&compress(&wrong).unwrap().photo).get_pixel(200, 150), [128; 3], 2);
}

#[test]
fn other_processes_are_refused_by_name() {
    let plain = fixture::jpeg(flag(64, 48).as_raw(), 64, 48, 90);
    for process in [0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF] {
        let odd = with_frame(&plain, |frame| frame[1] = process);
        let refusal = compress(&odd).unwrap_err();
        assert_eq!(refusal, MediaError::Unsupported { what: "a lossless or arithmetic JPEG" }, "{process:X}");
    }
    let deep = with_frame(&plain, |frame| frame[4] = 12);
    assert_eq!(compress(&deep), Err(MediaError::Unsupported { what: "a JPEG of more than eight bits" }));
    // One scan with two of the three colours is legal and unheard of.
    let two = with_frame(&plain, |frame| frame[9] = 2);
    assert!(compress(&two).is_err());
}

#[test]
fn what_the_platform_decoded_takes_the_same_way() {
    let upright = flag(640, 480);
    // Stored on its side, rows with a gap behind them, transparent nowhere.
    let stored = image::imageops::rotate270(&upright);
    let stride = 480 * 4 + 64;
    let mut rgba = vec![0xAA; stride * 639 + 480 * 4];
    for (y, row) in stored.rows().enumerate() {
        for (x, p) in row.enumerate() {
            rgba[y * stride + x * 4..][..4].copy_from_slice(&[p.0[0], p.0[1], p.0[2], 255]);
        }
    }
    let pixels = photo::Pixels { rgba: &rgba, width: 480, height: 640, stride, orientation: 6, icc: None };
    let plan = photo::Plan::default();
    let prepare = |pixels| photo::prepare(photo::Source::Pixels(pixels), &plan, &[], &Cancel::new());
    let made = prepare(pixels).unwrap();
    assert_eq!((made.width, made.height), (640, 480));
    let shown = decoded(&made.photo);
    for (x, y) in [(160, 120), (480, 120), (160, 360)] {
        near(shown.get_pixel(x, y), upright.get_pixel(x, y).0, 12);
    }
    photo::verify(&made.photo, &photo::Limits::default()).unwrap();
    let patch: Vec<u8> = [180, 60, 50, 255].repeat(64 * 64);
    let p3 = fixture::display_p3();
    let small =
        photo::Pixels { rgba: &patch, width: 64, height: 64, stride: 256, orientation: 1, icc: Some(&p3) };
    near(decoded(&prepare(small).unwrap().photo).get_pixel(32, 32), [196, 47, 41], 4);
    let clear = [0_u8, 0, 0, 0].repeat(64 * 64);
    near(
        decoded(&prepare(photo::Pixels { rgba: &clear, ..small }).unwrap().photo).get_pixel(32, 32),
        [255; 3],
        2,
    );
    let unfit = Err(MediaError::BadPixels);
    for bad in [
        photo::Pixels { rgba: &patch[1..], ..small },
        photo::Pixels { stride: 255, ..small },
        photo::Pixels { stride: usize::MAX, ..small },
        photo::Pixels { height: 65, ..small },
        photo::Pixels { width: 0, ..small },
        photo::Pixels { height: 0, ..small },
        photo::Pixels { orientation: 0, ..small },
        photo::Pixels { orientation: 9, ..small },
    ] {
        assert_eq!(prepare(bad), unfit, "{bad:?}");
    }
    let huge = photo::Pixels { width: u32::MAX, height: u32::MAX, ..small };
    assert_eq!(prepare(huge), Err(MediaError::TooLarge { what: "pixels", limit: 64_000_000 }));
}
