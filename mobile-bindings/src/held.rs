//! What an object of the shell holds of the core. Not here: what is done with it.

use renraku_core::runtime;
use std::ops::Deref;
use std::sync::Arc;

/// Held until the shell lets go of the object, on whatever thread, the screen's too. The last one who holds a store
/// closes it, which brings its log into its file: that is done on the core's threads.
#[derive(Debug)]
pub(crate) struct Held<T: Send + Sync + 'static>(Option<Arc<T>>);

impl<T: Send + Sync + 'static> Held<T> {
    pub(crate) fn new(what: Arc<T>) -> Self {
        Self(Some(what))
    }
}

impl<T: Send + Sync + 'static> Deref for Held<T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        self.0.as_ref().expect("it is taken out by `drop` alone")
    }
}

impl<T: Send + Sync + 'static> Drop for Held<T> {
    fn drop(&mut self) {
        runtime::let_go(self.0.take());
    }
}
