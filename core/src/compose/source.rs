//! What a file is to be made of, as it is kept with its post until it is made. Not here: making it.

use super::original::Original;
use super::sealed::Key;
use super::{Attachment, PixelLayout};
use crate::Cancel;
use crate::error::CoreError;
use renraku_media::MediaError;
use renraku_media::photo::{Cover, Mark, Shape};
use renraku_wire::{MediaId, MediaKind, Timestamp};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A file that a post will have.
pub(crate) struct Planned {
    pub(crate) id: MediaId,
    pub(crate) kind: MediaKind,
    pub(crate) description: String,
    pub(crate) source: Source,
}

/// Where its original lies and what was asked of it. A row that says less is an earlier version's: its file is lost.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Source {
    original: Place,
    marks: Vec<KeptMark>,
    pub(super) pixels: Option<PixelLayout>,
    pub(super) sound: bool,
    /// How often making it was begun and came to no end that counts, and when that was last counted.
    tries: u32,
    tried_at: i64,
}

#[derive(Serialize, Deserialize)]
enum Place {
    /// Where its owner has it.
    Theirs(PathBuf),
    /// In the core's own folder, under the file's id, sealed.
    Ours(Key),
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

impl Default for Place {
    fn default() -> Self {
        Self::Theirs(PathBuf::new())
    }
}

/// How often a file is tried that cannot be made for reasons that may pass.
const TRIES: u32 = 5;
/// What was counted before a try.
#[derive(Clone, Copy)]
pub(crate) struct Tried(u32, i64);

/// Tries within this time, in milliseconds, count as one: what passes takes a while to.
const TRY_MILLIS: u64 = 3_600_000;

impl Source {
    pub(super) fn marks(&self) -> Vec<Mark> {
        let mark = |kept: &KeptMark| {
            let [left, top, width, height] = kept.frame;
            let shape = if kept.ellipse { Shape::Ellipse } else { Shape::Rectangle };
            let cover = if kept.blur { Cover::Blur } else { Cover::Black };
            Mark { shape, cover, left, top, width, height }
        };
        self.marks.iter().map(mark).collect()
    }

    /// Counts a try before it is made: one that a kill or a fault of ours ends counts too. Gives what takes it back;
    /// none after the last one.
    pub(crate) fn begin(&mut self, now: Timestamp) -> Option<Tried> {
        let before = Tried(self.tries, self.tried_at);
        if self.tries == 0 || now.0.abs_diff(self.tried_at) >= TRY_MILLIS {
            if self.tries >= TRIES {
                return None;
            }
            (self.tries, self.tried_at) = (self.tries + 1, now.0);
        }
        Some(before)
    }

    /// The try says nothing of the file.
    pub(crate) fn take_back(&mut self, before: Tried) {
        (self.tries, self.tried_at) = (before.0, before.1);
    }

    /// Whether another try may follow one that failed.
    pub(crate) fn is_worth_another(&self) -> bool {
        self.tries < TRIES
    }

    /// Where its owner has it; none for what lies in the core's folder.
    pub(crate) fn into_elsewhere(self) -> Option<PathBuf> {
        match self.original {
            Place::Theirs(path) => Some(path),
            Place::Ours(_) => None,
        }
    }

    /// From the first try on.
    pub(crate) fn anew(&mut self) {
        self.tries = 0;
    }
}

impl Planned {
    /// Plans for all of them, or none: what is asked can be kept, and the files are there. What is handed over lies
    /// sealed in `folder` then; where it was it still is, see [`Arriving::leave`]. Blocks as long as copying it takes.
    pub(crate) fn all(
        attachments: Vec<Attachment>,
        folder: &Path,
        cancel: &Cancel,
    ) -> Result<Vec<Arriving>, CoreError> {
        attachments.iter().try_for_each(|one| one.check().and_then(|()| is_there(&one.path)))?;
        let mut planned = Vec::new();
        for attachment in attachments {
            match Arriving::new(attachment, folder, cancel) {
                Ok(one) => planned.push(one),
                Err(e) => {
                    planned.iter().for_each(|one: &Arriving| one.planned.remove(folder));
                    return Err(if cancel.is_cancelled() { CoreError::Cancelled } else { e });
                }
            }
        }
        if planned.iter().any(|one| one.handed_over.is_some()) {
            // The names, too, outlive a loss of power.
            [Some(folder), folder.parent()]
                .into_iter()
                .flatten()
                .try_for_each(|f| File::open(f)?.sync_all())?;
        }
        Ok(planned)
    }

    fn own_place(&self, folder: &Path) -> PathBuf {
        folder.join(self.id.to_string())
    }

    /// Removes what lies in the core's folder of it.
    pub(crate) fn remove(&self, folder: &Path) {
        if let Place::Ours(_) = self.source.original {
            let _ = std::fs::remove_file(self.own_place(folder));
        }
    }

    /// What to make it of; none when that is gone.
    pub(crate) fn original(&self, folder: &Path) -> io::Result<Option<Original<'_>>> {
        match &self.source.original {
            Place::Theirs(path) => Original::find(path.clone(), None),
            Place::Ours(key) => Original::find(self.own_place(folder), Some(key)),
        }
    }
}

fn is_there(path: &Path) -> Result<(), CoreError> {
    let is_file = std::fs::metadata(path)?.is_file() && path.to_str().is_some();
    if is_file { Ok(()) } else { Err(CoreError::invalid("attachments")) }
}

/// A file on its way in.
pub(crate) struct Arriving {
    pub(crate) planned: Planned,
    /// Where it was, when it was handed over.
    handed_over: Option<PathBuf>,
}

impl Arriving {
    fn new(attachment: Attachment, folder: &Path, cancel: &Cancel) -> Result<Self, CoreError> {
        let Attachment { kind, path, description, marks, pixels, sound, hand_over } = attachment;
        let kept = |mark: Mark| KeptMark {
            ellipse: mark.shape == Shape::Ellipse,
            blur: mark.cover == Cover::Blur,
            frame: [mark.left, mark.top, mark.width, mark.height],
        };
        let marks = marks.into_iter().map(kept).collect();
        let id = MediaId::new();
        let (original, handed_over) = if hand_over {
            let key = Key::new();
            std::fs::create_dir_all(folder)?;
            key.seal(&mut Until(File::open(&path)?, cancel), &folder.join(id.to_string()))?;
            (Place::Ours(key), Some(path))
        } else {
            (Place::Theirs(path), None)
        };
        let source = Source { original, marks, pixels, sound, ..Source::default() };
        Ok(Self { planned: Planned { id, kind, description, source }, handed_over })
    }

    /// The post is kept: what was handed over goes from where it was.
    pub(crate) fn leave(&self) {
        if let Some(path) = &self.handed_over {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A file that is read no further when somebody asks to stop.
struct Until<'a>(File, &'a Cancel);

impl io::Read for Until<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.1.is_cancelled() { Err(io::ErrorKind::Other.into()) } else { self.0.read(to) }
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

/// What a failure to make a file says of the file itself; none for what may be different the next time.
pub(crate) fn is_the_files_fault(e: &MediaError) -> bool {
    !matches!(e, MediaError::Cancelled | MediaError::StorageFull | MediaError::Io(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use renraku_media::video::Recording as _;
    use std::io::Read as _;

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
        let own = folder.path().join("own");
        let arriving = Planned::all(vec![asked], &own, &Cancel::new()).unwrap().remove(0);
        assert!(path.exists(), "until the post is kept");
        arriving.leave();
        assert!(!path.exists());
        let source = serde_json::from_str(&serde_json::to_string(&arriving.planned.source).unwrap()).unwrap();
        let again = Planned { source, ..arriving.planned };
        assert_eq!((again.source.marks(), again.source.sound), (vec![mark], true));
        let read = |planned: &Planned| {
            let mut bytes = Vec::new();
            planned.original(&own).unwrap()?.open().unwrap().read_to_end(&mut bytes).unwrap();
            Some(bytes)
        };
        assert_eq!(read(&again).unwrap(), b"bytes");
        assert!(!std::fs::read(again.own_place(&own)).unwrap().windows(5).any(|w| w == b"bytes"), "sealed");
        sweep(&own, &[again.id]).unwrap();
        assert_eq!(read(&again).unwrap(), b"bytes");
        sweep(&own, &[]).unwrap();
        assert!(read(&again).is_none());
    }

    #[test]
    fn all_are_planned_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("own");
        let photo = |name: &str| {
            let photo = Attachment::new(MediaKind::Photo, folder.path().join(name), String::new());
            Attachment { hand_over: true, ..photo }
        };
        std::fs::write(folder.path().join("one"), b"1").unwrap();
        assert!(Planned::all(vec![photo("one"), photo("none")], &own, &Cancel::new()).is_err());
        let cancel = Cancel::new();
        cancel.cancel();
        let stopped = Planned::all(vec![photo("one")], &own, &cancel).map(drop);
        assert_eq!(stopped, Err(CoreError::Cancelled));
        assert_eq!(std::fs::read_dir(&own).unwrap().count(), 0);
        assert!(folder.path().join("one").exists());
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
