//! Memory for pixels. A photo's 36 MB come from the system in pages, and to be given each small one takes a
//! quarter of the whole time; so large pages are asked for, where the system has them.

use crate::MediaError;
use memmap2::MmapMut;
use std::ops::{Deref, DerefMut};

/// Bytes, all zero to begin with.
pub(super) enum Memory {
    Little(Vec<u8>),
    Much {
        map: MmapMut,
        /// How many of its bytes count.
        len: usize,
    },
}

/// From here on memory is mapped: a large page has two of these.
const MUCH: usize = 1 << 20;

impl Memory {
    /// Zeroed memory. `TooLarge` for what no process of this machine could hold; `Io` where there is none just now.
    pub fn zeroed(len: u64) -> Result<Self, MediaError> {
        let len = usize::try_from(len).map_err(|_| MediaError::TooLarge { what: "bytes", limit: len })?;
        if len < MUCH {
            return Ok(Self::Little(vec![0; len]));
        }
        let map = MmapMut::map_anon(len)?;
        #[cfg(target_os = "linux")]
        // A system without large pages gives small ones.
        let _ = map.advise(memmap2::Advice::HugePage);
        Ok(Self::Much { map, len })
    }

    /// The same memory for fewer bytes, whatever they were; new memory where it is too short.
    pub fn again(mut self, len: usize) -> Result<Self, MediaError> {
        match &mut self {
            Self::Little(bytes) if len <= bytes.capacity() => bytes.resize(len, 0),
            Self::Much { map, len: counts } if len <= map.len() => *counts = len,
            _ => return Self::zeroed(len as u64),
        }
        Ok(self)
    }
}

impl From<Vec<u8>> for Memory {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Little(bytes)
    }
}

impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        Self::Little(self.to_vec())
    }
}

impl Deref for Memory {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Self::Little(bytes) => bytes,
            Self::Much { map, len } => &map[..*len],
        }
    }
}

impl DerefMut for Memory {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Self::Little(bytes) => bytes,
            Self::Much { map, len } => &mut map[..*len],
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]
    use super::*;

    #[test]
    fn little_and_much_are_alike() {
        for len in [0, 1, MUCH - 1, MUCH, 5 * MUCH + 3] {
            let mut memory = Memory::zeroed(len as u64).unwrap();
            assert_eq!(memory.len(), len);
            assert!(memory.iter().all(|b| *b == 0));
            memory.fill(7);
            assert_eq!(&memory.clone()[..], &vec![7; len][..]);
            let less = memory.again(len / 2).unwrap();
            assert_eq!(less.len(), len / 2);
            assert_eq!(less.again(len + 1).unwrap().len(), len + 1);
        }
    }

    #[test]
    fn more_than_there_is_is_nobodys_fault() {
        let none = Memory::zeroed(1 << 62).map(|_| ());
        assert_eq!(none, Err(MediaError::Io(std::io::ErrorKind::OutOfMemory)));
    }
}
