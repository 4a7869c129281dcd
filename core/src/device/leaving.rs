//! Sessions that ended here before the server heard of it. Their tokens rest in the vault until it has, and open
//! nothing of what is sealed here: who has one and this device's key may end a session, or be refused. Not here:
//! closing the store.

use crate::api::{ApiError, Care};
use crate::clock::Clock;
use crate::runtime::block;
use crate::vault::{Vault, VaultError};
use renraku_wire::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const LIST: &str = "leaving";
/// More are forgotten: they end by themselves.
const MOST: usize = 16;
/// No session lasts longer.
const LONGEST_MILLIS: i64 = 7 * 86_400_000;

#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Farewell {
    token: String,
    since: Timestamp,
}

/// The sessions of one device that the server has yet to end.
pub(crate) struct Leaving {
    vault: Arc<dyn Vault>,
    clock: Arc<dyn Clock>,
    /// Those that the vault could not take, on a full device or while it is locked: as long as the app lives.
    unkept: Mutex<Vec<Farewell>>,
    /// Digests of those that ended since the app began: nobody puts one back.
    over: Mutex<HashSet<[u8; 32]>>,
    /// Two changes of the list must not lose one.
    changing: Mutex<()>,
    /// One conversation at a time.
    telling: tokio::sync::Mutex<()>,
    /// False when there is surely nobody to tell of.
    waiting: AtomicBool,
    /// Somebody came while the server was being told, perhaps in vain.
    again: AtomicBool,
}

impl Leaving {
    pub(crate) fn new(vault: Arc<dyn Vault>, clock: Arc<dyn Clock>) -> Self {
        let (changing, telling) = (Mutex::new(()), tokio::sync::Mutex::new(()));
        Self {
            vault,
            clock,
            unkept: Mutex::default(),
            over: Mutex::default(),
            changing,
            telling,
            waiting: AtomicBool::new(true),
            again: AtomicBool::new(false),
        }
    }

    fn list(&self) -> Result<Vec<Farewell>, VaultError> {
        let Some(bytes) = self.vault.load(LIST)? else { return Ok(Vec::new()) };
        Ok(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    fn change(&self, how: impl FnOnce(&mut Vec<Farewell>)) -> Result<(), VaultError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list = self.list()?;
        how(&mut list);
        if list.is_empty() {
            return self.vault.remove(LIST);
        }
        self.vault.store(LIST, &serde_json::to_vec(&list).map_err(|_| VaultError::Failed)?)
    }

    /// A session is over, whoever ended it.
    pub(crate) fn mark_over(&self, token: &str) {
        self.over.lock().unwrap_or_else(PoisonError::into_inner).insert(Sha256::digest(token).into());
    }

    pub(crate) fn is_over(&self, token: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(token).into();
        self.over.lock().unwrap_or_else(PoisonError::into_inner).contains(&digest)
    }

    /// Notes a session that is over here, for the server. Blocks.
    pub(crate) fn add(&self, token: String) {
        self.mark_over(&token);
        let new = Farewell { token, since: self.clock.now() };
        let kept = self.change(|list| {
            if !list.iter().any(|one| one.token == new.token) {
                list.push(new.clone());
            }
            let beyond = list.len().saturating_sub(MOST);
            list.drain(..beyond);
        });
        if kept.is_err() {
            let mut unkept = self.unkept();
            unkept.retain(|one| one.token != new.token);
            unkept.truncate(MOST - 1);
            unkept.push(new);
        }
        self.waiting.store(true, Ordering::SeqCst);
    }

    fn unkept(&self) -> MutexGuard<'_, Vec<Farewell>> {
        self.unkept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the server in the background, if there is something to tell: nobody waits for it, and what it does not
    /// hear now it hears the next time.
    pub(crate) fn tell_soon(self: &Arc<Self>, care: &Care) {
        if !self.waiting.load(Ordering::SeqCst) {
            return;
        }
        let (this, care) = (self.clone(), care.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                this.again.store(true, Ordering::SeqCst);
                // Whoever comes while somebody lets go of the line is seen here or sees it free.
                while this.again.load(Ordering::SeqCst) {
                    let Ok(_telling) = this.telling.try_lock() else { return };
                    while this.again.swap(false, Ordering::SeqCst) {
                        this.tell(&care).await;
                    }
                }
            });
        }
    }

    async fn tell(self: &Arc<Self>, care: &Care) {
        loop {
            self.waiting.store(false, Ordering::SeqCst);
            let this = self.clone();
            let kept = block(move || this.list()).await;
            let unkept = self.unkept().first().cloned();
            let (next, is_kept) = match (unkept, kept) {
                (Some(next), _) => (next, false),
                (None, Ok(Ok(kept))) => match kept.into_iter().next() {
                    Some(next) => (next, true),
                    None => return,
                },
                (None, _) => {
                    self.waiting.store(true, Ordering::SeqCst);
                    return;
                }
            };
            self.waiting.store(true, Ordering::SeqCst);
            let age = self.clock.now().0.saturating_sub(next.since.0);
            // A clock that was set back makes nothing old.
            if age < LONGEST_MILLIS && !is_settled(&care.with_session(next.token.clone()).sign_out().await) {
                return;
            }
            if !is_kept {
                self.unkept().retain(|one| *one != next);
                continue;
            }
            let this = self.clone();
            if !matches!(block(move || this.change(|list| list.retain(|one| *one != next))).await, Ok(Ok(())))
            {
                return;
            }
        }
    }

    /// Forgets them all: the certificate that they belong to is gone. Blocks.
    pub(crate) fn forget(&self) -> Result<(), VaultError> {
        self.unkept().clear();
        self.change(Vec::clear)
    }
}

/// The server ended it, or knows nothing of it.
fn is_settled(told: &Result<(), ApiError>) -> bool {
    match told {
        Ok(()) => true,
        Err(ApiError::Refused { problem, .. }) => problem.status < 500 && problem.status != 429,
        Err(_) => false,
    }
}
