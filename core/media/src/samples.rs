//! The samples of a film's tracks: that the tables agree with one another and with the bytes that are
//! there, and that a picture's bytes are pictures. Decodes nothing.

use crate::{MediaError, sps};
use mp4parse::{AudioCodecSpecific, CodecType, SampleEntry, Track, VideoCodecSpecific};
use std::ops::Range;

/// Where each sample of a track lies in the file, in the order of decoding.
pub(crate) fn extents(track: &Track, max: u64) -> Result<Vec<Range<u64>>, MediaError> {
    let sizes = track.stsz.as_ref().ok_or(MediaError::Unreadable)?;
    let chunks = track.stco.as_ref().ok_or(MediaError::Unreadable)?;
    let runs = track.stsc.as_ref().ok_or(MediaError::Unreadable)?;
    let times = track.stts.as_ref().ok_or(MediaError::Unreadable)?;
    let count = sizes.sample_sizes.len();
    if count as u64 > max {
        return Err(MediaError::TooLarge { what: "frames", limit: max });
    }
    // Samples of one fixed size occur in raw sound only.
    if sizes.sample_size != 0 || count == 0 {
        return Err(MediaError::Unreadable);
    }
    let timed: u64 = times.samples.iter().map(|s| u64::from(s.sample_count)).sum();
    if timed != count as u64 {
        return Err(MediaError::Unreadable);
    }
    let mut out = Vec::with_capacity(count);
    let mut sizes = sizes.sample_sizes.iter();
    let mut run = runs.samples.iter().peekable();
    let mut per_chunk = 0;
    for (index, start) in chunks.offsets.iter().enumerate() {
        if let Some(next) = run.next_if(|r| u64::from(r.first_chunk) == index as u64 + 1) {
            if next.sample_description_index != 1 {
                return Err(MediaError::Unreadable);
            }
            per_chunk = next.samples_per_chunk;
        }
        let mut at = *start;
        for _ in 0..per_chunk {
            let size = sizes.next().ok_or(MediaError::Unreadable)?;
            let end = at.checked_add(u64::from(*size)).ok_or(MediaError::Unreadable)?;
            out.push(at..end);
            at = end;
        }
    }
    let used_up = run.peek().is_none() && sizes.next().is_none();
    if used_up && out.len() == count { Ok(out) } else { Err(MediaError::Unreadable) }
}

/// Checks that the samples of all tracks fill the space exactly, one after the other.
pub(crate) fn fill(space: Range<usize>, extents: impl Iterator<Item = Range<u64>>) -> Result<(), MediaError> {
    let mut all: Vec<_> = extents.filter(|e| !e.is_empty()).collect();
    all.sort_unstable_by_key(|e| e.start);
    let mut at = space.start as u64;
    for extent in all {
        if extent.start < at || extent.end > space.end as u64 {
            return Err(MediaError::Unreadable);
        }
        if extent.start > at {
            return Err(MediaError::extra("bytes between samples"));
        }
        at = extent.end;
    }
    if at == space.end as u64 { Ok(()) } else { Err(MediaError::extra("bytes after the last sample")) }
}

/// The bytes that describe the H.264 stream, when the track's one description is that.
pub(crate) fn h264(track: &Track) -> Option<(&[u8], u32, u32)> {
    match track.stsd.as_ref()?.descriptions.as_slice() {
        [SampleEntry::Video(v)] if v.codec_type == CodecType::H264 && v.protection_info.is_empty() => {
            let VideoCodecSpecific::AVCConfig(config) = &v.codec_specific else { return None };
            Some((config, u32::from(v.width), u32::from(v.height)))
        }
        _ => None,
    }
}

/// Whether the track's one description is AAC.
pub(crate) fn is_aac(track: &Track) -> bool {
    match track.stsd.as_ref().map(|s| s.descriptions.as_slice()) {
        Some([SampleEntry::Audio(a)]) => {
            a.protection_info.is_empty()
                && matches!(&a.codec_specific, AudioCodecSpecific::ES_Descriptor(es) if es.audio_codec == CodecType::AAC)
        }
        _ => false,
    }
}

/// Checks that a sample is made of whole NAL units, of which one at least is a picture and none can carry
/// anything else (free text of an encoder or a camera sits in SEI units). Parameter sets may be repeated,
/// but not with another size than the film's.
pub(crate) fn picture(mut sample: &[u8], size: sps::Size) -> Result<(), MediaError> {
    let mut slices = 0;
    while let Some((length, rest)) = sample.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let unit = rest.get(..length).ok_or(MediaError::Unreadable)?;
        match unit.first().ok_or(MediaError::Unreadable)? & 0x9F {
            1..=5 => slices += 1,
            7 if sps::picture_size(unit) != Some(size) => return Err(MediaError::Unreadable),
            7..=9 => {}
            6 => return Err(MediaError::extra("SEI")),
            _ => return Err(MediaError::Unreadable),
        }
        sample = &rest[length..];
    }
    if sample.is_empty() && slices > 0 { Ok(()) } else { Err(MediaError::Unreadable) }
}
