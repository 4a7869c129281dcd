//! One file to the server, from wherever the server is. After a cut at most the chunk that was on its way
//! is sent again. Not here: which file, and when to give up for good.

use crate::api::{ApiError, Care};
use crate::store::{Store, StoreError, chunks, files};
use bytes::Bytes;
use renraku_wire::limits::DEVICE_CHUNK_BYTES;
use renraku_wire::{Code, MediaId, MediaState, NewMedia, PostId};
use std::time::Duration;

/// Cuts in a row, without a byte gained, before the file waits for a better moment.
const CUTS: u32 = 3;

/// Where the bytes come from.
pub(crate) enum Source<'a> {
    /// The sealed store.
    Store(&'a Store),
    /// Memory.
    Bytes(Bytes),
}

/// Who announced the file.
pub(crate) enum Owner<'a> {
    /// A post.
    Post(PostId),
    /// The file itself.
    Document(&'a NewMedia),
}

/// Why the file is not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    /// The way, or the server.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server took the bytes and refused what they are.
    #[error("the file was refused")]
    Refused(Code),
}

/// A file on its way, one exchange at a time, so that something else may go in between.
pub(crate) struct Upload<'a> {
    care: &'a Care,
    owner: Owner<'a>,
    media: MediaId,
    length: u64,
    source: Source<'a>,
    /// Where the server is, if it is known.
    offset: Option<u64>,
    cuts: u32,
}

impl<'a> Upload<'a> {
    pub(crate) fn new(
        care: &'a Care,
        owner: Owner<'a>,
        media: MediaId,
        length: u64,
        source: Source<'a>,
    ) -> Self {
        Self { care, owner, media, length, source, offset: None, cuts: 0 }
    }

    /// Sends what the server has not got yet. Returns when the server has checked and kept the file.
    pub(crate) async fn whole(mut self) -> Result<(), UploadError> {
        while !self.go_on().await? {}
        Ok(())
    }

    /// One exchange, or the short rest after a cut. True when the server has checked and kept the file.
    pub(crate) async fn go_on(&mut self) -> Result<bool, UploadError> {
        match self.step().await {
            Ok(Some(next)) => {
                // Knowing where the server is gains no byte.
                if self.offset.is_some() {
                    self.cuts = 0;
                }
                self.offset = Some(next);
                Ok(false)
            }
            Ok(None) => Ok(true),
            Err(UploadError::Api(e)) if self.cuts < CUTS && worth_another_look(&e) => {
                self.cuts += 1;
                self.offset = None;
                tokio::time::sleep(Duration::from_millis(200) * self.cuts).await;
                Ok(false)
            }
            Err(e) => Err(e),
        }
    }

    /// Asks for the offset, or sends the chunk at it. Gives the next offset, or none at the end.
    async fn step(&self) -> Result<Option<u64>, UploadError> {
        let (care, media, length) = (self.care, self.media, self.length);
        let Some(offset) = self.offset else {
            let at = care.upload_offset(media).await?;
            if at.length != length {
                return Err(ApiError::Nonsense("the upload's length").into());
            }
            if at.offset == length {
                return verdict(care, &self.owner, media, length).await;
            }
            // What arrived although its answer was lost counts too.
            self.gained(at.offset).await?;
            return Ok(Some(at.offset));
        };
        let chunk = chunk(&self.source, media, offset).await?;
        // All of a chunk or nothing: any other number is of another file, or nobody's.
        let all = offset + chunk.len() as u64;
        let next = care.upload_chunk(media, offset, chunk).await?;
        if next != all || next > length || next == offset {
            return Err(ApiError::Nonsense("the upload's offset").into());
        }
        if next == length {
            return Ok(None);
        }
        self.gained(next).await?;
        Ok(Some(next))
    }

    async fn gained(&self, offset: u64) -> Result<(), StoreError> {
        let (media, Source::Store(store)) = (self.media, &self.source) else { return Ok(()) };
        store.write(move |tx| files::uploaded(tx, media, offset)).await
    }
}

/// Every byte is there, but the answer to the last one was lost: asks what became of them.
async fn verdict(
    care: &Care,
    owner: &Owner<'_>,
    media: MediaId,
    length: u64,
) -> Result<Option<u64>, UploadError> {
    let state = match owner {
        Owner::Post(post) => {
            let found = care.post_by_id(*post).await?;
            if found.id != *post {
                return Err(ApiError::Nonsense("another post").into());
            }
            found.media.iter().find(|m| m.id == media).map_or(MediaState::Refused, |m| m.state)
        }
        Owner::Document(document) => {
            let status = care.announce(document).await?;
            if status.id != media {
                return Err(ApiError::Nonsense("another file").into());
            }
            status.state
        }
    };
    match state {
        MediaState::Ready => Ok(None),
        // Of a newer server: whether it keeps the file is not said. The bytes here stay until it is.
        MediaState::Unknown => Err(ApiError::Nonsense("the file's state").into()),
        MediaState::Refused => Err(UploadError::Refused(Code::MediaUnreadable)),
        MediaState::Pending => {
            // The check itself was cut off: an empty chunk at the end asks for it again.
            let at = care.upload_chunk(media, length, Bytes::new()).await?;
            if at == length { Ok(None) } else { Err(ApiError::Nonsense("the upload's offset").into()) }
        }
    }
}

async fn chunk(source: &Source<'_>, media: MediaId, offset: u64) -> Result<Bytes, StoreError> {
    match source {
        Source::Store(store) => {
            store.read(move |connection| chunks::chunk(connection, media, offset)).await.map(Bytes::from)
        }
        Source::Bytes(bytes) => {
            let from = usize::try_from(offset).map_err(|_| StoreError::Record)?.min(bytes.len());
            let to = (from + DEVICE_CHUNK_BYTES).min(bytes.len());
            Ok(bytes.slice(from..to))
        }
    }
}

fn worth_another_look(e: &ApiError) -> bool {
    matches!(e, ApiError::Offline { sent: true }) || e.code() == Some(Code::OffsetConflict)
}
