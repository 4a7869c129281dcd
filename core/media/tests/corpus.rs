//! The kept corpus: small files of every kind, whole ones (`ok-`), hostile ones (`bad-`) and
//! such as may be read or refused (`odd-`), each given to every
//! entrance as it is and, for a bounded time, damaged and crossed with its neighbours. What makes a check
//! panic or crash is left beside their folder as `new-`: once moved into it, each run begins with it.
//!
//! `RENRAKU_FUZZ_SECONDS` sets the time for each kind; without it six seconds. The files come from
//! `cargo run -p renraku-media --features fixture --example fixture corpus core/media/tests/corpus`.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]

mod dice;

use dice::{corpus, fuzz};
use renraku_media::photo::{Cover, Mark, Plan, Shape, Source, prepare};
use renraku_media::{Cancel, MediaError, document, film, photo};
use std::fs;
use std::path::{Path, PathBuf};

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(kind)
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
    let files = corpus(&folder("photo"));
    for (name, bytes) in &files {
        let result = photo_entrances(bytes);
        match name.split('-').next().unwrap() {
            "ok" => assert_eq!(result, Ok(()), "{name}"),
            "bad" => assert!(result.is_err(), "{name}"),
            _ => {}
        }
    }
    let rounds = fuzz(&folder("photo"), &files, |bytes| drop(photo_entrances(bytes)));
    assert!(rounds > 20, "{rounds}");
}

#[test]
fn films() {
    let files = corpus(&folder("film"));
    for (name, bytes) in &files {
        let result = film::verify(bytes, &film::Limits::default());
        assert_eq!(result.is_ok(), name.starts_with("ok-made"), "{name}: {result:?}");
    }
    let rounds = fuzz(&folder("film"), &files, |bytes| drop(film::verify(bytes, &film::Limits::default())));
    assert!(rounds > 1000, "{rounds}");
}

#[cfg(feature = "video")]
#[test]
fn films_with_ffmpeg() {
    use renraku_media::video;
    let place = tempfile::tempdir().unwrap();
    let input = place.path().join("in.mov");
    let entrances = |bytes: &[u8]| {
        fs::write(&input, bytes).unwrap();
        let plan = video::Plan { short_side: 64, longest_ms: 2000, ..video::Plan::default() };
        let made = video::transcode(&input, &plan, &mut |_| (), &Cancel::new());
        let _ = video::play(&input, &Cancel::new());
        let _ = video::poster(&input, &Plan::default(), &Cancel::new());
        made.map(drop)
    };
    let files = corpus(&folder("film"));
    for (name, bytes) in &files {
        let result = entrances(bytes);
        match name.split('-').next().unwrap() {
            "ok" => assert_eq!(result, Ok(()), "{name}"),
            "bad" => assert!(result.is_err(), "{name}"),
            _ => {}
        }
    }
    let rounds = fuzz(&folder("film"), &files, |bytes| drop(entrances(bytes)));
    assert!(rounds > 10, "{rounds}");
}
