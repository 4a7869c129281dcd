//! One pass over everything that waits: receipts, then texts in order per patient, then files.
//!
//! Every step is in the store before and after it touches the network, so a kill at any instant leaves an item
//! that the next pass takes up. Not here: when to run a pass, which the shell knows.

use super::upload::{Owner, Source, UploadError, upload};
use super::{Item, ItemState, backoff};
use crate::api::{ApiError, Care};
use crate::clock::Clock;
use crate::session::Desk;
use crate::store::{Store, StoreError, cache, outbox, receipts, session};
use renraku_wire::{Code, PostId, Timestamp};
use std::collections::HashSet;
use std::time::Duration;

/// How long an item stays listed after it was sent.
const LISTED: Duration = Duration::from_secs(24 * 3600);

/// What a pass did, and what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlushReport {
    /// Items finished in this pass.
    pub sent: u32,
    /// Items refused for good in this pass.
    pub failed: u32,
    /// Items still to be sent, files included.
    pub remaining: u32,
    /// True when the pass ended because the server was not reached.
    pub offline: bool,
    /// When the next pass is worth while, if anything remains.
    pub next_try_at: Option<Timestamp>,
}

/// Why a pass broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FlushError {
    /// Nothing can be sent until the person or the office acts: signed out, certificate refused, key locked.
    #[error(transparent)]
    Api(ApiError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a failed call means for the pass.
enum Verdict {
    /// The server was not reached: the rest would not reach it either.
    Stop,
    /// This item later, the others now.
    Later(Option<Duration>),
    /// Never.
    Refused(Code),
    /// Nothing goes until somebody acts.
    Break,
}

fn judge(e: &ApiError) -> Verdict {
    match e {
        ApiError::Offline { .. } => Verdict::Stop,
        ApiError::ServerUntrusted { clock: false } => Verdict::Stop,
        ApiError::ServerUntrusted { clock: true } | ApiError::CertificateRefused(_) | ApiError::Key(_) => {
            Verdict::Break
        }
        ApiError::Nonsense(_) | ApiError::File => Verdict::Later(None),
        ApiError::Refused { problem, retry_after } => match (problem.code, problem.status) {
            (Code::PasswordChangeRequired, _) | (_, 401) => Verdict::Break,
            (Code::OffsetConflict | Code::BodyTruncated | Code::MediaPending, _) => Verdict::Later(None),
            (_, 408 | 429 | 500..) => Verdict::Later(*retry_after),
            (code, _) => Verdict::Refused(code),
        },
    }
}

/// Runs one pass. With `now`, items are tried before their time too.
pub(crate) async fn flush(care: &Care, desk: &Desk, now: bool) -> Result<FlushReport, FlushError> {
    let mut pass = Pass::new(care, desk, now);
    pass.run().await?;
    let left = standing(desk).await?;
    Ok(FlushReport { remaining: left.remaining, next_try_at: left.next_try_at, ..pass.report })
}

/// What is left, with nothing done.
pub(crate) async fn standing(desk: &Desk) -> Result<FlushReport, FlushError> {
    let oldest = Timestamp(desk.clock.now().0.saturating_sub(LISTED.as_millis() as i64));
    let items = desk
        .store
        .write(move |tx| {
            outbox::prune(tx, oldest)?;
            outbox::list(tx)
        })
        .await?;
    let left = items.iter().filter(|i| is_under_way(i));
    Ok(FlushReport {
        remaining: u32::try_from(left.clone().count()).unwrap_or(u32::MAX),
        next_try_at: left.map(|i| i.next_try_at).min(),
        ..FlushReport::default()
    })
}

/// Sends the receipts alone. Not being reached is no error: they are kept.
pub(crate) async fn flush_receipts(care: &Care, desk: &Desk) -> Result<(), FlushError> {
    Pass::new(care, desk, true).receipts().await
}

struct Pass<'a> {
    care: &'a Care,
    store: &'a Store,
    clock: &'a dyn Clock,
    now: bool,
    report: FlushReport,
}

impl<'a> Pass<'a> {
    fn new(care: &'a Care, desk: &'a Desk, now: bool) -> Self {
        let report = FlushReport::default();
        Self { care, store: &desk.store, clock: desk.clock.as_ref(), now, report }
    }

    async fn run(&mut self) -> Result<(), FlushError> {
        self.receipts().await?;
        let items = self.store.read(outbox::list).await?;
        let mut held = HashSet::new();
        for item in items.iter().filter(|i| !i.text_sent && is_under_way(i)) {
            if self.report.offline {
                return Ok(());
            }
            if held.contains(&item.patient_id) {
                continue;
            }
            if !self.is_due(item) || !self.text(item.id).await? {
                held.insert(item.patient_id);
            }
        }
        let items = self.store.read(outbox::list).await?;
        for item in items.iter().filter(|i| i.text_sent && is_under_way(i)) {
            if self.report.offline {
                return Ok(());
            }
            if self.is_due(item) {
                self.files(item).await?;
            }
        }
        Ok(())
    }

    fn is_due(&self, item: &Item) -> bool {
        self.now || item.next_try_at <= self.clock.now()
    }

    async fn receipts(&mut self) -> Result<(), FlushError> {
        for waiting in self.store.read(receipts::waiting).await? {
            let sent = self.care.put_receipt(waiting.post, &waiting.receipt).await;
            match sent.as_ref().map_err(judge) {
                // A post that is gone or hidden has no receipt to keep.
                Ok(()) | Err(Verdict::Refused(_)) => {
                    let (post, revision) = (waiting.post, waiting.revision);
                    self.store.write(move |tx| receipts::sent(tx, post, revision)).await?;
                }
                Err(Verdict::Later(_)) => {}
                Err(Verdict::Stop) => {
                    self.report.offline = true;
                    return Ok(());
                }
                Err(Verdict::Break) => return sent.map_err(FlushError::Api),
            }
        }
        Ok(())
    }

    /// Sends one text. False when the patient's later ones must wait for it.
    async fn text(&mut self, id: PostId) -> Result<bool, FlushError> {
        let item = self.store.read(move |c| Ok(outbox::get(c, id).ok())).await?;
        let Some(item) = item else { return Ok(true) };
        let Some(post) = self.store.write(move |tx| outbox::start(tx, id)).await? else { return Ok(true) };
        // What once may have arrived stays `sending`: a later refusal does not prove that it did not.
        let mut unsure = item.state == ItemState::Sending;
        let mut sent = self.care.post(item.patient_id, &post).await;
        if matches!(sent, Err(ApiError::Offline { sent: true })) {
            // A connection that died while nobody looked costs one more try, not a wait.
            unsure = true;
            sent = self.care.post(item.patient_id, &post).await;
        }
        let error = match sent {
            Ok(answer) => {
                let (complete, now) = (post.media.is_empty(), self.clock.now());
                self.store
                    .write(move |tx| {
                        outbox::text_sent(tx, id)?;
                        session::contact(tx, now)?;
                        if complete {
                            outbox::finish(tx, id, now)?;
                        }
                        cache::put_posts(tx, &[answer])
                    })
                    .await?;
                self.report.sent += u32::from(complete);
                return Ok(true);
            }
            Err(e) => e,
        };
        if self.store.is_closed() && error.code() == Some(Code::CertificateRevoked) {
            // Wiped: there is nothing to write it down in.
            return Err(FlushError::Api(error));
        }
        let not_taken = match &error {
            ApiError::Offline { sent } => !sent,
            ApiError::ServerUntrusted { .. } | ApiError::Key(_) | ApiError::CertificateRefused(_) => true,
            ApiError::Refused { problem, .. } => problem.status < 500 || problem.status == 503,
            ApiError::Nonsense(_) | ApiError::File => false,
        };
        if not_taken && !unsure {
            self.store.write(move |tx| outbox::back_to_waiting(tx, id)).await?;
        }
        self.settle(id, item.tries, error).await?;
        let found = self.store.read(move |c| Ok(outbox::get(c, id).ok())).await?;
        Ok(!found.is_some_and(|item| is_under_way(&item)))
    }

    async fn files(&mut self, item: &Item) -> Result<(), FlushError> {
        let id = item.id;
        for media in item.media.iter().filter(|m| !m.done) {
            let (file, length) = (media.id, media.length);
            let source = Source::Store(self.store);
            match upload(self.care, &Owner::Post(id), file, length, &source).await {
                Ok(()) => self.store.write(move |tx| outbox::media_done(tx, file)).await?,
                Err(UploadError::Store(e)) => return Err(e.into()),
                Err(UploadError::Refused(code)) => return self.refused(id, code).await,
                Err(UploadError::Api(e)) => return self.settle(id, item.tries, e).await,
            }
        }
        let now = self.clock.now();
        self.store.write(move |tx| outbox::finish(tx, id, now)).await?;
        self.report.sent += 1;
        Ok(())
    }

    /// Writes down what a failure means for the item, and for the pass.
    async fn settle(&mut self, id: PostId, tries: u32, error: ApiError) -> Result<(), FlushError> {
        match judge(&error) {
            Verdict::Refused(code) => self.refused(id, code).await,
            Verdict::Later(asked) => self.defer(id, tries, asked).await,
            Verdict::Stop => {
                self.report.offline = true;
                self.defer(id, tries, None).await
            }
            Verdict::Break => Err(FlushError::Api(error)),
        }
    }

    async fn refused(&mut self, id: PostId, code: Code) -> Result<(), FlushError> {
        self.report.failed += 1;
        Ok(self.store.write(move |tx| outbox::fail(tx, id, code)).await?)
    }

    async fn defer(&mut self, id: PostId, tries: u32, asked: Option<Duration>) -> Result<(), FlushError> {
        let wait = backoff::wait(tries + 1, asked).as_millis();
        let next = Timestamp(self.clock.now().0.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX)));
        Ok(self.store.write(move |tx| outbox::defer(tx, id, next)).await?)
    }
}

fn is_under_way(item: &Item) -> bool {
    matches!(item.state, ItemState::Waiting | ItemState::Sending)
}
