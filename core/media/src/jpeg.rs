//! The segments of a JPEG file, without decoding a pixel: what it carries, how large it claims to be,
//! where it ends. Not a decoder.

use std::ops::Range;

/// Start of scan.
pub(crate) const SOS: u8 = 0xDA;
const EOI: u8 = 0xD9;

/// One marker segment.
pub(crate) struct Segment {
    /// The second byte of the marker.
    pub marker: u8,
    /// Where its content lies, without marker and length.
    pub content: Range<usize>,
}

/// What a walk over a whole file found.
pub(crate) struct Outline {
    pub segments: Vec<Segment>,
    pub width: u32,
    pub height: u32,
    /// Several scans refine one another.
    pub progressive: bool,
    /// Bytes between segments that belong to none.
    pub gaps: bool,
    /// Where the end-of-image marker begins. Every byte from `end + 2` on is no part of the picture.
    pub end: usize,
}

/// Walks from the first marker to the end of the image. `None` when a length lies, when the file is cut
/// off before its end, or when it has not exactly one frame.
pub(crate) fn outline(bytes: &[u8]) -> Option<Outline> {
    if bytes.get(..3)? != [0xFF, 0xD8, 0xFF] {
        return None;
    }
    let (mut segments, mut frame, mut gaps, mut at) = (Vec::new(), None, false, 2);
    loop {
        let marker_at = at + memchr::memchr(0xFF, bytes.get(at..)?)?;
        let code_at = marker_at + bytes.get(marker_at..)?.iter().position(|b| *b != 0xFF)?;
        gaps |= marker_at != at || code_at != marker_at + 1;
        let marker = *bytes.get(code_at)?;
        match marker {
            EOI => {
                let (width, height, progressive) = frame?;
                let scanned = segments.iter().any(|s: &Segment| s.marker == SOS);
                let end = code_at - 1;
                return scanned.then_some(Outline { segments, width, height, progressive, gaps, end });
            }
            0x00..=0xBF | 0xD0..=0xD8 => return None,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(code_at + 1)?, *bytes.get(code_at + 2)?]));
        let content = code_at + 3..code_at + 1 + length;
        if length < 2 || content.end > bytes.len() {
            return None;
        }
        if is_frame(marker) {
            let head = bytes.get(content.start..content.start + 5)?;
            let side = |i: usize| u32::from(u16::from_be_bytes([head[i], head[i + 1]]));
            if frame.replace((side(3), side(1), marker == 0xC2)).is_some() || side(1) == 0 || side(3) == 0 {
                return None;
            }
        }
        at = if marker == SOS { scan_end(bytes, content.end)? } else { content.end };
        segments.push(Segment { marker, content });
    }
}

/// Start of frame, of whatever process.
pub(crate) fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC))
}

/// Where the entropy-coded data from `at` on stops: the next marker that is no restart.
fn scan_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr(0xFF, bytes.get(at..)?)?;
        match bytes.get(at + 1)? {
            0x00 | 0xD0..=0xD7 => at += 2,
            0xFF => at += 1,
            _ => return Some(at),
        }
    }
}
