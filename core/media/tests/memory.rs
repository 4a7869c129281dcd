//! How much memory a large film or photo takes. The measured process is this program itself, started again: its peak
//! is then nobody else's.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]
#![cfg(all(feature = "video", target_os = "linux"))]

mod large;

use image::{DynamicImage, ImageBuffer, ImageFormat};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use large::{Large, film};
use renraku_media::{Cancel, photo, video};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Names the file for the process that is measured.
const FILE: &str = "RENRAKU_TEST_FILE";
const MEGABYTE: u64 = 1024;

/// The file, in the process that is measured.
fn given() -> Option<PathBuf> {
    env::var_os(FILE).map(PathBuf::from)
}

/// Most memory that this process ever had in use, in kilobytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The peak of a process that does nothing but this test, with a file given.
fn measured(test: &str, file: &Path) -> u64 {
    let out = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(FILE, file)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let said = String::from_utf8(out.stdout).unwrap();
    let peak = said.split("peak=").nth(1).and_then(|s| s.split_whitespace().next()).unwrap();
    println!("{}: peak {peak} kB", file.display());
    peak.parse().unwrap()
}

#[test]
fn a_large_film_takes_less_than_300_megabytes() {
    if let Some(film) = given() {
        video::transcode(&film, &video::Plan::default(), &mut |_| (), &Cancel::new()).unwrap();
        video::poster(&film, &photo::Plan::default(), &Cancel::new()).unwrap();
        println!("peak={}", peak());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for large in [Large::Plain, Large::Deep, Large::Recorded, Large::Noisy] {
        let film = film(folder.path(), large);
        let peak = measured("a_large_film_takes_less_than_300_megabytes", &film);
        assert!(peak < 300 * MEGABYTE, "{large:?}: {peak} kB");
    }
}

/// The file says of two gigabytes of samples that they are there.
#[test]
fn a_small_film_that_claims_to_be_large_takes_next_to_none() {
    if let Some(film) = given() {
        assert!(video::play(&film, &Cancel::new()).is_err());
        println!("peak={}", peak());
        return;
    }
    let film = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/film/bad-constant-samples.mov");
    let peak = measured("a_small_film_that_claims_to_be_large_takes_next_to_none", &film);
    assert!(peak < 100 * MEGABYTE, "{peak} kB");
}

/// Photos of every kind, each with about the most pixels that are read of it.
fn photos() -> Vec<(&'static str, Vec<u8>)> {
    let jpeg = |side: u16, kind: ColorType, values: usize, set: &dyn Fn(&mut Encoder<&mut Vec<u8>>)| {
        let pixels = vec![200; usize::from(side) * usize::from(side) * values];
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, 80);
        set(&mut encoder);
        encoder.encode(&pixels, side, side, kind).unwrap();
        // On its side, so that the memory is used once more.
        renraku_media::fixture::tagged(&file, 6, None)
    };
    let written = |picture: DynamicImage, format| {
        let mut file = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut file, format).unwrap();
        file.into_inner()
    };
    let deep =
        |side| DynamicImage::ImageRgba16(ImageBuffer::from_pixel(side, side, image::Rgba([40_000; 4])));
    vec![
        ("8000.jpg", jpeg(8000, ColorType::Rgb, 3, &|_| ())),
        ("7070.cmyk.jpg", jpeg(7070, ColorType::Cmyk, 4, &|_| ())),
        (
            "5770.progressive.jpg",
            jpeg(5770, ColorType::Rgb, 3, &|e| {
                e.set_progressive(true);
                e.set_sampling_factor(SamplingFactor::R_4_2_0);
            }),
        ),
        (
            "4710.fine-progressive.jpg",
            jpeg(4710, ColorType::Rgb, 3, &|e| {
                e.set_progressive(true);
                e.set_sampling_factor(SamplingFactor::R_4_4_4);
            }),
        ),
        (
            "6320.separate.jpg",
            jpeg(6320, ColorType::Rgb, 3, &|e| {
                e.set_optimized_huffman_tables(true);
                e.set_sampling_factor(SamplingFactor::R_4_2_0);
            }),
        ),
        ("4990.deep.png", written(deep(4990), ImageFormat::Png)),
        ("7070.png", written(DynamicImage::new_rgba8(7070, 7070), ImageFormat::Png)),
        ("4260.webp", written(DynamicImage::new_rgba8(4260, 4260), ImageFormat::WebP)),
    ]
}

#[test]
fn a_large_photo_takes_less_than_300_megabytes() {
    if let Some(file) = given() {
        let file = fs::read(file).unwrap();
        photo::compress(&file, &photo::Plan::default(), &Cancel::new()).unwrap();
        println!("peak={}", peak());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in photos() {
        let file = folder.path().join(name);
        fs::write(&file, &bytes).unwrap();
        let peak = measured("a_large_photo_takes_less_than_300_megabytes", &file);
        assert!(peak < 300 * MEGABYTE, "{name}: {peak} kB");
    }
}
