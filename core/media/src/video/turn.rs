//! The quarter turn or mirroring that a film asks its player to do.

/// A quarter turn or mirroring that a player must do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turn {
    pub sideways: bool,
    pub right_to_left: bool,
    pub upside_down: bool,
}

impl Turn {
    /// From a display matrix: nine numbers, of which the first two of each row say where x and y go.
    pub fn from_matrix(bytes: &[u8]) -> Self {
        let at = |i: usize| {
            bytes.get(i * 4..i * 4 + 4).and_then(|b| b.first_chunk()).map_or(0, |b| i32::from_ne_bytes(*b))
        };
        let (a, b, c, d) = (at(0), at(1), at(3), at(4));
        if b.unsigned_abs() > a.unsigned_abs() {
            Self { sideways: true, right_to_left: c < 0, upside_down: b < 0 }
        } else {
            Self { sideways: false, right_to_left: a < 0, upside_down: d < 0 }
        }
    }
}

impl Turn {
    /// The same for FFmpeg's filters, to be put behind a scaling: fewer pixels to move then.
    pub fn filters(self) -> &'static str {
        match (self.sideways, self.right_to_left, self.upside_down) {
            (false, false, false) => "",
            (false, true, false) => ",hflip",
            // Not `vflip` alone: that turns nothing over but counts the rows from the bottom up, unless a filter
            // before it makes new pictures.
            (false, false, true) => ",transpose=clock,transpose=cclock_flip",
            (false, true, true) => ",hflip,vflip",
            (true, true, false) => ",transpose=clock",
            (true, false, true) => ",transpose=cclock",
            (true, false, false) => ",transpose=cclock_flip",
            (true, true, true) => ",transpose=clock_flip",
        }
    }
}
