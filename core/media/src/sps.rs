//! The parameter sets of an H.264 stream: what they say about the size of its pictures. A player takes the
//! memory that they ask for, so a check that believes the container alone checks nothing.

use crate::MediaError;

/// Width and height after cropping, of a stream of the kind every phone plays: eight bits, 4:2:0.
pub(crate) type Size = (u32, u32);

/// What a film's description (`avcC`) holds: parameter sets and nothing more, all of one size.
///
/// Errors: `Unreadable` for anything else, `NotStripped` for bytes behind it.
pub(crate) fn description(config: &[u8]) -> Result<Size, MediaError> {
    read(config).ok_or(MediaError::Unreadable)?
}

fn read(config: &[u8]) -> Option<Result<Size, MediaError>> {
    let ([1, profile, _, _, lengths, count], mut rest) = config.split_first_chunk::<6>()? else {
        return None;
    };
    if lengths & 3 != 3 || config.len() > 512 {
        return None;
    }
    let mut size = None;
    for _ in 0..count & 31 {
        let unit = set(&mut rest, 7)?;
        let this = picture_size(unit)?;
        if size.replace(this).is_some_and(|other| other != this) {
            return None;
        }
    }
    let (pictures, more) = rest.split_first()?;
    rest = more;
    for _ in 0..*pictures {
        set(&mut rest, 8)?;
    }
    // High profiles repeat three numbers and name the extensions, of which there are none.
    let plain = match rest {
        [] => true,
        [chroma, luma_bits, chroma_bits, 0] => {
            *profile >= 100 && (chroma & 3, luma_bits & 7, chroma_bits & 7) == (1, 0, 0)
        }
        _ => false,
    };
    let size = size.filter(|_| *pictures > 0)?;
    Some(if plain { Ok(size) } else { Err(MediaError::extra("avcC")) })
}

/// The next parameter set of that kind, with its length before it.
fn set<'a>(rest: &mut &'a [u8], kind: u8) -> Option<&'a [u8]> {
    let (length, more) = rest.split_first_chunk::<2>()?;
    let (unit, more) = more.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = more;
    (unit.first()? & 0x9F == kind).then_some(unit)
}

/// The size of the pictures that a sequence parameter set (with its first byte) announces. `None` when it
/// is cut off, nonsense, or of a stream that not every phone plays.
pub(crate) fn picture_size(unit: &[u8]) -> Option<Size> {
    let mut bits = Bits::new(unit.get(1..)?);
    let profile = bits.take(8)?;
    bits.take(16)?;
    bits.unsigned()?;
    if matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135) {
        let (chroma, luma_bits, chroma_bits) = (bits.unsigned()?, bits.unsigned()?, bits.unsigned()?);
        if (chroma, luma_bits, chroma_bits) != (1, 0, 0) {
            return None;
        }
        bits.take(1)?;
        if bits.take(1)? == 1 {
            for list in 0..8 {
                if bits.take(1)? == 1 {
                    bits.scaling(if list < 6 { 16 } else { 64 })?;
                }
            }
        }
    }
    bits.unsigned()?;
    match bits.unsigned()? {
        0 => drop(bits.unsigned()?),
        1 => {
            bits.take(1)?;
            bits.unsigned()?;
            bits.unsigned()?;
            for _ in 0..Some(bits.unsigned()?).filter(|n| *n < 256)? {
                bits.unsigned()?;
            }
        }
        2 => {}
        _ => return None,
    }
    bits.unsigned()?;
    bits.take(1)?;
    let blocks = |n: u32| n.checked_add(1).filter(|n| *n <= 1024).map(|n| n * 16);
    let (width, height) = (blocks(bits.unsigned()?)?, blocks(bits.unsigned()?)?);
    let fields = 2 - bits.take(1)?;
    if fields == 2 {
        bits.take(1)?;
    }
    bits.take(1)?;
    let (mut across, mut down) = (0, 0);
    if bits.take(1)? == 1 {
        let mut edge = || bits.unsigned().filter(|n| *n < 16 * 1024);
        (across, down) = (edge()? + edge()?, edge()? + edge()?);
    }
    // Cropping counts in units of chroma, of which a field has every other row.
    let width = width.checked_sub(across * 2).filter(|w| *w > 0)?;
    let height = (height * fields).checked_sub(down * 2 * fields).filter(|h| *h > 0)?;
    Some((width, height))
}

/// The bits of a unit, without the bytes put in so that no start code appears.
struct Bits {
    bytes: Vec<u8>,
    at: usize,
}

impl Bits {
    fn new(unit: &[u8]) -> Self {
        let mut bytes: Vec<u8> = Vec::with_capacity(unit.len());
        let mut zeros = 0;
        for byte in unit {
            if zeros >= 2 && *byte == 3 {
                zeros = 0;
                continue;
            }
            zeros = if *byte == 0 { zeros + 1 } else { 0 };
            bytes.push(*byte);
        }
        Self { bytes, at: 0 }
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        (0..count).try_fold(0, |value: u32, _| {
            let byte = self.bytes.get(self.at / 8)?;
            let bit = byte >> (7 - self.at % 8) & 1;
            self.at += 1;
            Some(value << 1 | u32::from(bit))
        })
    }

    /// An Exp-Golomb number. Signed ones take the same bits.
    fn unsigned(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let rest = self.take(zeros)?;
        u32::try_from((1_u64 << zeros) - 1).ok()?.checked_add(rest)
    }

    fn signed(&mut self) -> Option<i64> {
        let coded = i64::from(self.unsigned()?);
        Some(if coded % 2 == 0 { -(coded / 2) } else { coded / 2 + 1 })
    }

    fn scaling(&mut self, count: usize) -> Option<()> {
        let (mut last, mut next) = (8_i64, 8_i64);
        for _ in 0..count {
            if next != 0 {
                next = (last + self.signed()? + 256).rem_euclid(256);
            }
            last = if next == 0 { last } else { next };
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes bits as an encoder would.
    #[derive(Default)]
    struct Writer(Vec<bool>);

    impl Writer {
        fn put(&mut self, value: u32, count: u32) -> &mut Self {
            self.0.extend((0..count).rev().map(|i| value >> i & 1 == 1));
            self
        }

        fn golomb(&mut self, value: u32) -> &mut Self {
            let length = 32 - (value + 1).leading_zeros();
            self.put(0, length - 1).put(value + 1, length)
        }

        fn unit(&mut self) -> Vec<u8> {
            self.put(1, 1);
            let bytes = self
                .0
                .chunks(8)
                .map(|c| c.iter().enumerate().fold(0, |b, (i, v)| b | u8::from(*v) << (7 - i)));
            let mut out = vec![0x67];
            for byte in bytes {
                if out.ends_with(&[0, 0]) && byte <= 3 {
                    out.push(3);
                }
                out.push(byte);
            }
            out
        }
    }

    fn sps(width: u32, height: u32, high: bool, fields: bool, crop: Option<[u32; 4]>) -> Vec<u8> {
        let mut w = Writer::default();
        w.put(if high { 100 } else { 66 }, 8).put(31, 16).golomb(0);
        if high {
            w.golomb(1).golomb(0).golomb(0).put(0, 1).put(1, 1);
            // One list of its own that ends early, the others as usual.
            w.put(1, 1).golomb(1).golomb(18);
            w.put(0, 7);
        }
        w.golomb(0).golomb(1).put(1, 1).golomb(3).golomb(4).golomb(2).golomb(5).golomb(6);
        w.golomb(4).put(0, 1).golomb(width - 1).golomb(height - 1);
        w.put(u32::from(!fields), 1);
        if fields {
            w.put(0, 1);
        }
        w.put(1, 1).put(u32::from(crop.is_some()), 1);
        for edge in crop.iter().flatten() {
            w.golomb(*edge);
        }
        w.put(0, 1).unit()
    }

    #[test]
    fn sizes_are_read_with_cropping_and_fields() {
        for high in [false, true] {
            assert_eq!(picture_size(&sps(45, 80, high, false, None)), Some((720, 1280)));
            assert_eq!(picture_size(&sps(120, 68, high, false, Some([0, 0, 0, 4]))), Some((1920, 1080)));
            assert_eq!(picture_size(&sps(120, 34, high, true, Some([0, 0, 0, 2]))), Some((1920, 1080)));
            assert_eq!(picture_size(&sps(1024, 1024, high, false, None)), Some((16384, 16384)));
        }
    }

    #[test]
    fn nonsense_has_no_size() {
        let good = sps(45, 80, true, false, Some([1, 1, 1, 1]));
        assert_eq!(picture_size(&good), Some((716, 1276)));
        for end in 0..good.len() - 1 {
            assert_eq!(picture_size(&good[..end]), None, "{end}");
        }
        assert_eq!(picture_size(&sps(1025, 1, false, false, None)), None);
        assert_eq!(picture_size(&sps(1, 1, false, false, Some([4, 4, 0, 0]))), None, "nothing is left");
        assert_eq!(picture_size(&[0; 40]), None);
        let mut dice = 7_u32;
        for _ in 0..20_000 {
            let mut bad = good.clone();
            for _ in 0..3 {
                dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = dice as usize / 256 % bad.len();
                bad[at] ^= 1 << (dice >> 29);
            }
            let _ = picture_size(&bad);
        }
    }

    #[test]
    fn a_description_holds_parameter_sets_and_nothing_more() {
        let set = |unit: &[u8]| [&(unit.len() as u16).to_be_bytes()[..], unit].concat();
        let of = |first: &[&[u8]], second: &[&[u8]], end: &[u8]| {
            let mut out = vec![1, 100, 0, 31, 0xFF, 0xE0 | first.len() as u8];
            first.iter().for_each(|unit| out.extend(set(unit)));
            out.push(second.len() as u8);
            second.iter().for_each(|unit| out.extend(set(unit)));
            [&out[..], end].concat()
        };
        let (a, b) = (sps(45, 80, true, false, None), sps(45, 81, true, false, None));
        let pps: &[u8] = &[0x68, 0xCE, 0x3C];
        assert_eq!(description(&of(&[&a], &[pps], &[])), Ok((720, 1280)));
        assert_eq!(description(&of(&[&a, &a], &[pps, pps], &[0xFD, 0xF8, 0xF8, 0])), Ok((720, 1280)));
        assert_eq!(description(&of(&[&a, &b], &[pps], &[])), Err(MediaError::Unreadable));
        assert_eq!(description(&of(&[], &[pps], &[])), Err(MediaError::Unreadable));
        assert_eq!(description(&of(&[&a], &[], &[])), Err(MediaError::Unreadable));
        assert_eq!(description(&of(&[&a], &[&a], &[])), Err(MediaError::Unreadable));
        let note = description(&of(&[&a], &[pps], b"35.9N"));
        assert_eq!(note, Err(MediaError::NotStripped { what: "avcC".into() }));
        let whole = of(&[&a], &[pps], &[]);
        for end in 0..whole.len() {
            assert_eq!(description(&whole[..end]), Err(MediaError::Unreadable), "{end}");
        }
    }
}
