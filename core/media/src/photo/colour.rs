//! Colour profiles: to sRGB where a profile says that the colours are not. Phones write Display P3, and a
//! wound's red must not fade because a tag was stripped. Profiles of grey or CMYK pictures are not applied.

use super::decode::{Picture, Space};
use crate::MediaError;
use moxcms::{ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};
use std::sync::Arc;

/// Brings RGB pixels from one profile to sRGB.
pub(super) struct Profile(Arc<Transform8BitExecutor>);

/// Largest difference, in levels of 255, at which two colour spaces count as the same.
const SAME: u8 = 2;

impl Profile {
    /// The way to sRGB, or `None` where there is nothing to do: the profile is sRGB under whatever name,
    /// is not for RGB, or cannot be understood (the colours then stay as they are).
    pub(super) fn unlike_srgb(icc: &[u8]) -> Option<Self> {
        let source = ColorProfile::new_from_slice(icc).ok()?;
        if source.color_space != DataColorSpace::Rgb {
            return None;
        }
        let transform = source
            .create_transform_8bit(
                Layout::Rgb,
                &ColorProfile::new_srgb(),
                Layout::Rgb,
                TransformOptions::default(),
            )
            .ok()?;
        let step = |i: usize| u8::try_from(i * 51).unwrap_or(u8::MAX);
        let probe: Vec<u8> = (0..216).flat_map(|i| [step(i / 36), step(i / 6 % 6), step(i % 6)]).collect();
        let mut seen = vec![0; probe.len()];
        transform.transform(&probe, &mut seen).ok()?;
        probe.iter().zip(&seen).any(|(a, b)| a.abs_diff(*b) > SAME).then_some(Self(transform))
    }

    /// Converts a picture in place.
    pub(super) fn to_srgb(&self, picture: &mut Picture) -> Result<(), MediaError> {
        if picture.space != Space::Rgb {
            return Ok(());
        }
        let mut out = vec![0; picture.pixels.len()];
        self.0.transform(&picture.pixels, &mut out).map_err(|_| MediaError::Unreadable)?;
        picture.pixels = out;
        Ok(())
    }
}
