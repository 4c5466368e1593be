//! Powers, remainders and angles of two tensors.

use super::binary::quotient_pullback;
use super::unary::{steep, times_slope_of_power};
use crate::{Real, Var};

impl<F: Real> Var<'_, F> {
    /// `y = aᵇ`, in the common shape; `da = b aᵇ⁻¹ dy`, `db = aᵇ ln a dy`, both 0 where the power is constant: the
    /// first at `b = 0`, the second at `a = 0 ≤ b`. `0⁰` is 1. A negative `a` has powers where `b` is whole, elsewhere
    /// NaN, and no derivative by `b`, which is NaN.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([2.0, -2.0, 0.0]), tape.variable([3.0, 2.0, 0.0]));
    /// assert_eq!(a.pow(b).value(), [8.0, 4.0, 1.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes cannot be broadcast together.
    #[doc(alias("power", "powf", "powi", "powf_tensor"))]
    #[track_caller]
    pub fn pow(self, exponent: Self) -> Self {
        self.binary("pow", exponent, power, (base_pullback, exponent_pullback))
    }

    /// The remainder of `a / b` that has the sign of `b`, as Python's and PyTorch's `%`, in the common shape; `da =
    /// dy`, `db = -⌊a / b⌋ dy`. (Rust's `%` has the sign of `a`.)
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([5.0, -5.0]).remainder(tape.constant(3.0)).value(), [2.0, 1.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes cannot be broadcast together.
    #[doc(alias("rem", "modulo", "mod", "fmod", "rem_euclid"))]
    #[track_caller]
    pub fn remainder(self, rhs: Self) -> Self {
        self.binary("remainder", rhs, remainder, (|dy, _, _| dy, divisor_pullback))
    }

    /// The angle of the point `(x, y)`, in radians between -π and π, for `y` on the left and `x` on the right, in the
    /// common shape; `dy = x / (x² + y²)` and `dx = -y / (x² + y²)` times the upstream gradient, 0 at the origin.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// assert_eq!(tape.variable([0.0, 0.0]).atan2(tape.constant([1.0, 0.0])).value(), [0.0, 0.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes cannot be broadcast together.
    #[doc(alias = "arctan2")]
    #[track_caller]
    pub fn atan2(self, x: Self) -> Self {
        let to_y = |dy: F, y, x| -angle_pullback(dy, x, y);
        self.binary("atan2", x, F::atan2, (to_y, angle_pullback))
    }
}

/// `aᵇ`, which does not move at `0⁰`, as its gradient says.
fn power<F: Real>(a: F, b: F) -> F {
    if a == F::ZERO && b == F::ZERO { F::ONE } else { a.powf(b) }
}

fn base_pullback<F: Real>(dy: F, a: F, b: F) -> F {
    if b.is_zero() || a == F::ZERO && b == F::ZERO {
        return F::ZERO;
    }
    let (power, before) = (a.powf(b), a.powf(b - F::ONE));
    if a == F::ZERO && before.is_infinite() {
        // Beside what is infinite, `b` counts by its sign: as a product, `∞` would meet `-∞` where `b` moves.
        return dy * (b.signum() * before);
    }
    let slope = b * before;
    if slope.is_normal() || a == F::ZERO || a.abs() > F::epsilon() || !power.is_normal() {
        return times_slope_of_power(dy, a, b, before);
    }
    // `aᵇ⁻¹` is too large, though its product with `b` or `dy` need not be.
    let (small, large) = if dy.abs() < b.abs() { (dy, b) } else { (b, dy) };
    small / a * large * power
}

fn exponent_pullback<F: Real>(dy: F, a: F, b: F) -> F {
    if a == F::ZERO && b >= F::ZERO {
        // Up to `b = 1`, `aᵇ ln a` comes to 0 as steeply as can be.
        let is_steep = b > F::ZERO && b <= F::ONE && dy != F::ZERO;
        return if is_steep { -dy.sign() * steep(a) } else { F::ZERO };
    }
    let (ln, slope) = (a.ln(), a.powf(b) * a.ln());
    if slope.is_normal() || slope.is_nan() || !ln.is_finite() || !b.is_finite() {
        return dy * slope;
    }
    let root = a.powf(F::from_f64(0.5) * b);
    dy * root * ln * root
}

fn remainder<F: Real>(a: F, b: F) -> F {
    let rest = a % b;
    if rest != F::ZERO && (rest < F::ZERO) != (b < F::ZERO) { rest + b } else { rest }
}

/// `-⌊a / b⌋ dy`; the quotient is rounded only once.
fn divisor_pullback<F: Real>(dy: F, a: F, b: F) -> F {
    if b == F::ZERO {
        return -(a / b) * dy;
    }
    let rest = a % b;
    let whole = ((a - rest) / b).round();
    if whole.is_infinite() {
        return -(dy / b) * (a - rest);
    }
    let below = rest != F::ZERO && (rest < F::ZERO) != (b < F::ZERO);
    let floor = if below { whole - F::ONE } else { whole };
    if floor == F::ZERO { F::ZERO } else { -floor * dy }
}

/// `-dy a / (a² + b²)`, 0 at the origin.
fn angle_pullback<F: Real>(dy: F, a: F, b: F) -> F {
    let (size, other) = if a.abs() > b.abs() { (a.abs(), b) } else { (b.abs(), a) };
    if a == F::ZERO && b == F::ZERO {
        return F::ZERO;
    }
    let ratio = other / size;
    quotient_pullback(dy / (F::ONE + ratio * ratio), a, size)
}
