use super::{Cell, sigmoid_and_slope};
use crate::compute::real::tanh_slope;
use crate::{Real, Var};

/// # Recurrences
impl<'t, F: Real> Var<'t, F> {
    /// Long short-term memory (Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al., 2000). For
    /// `x: [steps, batch, 4h]`, a `state` of `h₀` and `c₀`, both `[batch, h]`, `W: [4h, h]` and `b: [4h]` it returns
    /// `h` after every step, `[steps, batch, h]`, and the last `c`, `[batch, h]`. The quarters of the gates are input,
    /// forget, cell and output, of `a = xₜ + W hₜ₋₁ + b`:
    ///
    /// ```text
    /// i = σ(a_i)    f = σ(a_f)    g = tanh(a_g)    o = σ(a_o)    cₜ = f cₜ₋₁ + i g    hₜ = o tanh cₜ
    /// dcₜ += o tanh′ dhₜ    da_i = g σ′ dcₜ    da_f = cₜ₋₁ σ′ dcₜ    da_g = i tanh′ dcₜ    da_o = tanh(cₜ) σ′ dhₜ
    /// dxₜ = da    dcₜ₋₁ = f dcₜ    dhₜ₋₁ = Wᵀ da    dW = Σ da hₜ₋₁ᵀ    db = Σ da
    /// ```
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// // All gates are shut but the forget gate: the memory keeps what it had.
    /// let (x, w) = (tape.variable([[[-50.0, 50.0, 0.0, -50.0]]]), tape.variable([[0.0]; 4]));
    /// let (h0, c0) = (tape.constant([[0.0]]), tape.constant([[3.0]]));
    /// let (_, c) = x.lstm(Some((h0, c0)), w, None, false);
    /// assert_eq!(c.value(), [[3.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes do not fit or there is no step.
    #[doc(alias = "LSTM")]
    #[track_caller]
    pub fn lstm(
        self,
        state: Option<(Self, Self)>,
        weight: Self,
        bias: Option<Self>,
        reverse: bool,
    ) -> (Self, Self) {
        let (h0, c0) = state.unzip();
        let both = self.recurrence("lstm", Lstm, [h0, c0], weight, bias, reverse);
        let (steps, state) = (self.shape()[0], &both.shape()[1..]);
        (both.slice(0, 0..steps), both.slice(0, steps..steps + 1).reshape(state))
    }
}

#[derive(Clone, Copy)]
struct Lstm;

impl<F: Real> Cell<F> for Lstm {
    const GATES: usize = 4;
    /// The derivatives `da_i / dc`, `da_f / dc`, `da_g / dc`, `da_o / dh`, `dc / dh`, then `f`.
    const KEPT: usize = 6;
    const MEMORY: bool = true;
    const APART: bool = false;

    #[inline(always)]
    fn forward(self, x: &[F], gates: &mut [F], _: &[F], c: &mut [F], y: &mut [F], kept: &mut [F]) {
        let n = y.len();
        let (of_gates, rest) = kept.split_at_mut(4 * n);
        let (of_c, kept_f) = rest.split_at_mut(n);
        sigmoid_and_slope(&x[..2 * n], &mut gates[..2 * n], &mut of_gates[..2 * n]);
        sigmoid_and_slope(&x[3 * n..], &mut gates[3 * n..], &mut of_gates[3 * n..]);
        let (i_and_f, g_and_o) = gates.split_at_mut(2 * n);
        let ((i, f), (g, o)) = (i_and_f.split_at(n), g_and_o.split_at_mut(n));
        let (of_i_and_f, of_g_and_o) = of_gates.split_at_mut(2 * n);
        let ((of_i, of_f), (of_g, of_o)) = (of_i_and_f.split_at_mut(n), of_g_and_o.split_at_mut(n));
        kept_f.copy_from_slice(f);
        for (((&x, g), &i), of_g) in x[2 * n..3 * n].iter().zip(&mut *g).zip(i).zip(of_g) {
            let sum = x + *g;
            *g = sum.fast_tanh();
            *of_g = i * tanh_slope(sum);
        }
        for (of_f, &c) in of_f.iter_mut().zip(&*c) {
            *of_f *= c;
        }
        for ((((c, &f), &i), &g), of_i) in c.iter_mut().zip(f).zip(i).zip(&*g).zip(of_i) {
            *c = f * *c + i * g;
            *of_i *= g;
        }
        for ((((&c, &o), y), of_o), of_c) in c.iter().zip(&*o).zip(y).zip(of_o).zip(of_c) {
            let tanh = c.fast_tanh();
            *y = o * tanh;
            *of_o *= tanh;
            *of_c = o * tanh_slope(c);
        }
    }

    #[inline(always)]
    fn backward(self, kept: &[F], dh: &mut [F], dc: &mut [F], dx: &mut [F], _: &mut [F]) {
        let n = dh.len();
        let part = |index: usize| &kept[index * n..][..n];
        let (first, last) = dx.split_at_mut(3 * n);
        for ((dc, &of_c), ((d, &of_o), dh)) in
            dc.iter_mut().zip(part(4)).zip(last.iter_mut().zip(part(3)).zip(dh))
        {
            *dc += *dh * of_c;
            *d = *dh * of_o;
            *dh = F::ZERO;
        }
        for (index, d) in [0, 1, 2].into_iter().zip(first.chunks_exact_mut(n.max(1))) {
            for ((d, &dc), &of_gate) in d.iter_mut().zip(&*dc).zip(part(index)) {
                *d = dc * of_gate;
            }
        }
        for (dc, &f) in dc.iter_mut().zip(part(5)) {
            *dc *= f;
        }
    }
}
