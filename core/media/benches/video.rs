//! How fast a film is made and how much memory it takes, against the `ffmpeg` command with the same encoder
//! and settings: whole processes, turn by turn in one run, on the same film. Ratios are printed, never
//! asserted: machines differ, a ratio within one run says more.

#[path = "video/compare.rs"]
mod compare;

use renraku_media::fixture::{self, FilmOptions};
use std::io::Result;

fn main() {
    // `cargo test` runs benches once, with --test, to see that they start.
    if !std::env::args().any(|a| a == "--bench") {
        return;
    }
    if let Err(e) = run() {
        println!("NOT COMPARED with ffmpeg: {e}");
    }
}

fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let film = folder.path().join("phone.mov");
    fixture::phone_film(&film, 6.0)?;
    let shrink = compare::build()?;
    compare::speed(&shrink, &film, "1080p of 6 s, held upright, with sound")?;
    let large = folder.path().join("large.mov");
    let options =
        FilmOptions { width: 3840, height: 2160, seconds: 2.0, bits: 50_000_000, ..Default::default() };
    fixture::film(&large, &options)?;
    compare::memory(&shrink, &large, "4K of 2 s")
}
