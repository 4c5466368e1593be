//! From lines to pixels, with the normalisation of MNIST.

use chacha20::ChaCha8Rng;

use super::curve::Point;
use super::hand::Pen;
use super::{SIZE, uniform};

/// Side of the box that the ink fits.
const BOX: usize = 20;

type Ink = [[f32; BOX]; BOX];

/// Inks `strokes` into `image`: scaled to fit the box, then moved by whole pixels until the centre of mass lies in the
/// centre of the image.
pub(crate) fn ink(strokes: &[Vec<Point>], pen: &Pen, rng: &mut ChaCha8Rng, image: &mut [u8]) {
    let widest = pen.radius * (1.0 + pen.pressure) + 0.5 * pen.softness;
    let place = fit(strokes, widest);
    let mut ink = [[0.0; BOX]; BOX];
    for stroke in strokes {
        for (i, ends) in stroke.windows(2).enumerate() {
            let pressure = 1.0 + pen.pressure * libm::sinf(pen.phase + 0.1 * i as f32);
            segment(place(ends[0]), place(ends[1]), pen.radius * pressure, pen.softness, &mut ink);
        }
    }
    let [left, top] = centring(&ink);
    for (y, row) in ink.iter().enumerate() {
        for (x, &cover) in row.iter().enumerate().filter(|(_, cover)| **cover > 0.0) {
            let missing = uniform(rng, 0.0, pen.noise);
            image[(top + y) * SIZE + left + x] = (255.0 * cover * (1.0 - missing) + 0.5) as u8;
        }
    }
}

/// The map that scales the strokes, widened by `margin` pixels on every side, to fit the box, keeping their
/// proportions.
fn fit(strokes: &[Vec<Point>], margin: f32) -> impl Fn(Point) -> Point {
    let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
    for point in strokes.iter().flatten() {
        for k in 0..2 {
            low[k] = low[k].min(point[k]);
            high[k] = high[k].max(point[k]);
        }
    }
    let longest = (high[0] - low[0]).max(high[1] - low[1]).max(1e-12); // of a dot
    let scale = (BOX as f32 - 2.0 * margin) / longest;
    move |point| [0, 1].map(|k| scale * (point[k] - 0.5 * (low[k] + high[k])) + 0.5 * BOX as f32)
}

/// Inks the line from `a` to `b`. A pixel's cover falls from 1 to 0 over `softness` around the distance `radius`; where
/// lines overlap, the darker counts.
fn segment(a: Point, b: Point, radius: f32, softness: f32, ink: &mut Ink) {
    let reach = radius + 0.5 * softness;
    let pixels = |k: usize| {
        let from = (a[k].min(b[k]) - reach).max(0.0) as usize;
        let to = (a[k].max(b[k]) + reach + 1.0).clamp(0.0, BOX as f32) as usize;
        from..to
    };
    let along = [b[0] - a[0], b[1] - a[1]];
    let length_squared = (along[0] * along[0] + along[1] * along[1]).max(1e-12);
    for y in pixels(1) {
        for x in pixels(0) {
            let to = [x as f32 + 0.5 - a[0], y as f32 + 0.5 - a[1]];
            let t = ((to[0] * along[0] + to[1] * along[1]) / length_squared).clamp(0.0, 1.0);
            let off = [to[0] - t * along[0], to[1] - t * along[1]];
            let distance = (off[0] * off[0] + off[1] * off[1]).sqrt();
            let cover = ((reach - distance) / softness).clamp(0.0, 1.0);
            ink[y][x] = ink[y][x].max(cover);
        }
    }
}

/// Column and row of the image for the box's corner, so that the centre of mass comes as near the image's centre as
/// whole pixels and the border allow.
fn centring(ink: &Ink) -> [usize; 2] {
    let (mut mass, mut moment) = (0.0, [0.0; 2]);
    for (y, row) in ink.iter().enumerate() {
        for (x, &cover) in row.iter().enumerate() {
            mass += cover;
            moment = [moment[0] + cover * (x as f32 + 0.5), moment[1] + cover * (y as f32 + 0.5)];
        }
    }
    moment.map(|m| (0.5 * SIZE as f32 - m / mass + 0.5).clamp(0.0, (SIZE - BOX) as f32) as usize)
}
