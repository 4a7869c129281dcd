//! Where a film comes from and where it goes: bytes that FFmpeg reads through us, so that a caller may keep
//! them sealed, and bytes in memory, so that no disk sees a film that nobody sealed yet.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes to be read from anywhere.
pub trait Stream: Read + Seek + Send + 'static {}

impl<T: Read + Seek + Send + 'static> Stream for T {}

/// A film to be read: a file, one that was just made, or anything else that gives its bytes.
pub trait Recording {
    /// Its bytes, from the start. Asked for more than once.
    ///
    /// # Errors
    /// Why they cannot be had.
    fn open(&self) -> io::Result<Box<dyn Stream>>;
}

impl<P: AsRef<Path> + ?Sized> Recording for P {
    fn open(&self) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(File::open(self)?))
    }
}

impl Recording for super::Film {
    fn open(&self) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(io::Cursor::new(self.bytes.clone())))
    }
}

/// A film that grows in memory, up to a limit: its place is claimed at once, and filled as it grows. The muxer writes through one handle, and its owner keeps another.
#[derive(Clone)]
pub(super) struct Memory(Arc<Mutex<Sheet>>);

struct Sheet {
    bytes: Vec<u8>,
    at: usize,
    most: usize,
    is_full: bool,
}

impl Memory {
    pub fn new(most: usize) -> io::Result<Self> {
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(most)?;
        Ok(Self(Arc::new(Mutex::new(Sheet { bytes, at: 0, most, is_full: false }))))
    }

    fn sheet(&self) -> std::sync::MutexGuard<'_, Sheet> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something did not fit.
    pub fn is_full(&self) -> bool {
        self.sheet().is_full
    }

    /// What was written.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.sheet().bytes)
    }
}

impl Write for Memory {
    fn write(&mut self, new: &[u8]) -> io::Result<usize> {
        let mut sheet = self.sheet();
        let (at, end) = (sheet.at, sheet.at + new.len());
        if end > sheet.most {
            sheet.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        if end > sheet.bytes.len() {
            sheet.bytes.resize(end, 0);
        }
        sheet.bytes[at..end].copy_from_slice(new);
        sheet.at = end;
        Ok(new.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Memory {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let mut sheet = self.sheet();
        let to = match to {
            SeekFrom::Start(at) => usize::try_from(at).ok(),
            SeekFrom::Current(by) => isize::try_from(by).ok().and_then(|by| sheet.at.checked_add_signed(by)),
            SeekFrom::End(by) => {
                isize::try_from(by).ok().and_then(|by| sheet.bytes.len().checked_add_signed(by))
            }
        };
        sheet.at = to.filter(|to| *to <= sheet.most).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(sheet.at as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_a_file_with_a_limit() {
        let memory = Memory::new(10).unwrap();
        let mut pen = memory.clone();
        pen.write_all(b"012345").unwrap();
        pen.seek(SeekFrom::Start(2)).unwrap();
        pen.write_all(b"two").unwrap();
        assert_eq!(pen.stream_position().unwrap(), 5);
        assert_eq!(pen.seek(SeekFrom::End(2)).unwrap(), 8);
        pen.write_all(b"89").unwrap();
        assert!(!memory.is_full());
        assert_eq!(pen.write(b"x").unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(memory.is_full());
        assert!(pen.seek(SeekFrom::Start(11)).is_err() && pen.seek(SeekFrom::Current(-11)).is_err());
        assert_eq!(memory.take(), b"01two5\0\089");
    }
}
