//! Nothing but pixels leaves the device: found by `exiftool`, which knows more places for tags than we do,
//! and by looking for the bytes.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]

mod pictures;

use image::ImageFormat;
use pictures::{compress, contains, encoded, flag, markers};
use renraku_media::{fixture, photo};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What must never be found, in whatever file it was written.
const SECRETS: [&str; 6] = ["Kiso", "owner Fixture", "35.9", "137.9", "kitchen", "2026:11:21"];

fn exiftool(arguments: &[&str], file: &Path) -> String {
    let out = Command::new("exiftool")
        .args(arguments)
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .expect("exiftool is there: scripts/setup test");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// The groups of tags in a file, without what the file system and the pixels' own description say.
fn groups(file: &Path) -> Vec<String> {
    let listed = exiftool(&["-a", "-u", "-G1", "-s", "-ee"], file);
    let mut found: Vec<String> = listed
        .lines()
        .filter_map(|line| Some(line.strip_prefix('[')?.split_once(']')?.0.to_owned()))
        .filter(|group| !matches!(group.as_str(), "ExifTool" | "System" | "File" | "Composite"))
        .collect();
    found.dedup();
    found
}

/// Every tag that can be written at once into a file of that kind.
fn tag(file: &Path, more: &[&str]) {
    let common = [
        "-q",
        "-overwrite_original",
        "-EXIF:Make=Kiso",
        "-EXIF:DateTimeOriginal=2026:11:21 10:15:30",
        "-EXIF:GPSLatitude=35.9",
        "-EXIF:GPSLatitudeRef=N",
        "-EXIF:GPSLongitude=137.9",
        "-EXIF:GPSLongitudeRef=E",
        "-XMP:Creator=owner Fixture",
        "-XMP:City=kitchen",
    ];
    exiftool(&[&common[..], more].concat(), file);
}

fn check(original: &Path) {
    let before = groups(original);
    assert!(before.iter().any(|g| g.starts_with("XMP")) && before.iter().any(|g| g == "GPS"), "{before:?}");
    let bytes = fs::read(original).unwrap();
    assert!(SECRETS.iter().any(|s| contains(&bytes, s.as_bytes())));
    let made = compress(&bytes).unwrap();
    for jpeg in [&made.photo, &made.thumbnail, &photo::thumbnail(&bytes, 200).unwrap()] {
        let path = original.with_extension("made.jpg");
        fs::write(&path, jpeg).unwrap();
        assert_eq!(groups(&path), ["JFIF"], "{}", original.display());
        assert!(markers(jpeg).iter().all(|m| matches!(m, 0xE0 | 0xDB | 0xC2 | 0xC4 | 0xDA)));
        // No picture within the picture, no second end, no letter of any profile or tag.
        assert_eq!(jpeg.windows(3).filter(|w| *w == [0xFF, 0xD8, 0xFF]).count(), 1);
        for word in SECRETS.iter().chain(&["Exif", "GPS", "http", "ICC_PROFILE", "acsp", "Photoshop", "MPF"])
        {
            assert!(!contains(jpeg, word.as_bytes()), "{word}");
        }
        photo::verify(jpeg, &photo::Limits::default()).unwrap();
    }
}

#[test]
fn jpeg_with_everything_a_phone_writes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("phone.jpg");
    let plain = fixture::jpeg(flag(900, 600).as_raw(), 900, 600, 90);
    fs::write(&file, fixture::tagged(&plain, 3, Some(&fixture::display_p3()))).unwrap();
    let listed = exiftool(&["-a", "-u", "-G1", "-s"], &file);
    for part in ["[GPS]", "[IFD1]", "ThumbnailImage", "[XMP", "[ICC", "MakerNote", "Comment", "SerialNumber"]
    {
        assert!(listed.contains(part), "the original lacks {part}: {listed}");
    }
    check(&file);
    // IPTC, Photoshop's records, and a second picture behind the first as phones with depth cameras write.
    tag(&file, &["-IPTC:City=kitchen", "-IPTC:Keywords=owner Fixture", "-Photoshop:XResolution=72"]);
    let mut bytes = fs::read(&file).unwrap();
    let second = bytes.clone();
    bytes.extend(second);
    fs::write(&file, bytes).unwrap();
    check(&file);
}

#[test]
fn png_and_webp_with_tags_of_every_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("screen.png");
    fs::write(&file, encoded(flag(300, 200), ImageFormat::Png)).unwrap();
    tag(&file, &["-PNG:Title=kitchen", "-PNG:Comment=owner Fixture", "-EXIF:Orientation#=6"]);
    check(&file);
    let made = compress(&fs::read(&file).unwrap()).unwrap();
    assert_eq!((made.width, made.height), (200, 300), "the tag of a PNG turns it, too");
    let file = folder.path().join("web.webp");
    fs::write(&file, encoded(flag(300, 200), ImageFormat::WebP)).unwrap();
    tag(&file, &["-EXIF:Orientation#=8"]);
    check(&file);
    let made = compress(&fs::read(&file).unwrap()).unwrap();
    assert_eq!((made.width, made.height), (200, 300), "the tag of a WebP turns it, too");
}
