//! Functions of two tensors, broadcast as NumPy does. `dy` is the upstream gradient.

use std::ops::{Add, Div, Mul, Sub};

use crate::compute::{elementwise, inlined, layout, reduce};
use crate::{Real, Tensor, Var};

impl<F: Real> Var<'_, F> {
    /// `y = value(a, b)`, `da = dy · slopes.0(a, b)` and `db = dy · slopes.1(a, b)`, each summed over the axes along
    /// which its operand was repeated.
    #[track_caller]
    pub(super) fn binary(
        self,
        op: &'static str,
        rhs: Self,
        value: impl Fn(F, F) -> F + Sync,
        slopes: (impl Fn(F, F) -> F + Sync + 'static, impl Fn(F, F) -> F + Sync + 'static),
    ) -> Self {
        let shape = self.broadcast_with(op, rhs);
        let (slope_a, slope_b) = slopes;
        let (a, b) = (self.value(), rhs.value());
        let y = elementwise::broadcast_map(&a, &b, &shape, value);
        let (saved_a, saved_b) = (a.clone(), b.clone());
        let da = self.edge(move |dy| pull_back(dy, &saved_a, &saved_b, slope_a, saved_a.shape()));
        let db = rhs.edge(move |dy| pull_back(dy, &a, &b, slope_b, b.shape()));
        self.tape().record(op, y, [da, db])
    }

    /// The common shape of two operands of one tape.
    #[track_caller]
    pub(super) fn broadcast_with(self, op: &str, rhs: Self) -> Vec<usize> {
        self.same_tape(op, rhs);
        let (a, b) = (self.value(), rhs.value());
        let Some(shape) = layout::broadcast_shape(a.shape(), b.shape()) else {
            panic!("`{op}`: shapes {:?} and {:?} cannot be broadcast together", a.shape(), b.shape());
        };
        shape
    }

    /// `y = max(a, b)`. The gradient goes to the larger operand, by halves to both where they are equal. NaN stays NaN.
    #[track_caller]
    pub fn maximum(self, rhs: Self) -> Self {
        let larger = |a: F, b| if a > b || a.is_nan() { a } else { b };
        self.binary("maximum", rhs, larger, (|a, b| share(a > b, a == b), |a, b| share(b > a, a == b)))
    }

    /// `y = min(a, b)`. The gradient goes to the smaller operand, by halves to both where they are equal. NaN stays NaN.
    #[track_caller]
    pub fn minimum(self, rhs: Self) -> Self {
        let smaller = |a: F, b| if a < b || a.is_nan() { a } else { b };
        self.binary("minimum", rhs, smaller, (|a, b| share(a < b, a == b), |a, b| share(b < a, a == b)))
    }
}

/// `dy · slope(a, b)`, summed to the shape of the operand that it is for.
fn pull_back<F: Real>(
    dy: Tensor<F>,
    a: &Tensor<F>,
    b: &Tensor<F>,
    slope: impl Fn(F, F) -> F + Sync,
    shape: &[usize],
) -> Tensor<F> {
    let dx = elementwise::zip2_inplace(dy, a, b, inlined!(move |dy, a, b| dy * slope(a, b)));
    reduce::sum_to(dx, shape)
}

/// The share of the gradient that an operand of a comparison gets.
fn share<F: Real>(wins: bool, ties: bool) -> F {
    if wins {
        F::ONE
    } else if ties {
        F::from_f64(0.5)
    } else {
        F::ZERO
    }
}

impl<'t, F: Real> Add for Var<'t, F> {
    type Output = Var<'t, F>;

    /// `y = a + b`, `da = dy`, `db = dy`.
    #[track_caller]
    fn add(self, rhs: Self) -> Self {
        let shape = self.broadcast_with("add", rhs);
        let (a, b) = (self.value(), rhs.value());
        let y = elementwise::broadcast_map(&a, &b, &shape, |a, b| a + b);
        let da = self.edge(move |dy| reduce::sum_to(dy, a.shape()));
        let db = rhs.edge(move |dy| reduce::sum_to(dy, b.shape()));
        self.tape().record("add", y, [da, db])
    }
}

impl<'t, F: Real> Sub for Var<'t, F> {
    type Output = Var<'t, F>;

    /// `y = a - b`, `da = dy`, `db = -dy`.
    #[track_caller]
    fn sub(self, rhs: Self) -> Self {
        let shape = self.broadcast_with("sub", rhs);
        let (a, b) = (self.value(), rhs.value());
        let y = elementwise::broadcast_map(&a, &b, &shape, |a, b| a - b);
        let da = self.edge(move |dy| reduce::sum_to(dy, a.shape()));
        let db = rhs.edge(move |dy| reduce::sum_to(dy, b.shape()).mapv_into(|db| -db));
        self.tape().record("sub", y, [da, db])
    }
}

impl<'t, F: Real> Mul for Var<'t, F> {
    type Output = Var<'t, F>;

    /// `y = a b`, `da = b dy`, `db = a dy`.
    #[track_caller]
    fn mul(self, rhs: Self) -> Self {
        self.binary("mul", rhs, |a, b| a * b, (|_, b| b, |a, _| a))
    }
}

impl<'t, F: Real> Div for Var<'t, F> {
    type Output = Var<'t, F>;

    /// `y = a / b`, `da = dy / b`, `db = -a dy / b²`.
    #[track_caller]
    fn div(self, rhs: Self) -> Self {
        self.binary("div", rhs, |a, b| a / b, (|_, b: F| b.recip(), |a, b| -a / (b * b)))
    }
}

/// `y = x + c` and so on: a number on the right.
impl<'t, F: Real> Add<F> for Var<'t, F> {
    type Output = Var<'t, F>;

    #[track_caller]
    fn add(self, c: F) -> Self {
        self.shift("add", c)
    }
}

impl<'t, F: Real> Sub<F> for Var<'t, F> {
    type Output = Var<'t, F>;

    #[track_caller]
    fn sub(self, c: F) -> Self {
        self.shift("sub", -c)
    }
}

impl<'t, F: Real> Mul<F> for Var<'t, F> {
    type Output = Var<'t, F>;

    #[track_caller]
    fn mul(self, c: F) -> Self {
        self.scale("mul", c)
    }
}

impl<'t, F: Real> Div<F> for Var<'t, F> {
    type Output = Var<'t, F>;

    #[track_caller]
    fn div(self, c: F) -> Self {
        self.unary("div", |x| x / c, move |_, _| c.recip())
    }
}

/// A number on the left; Rust's orphan rule asks for one implementation per float type.
macro_rules! number_on_the_left {
    ($float:ident) => {
        impl<'t> Add<Var<'t, $float>> for $float {
            type Output = Var<'t, $float>;

            #[track_caller]
            fn add(self, x: Var<'t, $float>) -> Var<'t, $float> {
                x + self
            }
        }

        impl<'t> Sub<Var<'t, $float>> for $float {
            type Output = Var<'t, $float>;

            #[track_caller]
            fn sub(self, x: Var<'t, $float>) -> Var<'t, $float> {
                -x + self
            }
        }

        impl<'t> Mul<Var<'t, $float>> for $float {
            type Output = Var<'t, $float>;

            #[track_caller]
            fn mul(self, x: Var<'t, $float>) -> Var<'t, $float> {
                x * self
            }
        }

        impl<'t> Div<Var<'t, $float>> for $float {
            type Output = Var<'t, $float>;

            #[track_caller]
            #[expect(clippy::suspicious_arithmetic_impl, reason = "c / x = c · (1/x)")]
            fn div(self, x: Var<'t, $float>) -> Var<'t, $float> {
                x.recip() * self
            }
        }
    };
}

number_on_the_left!(f32);
number_on_the_left!(f64);
