//! What was made for one form and cannot be made again, held for a few minutes in memory for that very form.

use crate::db::Id;
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long a file is held.
const HELD: Duration = Duration::from_secs(5 * 60);
/// How many are held at most.
const MOST: usize = 64;

/// What a PC picked up.
pub struct Picked {
    /// The town.
    pub town: Id,
    /// The device.
    pub device: Id,
    /// PKCS#12.
    pub file: Zeroizing<Vec<u8>>,
}

/// A form with all that it brought.
pub type Key = [u8; 32];

/// Where the file of one form lies, or will lie when whoever makes it is done.
pub type Place = Arc<tokio::sync::Mutex<Option<Picked>>>;

/// The key of what a form brought.
#[must_use]
pub fn key(parts: &[&str]) -> Key {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The files that are held.
#[derive(Default)]
pub struct Handover(Mutex<Vec<(Key, Instant, Place)>>);

impl std::fmt::Debug for Handover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handover")
    }
}

impl Handover {
    fn held(&self) -> MutexGuard<'_, Vec<(Key, Instant, Place)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was held for long enough at `now`.
    pub fn sweep(&self, now: Instant) {
        self.held().retain(|(_, since, _)| now.saturating_duration_since(*since) < HELD);
    }

    /// The place of a form. Where too many are held it is one that nobody else finds.
    #[must_use]
    pub fn place(&self, key: Key) -> Place {
        self.sweep(Instant::now());
        let mut held = self.held();
        if let Some((_, _, place)) = held.iter().find(|(k, _, _)| *k == key) {
            return place.clone();
        }
        let place = Place::default();
        if held.len() < MOST {
            held.push((key, Instant::now(), place.clone()));
        }
        place
    }

    /// Forgets a form for which nothing was made, or nothing that is still to be had. Not its place while others
    /// wait there: one of them may make it.
    pub fn forget(&self, key: Key, place: &Place) {
        // The list has it once, and whoever forgets it.
        let is_free = |p: &Place| Arc::ptr_eq(p, place) && Arc::strong_count(p) <= 2;
        self.held().retain(|(k, _, p)| *k != key || !is_free(p));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_held_for_its_form_and_for_a_while() {
        let keys = [key(&["one", "page"]), key(&["onep", "age"]), key(&["one"])];
        assert!(keys[0] != keys[1] && keys[0] != keys[2]);
        let handover = Handover::default();
        let first = handover.place(keys[0]);
        assert!(Arc::ptr_eq(&first, &handover.place(keys[0])));
        assert!(!Arc::ptr_eq(&first, &handover.place(keys[1])));
        let (other, waiting) = (handover.place(keys[1]), handover.place(keys[1]));
        handover.forget(keys[1], &other);
        assert!(Arc::ptr_eq(&other, &handover.place(keys[1])), "somebody waits there");
        drop(waiting);
        handover.forget(keys[1], &first);
        assert_eq!(handover.held().len(), 2, "another's");
        handover.forget(keys[1], &other);
        handover.sweep(Instant::now() + HELD / 2);
        assert_eq!(handover.held().len(), 1);
        handover.sweep(Instant::now() + HELD);
        assert!(handover.held().is_empty());
        for n in 0..=MOST {
            let _ = handover.place(key(&[&n.to_string()]));
        }
        assert_eq!(handover.held().len(), MOST);
    }
}
