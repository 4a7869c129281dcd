//! `shrink` (this package's example) against `vipsthumbnail`, process against process.

use image::GrayImage;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

/// Odd, so that there is a median.
const ROUNDS: usize = 15;

/// What one of the two came to.
struct Outcome {
    times: Vec<Duration>,
    bytes: u64,
    likeness: f64,
}

impl Outcome {
    fn median(&mut self) -> f64 {
        self.times.sort_unstable();
        self.times[self.times.len() / 2].as_secs_f64() * 1000.0
    }
}

/// Prints the comparison. Errors say which program is missing.
pub fn with_vips(original: &[u8]) -> Result<()> {
    let shrink = build()?;
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    fs::write(at("in.jpg"), original)?;
    // Neither of the two makes the reference: ImageMagick's Lanczos of the fully decoded original.
    run(Command::new("convert")
        .arg(at("in.jpg"))
        .args(["-auto-orient", "-filter", "Lanczos", "-resize", "2048x2048", "-strip"])
        .arg(at("reference.png")))?;
    let reference = image::open(at("reference.png")).map_err(Error::other)?.into_luma8();
    let target = format!("{}[Q=80,strip]", at("theirs.jpg").display());
    let ours = || run(Command::new(&shrink).args([at("in.jpg"), at("ours.jpg"), at("small.jpg")]));
    let theirs =
        || run(Command::new("vipsthumbnail").arg(at("in.jpg")).args(["-s", "2048x2048", "-o", &target]));
    ours()?;
    theirs()?;
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        a.push(ours()?);
        b.push(theirs()?);
    }
    let outcome = |times, name: &str| -> Result<Outcome> {
        let picture = image::open(at(name)).map_err(Error::other)?.into_luma8();
        Ok(Outcome { times, bytes: fs::metadata(at(name))?.len(), likeness: ssim(&picture, &reference) })
    };
    let (mut ours, mut theirs) = (outcome(a, "ours.jpg")?, outcome(b, "theirs.jpg")?);
    let (our_ms, their_ms) = (ours.median(), theirs.median());
    println!(
        "photo, {ROUNDS} rounds each in turns, whole process, 12 MP to 2048 px (ours makes the thumbnail, too)"
    );
    println!("  ours           median {our_ms:7.1} ms  {:8} bytes  SSIM {:.5}", ours.bytes, ours.likeness);
    println!(
        "  vipsthumbnail  median {their_ms:7.1} ms  {:8} bytes  SSIM {:.5}",
        theirs.bytes, theirs.likeness
    );
    println!(
        "  ratio of time {:.2}, of bytes {:.3}",
        our_ms / their_ms,
        ours.bytes as f64 / theirs.bytes as f64
    );
    for (worse, what) in [
        (our_ms > their_ms * 0.8, "takes more than 0.8 of the time of"),
        (ours.bytes > theirs.bytes, "is larger than that of"),
        (ours.likeness < theirs.likeness, "is less like the original than that of"),
    ] {
        if worse {
            println!("  FAILED: ours {what} vipsthumbnail");
        }
    }
    Ok(())
}

/// Builds the example without FFmpeg, whose libraries alone take longer to load than a photo to make.
fn build() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut build = Command::new(cargo);
    build.args([
        "build",
        "--quiet",
        "--release",
        "--no-default-features",
        "--example",
        "shrink",
        "--manifest-path",
    ]);
    run(build.arg(manifest))?;
    // This program lies in target/release/deps, the example in target/release/examples.
    let release = env::current_exe()?.parent().and_then(Path::parent).map(Path::to_owned);
    Ok(release.ok_or_else(|| Error::other("no target folder"))?.join("examples/shrink"))
}

fn run(command: &mut Command) -> Result<Duration> {
    let name = command.get_program().to_string_lossy().into_owned();
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).stderr(Stdio::null()).status();
    let took = start.elapsed();
    match status {
        Ok(status) if status.success() => Ok(took),
        Ok(status) => Err(Error::other(format!("{name}: {status}"))),
        Err(e) => Err(Error::new(e.kind(), format!("{name}: {e}"))),
    }
}

/// Structural similarity of luma, the mean over windows of 8 by 8 pixels in steps of 4. 1 is the same.
fn ssim(a: &GrayImage, b: &GrayImage) -> f64 {
    if a.dimensions() != b.dimensions() {
        return 0.0;
    }
    let (c1, c2) = ((0.01_f64 * 255.0).powi(2), (0.03_f64 * 255.0).powi(2));
    let (mut sum, mut windows) = (0.0, 0.0);
    for y in (0..a.height().saturating_sub(7)).step_by(4) {
        for x in (0..a.width().saturating_sub(7)).step_by(4) {
            let (mut sa, mut sb, mut saa, mut sbb, mut sab) = (0.0, 0.0, 0.0, 0.0, 0.0);
            for (dx, dy) in (0..64).map(|i| (i % 8, i / 8)) {
                let p = f64::from(a.get_pixel(x + dx, y + dy).0[0]);
                let q = f64::from(b.get_pixel(x + dx, y + dy).0[0]);
                (sa, sb, saa, sbb, sab) = (sa + p, sb + q, saa + p * p, sbb + q * q, sab + p * q);
            }
            let (ma, mb) = (sa / 64.0, sb / 64.0);
            let (va, vb, cov) = (saa / 64.0 - ma * ma, sbb / 64.0 - mb * mb, sab / 64.0 - ma * mb);
            sum += (2.0 * ma * mb + c1) * (2.0 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
            windows += 1.0;
        }
    }
    sum / f64::max(windows, 1.0)
}
