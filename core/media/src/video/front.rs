//! The index to the front: a muxer that cannot read what it wrote puts it at the end, where a player that begins
//! before the whole film is there does not find it.

use crate::MediaError;
use crate::boxes::{Found, Kind, boxes};
use std::ops::Range;

/// Where the chunks of samples are said to lie.
const PATH: [Kind; 4] = [*b"trak", *b"mdia", *b"minf", *b"stbl"];

/// Moves the index behind the first box, and everything that it points to by its length. A film that begins with it
/// stays as it is.
pub(super) fn fast_start(bytes: &mut [u8]) -> Result<(), MediaError> {
    let top = boxes(bytes, 0..bytes.len())?;
    let place = |kind: &Kind| top.iter().position(|found| found.kind == *kind).ok_or(MediaError::Unreadable);
    let (first, movie, data) = (place(b"ftyp")?, place(b"moov")?, place(b"mdat")?);
    if movie < data {
        return Ok(());
    }
    let (head, index) = (top[first].content.end, top[movie - 1].content.end..top[movie].content.end);
    if first != 0 || index.end != bytes.len() {
        return Err(MediaError::Unreadable);
    }
    let by = u32::try_from(index.len()).map_err(|_| MediaError::Unreadable)?;
    let mut inside = vec![top[movie].clone()];
    for kind in PATH {
        inside = each(bytes, &inside, |found| found.kind == kind)?;
    }
    for table in each(bytes, &inside, |found| matches!(&found.kind, b"stco" | b"co64"))? {
        // Version and flags, and the number of entries, come first.
        let entries =
            bytes.get_mut(table.content.start + 8..table.content.end).ok_or(MediaError::Unreadable)?;
        let is_wide = table.kind == *b"co64";
        for entry in entries.chunks_exact_mut(if is_wide { 8 } else { 4 }) {
            later(entry, by).ok_or(MediaError::Unreadable)?;
        }
    }
    bytes[head..].rotate_right(index.len());
    Ok(())
}

fn each(bytes: &[u8], of: &[Found], wanted: impl Fn(&Found) -> bool) -> Result<Vec<Found>, MediaError> {
    let mut all = Vec::new();
    for parent in of {
        let content: Range<usize> = parent.content.clone();
        all.extend(boxes(bytes, content)?.into_iter().filter(&wanted));
    }
    Ok(all)
}

/// None when the place does not fit any more.
fn later(entry: &mut [u8], by: u32) -> Option<()> {
    if let Ok(place) = <[u8; 4]>::try_from(&*entry) {
        entry.copy_from_slice(&u32::from_be_bytes(place).checked_add(by)?.to_be_bytes());
    } else {
        let place = u64::from_be_bytes(<[u8; 8]>::try_from(&*entry).ok()?);
        entry.copy_from_slice(&place.checked_add(u64::from(by))?.to_be_bytes());
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &Kind, content: &[u8]) -> Vec<u8> {
        [&(content.len() as u32 + 8).to_be_bytes()[..], kind, content].concat()
    }

    fn movie(by: u32) -> Vec<u8> {
        let places = [0, 1, 28 + by].map(u32::to_be_bytes).concat();
        let wide = [&[0, 0, 0, 0, 0, 0, 0, 1][..], &((1u64 << 32) + u64::from(by)).to_be_bytes()].concat();
        let tables = [boxed(b"stts", b"x"), boxed(b"stco", &places), boxed(b"co64", &wide)].concat();
        let track = PATH.iter().rev().fold(tables, |inner, kind| boxed(kind, &inner));
        boxed(b"moov", &[boxed(b"mvhd", b"y"), track.clone(), track].concat())
    }

    #[test]
    fn the_index_comes_second_and_points_where_the_samples_went() {
        let (first, free, data) = (boxed(b"ftyp", b"isom"), boxed(b"free", b""), boxed(b"mdat", b"samples"));
        let mut film = [&first[..], &free, &data, &movie(0)].concat();
        let expected = [&first[..], &movie(movie(0).len() as u32), &free, &data].concat();
        fast_start(&mut film).unwrap();
        assert_eq!(film, expected);
        fast_start(&mut film).unwrap();
        assert_eq!(film, expected, "once is enough");
    }

    #[test]
    fn what_is_no_film_is_refused() {
        let (first, data) = (boxed(b"ftyp", b"isom"), boxed(b"mdat", b"samples"));
        for mut bad in [
            [&first[..], &data].concat(),
            [&data[..], &first, &movie(0)].concat(),
            [&first[..], &data, &movie(0), &boxed(b"free", b"")].concat(),
            [&first[..], &data, &movie(u32::MAX - 28)].concat(),
            [&first[..], &data, &movie(0), b"x"].concat(),
        ] {
            assert_eq!(fast_start(&mut bad), Err(MediaError::Unreadable));
        }
    }
}
