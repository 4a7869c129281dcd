//! Where a film rests between being made and being sealed: FFmpeg wants a file with a name, and what it writes
//! is not sealed yet.
//!
//! On Linux and Android that name leads to memory: the work folder holds a link to an anonymous file that no
//! disk ever sees and that ends with the process. Elsewhere (iOS, and where the system refuses it) it is a real
//! file, under the folder's own protection: its name goes as soon as it is made, its bytes are overwritten as
//! soon as they are sealed, and what a kill leaves while it is being made goes at the next opening of the
//! device. Not here: making it.

use renraku_wire::MediaId;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A name in the work folder for a film to be made.
pub(super) struct Place {
    path: PathBuf,
    memory: Option<File>,
}

/// A film that has no name any more.
pub(super) struct Film {
    file: File,
    on_disk: bool,
}

impl Place {
    /// A new name in this folder.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let path = folder.join(format!("{}.mp4", MediaId::new()));
        let memory = in_memory(&part(&path));
        Ok(Self { path, memory })
    }

    /// Where to make it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The film, once it is made. Its name goes.
    pub(super) fn take(mut self) -> io::Result<Film> {
        let on_disk = !std::fs::symlink_metadata(&self.path)?.is_symlink();
        let file = match self.memory.take() {
            Some(memory) if !on_disk => memory,
            _ => OpenOptions::new().read(true).write(true).open(&self.path)?,
        };
        Ok(Film { file, on_disk })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for name in [part(&self.path), self.path.clone()] {
            let _ = std::fs::remove_file(name);
        }
    }
}

impl Film {
    /// Its bytes, from the start.
    pub(super) fn rewound(&self) -> io::Result<impl Read + '_> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }
}

impl Drop for Film {
    fn drop(&mut self) {
        if self.on_disk {
            let _ = overwrite(&mut self.file);
        }
    }
}

fn overwrite(file: &mut File) -> io::Result<()> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut io::repeat(0).take(length), file)?;
    file.flush()?;
    file.sync_data()
}

/// The name under which `renraku-media` works until a film is whole.
fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Makes `name` lead to an anonymous file in memory, if the system lets us.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn in_memory(name: &Path) -> Option<File> {
    use std::os::fd::AsRawFd;
    let file = File::from(rustix::fs::memfd_create("film", rustix::fs::MemfdFlags::CLOEXEC).ok()?);
    std::os::unix::fs::symlink(format!("/proc/self/fd/{}", file.as_raw_fd()), name).ok()?;
    if OpenOptions::new().write(true).open(name).is_err() {
        let _ = std::fs::remove_file(name);
        return None;
    }
    Some(file)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn in_memory(_: &Path) -> Option<File> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_there_is_no_memory_file_the_name_goes_first_and_the_bytes_after() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path()).unwrap();
        let _ = std::fs::remove_file(part(place.path()));
        std::fs::write(place.path(), b"a film").unwrap();
        let watch = OpenOptions::new().read(true).open(place.path()).unwrap();
        let film = place.take().unwrap();
        assert!(film.on_disk);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no name");
        for _ in 0..2 {
            let mut bytes = Vec::new();
            film.rewound().unwrap().read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes, b"a film");
        }
        drop(film);
        let mut left = Vec::new();
        (&watch).read_to_end(&mut left).unwrap();
        assert_eq!(left, [0; 6], "overwritten");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn on_linux_a_film_is_never_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path()).unwrap();
        let name = part(place.path());
        File::create(&name).unwrap().write_all(b"a film").unwrap();
        assert!(std::fs::symlink_metadata(&name).unwrap().is_symlink());
        std::fs::rename(&name, place.path()).unwrap();
        let film = place.take().unwrap();
        assert!(!film.on_disk);
        let mut bytes = Vec::new();
        film.rewound().unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"a film");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
