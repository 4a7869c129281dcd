//! A credential that is made once and shared: every other send waits for the one that makes it.
//!
//! Knows when one is due and who makes it; not how it is made.

use http::HeaderValue;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// For this long after a failure, everybody who waited gets that failure and nobody asks again.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Holds at most one credential. Shared freely.
#[derive(Default)]
pub(super) struct Credential {
    slot: Mutex<Slot>,
}

#[derive(Default)]
struct Slot {
    held: Option<Held>,
    made: u64,
    failed: Option<(Instant, NoCredential)>,
    renewed: Option<Instant>,
}

/// An `Authorization` header and which one it is.
#[derive(Clone)]
pub(super) struct Held {
    pub header: HeaderValue,
    serial: u64,
    until: Instant,
}

/// Why there is none, and when to ask again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoCredential {
    pub after: Option<Duration>,
    pub reason: String,
}

/// A fresh header and for how long it is used.
pub(super) type Made = Result<(HeaderValue, Duration), NoCredential>;

impl Credential {
    /// The one in use, or a fresh one. `make` runs only if one is due.
    pub async fn get(&self, make: impl Future<Output = Made>) -> Result<Held, NoCredential> {
        let mut slot = self.slot.lock().await;
        match &slot.held {
            Some(held) if Instant::now() < held.until => Ok(held.clone()),
            _ => slot.make(make).await,
        }
    }

    /// Another one than `refused`, which the service has turned down. Whoever comes later with the
    /// same one gets the new one; `make` runs at most once in `gap`.
    pub async fn renew(
        &self,
        refused: &Held,
        gap: Duration,
        make: impl Future<Output = Made>,
    ) -> Result<Held, NoCredential> {
        let mut slot = self.slot.lock().await;
        if let Some(held) = slot.held.as_ref().filter(|held| held.serial != refused.serial) {
            return Ok(held.clone());
        }
        let now = Instant::now();
        if let Some(at) = slot.renewed.filter(|at| now < *at + gap) {
            let reason = "the service turns down a fresh credential too".to_owned();
            return Err(NoCredential { after: Some(at + gap - now), reason });
        }
        slot.renewed = Some(now);
        slot.make(make).await
    }
}

impl Slot {
    async fn make(&mut self, make: impl Future<Output = Made>) -> Result<Held, NoCredential> {
        if let Some((until, why)) = &self.failed
            && Instant::now() < *until
        {
            return Err(why.clone());
        }
        match make.await {
            Ok((mut header, life)) => {
                header.set_sensitive(true);
                self.made += 1;
                let held = Held { header, serial: self.made, until: Instant::now() + life };
                self.held = Some(held.clone());
                self.failed = None;
                Ok(held)
            }
            Err(why) => {
                self.failed = Some((Instant::now() + AFTER_FAILURE, why.clone()));
                Err(why)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::sync::atomic::{AtomicU32, Ordering};

    const LIFE: Duration = Duration::from_secs(60);
    const GAP: Duration = Duration::from_secs(20);

    async fn make(count: &AtomicU32) -> Made {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let n = count.fetch_add(1, Ordering::SeqCst) + 1;
        Ok((HeaderValue::from(n), LIFE))
    }

    async fn fail(count: &AtomicU32) -> Made {
        count.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(10)).await;
        Err(NoCredential { after: None, reason: "down".into() })
    }

    #[tokio::test(start_paused = true)]
    async fn many_waiting_make_one() {
        let (credential, count) = (Credential::default(), AtomicU32::new(0));
        let all = join_all((0..50).map(|_| credential.get(make(&count)))).await;
        assert!(
            all.iter()
                .all(|h| h.as_ref().unwrap().header == "1" && h.as_ref().unwrap().header.is_sensitive())
        );
        tokio::time::advance(LIFE - Duration::from_secs(1)).await;
        assert_eq!(credential.get(make(&count)).await.unwrap().header, "1");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(credential.get(make(&count)).await.unwrap().header, "2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_one_is_renewed_once_in_the_gap() {
        let (credential, count) = (Credential::default(), AtomicU32::new(0));
        let first = credential.get(make(&count)).await.unwrap();
        let all = join_all((0..50).map(|_| credential.renew(&first, GAP, make(&count)))).await;
        assert!(all.iter().all(|h| h.as_ref().unwrap().header == "2"));
        let second = all[0].clone().unwrap();
        tokio::time::advance(Duration::from_secs(5)).await;
        let why = credential.renew(&second, GAP, make(&count)).await.err().unwrap();
        let left = why.after.unwrap();
        assert!(left > Duration::from_secs(14) && left <= Duration::from_secs(15), "{left:?}");
        assert_eq!(credential.get(make(&count)).await.unwrap().header, "2", "it stays in use meanwhile");
        tokio::time::advance(left).await;
        assert_eq!(credential.renew(&second, GAP, make(&count)).await.unwrap().header, "3");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_and_then_forgotten() {
        let (credential, count) = (Credential::default(), AtomicU32::new(0));
        let all = join_all((0..50).map(|_| credential.get(fail(&count)))).await;
        assert!(all.iter().all(|h| h.as_ref().err().unwrap().reason == "down"));
        assert_eq!(count.load(Ordering::SeqCst), 1);
        tokio::time::advance(AFTER_FAILURE).await;
        assert_eq!(credential.get(make(&count)).await.unwrap().header, "2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_maker_that_gives_up_leaves_the_place_to_the_next() {
        let (credential, count) = (Credential::default(), AtomicU32::new(0));
        let hasty = tokio::time::timeout(Duration::from_millis(1), credential.get(make(&count))).await;
        assert!(hasty.is_err());
        assert_eq!(credential.get(make(&count)).await.unwrap().header, "1");
    }
}
