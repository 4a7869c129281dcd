//! Writing: a post goes into the outbox as it is, at once and durable; then its files are made small and sealed, one
//! after the other, as often as it takes. Not here: the making itself (compose), and sending (posting).

use super::{Desk, Session, posting};
use crate::Cancel;
use crate::compose::{
    Arriving, Attachment, Original, Planned, Prepared, Progress, Told, is_the_files_fault, make, sweep,
};
use crate::error::StorageTrouble::{Full, Locked};
use crate::error::{CoreError, Fault};
use crate::outbox::Text;
use crate::runtime::{RunError, asked, block, unless_cancelled};
use crate::store::files::{self, Work};
use crate::store::{Store, chunks, outbox};
use renraku_media::MediaError;
use renraku_wire::text::is_line_or_empty;
use renraku_wire::{Code, DevicePolicy, MediaId, PatientId, PostId, Timestamp};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// How long a call that was asked to stop waits for the work to stop by itself.
const GRACE: Duration = Duration::from_millis(100);

/// A post as the person made it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The post's id, made by the caller so that the same post is not kept twice; none to have one made.
    pub id: Option<PostId>,
    /// Whom it is about.
    pub patient_id: PatientId,
    /// The text part.
    pub text: Text,
    /// Pictures and films, as the camera wrote them.
    pub attachments: Vec<Attachment>,
    /// True to keep it as a draft (下書き), false to let it wait for sending.
    pub keep_as_draft: bool,
}

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
    /// Puts a post into the outbox, with what its files are to be made of. Needs no network; milliseconds, and as
    /// long as copying takes what is handed over. When it returns, the post and what was handed over are on the disk,
    /// sealed, and survive a kill at any instant; where that was, it is no more. The text may leave from now
    /// on; the files follow when [`Session::prepare`] made them, which comes next. A caller who goes away meanwhile
    /// finds the post in the outbox, or what they had where it was. A draft with the id of a post in the outbox is
    /// that post: nothing is done.
    ///
    /// # Errors
    /// `Invalid` for an empty post, too long a text or control characters in it (`body`), for 緊急 in a town that has
    /// no such mark (`urgent`), for a file's `description` of more than a line, for a mark that is no area of a photo
    /// or a mark on a film (`mark_invalid`); `Media` for too many files; `Storage`, with `File` for a file that is not there.
    pub async fn compose(&self, draft: Draft) -> Result<PostId, CoreError> {
        self.compose_until(draft, &Cancel::new()).await
    }

    /// The same; `cancel` stops it while it copies what is handed over, and nothing is kept then.
    ///
    /// # Errors
    /// `Cancelled`, and as [`Session::compose`].
    pub async fn compose_until(&self, draft: Draft, cancel: &Cancel) -> Result<PostId, CoreError> {
        let Draft { id, patient_id, text, attachments, keep_as_draft } = draft;
        posting::check(&text, attachments.len(), self.policy())?;
        if !attachments.iter().all(|one| is_line_or_empty(&one.description)) {
            return Err(CoreError::invalid("description"));
        }
        // One after the other, and nobody takes what comes in for what nobody wants.
        let door = unless_cancelled(self.desk.arriving.clone().lock_owned(), cancel).await;
        let door = door.ok_or(CoreError::Cancelled)?;
        let (store, sources) = (self.desk.store.clone(), self.desk.sources.clone());
        let (id, now) = (id.unwrap_or_else(PostId::new), self.now());
        let stop = StopOnDrop(Cancel::new());
        let own = stop.0.clone();
        // Once it is begun it comes to an end, whoever goes away: kept and taken, or neither.
        let composing = block(move || {
            let _door = door;
            // Its files were handed over with it.
            if store.read_here(|c| outbox::is_there(c, id))? {
                return Ok(id);
            }
            let arriving = Planned::all(attachments, &sources, &own)?;
            let plans = arriving.iter().map(|one| &one.planned);
            let kept = match own.is_cancelled() {
                true => Err(CoreError::Cancelled),
                false => store
                    .write_here(|tx| outbox::insert(tx, id, patient_id, &text, keep_as_draft, plans, now))
                    .map_err(CoreError::from),
            };
            match kept {
                Ok(()) => arriving.iter().for_each(Arriving::leave),
                Err(_) => arriving.iter().for_each(|one| one.planned.remove(&sources)),
            }
            kept.map(|()| id)
        });
        tokio::pin!(composing);
        tokio::select! {
            done = &mut composing => done?,
            () = asked(cancel) => {
                stop.0.cancel();
                composing.await?
            }
        }
    }

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
        Fault::File(e) => matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded),
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

/// A caller who goes away does not want the film any more.
struct StopOnDrop(Cancel);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
