//! The kept corpus: small files of every kind, whole ones (`ok-`), hostile ones (`bad-`) and
//! such as may be read or refused (`odd-`), each given to every
//! entrance as it is and, for a bounded time, damaged and crossed with its neighbours. What makes a check
//! panic is written beside the others as `new-`, so that the next run begins with it.
//!
//! `RENRAKU_FUZZ_SECONDS` sets the time for each kind; without it six seconds. The files come from
//! `cargo run -p renraku-media --features fixture --example fixture corpus core/media/tests/corpus`.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]

mod dice;

use dice::Dice;
use renraku_media::photo::{Cover, Mark, Plan, Shape, Source, prepare};
use renraku_media::{Cancel, MediaError, document, film, photo};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

fn corpus(kind: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder(kind))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() > 5, "the corpus is there");
    files
}

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(kind)
}

fn budget() -> Duration {
    let asked = env::var("RENRAKU_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok());
    Duration::from_secs(asked.unwrap_or(6))
}

/// A seed for this run: the same in normal tests, another one where somebody looks for more.
fn seed() -> u64 {
    env::var("RENRAKU_FUZZ_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0xC0_FFEE)
}

/// Damages and crosses the corpus until the time is over. Gives how often.
fn fuzz(kind: &str, files: &[(String, Vec<u8>)], each: impl Fn(&[u8])) -> usize {
    let (mut dice, start, mut rounds) = (Dice(seed()), Instant::now(), 0);
    while start.elapsed() < budget() {
        let (_, original) = &files[dice.roll(files.len())];
        let within = if dice.roll(2) == 0 { 400 } else { original.len() };
        let mut bad = dice.damage(original, within.max(1));
        if dice.roll(4) == 0 {
            let (_, other) = &files[dice.roll(files.len())];
            let (a, b) = (dice.roll(bad.len().max(1)), dice.roll(other.len().max(1)));
            bad = [&bad[..a.min(bad.len())], &other[b..]].concat();
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| each(&bad))) {
            let _ = fs::write(folder(kind).join(format!("new-{rounds}-{}", bad.len())), &bad);
            resume_unwind(panic);
        }
        rounds += 1;
    }
    rounds
}

fn photo_entrances(bytes: &[u8]) -> Result<(), MediaError> {
    let plan = Plan { max_pixels: 1_000_000, ..Plan::default() };
    let mark =
        Mark { shape: Shape::Ellipse, cover: Cover::Blur, left: 0.2, top: 0.2, width: 0.5, height: 0.5 };
    let made = prepare(Source::File(bytes), &plan, &[mark], &Cancel::new());
    if let Ok(made) = &made {
        for jpeg in [&made.photo, &made.thumbnail] {
            photo::verify(jpeg, &photo::Limits::default()).expect("what we make passes our own check");
        }
    }
    let _ = photo::verify(bytes, &photo::Limits { max_bytes: 1 << 20, max_side: 1000 });
    let _ = photo::thumbnail(bytes, 50);
    let _ = document::verify(bytes, 1 << 20);
    made.map(drop)
}

#[test]
fn photos() {
    let files = corpus("photo");
    for (name, bytes) in &files {
        let result = photo_entrances(bytes);
        match name.split('-').next().unwrap() {
            "ok" => assert_eq!(result, Ok(()), "{name}"),
            "bad" => assert!(result.is_err(), "{name}"),
            _ => {}
        }
    }
    let rounds = fuzz("photo", &files, |bytes| drop(photo_entrances(bytes)));
    assert!(rounds > 20, "{rounds}");
}

#[test]
fn films() {
    let files = corpus("film");
    for (name, bytes) in &files {
        let result = film::verify(bytes, &film::Limits::default());
        assert_eq!(result.is_ok(), name.starts_with("ok-made"), "{name}: {result:?}");
    }
    let rounds = fuzz("film", &files, |bytes| drop(film::verify(bytes, &film::Limits::default())));
    assert!(rounds > 1000, "{rounds}");
}

#[cfg(feature = "video")]
#[test]
fn films_with_ffmpeg() {
    use renraku_media::video;
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.mov"), folder.path().join("out.mp4"));
    let entrances = |bytes: &[u8]| {
        fs::write(&input, bytes).unwrap();
        let plan = video::Plan { short_side: 64, longest_ms: 2000, ..video::Plan::default() };
        let made = video::transcode(&input, &output, &plan, &mut |_| (), &Cancel::new());
        let _ = video::play(&input, &Cancel::new());
        let _ = video::poster(&input, &Plan::default(), &Cancel::new());
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, if output.exists() { 2 } else { 1 }, "no part is left behind");
        made.map(drop)
    };
    let files = corpus("film");
    for (name, bytes) in &files {
        let result = entrances(bytes);
        match name.split('-').next().unwrap() {
            "ok" => assert_eq!(result, Ok(()), "{name}"),
            "bad" => assert!(result.is_err(), "{name}"),
            _ => {}
        }
    }
    let rounds = fuzz("film", &files, |bytes| drop(entrances(bytes)));
    assert!(rounds > 10, "{rounds}");
}
