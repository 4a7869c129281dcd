//! One pass over everything that waits: receipts, then texts in order per patient, then files. What comes in while
//! a file is on its way does not wait for its end: between two chunks receipts and texts go first.
//!
//! Every step is in the store before and after it touches the network, so a kill at any instant leaves an item
//! that the next pass takes up. Not here: when to run a pass, which the shell knows.

use super::judge::{FlushError, Verdict, judge};
use super::upload::{Owner, Source, Upload, UploadError};
use super::{FileState, Item, ItemState, backoff};
use crate::api::{ApiError, ApiResult, Care};
use crate::session::Desk;
use crate::store::files::{self, Step};
use crate::store::{cache, outbox, receipts, session};
use renraku_wire::{Code, MediaId, NewPost, PatientId, Post, PostId, Timestamp};
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
    /// When the next pass is worth while, if anything remains, be it a receipt.
    pub next_try_at: Option<Timestamp>,
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
    let now = desk.clock.now();
    let oldest = Timestamp(now.0.saturating_sub(LISTED.as_millis() as i64));
    let left = desk.store.write(move |tx| {
        outbox::prune(tx, oldest)?;
        Ok((outbox::list(tx)?, !receipts::waiting(tx)?.is_empty()))
    });
    let (items, has_receipts) = left.await?;
    let receipts = has_receipts.then(|| desk.receipts().next_try_at);
    let next = first(&items).map(|i| i.next_try_at).chain(receipts);
    Ok(FlushReport {
        remaining: u32::try_from(items.iter().filter(|i| is_under_way(i)).count()).unwrap_or(u32::MAX),
        next_try_at: next.map(|at| if backoff::is_due(at, now) { at.min(now) } else { at }).min(),
        ..FlushReport::default()
    })
}

/// Sends the receipts alone, unless they were in vain just now. Not being reached is no error: they are kept.
pub(crate) async fn flush_receipts(care: &Care, desk: &Desk) -> Result<(), FlushError> {
    let mut pass = Pass::new(care, desk, false);
    pass.receipts().await?;
    if pass.report.offline { pass.put_off().await } else { Ok(()) }
}

/// The items that nothing but time holds up: each patient's first text, and all whose files may go.
fn first(items: &[Item]) -> impl Iterator<Item = &Item> {
    let mut patients = HashSet::new();
    let files = |i: &Item| i.text_sent && has_work(i);
    items
        .iter()
        .filter(|i| is_under_way(i) && !is_mute(i))
        .filter(move |i| files(i) || !i.text_sent && patients.insert(i.patient_id))
}

pub(super) struct Pass<'a> {
    pub(super) care: &'a Care,
    pub(super) desk: &'a Desk,
    pub(super) now: bool,
    pub(super) report: FlushReport,
    /// Tried in vain in this pass: they have their time, even with `now`.
    tried: HashSet<PostId>,
    pub(super) receipts_tried: bool,
    /// Whether the server is there, as this pass found out, or when it asked to be tried again.
    reached: Option<Result<(), Option<Duration>>>,
}

impl<'a> Pass<'a> {
    fn new(care: &'a Care, desk: &'a Desk, now: bool) -> Self {
        let report = FlushReport::default();
        Self { care, desk, now, report, tried: HashSet::new(), receipts_tried: false, reached: None }
    }

    async fn run(&mut self) -> Result<(), FlushError> {
        loop {
            self.small().await?;
            if self.report.offline {
                return self.put_off().await;
            }
            let items = self.desk.store.read(outbox::list).await?;
            let mut files = items.iter().filter(|i| i.text_sent && is_under_way(i) && has_work(i));
            let Some(item) = files.find(|i| self.is_due(i)) else { return Ok(()) };
            self.files(item).await?;
            if self.report.offline {
                return self.put_off().await;
            }
        }
    }

    /// What takes no time and waits for no file.
    async fn small(&mut self) -> Result<(), FlushError> {
        self.receipts().await?;
        let items = self.desk.store.read(outbox::list).await?;
        let mut held = HashSet::new();
        for item in items.iter().filter(|i| !i.text_sent && is_under_way(i) && !is_mute(i)) {
            if self.report.offline {
                break;
            }
            if held.contains(&item.patient_id) {
                continue;
            }
            if !self.is_due(item) || !self.text(item.id).await? {
                held.insert(item.patient_id);
            }
        }
        Ok(())
    }

    fn is_due(&self, item: &Item) -> bool {
        let at_once = self.now && !self.tried.contains(&item.id);
        at_once || backoff::is_due(item.next_try_at, self.desk.clock.now())
    }

    /// The server was not reached, and nothing that is due, or would be soon, would reach it either: all of it has
    /// one time to be tried again.
    async fn put_off(&self) -> Result<(), FlushError> {
        let now = self.desk.clock.now();
        let (receipts_at, receipts_tries) = {
            let retry = self.desk.receipts();
            (retry.next_try_at, retry.tries)
        };
        let put_off = self.desk.store.write(move |tx| {
            let items = outbox::list(tx)?;
            let receipts = !receipts::waiting(tx)?.is_empty() && backoff::is_due(receipts_at, now);
            let due = first(&items).filter(|i| backoff::is_due(i.next_try_at, now)).map(|i| i.tries);
            let Some(tries) = due.chain(receipts.then_some(receipts_tries)).max() else { return Ok(None) };
            let next = backoff::after(now, tries.saturating_add(1), None);
            for item in first(&items) {
                if item.next_try_at < next || backoff::is_due(item.next_try_at, now) {
                    outbox::defer(tx, item.id, next)?;
                }
            }
            Ok(receipts.then_some(next))
        });
        if let Some(next) = put_off.await? {
            self.desk.receipts().defer(next);
        }
        Ok(())
    }

    /// Asks whether the server is there, once in a pass. Until it answers nothing has left, and what waits can still be
    /// changed and taken back, however long that takes and whoever ends the pass meanwhile.
    async fn is_reached(&mut self, id: PostId) -> Result<bool, FlushError> {
        if self.reached.is_none() {
            let mut answer = self.care.me().await;
            if matches!(answer, Err(ApiError::Offline { sent: true })) {
                // A connection that died while nobody looked costs one more try, not a wait.
                answer = self.care.me().await;
            }
            self.reached = match answer.map_err(|e| (judge(&e), e)) {
                Ok(_) => Some(Ok(())),
                Err((Verdict::Later(asked), _)) => Some(Err(asked)),
                // That refusal is none of the post's.
                Err((Verdict::Refused(..), _)) => Some(Err(None)),
                Err((Verdict::Stop | Verdict::Break, e)) => {
                    self.settle(id, e).await?;
                    None
                }
            };
        }
        match self.reached {
            Some(Ok(())) => return Ok(true),
            Some(Err(asked)) => self.defer(id, asked).await?,
            None => {}
        }
        Ok(false)
    }

    /// Sends one text. False when the patient's later ones must wait for it.
    async fn text(&mut self, id: PostId) -> Result<bool, FlushError> {
        let item = self.desk.store.read(move |c| Ok(outbox::get(c, id).ok())).await?;
        let Some(item) = item else { return Ok(true) };
        if !self.is_reached(id).await? {
            return Ok(false);
        }
        let Some(post) = self.desk.store.write(move |tx| outbox::start(tx, id)).await? else {
            return Ok(true);
        };
        // What once may have arrived stays `sending`: a later refusal does not prove that it did not.
        let mut unsure = item.state == ItemState::Sending;
        let mut sent = self.post(item.patient_id, &post).await;
        if matches!(sent, Err(ApiError::Offline { sent: true })) {
            // As above: one more try.
            unsure = true;
            sent = self.post(item.patient_id, &post).await;
        }
        let error = match sent {
            Ok(answer) => {
                let now = self.desk.clock.now();
                let concluded = self.desk.store.write(move |tx| {
                    outbox::text_sent(tx, id)?;
                    session::contact(tx, now)?;
                    cache::put_posts(tx, &[answer], Some(now))?;
                    let nothing_more = matches!(files::step(tx, id)?, Step::Conclude);
                    nothing_more.then(|| outbox::conclude(tx, id, now)).transpose()
                });
                self.count(concluded.await?);
                return Ok(true);
            }
            Err(e) => e,
        };
        if self.desk.store.is_closed() && error.code() == Some(Code::CertificateRevoked) {
            // Wiped: there is nothing to write it down in.
            return Err(FlushError::Api(error));
        }
        let not_taken = match &error {
            ApiError::Offline { sent } => !sent,
            ApiError::ServerUntrusted { .. } | ApiError::Key(_) | ApiError::CertificateRefused(_) => true,
            ApiError::Refused { problem, .. } => problem.status < 500 || problem.status == 503,
            ApiError::Nonsense(_) | ApiError::File | ApiError::Full => false,
        };
        if not_taken && !unsure {
            self.desk.store.write(move |tx| outbox::back_to_waiting(tx, id)).await?;
        }
        self.settle(id, error).await?;
        let found = self.desk.store.read(move |c| Ok(outbox::get(c, id).ok())).await?;
        Ok(!found.is_some_and(|item| is_under_way(&item)))
    }

    /// What the server made of a post. Another post's answer is none: this one is not called sent for it.
    async fn post(&self, patient: PatientId, new: &NewPost) -> ApiResult<Post> {
        let answer = self.care.post(patient, new).await?;
        let is_it = answer.id == new.id && answer.patient_id == patient;
        if is_it { Ok(answer) } else { Err(ApiError::Nonsense("another post")) }
    }

    /// Whether all of an item is there, if it is at its end.
    fn count(&mut self, concluded: Option<bool>) {
        self.report.sent += u32::from(concluded == Some(true));
        self.report.failed += u32::from(concluded == Some(false));
    }

    async fn files(&mut self, item: &Item) -> Result<(), FlushError> {
        let (id, store) = (item.id, &self.desk.store);
        while !self.report.offline {
            match store.read(move |c| files::step(c, id)).await? {
                Step::Announce(new) => {
                    let file = new.id;
                    match self.care.announce(&new).await.map_err(|e| (judge(&e), e)) {
                        Ok(status) if status.id != file => {
                            return self.settle(id, ApiError::Nonsense("another file")).await;
                        }
                        Ok(_) => store.write(move |tx| files::announced(tx, file)).await?,
                        Err((Verdict::Refused(code, _), _)) => {
                            store.write(move |tx| files::fail(tx, file, code)).await?;
                        }
                        Err((_, e)) => return self.settle(id, e).await,
                    }
                }
                Step::GiveUp(file) => {
                    match self.care.give_up(file).await {
                        Err(e) if !matches!(judge(&e), Verdict::Refused(..)) => {
                            return self.settle(id, e).await;
                        }
                        // Where the server knows nothing of it, nobody waits for it.
                        _ => store.write(move |tx| files::given_up(tx, file)).await?,
                    }
                }
                Step::Send(file, length) => {
                    if !self.file(item, file, length).await? {
                        return Ok(());
                    }
                }
                Step::Wait => return Ok(()),
                Step::Conclude => {
                    let now = self.desk.clock.now();
                    let concluded = store.write(move |tx| outbox::conclude(tx, id, now)).await?;
                    self.count(Some(concluded));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Sends a file, or fails that one for good: those behind it are sent all the same. False when it is to be tried
    /// later, as is written down.
    async fn file(&mut self, item: &Item, file: MediaId, length: u64) -> Result<bool, FlushError> {
        let (id, store) = (item.id, &self.desk.store);
        if let Some(poster) = store.read(move |c| files::poster(c, file)).await?
            && let Err(e) = self.care.give_poster(file, poster).await
        {
            match judge(&e) {
                // A film without a poster is a film.
                Verdict::Refused(..) | Verdict::Later(_) => {}
                Verdict::Stop | Verdict::Break => {
                    return self.settle(id, e).await.map(|()| false);
                }
            }
        }
        let mut upload = Upload::new(self.care, Owner::Post(id), file, length, Source::Store(store));
        loop {
            match upload.go_on().await {
                Ok(true) => break,
                Ok(false) => self.small().await?,
                Err(UploadError::Store(e)) => return Err(e.into()),
                Err(UploadError::Refused(code)) => {
                    return Ok(store.write(move |tx| files::fail(tx, file, code)).await.map(|()| true)?);
                }
                Err(UploadError::Api(e)) => match judge(&e) {
                    Verdict::Refused(code, _) => {
                        return Ok(store
                            .write(move |tx| files::fail(tx, file, code))
                            .await
                            .map(|()| true)?);
                    }
                    _ => return self.settle(id, e).await.map(|()| false),
                },
            }
            if self.report.offline {
                return Ok(false);
            }
        }
        store.write(move |tx| files::done(tx, file)).await?;
        Ok(true)
    }

    /// Writes down what a failure means for the item, and for the pass.
    async fn settle(&mut self, id: PostId, error: ApiError) -> Result<(), FlushError> {
        match judge(&error) {
            Verdict::Refused(code, field) => self.refused(id, code, field).await,
            Verdict::Later(asked) => self.defer(id, asked).await,
            Verdict::Stop => {
                self.report.offline = true;
                Ok(())
            }
            Verdict::Break => Err(FlushError::Api(error)),
        }
    }

    async fn refused(&mut self, id: PostId, code: Code, field: Option<String>) -> Result<(), FlushError> {
        self.report.failed += 1;
        Ok(self.desk.store.write(move |tx| outbox::fail(tx, id, code, field.as_deref())).await?)
    }

    async fn defer(&mut self, id: PostId, asked: Option<Duration>) -> Result<(), FlushError> {
        self.tried.insert(id);
        let now = self.desk.clock.now();
        let put_off = self.desk.store.write(move |tx| {
            // Not what it had when the pass began: what was gained since counts.
            let Some(tries) = outbox::tries(tx, id)? else { return Ok(()) };
            outbox::defer(tx, id, backoff::after(now, tries.saturating_add(1), asked))
        });
        Ok(put_off.await?)
    }
}

fn is_under_way(item: &Item) -> bool {
    matches!(item.state, ItemState::Waiting | ItemState::Sending)
}

/// There is nothing to see of it yet: no text, and none of its files is made. It holds up no other.
fn is_mute(item: &Item) -> bool {
    let is = |state| item.media.iter().any(|m| m.state == state);
    item.body.trim().is_empty() && is(FileState::Planned) && !is(FileState::Made)
}

/// Something of its files can be sent, or told the server, now.
fn has_work(item: &Item) -> bool {
    let is = |state| item.media.iter().any(|m| m.state == state && !m.done);
    is(FileState::Made) || !is(FileState::Planned)
}
