//! The pictures' way: scaled, turned upright, thinned out to the planned rate, encoded as H.264.

use super::output::{Lane, Output};
use super::source::{Source, Track};
use super::tone::Tone;
use super::{Plan, nothing_more, refused};
use crate::{Cancel, MediaError, film};
use ffmpeg::codec::threading;
use ffmpeg::{Dictionary, Packet, Rational, codec, encoder, filter, format, frame, picture};
use ffmpeg_next as ffmpeg;

/// The unit of time on the way out: divides evenly by every usual rate.
const TICKS: i32 = 90_000;

/// Encoders that other people's phones have, then the ones that are code.
const HARDWARE: [&str; 2] = ["h264_videotoolbox", "h264_mediacodec"];
const SOFTWARE: [&str; 2] = ["libx264", "libopenh264"];

/// Which to try, in this order.
fn names(hardware: bool) -> impl Iterator<Item = &'static str> {
    HARDWARE.into_iter().filter(move |_| hardware).chain(SOFTWARE)
}

/// Whether an encoder is a chip: those may refuse in the middle of a film.
pub(super) fn is_hardware(name: &str) -> bool {
    HARDWARE.contains(&name)
}

pub(super) struct Pictures {
    graph: Option<filter::Graph>,
    /// For films with more light than screens have.
    tone: Option<Tone>,
    /// What the graph was built for.
    layout: (u32, u32, format::Pixel),
    chain: String,
    encoder: encoder::video::Encoder,
    name: &'static str,
    lane: Lane,
    last: i64,
    frame_ticks: i64,
}

impl Pictures {
    pub fn new(source: &Source, plan: &Plan, out: &mut Output) -> Result<Self, MediaError> {
        let track = &source.picture;
        let (width, height) = target(track.size, plan.short_side);
        let upright = if track.turn.sideways { (height, width) } else { (width, height) };
        let bits = most_bits(source.expected_ms(), plan);
        let (name, encoder, pixel) = names(plan.hardware)
            .find_map(|name| open(name, upright, track, plan, bits).map(|(e, p)| (name, e, p)))
            .ok_or(MediaError::Unsupported { what: "no encoder for H.264 or AAC" })?;
        let rate = if track.rate > 0.0 { track.rate.min(f64::from(plan.rate)) } else { f64::from(plan.rate) };
        let mut chain =
            format!("scale={width}:{height}:flags=bicubic:out_range=tv,setsar=1{}", track.turn.filters());
        if track.rate == 0.0 || track.rate > f64::from(plan.rate) + 0.5 {
            chain += &format!(",fps={}", plan.rate);
        }
        let tone = track.hdr.map(Tone::new);
        let wanted = if tone.is_some() { "yuv420p10le" } else { pixel_name(pixel) };
        chain += &format!(",format={wanted},settb=1/{TICKS}");
        let lane = out.add(&encoder, Rational(1, TICKS))?;
        let layout = (0, 0, format::Pixel::None);
        let frame_ticks = (f64::from(TICKS) / rate).round() as i64;
        Ok(Self { graph: None, tone, layout, chain, encoder, name, lane, last: -1, frame_ticks })
    }

    /// Name of the encoder in use.
    pub fn name(&self) -> &'static str {
        self.name
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
        self.encoder.send_eof().map_err(refused)?;
        self.encoded(out, cancel)
    }

    fn filtered(&mut self, out: &mut Output, cancel: &Cancel) -> Result<(), MediaError> {
        loop {
            let Some(mut sink) = self.graph.as_mut().and_then(|g| g.get("out")) else { return Ok(()) };
            // A new one each time: the sink writes over what a frame holds without giving it back.
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
            self.encoder.send_frame(mapped.as_ref().unwrap_or(&frame)).map_err(refused)?;
            self.encoded(out, cancel)?;
        }
    }

    fn encoded(&mut self, out: &mut Output, cancel: &Cancel) -> Result<(), MediaError> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(e) if nothing_more(&e) => return Ok(()),
                Err(e) => return Err(refused(e)),
            }
            cancel.check()?;
            let mut bare = only_pictures(&packet)?;
            // Without a length the last picture would be shown for no time at all.
            let length = if packet.duration() > 0 { packet.duration() } else { self.frame_ticks };
            bare.set_duration(length);
            out.write(&mut bare, &self.lane)?;
        }
    }
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

/// Seconds of the highest rate that may come at once.
const BUFFER_SECONDS: u32 = 2;

/// Bits a second that the pictures may take, so that the film stays under the planned bytes: never more than
/// four million, which is plenty, and never so few that there is nothing to see.
fn most_bits(expected_ms: u64, plan: &Plan) -> u32 {
    let playing = if expected_ms == 0 { plan.longest_ms } else { expected_ms.min(plan.longest_ms) };
    let ms = playing.saturating_add(u64::from(BUFFER_SECONDS) * 1000);
    let all = u128::from(plan.max_bytes as u64) * 8 * 1000 * 95 / 100 / u128::from(ms);
    let sound = if plan.sound { u128::from(super::sound::BITS) } else { 0 };
    u32::try_from(all.saturating_sub(sound)).unwrap_or(u32::MAX).clamp(150_000, 4_000_000)
}

const BT709: (ffmpeg::color::Space, ffmpeg::color::Primaries, ffmpeg::color::TransferCharacteristic) = (
    ffmpeg::color::Space::BT709,
    ffmpeg::color::Primaries::BT709,
    ffmpeg::color::TransferCharacteristic::BT709,
);

fn pixel_name(pixel: format::Pixel) -> &'static str {
    pixel.descriptor().map_or("yuv420p", |d| d.name())
}

fn open(
    name: &str,
    (width, height): (u32, u32),
    track: &Track,
    plan: &Plan,
    bits: u32,
) -> Option<(encoder::video::Encoder, format::Pixel)> {
    let codec = encoder::find_by_name(name)?;
    let mut pixels = codec.video().ok()?.formats()?;
    let pixel = if pixels.any(|p| p == format::Pixel::YUV420P) {
        format::Pixel::YUV420P
    } else {
        format::Pixel::NV12
    };
    let mut encoder = codec::Context::new_with_codec(codec).encoder().video().ok()?;
    encoder.set_width(width);
    encoder.set_height(height);
    encoder.set_format(pixel);
    encoder.set_time_base(Rational(1, TICKS));
    let rate = if track.rate > 0.0 { track.rate.min(f64::from(plan.rate)) } else { f64::from(plan.rate) };
    encoder.set_frame_rate(Some(Rational((rate * 1000.0).round() as i32, 1000)));
    encoder.set_gop(plan.rate * 2);
    encoder.set_color_range(ffmpeg::color::Range::MPEG);
    let (space, primaries, transfer) = match track.hdr {
        // Toned down to these, in the one format that the table makes.
        Some(_) if pixel == format::Pixel::YUV420P => BT709,
        Some(_) => return None,
        None => track.color,
    };
    encoder.set_colorspace(space);
    encoder.set_color_primaries(primaries);
    encoder.set_color_transfer_characteristic(transfer);
    encoder.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
    let mut options = Dictionary::new();
    if name == "libx264" {
        let (most, ahead) = (bits.to_string(), (bits * BUFFER_SECONDS).to_string());
        for (key, value) in
            [("preset", "veryfast"), ("crf", "26"), ("maxrate", most.as_str()), ("bufsize", ahead.as_str())]
        {
            options.set(key, value);
        }
        if track.large {
            // Ten pictures ahead in as many threads as there are processors would take a hundred megabytes.
            options.set("rc-lookahead", "4");
            encoder.set_max_b_frames(0);
            encoder.set_threading(threading::Config {
                kind: threading::Type::Frame,
                count: 1,
                ..threading::Config::default()
            });
        }
    } else {
        encoder.set_bit_rate(bits.min(2_500_000) as usize);
    }
    encoder.open_with(options).ok().map(|e| (e, pixel))
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
    fn chips_come_first_when_asked_for_and_never_otherwise() {
        let all: Vec<_> = names(true).collect();
        assert_eq!(all, ["h264_videotoolbox", "h264_mediacodec", "libx264", "libopenh264"]);
        assert!(names(false).all(|name| !is_hardware(name)));
        assert_eq!(names(false).count(), 2);
    }

    #[test]
    fn a_long_film_gets_fewer_bits_and_none_gets_too_few() {
        let plan = |max_bytes| Plan { max_bytes, longest_ms: 60_000, ..Plan::default() };
        assert_eq!(most_bits(60_000, &plan(64 << 20)), 4_000_000);
        let tight = most_bits(60_000, &plan(4_000_000));
        assert!((350_000..450_000).contains(&tight), "{tight}");
        assert!(most_bits(6_000, &plan(4_000_000)) > 3_000_000, "a short one may use them all");
        assert_eq!(most_bits(0, &plan(4_000_000)), tight, "unknown is as long as can be");
        assert_eq!(most_bits(u64::MAX, &plan(0)), 150_000);
        assert_eq!(most_bits(1, &plan(usize::MAX)), 4_000_000);
    }

    #[test]
    fn sizes_are_even_and_bounded() {
        assert_eq!(target((1920, 1080), 720), (1280, 720));
        assert_eq!(target((1080, 1920), 720), (720, 1280));
        assert_eq!(target((640, 361), 720), (640, 362));
        assert_eq!(target((8000, 720), 720).0, 1680);
    }
}
