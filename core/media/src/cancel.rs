//! The flag with which a caller stops long work. It only asks: the work stops at its next safe point.

use crate::MediaError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag shared between the one who works and the one who may stop it. Clones share the flag; any thread
/// may set it. It cannot be taken back.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A flag that nobody has set yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn check(&self) -> Result<(), MediaError> {
        if self.is_cancelled() { Err(MediaError::Cancelled) } else { Ok(()) }
    }
}
