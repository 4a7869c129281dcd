//! Why a demo did not start. Whoever sees it is a person at a terminal: the step is what helps them.

use std::error::Error;

/// Why the demo stopped.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Another demo works in the same folder: use that one, or end it.
    #[error("a demo is running in this folder already")]
    Running,
    /// A step failed: what was tried, and what was answered.
    #[error("{step}: {cause}")]
    Step {
        /// What was tried.
        step: &'static str,
        /// What was answered.
        cause: Box<dyn Error + Send + Sync>,
    },
}

/// Names the step at which something failed.
pub(crate) trait Step<T> {
    /// The value, or the error with the step's name.
    fn step(self, step: &'static str) -> Result<T, DemoError>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Step<T> for Result<T, E> {
    fn step(self, step: &'static str) -> Result<T, DemoError> {
        self.map_err(|e| DemoError::Step { step, cause: e.into() })
    }
}

/// An error of one sentence.
pub(crate) fn failed(step: &'static str, cause: impl Into<Box<dyn Error + Send + Sync>>) -> DemoError {
    DemoError::Step { step, cause: cause.into() }
}
