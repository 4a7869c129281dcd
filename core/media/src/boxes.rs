//! The boxes of an MP4 file: which there are, and that there are no others. An allow-list, because a list
//! of what must not be there never ends. What the boxes mean is `mp4parse`'s business.

use crate::MediaError;
use std::ops::Range;

/// A box's four letters.
pub(crate) type Kind = [u8; 4];

/// One box: its kind and where its content lies.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub kind: Kind,
    pub content: Range<usize>,
}

/// The boxes that fill a range exactly.
pub(crate) fn boxes(bytes: &[u8], range: Range<usize>) -> Result<Vec<Found>, MediaError> {
    let mut found = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let next = header(bytes, at, range.end).ok_or(MediaError::Unreadable)?;
        at = next.content.end;
        found.push(next);
    }
    Ok(found)
}

fn header(bytes: &[u8], at: usize, end: usize) -> Option<Found> {
    let (size, rest) = bytes.get(at..end)?.split_first_chunk::<4>()?;
    let (kind, rest) = rest.split_first_chunk::<4>()?;
    let (head, size) = match u32::from_be_bytes(*size) {
        1 => (16, usize::try_from(u64::from_be_bytes(*rest.first_chunk::<8>()?)).ok()?),
        size => (8, size as usize),
    };
    let stop = at.checked_add(size)?;
    (size >= head && stop <= end).then_some(Found { kind: *kind, content: at + head..stop })
}

/// What may lie inside a box, and how many bytes of its own come first. `None` for a box without boxes.
fn inside(kind: Kind) -> Option<(usize, &'static [&'static Kind])> {
    Some(match &kind {
        b"moov" => (0, &[b"mvhd", b"trak", b"udta"]),
        b"trak" => (0, &[b"tkhd", b"edts", b"mdia"]),
        b"edts" => (0, &[b"elst"]),
        b"mdia" => (0, &[b"mdhd", b"hdlr", b"minf"]),
        b"minf" => (0, &[b"vmhd", b"smhd", b"dinf", b"stbl"]),
        b"dinf" => (0, &[b"dref"]),
        b"dref" => (8, &[b"url "]),
        b"stbl" => (
            0,
            &[
                b"stsd", b"stts", b"stss", b"ctts", b"stsc", b"stsz", b"stco", b"co64", b"sgpd", b"sbgp",
                b"sdtp",
            ],
        ),
        b"stsd" => (8, &[b"avc1", b"mp4a"]),
        b"avc1" => (78, &[b"avcC", b"pasp", b"colr", b"btrt"]),
        b"mp4a" => (28, &[b"esds", b"btrt"]),
        // Muxers write these three around nothing even when told to write no tag.
        b"udta" => (0, &[b"meta"]),
        b"meta" => (4, &[b"hdlr", b"ilst"]),
        b"ilst" => (0, &[]),
        _ => return None,
    })
}

/// Checks a box and everything in it: known kinds only, and no date, name or text in the known ones.
pub(crate) fn only_known(bytes: &[u8], this: &Found) -> Result<(), MediaError> {
    let content = bytes.get(this.content.clone()).ok_or(MediaError::Unreadable)?;
    leaf(this.kind, content)?;
    let Some((own, allowed)) = inside(this.kind) else { return Ok(()) };
    if content.len() < own {
        return Err(MediaError::Unreadable);
    }
    for child in boxes(bytes, this.content.start + own..this.content.end)? {
        if !allowed.contains(&&child.kind) {
            return Err(MediaError::extra(format!("{}/{}", name(this.kind), name(child.kind))));
        }
        only_known(bytes, &child)?;
    }
    Ok(())
}

/// The fields in which muxers and cameras leave traces.
fn leaf(kind: Kind, content: &[u8]) -> Result<(), MediaError> {
    let clean = match &kind {
        // Times of making and changing, 32 or 64 bits wide by version.
        b"mvhd" | b"tkhd" | b"mdhd" => {
            let width = if content.first() == Some(&1) { 16 } else { 8 };
            zero(content.get(4..4 + width).ok_or(MediaError::Unreadable)?)
        }
        b"hdlr" => {
            let label = content.get(24..).ok_or(MediaError::Unreadable)?;
            let label = label.strip_suffix(&[0]).unwrap_or(label);
            // The second and third words are QuickTime's maker; "appl" marks an (empty) list of tags.
            let maker = content.get(12..24).ok_or(MediaError::Unreadable)?;
            (zero(maker) || maker == b"appl\0\0\0\0\0\0\0\0")
                && (zero(label) || label == b"VideoHandler" || label == b"SoundHandler")
        }
        b"avc1" => zero(content.get(42..74).ok_or(MediaError::Unreadable)?),
        b"url " => content == [0, 0, 0, 1],
        _ => true,
    };
    if clean { Ok(()) } else { Err(MediaError::extra(name(kind))) }
}

pub(crate) fn zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| *b == 0)
}

/// A kind fit to be shown: a stranger chose these four bytes.
pub(crate) fn name(kind: Kind) -> String {
    kind.iter().map(|b| if b.is_ascii_alphanumeric() { char::from(*b) } else { '?' }).collect()
}
