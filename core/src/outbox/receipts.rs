//! Sending receipts, the first step of a pass. Not here: keeping them (store).

use super::flush::Pass;
use super::judge::{FlushError, Verdict, judge};
use super::{Retry, backoff};
use crate::store::{cache, receipts};
use renraku_wire::NewReceipt;

impl Pass<'_> {
    /// Sends the receipts that are due.
    pub(super) async fn receipts(&mut self) -> Result<(), FlushError> {
        let at_once = self.now && !self.receipts_tried;
        if !at_once && !backoff::is_due(self.desk.receipts().next_try_at, self.desk.clock.now()) {
            return Ok(());
        }
        let (mut in_vain, mut asked) = (false, None);
        for waiting in self.desk.store.read(receipts::waiting).await? {
            let mut sent = self.care.put_receipt(waiting.post, &waiting.receipt).await;
            let refused = sent.as_ref().map_err(judge);
            let unwanted =
                matches!(refused, Err(Verdict::Refused(_, Some(field))) if field == "acknowledged");
            if unwanted {
                // A town without 👍 takes the reading all the same.
                let reading = NewReceipt { acknowledged: None, ..waiting.receipt };
                sent = self.care.put_receipt(waiting.post, &reading).await;
            }
            match sent.as_ref().map_err(judge) {
                // A post that is gone or hidden has no receipt to keep.
                Ok(()) | Err(Verdict::Refused(..)) => {
                    let (post, revision) = (waiting.post, waiting.revision);
                    self.desk
                        .store
                        .write(move |tx| {
                            if unwanted {
                                cache::unacknowledge(tx, post)?;
                            }
                            receipts::sent(tx, post, revision)
                        })
                        .await?;
                }
                Err(Verdict::Later(wait)) => {
                    (in_vain, asked) = (true, wait);
                    if asked.is_some() {
                        break;
                    }
                }
                Err(Verdict::Stop) => {
                    self.report.offline = true;
                    return Ok(());
                }
                Err(Verdict::Break) => return sent.map_err(FlushError::Api),
            }
        }
        self.receipts_tried |= in_vain;
        let mut retry = self.desk.receipts();
        if in_vain {
            let next = backoff::after(self.desk.clock.now(), retry.tries.saturating_add(1), asked);
            retry.defer(next);
        } else {
            *retry = Retry::default();
        }
        Ok(())
    }
}
