use super::{Cell, sigmoid_and_slope};
use crate::compute::real::tanh_slope;
use crate::{Real, Var};

/// # Recurrences
impl<'t, F: Real> Var<'t, F> {
    /// A gated recurrent unit (Cho et al., 2014) in PyTorch's form, where the reset gate acts on what the weight made
    /// of `h`. For `x: [steps, batch, 3h]`, `h₀: [batch, h]`, `W: [3h, h]`, `b: [3h]`, of shape `[steps, batch, h]`;
    /// the thirds of the gates are reset, update and new, and `u = W hₜ₋₁ + b`:
    ///
    /// ```text
    /// r = σ(x_r + u_r)    z = σ(x_z + u_z)    n = tanh(x_n + r u_n)    hₜ = (1 - z) n + z hₜ₋₁
    /// dx_n = (1 - z) tanh′ dhₜ    dx_z = (hₜ₋₁ - n) σ′ dhₜ    dx_r = u_n σ′ dx_n
    /// du = (dx_r, dx_z, r dx_n)    dhₜ₋₁ = z dhₜ + Wᵀ du    dW = Σ du hₜ₋₁ᵀ    db = Σ du
    /// ```
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// // The update gate is shut: what was there stays.
    /// let (x, w) = (tape.variable([[[0.0, 50.0, 0.0]]]), tape.variable([[0.0], [0.0], [1.0]]));
    /// let h0 = tape.constant([[0.25]]);
    /// assert_eq!(x.gru(Some(h0), w, None, false).value(), [[[0.25]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If the shapes do not fit or there is no step.
    #[doc(alias("GRU", "reset_after"))]
    #[track_caller]
    pub fn gru(self, h0: Option<Self>, weight: Self, bias: Option<Self>, reverse: bool) -> Self {
        self.recurrence("gru", Gru, [h0, None], weight, bias, reverse)
    }
}

#[derive(Clone, Copy)]
struct Gru;

impl<F: Real> Cell<F> for Gru {
    const GATES: usize = 3;
    /// The derivatives `dx_r / dx_n`, `dx_z / dh` and `dx_n / dh`, then `r` and `z`.
    const KEPT: usize = 5;
    const MEMORY: bool = false;
    const APART: bool = true;

    #[inline(always)]
    fn forward(self, x: &[F], gates: &mut [F], h: &[F], _: &mut [F], y: &mut [F], kept: &mut [F]) {
        let n = y.len();
        let (slopes, kept_gates) = kept.split_at_mut(3 * n);
        let (two, new) = gates.split_at_mut(2 * n);
        sigmoid_and_slope(&x[..2 * n], two, &mut slopes[..2 * n]);
        kept_gates.copy_from_slice(two);
        let (of_r, rest) = slopes.split_at_mut(n);
        let (of_z, of_n) = rest.split_at_mut(n);
        let (r, z) = two.split_at(n);
        for ((((&x, &new), &r), y), of_n) in x[2 * n..].iter().zip(&*new).zip(r).zip(&mut *y).zip(&mut *of_n)
        {
            let sum = x + r * new;
            *y = sum.fast_tanh();
            *of_n = tanh_slope(sum);
        }
        for (of_r, &new) in of_r.iter_mut().zip(&*new) {
            *of_r *= new;
        }
        for ((((&h, &z), y), of_z), of_n) in h.iter().zip(z).zip(y).zip(of_z).zip(of_n) {
            // `1 - z` would cancel where `z` is close to 1.
            let share = if z > F::from_f64(0.5) { *of_z / z } else { F::ONE - z };
            *of_n *= share;
            *of_z *= h - *y;
            *y = share * *y + z * h;
        }
    }

    #[inline(always)]
    fn backward(self, kept: &[F], dh: &mut [F], _: &mut [F], dx: &mut [F], dgates: &mut [F]) {
        let n = dh.len();
        let (of_r, of_z, of_n) = (&kept[..n], &kept[n..2 * n], &kept[2 * n..3 * n]);
        let (r, z) = (&kept[3 * n..4 * n], &kept[4 * n..]);
        let (dx_r, rest) = dx.split_at_mut(n);
        let (dx_z, dx_n) = rest.split_at_mut(n);
        for (((dx_r, dx_n), &of_r), (&of_n, &dh)) in
            dx_r.iter_mut().zip(&mut *dx_n).zip(of_r).zip(of_n.iter().zip(&*dh))
        {
            *dx_n = dh * of_n;
            *dx_r = *dx_n * of_r;
        }
        for ((dx_z, &of_z), (dh, &z)) in dx_z.iter_mut().zip(of_z).zip(dh.iter_mut().zip(z)) {
            *dx_z = *dh * of_z;
            *dh *= z;
        }
        let (dgates, dn) = dgates.split_at_mut(2 * n);
        dgates.copy_from_slice(&dx[..2 * n]);
        for ((dn, &dx_n), &r) in dn.iter_mut().zip(&dx[2 * n..]).zip(r) {
            *dn = dx_n * r;
        }
    }
}
