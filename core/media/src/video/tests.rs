//! Encoders that cannot be had, or fail on the way, as a phone's do.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]

use super::*;
use crate::fixture::{self, FilmOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

const CODE: Kind<'static> =
    Kind { name: "libx264", is_hardware: false, options: &[("preset", "ultrafast"), ("crf", "26")] };
const CHIP: Kind<'static> = Kind { is_hardware: true, ..CODE };
/// Cannot be opened.
const TAKEN: Kind<'static> =
    Kind { name: "libx264", is_hardware: true, options: &[("preset", "of another application")] };
const BUSY: MediaError = MediaError::Io(ErrorKind::ResourceBusy);

fn film(folder: &Path) -> PathBuf {
    let path = folder.join("in.mov");
    let small = FilmOptions { width: 160, height: 90, seconds: 4.0, bits: 200_000, ..Default::default() };
    fixture::film(&path, &small).unwrap();
    path
}

fn make(path: &Path, kinds: &[Kind<'_>]) -> Result<Film, MediaError> {
    made(path, &Plan::default(), kinds, &mut |_| (), &Cancel::new())
}

/// `scripts/ffmpeg/test` names a switch that only the FFmpeg which it built was made with.
#[test]
fn ffmpeg_is_the_one_that_was_asked_for() {
    if let Ok(switch) = std::env::var("RENRAKU_FFMPEG") {
        let switches = ffmpeg::util::configuration();
        assert!(switches.contains(&*switch), "{switch} is not among {switches}");
    }
}

#[test]
fn an_encoder_that_is_taken_is_asked_another_time_and_one_that_is_not_there_never() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path());
    assert_eq!(make(&film, &[TAKEN]), Err(BUSY));
    assert_eq!(make(&film, &[TAKEN, Kind { name: "h264_of_nobody", ..CODE }]), Err(BUSY));
    assert_eq!(make(&film, &[TAKEN, CODE]).unwrap().facts.encoder, "libx264");
    for none in [&[][..], &[Kind { name: "h264_of_nobody", ..CHIP }]] {
        assert_eq!(make(&film, none), Err(MediaError::Unsupported { what: NO_ENCODER }));
    }
    // Real ones, where FFmpeg was built with them and this machine has no such chip.
    for name in ["h264_v4l2m2m", "h264_nvenc", "h264_qsv"] {
        let chip = Kind { name, options: &[], ..CHIP };
        match make(&film, &[chip]) {
            Ok(film) => assert_eq!(film.facts.encoder, name),
            Err(e) => assert!(e == BUSY || e == MediaError::Unsupported { what: NO_ENCODER }, "{name}: {e}"),
        }
    }
}

/// x264 counts in a file what it made, and gives up when the disk of that is full: after a second or two.
#[cfg(target_os = "linux")]
#[test]
fn an_encoder_that_fails_on_the_way_is_not_the_films_fault() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path());
    std::os::unix::fs::symlink("/dev/full", folder.path().join("counts.temp")).unwrap();
    let counts = format!("pass=1:stats={}", folder.path().join("counts").to_str().unwrap());
    let options = [("preset", "ultrafast"), ("x264-params", &*counts)];
    let failing = Kind { options: &options, ..CHIP };

    let mut furthest = 0.0;
    let plan = Plan::default();
    let result = made(&film, &plan, &[failing], &mut |part| furthest = part, &Cancel::new());
    assert_eq!(result.map(|film| film.facts), Err(BUSY));
    assert!(furthest > 0.0, "it was under way");
    assert_eq!(make(&film, &[failing, TAKEN]), Err(BUSY));
    assert_eq!(make(&film, &[failing, Kind { name: "h264_of_nobody", ..CODE }]), Err(BUSY));
    // Code does it all again.
    let again = make(&film, &[failing, CODE]).unwrap();
    assert_eq!(again, make(&film, &[CODE]).unwrap());
    // A film that no decoder reads is its own fault, whatever the encoder does.
    let whole = std::fs::read(&film).unwrap();
    std::fs::write(&film, &whole[..whole.len() / 2]).unwrap();
    assert_eq!(make(&film, &[failing]), Err(MediaError::Unreadable));
    let data = whole.windows(4).position(|w| w == b"mdat").unwrap() + 4;
    let mut noise = whole;
    noise[data..][..40_000].fill(0xA5);
    std::fs::write(&film, &noise).unwrap();
    assert_eq!(make(&film, &[CHIP]), Err(MediaError::Unreadable));
}

/// The stand-in says that its pictures have two rows less than they were to have.
#[test]
fn a_film_that_a_chip_made_wrong_is_not_the_originals_fault() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path());
    let lying = Kind { options: &[("preset", "ultrafast"), ("x264-params", "crop-rect=0,0,0,2")], ..CHIP };
    assert_eq!(make(&film, &[lying]), Err(BUSY));
    assert_eq!(make(&film, &[lying, CODE]).unwrap(), make(&film, &[CODE]).unwrap());
    // Code would make the same another time.
    assert_eq!(make(&film, &[Kind { is_hardware: false, ..lying }]), Err(MediaError::Unreadable));
}

/// The stand-in never makes its pictures worse than so, and spends at once what it may in ten seconds.
#[test]
fn a_film_that_a_chip_made_too_large_is_made_again_with_fewer_bits() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path());
    let wasteful = "qpmax=28:vbv-bufsize=20000";
    let options = [("preset", "ultrafast"), ("crf", "1"), ("x264-params", wasteful)];
    let chip = Kind { options: &options, ..CHIP };
    quiet();
    let plan = |max_bytes| Plan { sound: false, max_bytes, ..Plan::default() };
    let too_large = |limit| MediaError::TooLarge { what: "bytes", limit };
    let mut nobody = |_: f32| ();
    let (mut report, cancel) = (Throttle::new(&mut nobody), Cancel::new());
    let first = attempt(&*film, &plan(210_000), &[chip], 1, &mut report, &cancel, &mut false);
    assert_eq!(first, Err(too_large(210_000)), "the first time it takes too many");
    // Which bytes they are is not the same every time: where bits are short the encoder's threads count on one another.
    let size = |max_bytes, kinds: &[Kind<'_>]| {
        made(&*film, &plan(max_bytes), kinds, &mut |_| (), &cancel).map(|film| film.facts.bytes)
    };
    assert!(size(210_000, &[chip]).unwrap() <= 210_000);
    assert_eq!(size(120_000, &[chip]), Err(too_large(120_000)), "twice is enough");
    // Code keeps to what it is told.
    assert!(size(120_000, &[chip, CODE]).unwrap() <= 120_000);
}

#[test]
fn a_chip_gets_its_colours_side_by_side_and_shows_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path());
    let bright = folder.path().join("bright.mov");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-i"])
        .arg(&film)
        .args(["-t", "1", "-an", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"])
        .args(["-color_trc", "arib-std-b67", "-color_primaries", "bt2020", "-colorspace", "bt2020nc"])
        .arg(&bright)
        .status()
        .unwrap();
    assert!(status.success());
    for film in [&film, &bright] {
        assert_eq!(make(film, &[CHIP]).unwrap(), make(film, &[CODE]).unwrap());
    }
}
