//! Writing: a post goes into the outbox as it is, at once and durable. Not here: making its files (making), and sending
//! (posting).

use super::{Session, StopOnDrop, posting};
use crate::Cancel;
use crate::compose::{Arriving, Attachment, Planned};
use crate::error::CoreError;
use crate::outbox::Text;
use crate::runtime::{asked, block, unless_cancelled};
use crate::store::{Store, StoreResult, cache, files, outbox};
use renraku_wire::text::is_line_or_empty;
use renraku_wire::{PatientId, PostId};
use std::path::PathBuf;

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
    /// What is still a draft in the outbox gives place to a post of the same id, with its files. Any other post of that
    /// id is this one, tapped twice: it stays as it is, and what was handed over with it goes.
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
            let before = store.read_here(|c| outbox::is_draft(c, id))?;
            if before == Some(false) {
                take_away(&store, id, &attachments)?;
                return Ok(before);
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
                // Somebody let the draft go meanwhile, or it could not be kept.
                Ok(false) | Err(_) => arriving.iter().for_each(|one| one.planned.remove(&sources)),
            }
            kept.map(|_| before)
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
/// where it is. A kill may have come between keeping the post and this.
fn take_away(store: &Store, post: PostId, attachments: &[Attachment]) -> StoreResult<()> {
    let needed: Vec<PathBuf> = store.read_here(|c| files::elsewhere(c, post))?;
    for one in attachments.iter().filter(|one| one.hand_over && !needed.contains(&one.path)) {
        let _ = std::fs::remove_file(&one.path);
    }
    Ok(())
}
