//! The list of patients as pages show it.

use crate::portal::language;
use renraku_wire::{PatientId, PatientSummary};

/// One line of the list.
pub struct Line {
    /// Their id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Age in years.
    pub age: u32,
    /// Gender.
    pub gender: &'static str,
    /// Posts not read.
    pub unread: u32,
    /// When the newest post was written.
    pub last: Option<String>,
    /// True for the one whose page this is.
    pub current: bool,
}

/// The lines of the list, the most recently written about first.
#[must_use]
pub fn lines(list: Vec<PatientSummary>, current: Option<PatientId>) -> Vec<Line> {
    list.into_iter()
        .map(|p| Line {
            id: p.id.to_string(),
            name: p.name,
            age: p.age,
            gender: language::gender(p.gender),
            unread: p.unread,
            last: p.last_post_at.map(|t| language::when(t.0)),
            current: Some(p.id) == current,
        })
        .collect()
}
