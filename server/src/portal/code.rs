//! An address as a 2-D code, to be photographed from a screen or from paper.

use crate::error::AppError;
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Modules of quiet margin that readers need on each side.
const QUIET: usize = 4;

/// The text as a QR code: an `<svg>` for a page, dark on white whatever the page's colours, without a
/// style or a script. It has no name for assistive technology: the page names it and shows the text too.
///
/// # Errors
/// The text is too long for a code.
pub fn svg(text: &str) -> Result<String, AppError> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M)
        .map_err(|e| AppError::internal(format!("no 2-D code can be made: {e}")))?;
    let side = code.width();
    let whole = side + 2 * QUIET;
    let mut path = String::new();
    for (place, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            // Writing to a string cannot fail.
            let _ = write!(path, "M{} {}h1v1h-1z", place % side + QUIET, place / side + QUIET);
        }
    }
    Ok(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {whole} {whole}\" width=\"240\" height=\"240\" \
         shape-rendering=\"crispEdges\" aria-hidden=\"true\" focusable=\"false\">\
         <path fill=\"#fff\" d=\"M0 0h{whole}v{whole}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader that nobody here wrote sees in the picture.
    fn read(svg: &str) -> String {
        let whole: usize =
            svg.split("viewBox=\"0 0 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let path = svg.rsplit("d=\"").next().unwrap().split('"').next().unwrap();
        let mut dark = vec![false; whole * whole];
        for module in path.split('M').filter(|m| !m.is_empty()) {
            let (x, y) = module.split_once("h1v1h-1z").unwrap().0.split_once(' ').unwrap();
            dark[y.parse::<usize>().unwrap() * whole + x.parse::<usize>().unwrap()] = true;
        }
        let zoom = 4;
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(whole * zoom, whole * zoom, |x, y| {
            if dark[y / zoom * whole + x / zoom] { 0 } else { 255 }
        });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_reader_finds_the_address() {
        for text in ["https://portal.example.invalid/minowa", "https://127.0.0.1:8443/one", "架空町"] {
            assert_eq!(read(&svg(text).unwrap()), text);
        }
        assert!(svg(&"a".repeat(5_000)).is_err());
    }
}
