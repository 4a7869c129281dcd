//! Work on a large film stops soon, whenever it is asked to.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]
#![cfg(feature = "video")]

mod large;

use large::{Large, film};
use renraku_media::{Cancel, MediaError, photo, video};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Does the work to its end, and then as often as there are parts of the time that it took, asked to stop after so many
/// hundredths of it. Every wait counts. Of them the median: what matters is the work between two looks at the flag,
/// not what else a machine does.
fn stops(name: &str, hundredths: &[u32], work: impl Fn(&Cancel) -> Result<(), MediaError>) {
    let took = || {
        let begin = Instant::now();
        work(&Cancel::new()).unwrap();
        begin.elapsed()
    };
    // Two such at once would measure each other.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    // The quicker of two, or the latest moments might come too late.
    let mut whole = took().min(took());
    let mut waits: Vec<Duration> = Vec::new();
    for part in hundredths {
        // It may be quicker this time, and ready before it is asked: then once more, a little earlier.
        for _ in 0..3 {
            let cancel = Cancel::new();
            let flag = cancel.clone();
            let after = whole * *part / 100;
            let begin = Instant::now();
            let other = std::thread::spawn(move || {
                std::thread::sleep(after);
                let asked = Instant::now();
                flag.cancel();
                asked
            });
            let result = work(&cancel);
            let over = Instant::now();
            let asked = other.join().unwrap();
            if let Some(waited) = over.checked_duration_since(asked) {
                // It may just have looked for the last time.
                assert!(matches!(result, Ok(()) | Err(MediaError::Cancelled)), "{name}: {result:?}");
                waits.push(waited);
                break;
            }
            assert_eq!(result, Ok(()), "{name} after {after:?}");
            whole = whole.min(over - begin);
        }
    }
    waits.sort_unstable();
    println!("{name}: {whole:?} whole, stopped after {waits:?}");
    assert!(waits.len() * 2 > hundredths.len(), "{name}: too few were asked in time: {waits:?}");
    assert!(waits[waits.len() / 2] < Duration::from_millis(200), "{name}: {waits:?}");
}

/// From before the file is opened to the last look at what was made.
const SPREAD: [u32; 12] = [0, 1, 2, 4, 15, 30, 45, 60, 75, 90, 95, 98];

#[test]
fn the_making_of_a_film_stops_soon() {
    let folder = tempfile::tempdir().unwrap();
    for large in [Large::Plain, Large::Recorded] {
        let film = film(folder.path(), large);
        let plan = video::Plan::default();
        stops(&format!("{large:?}"), &SPREAD, |cancel| {
            video::transcode(&film, &plan, &mut |_| (), cancel).map(drop)
        });
    }
}

#[test]
fn looking_at_a_film_stops_soon() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path(), Large::Recorded);
    let plan = photo::Plan::default();
    stops("poster", &SPREAD, |cancel| video::poster(&film, &plan, cancel).map(drop));
    stops("playing", &SPREAD, |cancel| video::play(&film, cancel).map(drop));
}
