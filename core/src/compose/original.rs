//! A camera's file being read, wherever it lies, and why it could not be. Not here: what is asked of it (source), and how
//! it is sealed.

use super::sealed::Key;
use renraku_media::video::{Recording, Stream};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// A camera's file, wherever it lies.
pub(crate) struct Original<'a> {
    path: PathBuf,
    key: Option<&'a Key>,
    trouble: Trouble,
}

/// Why a file could not be read, the first time: decoders tell it by many names, or take it for the file's end.
type Trouble = Arc<Mutex<Option<io::ErrorKind>>>;

impl<'a> Original<'a> {
    /// None when it is gone.
    pub(super) fn find(path: PathBuf, key: Option<&'a Key>) -> io::Result<Option<Self>> {
        Ok(path.try_exists()?.then(|| Self { path, key, trouble: Arc::default() }))
    }

    /// Why it could not be read, if somebody tried in vain.
    pub(crate) fn trouble(&self) -> Option<io::ErrorKind> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Recording for Original<'_> {
    fn open(&self) -> io::Result<Box<dyn Stream>> {
        let file: Box<dyn Stream> = match self.key {
            None => Box::new(File::open(&self.path)?),
            Some(key) => Box::new(key.open(&self.path).inspect_err(|e| note(&self.trouble, e))?),
        };
        Ok(Box::new(Noting(file, self.trouble.clone())))
    }
}

/// Notes why reading failed.
struct Noting(Box<dyn Stream>, Trouble);

fn note(trouble: &Trouble, e: &io::Error) {
    if e.kind() != io::ErrorKind::Interrupted {
        trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(e.kind());
    }
}

impl io::Read for Noting {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0.read(to).inspect_err(|e| note(&self.1, e))
    }
}

impl io::Seek for Noting {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}
