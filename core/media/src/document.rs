//! A light look at a consent's scan: a PDF, JPEG or PNG that begins and ends as such. Documents are kept
//! as they came, tags included, and are not decoded here.

use crate::{MediaError, jpeg};

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// Portable Document Format.
    Pdf,
    /// A JPEG picture.
    Jpeg,
    /// A PNG picture.
    Png,
}

impl DocumentKind {
    /// The media type for `Content-Type`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// A scanner's largest page at 600 dpi has 70 million pixels.
const MAX_PIXELS: u64 = 150_000_000;

/// Checks kind, size and a sane end of at most `max` bytes.
///
/// Errors: [`MediaError::Unreadable`] (another kind, or cut off), `TooLarge` (bytes, or pixels of a picture).
pub fn verify(bytes: &[u8], max: usize) -> Result<DocumentKind, MediaError> {
    if bytes.len() > max {
        return Err(MediaError::TooLarge { what: "bytes", limit: max as u64 });
    }
    let (kind, pixels) = if bytes.starts_with(b"%PDF-") {
        (pdf(bytes).map(|()| DocumentKind::Pdf), 0)
    } else if bytes.starts_with(&[0xFF, 0xD8]) {
        let outline = jpeg::outline(bytes);
        let pixels = outline.as_ref().map_or(0, |o| u64::from(o.width) * u64::from(o.height));
        (outline.map(|_| DocumentKind::Jpeg), pixels)
    } else {
        let size = png(bytes);
        (size.map(|_| DocumentKind::Png), size.unwrap_or(0))
    };
    if pixels > MAX_PIXELS {
        return Err(MediaError::TooLarge { what: "pixels", limit: MAX_PIXELS });
    }
    kind.ok_or(MediaError::Unreadable)
}

/// A version after the magic, and within the last kilobyte the place of the index and the end mark.
fn pdf(bytes: &[u8]) -> Option<()> {
    let version = bytes.get(5..8)?;
    let tail = &bytes[bytes.len().saturating_sub(1024)..];
    let whole = memchr::memmem::rfind(tail, b"startxref")? < memchr::memmem::rfind(tail, b"%%EOF")?;
    (matches!(version, [b'1' | b'2', b'.', b'0'..=b'9']) && whole).then_some(())
}

/// Walks the chunks to the last one, which must end the file. Gives the number of pixels.
fn png(bytes: &[u8]) -> Option<u64> {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let (mut size, mut data) = (None, false);
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let content = after.get(..u32::from_be_bytes(*length) as usize)?;
        rest = after.get(content.len() + 4..)?;
        match (kind, size) {
            (b"IHDR", None) => {
                let (width, more) = content.split_first_chunk::<4>()?;
                let (height, _) = more.split_first_chunk::<4>()?;
                size = Some(u64::from(u32::from_be_bytes(*width)) * u64::from(u32::from_be_bytes(*height)));
            }
            (_, None) | (b"IHDR", Some(_)) => return None,
            (b"IDAT", Some(_)) => data = true,
            (b"IEND", Some(size)) => return (data && size > 0 && rest.is_empty()).then_some(size),
            _ => {}
        }
    }
}
