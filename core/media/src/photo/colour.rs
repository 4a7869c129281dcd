//! Colour profiles: to sRGB where a profile says that the colours are not. Phones write Display P3, and a
//! wound's red must not fade because a tag was stripped. Scanners profile greys, printers inks.

use super::decode::{Picture, Space};
use super::memory::Memory;
use crate::MediaError;
use moxcms::{ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};
use std::sync::Arc;

/// Brings pixels from one profile to sRGB.
pub(super) enum Profile {
    /// Red, green, blue.
    Rgb(Arc<Transform8BitExecutor>),
    /// What each of the 256 greys is in sRGB.
    Grey(Box<[u8; 256]>),
    /// Four inks, 255 for paper without ink as JPEG stores it.
    Ink(Arc<Transform8BitExecutor>),
}

/// Largest difference, in levels of 255, at which two colour spaces count as the same.
const SAME: u8 = 2;

impl Profile {
    /// The way to sRGB for pixels of `space`, or `None` where there is nothing to do: the profile is sRGB
    /// under whatever name, is for other pixels, or cannot be understood (the colours then stay as they are).
    pub(super) fn unlike_srgb(icc: &[u8], space: Space) -> Option<Self> {
        let source = ColorProfile::new_from_slice(icc).ok()?;
        let from = |layout| {
            let options = TransformOptions::default();
            source.create_transform_8bit(layout, &ColorProfile::new_srgb(), Layout::Rgb, options).ok()
        };
        match (space, source.color_space) {
            (Space::Rgb | Space::Ycc, DataColorSpace::Rgb) => {
                let transform = from(Layout::Rgb)?;
                let step = |i: usize| u8::try_from(i * 51).unwrap_or(u8::MAX);
                let probe: Vec<u8> =
                    (0..216).flat_map(|i| [step(i / 36), step(i / 6 % 6), step(i % 6)]).collect();
                let mut seen = vec![0; probe.len()];
                transform.transform(&probe, &mut seen).ok()?;
                probe.iter().zip(&seen).any(|(a, b)| a.abs_diff(*b) > SAME).then_some(Self::Rgb(transform))
            }
            (Space::Luma, DataColorSpace::Gray) => {
                let greys: [u8; 256] = std::array::from_fn(|i| i as u8);
                let mut seen = [0; 768];
                from(Layout::Gray)?.transform(&greys, &mut seen).ok()?;
                let table: [u8; 256] = std::array::from_fn(|i| seen[i * 3 + 1]);
                let differs = greys.iter().zip(&table).any(|(a, b)| a.abs_diff(*b) > SAME);
                differs.then(|| Self::Grey(Box::new(table)))
            }
            // Four channels of eight bits are this library's RGBA, whatever they mean.
            (Space::Ink, DataColorSpace::Cmyk) => Some(Self::Ink(from(Layout::Rgba)?)),
            _ => None,
        }
    }

    /// Converts a picture in place.
    pub(super) fn to_srgb(&self, picture: &mut Picture) -> Result<(), MediaError> {
        match (self, picture.space) {
            (Self::Grey(table), Space::Luma) => {
                picture.pixels.iter_mut().for_each(|v| *v = table[usize::from(*v)]);
            }
            (Self::Rgb(transform), Space::Rgb) => {
                let mut out = Memory::zeroed(picture.pixels.len() as u64)?;
                transform.transform(&picture.pixels, &mut out).map_err(|_| MediaError::Unreadable)?;
                picture.pixels = out;
            }
            (Self::Ink(transform), Space::Ink) => {
                let mut out = Memory::zeroed(picture.pixels.len() as u64 / 4 * 3)?;
                picture.pixels.iter_mut().for_each(|v| *v = 255 - *v);
                transform.transform(&picture.pixels, &mut out).map_err(|_| MediaError::Unreadable)?;
                (picture.pixels, picture.space) = (out, Space::Rgb);
            }
            _ => return Err(MediaError::Unreadable),
        }
        Ok(())
    }
}
