//! The light look at consents.
#![allow(clippy::unwrap_used, reason = "a test may stop here")]

use renraku_media::document::{DocumentKind, verify};
use renraku_media::{MediaError, fixture};

const MAX: usize = 1_000_000;

const PDF: &[u8] =
    b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\nxref\n0 1\ntrailer<</Root 1 0 R>>\nstartxref\n40\n%%EOF\n";

fn png() -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(40, 30).write_to(&mut out, image::ImageFormat::Png).unwrap();
    out.into_inner()
}

#[test]
fn the_three_kinds_are_known() {
    let jpeg = fixture::jpeg(&fixture::heel(1, 80, 60), 80, 60, 80);
    assert_eq!(verify(PDF, MAX), Ok(DocumentKind::Pdf));
    assert_eq!(verify(&jpeg, MAX), Ok(DocumentKind::Jpeg));
    assert_eq!(verify(&fixture::tagged(&jpeg, 6, None), MAX), Ok(DocumentKind::Jpeg));
    assert_eq!(verify(&png(), MAX), Ok(DocumentKind::Png));
    assert_eq!(DocumentKind::Pdf.media_type(), "application/pdf");
}

#[test]
fn cut_off_or_foreign_is_refused() {
    let jpeg = fixture::jpeg(&fixture::heel(1, 80, 60), 80, 60, 80);
    for whole in [PDF, &jpeg, &png()] {
        for part in [0, 10, 50, 90] {
            assert_eq!(verify(&whole[..whole.len() * part / 100], MAX), Err(MediaError::Unreadable));
        }
    }
    for other in
        [&b"<html>%PDF-1.7 startxref %%EOF"[..], b"PK\x03\x04", b"GIF89a", b"%PDF-x.y startxref 1 %%EOF"]
    {
        assert_eq!(verify(other, MAX), Err(MediaError::Unreadable));
    }
    let trailing = [&png()[..], b"more"].concat();
    assert_eq!(verify(&trailing, MAX), Err(MediaError::Unreadable));
}

#[test]
fn size_and_pixels_are_limited() {
    assert_eq!(verify(PDF, 20), Err(MediaError::TooLarge { what: "bytes", limit: 20 }));
    let mut bomb = png();
    bomb[16..24].copy_from_slice(&[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
    assert!(matches!(verify(&bomb, MAX), Err(MediaError::TooLarge { what: "pixels", .. })));
}
