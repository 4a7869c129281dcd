//! A file in the clear, for a player: it stays when the caller got it, and else it goes, whoever goes away in the middle
//! of the call. Not here: what is in it.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file that the caller has not got yet. Dropped before that, it is removed, if it is this call's.
pub(super) struct Clear {
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// This call made the file: another's of that name is left alone.
    is_made: bool,
    /// Nobody waits for it any more.
    is_unwanted: bool,
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Clear {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), state: Arc::default() }
    }

    /// What writes it, on a thread that may block and that nobody stops.
    pub(super) fn writer(&self) -> impl FnOnce(&[u8]) -> io::Result<()> + Send + 'static {
        let (path, state) = (self.path.clone(), self.state.clone());
        move |bytes| {
            let mut file = {
                let mut state = locked(&state);
                if state.is_unwanted {
                    return Err(ErrorKind::Interrupted.into());
                }
                let file = create_new(&path)?;
                state.is_made = true;
                file
            };
            file.write_all(bytes)
        }
    }

    /// Somebody else wrote it for this call.
    pub(super) fn is_made(&self) {
        locked(&self.state).is_made = true;
    }

    /// The caller has it.
    pub(super) fn stays(self) {
        locked(&self.state).is_made = false;
    }
}

impl Drop for Clear {
    fn drop(&mut self) {
        let mut state = locked(&self.state);
        state.is_unwanted = true;
        if state.is_made {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn create_new(path: &Path) -> io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_only_when_the_caller_got_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("player.jpg");
        let clear = Clear::new(&path);
        clear.writer()(b"bytes").unwrap();
        drop(clear);
        assert!(!path.exists(), "of an error nothing stays");
        let clear = Clear::new(&path);
        clear.writer()(b"bytes").unwrap();
        clear.stays();
        assert_eq!(std::fs::read(&path).unwrap(), b"bytes");
        // Another's is left alone.
        let clear = Clear::new(&path);
        let refused = clear.writer()(b"other").unwrap_err();
        drop(clear);
        assert_eq!(
            (refused.kind(), std::fs::read(&path).unwrap().as_slice()),
            (ErrorKind::AlreadyExists, &b"bytes"[..])
        );
    }

    #[test]
    fn who_writes_after_the_caller_went_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("player.jpg");
        let clear = Clear::new(&path);
        let write = clear.writer();
        drop(clear);
        assert!(write(b"bytes").is_err());
        assert!(!path.exists());
    }
}
