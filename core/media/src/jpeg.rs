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
    /// The marker that begins the frame: which process it was coded by.
    pub process: u8,
    /// Bits of a sample.
    pub precision: u8,
    /// Several scans refine one another.
    pub progressive: bool,
    /// The scans together bring every coefficient of every colour.
    pub complete: bool,
    /// How many values a pixel has.
    pub colours: usize,
    /// Bytes that a decoder takes for what the scans of a progressive file refine, until the last of them.
    pub coefficients: u64,
    /// Bytes between segments that belong to none.
    pub gaps: bool,
    /// Where the end-of-image marker begins. Every byte from `end + 2` on is no part of the picture.
    pub end: usize,
}

/// What the start of a frame says.
struct Frame {
    width: u32,
    height: u32,
    process: u8,
    precision: u8,
    progressive: bool,
    /// For each colour its id and a bit for each coefficient that a scan brought.
    colours: Vec<(u8, u64)>,
    coefficients: u64,
}

/// Two bytes for each sample of whole blocks. A colour says in four bits each how many blocks it has side by side and
/// one above the other where the others have theirs.
fn coefficients(width: u32, height: u32, colours: &[u8]) -> u64 {
    let blocks = || colours.chunks_exact(3).map(|c| (u64::from(c[1] >> 4), u64::from(c[1] & 15)));
    let most = |side: fn((u64, u64)) -> u64| blocks().map(side).max().unwrap_or(0).max(1) * 8;
    let (across, down) = (most(|b| b.0), most(|b| b.1));
    let units = u64::from(width).div_ceil(across) * u64::from(height).div_ceil(down);
    units * blocks().map(|(h, v)| h * v).sum::<u64>() * 64 * 2
}

impl Frame {
    fn read(marker: u8, content: &[u8]) -> Option<Self> {
        let (head, described) = content.split_first_chunk::<6>()?;
        let side = |i: usize| u32::from(u16::from_be_bytes([head[i], head[i + 1]]));
        let colours: Vec<_> = described.chunks_exact(3).map(|c| (c[0], 0)).collect();
        let sound = side(1) > 0 && side(3) > 0 && !colours.is_empty() && colours.len() <= 4;
        let (width, height, precision) = (side(3), side(1), head[0]);
        let progressive = marker == 0xC2;
        let coefficients = if progressive { coefficients(width, height, described) } else { 0 };
        sound.then_some(Self {
            width,
            height,
            process: marker,
            precision,
            progressive,
            colours,
            coefficients,
        })
    }

    /// Notes what a scan with this header brings.
    fn scan(&mut self, content: &[u8]) -> Option<()> {
        let (count, rest) = content.split_first()?;
        let (ids, rest) = rest.split_at_checked(usize::from(*count) * 2)?;
        let [first, last, _] = *rest else { return None };
        let brought = if !self.progressive {
            u64::MAX
        } else if first <= last && last < 64 {
            (u64::MAX >> (63 - (last - first))) << first
        } else {
            return None;
        };
        for (id, seen) in &mut self.colours {
            if ids.chunks_exact(2).any(|c| c[0] == *id) {
                *seen |= brought;
            }
        }
        Some(())
    }
}

/// More segments than any file needs.
const MAX_SEGMENTS: usize = 4096;

impl Outline {
    /// Whether each colour has a scan of its own, which none refines.
    pub fn is_separate(&self) -> bool {
        !self.progressive && self.segments.iter().filter(|segment| segment.marker == SOS).count() > 1
    }
}

/// Walks from the first marker to the end of the image. `None` when a length lies, when the file is cut
/// off before its end, or when it has not exactly one frame.
pub(crate) fn outline(bytes: &[u8]) -> Option<Outline> {
    if bytes.get(..3)? != [0xFF, 0xD8, 0xFF] {
        return None;
    }
    let (mut segments, mut frame, mut gaps, mut at) = (Vec::new(), None::<Frame>, false, 2);
    loop {
        let marker_at = at + memchr::memchr(0xFF, bytes.get(at..)?)?;
        let code_at = marker_at + bytes.get(marker_at..)?.iter().position(|b| *b != 0xFF)?;
        gaps |= marker_at != at || code_at != marker_at + 1;
        let marker = *bytes.get(code_at)?;
        match marker {
            EOI => {
                let Frame { width, height, process, precision, progressive, colours, coefficients } = frame?;
                let complete = colours.iter().all(|(_, seen)| *seen == u64::MAX);
                let end = code_at - 1;
                return Some(Outline {
                    segments,
                    width,
                    height,
                    process,
                    precision,
                    progressive,
                    complete,
                    colours: colours.len(),
                    coefficients,
                    gaps,
                    end,
                });
            }
            0x00..=0xBF | 0xD0..=0xD8 => return None,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(code_at + 1)?, *bytes.get(code_at + 2)?]));
        let content = code_at + 3..code_at + 1 + length;
        if length < 2 || content.end > bytes.len() || segments.len() == MAX_SEGMENTS {
            return None;
        }
        at = content.end;
        if is_frame(marker) {
            if frame.replace(Frame::read(marker, &bytes[content.clone()])?).is_some() {
                return None;
            }
        } else if marker == SOS {
            frame.as_mut()?.scan(&bytes[content.clone()])?;
            at = scan_end(bytes, content.end)?;
        }
        segments.push(Segment { marker, content });
    }
}

/// Start of frame, of whatever process.
pub(crate) fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC))
}

/// Where the entropy-coded data from `at` on stops: the next marker that is no restart.
pub(crate) fn scan_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr(0xFF, bytes.get(at..)?)?;
        match bytes.get(at + 1)? {
            0x00 | 0xD0..=0xD7 => at += 2,
            0xFF => at += 1,
            _ => return Some(at),
        }
    }
}

/// The same picture, its segments one right behind the other and nothing after its end. `None` where the outline is
/// another file's.
pub(crate) fn closed_up(bytes: &[u8], outline: &Outline) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(outline.end + 2);
    out.extend([0xFF, 0xD8]);
    for Segment { marker, content } in &outline.segments {
        // The length lies right before the content; between it and its marker nothing may be.
        let end = if *marker == SOS { scan_end(bytes, content.end)? } else { content.end };
        out.extend([0xFF, *marker]);
        out.extend(bytes.get(content.start.checked_sub(2)?..end)?);
    }
    out.extend([0xFF, EOI]);
    Some(out)
}
