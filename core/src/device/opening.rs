//! A session while it is being opened. The server may have opened it before anybody here knows its token: a caller
//! who goes away meanwhile leaves nothing behind, here or there, and what was open before stays so. Not here: what a
//! session is kept in.

use super::leaving::Leaving;
use crate::api::{ApiError, ApiResult, Care};
use crate::runtime::block;
use crate::store::{Store, StoreError, StoreResult, session};
use diesel::prelude::*;
use renraku_wire::{SessionOpened, SignIn, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinHandle;

/// A sign-in on its way. Unless it is kept, what it opened is ended again when this is dropped.
pub(super) struct Opening {
    care: Care,
    leaving: Arc<Leaving>,
    answer: Option<JoinHandle<ApiResult<SessionOpened>>>,
    token: Option<String>,
    noted: Arc<Mutex<Noted>>,
}

/// How far it is on the disk.
#[derive(Default)]
struct Noted {
    at: Option<Store>,
    /// The person's session that it takes the place of.
    before: Option<String>,
    is_given_up: bool,
}

impl Opening {
    pub(super) fn begin(care: &Care, leaving: &Arc<Leaving>, sign_in: SignIn) -> Self {
        let asking = care.clone();
        let answer = tokio::spawn(async move { asking.sign_in(&sign_in).await });
        let (care, leaving) = (care.clone(), leaving.clone());
        Self { care, leaving, answer: Some(answer), token: None, noted: Arc::default() }
    }

    pub(super) async fn answer(&mut self) -> ApiResult<SessionOpened> {
        let Some(answer) = self.answer.as_mut() else { return Err(ApiError::Nonsense("asked twice")) };
        let opened = answer.await.map_err(|_| ApiError::Offline { sent: true });
        self.answer = None;
        let opened = opened??;
        self.token = Some(opened.token.clone());
        Ok(opened)
    }

    /// What notes it in the store. Whoever takes up a session finds all of it or nothing.
    pub(super) fn noting(
        &self,
        store: &Store,
        opened: SessionOpened,
        now: Timestamp,
    ) -> impl FnOnce(&mut SqliteConnection) -> StoreResult<()> + Send + 'static {
        let (noted, store) = (self.noted.clone(), store.clone());
        move |c| {
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            if noted.is_given_up {
                return Err(StoreError::Locked);
            }
            let before = session::token(c)?.filter(|token| *token != opened.token);
            let note = store.note(&opened.token)?;
            c.immediate_transaction(|tx| session::open(tx, &opened, now))?;
            (noted.at, noted.before) = (Some(store.clone()), before);
            note.counts()
        }
    }

    /// The session can be reached from here. Nobody can end the one before from here any more, and while it ran there,
    /// pushes would outlive this one's end: it is ended.
    pub(super) async fn keep(mut self) {
        self.token = None;
        let before = self.noted.lock().unwrap_or_else(PoisonError::into_inner).before.take();
        if let Some(token) = before {
            let list = self.leaving.clone();
            let _ = block(move || list.add(token)).await;
        }
        self.leaving.tell_soon(&self.care);
    }

    /// Everything here is wiped, and the server ended it all.
    pub(super) fn forget(mut self) {
        self.token = None;
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let (token, answer) = (self.token.take(), self.answer.take());
        if token.is_none() && answer.is_none() {
            return;
        }
        let noted = {
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *noted, Noted { is_given_up: true, ..Noted::default() })
        };
        let (care, leaving) = (self.care.clone(), self.leaving.clone());
        let end = async move {
            let late = match answer {
                Some(answer) => answer.await.ok().and_then(Result::ok).map(|opened| opened.token),
                None => None,
            };
            if let Some(token) = token.or(late) {
                let list = leaving.clone();
                let _ = block(move || {
                    // First: another that is given up as well must not put this one back.
                    list.add(token.clone());
                    noted.take_back(&token, &list).into_iter().for_each(|lost| list.add(lost));
                })
                .await;
                leaving.tell_soon(&care);
            }
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(end);
        }
    }
}

impl Noted {
    /// As if it had never been. Gives the session before, where that could not be put back.
    fn take_back(self, token: &str, leaving: &Leaving) -> Option<String> {
        let store = self.at?;
        let put_back = self.before.as_ref().is_some_and(|before| {
            let back = store.read_here(|c| {
                if leaving.is_over(before) {
                    return Ok(false);
                }
                let note = store.note(before)?;
                let is_back = c.immediate_transaction(|tx| session::put_back(tx, token, before))?;
                if is_back { note.counts().map(|()| true) } else { Ok(false) }
            });
            back.unwrap_or(false)
        });
        if put_back {
            return None;
        }
        let _ = store.vacate(token);
        let _ = store.write_here(|tx| session::over(tx, token));
        self.before
    }
}
