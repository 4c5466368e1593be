//! A writer's hand: how steadily, how slanted and with which pen.

use std::f32::consts::TAU;

use chacha20::ChaCha8Rng;

use super::curve::Point;
use super::{bell, uniform};

/// What all strokes of one image have in common.
pub(crate) struct Hand {
    /// Standard deviation of each coordinate of a stroke's points, in heights of the digit.
    unsteadiness: f32,
    /// Rows of the matrix that turns, slants and stretches.
    affine: [Point; 2],
    waves: [Wave; 3],
    pub(crate) pen: Pen,
}

/// Smooth elastic deformation: points move by `amplitude * sin(frequency · point + phase)`.
struct Wave {
    amplitude: Point,
    frequency: Point,
    phase: f32,
}

/// The pen, in pixels.
pub(crate) struct Pen {
    /// Half the mean width of a stroke.
    pub(crate) radius: f32,
    /// How far ink takes to fade at the edge of a stroke.
    pub(crate) softness: f32,
    /// Relative variation of the radius along the strokes, and its phase.
    pub(crate) pressure: f32,
    pub(crate) phase: f32,
    /// The largest share of ink that a pixel may miss.
    pub(crate) noise: f32,
}

impl Hand {
    pub(crate) fn random(rng: &mut ChaCha8Rng) -> Self {
        Self {
            unsteadiness: uniform(rng, 0.02, 0.06),
            affine: affine(rng),
            waves: std::array::from_fn(|_| Wave::random(rng)),
            pen: Pen::random(rng),
        }
    }

    /// `stroke` with every point moved at random; the two halves of a corner stay together.
    pub(crate) fn jitter(&self, stroke: &[Point], rng: &mut ChaCha8Rng) -> Vec<Point> {
        let mut moved: Vec<Point> = Vec::with_capacity(stroke.len());
        for (i, point) in stroke.iter().enumerate() {
            let corner = i > 0 && stroke[i - 1] == *point;
            moved.push(if corner { moved[i - 1] } else { point.map(|x| x + bell(rng, self.unsteadiness)) });
        }
        moved
    }

    /// Where `point` of the steady, upright digit ends up.
    pub(crate) fn deform(&self, point: Point) -> Point {
        let mut bent = point;
        for wave in &self.waves {
            let [fx, fy] = wave.frequency;
            let height = libm::sinf(fx * point[0] + fy * point[1] + wave.phase);
            bent = [bent[0] + wave.amplitude[0] * height, bent[1] + wave.amplitude[1] * height];
        }
        self.affine.map(|[a, b]| a * bent[0] + b * bent[1])
    }
}

impl Wave {
    fn random(rng: &mut ChaCha8Rng) -> Self {
        Self {
            amplitude: [bell(rng, 0.035), bell(rng, 0.035)],
            frequency: [bell(rng, 4.0), bell(rng, 4.0)],
            phase: uniform(rng, 0.0, TAU),
        }
    }
}

impl Pen {
    /// The mean of all pens, without pressure and noise.
    pub(crate) fn steady() -> Self {
        Self { radius: 1.2, softness: 1.25, pressure: 0.0, phase: 0.0, noise: 0.0 }
    }

    fn random(rng: &mut ChaCha8Rng) -> Self {
        let thickness = uniform(rng, 0.0, 1.0);
        Self {
            // Squared: most pens are thin, some are felt tips.
            radius: 0.75 + 1.35 * thickness * thickness,
            softness: uniform(rng, 0.9, 1.6),
            pressure: uniform(rng, 0.0, 0.3),
            phase: uniform(rng, 0.0, TAU),
            noise: uniform(rng, 0.0, 0.2),
        }
    }
}

/// Rotation times slant times stretch.
fn affine(rng: &mut ChaCha8Rng) -> [Point; 2] {
    let angle = bell(rng, 0.15);
    let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
    // Writers lean to the right more often than to the left; y points down.
    let slant = -0.1 + bell(rng, 0.28);
    let width = uniform(rng, 0.7, 1.25);
    [[cos * width, cos * slant - sin], [sin * width, sin * slant + cos]]
}
