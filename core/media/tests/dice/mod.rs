//! Damage that is the same in every run, and a kept corpus that is damaged for a bounded time.
//! `core/src/hostile.rs` uses it too.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part, and may stop")]

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

/// A small generator of the same numbers every time.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % sides
    }

    /// One to eight damages: a flipped bit, an extreme byte, a piece cut out or doubled.
    pub fn damage(&mut self, bytes: &[u8], within: usize) -> Vec<u8> {
        let mut out = bytes.to_vec();
        if out.is_empty() {
            out.push(b' ');
        }
        for _ in 0..=self.roll(8) {
            let at = self.roll(within.min(out.len()).max(1)).min(out.len().saturating_sub(1));
            match self.roll(6) {
                0..=2 => out[at] ^= 1 << self.roll(8),
                3 => out[at] = [0, 0xFF, 0x7F, 0x80][self.roll(4)],
                4 => drop(out.drain(at..(at + self.roll(16)).min(out.len()))),
                _ => {
                    let piece = out[at..(at + self.roll(16)).min(out.len())].to_vec();
                    out.splice(at..at, piece);
                }
            }
            if out.is_empty() {
                break;
            }
        }
        out
    }
}

/// The files of a corpus, by name.
pub fn corpus(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    assert!(files.len() > 5, "the corpus is there");
    files
}

fn budget() -> Duration {
    let asked = env::var("RENRAKU_FUZZ_SECONDS").ok().and_then(|s| s.parse().ok());
    Duration::from_secs(asked.unwrap_or(6))
}

/// A seed for this run: the same in normal tests, another one where somebody looks for more.
fn seed() -> u64 {
    env::var("RENRAKU_FUZZ_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0xC0_FFEE)
}

/// Damages and crosses the corpus until the time is over. Gives how often. Each input lies in a file beside the folder
/// while it is tried, and stays there (`new-`) where the process ends by it, whether by a panic or by a signal.
pub fn fuzz(folder: &Path, files: &[(String, Vec<u8>)], each: impl Fn(&[u8])) -> usize {
    static FUZZERS: AtomicU32 = AtomicU32::new(0);
    let number = (std::process::id(), FUZZERS.fetch_add(1, Ordering::Relaxed));
    // Not in the folder: others read the whole of it meanwhile.
    let name = format!("new-{}-{}-{}", folder.file_name().unwrap().display(), number.0, number.1);
    let kept = folder.with_file_name(name);
    let (mut dice, start, mut rounds) = (Dice(seed()), Instant::now(), 0);
    while start.elapsed() < budget() {
        let (_, original) = &files[dice.roll(files.len())];
        let within = if dice.roll(2) == 0 { 400 } else { original.len() };
        let mut bad = dice.damage(original, within.max(1));
        if dice.roll(4) == 0 {
            let (_, other) = &files[dice.roll(files.len())];
            let (a, b) = (dice.roll(bad.len().max(1)), dice.roll(other.len().max(1)));
            bad = [&bad[..a.min(bad.len())], &other[b.min(other.len())..]].concat();
        }
        let _ = fs::write(&kept, &bad);
        each(&bad);
        rounds += 1;
    }
    let _ = fs::remove_file(&kept);
    rounds
}
