//! One thing that waits for a person.

use super::language;

/// A line of the list of things to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// What is to be done, as the screen says it.
    pub text: String,
    /// Where.
    pub href: String,
    /// Since when it waits, UTC milliseconds.
    pub since: i64,
}

impl Task {
    /// Since when, as the screen says it.
    #[must_use]
    pub fn when(&self) -> String {
        language::when(self.since)
    }

    /// Since when, for machines.
    #[must_use]
    pub fn machine(&self) -> String {
        language::machine(self.since)
    }
}
