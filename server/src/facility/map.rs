//! The overview map: positions scaled to their bounding box. Pure; no tiles, no third party.

use renraku_wire::MapPosition;

/// Width of the picture, in its own units.
pub const WIDTH: f64 = 600.0;
/// Height of the picture.
pub const HEIGHT: f64 = 400.0;
const MARGIN: f64 = 30.0;

/// Where each place lies in the picture, north up, with equal scales east and north.
#[must_use]
pub fn project(places: &[MapPosition]) -> Vec<(f64, f64)> {
    let Some(first) = places.first() else { return vec![] };
    let (mut south, mut north) = (first.latitude, first.latitude);
    let (mut west, mut east) = (first.longitude, first.longitude);
    for place in places {
        south = south.min(place.latitude);
        north = north.max(place.latitude);
        west = west.min(place.longitude);
        east = east.max(place.longitude);
    }
    let (middle_north, middle_east) = (f64::midpoint(south, north), f64::midpoint(west, east));
    // A degree of longitude is shorter by the cosine of the latitude.
    let shrink = middle_north.to_radians().cos();
    let (wide, high) = ((east - west) * shrink, north - south);
    let fit = |room: f64, extent: f64| if extent > 0.0 { room / extent } else { f64::INFINITY };
    let scale = fit(WIDTH - 2.0 * MARGIN, wide).min(fit(HEIGHT - 2.0 * MARGIN, high));
    let scale = if scale.is_finite() { scale } else { 0.0 };
    places
        .iter()
        .map(|p| {
            let x = WIDTH / 2.0 + (p.longitude - middle_east) * shrink * scale;
            let y = HEIGHT / 2.0 - (p.latitude - middle_north) * scale;
            (x, y)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> MapPosition {
        MapPosition { latitude, longitude }
    }

    #[test]
    fn north_is_up_and_all_lie_inside() {
        assert!(project(&[]).is_empty());
        assert_eq!(project(&[at(35.9, 138.0)]), [(WIDTH / 2.0, HEIGHT / 2.0)]);
        let same = project(&[at(35.9, 138.0), at(35.9, 138.0)]);
        assert_eq!(same[0], same[1]);
        let places = [at(35.90, 137.95), at(35.95, 138.05), at(35.91, 138.00)];
        let drawn = project(&places);
        assert!(drawn[1].1 < drawn[0].1, "the northern one is higher");
        assert!(drawn[1].0 > drawn[0].0, "the eastern one is to the right");
        for (x, y) in &drawn {
            assert!((MARGIN - 0.01..=WIDTH - MARGIN + 0.01).contains(x), "{x}");
            assert!((MARGIN - 0.01..=HEIGHT - MARGIN + 0.01).contains(y), "{y}");
        }
        // The box fills the picture in one direction.
        let wide = drawn[1].0 - drawn[0].0;
        let high = drawn[0].1 - drawn[1].1;
        assert!(
            (wide - (WIDTH - 2.0 * MARGIN)).abs() < 0.01 || (high - (HEIGHT - 2.0 * MARGIN)).abs() < 0.01
        );
    }
}
