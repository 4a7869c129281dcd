//! Making: the files of what was composed are made small and sealed, one after the other, as often as it takes. Not
//! here: the making itself (compose), and what is to be made (composing).

use super::{Desk, Session, StopOnDrop};
use crate::Cancel;
use crate::compose::{Original, Planned, Prepared, Progress, Told, is_the_files_fault, make, sweep};
use crate::error::StorageTrouble::{Full, Locked};
use crate::error::{CoreError, Fault, is_full};
use crate::runtime::{RunError, asked, block, unless_cancelled};
use crate::store::files::{self, Work};
use crate::store::{Store, chunks};
use renraku_media::MediaError;
use renraku_wire::{Code, DevicePolicy, MediaId, PostId, Timestamp};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// How long a call that was asked to stop waits for the work to stop by itself.
const GRACE: Duration = Duration::from_millis(50);

/// What a preparation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrepareReport {
    /// Files made and sealed.
    pub made: u32,
    /// Files that cannot be made: the outbox says why.
    pub failed: u32,
}

/// What became of a file.
enum Made {
    Sealed,
    Failed,
    /// Its post was taken back meanwhile.
    Unwanted,
}

impl Session {
    /// Makes and seals the files of all posts that still want it, in the order of sending, one at a time. Call it
    /// after composing, and after taking up a session: what a kill broke off begins anew with that file. Needs no
    /// network; some tenths of a second a photo, up to a minute a film. Only one runs at a time; a second call
    /// waits for the first. A file that is gone or cannot be used is failed in the outbox, and the others go on.
    ///
    /// `cancel` ends the call within 200 ms: what was sealed stays, the rest waits for the next call, which waits
    /// in turn until the file that was under way has stopped.
    ///
    /// # Errors
    /// `Cancelled`, `Storage` when the device is full, the store locked, or a file cannot be read just now (`File`; the
    /// others go on): the rest waits.
    pub async fn prepare(
        &self,
        cancel: Cancel,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<PrepareReport, CoreError> {
        let turn = unless_cancelled(self.desk.preparing.clone().lock_owned(), &cancel).await;
        let turn = Arc::new(turn.ok_or(CoreError::Cancelled)?);
        self.desk.sweep().await?;
        let (mut report, mut told) = (PrepareReport::default(), Told::new(progress));
        let (mut number, mut passed_over, mut trouble) = (0, Vec::new(), None);
        loop {
            let skip = passed_over.clone();
            let Some((work, left)) = self.desk.store.read(move |c| files::next(c, &skip)).await? else {
                break;
            };
            if cancel.is_cancelled() {
                return Err(CoreError::Cancelled);
            }
            let id = work.planned.id;
            let place = (number, number + left, told);
            let (made, back) = self.desk.make(work, place, self.policy(), &cancel, turn.clone()).await?;
            told = back;
            number += 1;
            match made {
                Ok(Made::Sealed) => report.made += 1,
                Ok(Made::Failed) => report.failed += 1,
                Ok(Made::Unwanted) => {}
                Err(e @ (CoreError::Cancelled | CoreError::Storage { kind: Locked | Full })) => {
                    return Err(e);
                }
                // Perhaps the next time; the others need not wait for it.
                Err(e) => {
                    passed_over.push(id);
                    trouble.get_or_insert(e);
                }
            }
        }
        trouble.map_or(Ok(report), Err)
    }
}

impl Desk {
    /// Removes what was handed over and is not wanted any more: its post was taken back, or a kill left it.
    pub(super) async fn sweep(&self) -> Result<(), CoreError> {
        // While something comes in, the next time.
        let Ok(door) = self.arriving.clone().try_lock_owned() else { return Ok(()) };
        let sources = self.sources.clone();
        // Whoever still writes with another connection is waited for.
        let swept = self.store.write(move |c| {
            let _door = door;
            let unmade = files::unmade(c)?;
            Ok(sweep(&sources, &unmade))
        });
        Ok(swept.await??)
    }

    /// Stops what is being made of a post.
    pub(super) fn stop_making(&self, post: PostId) {
        let making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, stop)) = making.as_ref().filter(|(of, _)| *of == post) {
            stop.cancel();
        }
    }

    async fn make(
        &self,
        work: Work,
        (number, all, mut told): (usize, usize, Told),
        policy: &DevicePolicy,
        cancel: &Cancel,
        turn: Arc<OwnedMutexGuard<()>>,
    ) -> Result<(Result<Made, CoreError>, Told), CoreError> {
        let stop = StopOnDrop(Cancel::new());
        *self.making.lock().unwrap_or_else(PoisonError::into_inner) = Some((work.post, stop.0.clone()));
        let (store, clock, policy) = (self.store.clone(), self.clock.clone(), policy.clone());
        let (sources, own) = (self.sources.clone(), stop.0.clone());
        let (id, heard) = (work.planned.id, told.clone());
        let making = block(move || {
            // A caller who goes away does not end this at once, and nobody else makes the same file meanwhile.
            let _turn = turn;
            let mut tell = |part: f32| {
                // Who asked to stop was told that it is over.
                if !own.is_cancelled() {
                    told.tell(number, part, all);
                }
            };
            let made = made(&work, &store, &sources, &own, clock.now(), |original| {
                make(&work.planned, original, &policy, &mut tell, &own)
            });
            tell(1.0);
            (made, told)
        });
        tokio::pin!(making);
        let done = tokio::select! {
            done = &mut making => Some(done),
            () = asked(cancel) => {
                stop.0.cancel();
                // It looks at the flag now and then. Until it does it keeps its turn, and writes nothing any more.
                tokio::time::timeout(GRACE, &mut making).await.ok()
            }
        };
        *self.making.lock().unwrap_or_else(PoisonError::into_inner) = None;
        match done {
            None => Ok((Err(CoreError::Cancelled), heard)),
            Some(Err(e @ RunError::NoThreads)) => Err(e.into()),
            Some(Err(e @ RunError::BrokeOff)) => Ok((self.broke_off(id, e).await, heard)),
            Some(Ok((Err(Fault::Media(MediaError::Cancelled)), told))) if !cancel.is_cancelled() => {
                Ok((Ok(Made::Unwanted), told))
            }
            Some(Ok((done, told))) => Ok((done.map_err(CoreError::from), told)),
        }
    }

    /// A fault of ours, or of the shell's ear: the file waits for another try, and is none of the others' matter.
    async fn broke_off(&self, id: MediaId, why: RunError) -> Result<Made, CoreError> {
        let store = self.store.clone();
        block(move || later(&store, id, why.into())).await?.map_err(CoreError::from)
    }
}

/// Makes a file and seals it, or writes down why it cannot be. The try is on the disk before it is made. Blocks.
fn made(
    work: &Work,
    store: &Store,
    sources: &Path,
    stop: &Cancel,
    now: Timestamp,
    make: impl FnOnce(&Original<'_>) -> Result<Prepared, Fault>,
) -> Result<Made, Fault> {
    let id = work.planned.id;
    let before = match store.write_here(|tx| files::begin(tx, id, now))? {
        Some(Some(before)) => before,
        Some(None) => return never(store, id, Code::MediaUnreadable),
        None => return Ok(Made::Unwanted),
    };
    let made = tried(&work.planned, store, sources, stop, now, make);
    if made.as_ref().is_err_and(says_nothing) {
        // What cannot be taken back counts once an hour at most.
        let _ = store.write_here(|tx| files::take_back(tx, id, before));
    }
    made
}

fn tried(
    planned: &Planned,
    store: &Store,
    sources: &Path,
    stop: &Cancel,
    now: Timestamp,
    make: impl FnOnce(&Original<'_>) -> Result<Prepared, Fault>,
) -> Result<Made, Fault> {
    let verdict = match planned.original(sources).map_err(Fault::from) {
        Err(why) => Verdict::Later(why),
        Ok(None) => Verdict::Never(Code::MediaLost),
        Ok(Some(original)) => match make(&original) {
            Ok(prepared) => {
                let is_wanted = chunks::seal(store, &prepared, now, stop)?;
                planned.remove(sources);
                return Ok(if is_wanted { Made::Sealed } else { Made::Unwanted });
            }
            Err(why) => judge(why, &original),
        },
    };
    match verdict {
        Verdict::Stopped => Err(MediaError::Cancelled.into()),
        _ if stop.is_cancelled() => Err(MediaError::Cancelled.into()),
        Verdict::Never(code) => never(store, planned.id, code),
        Verdict::Later(why) if says_nothing(&why) => Err(why),
        Verdict::Later(why) => later(store, planned.id, why),
    }
}

fn never(store: &Store, id: MediaId, code: Code) -> Result<Made, Fault> {
    store.write_here(|tx| files::fail(tx, id, code))?;
    Ok(Made::Failed)
}

/// Another try, or none after the last one.
fn later(store: &Store, id: MediaId, why: Fault) -> Result<Made, Fault> {
    match store.write_here(|tx| files::may_try_again(tx, id))? {
        Some(true) => Err(why),
        Some(false) => never(store, id, Code::MediaUnreadable),
        None => Ok(Made::Unwanted),
    }
}

/// Whether a failure says nothing of the file: somebody asked to stop, the device is full, the store failed.
fn says_nothing(why: &Fault) -> bool {
    match why {
        Fault::Media(MediaError::Cancelled | MediaError::StorageFull) | Fault::Store(_) => true,
        Fault::File(e) => is_full(e),
        _ => false,
    }
}

/// What a failure to make a file means.
enum Verdict {
    /// Somebody asked to stop.
    Stopped,
    /// It is the file's own fault.
    Never(Code),
    /// It may be different the next time.
    Later(Fault),
}

fn judge(why: Fault, original: &Original<'_>) -> Verdict {
    match (why, original.trouble()) {
        (Fault::Media(MediaError::Cancelled), _) => Verdict::Stopped,
        // It is not what was sealed.
        (_, Some(ErrorKind::InvalidData)) => Verdict::Never(Code::MediaUnreadable),
        (_, Some(kind)) => Verdict::Later(Fault::File(kind.into())),
        (Fault::Media(MediaError::BadPixels), None) => Verdict::Never(Code::MediaUnreadable),
        (Fault::Media(e), None) if is_the_files_fault(&e) => {
            Verdict::Never(CoreError::from(Fault::Media(e)).code().unwrap_or(Code::MediaUnreadable))
        }
        (other, None) => Verdict::Later(other),
    }
}
