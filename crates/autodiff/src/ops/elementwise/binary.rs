//! Functions of two tensors, broadcast as NumPy does. `dy` is the upstream gradient.

use std::ops::{Add, Div, Mul, Sub};

use crate::compute::{elementwise, layout, reduce};
use crate::{Dual, Real, Tensor, Var};

/// # Functions of two tensors
///
/// Operands of different shapes are broadcast as NumPy does: axes are aligned at the end, and an axis that is missing
/// or has size 1 is repeated. `+`, `-`, `*` and `/` also take a number.
impl<F: Real> Var<'_, F> {
    /// `y = value(a, b)`, `da = pullbacks.0(dy, a, b)` and `db = pullbacks.1(dy, a, b)`, each summed over the axes
    /// along which its operand was repeated. What [`unary`](Var::unary) says of pullbacks holds here, too.
    #[track_caller]
    pub(in crate::ops) fn binary(
        self,
        op: &'static str,
        rhs: Self,
        value: impl Fn(F, F) -> F + Sync,
        pullbacks: (impl Fn(F, F, F) -> F + Sync + 'static, impl Fn(F, F, F) -> F + Sync + 'static),
    ) -> Self {
        let shape = self.broadcast_with(op, rhs);
        let (pullback_a, pullback_b) = pullbacks;
        let (a, b) = (self.value(), rhs.value());
        let y = elementwise::broadcast_map(&a, &b, &shape, value);
        let (saved_a, saved_b) = (a.clone(), b.clone());
        let da = self.edge(move |dy| pull_back(dy, &saved_a, &saved_b, pullback_a, saved_a.shape()));
        let db = rhs.edge(move |dy| pull_back(dy, &a, &b, pullback_b, b.shape()));
        self.tape().record(op, y, [da, db])
    }

    /// The common shape of two operands of one tape.
    #[track_caller]
    pub(in crate::ops) fn broadcast_with(self, op: &str, rhs: Self) -> Vec<usize> {
        self.same_tape(op, rhs);
        let (a, b) = (self.value(), rhs.value());
        let Some(shape) = layout::broadcast_shape(a.shape(), b.shape()) else {
            panic!("`{op}`: shapes {:?} and {:?} cannot be broadcast together", a.shape(), b.shape());
        };
        shape
    }

    /// `y = max(a, b)`, in the common shape. The gradient goes to the larger operand, by halves to both where they are
    /// equal. NaN stays NaN, and its gradient goes to both.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([1.0, 5.0]), tape.variable(3.0));
    /// assert_eq!(a.maximum(b).value(), [3.0, 5.0].into_tensor());
    /// ```
    #[doc(alias = "fmax")]
    #[track_caller]
    pub fn maximum(self, rhs: Self) -> Self {
        let larger = |a: F, b: F| if a > b || a.is_nan() { a } else { or_the_equal(b, a) };
        self.binary("maximum", rhs, larger, (share(|a, b| a < b), share(|a, b| a > b)))
    }

    /// `y = min(a, b)`, in the common shape. The gradient goes to the smaller operand, by halves to both where they are
    /// equal. NaN stays NaN, and its gradient goes to both.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([1.0, 5.0]), tape.variable(3.0));
    /// assert_eq!(a.minimum(b).value(), [1.0, 3.0].into_tensor());
    /// ```
    #[doc(alias = "fmin")]
    #[track_caller]
    pub fn minimum(self, rhs: Self) -> Self {
        let smaller = |a: F, b: F| if a < b || a.is_nan() { a } else { or_the_equal(b, a) };
        self.binary("minimum", rhs, smaller, (share(|a, b| a > b), share(|a, b| a < b)))
    }
}

/// `pullback(dy, a, b)`, summed to the shape of the operand that it is for.
fn pull_back<F: Real>(
    dy: Tensor<F>,
    a: &Tensor<F>,
    b: &Tensor<F>,
    pullback: impl Fn(F, F, F) -> F + Sync,
    shape: &[usize],
) -> Tensor<F> {
    reduce::sum_to(elementwise::zip2_inplace(dy, a, b, pullback), shape)
}

/// `chosen`, which moves as the mean of both if they are equal.
#[inline(always)]
fn or_the_equal<F: Real>(chosen: F, other: F) -> F {
    let half = F::from_f64(0.5);
    if chosen == other { chosen.moving_as(|| half * chosen + half * other) } else { chosen }
}

/// The gradient that an operand of a comparison gets.
fn share<F: Real>(loses: impl Fn(F, F) -> bool + Sync) -> impl Fn(F, F, F) -> F + Sync {
    move |dy, a, b| {
        if loses(a, b) {
            F::ZERO
        } else if a == b {
            F::from_f64(0.5) * dy
        } else {
            dy
        }
    }
}

/// `-dy a / b²`, in an order in which nothing leaves the range unless the result does. What is below 1 grows where it
/// is divided by what is below 1, too.
#[inline(always)]
pub(super) fn quotient_pullback<F: Real>(dy: F, a: F, b: F) -> F {
    let below_1 = |x: F| x.abs() < F::ONE;
    let (small, large) = if dy.abs() < a.abs() { (dy, a) } else { (a, dy) };
    let opposite = (if below_1(b) { small / b * large } else { small * large / b }) / b;
    let alike = (small / b) * (large / b);
    -(if small == F::ZERO || below_1(small) != below_1(large) { opposite } else { alike })
}

impl<'t, F: Real> Add for Var<'t, F> {
    type Output = Var<'t, F>;

    /// `y = a + b`, in the common shape; `da = dy`, `db = dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([[1.0, 2.0], [3.0, 4.0]]), tape.variable([10.0, 20.0]));
    /// assert_eq!((a + b).value(), [[11.0, 22.0], [13.0, 24.0]].into_tensor());
    /// ```
    #[doc(alias = "plus")]
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

    /// `y = a - b`, in the common shape; `da = dy`, `db = -dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([[1.0, 2.0], [3.0, 4.0]]), tape.variable([10.0, 20.0]));
    /// assert_eq!((a - b).value(), [[-9.0, -18.0], [-7.0, -16.0]].into_tensor());
    /// ```
    #[doc(alias = "subtract")]
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

    /// `y = a b`, in the common shape; `da = b dy`, `db = a dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([[1.0, 2.0], [3.0, 4.0]]), tape.variable([10.0, 20.0]));
    /// assert_eq!((a * b).value(), [[10.0, 40.0], [30.0, 80.0]].into_tensor());
    /// ```
    #[doc(alias = "multiply")]
    #[track_caller]
    fn mul(self, rhs: Self) -> Self {
        self.binary("mul", rhs, |a, b| a * b, (|dy, _, b| dy * b, |dy, a, _| dy * a))
    }
}

impl<'t, F: Real> Div for Var<'t, F> {
    type Output = Var<'t, F>;

    /// `y = a / b`, in the common shape; `da = dy / b`, `db = -a dy / b²`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([[1.0, 2.0], [3.0, 4.0]]), tape.variable([2.0, 4.0]));
    /// assert_eq!((a / b).value(), [[0.5, 0.5], [1.5, 1.0]].into_tensor());
    /// ```
    #[doc(alias = "divide")]
    #[track_caller]
    fn div(self, rhs: Self) -> Self {
        self.binary("div", rhs, |a, b| a / b, (|dy, _, b| dy / b, quotient_pullback))
    }
}

impl<'t, F: Real> Add<F> for Var<'t, F> {
    type Output = Var<'t, F>;

    /// `y = x + c` for a number `c`, in the shape of `x`; `dx = dy`.
    #[doc(alias = "add_scalar")]
    #[track_caller]
    fn add(self, c: F) -> Self {
        self.shift("add", c)
    }
}

impl<'t, F: Real> Sub<F> for Var<'t, F> {
    type Output = Var<'t, F>;

    /// `y = x - c` for a number `c`, in the shape of `x`; `dx = dy`.
    #[doc(alias = "sub_scalar")]
    #[track_caller]
    fn sub(self, c: F) -> Self {
        self.shift("sub", -c)
    }
}

impl<'t, F: Real> Mul<F> for Var<'t, F> {
    type Output = Var<'t, F>;

    /// `y = c x` for a number `c`, in the shape of `x`; `dx = c dy`.
    #[doc(alias = "mul_scalar")]
    #[track_caller]
    fn mul(self, c: F) -> Self {
        self.scale("mul", c)
    }
}

impl<'t, F: Real> Div<F> for Var<'t, F> {
    type Output = Var<'t, F>;

    /// `y = x / c` for a number `c`, in the shape of `x`; `dx = dy / c`.
    #[doc(alias = "div_scalar")]
    #[track_caller]
    fn div(self, c: F) -> Self {
        self.unary("div", move |x| x / c, move |dy, _, _| dy / c)
    }
}

/// A number on the left; Rust's orphan rule asks for one implementation per float type.
macro_rules! number_on_the_left {
    ($float:ident) => {
        impl<'t> Add<Var<'t, $float>> for $float {
            type Output = Var<'t, $float>;

            /// `y = c + x` for a number `c`, in the shape of `x`; `dx = dy`.
            #[track_caller]
            fn add(self, x: Var<'t, $float>) -> Var<'t, $float> {
                x + self
            }
        }

        impl<'t> Sub<Var<'t, $float>> for $float {
            type Output = Var<'t, $float>;

            /// `y = c - x` for a number `c`, in the shape of `x`; `dx = -dy`.
            #[track_caller]
            fn sub(self, x: Var<'t, $float>) -> Var<'t, $float> {
                -x + self
            }
        }

        impl<'t> Mul<Var<'t, $float>> for $float {
            type Output = Var<'t, $float>;

            /// `y = c x` for a number `c`, in the shape of `x`; `dx = c dy`.
            #[track_caller]
            fn mul(self, x: Var<'t, $float>) -> Var<'t, $float> {
                x * self
            }
        }

        impl<'t> Div<Var<'t, $float>> for $float {
            type Output = Var<'t, $float>;

            /// `y = c / x` for a number `c`, in the shape of `x`; `dx = -c dy / x²`.
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

/// Plain numbers beside dual ones, as the trait's own: constants of a formula need no conversion.
macro_rules! plain_number {
    ($($trait:ident, $method:ident, $op:tt;)*) => {
        $(impl<'t, F: Real> $trait<f64> for Var<'t, Dual<F>> {
            type Output = Var<'t, Dual<F>>;

            /// With a number whose tangent is 0.
            #[track_caller]
            fn $method(self, c: f64) -> Self {
                self $op Dual::from_f64(c)
            }
        }

        impl<'t, F: Real> $trait<Var<'t, Dual<F>>> for f64 {
            type Output = Var<'t, Dual<F>>;

            /// With a number whose tangent is 0.
            #[track_caller]
            fn $method(self, x: Var<'t, Dual<F>>) -> Var<'t, Dual<F>> {
                x.tape().constant(Dual::from_f64(self)) $op x
            }
        })*
    };
}

plain_number! {
    Add, add, +;
    Sub, sub, -;
    Mul, mul, *;
    Div, div, /;
}
