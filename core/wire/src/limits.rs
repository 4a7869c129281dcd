//! Sizes and lengths that both sides know. What a town may choose is policy, not a limit.

/// Longest text of a post, in characters. The guidance shown while typing is policy (about 100).
pub const POST_CHARS: usize = 2_000;
/// Most media in one post.
pub const POST_MEDIA: usize = 10;
/// Longest name, label or single-line field, in characters.
pub const LINE_CHARS: usize = 200;
/// Longest note or address, in characters.
pub const TEXT_CHARS: usize = 4_000;
/// Largest JSON body of a request, in bytes.
pub const JSON_BYTES: usize = 256 * 1024;
/// Largest chunk of an upload, in bytes.
pub const CHUNK_BYTES: usize = 1024 * 1024;
/// Chunk that a device sends, in bytes: what is lost at most when the network is cut.
pub const DEVICE_CHUNK_BYTES: usize = 256 * 1024;
/// Largest photo that the server takes, in bytes.
pub const PHOTO_BYTES: u64 = 8 * 1024 * 1024;
/// Largest film that the server takes, in bytes.
pub const VIDEO_BYTES: u64 = 64 * 1024 * 1024;
/// Largest document (a consent as PDF, JPEG or PNG) that the server takes, in bytes.
pub const DOCUMENT_BYTES: u64 = 16 * 1024 * 1024;
/// Longest side of a photo after compression, in pixels.
pub const PHOTO_SIDE: u32 = 2_048;
/// Longest side of a thumbnail, in pixels.
pub const THUMBNAIL_SIDE: u32 = 400;
/// Largest poster of a film, in bytes; its sides are a thumbnail's.
pub const POSTER_BYTES: usize = 256 * 1024;
/// Longest film, in milliseconds. A town's policy may set less.
pub const VIDEO_MILLIS: u64 = 60_000;
/// Short side of a film, in pixels.
pub const VIDEO_SHORT_SIDE: u32 = 720;
/// Posts in one page of a timeline.
pub const TIMELINE_PAGE: usize = 30;
/// Shortest password, in characters, with the certificate as the second factor (R-AUTH3 c).
pub const PASSWORD_CHARS: usize = 8;
/// Longest password, in characters.
pub const PASSWORD_CHARS_MAX: usize = 128;
