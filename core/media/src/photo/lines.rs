//! Lines for the encoder, as it wants them: its own way takes pixel by pixel, and every sample of a colour by itself.

use jpeg_encoder::{ImageBuffer, JpegColorType};

/// A picture in JPEG's own colours, of which the encoder takes every second sample of every second line: there lies
/// the mean of the four around it, rounded up and down in turns.
pub(super) struct Ycc<'a> {
    pub pixels: &'a [[u8; 3]],
    pub width: u16,
    pub height: u16,
}

impl<'a> Ycc<'a> {
    fn line(&self, y: u16) -> &'a [[u8; 3]] {
        let width = usize::from(self.width);
        &self.pixels[usize::from(y) * width..][..width]
    }
}

impl ImageBuffer for Ycc<'_> {
    fn get_jpeg_color_type(&self) -> JpegColorType {
        JpegColorType::Ycbcr
    }

    fn width(&self) -> u16 {
        self.width
    }

    fn height(&self) -> u16 {
        self.height
    }

    fn fill_buffers(&self, y: u16, planes: &mut [Vec<u8>; 4]) {
        let line = self.line(y);
        // The encoder repeats the last line until a block is full.
        let last = y + 1 == self.height;
        let below = if last { line } else { self.line(y + 1) };
        let [luma, blue, red, _] = planes;
        luma.extend(line.iter().map(|pixel| pixel[0]));
        for (plane, c) in [(blue, 1), (red, 2)] {
            let from = plane.len();
            plane.resize(from + line.len(), 0);
            let plane = &mut plane[from..];
            if y.is_multiple_of(2) || last {
                means(plane, line, below, c);
            }
        }
    }
}

fn means(plane: &mut [u8], line: &[[u8; 3]], below: &[[u8; 3]], c: usize) {
    let sum = |x: usize| u16::from(line[x][c]) + u16::from(below[x][c]);
    let pairs = line.as_chunks::<2>().0.iter().zip(below.as_chunks::<2>().0);
    for (i, (out, (above, below))) in plane.as_chunks_mut::<2>().0.iter_mut().zip(pairs).enumerate() {
        let four = [above[0], above[1], below[0], below[1]].map(|pixel| u16::from(pixel[c]));
        out[0] = ((four[0] + four[1] + four[2] + four[3] + 1 + (i & 1) as u16) / 4) as u8;
    }
    // The last sample stands for those that a block has beyond the edge, and in an odd line for itself.
    if let (Some(out), Some(x)) = (plane.last_mut(), line.len().checked_sub(1)) {
        *out = ((2 * sum(x) + 2) / 4) as u8;
    }
}
