//! From a few points to a smooth line.

/// `[x, y]`, x to the right and y down.
pub(crate) type Point = [f32; 2];

/// Points interpolated between two neighbours of a stroke.
const STEPS: usize = 6;

/// The line through `points`: smooth, but with a corner where a point occurs twice in a row.
pub(crate) fn trace(points: &[Point]) -> Vec<Point> {
    let mut line = vec![points[0]];
    let mut start = 0;
    for end in 1..points.len() {
        let corner = end + 1 == points.len() || points[end + 1] == points[end];
        if corner {
            smooth(&points[start..=end], &mut line);
            start = end + 1;
        }
    }
    line
}

/// Appends the Catmull-Rom spline through `points` to `line`, which already ends in the first: between `b` and `c`,
/// whose neighbours are `a` and `d`, the cubic with velocities `(c - a) / 2` at `b` and `(d - b) / 2` at `c`.
fn smooth(points: &[Point], line: &mut Vec<Point>) {
    for i in 1..points.len() {
        let (b, c) = (points[i - 1], points[i]);
        // The ends of the stroke are their own neighbours.
        let (a, d) = (points[i.saturating_sub(2)], points[(i + 1).min(points.len() - 1)]);
        for step in 1..=STEPS {
            let t = step as f32 / STEPS as f32;
            line.push([0, 1].map(|k| catmull_rom([a[k], b[k], c[k], d[k]], t)));
        }
    }
}

fn catmull_rom([a, b, c, d]: [f32; 4], t: f32) -> f32 {
    let (velocity_b, velocity_c) = (0.5 * (c - a), 0.5 * (d - b));
    let quadratic = 3.0 * (c - b) - 2.0 * velocity_b - velocity_c;
    let cubic = 2.0 * (b - c) + velocity_b + velocity_c;
    b + t * (velocity_b + t * (quadratic + t * cubic))
}
