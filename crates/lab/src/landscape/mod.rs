use std::f64::consts::TAU;

mod contour;

pub use contour::log_levels;

/// A function of two numbers with its first and second derivatives, to watch optimizers on.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Landscape {
    /// `½ (κ u² + w²)`, where `u` and `w` are the coordinates of `(x, y)` in axes turned by `angle`, in radians,
    /// against the clock. Minimum 0 at the origin; the Hessian's eigenvalues are κ and 1.
    Quadratic {
        /// κ, how many times steeper one axis is than the other.
        kappa: f64,
        /// How far the steep axis is turned away from `x`.
        angle: f64,
    },
    /// `(1 - x)² + 100 (y - x²)²` (Rosenbrock, 1960), a curved valley. Minimum 0 at (1, 1).
    Rosenbrock,
    /// `(1.5 - x + x y)² + (2.25 - x + x y²)² + (2.625 - x + x y³)²` (Beale, 1958). Minimum 0 at (3, 0.5).
    Beale,
    /// `(x² + y - 11)² + (x + y² - 7)²` (Himmelblau, 1972). Four minima of 0, one of them at (3, 2).
    Himmelblau,
    /// `½ (x² - y²)`, a saddle at the origin; downhill without end along `y`.
    Saddle,
    /// `(x² - 1)² + tilt · x + ½ y²`: two wells near `x = -1` and `x = 1`, the left one deeper if `tilt` is positive.
    TwoWells {
        /// How much the right well lies higher than the left, about half of it.
        tilt: f64,
    },
    /// A wall of slope about 10 that ends on a plain of slope 0.1: `9.9 ln(1 + eˣ) + 0.1 x + ½ y²`. No minimum.
    SteepToFlat,
    /// `½ ‖p - velocity · step‖²`, a bowl that moves. Minimum 0.
    Drifting {
        /// How far the minimum moves in one step.
        velocity: [f64; 2],
        /// The step it is looked at.
        step: u64,
    },
}

impl Landscape {
    /// This landscape at a step, counted from 0. Only [`Drifting`](Self::Drifting) moves.
    #[must_use]
    pub fn at(self, step: u64) -> Self {
        match self {
            Self::Drifting { velocity, .. } => Self::Drifting { velocity, step },
            fixed => fixed,
        }
    }

    /// The height at `(x, y)`.
    pub fn value(self, [x, y]: [f64; 2]) -> f64 {
        match self {
            Self::Quadratic { kappa, angle } => {
                let (sin, cos) = angle.sin_cos();
                let (u, w) = (cos * x + sin * y, cos * y - sin * x);
                0.5 * (kappa * u * u + w * w)
            }
            Self::Rosenbrock => (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2),
            Self::Beale => beale([x, y]).iter().map(|(residual, _, _)| residual * residual).sum(),
            Self::Himmelblau => (x * x + y - 11.0).powi(2) + (x + y * y - 7.0).powi(2),
            Self::Saddle => 0.5 * (x * x - y * y),
            Self::TwoWells { tilt } => (x * x - 1.0).powi(2) + tilt * x + 0.5 * y * y,
            Self::SteepToFlat => 9.9 * softplus(x) + 0.1 * x + 0.5 * y * y,
            Self::Drifting { velocity, step } => {
                let [dx, dy] = offset([x, y], velocity, step);
                0.5 * (dx * dx + dy * dy)
            }
        }
    }

    /// The derivatives by `x` and `y`.
    pub fn gradient(self, [x, y]: [f64; 2]) -> [f64; 2] {
        match self {
            Self::Quadratic { .. } => {
                let [[xx, xy], [_, yy]] = self.hessian([x, y]);
                [xx * x + xy * y, xy * x + yy * y]
            }
            Self::Rosenbrock => [-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)],
            Self::Beale => beale([x, y]).iter().fold([0.0; 2], |sum, (residual, [dx, dy], _)| {
                [sum[0] + 2.0 * residual * dx, sum[1] + 2.0 * residual * dy]
            }),
            Self::Himmelblau => {
                let (a, b) = (x * x + y - 11.0, x + y * y - 7.0);
                [4.0 * x * a + 2.0 * b, 2.0 * a + 4.0 * y * b]
            }
            Self::Saddle => [x, -y],
            Self::TwoWells { tilt } => [4.0 * x * (x * x - 1.0) + tilt, y],
            Self::SteepToFlat => [9.9 * sigmoid(x) + 0.1, y],
            Self::Drifting { velocity, step } => offset([x, y], velocity, step),
        }
    }

    /// The second derivatives, `[[xx, xy], [xy, yy]]`.
    pub fn hessian(self, [x, y]: [f64; 2]) -> [[f64; 2]; 2] {
        let [xx, xy, yy] = match self {
            Self::Quadratic { kappa, angle } => {
                let (sin, cos) = angle.sin_cos();
                [kappa * cos * cos + sin * sin, (kappa - 1.0) * sin * cos, kappa * sin * sin + cos * cos]
            }
            Self::Rosenbrock => [2.0 - 400.0 * (y - 3.0 * x * x), -400.0 * x, 200.0],
            Self::Beale => beale([x, y]).iter().fold([0.0; 3], |sum, (residual, [dx, dy], [xy, yy])| {
                [
                    sum[0] + 2.0 * dx * dx,
                    sum[1] + 2.0 * (dx * dy + residual * xy),
                    sum[2] + 2.0 * (dy * dy + residual * yy),
                ]
            }),
            Self::Himmelblau => [12.0 * x * x + 4.0 * y - 42.0, 4.0 * (x + y), 4.0 * x + 12.0 * y * y - 26.0],
            Self::Saddle => [1.0, 0.0, -1.0],
            Self::TwoWells { .. } => [12.0 * x * x - 4.0, 0.0, 1.0],
            Self::SteepToFlat => [9.9 * sigmoid(x) * sigmoid(-x), 0.0, 1.0],
            Self::Drifting { .. } => [1.0, 0.0, 1.0],
        };
        [[xx, xy], [xy, yy]]
    }
}

/// The residuals of Beale's function, `c - x (1 - yⁿ)`, each with its first derivatives by `x` and `y` and its second
/// ones by `xy` and `yy`; the one by `xx` is 0.
fn beale([x, y]: [f64; 2]) -> [(f64, [f64; 2], [f64; 2]); 3] {
    [(1.5, 1), (2.25, 2), (2.625, 3)].map(|(c, n)| {
        let exponent = f64::from(n);
        let slope = exponent * y.powi(n - 1);
        let bend = if n > 1 { exponent * (exponent - 1.0) * y.powi(n - 2) } else { 0.0 };
        (c - x * (1.0 - y.powi(n)), [y.powi(n) - 1.0, x * slope], [slope, x * bend])
    })
}

fn offset([x, y]: [f64; 2], velocity: [f64; 2], step: u64) -> [f64; 2] {
    [x - velocity[0] * step as f64, y - velocity[1] * step as f64]
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `ln(1 + eˣ)`, for large `x` too.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The two eigenvalues of a symmetric matrix, the larger first: the curvatures along its axes.
pub fn eigenvalues([[xx, xy], [_, yy]]: [[f64; 2]; 2]) -> [f64; 2] {
    let (mean, radius) = (0.5 * (xx + yy), (0.5 * (xx - yy)).hypot(xy));
    [mean + radius, mean - radius]
}

/// `n` points on a circle, as starting points that favour no direction.
pub fn circle(center: [f64; 2], radius: f64, n: usize) -> Vec<[f64; 2]> {
    let angle = |i: usize| TAU * i as f64 / n as f64;
    (0..n).map(|i| [center[0] + radius * angle(i).cos(), center[1] + radius * angle(i).sin()]).collect()
}
