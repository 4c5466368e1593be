use super::Cell;
use crate::compute::real::tanh_slope;
use crate::{Real, Var};

/// # Recurrences
///
/// Each runs over `x: [steps, batch, gates · h]`, the product of the sequence with the input's weight, which one
/// [`linear`](Var::linear) gives for all steps at once. With `reverse` the last step comes first; the result is in the
/// order of `x` either way. A state that is not given is zero. The layers `Rnn`, `Gru` and `Lstm` call these.
impl<'t, F: Real> Var<'t, F> {
    /// `hₜ = tanh(xₜ + W hₜ₋₁ + b)` for `x: [steps, batch, h]`, `h₀: [batch, h]`, `W: [h, h]`, `b: [h]`, of the shape
    /// of `x` (Elman, 1990). With `d = tanh′ dhₜ`, where `dhₜ` is `dyₜ` and what comes back from the next step:
    /// `dxₜ = d`, `dhₜ₋₁ = Wᵀ d`, `dW = Σ d hₜ₋₁ᵀ`, `db = Σ d`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (x, w) = (tape.variable([[[0.0]], [[0.0]]]), tape.variable([[50.0]]));
    /// let h0 = tape.constant([[1.0]]);
    /// assert_eq!(x.rnn_tanh(Some(h0), w, None, false).value(), [[[1.0]], [[1.0]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes do not fit or there is no step.
    #[doc(alias("RNN", "SimpleRNN", "elman"))]
    #[track_caller]
    pub fn rnn_tanh(self, h0: Option<Self>, weight: Self, bias: Option<Self>, reverse: bool) -> Self {
        self.recurrence("rnn_tanh", Tanh, [h0, None], weight, bias, reverse)
    }

    /// `hₜ = max(xₜ + W hₜ₋₁ + b, 0)`, as [`rnn_tanh`](Var::rnn_tanh) otherwise, with `d = dhₜ` where `hₜ > 0`, else 0.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (x, w) = (tape.variable([[[1.0]], [[-1.0]]]), tape.variable([[3.0]]));
    /// assert_eq!(x.rnn_relu(None, w, None, false).value(), [[[1.0]], [[2.0]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes do not fit or there is no step.
    #[track_caller]
    pub fn rnn_relu(self, h0: Option<Self>, weight: Self, bias: Option<Self>, reverse: bool) -> Self {
        self.recurrence("rnn_relu", Relu, [h0, None], weight, bias, reverse)
    }
}

#[derive(Clone, Copy)]
struct Tanh;

impl<F: Real> Cell<F> for Tanh {
    const GATES: usize = 1;
    /// The slope.
    const KEPT: usize = 1;
    const MEMORY: bool = false;
    const APART: bool = false;

    #[inline(always)]
    fn forward(self, x: &[F], gates: &mut [F], _: &[F], _: &mut [F], y: &mut [F], kept: &mut [F]) {
        for (((&x, &mut gate), y), kept) in x.iter().zip(gates).zip(y).zip(kept) {
            *y = (x + gate).fast_tanh();
            *kept = tanh_slope(x + gate);
        }
    }

    #[inline(always)]
    fn backward(self, kept: &[F], dh: &mut [F], _: &mut [F], dx: &mut [F], _: &mut [F]) {
        for ((&slope, dh), dx) in kept.iter().zip(dh).zip(dx) {
            *dx = *dh * slope;
            *dh = F::ZERO;
        }
    }
}

#[derive(Clone, Copy)]
struct Relu;

impl<F: Real> Cell<F> for Relu {
    const GATES: usize = 1;
    /// The argument.
    const KEPT: usize = 1;
    const MEMORY: bool = false;
    const APART: bool = false;

    #[inline(always)]
    fn forward(self, x: &[F], gates: &mut [F], _: &[F], _: &mut [F], y: &mut [F], kept: &mut [F]) {
        for (((&x, &mut gate), y), kept) in x.iter().zip(gates).zip(y).zip(kept) {
            *kept = x + gate;
            *y = if *kept < F::ZERO { F::ZERO } else { *kept };
        }
    }

    #[inline(always)]
    fn backward(self, kept: &[F], dh: &mut [F], _: &mut [F], dx: &mut [F], _: &mut [F]) {
        for ((&sum, dh), dx) in kept.iter().zip(dh).zip(dx) {
            *dx = if sum <= F::ZERO { F::ZERO } else { *dh };
            *dh = F::ZERO;
        }
    }
}
