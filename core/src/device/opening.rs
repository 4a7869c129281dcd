//! A session while it is being opened. The server may have opened it before anybody here knows its token: a caller
//! who goes away meanwhile leaves nothing behind, here or there. Not here: what a session is kept in.

use super::leaving::Leaving;
use crate::api::{ApiError, ApiResult, Care};
use crate::runtime::block;
use crate::store::{Store, session};
use renraku_wire::{SessionOpened, SignIn};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// A sign-in on its way. Unless it is kept, what it opened is ended again when this is dropped.
pub(super) struct Opening {
    care: Care,
    leaving: Arc<Leaving>,
    answer: Option<JoinHandle<ApiResult<SessionOpened>>>,
    token: Option<String>,
    /// Where it is being kept.
    at: Option<Store>,
}

impl Opening {
    pub(super) fn begin(care: &Care, leaving: &Arc<Leaving>, sign_in: SignIn) -> Self {
        let asking = care.clone();
        let answer = tokio::spawn(async move { asking.sign_in(&sign_in).await });
        Self { care: care.clone(), leaving: leaving.clone(), answer: Some(answer), token: None, at: None }
    }

    pub(super) async fn answer(&mut self) -> ApiResult<SessionOpened> {
        let Some(answer) = self.answer.as_mut() else { return Err(ApiError::Nonsense("asked twice")) };
        let opened = answer.await.map_err(|_| ApiError::Offline { sent: true });
        self.answer = None;
        let opened = opened??;
        self.token = Some(opened.token.clone());
        Ok(opened)
    }

    /// It is being kept there.
    pub(super) fn at(&mut self, store: &Store) {
        self.at = Some(store.clone());
    }

    /// The session can be reached from here.
    pub(super) fn keep(mut self) {
        self.token = None;
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        let (token, answer) = (self.token.take(), self.answer.take());
        if token.is_none() && answer.is_none() {
            return;
        }
        let (care, leaving, at) = (self.care.clone(), self.leaving.clone(), self.at.take());
        let end = async move {
            let late = match answer {
                Some(answer) => answer.await.ok().and_then(Result::ok).map(|opened| opened.token),
                None => None,
            };
            if let Some(token) = token.or(late) {
                let list = leaving.clone();
                let _ = block(move || {
                    if let Some(store) = at {
                        let _ = store.vacate(&token);
                        let _ = store.write_here(|tx| session::over(tx, &token));
                    }
                    list.add(token);
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
