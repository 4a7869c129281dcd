//! Damage that is the same in every run.
#![allow(dead_code, reason = "each test file uses its part")]

/// A small generator of the same numbers every time.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % sides
    }

    /// One to eight damages: a flipped bit, an extreme byte, a piece cut out or doubled.
    pub fn damage(&mut self, bytes: &[u8], within: usize) -> Vec<u8> {
        let mut out = bytes.to_vec();
        for _ in 0..=self.roll(8) {
            let at = self.roll(within.min(out.len()).max(1)).min(out.len().saturating_sub(1));
            match self.roll(6) {
                0..=2 => out[at] ^= 1 << self.roll(8),
                3 => out[at] = [0, 0xFF, 0x7F, 0x80][self.roll(4)],
                4 => drop(out.drain(at..(at + self.roll(16)).min(out.len()))),
                _ => {
                    let piece = out[at..(at + self.roll(16)).min(out.len())].to_vec();
                    out.splice(at..at, piece);
                }
            }
            if out.is_empty() {
                break;
            }
        }
        out
    }
}
