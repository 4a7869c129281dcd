//! The film being written, in memory until it is complete and checked.

use super::front::fast_start;
use super::refused;
use super::stream::Memory;
use crate::film::{self, FilmFacts, Limits};
use crate::{Cancel, MediaError};
use ffmpeg::format::context::StreamIo;
use ffmpeg::{Dictionary, Packet, Rational, codec, format};
use ffmpeg_next as ffmpeg;

/// A track of the output.
pub(super) struct Lane {
    index: usize,
    time_base: Rational,
}

pub(super) struct Output {
    context: format::context::Output,
    memory: Memory,
    most: usize,
}

impl Output {
    /// A film of at most so many bytes.
    pub fn create(most: usize) -> Result<Self, MediaError> {
        let memory = Memory::new(most)?;
        let io = StreamIo::from_write_seek(memory.clone()).map_err(refused)?;
        let context = format::output_to_stream(io, None, Some("mp4")).map_err(refused)?;
        Ok(Self { context, memory, most })
    }

    /// Adds a track for what this encoder makes, its packets timed in `time_base`.
    pub fn add(&mut self, encoder: &codec::Context, time_base: Rational) -> Result<Lane, MediaError> {
        let mut stream = self.context.add_stream_with(encoder).map_err(refused)?;
        stream.set_time_base(time_base);
        Ok(Lane { index: stream.index(), time_base })
    }

    /// Begins the film, after the last track was added.
    pub fn start(&mut self) -> Result<(), MediaError> {
        let mut options = Dictionary::new();
        options.set("fflags", "+bitexact");
        self.context.write_header_with(options).map(drop).map_err(refused)
    }

    pub fn write(&mut self, packet: &mut Packet, lane: &Lane) -> Result<(), MediaError> {
        let theirs = self.context.stream(lane.index).ok_or(MediaError::Unreadable)?.time_base();
        packet.set_stream(lane.index);
        packet.set_position(-1);
        packet.rescale_ts(lane.time_base, theirs);
        let written = packet.write_interleaved(&mut self.context);
        fits(&self.memory, self.most)?;
        written.map_err(refused)
    }

    /// Ends the film and checks it as a server would. Gives its bytes, too.
    pub fn complete(mut self, limits: &Limits, cancel: &Cancel) -> Result<(FilmFacts, Vec<u8>), MediaError> {
        let ended = self.context.write_trailer();
        // Closing it writes the last of it.
        drop(self.context);
        fits(&self.memory, self.most)?;
        ended.map_err(refused)?;
        cancel.check()?;
        let mut bytes = self.memory.take();
        fast_start(&mut bytes)?;
        cancel.check()?;
        let facts = film::verify(&bytes, limits)?;
        cancel.check()?;
        Ok((facts, bytes))
    }
}

fn fits(memory: &Memory, most: usize) -> Result<(), MediaError> {
    if memory.is_full() { Err(MediaError::TooLarge { what: "bytes", limit: most as u64 }) } else { Ok(()) }
}
