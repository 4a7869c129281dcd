//! Sending: the outbox, receipts, documents. What comes into the outbox is in `composing`.

use super::Session;
use super::reading::told;
use crate::error::{CoreError, StorageTrouble};
use crate::outbox::{
    FlushError, FlushReport, Item, Owner, Source, Text, Upload, flush, flush_receipts, standing,
};
use crate::runtime::block;
use crate::store::{StoreError, cache, outbox, receipts};
use renraku_wire::limits;
use renraku_wire::text::{is_line_or_empty, is_text};
use renraku_wire::{Code, DevicePolicy, MediaId, MediaKind, NewMedia, NewReceipt, PostId};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Session {
    /// Everything in the outbox, in the order of sending. What was sent stays listed for a day. Where every
    /// item stands is always told; once the lease is over (or the clock set back) or the server ended the session,
    /// what was written is not: texts and descriptions are empty until the server is reached, or the person has
    /// signed in again.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn outbox(&self) -> Result<Vec<Item>, CoreError> {
        let (now, hours) = (self.now(), self.policy.offline_lease_hours);
        let store = self.desk.store.clone();
        let read = self.desk.store.read(move |c| Ok((outbox::list(c)?, told(&store, c, now, hours)?)));
        let (mut items, told) = read.await?;
        if told.is_err() {
            for item in &mut items {
                item.body.clear();
                item.body_site = None;
                item.media.iter_mut().for_each(|m| m.description.clear());
            }
        }
        Ok(items)
    }

    /// Waits until something in the outbox or the store may have changed since the last call that gave `seen`
    /// (0 at first), and gives what to pass next. However much changes, it tells at most ten times a second;
    /// when nothing does, it gives `seen` again after `patience` (at most a minute). So a screen needs no timer,
    /// and nobody needs to stop the wait.
    ///
    /// # Errors
    /// `Storage` with `Locked` when the store was closed.
    pub async fn outbox_changed(&self, seen: u64, patience: Duration) -> Result<u64, CoreError> {
        let mut changes = self.desk.store.changes();
        let patience = patience.min(Duration::from_secs(60));
        // The number that is seen first is one more than what was written: 0 is always news.
        let news =
            tokio::time::timeout(patience, async { changes.wait_for(|n| n + 1 != seen).await.is_ok() });
        let news = news.await.unwrap_or(false);
        if self.desk.store.is_closed() {
            return Err(CoreError::storage(StorageTrouble::Locked));
        }
        if !news {
            return Ok(seen);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = *changes.borrow();
        Ok(now + 1)
    }

    /// Changes the text of a post that is a draft, waits or failed. One that failed after a try whose answer was lost
    /// may be with the server all the same; changed, it is refused there as another post of that id.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when the server may already have it, `Invalid` as [`Session::compose`], `Storage`,
    /// `SignedOut`: where [`Session::outbox`] does not tell what was written, nobody may write over it.
    pub async fn edit(&self, id: PostId, text: Text) -> Result<(), CoreError> {
        let (now, hours) = (self.now(), self.policy.offline_lease_hours);
        let store = self.desk.store.clone();
        self.desk.store.read(move |c| told(&store, c, now, hours)).await??;
        let item = self.change(move |tx| outbox::get(tx, id)).await?;
        check(&text, item.media.len(), &self.policy)?;
        let now = self.now();
        self.change(move |tx| outbox::edit(tx, id, &text, now)).await
    }

    /// Lets a draft go, or tries a failed post again. It leaves with the next [`Session::flush`].
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it is on its way or sent, `Storage`.
    pub async fn release(&self, id: PostId) -> Result<(), CoreError> {
        self.change(move |tx| outbox::release(tx, id)).await
    }

    /// Takes a post back that is a draft, waits or failed. It and its files are gone, those handed over too, and
    /// what is being made of them stops.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when the server may already have it, `Storage`.
    pub async fn cancel(&self, id: PostId) -> Result<(), CoreError> {
        let taken_back = self.change(move |tx| {
            outbox::cancel(tx, id)?;
            Ok(cache::drop_pictures(tx)?)
        });
        taken_back.await?;
        self.desk.stop_making(id);
        // What cannot be removed now goes with the next preparation.
        let _ = self.desk.sweep().await;
        Ok(())
    }

    async fn change<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut diesel::SqliteConnection) -> Result<R, crate::outbox::ItemError> + Send + 'static,
    ) -> Result<R, CoreError> {
        let done = self.desk.store.write(move |tx| Ok(work(tx)));
        Ok(done.await??)
    }

    /// One pass over what waits: receipts, texts in order per patient, then files. Texts and receipts that come
    /// in meanwhile are taken along before the next part of a file. Only one runs at a time;
    /// a second call waits for the first. With `now`, also what is not due yet. Not being reached is no error:
    /// the report tells. A caller who goes away meanwhile loses at most the chunk on its way: what was begun is taken up
    /// by the next pass. A full device still sends: some room is kept for that.
    ///
    /// # Errors
    /// `SignedOut` or `Certificate` when nothing can be sent until the person acts, `Storage`.
    pub async fn flush(&self, now: bool) -> Result<FlushReport, CoreError> {
        self.leaving.tell_soon(&self.care);
        let sending = self.desk.sending.lock().await;
        let mut done = flush(&self.care, &self.desk, now).await;
        let store = self.desk.store.clone();
        if matches!(done, Err(FlushError::Store(StoreError::Full))) && block(move || store.use_room()).await?
        {
            // What is sent gives back room, too.
            done = flush(&self.care, &self.desk, now).await;
        }
        let mut report = done?;
        drop(sending);
        let store = self.desk.store.clone();
        block(move || store.keep_room()).await?;
        if self.send_notes().await? {
            report.next_try_at = standing(&self.desk).await?.next_try_at;
        }
        Ok(report)
    }

    /// Notes that the person saw a post now. Kept until the server has it; a pass that is under way takes it along.
    ///
    /// # Errors
    /// `Storage`; `SignedOut` or `Certificate` when the server refuses the session (the note is kept).
    pub async fn mark_read(&self, id: PostId) -> Result<(), CoreError> {
        self.receipt(id, None).await
    }

    /// Presses 👍, or takes it back. Counts as reading too. Kept until the server has it.
    ///
    /// # Errors
    /// As [`Session::mark_read`]; `Invalid` (`acknowledged`) in a town that has no 👍, where one may only be taken
    /// back.
    pub async fn acknowledge(&self, id: PostId, on: bool) -> Result<(), CoreError> {
        if on && !self.policy.thumbs_ack {
            return Err(CoreError::invalid("acknowledged"));
        }
        self.receipt(id, Some(on)).await
    }

    async fn receipt(&self, id: PostId, acknowledged: Option<bool>) -> Result<(), CoreError> {
        let now = self.now();
        let noted = self.desk.store.write(move |tx| {
            receipts::put(tx, id, NewReceipt { read_at: now, acknowledged })?;
            if let Some((mut post, fetched)) = cache::post(tx, id)? {
                post.read = true;
                post.acknowledged = acknowledged.unwrap_or(post.acknowledged);
                cache::put_posts(tx, &[post], fetched)?;
            }
            Ok(())
        });
        noted.await?;
        self.desk.noted.store(true, Ordering::SeqCst);
        self.send_notes().await.map(drop)
    }

    /// Sends the receipts that were noted, unless something is being sent: whoever holds the line looks here
    /// after letting go of it, so none is forgotten. True when there was something to look for.
    async fn send_notes(&self) -> Result<bool, CoreError> {
        let mut looked = false;
        while self.desk.noted.load(Ordering::SeqCst) {
            let Ok(_sending) = self.desk.sending.try_lock() else { break };
            self.desk.noted.store(false, Ordering::SeqCst);
            flush_receipts(&self.care, &self.desk).await?;
            looked = true;
        }
        Ok(looked)
    }

    /// Uploads a document (PDF, JPEG or PNG) at once, for a consent. Only with the server.
    ///
    /// # Errors
    /// `Offline`, `Media`, `Invalid` for a description of more than a line, `Storage` when the file cannot be read,
    /// `SignedOut`, `Certificate`.
    pub async fn upload_document(&self, path: &Path, description: &str) -> Result<MediaId, CoreError> {
        if !is_line_or_empty(description) {
            return Err(CoreError::invalid("description"));
        }
        let path = path.to_path_buf();
        let bytes = block(move || {
            if std::fs::metadata(&path)?.len() > limits::DOCUMENT_BYTES {
                return Ok(None);
            }
            std::fs::read(&path).map(Some)
        });
        let bytes = bytes.await??.ok_or(CoreError::Media { code: Code::MediaTooLarge })?;
        let media = NewMedia {
            id: MediaId::new(),
            kind: MediaKind::Document,
            length: bytes.len() as u64,
            sha256: hex::encode(Sha256::digest(&bytes)),
            description: description.to_owned(),
        };
        self.care.announce(&media).await?;
        let source = Source::Bytes(bytes.into());
        Upload::new(&self.care, Owner::Document(&media), media.id, media.length, source).whole().await?;
        Ok(media.id)
    }
}

/// By the server's own rules: what it would refuse for good is told before it is kept.
pub(super) fn check(text: &Text, files: usize, policy: &DevicePolicy) -> Result<(), CoreError> {
    if !is_text(&text.body, usize::from(files == 0), limits::POST_CHARS) {
        return Err(CoreError::invalid("body"));
    }
    if text.urgent && !policy.urgent_flag {
        return Err(CoreError::invalid("urgent"));
    }
    if files > limits::POST_MEDIA {
        return Err(CoreError::Media { code: Code::MediaTooLarge });
    }
    Ok(())
}
