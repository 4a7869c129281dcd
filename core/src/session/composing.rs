//! Writing: a post goes into the outbox as it is, at once and durable. Not here: making its files (making), and sending
//! (posting).

use super::{Session, StopOnDrop, posting};
use crate::Cancel;
use crate::compose::{Arriving, Attachment, Planned};
use crate::error::CoreError;
use crate::outbox::{Item, Text};
use crate::runtime::{asked, block, unless_cancelled};
use crate::store::{Store, cache, files, outbox};
use renraku_wire::text::is_line_or_empty;
use renraku_wire::{Code, PatientId, PostId};
use std::path::{Path, PathBuf};

/// A post as the person made it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The post's id, made by the caller so that the same post is not kept twice, and its draft can be replaced; none
    /// to have one made.
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

impl Session {
    /// Puts a post into the outbox, with what its files are to be made of. Needs no network; milliseconds, and as
    /// long as copying takes what is handed over. When it returns, the post and what was handed over are on the disk,
    /// sealed, and survive a kill at any instant; where that was, it is no more. The text may leave from now
    /// on; the files follow when [`Session::prepare`] made them, which comes next. A caller who goes away meanwhile
    /// finds the post in the outbox, or what they had where it was.
    ///
    /// What is still a draft in the outbox gives place to a post of the same id, and its files to that one's: what was
    /// handed over with the draft is gone with it, so hand a second name of a file over that is to be used again. Any
    /// other post of that id is this one, tapped twice: it stays as it is, and what was handed over with it goes.
    ///
    /// # Errors
    /// `Invalid` for an empty post, too long a text or control characters in it (`body`), for 緊急 in a town that has
    /// no such mark (`urgent`), for a file's `description` of more than a line, for a mark that is no area of a photo
    /// or a mark on a film (`mark_invalid`); `Media` for too many files; `Conflict` for the id of a post with other
    /// files, or of a draft that was let go meanwhile; `Storage`, with `File` for a file that is not there.
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
            let before = store.read_here(|c| outbox::is_draft(c, id))?;
            if before == Some(false) {
                take_away(&store, id, &attachments)?;
                return Ok(before);
            }
            if before == Some(true) && is_taken(&store, id, &text, &attachments)? {
                if !keep_as_draft {
                    store.write_here(|tx| Ok(outbox::release(tx, id)))??;
                }
                return Ok(None);
            }
            let arriving = Planned::all(attachments, &sources, &own)?;
            let plans = arriving.iter().map(|one| &one.planned);
            let kept = match own.is_cancelled() {
                true => Err(CoreError::Cancelled),
                false => store
                    .write_here(|tx| {
                        let kept = outbox::put(tx, id, patient_id, &text, keep_as_draft, plans, now)?;
                        cache::drop_pictures(tx).map(|()| kept)
                    })
                    .map_err(CoreError::from),
            };
            match kept {
                Ok(true) => arriving.iter().for_each(Arriving::leave),
                Ok(false) | Err(_) => arriving.iter().for_each(|one| one.planned.remove(&sources)),
            }
            // Somebody let the draft go meanwhile.
            let too_late = CoreError::Conflict { code: Code::StateConflict };
            if kept? { Ok(before) } else { Err(too_late) }
        });
        tokio::pin!(composing);
        let before = tokio::select! {
            done = &mut composing => done??,
            () = asked(cancel) => {
                stop.0.cancel();
                composing.await??
            }
        };
        if before == Some(true) {
            // What was made of it, or is being made, is nobody's; what cannot go now goes with the next preparation.
            self.desk.stop_making(id);
            let _ = self.desk.sweep().await;
        }
        Ok(id)
    }
}

/// What was handed over with a post that is in the outbox already goes, but for what that one is still to be made of
/// where it is. A kill may have come between keeping the post and this. Another post than that is none of it.
fn take_away(store: &Store, post: PostId, attachments: &[Attachment]) -> Result<(), CoreError> {
    let (kept, needed) = store.read_here(|c| Ok((outbox::get(c, post), files::elsewhere(c, post)?)))?;
    if !has_files(&kept?, attachments) {
        return Err(CoreError::Conflict { code: Code::StateConflict });
    }
    // However its name is written.
    let place = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let needed: Vec<PathBuf> = needed.iter().map(|path| place(path)).collect();
    for one in attachments.iter().filter(|one| one.hand_over && !needed.contains(&place(&one.path))) {
        let _ = std::fs::remove_file(&one.path);
    }
    Ok(())
}

/// Whether a draft is this one, tapped twice: its files were handed over, and are no more where they were.
fn is_taken(store: &Store, post: PostId, text: &Text, attachments: &[Attachment]) -> Result<bool, CoreError> {
    let is_gone = |one: &Attachment| one.hand_over && !one.path.exists();
    if attachments.is_empty() || !attachments.iter().all(is_gone) {
        return Ok(false);
    }
    let kept = store.read_here(|c| Ok(outbox::get(c, post)))??;
    let kept_text = Text { body: kept.body.clone(), urgent: kept.urgent, body_site: kept.body_site };
    Ok(kept_text == *text && has_files(&kept, attachments))
}

fn has_files(kept: &Item, attachments: &[Attachment]) -> bool {
    kept.media.iter().map(|one| one.kind).eq(attachments.iter().map(|one| one.kind))
}
