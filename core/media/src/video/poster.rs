//! The picture that stands for a film until somebody plays it.

use super::picture::graph;
use super::source::Source;
use super::tone::{Tone, is_readable};
use super::{Event, Recording, asked, quiet, refused};
use crate::{Cancel, MediaError, photo};
use ffmpeg::{filter, format, frame};
use ffmpeg_next as ffmpeg;

/// How far into a film its picture is looked for: the first is often the inside of a pocket.
const AT_MS: u64 = 1000;

/// Makes a photo and a thumbnail of a film's picture after one second, or its last one if it is shorter:
/// upright, in a usual screen's colours, without a tag, as small as [`photo::prepare`] makes any photo.
/// Works for an original as for a film that [`super::transcode`] made. Blocks for some tenths of a second,
/// FFmpeg decodes in threads of its own: not for a UI thread.
///
/// Errors: as [`super::transcode`] and [`photo::prepare`].
pub fn poster<R: Recording + ?Sized>(
    film: &R,
    plan: &photo::Plan,
    cancel: &Cancel,
) -> Result<photo::Compressed, MediaError> {
    quiet();
    made(film, plan, cancel).map_err(|e| asked(e, cancel))
}

fn made<R: Recording + ?Sized>(
    film: &R,
    plan: &photo::Plan,
    cancel: &Cancel,
) -> Result<photo::Compressed, MediaError> {
    let mut source = Source::open(film, false, cancel)?;
    let mut kept = frame::Video::empty();
    source.run(Some(AT_MS), cancel, &mut |event| {
        if let Event::Picture(frame, _) = event {
            std::mem::swap(frame, &mut kept);
        }
        Ok(())
    })?;
    let track = &source.into_picture();
    // No more is asked: the second picture may come after that second.
    if track.frames == 0 {
        return Err(MediaError::Unreadable);
    }
    let (width, height) = super::picture::target(track.square(), plan.longest_side);
    let scale = format!("scale={width}:{height}:flags=bicubic:out_range=tv,setsar=1{}", track.turn.filters());
    let shown = match track.hdr {
        Some(curve) => {
            let deep = one(&kept, track, &format!("{scale},format=yuv420p10le"))?;
            one(&Tone::new(curve, format::Pixel::YUV420P).map(&deep)?, track, "format=rgba")?
        }
        None => one(&kept, track, &format!("{scale},format=rgba"))?,
    };
    let pixels = photo::Pixels {
        rgba: shown.data(0),
        width: shown.width(),
        height: shown.height(),
        stride: shown.stride(0),
        orientation: 1,
        icc: None,
    };
    photo::prepare(photo::Source::Pixels(pixels), plan, &[], cancel)
}

/// Sends one picture through a chain of filters.
fn one(frame: &frame::Video, track: &super::source::Track, chain: &str) -> Result<frame::Video, MediaError> {
    let mut graph: filter::Graph = graph(frame, track, chain).map_err(refused)?;
    let mut source = graph.get("in").ok_or(MediaError::Unreadable)?;
    source.source().add(frame).map_err(refused)?;
    source.source().flush().map_err(refused)?;
    let mut out = frame::Video::empty();
    let mut sink = graph.get("out").ok_or(MediaError::Unreadable)?;
    sink.sink().frame(&mut out).map_err(refused)?;
    if is_readable(&out, 1) { Ok(out) } else { Err(MediaError::Unreadable) }
}
