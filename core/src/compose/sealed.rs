//! A camera's original while it waits to be made: one file, sealed under a key of its own that the person's store
//! keeps, read from any place in it as FFmpeg wants to. It goes by the STREAM construction (Hoang, Reyhanitabar,
//! Rogaway and Vizár, 2015) with AES-256-GCM: chunks sealed each by itself, their number and whether they are the last
//! in the nonce, so that none can be changed, moved, left out or cut off unseen. Not here: what waits, and for what.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of a chunk before it is sealed.
const CHUNK: usize = 64 << 10;
/// Chunks after which they are brought to the disk: whoever stops it need not wait for all of a film.
const SYNCED: u64 = 256;
/// What sealing adds to a chunk.
const TAG: usize = 16;

/// Seals one file and no other: numbers begin anew with each.
#[derive(Serialize, Deserialize)]
pub(crate) struct Key([u8; 32]);

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Key {
    pub(crate) fn new() -> Self {
        Self(rand::random())
    }

    #[cfg(test)]
    pub(crate) fn of(key: [u8; 32]) -> Self {
        Self(key)
    }

    fn cipher(&self) -> io::Result<LessSafeKey> {
        Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.0).map_err(broken)?))
    }

    /// Seals all that can be read into a new file, on the disk when this returns. What could not be finished is
    /// removed.
    pub(crate) fn seal(&self, from: &mut dyn Read, to: &Path) -> io::Result<()> {
        let sealed = self.write(from, to);
        if sealed.is_err() {
            let _ = std::fs::remove_file(to);
        }
        sealed
    }

    fn write(&self, from: &mut dyn Read, to: &Path) -> io::Result<()> {
        let cipher = self.cipher()?;
        let mut file = File::create(to)?;
        let mut next = chunk(from)?;
        for number in 0.. {
            let mut this = next;
            // A file that ends with a full chunk is told from one that was cut off there.
            next = if this.len() < CHUNK { Zeroizing::default() } else { chunk(from)? };
            let nonce = nonce(number, next.is_empty());
            cipher.seal_in_place_append_tag(nonce, Aad::empty(), &mut *this).map_err(broken)?;
            file.write_all(&this)?;
            if number % SYNCED == SYNCED - 1 {
                file.sync_data()?;
            }
            if next.is_empty() {
                break;
            }
        }
        file.sync_all()
    }

    /// What was sealed, from its start. Reading fails with `InvalidData` where it is not what was sealed.
    pub(crate) fn open(&self, path: &Path) -> io::Result<Sealed> {
        let file = File::open(path)?;
        let sealed = file.metadata()?.len();
        let chunks = sealed.div_ceil((CHUNK + TAG) as u64);
        // Only a file of nothing has a chunk with nothing in it.
        let last = sealed.checked_sub(chunks.saturating_sub(1) * (CHUNK + TAG) as u64);
        let least = if chunks > 1 { TAG + 1 } else { TAG };
        if last.is_none_or(|last| last < least as u64) {
            return Err(ErrorKind::InvalidData.into());
        }
        let length = sealed - chunks * TAG as u64;
        Ok(Sealed {
            file,
            cipher: self.cipher()?,
            chunks,
            length,
            at: 0,
            opened: None,
            chunk: Zeroizing::default(),
        })
    }
}

fn broken(_: ring::error::Unspecified) -> io::Error {
    ErrorKind::InvalidData.into()
}

fn nonce(number: u64, is_last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3] = u8::from(is_last);
    nonce[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn chunk(from: &mut dyn Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut chunk = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
    from.take(CHUNK as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

/// A sealed file being read.
pub(crate) struct Sealed {
    file: File,
    cipher: LessSafeKey,
    chunks: u64,
    length: u64,
    at: u64,
    /// Which chunk is at hand.
    opened: Option<u64>,
    chunk: Zeroizing<Vec<u8>>,
}

impl Sealed {
    fn turn_to(&mut self, number: u64) -> io::Result<()> {
        if self.opened == Some(number) {
            return Ok(());
        }
        self.opened = None;
        self.chunk.clear();
        let size = (CHUNK + TAG) as u64;
        self.file.seek(SeekFrom::Start(number * size))?;
        (&mut self.file).take(size).read_to_end(&mut self.chunk)?;
        let nonce = nonce(number, number + 1 == self.chunks);
        let plain = self.cipher.open_in_place(nonce, Aad::empty(), &mut self.chunk).map_err(broken)?.len();
        self.chunk.truncate(plain);
        self.opened = Some(number);
        Ok(())
    }
}

impl Read for Sealed {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        // Also the end is looked at: a file that was cut off has another one.
        let number = (self.at.min(self.length.saturating_sub(1))) / CHUNK as u64;
        self.turn_to(number)?;
        let from = usize::try_from(self.at - number * CHUNK as u64).map_err(|_| ErrorKind::InvalidInput)?;
        let rest = self.chunk.get(from..).unwrap_or_default();
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Sealed {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
        };
        self.at = to.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::RngCore;

    fn bytes(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        rand::rng().fill_bytes(&mut bytes);
        bytes
    }

    fn read(key: &Key, path: &Path) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        key.open(path)?.read_to_end(&mut all).map(|_| all)
    }

    #[test]
    fn what_was_sealed_is_read_from_any_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealed");
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 77] {
            let (key, plain) = (Key::new(), bytes(length));
            key.seal(&mut plain.as_slice(), &path).unwrap();
            assert_eq!(read(&key, &path).unwrap(), plain, "{length}");
            let mut sealed = key.open(&path).unwrap();
            assert_eq!(sealed.seek(SeekFrom::End(0)).unwrap(), length as u64);
            for _ in 0..50 {
                let at = rand::random::<u64>() % (length as u64 + 10);
                sealed.seek(SeekFrom::Start(at)).unwrap();
                let mut some = Vec::new();
                (&mut sealed).take(1000).read_to_end(&mut some).unwrap();
                let from = (at as usize).min(length);
                assert_eq!(some, plain[from..length.min(from + 1000)], "{length} from {at}");
            }
            let on_disk = std::fs::read(&path).unwrap();
            assert!(length < 32 || !on_disk.windows(16).any(|w| w == &plain[..16]));
        }
    }

    #[test]
    fn what_was_changed_moved_or_cut_off_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sealed");
        let (key, plain) = (Key::new(), bytes(2 * CHUNK));
        key.seal(&mut plain.as_slice(), &path).unwrap();
        let sealed = std::fs::read(&path).unwrap();
        let (one, two) = sealed.split_at(CHUNK + TAG);
        let mut flipped = sealed.clone();
        flipped[CHUNK + 100] ^= 1;
        let longer = [&sealed[..], b"x"].concat();
        let mut bad = vec![flipped, longer, [two, one].concat(), one.to_vec(), vec![]];
        for part in [1, 15, 16, 17, CHUNK, CHUNK + 1, CHUNK + 15] {
            bad.push([one, &two[..part]].concat());
            bad.push([one, two, &one[..part]].concat());
            bad.push(two[..part].to_vec());
        }
        for (n, bad) in bad.into_iter().enumerate() {
            std::fs::write(&path, bad).unwrap();
            assert_eq!(read(&key, &path).unwrap_err().kind(), ErrorKind::InvalidData, "{n}");
        }
        std::fs::write(&path, sealed).unwrap();
        assert!(read(&Key::new(), &path).is_err(), "another key");
        let kept: Key = serde_json::from_str(&serde_json::to_string(&key).unwrap()).unwrap();
        assert_eq!(read(&kept, &path).unwrap(), plain);
    }
}
