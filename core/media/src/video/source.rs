//! A film being read: opened with care, read to its end, and found whole or refused. FFmpeg takes the end
//! of a cut-off file for the end of the film; a caller of this module is told.

use super::index::Aspect;
use super::tone::{self, Curve};
use super::turn::Turn;
use super::whole::{self, Stored};
use super::{Event, Recording, nothing_more, refused};
use crate::{Cancel, MediaError};
use ffmpeg::codec::packet::side_data;
use ffmpeg::codec::threading;
use ffmpeg::format::context::StreamIo;
use ffmpeg::{Dictionary, Packet, Rational, Rescale, codec, decoder, format, frame, media};
use ffmpeg_next as ffmpeg;

/// Most pixels of a picture: 8K, and what phones call 4K many times over.
const MAX_PIXELS: u64 = 7680 * 4320;
/// Pixels that are longer than so many times their width, or wider, are a mistake of whoever wrote the film.
const MOST_STRETCHED: f64 = 10.0;
/// Bytes that are read at a time.
const BUFFER: usize = 64 << 10;
const MILLI: Rational = Rational(1, 1000);

/// One track and how far it has been read.
pub(super) struct Track {
    index: usize,
    pub time_base: Rational,
    pub rate: f64,
    /// Of a picture as it is stored.
    pub size: (u32, u32),
    /// Width of a pixel, compared with its height.
    aspect: Aspect,
    pub turn: Turn,
    pub color: (ffmpeg::color::Space, ffmpeg::color::Primaries, ffmpeg::color::TransferCharacteristic),
    /// How its light is coded when it holds more of it than a usual screen shows.
    pub hdr: Option<Curve>,
    /// The film's begin in the track's time.
    start: i64,
    /// Decoding alone takes much memory: whoever comes after it is to be modest.
    pub large: bool,
    /// The same, and each picture takes twice as much.
    pub deep: bool,
    pub frames: u64,
    /// When the latest frame is over, in milliseconds from the film's begin.
    pub end_ms: u64,
    packets: u64,
    damaged: u64,
    over: bool,
}

impl Track {
    fn new(stream: &format::stream::Stream<'_>) -> Self {
        let turn = stream
            .side_data()
            .find(|d| d.kind() == side_data::Type::DisplayMatrix)
            .map_or_else(Turn::default, |d| Turn::from_matrix(d.data()));
        let rate = stream.avg_frame_rate();
        Self {
            index: stream.index(),
            time_base: stream.time_base(),
            rate: if rate.denominator() > 0 { f64::from(rate) } else { 0.0 },
            size: (0, 0),
            aspect: (1, 1),
            turn,
            color: (
                ffmpeg::color::Space::Unspecified,
                ffmpeg::color::Primaries::Unspecified,
                ffmpeg::color::TransferCharacteristic::Unspecified,
            ),
            hdr: None,
            start: 0,
            large: false,
            deep: false,
            frames: 0,
            end_ms: 0,
            packets: 0,
            damaged: 0,
            over: false,
        }
    }

    /// Width and height in pixels that are as wide as high, before turning. Nothing is lost: pictures of others
    /// are stretched.
    pub fn square(&self) -> (u32, u32) {
        let (width, height) = self.size;
        let (across, down) = (f64::from(self.aspect.0), f64::from(self.aspect.1));
        let stretched = |side: u32, by: f64| (f64::from(side) * by).round() as u32;
        match across / down {
            by if !(1.0 / MOST_STRETCHED..=MOST_STRETCHED).contains(&by) => self.size,
            by if by > 1.0 => (stretched(width, by), height),
            by => (width, stretched(height, 1.0 / by)),
        }
    }

    /// Width and height after turning.
    pub fn shown(&self) -> (u32, u32) {
        if self.turn.sideways { (self.size.1, self.size.0) } else { self.size }
    }

    /// Puts the frame at its place in the film. False when it lies before the begin or after `longest`.
    fn place(&mut self, frame: &mut ffmpeg::Frame, length_ms: f64, longest: Option<u64>) -> bool {
        if frame.is_corrupt() || frame.has_decode_errors() {
            self.damaged += 1;
        }
        let Some(at) = frame.timestamp().map(|t| t.saturating_sub(self.start)).filter(|t| *t >= 0) else {
            return false;
        };
        let ms = at.rescale(self.time_base, MILLI).max(0) as u64;
        let end = ms.saturating_add(length_ms.round() as u64);
        if longest.is_some_and(|most| end > most) {
            return false;
        }
        frame.set_pts(Some(at));
        self.frames += 1;
        self.end_ms = self.end_ms.max(end);
        true
    }
}

/// How many pictures are decoded at a time, 0 for as many as there are processors. Each takes its size in
/// memory, and those of a 4K film have 12 megabytes, or 25 in ten bits.
fn threads(stored: Option<Stored>) -> usize {
    match stored {
        Some(stored) if !stored.large() => 0,
        Some(stored) if !stored.deep && stored.pixels <= 4096 * 2304 => 2,
        _ => 1,
    }
}

/// How much damage a decoder's refusal shows. Want of memory shows none, and is an error at once: the film may be whole.
fn damage(e: ffmpeg::Error) -> Result<u64, MediaError> {
    match e {
        ffmpeg::Error::Other { errno: ffmpeg::error::ENOMEM } => Err(refused(e)),
        e => Ok(u64::from(!nothing_more(&e))),
    }
}

/// The best track of sound that can be decoded; where none can be, the best, which then says why. Some phones write a
/// second one, of a kind that only they know.
fn voice(input: &format::context::Input) -> Option<format::stream::Stream<'_>> {
    let best = || input.streams().best(media::Type::Audio);
    let is_known = |stream: &format::stream::Stream<'_>| {
        let codec = stream.parameters();
        codec.medium() == media::Type::Audio && decoder::find(codec.id()).is_some()
    };
    best().filter(is_known).or_else(|| input.streams().find(is_known)).or_else(best)
}

/// An opened film.
pub(super) struct Source {
    input: format::context::Input,
    pub picture: Track,
    pub sound: Option<Track>,
    video: decoder::Video,
    audio: Option<decoder::Audio>,
}

impl Source {
    /// Opens a film of the MP4 family. Nothing but its own bytes is read, whatever it says.
    pub fn open<R: Recording + ?Sized>(film: &R, sound: bool, cancel: &Cancel) -> Result<Self, MediaError> {
        cancel.check()?;
        let whole::Told { pictures: stored, aspects } = whole::check(film.open()?, cancel)?;
        let mut options = Dictionary::new();
        options.set("protocol_whitelist", "none");
        options.set("format_whitelist", "mov,mp4,m4a,3gp,3g2,mj2");
        let io = StreamIo::from_read_seek_with_capacity(film.open()?, BUFFER).map_err(refused)?;
        let flag = cancel.clone();
        let stop = move || flag.is_cancelled();
        let input =
            format::input_from_stream_with_interrupt(io, None, Some(options), stop).map_err(refused)?;
        cancel.check()?;
        let stream = input.streams().best(media::Type::Video).ok_or(MediaError::Unreadable)?;
        let mut picture = Track::new(&stream);
        picture.large = stored.is_none_or(Stored::large);
        picture.deep = picture.large && stored.is_none_or(|stored| stored.deep);
        let mut context = codec::Context::from_parameters(stream.parameters()).map_err(refused)?;
        context.set_threading(threading::Config {
            kind: threading::Type::Frame,
            count: threads(stored),
            ..threading::Config::default()
        });
        let codec = decoder::find(context.id()).ok_or(ffmpeg::Error::DecoderNotFound).map_err(refused)?;
        let mut limit = Dictionary::new();
        limit.set("max_pixels", &MAX_PIXELS.to_string());
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(picture.time_base);
        let video = decoder.open_as_with(codec, limit).and_then(|o| o.video()).map_err(refused)?;
        picture.size = (video.width(), video.height());
        // As players do: the container's word before the stream's own.
        let Rational(across, down) = video.aspect_ratio();
        let own = u32::try_from(across).ok().zip(u32::try_from(down).ok());
        let named = |aspect: &Aspect| aspect.0 > 0 && aspect.1 > 0;
        let told = aspects.get(picture.index).copied().flatten();
        picture.aspect = told.filter(named).or(own.filter(named)).unwrap_or((1, 1));
        picture.color = (video.color_space(), video.color_primaries(), video.color_transfer_characteristic());
        let dolby = stream.side_data().find(|d| d.kind() == side_data::Type::DOVI_CONF);
        picture.hdr = tone::curve(&picture.color, dolby.as_ref().map(|d| d.data()))?;
        let pixels = u64::from(video.width()) * u64::from(video.height());
        if pixels > MAX_PIXELS {
            return Err(MediaError::TooLarge { what: "pixels", limit: MAX_PIXELS });
        }
        if video.width() < 16 || video.height() < 16 || picture.time_base.numerator() <= 0 {
            return Err(MediaError::Unreadable);
        }
        let mut starts = vec![(stream.start_time(), picture.time_base)];
        let (mut track, mut audio) = (None, None);
        if let Some(stream) = voice(&input).filter(|_| sound) {
            let context = codec::Context::from_parameters(stream.parameters()).map_err(refused)?;
            let mut decoder = context.decoder();
            decoder.set_packet_time_base(stream.time_base());
            audio = Some(decoder.audio().map_err(refused)?);
            starts.push((stream.start_time(), stream.time_base()));
            track = Some(Track::new(&stream));
        }
        let begin = starts.iter().filter(|(t, _)| *t != i64::MIN).map(|(t, b)| t.rescale(*b, MICRO)).min();
        for track in std::iter::once(&mut picture).chain(&mut track) {
            track.start = begin.unwrap_or(0).rescale(MICRO, track.time_base);
        }
        Ok(Self { input, picture, sound: track, video, audio })
    }

    /// What is known of its pictures. The decoder, and all that it holds, is gone.
    pub fn into_picture(self) -> Track {
        self.picture
    }

    /// The playing time that the file claims, in milliseconds.
    pub fn expected_ms(&self) -> u64 {
        u64::try_from(self.input.duration() / 1000).unwrap_or(0)
    }

    /// Decodes everything up to `longest_ms` and hands it out; whether that was the film is for [`Self::judge`] to say.
    /// True when there was more than that.
    pub fn run(
        &mut self,
        longest_ms: Option<u64>,
        cancel: &Cancel,
        each: &mut dyn FnMut(Event<'_>) -> Result<(), MediaError>,
    ) -> Result<bool, MediaError> {
        let mut cut = false;
        loop {
            cancel.check()?;
            // A new one each time: FFmpeg reads over what a packet holds without giving it back.
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof) => break,
                Err(e) if nothing_more(&e) => continue,
                Err(e) => return Err(refused(e)),
            }
            let is_picture = packet.stream() == self.picture.index;
            let track = match &mut self.sound {
                _ if is_picture => &mut self.picture,
                Some(track) if packet.stream() == track.index => track,
                _ => continue,
            };
            if packet.is_corrupt() {
                return Err(MediaError::Unreadable);
            }
            // No later frame can be due earlier than its packet is to be decoded.
            let due = packet.dts().map(|t| t.saturating_sub(track.start).rescale(track.time_base, MILLI));
            if let (Some(due), Some(most)) = (due, longest_ms) {
                track.over |= due > 0 && due as u64 >= most;
            }
            if track.over {
                cut = true;
                if self.picture.over && self.sound.as_ref().is_none_or(|t| t.over) {
                    break;
                }
                continue;
            }
            track.packets += 1;
            if is_picture {
                self.picture.damaged += self.video.send_packet(&packet).map_or_else(damage, |()| Ok(0))?;
                cut |= self.pictures(longest_ms, cancel, each)?;
            } else if let Some(audio) = &mut self.audio {
                track.damaged += audio.send_packet(&packet).map_or_else(damage, |()| Ok(0))?;
                self.sounds(longest_ms, each)?;
            }
        }
        cancel.check()?;
        // A decoder that failed may refuse to end properly; what it decoded is judged below.
        let _ = self.video.send_eof();
        cut |= self.pictures(longest_ms, cancel, each)?;
        if let Some(audio) = &mut self.audio {
            let _ = audio.send_eof();
            self.sounds(longest_ms, each)?;
        }
        Ok(cut)
    }

    fn pictures(
        &mut self,
        longest_ms: Option<u64>,
        cancel: &Cancel,
        each: &mut dyn FnMut(Event<'_>) -> Result<(), MediaError>,
    ) -> Result<bool, MediaError> {
        let mut frame = frame::Video::empty();
        let mut cut = false;
        let length = if self.picture.rate > 0.0 { 1000.0 / self.picture.rate } else { 0.0 };
        loop {
            match self.video.receive_frame(&mut frame) {
                Ok(()) => {}
                Err(e) => {
                    self.picture.damaged += damage(e)?;
                    return Ok(cut);
                }
            }
            cancel.check()?;
            if (frame.width(), frame.height()) != self.picture.size {
                return Err(MediaError::Unreadable);
            }
            if self.picture.place(&mut frame, length.min(1000.0), longest_ms) {
                each(Event::Picture(&mut frame, &self.picture))?;
            } else {
                cut |= longest_ms.is_some();
            }
        }
    }

    fn sounds(
        &mut self,
        longest_ms: Option<u64>,
        each: &mut dyn FnMut(Event<'_>) -> Result<(), MediaError>,
    ) -> Result<(), MediaError> {
        let (Some(audio), Some(track)) = (&mut self.audio, &mut self.sound) else { return Ok(()) };
        let mut frame = frame::Audio::empty();
        loop {
            match audio.receive_frame(&mut frame) {
                Ok(()) => {}
                Err(e) => {
                    track.damaged += damage(e)?;
                    return Ok(());
                }
            }
            let length = frame.samples() as f64 * 1000.0 / f64::from(frame.rate().max(1));
            if track.place(&mut frame, length, longest_ms) {
                each(Event::Sound(&mut frame, track))?;
            }
        }
    }

    /// Whether what was decoded is the film that the file claims to hold, up to `longest_ms`.
    ///
    /// Errors: `Unreadable`.
    pub fn judge(&self, longest_ms: Option<u64>) -> Result<(), MediaError> {
        let sound = self.sound.as_ref();
        // A stray bad frame happens in real recordings; more is damage.
        let bad = |t: &Track| t.damaged > 1 + t.packets / 50 || t.frames == 0;
        let expected = self.expected_ms().min(longest_ms.unwrap_or(u64::MAX));
        let heard = sound.map_or(0, |t| t.end_ms).max(self.picture.end_ms);
        let short = heard + 500 < expected - expected / 20;
        if bad(&self.picture) || sound.is_some_and(bad) || short {
            Err(MediaError::Unreadable)
        } else {
            Ok(())
        }
    }
}

const MICRO: Rational = Rational(1, 1_000_000);

#[cfg(test)]
mod tests {
    use super::*;
    use ffmpeg::error::{EAGAIN, EINVAL, ENOMEM};
    use std::io::ErrorKind;

    #[test]
    fn want_of_memory_is_no_damage() {
        let of = |errno| damage(ffmpeg::Error::Other { errno });
        assert_eq!(of(ENOMEM), Err(MediaError::Io(ErrorKind::OutOfMemory)));
        assert_eq!((of(EAGAIN), of(EINVAL)), (Ok(0), Ok(1)));
        assert_eq!((damage(ffmpeg::Error::Eof), damage(ffmpeg::Error::InvalidData)), (Ok(0), Ok(1)));
    }
}
