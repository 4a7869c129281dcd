//! What an object of the shell holds of the core, and how its calls run. Not here: what is done with it.

use crate::MobileError;
use renraku_core::{Cancel, CoreError, runtime};
use std::future::Future;
use std::sync::Arc;

/// Held until the shell lets go of the object, on whatever thread, the screen's too. The last one who holds a store
/// closes it, which brings its log into its file: that is done on the core's threads.
#[derive(Debug)]
pub(crate) struct Held<T: Send + Sync + 'static> {
    what: Option<Arc<T>>,
    cancel: Option<Cancel>,
}

impl<T: Send + Sync + 'static> Held<T> {
    pub(crate) fn new(what: T) -> Self {
        Self { what: Some(Arc::new(what)), cancel: None }
    }

    /// The same, with calls that stop when `cancel` is cancelled.
    pub(crate) fn until(&self, cancel: Cancel) -> Self {
        Self { what: self.what.clone(), cancel: Some(cancel) }
    }

    pub(crate) fn get(&self) -> &Arc<T> {
        self.what.as_ref().expect("it is taken out by `drop` alone")
    }

    /// What stops the calls; one that nobody cancels where there is none.
    pub(crate) fn cancel(&self) -> Cancel {
        self.cancel.clone().unwrap_or_default()
    }

    /// Runs work on the core's threads; a dropped call drops it.
    pub(crate) async fn run<R, F>(&self, work: impl FnOnce(Arc<T>) -> F) -> Result<R, MobileError>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, CoreError>> + Send + 'static,
    {
        on_core(work(self.get().clone())).await
    }

    /// The same, until somebody cancels the token, if there is one.
    pub(crate) async fn run_until<R, F>(&self, work: impl FnOnce(Arc<T>) -> F) -> Result<R, MobileError>
    where
        R: Send + 'static,
        F: Future<Output = Result<R, CoreError>> + Send + 'static,
    {
        let work = work(self.get().clone());
        let Some(cancel) = self.cancel.clone() else { return on_core(work).await };
        match runtime::run_until(work, cancel).await {
            Ok(done) => Ok(done.unwrap_or(Err(CoreError::Cancelled))?),
            Err(_) => Err(MobileError::Unexpected { reference: None }),
        }
    }
}

async fn on_core<R: Send + 'static>(
    work: impl Future<Output = Result<R, CoreError>> + Send + 'static,
) -> Result<R, MobileError> {
    match runtime::run(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(MobileError::Unexpected { reference: None }),
    }
}

impl<T: Send + Sync + 'static> Clone for Held<T> {
    fn clone(&self) -> Self {
        Self { what: self.what.clone(), cancel: self.cancel.clone() }
    }
}

impl<T: Send + Sync + 'static> Drop for Held<T> {
    fn drop(&mut self) {
        if let Some(last) = self.what.take().and_then(Arc::into_inner) {
            runtime::let_go(last);
        }
    }
}
