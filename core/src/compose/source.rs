//! What a file is to be made of, as it is kept with its post until it is made. Not here: making it.

use super::{Attachment, PixelLayout};
use crate::error::CoreError;
use renraku_media::MediaError;
use renraku_media::photo::{Cover, Mark, Shape};
use renraku_wire::{MediaId, MediaKind};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A file that a post will have.
pub(crate) struct Planned {
    pub(crate) id: MediaId,
    pub(crate) kind: MediaKind,
    pub(crate) description: String,
    pub(crate) source: Source,
}

/// Where it lies and what was asked of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Source {
    path: PathBuf,
    marks: Vec<KeptMark>,
    pixels: Option<PixelLayout>,
    sound: bool,
    /// The core removes it: it lies in the core's own folder under the file's id.
    handed_over: bool,
}

#[derive(Serialize, Deserialize)]
struct KeptMark {
    ellipse: bool,
    blur: bool,
    /// Left, top, width, height.
    frame: [f32; 4],
}

/// Marks of one photo.
const MARKS: usize = 500;

/// Whether marks are areas of a picture, whatever its size.
pub(super) fn are_areas(marks: &[Mark]) -> bool {
    let is_area = |mark: &Mark| {
        let all = [mark.left, mark.top, mark.width, mark.height];
        let reaches = |from: f32, by: f32| by > 0.0 && from < 1.0 && from + by > 0.0;
        all.iter().all(|v| v.is_finite()) && reaches(mark.left, mark.width) && reaches(mark.top, mark.height)
    };
    marks.len() <= MARKS && marks.iter().all(is_area)
}

impl Planned {
    /// What is asked can be kept, and the file is there.
    pub(crate) fn new(attachment: Attachment) -> Result<Self, CoreError> {
        attachment.check()?;
        let found = std::fs::metadata(&attachment.path)?;
        if !found.is_file() || attachment.path.to_str().is_none() {
            return Err(CoreError::invalid("attachments"));
        }
        let Attachment { kind, path, description, marks, pixels, sound, hand_over } = attachment;
        let kept = |mark: Mark| KeptMark {
            ellipse: mark.shape == Shape::Ellipse,
            blur: mark.cover == Cover::Blur,
            frame: [mark.left, mark.top, mark.width, mark.height],
        };
        let marks = marks.into_iter().map(kept).collect();
        let source = Source { path, marks, pixels, sound, handed_over: hand_over };
        Ok(Self { id: MediaId::new(), kind, description, source })
    }

    fn own_place(&self, folder: &Path) -> PathBuf {
        folder.join(self.id.to_string())
    }

    /// Takes a file that is handed over into the core's folder.
    pub(crate) fn take_over(&self, folder: &Path) -> std::io::Result<()> {
        if !self.source.handed_over {
            return Ok(());
        }
        std::fs::create_dir_all(folder)?;
        let (from, own) = (&self.source.path, self.own_place(folder));
        match std::fs::rename(from, &own) {
            Err(e) if e.kind() == std::io::ErrorKind::CrossesDevices => {
                std::fs::copy(from, own)?;
                std::fs::remove_file(from)
            }
            moved => moved,
        }
    }

    /// The other way, when the post was not kept.
    pub(crate) fn give_back(&self, folder: &Path) {
        if self.source.handed_over && !self.source.path.exists() {
            let _ = std::fs::rename(self.own_place(folder), &self.source.path);
        }
    }

    /// Removes a file that was handed over.
    pub(crate) fn remove(&self, folder: &Path) {
        if self.source.handed_over {
            let _ = std::fs::remove_file(self.own_place(folder));
            let _ = std::fs::remove_file(&self.source.path);
        }
    }

    /// What to make it of; none when that is gone.
    pub(crate) fn attachment(&self, folder: &Path) -> std::io::Result<Option<Attachment>> {
        let Source { path, marks, pixels, sound, handed_over } = &self.source;
        let mark = |kept: &KeptMark| {
            let [left, top, width, height] = kept.frame;
            let shape = if kept.ellipse { Shape::Ellipse } else { Shape::Rectangle };
            let cover = if kept.blur { Cover::Blur } else { Cover::Black };
            Mark { shape, cover, left, top, width, height }
        };
        let own = self.own_place(folder);
        for path in [&own, path] {
            if path.try_exists()? {
                return Ok(Some(Attachment {
                    kind: self.kind,
                    path: path.clone(),
                    description: self.description.clone(),
                    marks: marks.iter().map(mark).collect(),
                    pixels: pixels.clone(),
                    sound: *sound,
                    hand_over: *handed_over,
                }));
            }
        }
        Ok(None)
    }
}

/// Removes what was handed over and belongs to no file that is still to be made: a kill left it.
pub(crate) fn sweep(folder: &Path, unmade: &[MediaId]) -> std::io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    // What cannot be removed now holds nothing up, and is tried again the next time.
    for entry in entries.flatten() {
        let is_wanted = unmade.iter().any(|id| entry.file_name().to_str() == Some(&id.to_string()));
        if !is_wanted {
            let _ = std::fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// Reads a file to its end, for nothing but to see whether that can be done.
pub(crate) fn can_be_read(path: &Path) -> std::io::Result<()> {
    std::io::copy(&mut std::fs::File::open(path)?, &mut std::io::sink()).map(|_| ())
}

/// What a failure to make a file says of the file itself; none for what may be different the next time.
pub(crate) fn is_the_files_fault(e: &MediaError) -> bool {
    !matches!(e, MediaError::Cancelled | MediaError::StorageFull | MediaError::Io(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_comes_back_as_it_was_put_down() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("camera.jpg");
        std::fs::write(&path, b"bytes").unwrap();
        let mut asked = Attachment::new(MediaKind::Photo, path.clone(), "左踵".into());
        let mark = Mark {
            shape: Shape::Ellipse,
            cover: Cover::Blur,
            left: 0.1,
            top: -0.2,
            width: 1.0 / 3.0,
            height: f32::MIN_POSITIVE + 0.7,
        };
        asked.marks = vec![mark];
        asked.hand_over = true;
        let planned = Planned::new(asked.clone()).unwrap();
        let source = serde_json::from_str(&serde_json::to_string(&planned.source).unwrap()).unwrap();
        let again = Planned { source, ..planned };
        let own = folder.path().join("own");
        again.take_over(&own).unwrap();
        assert!(!path.exists());
        let found = again.attachment(&own).unwrap().unwrap();
        assert_eq!((found.marks, found.kind, found.sound), (asked.marks, asked.kind, asked.sound));
        assert_eq!(std::fs::read(found.path).unwrap(), b"bytes");
        sweep(&own, &[again.id]).unwrap();
        assert!(again.attachment(&own).unwrap().is_some());
        sweep(&own, &[]).unwrap();
        assert!(again.attachment(&own).unwrap().is_none());
    }

    #[test]
    fn what_is_no_area_is_refused_at_once() {
        let area = Mark {
            shape: Shape::Rectangle,
            cover: Cover::Black,
            left: 0.0,
            top: 0.0,
            width: 0.5,
            height: 0.5,
        };
        assert!(are_areas(&[area]) && are_areas(&[]));
        for bad in [
            Mark { left: 1.5, ..area },
            Mark { top: -0.5, ..area },
            Mark { width: 0.0, ..area },
            Mark { height: f32::NAN, ..area },
        ] {
            assert!(!are_areas(&[area, bad]), "{bad:?}");
        }
        assert!(!are_areas(&[area; MARKS + 1]));
    }
}
