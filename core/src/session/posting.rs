//! Sending: composing into the outbox, the outbox itself, receipts, documents.

use super::Session;
use crate::compose::{Attachment, Progress, prepare};
use crate::error::CoreError;
use crate::outbox::{FlushReport, Item, Owner, Source, Text, flush, upload};
use crate::runtime::block;
use crate::store::{cache, outbox, receipts};
use crate::{Cancel, clock};
use renraku_wire::limits;
use renraku_wire::{Code, MediaId, MediaKind, NewMedia, NewReceipt, PatientId, PostId};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;

/// A post as the person made it.
#[derive(Clone, Debug)]
pub struct Draft {
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
    /// Prepares the files and puts everything into the outbox. Needs no network. When it returns, the post is
    /// on the disk, sealed, and survives a kill; the originals are no longer needed. Takes seconds for a film:
    /// `cancel` stops it with nothing kept.
    ///
    /// # Errors
    /// `Invalid` for an empty post or too long a text, `TooLarge`, `Media`, `Storage`.
    pub async fn compose(
        &self,
        draft: Draft,
        cancel: Cancel,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<PostId, CoreError> {
        let Draft { patient_id, text, attachments, keep_as_draft } = draft;
        check(&text, attachments.len())?;
        if attachments.iter().any(|a| a.kind == MediaKind::Document) {
            return Err(CoreError::invalid("attachments"));
        }
        let (policy, work) = (self.policy().clone(), self.desk.work.clone());
        let mut stop = StopOnDrop(Some(cancel.clone()));
        let files =
            block(move || prepare(&attachments, &policy, &work, progress.as_deref(), &cancel)).await??;
        stop.0 = None;
        let id = PostId::new();
        let insert = self.desk.store.write(move |tx| {
            let now = clock::now();
            outbox::insert(tx, id, patient_id, &text, keep_as_draft, &files, now)?;
            for file in &files {
                if let Some(thumbnail) = &file.thumbnail {
                    cache::put_picture(tx, file.media.id, true, thumbnail, now)?;
                }
            }
            Ok(())
        });
        insert.await?;
        Ok(id)
    }

    /// Everything in the outbox, in the order of sending. What was sent stays listed for a day.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn outbox(&self) -> Result<Vec<Item>, CoreError> {
        Ok(self.desk.store.read(outbox::list).await?)
    }

    /// Changes the text of a post that is a draft, waits or failed.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when the server may already have it, `Invalid`, `Storage`.
    pub async fn edit(&self, id: PostId, text: Text) -> Result<(), CoreError> {
        let item = self.change(move |tx| outbox::get(tx, id)).await?;
        check(&text, item.media.len())?;
        self.change(move |tx| outbox::edit(tx, id, &text, clock::now())).await
    }

    /// Lets a draft go, or tries a failed post again. It leaves with the next [`Session::flush`].
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it is on its way or sent, `Storage`.
    pub async fn release(&self, id: PostId) -> Result<(), CoreError> {
        self.change(move |tx| outbox::release(tx, id)).await
    }

    /// Takes a post back that is a draft, waits or failed. It and its files are gone.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when the server may already have it, `Storage`.
    pub async fn cancel(&self, id: PostId) -> Result<(), CoreError> {
        self.change(move |tx| outbox::cancel(tx, id)).await
    }

    async fn change<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut diesel::SqliteConnection) -> Result<R, crate::outbox::ItemError> + Send + 'static,
    ) -> Result<R, CoreError> {
        let done = self.desk.store.write(move |tx| Ok(work(tx)));
        Ok(done.await??)
    }

    /// One pass over what waits: receipts, texts in order per patient, then files. Only one runs at a time;
    /// a second call waits for the first. With `now`, also what is not due yet. Not being reached is no error:
    /// the report tells.
    ///
    /// # Errors
    /// `SignedOut` or `Certificate` when nothing can be sent until the person acts, `Storage`.
    pub async fn flush(&self, now: bool) -> Result<FlushReport, CoreError> {
        let _sending = self.desk.sending.lock().await;
        Ok(flush(&self.care, &self.desk.store, now).await?)
    }

    /// Notes that the person saw a post now. Kept until the server has it.
    ///
    /// # Errors
    /// `Storage`; `SignedOut` or `Certificate` when the server refuses the session (the note is kept).
    pub async fn mark_read(&self, id: PostId) -> Result<(), CoreError> {
        self.receipt(id, None).await
    }

    /// Presses 👍, or takes it back. Counts as reading too. Kept until the server has it.
    ///
    /// # Errors
    /// As [`Session::mark_read`].
    pub async fn acknowledge(&self, id: PostId, on: bool) -> Result<(), CoreError> {
        self.receipt(id, Some(on)).await
    }

    async fn receipt(&self, id: PostId, acknowledged: Option<bool>) -> Result<(), CoreError> {
        let noted = self.desk.store.write(move |tx| {
            receipts::put(tx, id, NewReceipt { read_at: clock::now(), acknowledged })?;
            if let Some(mut post) = cache::post(tx, id)? {
                post.read = true;
                post.acknowledged = acknowledged.unwrap_or(post.acknowledged);
                cache::put_posts(tx, &[post])?;
            }
            Ok(())
        });
        noted.await?;
        let _sending = self.desk.sending.lock().await;
        Ok(crate::outbox::flush_receipts(&self.care, &self.desk.store).await?)
    }

    /// Uploads a document (PDF, JPEG or PNG) at once, for a consent. Only with the server.
    ///
    /// # Errors
    /// `Offline`, `TooLarge`, `Media`, `Storage` when the file cannot be read, `SignedOut`, `Certificate`.
    pub async fn upload_document(&self, path: &Path, description: &str) -> Result<MediaId, CoreError> {
        let path = path.to_path_buf();
        let bytes = block(move || {
            if std::fs::metadata(&path)?.len() > limits::DOCUMENT_BYTES {
                return Ok(None);
            }
            std::fs::read(&path).map(Some)
        });
        let bytes = bytes.await??.ok_or(CoreError::TooLarge { code: Code::MediaTooLarge })?;
        let media = NewMedia {
            id: MediaId::new(),
            kind: MediaKind::Document,
            length: bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(&bytes)),
            description: description.to_owned(),
        };
        self.care.announce(&media).await?;
        let source = Source::Bytes(bytes.into());
        upload(&self.care, &Owner::Document(&media), media.id, media.length, &source).await?;
        Ok(media.id)
    }
}

fn check(text: &Text, files: usize) -> Result<(), CoreError> {
    let empty = text.body.trim().is_empty() && files == 0;
    if empty || text.body.chars().count() > limits::POST_CHARS {
        return Err(CoreError::invalid("body"));
    }
    if files > limits::POST_MEDIA {
        return Err(CoreError::TooLarge { code: Code::MediaTooLarge });
    }
    Ok(())
}

/// A caller who goes away does not want the film any more.
struct StopOnDrop(Option<Cancel>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(cancel) = &self.0 {
            cancel.cancel();
        }
    }
}
