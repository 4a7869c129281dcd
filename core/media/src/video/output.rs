//! The file being written: beside its place until it is complete and checked, gone when it is not.

use super::refused;
use crate::film::{self, FilmFacts, Limits};
use crate::{Cancel, MediaError};
use ffmpeg::{Dictionary, Packet, Rational, codec, format};
use ffmpeg_next as ffmpeg;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// A track of the output.
pub(super) struct Lane {
    index: usize,
    time_base: Rational,
}

pub(super) struct Output {
    /// Dropped (and with it closed) before the file is removed.
    context: Option<format::context::Output>,
    part: Part,
    place: PathBuf,
}

/// Removes the file unless it was moved away.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // Nothing to be done about a failure: it is not there, or the storage is gone.
        let _ = fs::remove_file(&self.0);
    }
}

impl Output {
    pub fn create(place: &Path) -> Result<Self, MediaError> {
        let unfit = MediaError::Io(io::ErrorKind::InvalidInput);
        let mut name = place.file_name().ok_or(unfit.clone())?.to_owned();
        name.push(".part");
        let part = Part(place.with_file_name(name));
        // Says in the system's own words what is wrong with the place, and FFmpeg's path is never odd.
        fs::File::create(&part.0)?;
        let url = format!("file:{}", part.0.to_str().ok_or(unfit)?);
        let context = format::output_as(&url, "mp4").map_err(refused)?;
        Ok(Self { context: Some(context), part, place: place.to_owned() })
    }

    fn context(&mut self) -> Result<&mut format::context::Output, MediaError> {
        self.context.as_mut().ok_or(MediaError::Unreadable)
    }

    /// Adds a track for what this encoder makes, its packets timed in `time_base`.
    pub fn add(&mut self, encoder: &codec::Context, time_base: Rational) -> Result<Lane, MediaError> {
        let mut stream = self.context()?.add_stream_with(encoder).map_err(refused)?;
        stream.set_time_base(time_base);
        Ok(Lane { index: stream.index(), time_base })
    }

    /// Begins the file, after the last track was added.
    pub fn start(&mut self) -> Result<(), MediaError> {
        let mut options = Dictionary::new();
        options.set("movflags", "+faststart");
        options.set("fflags", "+bitexact");
        self.context()?.write_header_with(options).map(drop).map_err(refused)
    }

    pub fn write(&mut self, packet: &mut Packet, lane: &Lane) -> Result<(), MediaError> {
        let context = self.context()?;
        let theirs = context.stream(lane.index).ok_or(MediaError::Unreadable)?.time_base();
        packet.set_stream(lane.index);
        packet.set_position(-1);
        packet.rescale_ts(lane.time_base, theirs);
        packet.write_interleaved(context).map_err(refused)
    }

    /// Ends the file, checks it as a server would, and puts it in its place. Gives its size, too.
    pub fn complete(mut self, limits: &Limits, cancel: &Cancel) -> Result<(FilmFacts, u64), MediaError> {
        self.context()?.write_trailer().map_err(refused)?;
        self.context = None;
        cancel.check()?;
        let bytes = fs::read(&self.part.0)?;
        let facts = film::verify(&bytes, limits)?;
        cancel.check()?;
        fs::rename(&self.part.0, &self.place)?;
        Ok((facts, bytes.len() as u64))
    }
}
