//! Films with more light and colour than usual screens show (HDR: PQ or HLG in BT.2020), brought to what they
//! do show (BT.709), so that skin looks like skin on the oldest PC of a care home. One table for all pictures
//! of a film; no filter that a phone's FFmpeg might lack.

use crate::MediaError;
use ffmpeg::color::{Primaries, Space, TransferCharacteristic};
use ffmpeg::{format, frame};
use ffmpeg_next as ffmpeg;

/// How light is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    /// Perceptual quantiser (SMPTE ST 2084): absolute, up to 10,000 candela per square metre.
    Pq,
    /// Hybrid log-gamma (ARIB STD-B67), what phones record.
    Hlg,
}

/// Which one a film uses, `None` for a usual film. `dolby` is its Dolby Vision record, if there is one.
///
/// Errors: `Unsupported` where the picture would come out in wrong colours.
pub(super) fn curve(
    (space, _, transfer): &(Space, Primaries, TransferCharacteristic),
    dolby: Option<&[u8]>,
) -> Result<Option<Curve>, MediaError> {
    // Profile 5 has no picture in plain colours beneath; the others carry HDR or a usual film.
    if dolby.is_some_and(|record| record.get(2) == Some(&5)) {
        return Err(MediaError::Unsupported { what: "Dolby Vision without a plain picture" });
    }
    let curve = match transfer {
        TransferCharacteristic::SMPTE2084 => Curve::Pq,
        TransferCharacteristic::ARIB_STD_B67 => Curve::Hlg,
        _ => return Ok(None),
    };
    match space {
        Space::BT2020NCL | Space::Unspecified => Ok(Some(curve)),
        _ => Err(MediaError::Unsupported { what: "HDR in an unusual colour space" }),
    }
}

/// Steps of the table: luma is bent most.
const LUMA: usize = 65;
const CHROMA: usize = 33;
/// What ten bits have between two steps.
const LUMA_STEP: usize = 1024 / (LUMA - 1);
const CHROMA_STEP: usize = 1024 / (CHROMA - 1);
/// Light of a white sheet in an HDR picture, and the brightest that is told apart, in candela per square metre.
const WHITE: f32 = 203.0;
const PEAK: f32 = 1000.0 / WHITE;

/// The table for a curve: from ten-bit Y, Cb, Cr to eight-bit ones, in 64ths.
pub(super) struct Tone {
    table: Vec<[i32; 3]>,
    /// How the toned picture lies in memory.
    pixel: format::Pixel,
}

impl Tone {
    /// For pictures in [`format::Pixel::YUV420P`] or `NV12`.
    pub fn new(curve: Curve, pixel: format::Pixel) -> Self {
        let step = |i: usize, by: usize| (i * by) as f32;
        let nodes = (0..LUMA * CHROMA * CHROMA).map(|i| {
            let (y, cb, cr) = (i % LUMA, i / LUMA % CHROMA, i / LUMA / CHROMA);
            shown(curve, [step(y, LUMA_STEP), step(cb, CHROMA_STEP), step(cr, CHROMA_STEP)])
                .map(|v| (v * 64.0).round() as i32)
        });
        Self { table: nodes.collect(), pixel }
    }

    /// Where the four columns around a colour begin, and their weights, which sum up to the step squared.
    fn columns(&self, cb: u16, cr: u16) -> [(&[[i32; 3]], i32); 4] {
        let split = |v: u16| {
            let v = usize::from(v.min(1023));
            (v / CHROMA_STEP, (v % CHROMA_STEP) as i32)
        };
        let ((b, db), (r, dr)) = (split(cb), split(cr));
        let whole = CHROMA_STEP as i32;
        [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| {
            let start = ((r + j) * CHROMA + b + i) * LUMA;
            let weight = (if i == 1 { db } else { whole - db }) * (if j == 1 { dr } else { whole - dr });
            (&self.table[start..start + LUMA], weight)
        })
    }

    /// The picture in eight bits of BT.709. Wants ten bits, 4:2:0, limited range.
    pub fn map(&self, from: &frame::Video) -> Result<frame::Video, MediaError> {
        let (width, height) = (from.width() as usize, from.height() as usize);
        if from.format() != format::Pixel::YUV420P10LE || width == 0 || height == 0 || !is_readable(from, 3) {
            return Err(MediaError::Unreadable);
        }
        let mut to = frame::Video::new(self.pixel, from.width(), from.height());
        let is_paired = self.pixel == format::Pixel::NV12;
        if to.planes() < if is_paired { 2 } else { 3 } {
            return Err(MediaError::Io(std::io::ErrorKind::OutOfMemory));
        }
        let across = width.div_ceil(2);
        let mut pairs = vec![0; across * 2];
        let mut mapped = [vec![0_u8; width * 2], vec![0; across], vec![0; across]];
        for pair in 0..height.div_ceil(2) {
            let row = |plane: usize, y: usize| {
                let start = y * from.stride(plane);
                from.data(plane)[start..].as_chunks::<2>().0
            };
            let second = (pair * 2 + 1).min(height - 1);
            let (upper, lower) = (row(0, pair * 2), row(0, second));
            let (blue, red) = (row(1, pair), row(2, pair));
            for x in 0..across {
                let columns = self.columns(u16::from_le_bytes(blue[x]), u16::from_le_bytes(red[x]));
                let other = (x * 2 + 1).min(width - 1);
                let lumas = [upper[x * 2], upper[other], lower[x * 2], lower[other]].map(u16::from_le_bytes);
                for (place, luma) in [x * 2, other, width + x * 2, width + other].into_iter().zip(lumas) {
                    mapped[0][place] = at(&columns, luma, 0);
                }
                let mean = (lumas.iter().map(|l| u32::from(*l)).sum::<u32>() / 4) as u16;
                mapped[1][x] = at(&columns, mean, 1);
                mapped[2][x] = at(&columns, mean, 2);
            }
            let mut put = |plane: usize, y: usize, values: &[u8]| {
                let start = y * to.stride(plane);
                to.data_mut(plane)[start..][..values.len()].copy_from_slice(values);
            };
            put(0, second, &mapped[0][width..]);
            put(0, pair * 2, &mapped[0][..width]);
            if is_paired {
                for (both, x) in pairs.as_chunks_mut::<2>().0.iter_mut().zip(0..) {
                    *both = [mapped[1][x], mapped[2][x]];
                }
                put(1, pair, &pairs);
            } else {
                put(1, pair, &mapped[1]);
                put(2, pair, &mapped[2]);
            }
        }
        to.set_pts(from.pts());
        to.set_color_space(Space::BT709);
        to.set_color_primaries(Primaries::BT709);
        to.set_color_transfer_characteristic(TransferCharacteristic::BT709);
        to.set_color_range(ffmpeg::color::Range::MPEG);
        Ok(to)
    }
}

/// Whether so many planes of a picture can be read as slices: rows that lie from the bottom up, as FFmpeg turns pictures
/// over, would be read from where nothing is.
pub(super) fn is_readable(frame: &frame::Video, planes: usize) -> bool {
    frame.planes() >= planes && (0..planes).all(|plane| frame.stride(plane) <= i32::MAX as usize)
}

/// One of the three values for a luma between the table's steps.
fn at(columns: &[(&[[i32; 3]], i32); 4], luma: u16, value: usize) -> u8 {
    let luma = usize::from(luma.min(1023));
    let (low, more) = (luma / LUMA_STEP, (luma % LUMA_STEP) as i32);
    let sum: i32 = columns
        .iter()
        .map(|(column, weight)| {
            let (a, b) = (column[low][value], column[low + 1][value]);
            (a * (LUMA_STEP as i32 - more) + b * more) * weight
        })
        .sum();
    let scale = 64 * (LUMA_STEP * CHROMA_STEP * CHROMA_STEP) as i32;
    ((sum + scale / 2) / scale).clamp(0, 255) as u8
}

/// What a usual screen is to show, as eight-bit Y, Cb, Cr.
fn shown(curve: Curve, [y, cb, cr]: [f32; 3]) -> [f32; 3] {
    let (y, cb, cr) = ((y - 64.0) / 876.0, (cb - 512.0) / 896.0, (cr - 512.0) / 896.0);
    let coded = [y + 1.4746 * cr, y - 0.164_553 * cb - 0.571_353 * cr, y + 1.8814 * cb];
    let coded = coded.map(|v| v.clamp(0.0, 1.0));
    // Light in multiples of a white sheet's.
    let light = match curve {
        Curve::Pq => coded.map(|v| pq(v) * 10_000.0 / WHITE),
        Curve::Hlg => {
            let scene = coded.map(hlg);
            let whole = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2];
            scene.map(|v| v * whole.powf(0.2) * PEAK)
        }
    };
    let strongest = light.iter().fold(0.0_f32, |a, b| a.max(*b));
    let dimmed = if strongest > 0.0 { dim(strongest.min(PEAK)) / strongest } else { 1.0 };
    let [r, g, b] = light.map(|v| v * dimmed);
    // From BT.2020's colours to BT.709's; what lies outside is cut to the nearest.
    let narrow = [
        1.6605 * r - 0.5876 * g - 0.0728 * b,
        -0.1246 * r + 1.1329 * g - 0.0083 * b,
        -0.0182 * r - 0.1006 * g + 1.1187 * b,
    ];
    let [r, g, b] = narrow.map(|v| v.clamp(0.0, 1.0).powf(1.0 / 2.4));
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    [16.0 + 219.0 * y, 128.0 + 224.0 * (b - y) / 1.8556, 128.0 + 224.0 * (r - y) / 1.5748]
}

/// Light of a PQ value, 1 for 10,000 candela per square metre.
fn pq(v: f32) -> f32 {
    let (m1, m2) = (2610.0 / 16384.0, 2523.0 / 32.0);
    let (c1, c2, c3) = (3424.0 / 4096.0, 2413.0 / 128.0, 2392.0 / 128.0);
    let p = v.powf(1.0 / m2);
    ((p - c1).max(0.0) / (c2 - c3 * p)).powf(1.0 / m1)
}

/// Light before the lens of an HLG value, 0 to 1.
fn hlg(v: f32) -> f32 {
    let (a, b, c) = (0.178_832_77, 0.284_668_92, 0.559_910_7);
    if v <= 0.5 { v * v / 3.0 } else { (((v - c) / a).exp() + b) / 12.0 }
}

/// Keeps light up to three tenths of white as it is and bends the rest, so that [`PEAK`] becomes 1.
fn dim(light: f32) -> f32 {
    let knee = 0.3;
    if light <= knee {
        return light;
    }
    let a = -knee * knee * (PEAK - 1.0) / (knee * knee - 2.0 * knee + PEAK);
    let b = (knee * knee - 2.0 * knee * PEAK + PEAK) / (PEAK - 1.0);
    (b * b + 2.0 * b * knee + knee * knee) / (b - a) * (light + a) / (light + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(curve: Curve, [y, cb, cr]: [u16; 3]) -> [u8; 3] {
        let mut frame = frame::Video::new(format::Pixel::YUV420P10LE, 34, 18);
        for (plane, value) in [y, cb, cr].into_iter().enumerate() {
            frame.data_mut(plane).as_chunks_mut::<2>().0.fill(value.to_le_bytes());
        }
        let out = Tone::new(curve, format::Pixel::YUV420P).map(&frame).unwrap();
        assert_eq!((out.width(), out.height(), out.format()), (34, 18, format::Pixel::YUV420P));
        let seen = [0, 1, 2].map(|plane| out.data(plane)[0]);
        for (plane, (w, h)) in [(0, (34, 18)), (1, (17, 9)), (2, (17, 9))] {
            for y in 0..h {
                let row = &out.data(plane)[y * out.stride(plane)..][..w];
                assert!(row.iter().all(|v| *v == seen[plane]), "{plane} {y} {row:?}");
            }
        }
        seen
    }

    #[test]
    fn black_white_and_brighter() {
        for curve in [Curve::Hlg, Curve::Pq] {
            assert_eq!(flat(curve, [64, 512, 512]), [16, 128, 128]);
            assert_eq!(flat(curve, [940, 512, 512]), [235, 128, 128]);
        }
        // A white sheet: 75 % in HLG, 58 % in PQ, both 203 candela. On a usual screen nearly, not quite white.
        for (curve, level) in [(Curve::Hlg, 0.75), (Curve::Pq, 0.5807)] {
            let [y, cb, cr] = flat(curve, [(64.0_f32 + 876.0 * level).round() as u16, 512, 512]);
            assert!((198..=208).contains(&y) && cb == 128 && cr == 128, "{curve:?} {y} {cb} {cr}");
        }
    }

    #[test]
    fn brighter_stays_brighter_and_grey_stays_grey() {
        for curve in [Curve::Hlg, Curve::Pq] {
            let tone = Tone::new(curve, format::Pixel::YUV420P);
            let columns = tone.columns(512, 512);
            let ramp: Vec<u8> = (64..=940).map(|y| at(&columns, y, 0)).collect();
            assert!(ramp.windows(2).all(|w| w[0] <= w[1]), "{ramp:?}");
            assert!((64..=940).all(|y| at(&columns, y, 1) == 128 && at(&columns, y, 2) == 128));
            let exact = (64..=940_u16).map(|y| shown(curve, [f32::from(y), 512.0, 512.0])[0]);
            let off = ramp.iter().zip(exact).map(|(a, b)| (f32::from(*a) - b).abs()).fold(0.0, f32::max);
            assert!(off < 4.0, "{curve:?}: the table is off by {off}");
        }
    }

    #[test]
    fn colours_keep_their_hue() {
        // BT.2020 red, green, blue at three quarters, by the standard's formula.
        let coded = |r: f32, g: f32, b: f32| {
            let y = 0.2627 * r + 0.6780 * g + 0.0593 * b;
            [64.0 + 876.0 * y, 512.0 + 896.0 * (b - y) / 1.8814, 512.0 + 896.0 * (r - y) / 1.4746]
                .map(|v| v.round() as u16)
        };
        let rgb = |[y, cb, cr]: [u8; 3]| {
            let (y, cb, cr) = (
                (f32::from(y) - 16.0) / 219.0,
                (f32::from(cb) - 128.0) / 224.0,
                (f32::from(cr) - 128.0) / 224.0,
            );
            [y + 1.5748 * cr, y - 0.1873 * cb - 0.4681 * cr, y + 1.8556 * cb]
        };
        for curve in [Curve::Hlg, Curve::Pq] {
            let [r, g, b] = rgb(flat(curve, coded(0.6, 0.1, 0.1)));
            assert!(r > 0.5 && g < 0.3 && b < 0.3, "{curve:?} {r} {g} {b}");
            let [r, g, b] = rgb(flat(curve, coded(0.1, 0.1, 0.6)));
            assert!(b > 0.4 && r < 0.35 && g < 0.35, "{curve:?} {r} {g} {b}");
            // Skin: red before green before blue.
            let [r, g, b] = rgb(flat(curve, coded(0.62, 0.52, 0.45)));
            assert!(r > g + 0.05 && g > b + 0.03, "{curve:?} {r} {g} {b}");
        }
    }

    #[test]
    fn which_films_are_meant() {
        let of = |space, transfer, dolby: Option<&[u8]>| curve(&(space, Primaries::BT2020, transfer), dolby);
        use TransferCharacteristic as T;
        assert_eq!(of(Space::BT709, T::BT709, None), Ok(None));
        assert_eq!(of(Space::BT2020NCL, T::SMPTE2084, None), Ok(Some(Curve::Pq)));
        assert_eq!(of(Space::Unspecified, T::ARIB_STD_B67, None), Ok(Some(Curve::Hlg)));
        assert!(matches!(of(Space::ICTCP, T::SMPTE2084, None), Err(MediaError::Unsupported { .. })));
        let record = |profile: u8| [1, 0, profile, 5, 1, 0, 1, 4];
        assert_eq!(of(Space::BT2020NCL, T::ARIB_STD_B67, Some(&record(8))), Ok(Some(Curve::Hlg)));
        assert!(matches!(
            of(Space::Unspecified, T::Unspecified, Some(&record(5))),
            Err(MediaError::Unsupported { .. })
        ));
    }
}
