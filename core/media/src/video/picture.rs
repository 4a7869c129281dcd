//! The pictures' way: scaled, turned upright, thinned out to the planned rate, encoded as H.264.

use super::encoder::{self, Kind, Opened, TICKS};
use super::output::{Lane, Output};
use super::source::{Source, Track};
use super::tone::Tone;
use super::{Plan, nothing_more, refused};
use crate::{Cancel, MediaError, film};
use ffmpeg::encoder::video::Encoder;
use ffmpeg::{Packet, Rational, filter, format, frame, picture};
use ffmpeg_next as ffmpeg;

pub(super) struct Pictures {
    graph: Option<filter::Graph>,
    /// For films with more light than screens have.
    tone: Option<Tone>,
    /// What the graph was built for.
    layout: (u32, u32, format::Pixel),
    chain: String,
    encoder: Encoder,
    name: &'static str,
    is_hardware: bool,
    lane: Lane,
    last: i64,
    frame_ticks: i64,
}

impl Pictures {
    /// For pictures of at most so many bits a second.
    pub fn new(
        source: &Source,
        plan: &Plan,
        kinds: &[Kind<'_>],
        bits: u32,
        out: &mut Output,
    ) -> Result<Self, MediaError> {
        let track = &source.picture;
        let (width, height) = target(track.square(), plan.short_side);
        let upright = if track.turn.sideways { (height, width) } else { (width, height) };
        let Opened { encoder, name, is_hardware, pixel } = encoder::open(kinds, upright, track, plan, bits)?;
        let mut chain =
            format!("scale={width}:{height}:flags=bicubic:out_range=tv,setsar=1{}", track.turn.filters());
        if track.rate == 0.0 || track.rate > f64::from(plan.rate) + 0.5 {
            chain += &format!(",fps={}", plan.rate);
        }
        let tone = track.hdr.map(|curve| Tone::new(curve, pixel));
        let wanted = if tone.is_some() { "yuv420p10le" } else { pixel_name(pixel) };
        chain += &format!(",format={wanted},settb=1/{TICKS}");
        let lane = out.add(&encoder, Rational(1, TICKS))?;
        let layout = (0, 0, format::Pixel::None);
        let frame_ticks = (f64::from(TICKS) / encoder::rate(track, plan)).round() as i64;
        Ok(Self { graph: None, tone, layout, chain, encoder, name, is_hardware, lane, last: -1, frame_ticks })
    }

    /// Name of the encoder in use.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it is a chip.
    pub fn is_hardware(&self) -> bool {
        self.is_hardware
    }

    pub fn feed(
        &mut self,
        frame: &mut frame::Video,
        track: &Track,
        out: &mut Output,
        cancel: &Cancel,
    ) -> Result<(), MediaError> {
        // Or the encoder would copy the kinds of the original's pictures.
        frame.set_kind(picture::Type::None);
        let layout = (frame.width(), frame.height(), frame.format());
        if self.graph.is_none() {
            self.graph = Some(graph(frame, track, &self.chain).map_err(refused)?);
            self.layout = layout;
        }
        if layout != self.layout {
            return Err(MediaError::Unreadable);
        }
        if let Some(mut source) = self.graph.as_mut().and_then(|g| g.get("in")) {
            source.source().add(frame).map_err(refused)?;
        }
        self.filtered(out, cancel)
    }

    pub fn finish(&mut self, out: &mut Output, cancel: &Cancel) -> Result<(), MediaError> {
        if let Some(mut source) = self.graph.as_mut().and_then(|g| g.get("in")) {
            source.source().flush().map_err(refused)?;
        }
        self.filtered(out, cancel)?;
        self.encoder.send_eof().map_err(failed)?;
        self.encoded(out, cancel)
    }

    fn filtered(&mut self, out: &mut Output, cancel: &Cancel) -> Result<(), MediaError> {
        loop {
            let Some(mut sink) = self.graph.as_mut().and_then(|g| g.get("out")) else { return Ok(()) };
            // A new one each time: FFmpeg's sink writes over what a frame holds without giving it back.
            let mut frame = frame::Video::empty();
            match sink.sink().frame(&mut frame) {
                Ok(()) => {}
                Err(e) if nothing_more(&e) => return Ok(()),
                Err(e) => return Err(refused(e)),
            }
            cancel.check()?;
            // Two pictures at one moment: players and encoders refuse that.
            let Some(pts) = frame.pts().filter(|pts| *pts > self.last) else { continue };
            self.last = pts;
            let mapped = self.tone.as_ref().map(|tone| tone.map(&frame)).transpose()?;
            self.encoder.send_frame(mapped.as_ref().unwrap_or(&frame)).map_err(failed)?;
            self.encoded(out, cancel)?;
        }
    }

    fn encoded(&mut self, out: &mut Output, cancel: &Cancel) -> Result<(), MediaError> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(e) if nothing_more(&e) => return Ok(()),
                Err(e) => return Err(failed(e)),
            }
            cancel.check()?;
            // What it gave and nobody can use is its failure, too.
            self.kept(&packet, out).map_err(encoder::its_own)?;
        }
    }

    fn kept(&self, packet: &Packet, out: &mut Output) -> Result<(), MediaError> {
        let mut bare = only_pictures(packet)?;
        // Without a length the last picture would be shown for no time at all.
        let length = if packet.duration() > 0 { packet.duration() } else { self.frame_ticks };
        bare.set_duration(length);
        out.write(&mut bare, &self.lane)
    }
}

/// What it means that the encoder refuses.
fn failed(e: ffmpeg::Error) -> MediaError {
    encoder::its_own(refused(e))
}

/// The size before turning: even, the short side as planned, never larger than the original and never a
/// ribbon longer than a verified film may be.
pub(super) fn target((width, height): (u32, u32), short_side: u32) -> (u32, u32) {
    let (short, long) = (f64::from(width.min(height)), f64::from(width.max(height)));
    let longest = f64::from(film::Limits::default().max_side);
    let factor = (f64::from(short_side) / short).min(longest / long).min(1.0);
    let even = |side: u32| (((f64::from(side) * factor) / 2.0).round() as u32 * 2).max(16);
    (even(width), even(height))
}

fn pixel_name(pixel: format::Pixel) -> &'static str {
    pixel.descriptor().map_or("yuv420p", |d| d.name())
}

pub(super) fn graph(
    frame: &frame::Video,
    track: &Track,
    chain: &str,
) -> Result<filter::Graph, ffmpeg::Error> {
    let mut graph = filter::Graph::new();
    let (source, sink) = (filter::find("buffer"), filter::find("buffersink"));
    let (source, sink) =
        (source.ok_or(ffmpeg::Error::FilterNotFound)?, sink.ok_or(ffmpeg::Error::FilterNotFound)?);
    let Rational(num, den) = track.time_base;
    let arguments = format!(
        "video_size={}x{}:pix_fmt={}:time_base={num}/{den}:pixel_aspect=1/1",
        frame.width(),
        frame.height(),
        frame.format().descriptor().ok_or(ffmpeg::Error::InvalidData)?.name(),
    );
    graph.add(&source, "in", &arguments)?;
    graph.add(&sink, "out", "")?;
    graph.output("in", 0)?.input("out", 0)?.parse(chain)?;
    graph.validate()?;
    Ok(graph)
}

/// The packet without the units that carry anything else than pictures and how to decode them: encoders
/// sign their work there.
fn only_pictures(packet: &Packet) -> Result<Packet, MediaError> {
    let data = packet.data().ok_or(MediaError::Unreadable)?;
    let mut kept = Vec::with_capacity(data.len());
    for unit in units(data) {
        if matches!(unit.first().map(|b| b & 0x1F), Some(1..=5 | 7..=9)) {
            let length = u32::try_from(unit.len()).map_err(|_| MediaError::Unreadable)?;
            // Start code or length: the muxer tells by the stream's description which one it is.
            let mark = if is_start_code(data) { [0, 0, 0, 1] } else { length.to_be_bytes() };
            kept.extend(mark);
            kept.extend(unit);
        }
    }
    let mut bare = Packet::copy(&kept);
    bare.set_pts(packet.pts());
    bare.set_dts(packet.dts());
    bare.set_flags(packet.flags());
    Ok(bare)
}

fn is_start_code(data: &[u8]) -> bool {
    data.starts_with(&[0, 0, 1]) || data.starts_with(&[0, 0, 0, 1])
}

/// The NAL units of a packet in either framing.
fn units(data: &[u8]) -> Vec<&[u8]> {
    let mut out = Vec::new();
    if is_start_code(data) {
        let starts: Vec<usize> = memchr::memmem::find_iter(data, &[0, 0, 1]).map(|at| at + 3).collect();
        for (i, start) in starts.iter().enumerate() {
            let end = starts.get(i + 1).map_or(data.len(), |next| next - 3);
            let unit = &data[*start..end];
            let used = unit.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
            out.push(&unit[..used]);
        }
        return out;
    }
    let mut rest = data;
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let Some((unit, more)) = more.split_at_checked(u32::from_be_bytes(*length) as usize) else { break };
        out.push(unit);
        rest = more;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_in_both_framings() {
        let long: &[u8] = &[0, 0, 0, 1, 6, 5, 0, 0, 1, 0x65, 9, 8, 0, 0, 0, 1, 1, 7];
        assert_eq!(units(long), [&[6, 5][..], &[0x65, 9, 8], &[1, 7]]);
        assert_eq!(units(&[0, 0, 0, 2, 6, 5, 0, 0, 0, 3, 0x65, 9, 8]), [&[6, 5][..], &[0x65, 9, 8]]);
    }

    #[test]
    fn what_an_encoder_signs_is_taken_out() {
        let packet = Packet::copy(&[0, 0, 0, 1, 6, 5, 42, 0, 0, 1, 0x65, 9, 8]);
        assert_eq!(only_pictures(&packet).unwrap().data(), Some(&[0, 0, 0, 1, 0x65, 9, 8][..]));
    }

    #[test]
    fn sizes_are_even_and_bounded() {
        assert_eq!(target((1920, 1080), 720), (1280, 720));
        assert_eq!(target((1080, 1920), 720), (720, 1280));
        assert_eq!(target((640, 361), 720), (640, 362));
        assert_eq!(target((8000, 720), 720).0, 1680);
    }
}
