//! What a film's index claims, before FFmpeg takes memory for it. Each sample that it speaks of costs FFmpeg some
//! twenty bytes; and where all samples have one size, come in chunks or in a fragment, a few bytes of index speak of
//! as many as a number can hold.

use crate::MediaError;
use crate::boxes::{Found, Kind};
use std::ops::Range;

/// Boxes around the tables of samples: FFmpeg looks into each of them for any other, in any order.
const AROUND: [Kind; 14] = [
    *b"moov", *b"trak", *b"mdia", *b"minf", *b"stbl", *b"moof", *b"traf", *b"edts", *b"udta", *b"dinf",
    *b"tref", *b"sinf", *b"schi", *b"mvex",
];
/// An index that is packed, or goes by another name: FFmpeg reads them, and no phone writes them.
const ELSEWHERE: [Kind; 2] = [*b"cmov", *b"hoov"];
/// The tables themselves. None belongs into a description or among notes, where FFmpeg would find one, too.
const TABLES: [Kind; 6] = [*b"stsz", *b"stz2", *b"stsc", *b"stco", *b"co64", *b"trun"];
/// Entries of the list that FFmpeg makes of it all, some twenty bytes each: many hours of film.
const MOST: u64 = 4_000_000;
/// FFmpeg refuses what lies deeper.
const DEEPEST: usize = 10;
/// The fields of a picture's description, before the boxes in it.
const DESCRIPTION: usize = 78;

/// Whether it belongs to a film's index.
pub(super) fn is_part(kind: Kind) -> bool {
    AROUND.contains(&kind) || ELSEWHERE.contains(&kind)
}

/// Width of a pixel, compared with its height.
pub(super) type Aspect = (u32, u32);

/// Checks that an index speaks of no more samples than a file of that length can hold, and of no pictures of one size,
/// which no encoder makes. Gives for each track, in their order, the shape of its pixels where it is named.
///
/// Errors: `Unreadable`.
pub(super) fn check(index: &[u8], length: u64) -> Result<Vec<Option<Aspect>>, MediaError> {
    let (mut claimed, mut entries, mut aspects) = (0_u64, 0_u64, Vec::new());
    walk(index, 0..index.len(), 0, &mut |found| {
        let (bytes, more) = match &found.kind {
            b"trak" => {
                let track = Track::read(index, found.content.clone())?;
                aspects.push(track.aspect);
                (track.bytes()?, track.entries())
            }
            // In a fragment samples may come without a size of their own.
            b"trun" => [number(index, found, 4).unwrap_or(0); 2].into(),
            b"stsd" | b"meta" if hides_tables(&index[found.content.clone()]) => {
                return Err(MediaError::Unreadable);
            }
            kind if ELSEWHERE.contains(kind) => return Err(MediaError::Unreadable),
            _ => (0, 0),
        };
        claimed = claimed.saturating_add(bytes);
        entries = entries.saturating_add(more);
        if claimed > length || entries > MOST { Err(MediaError::Unreadable) } else { Ok(()) }
    })?;
    Ok(aspects)
}

/// The tables of a track.
#[derive(Default)]
struct Track {
    is_video: bool,
    is_sound: bool,
    /// How many durations there are, and the first.
    durations: Option<(u64, u64)>,
    edits: u64,
    aspect: Option<Aspect>,
    /// One size for all samples, zero where each has its own, and how many there are.
    sizes: Option<(u64, u64)>,
    chunks: Option<u64>,
    /// From which chunk on how many samples are in each.
    runs: Option<Vec<(u64, u64)>>,
}

impl Track {
    fn read(index: &[u8], range: Range<usize>) -> Result<Self, MediaError> {
        let mut track = Self::default();
        let once = |there: bool| if there { Err(MediaError::Unreadable) } else { Ok(()) };
        walk(index, range, 0, &mut |found| {
            let number = |at| number(index, found, at).unwrap_or(0);
            match &found.kind {
                b"hdlr" => {
                    let handler = index[found.content.clone()].get(8..12);
                    track.is_video |= handler == Some(b"vide");
                    track.is_sound |= handler == Some(b"soun");
                }
                b"stts" => once(track.durations.replace((number(4), number(12))).is_some())?,
                b"elst" => {
                    track.edits = track.edits.saturating_add(number(4).min(found.content.len() as u64 / 12))
                }
                b"stsd" => track.aspect = track.aspect.or(aspect(index, found)),
                b"stsz" => once(track.sizes.replace((number(4), number(8))).is_some())?,
                b"stz2" => once(track.sizes.replace((0, number(8))).is_some())?,
                b"stco" | b"co64" => once(track.chunks.replace(number(4)).is_some())?,
                b"stsc" => {
                    let entries = index[found.content.clone()].get(8..).unwrap_or_default();
                    let entry = |e: &[u8; 12]| {
                        let [a, b, c, d, e, f, g, h, ..] = *e;
                        (u32::from_be_bytes([a, b, c, d]).into(), u32::from_be_bytes([e, f, g, h]).into())
                    };
                    let most = usize::try_from(number(4)).unwrap_or(usize::MAX);
                    let runs = entries.as_chunks().0.iter().take(most).map(entry).collect();
                    once(track.runs.replace(runs).is_some())?;
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(track)
    }

    /// The least bytes that the samples must have.
    fn bytes(&self) -> Result<u64, MediaError> {
        let (size, count) = self.sizes.unwrap_or_default();
        // A film of a single picture is written so.
        if self.is_video && size != 0 && count > 1 {
            return Err(MediaError::Unreadable);
        }
        Ok(size.saturating_mul(count).max(size.max(1).saturating_mul(self.in_chunks())))
    }

    /// How many entries FFmpeg's list has of it: its samples, once for each edit that may show them again; of plain
    /// sound its chunks.
    fn entries(&self) -> u64 {
        let (_, count) = self.sizes.unwrap_or_default();
        let is_plain = self.is_sound && !self.is_video && self.durations == Some((1, 1));
        let entries = if is_plain { self.chunks.unwrap_or(0) } else { count.max(self.in_chunks()) };
        entries.saturating_mul(self.edits.max(1))
    }

    fn in_chunks(&self) -> u64 {
        let chunks = self.chunks.unwrap_or(0);
        let runs = self.runs.as_deref().unwrap_or_default();
        let ends = runs.iter().skip(1).map(|run| run.0).chain([chunks.saturating_add(1)]);
        let in_chunks = runs
            .iter()
            .zip(ends)
            .map(|((first, each), end)| end.abs_diff(*first).saturating_mul(*each))
            .fold(0, u64::saturating_add);
        if chunks == 0 { 0 } else { in_chunks }
    }
}

fn hides_tables(content: &[u8]) -> bool {
    content.windows(4).any(|kind| TABLES.iter().any(|table| table == kind))
}

/// The shape of a pixel, as the first description of a track's pictures names it.
fn aspect(index: &[u8], descriptions: &Found) -> Option<Aspect> {
    let range = &descriptions.content;
    let first = next(index, range.start + 8, range.end)?;
    let mut at = first.content.start + DESCRIPTION;
    loop {
        let found = next(index, at, first.content.end)?;
        if found.kind == *b"pasp" {
            let number = |at| u32::try_from(number(index, &found, at)?).ok();
            return number(0).zip(number(4));
        }
        at = found.content.end;
    }
}

/// The number of 32 bits at a place of a box's content.
fn number(index: &[u8], found: &Found, at: usize) -> Option<u64> {
    let bytes = index[found.content.clone()].get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes).into())
}

/// Shows every box below a place. As FFmpeg does, it passes over what is broken, up to where the box around it ends.
fn walk(
    index: &[u8],
    range: Range<usize>,
    depth: usize,
    each: &mut dyn FnMut(&Found) -> Result<(), MediaError>,
) -> Result<(), MediaError> {
    let mut at = range.start;
    while let Some(found) = next(index, at, range.end) {
        each(&found)?;
        at = found.content.end;
        if is_part(found.kind) {
            if depth == DEEPEST {
                return Err(MediaError::Unreadable);
            }
            walk(index, found.content, depth + 1, each)?;
        }
    }
    Ok(())
}

/// The box that begins there; it ends with the one around it at the latest.
fn next(index: &[u8], at: usize, end: usize) -> Option<Found> {
    let bytes = index.get(at..end)?;
    let (size, after) = bytes.split_first_chunk::<4>()?;
    let (kind, after) = after.split_first_chunk::<4>()?;
    let (head, size) = match u32::from_be_bytes(*size) {
        0 => (8, bytes.len()),
        1 => (16, usize::try_from(u64::from_be_bytes(*after.first_chunk()?)).unwrap_or(usize::MAX)),
        size => (8, size as usize),
    };
    (size >= head).then(|| Found { kind: *kind, content: at + head..at.saturating_add(size).min(end) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &Kind, content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
    }

    fn table(kind: &Kind, numbers: &[u32]) -> Vec<u8> {
        boxed(
            kind,
            &[&[0; 4][..], &numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Vec<_>>()].concat(),
        )
    }

    /// A film of one track, its tables as they come.
    fn film(handler: &Kind, tables: &[Vec<u8>]) -> Vec<u8> {
        let handler = boxed(b"hdlr", &[&[0; 8][..], handler, &[0; 12]].concat());
        let around = [*b"stbl", *b"minf"];
        let tables = around.iter().fold(tables.concat(), |inner, kind| boxed(kind, &inner));
        boxed(b"moov", &boxed(b"trak", &boxed(b"mdia", &[handler, tables].concat())))
    }

    const LENGTH: u64 = 10_000;
    const GOOD: Result<Vec<Option<Aspect>>, MediaError> = Ok(Vec::new());

    fn of(handler: &Kind, tables: &[Vec<u8>]) -> bool {
        check(&film(handler, tables), LENGTH).is_ok()
    }

    #[test]
    fn samples_of_one_size_must_have_room() {
        let sizes = |size, count| table(b"stsz", &[size, count]);
        assert!(of(b"soun", &[sizes(4, 2500)]) && !of(b"soun", &[sizes(4, 2501)]));
        assert!(!of(b"soun", &[sizes(u32::MAX, u32::MAX)]));
        assert!(of(b"soun", &[table(b"stsz", &[0, 2, 7, 8])]));
        // Pictures never have one size, unless there is but one.
        assert!(of(b"vide", &[sizes(5000, 1)]) && !of(b"vide", &[sizes(10_001, 1)]));
        assert!(!of(b"vide", &[sizes(1, 2)]) && of(b"vide", &[table(b"stsz", &[0, 2, 7, 8])]));
        assert!(!of(b"soun", &[sizes(1, 1), sizes(1, 1)]), "one table of a kind");
    }

    #[test]
    fn samples_in_chunks_must_have_room() {
        let chunks = table(b"stco", &[3, 100, 200, 300]);
        let runs = |runs: &[u32]| table(b"stsc", &[&[runs.len() as u32 / 3], runs].concat());
        assert!(of(b"soun", &[chunks.clone(), runs(&[1, 4000, 1, 3, 2000, 1])]));
        assert!(!of(b"soun", &[chunks.clone(), runs(&[1, 4000, 1, 3, 2001, 1])]));
        assert!(!of(b"soun", &[chunks.clone(), runs(&[1, 2, 1]), table(b"stsz", &[2000, 5])]));
        // FFmpeg counts with 32 bits and beyond the end.
        assert!(!of(b"soun", &[chunks.clone(), runs(&[u32::MAX, 1, 1])]));
        assert!(!of(b"vide", &[chunks, runs(&[1, u32::MAX, 1, 2, u32::MAX, 1])]));
        assert!(of(b"soun", &[table(b"stco", &[0]), runs(&[1, u32::MAX, 1])]), "there are none");
    }

    #[test]
    fn all_tracks_and_fragments_count_together() {
        let track = film(b"soun", &[table(b"stsz", &[1, 6000])]);
        assert!(check(&track, LENGTH).is_ok() && check(&track.repeat(2), LENGTH).is_err());
        let fragment = |count| boxed(b"moof", &boxed(b"traf", &table(b"trun", &[count])));
        assert_eq!(check(&fragment(10_000), LENGTH), GOOD);
        assert!(check(&fragment(10_001), LENGTH).is_err());
        assert!(check(&fragment(100).repeat(101), LENGTH).is_err());
        assert!(check(&[track, fragment(4001)].concat(), LENGTH).is_err());
    }

    /// What has room in the file may still be more than anybody films.
    #[test]
    fn the_list_that_ffmpeg_makes_of_it_is_bounded() {
        let long = |tables: &[Vec<u8>], handler| check(&film(handler, tables), u64::MAX).is_ok();
        let (sizes, once) = (table(b"stsz", &[2, 100_000_000]), table(b"stts", &[1, 100_000_000, 1]));
        let chunks = [table(b"stco", &[2, 1, 2]), table(b"stsc", &[1, 1, 50_000_000, 1])].concat();
        assert!(long(&[sizes.clone(), once.clone(), chunks.clone()], b"soun"), "plain sound of half an hour");
        assert!(!long(&[sizes.clone(), once, chunks.clone()], b"meta"));
        assert!(!long(&[sizes, table(b"stts", &[2, 1, 1, 99_999_999, 1]), chunks], b"soun"));
        let edits = |n: u32| {
            let list = [&[0, 0, 0, 0][..], &n.to_be_bytes(), &vec![0; n as usize * 12]].concat();
            boxed(b"edts", &boxed(b"elst", &list))
        };
        let pictures = table(b"stsz", &[0, 40_000]);
        assert!(long(&[pictures.clone(), edits(100)], b"vide"));
        assert!(!long(&[pictures, edits(101)], b"vide"));
        assert!(!long(&[table(b"stz2", &[8, 4_000_001])], b"vide"));
    }

    #[test]
    fn an_index_is_where_it_belongs() {
        let bomb = table(b"stsz", &[1, u32::MAX]);
        for around in [b"edts", b"udta", b"dinf", b"tref", b"sinf", b"schi", b"mvex"] {
            assert!(!of(b"soun", &[boxed(around, &bomb)]), "{around:?}");
        }
        for around in [b"stsd", b"meta"] {
            assert!(!of(b"soun", &[boxed(around, &[&[0; 8][..], &bomb].concat())]), "{around:?}");
        }
        assert!(check(&boxed(b"moov", &boxed(b"cmov", b"packed")), LENGTH).is_err());
        assert!(check(&boxed(b"hoov", b""), LENGTH).is_err());
    }

    #[test]
    fn what_is_broken_is_passed_over_and_hides_nothing() {
        let mut film = film(b"soun", &[table(b"stsz", &[1, u32::MAX]), b"rest".to_vec()]);
        assert!(check(&film, LENGTH).is_err());
        let at = film.windows(4).position(|w| w == b"trak").unwrap() - 4;
        film[at..at + 4].fill(0xFF);
        assert!(check(&film, LENGTH).is_err(), "a box that ends nowhere");
        assert_eq!(check(b"\0\0\0\x07moov", LENGTH), GOOD);
        let nested = |depth| (0..depth).fold(Vec::new(), |inner, _| boxed(b"moov", &inner));
        assert_eq!(check(&nested(10), LENGTH), GOOD);
        assert_eq!(check(&nested(12), LENGTH), Err(MediaError::Unreadable));
    }

    #[test]
    fn the_shape_of_pixels_is_where_the_pictures_are_described() {
        let described = |inside: &[u8]| {
            let entry = boxed(b"avc1", &[&[0; DESCRIPTION], inside].concat());
            film(b"vide", &[boxed(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], &entry[..]].concat())])
        };
        let shape = boxed(b"pasp", &[4_u32, 3].map(u32::to_be_bytes).concat());
        let named = described(&[boxed(b"avcC", b"x"), shape.clone()].concat());
        assert_eq!(check(&named, LENGTH), Ok(vec![Some((4, 3))]));
        let cut = described(&shape[..12]);
        let several = [described(b""), named, cut].concat();
        assert_eq!(check(&several, LENGTH), Ok(vec![None, Some((4, 3)), None]));
    }
}
