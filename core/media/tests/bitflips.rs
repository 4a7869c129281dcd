//! Thousands of damaged files, always the same ones: nothing panics, and no check takes damage for tags
//! removed or the other way round without looking.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]

mod dice;

use dice::Dice;
use renraku_media::{Cancel, document, film, fixture, photo};
use std::time::{Duration, Instant};

const BUDGET: Duration = Duration::from_secs(20);

#[test]
fn photos() {
    let plain = fixture::jpeg(&fixture::heel(3, 640, 480), 640, 480, 80);
    let tagged = fixture::tagged(&plain, 6, Some(&fixture::display_p3()));
    let mut png = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_raw(200, 150, fixture::heel(3, 200, 150)).unwrap();
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let mut webp = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut webp, image::ImageFormat::WebP).unwrap();
    let (png, webp) = (png.into_inner(), webp.into_inner());
    let plan = photo::Plan { max_pixels: 2_000_000, ..photo::Plan::default() };
    let limits = photo::Limits { max_bytes: 1_000_000, max_side: 1000 };
    let (mut dice, start, mut refused) = (Dice(0x5EED), Instant::now(), 0);
    for round in 0..1500 {
        let original = [&plain, &tagged, &png, &webp][round % 4];
        // Headers are where lies hurt: half of the damage goes there.
        let within = if round % 8 < 4 { 700 } else { original.len() };
        let bad = dice.damage(original, within);
        refused += usize::from(photo::compress(&bad, &plan, &Cancel::new()).is_err());
        if photo::verify(&bad, &limits).is_ok() {
            assert!(!bad.windows(4).any(|w| w == b"Exif"));
        }
        let _ = photo::thumbnail(&bad, 100);
        let _ = document::verify(&bad, 1_000_000);
        if start.elapsed() > BUDGET {
            break;
        }
    }
    assert!(refused > 100, "damage is noticed: {refused}");
}

#[cfg(feature = "video")]
#[test]
fn films() {
    use renraku_media::video;
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.mov"), folder.path().join("out.mp4"));
    let options =
        fixture::FilmOptions { width: 160, height: 90, seconds: 1.0, bits: 200_000, ..Default::default() };
    fixture::film(&input, &options).unwrap();
    fixture::transcoded(&input, &output, &video::Plan::default()).unwrap();
    let (original, film) = (std::fs::read(&input).unwrap(), std::fs::read(&output).unwrap());
    let limits = film::Limits::default();
    film::verify(&film, &limits).unwrap();
    let index = film.windows(4).position(|w| w == b"mdat").unwrap();
    let (mut dice, start, mut refused, mut rounds) = (Dice(0xF11F), Instant::now(), 0, 0);
    while rounds < 20_000 && start.elapsed() < BUDGET {
        let bad = dice.damage(&film, if rounds % 3 == 0 { film.len() } else { index });
        refused += usize::from(film::verify(&bad, &limits).is_err());
        rounds += 1;
    }
    assert!(refused * 2 > rounds, "damage is noticed: {refused} of {rounds}");
    let start = Instant::now();
    for _ in 0..150 {
        let bad = dice.damage(&original, original.len());
        std::fs::write(&input, bad).unwrap();
        if let Ok(played) = video::play(&input, &Cancel::new()) {
            assert!(played.frames >= 25, "a success must be nearly the whole film: {played:?}");
        }
        let made = fixture::transcoded(&input, &output, &video::Plan::default());
        if made.is_ok() {
            film::verify(&std::fs::read(&output).unwrap(), &limits).unwrap();
        }
        let poster = video::poster(&input, &photo::Plan::default(), &Cancel::new());
        if let Ok(poster) = poster {
            photo::verify(&poster.photo, &photo::Limits::default()).unwrap();
        }
        if start.elapsed() > BUDGET {
            break;
        }
    }
}

#[cfg(feature = "video")]
#[test]
fn films_cut_off_at_every_hundredth() {
    use renraku_media::{MediaError, video};
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.mov"), folder.path().join("out.mp4"));
    let options =
        fixture::FilmOptions { width: 160, height: 90, seconds: 1.0, bits: 200_000, ..Default::default() };
    fixture::film(&input, &options).unwrap();
    fixture::transcoded(&input, &output, &video::Plan::default()).unwrap();
    let cut = folder.path().join("cut.mov");
    for whole in [std::fs::read(&input).unwrap(), std::fs::read(&output).unwrap()] {
        let ends = (0..100).map(|i| whole.len() * i / 100).chain(whole.len() - 8..whole.len()).chain(0..40);
        for end in ends {
            std::fs::write(&cut, &whole[..end]).unwrap();
            let result = video::transcode(&cut, &video::Plan::default(), &mut |_| (), &Cancel::new());
            assert_eq!(result, Err(MediaError::Unreadable), "{end} of {}", whole.len());
            assert_eq!(video::play(&cut, &Cancel::new()), Err(MediaError::Unreadable));
            let poster = video::poster(&cut, &photo::Plan::default(), &Cancel::new());
            assert_eq!(poster, Err(MediaError::Unreadable));
            assert!(film::verify(&whole[..end], &film::Limits::default()).is_err());
        }
    }
}
