//! The sound's way: resampled to 48 kHz stereo, encoded as AAC.

use super::output::{Lane, Output};
use super::source::Track;
use super::{nothing_more, refused};
use crate::MediaError;
use ffmpeg::{ChannelLayout, Packet, Rational, codec, encoder, filter, format, frame};
use ffmpeg_next as ffmpeg;

const RATE: i32 = 48_000;
/// Bits a second.
pub(super) const BITS: u32 = 96_000;

pub(super) struct Sounds {
    graph: Option<filter::Graph>,
    layout: (u32, format::Sample, u16),
    encoder: encoder::audio::Encoder,
    time_base: Rational,
    lane: Lane,
}

impl Sounds {
    pub fn new(track: &Track, out: &mut Output) -> Result<Self, MediaError> {
        let codec = encoder::find(codec::Id::AAC).ok_or(ffmpeg::Error::EncoderNotFound).map_err(refused)?;
        let mut encoder = codec::Context::new_with_codec(codec).encoder().audio().map_err(refused)?;
        encoder.set_rate(RATE);
        encoder.set_channel_layout(ChannelLayout::STEREO);
        encoder.set_format(format::Sample::F32(format::sample::Type::Planar));
        encoder.set_bit_rate(BITS as usize);
        encoder.set_time_base(Rational(1, RATE));
        encoder.set_flags(codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
        let encoder = encoder.open().map_err(refused)?;
        let lane = out.add(&encoder, Rational(1, RATE))?;
        let layout = (0, format::Sample::None, 0);
        Ok(Self { graph: None, layout, encoder, time_base: track.time_base, lane })
    }

    pub fn feed(&mut self, frame: &mut frame::Audio, _: &Track, out: &mut Output) -> Result<(), MediaError> {
        let layout = (frame.rate(), frame.format(), frame.channels());
        if self.graph.is_none() {
            // From the first frame, not from the file's words: phones leave the layout open.
            self.graph = Some(self.build(frame).map_err(refused)?);
            self.layout = layout;
        }
        if layout != self.layout {
            return Err(MediaError::Unreadable);
        }
        if let Some(mut source) = self.graph.as_mut().and_then(|g| g.get("in")) {
            source.source().add(frame).map_err(refused)?;
        }
        self.filtered(out)
    }

    pub fn finish(&mut self, out: &mut Output) -> Result<(), MediaError> {
        if let Some(mut source) = self.graph.as_mut().and_then(|g| g.get("in")) {
            source.source().flush().map_err(refused)?;
        }
        self.filtered(out)?;
        self.encoder.send_eof().map_err(refused)?;
        self.encoded(out)
    }

    fn build(&self, frame: &mut frame::Audio) -> Result<filter::Graph, ffmpeg::Error> {
        if frame.rate() == 0 || frame.channels() == 0 {
            return Err(ffmpeg::Error::InvalidData);
        }
        if frame.channel_layout().is_empty() {
            frame.set_channel_layout(ChannelLayout::default(frame.channels().into()));
        }
        let mut graph = filter::Graph::new();
        let (source, sink) = (filter::find("abuffer"), filter::find("abuffersink"));
        let (source, sink) =
            (source.ok_or(ffmpeg::Error::FilterNotFound)?, sink.ok_or(ffmpeg::Error::FilterNotFound)?);
        let Rational(num, den) = self.time_base;
        let arguments = format!(
            "time_base={num}/{den}:sample_rate={}:sample_fmt={}:channel_layout=0x{:x}",
            frame.rate(),
            frame.format().name(),
            frame.channel_layout().bits()
        );
        graph.add(&source, "in", &arguments)?;
        graph.add(&sink, "out", "")?;
        let chain = format!("aresample={RATE}:async=1,aformat=sample_fmts=fltp:channel_layouts=stereo");
        graph.output("in", 0)?.input("out", 0)?.parse(&chain)?;
        graph.validate()?;
        if let Some(mut sink) = graph.get("out") {
            // AAC takes exactly so many samples at a time.
            sink.sink().set_frame_size(self.encoder.frame_size());
        }
        Ok(graph)
    }

    fn filtered(&mut self, out: &mut Output) -> Result<(), MediaError> {
        loop {
            let Some(mut sink) = self.graph.as_mut().and_then(|g| g.get("out")) else { return Ok(()) };
            // A new one each time: FFmpeg's sink writes over what a frame holds without giving it back.
            let mut frame = frame::Audio::empty();
            match sink.sink().frame(&mut frame) {
                Ok(()) => {}
                Err(e) if nothing_more(&e) => return Ok(()),
                Err(e) => return Err(refused(e)),
            }
            self.encoder.send_frame(&frame).map_err(refused)?;
            self.encoded(out)?;
        }
    }

    fn encoded(&mut self, out: &mut Output) -> Result<(), MediaError> {
        let mut packet = Packet::empty();
        loop {
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => out.write(&mut packet, &self.lane)?,
                Err(e) if nothing_more(&e) => return Ok(()),
                Err(e) => return Err(refused(e)),
            }
        }
    }
}
