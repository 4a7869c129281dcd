//! When a review is due, and whether one is whole. Pure.

use crate::db::Id;
use crate::notice::reminder::a_year_after;
use renraku_wire::Verdict;
use std::collections::BTreeSet;

/// When the next review is due: a year after the last one; the first one a year after the facility began.
#[must_use]
pub fn due(signed_at: Option<i64>, began_at: i64) -> i64 {
    a_year_after(signed_at.unwrap_or(began_at))
}

/// True when each of `expected` has exactly one verdict, and nothing else has one.
#[must_use]
pub fn whole(expected: &[Id], given: &[(Id, Verdict)]) -> bool {
    let wanted: BTreeSet<Id> = expected.iter().copied().collect();
    let judged: BTreeSet<Id> = given.iter().map(|(id, _)| *id).collect();
    judged.len() == given.len() && judged == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_a_year_after_the_last_or_the_beginning() {
        let began = 1_780_000_000_000;
        assert_eq!(due(None, began), a_year_after(began));
        assert_eq!(due(Some(began + 5), began), a_year_after(began + 5));
    }

    #[test]
    fn a_review_names_everybody_once() {
        let (a, b, c) = (Id::new(), Id::new(), Id::new());
        let (same, leave) = (Verdict::Unchanged, Verdict::Leave);
        assert!(whole(&[a, b], &[(b, same), (a, leave)]));
        assert!(whole(&[], &[]));
        for bad in
            [vec![], vec![(a, same)], vec![(a, same), (a, leave)], vec![(a, same), (b, same), (c, same)]]
        {
            assert!(!whole(&[a, b], &bad), "{}", bad.len());
        }
        assert!(!whole(&[a], &[(a, same), (a, same)]));
    }
}
