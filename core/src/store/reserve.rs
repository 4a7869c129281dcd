//! Room kept for sending. On a full device what waits could not even be noted as on its way, so it would wait there until
//! somebody makes room; sent, it gives back room itself. A file of noise beside the store is given up for that.

use super::{Store, StoreResult};
use diesel::connection::SimpleConnection;
use std::fs::File;
use std::io::Write;

/// What its name has after the store's.
pub(crate) const SUFFIX: &str = "-room";
/// Its bytes: what the store's log has at most goes into the store, and as much again is written while sending.
const SIZE: usize = 8 << 20;

impl Store {
    /// Keeps the room, unless it is kept already or there is none. Blocks.
    pub(crate) fn keep_room(&self) {
        let path = self.beside(SUFFIX);
        if std::fs::metadata(&path).is_ok_and(|kept| kept.len() == SIZE as u64) {
            return;
        }
        // Noise, for file systems that would make nothing of zeros.
        let mut noise = vec![0; SIZE];
        rand::fill(&mut noise[..]);
        if File::create(&path).and_then(|mut file| file.write_all(&noise)).is_err() {
            let _ = std::fs::remove_file(&path);
        }
    }

    /// Gives the room up; false where there was none. Blocks.
    pub(crate) fn use_room(&self) -> bool {
        let given = std::fs::remove_file(self.beside(SUFFIX)).is_ok();
        if given {
            // The log's own room is used again from then on.
            let emptied: StoreResult<()> =
                self.read_here(|c| Ok(c.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)")?));
            let _ = emptied;
        }
        given
    }
}
