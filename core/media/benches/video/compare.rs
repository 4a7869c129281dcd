//! `film` (this package's example) against `ffmpeg`, process against process.

use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fs};

/// Odd, so that there is a median.
const ROUNDS: usize = 15;

/// Builds the example and says where it is.
pub fn build() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--release", "--example", "film", "--manifest-path"]).arg(manifest);
    run(&mut build)?;
    // This program lies in target/release/deps, the example in target/release/examples.
    let release = env::current_exe()?.parent().and_then(Path::parent).map(Path::to_owned);
    Ok(release.ok_or_else(|| Error::other("no target folder"))?.join("examples/film"))
}

fn ours(program: &Path, input: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(input).arg(input.with_extension("ours.mp4"));
    command
}

/// What the plan says, in the command's words: the same filters, encoders, rates and flags.
fn theirs(input: &Path) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-y", "-i"]).arg(input);
    command.args(["-map", "0:v:0", "-map", "0:a:0", "-map_metadata", "-1", "-fflags", "+bitexact"]);
    command.args(["-vf", "scale=720:1280:flags=bicubic:out_range=tv,setsar=1,format=yuv420p"]);
    command
        .args(["-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-maxrate", "4M", "-bufsize", "8M"]);
    command.args(["-g", "60", "-c:a", "aac", "-b:a", "96k", "-ar", "48000", "-ac", "2"]);
    command.args(["-movflags", "+faststart"]).arg(input.with_extension("theirs.mp4"));
    command
}

/// Prints how long both take and what comes out.
pub fn speed(program: &Path, input: &Path, what: &str) -> Result<()> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        a.push(run(&mut ours(program, input))?);
        b.push(run(&mut theirs(input))?);
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    // Of each round by itself: a machine that is slow for a while is so for both.
    let ratio = median(&mut a.iter().zip(&b).map(|(ours, theirs)| ours / theirs).collect());
    let (our_ms, their_ms) = (median(&mut a), median(&mut b));
    let size = |name: &str| fs::metadata(input.with_extension(name)).map(|m| m.len());
    let (our_bytes, their_bytes) = (size("ours.mp4")?, size("theirs.mp4")?);
    println!(
        "film, {ROUNDS} rounds each in turns, whole process, {what} to 720p, libx264 veryfast (ours checks the result, too)"
    );
    println!("  ours           median {our_ms:7.0} ms  {our_bytes:8} bytes");
    println!("  ffmpeg         median {their_ms:7.0} ms  {their_bytes:8} bytes");
    println!(
        "  median of the rounds' ratios {ratio:.2}, ratio of the fastest {:.2}, of bytes {:.3}",
        a[0] / b[0],
        our_bytes as f64 / their_bytes as f64
    );
    if ratio > 1.05 {
        println!("  FAILED: ours takes more than 1.05 of the command's time");
    }
    Ok(())
}

/// Prints the most memory that each took. Linux only.
pub fn memory(program: &Path, input: &Path, what: &str) -> Result<()> {
    let our_mb = peak(&mut ours(program, input))?;
    let their_mb = peak(&mut theirs(input))?;
    println!("peak memory, {what} to 720p: ours {our_mb} MB, ffmpeg {their_mb} MB");
    if our_mb >= 300 {
        println!("  FAILED: ours takes 300 MB or more");
    }
    Ok(())
}

/// The high-water mark of a process, looked at every few milliseconds until it ends.
fn peak(command: &mut Command) -> Result<u64> {
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let now = line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0);
        most = u64::max(most, now);
        if let Some(done) = child.try_wait()? {
            let fit = done.success() && most > 0;
            return if fit { Ok(most / 1024) } else { Err(Error::other("a process failed or was not seen")) };
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Runs a command to its end and gives the milliseconds.
fn run(command: &mut Command) -> Result<f64> {
    let name = command.get_program().to_string_lossy().into_owned();
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).stderr(Stdio::null()).status();
    let took = start.elapsed().as_secs_f64() * 1000.0;
    match status {
        Ok(status) if status.success() => Ok(took),
        Ok(status) => Err(Error::other(format!("{name}: {status}"))),
        Err(e) => Err(Error::new(e.kind(), format!("{name}: {e}"))),
    }
}
