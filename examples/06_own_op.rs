//! An op of your own: the value, one edge per input, and a gradient check.
//!
//! Shows `Tape::record` and `Var::edge`, the two calls that every op of the library is made of. Should print a report
//! whose worst relative error is below 1e-7.

use wengert::autodiff::check_gradients;
use wengert::prelude::*;

/// Mish (Misra, 2019): `y = x tanh(s)` with `s = ln(1 + eˣ)`; `dx = (tanh s + x (1 - tanh² s) σ(x)) dy`.
fn mish<'t, F: Real>(x: Var<'t, F>) -> Var<'t, F> {
    let value = x.value();
    let gate = |x: F| (x.max(F::ZERO) + (-x.abs()).exp().ln_1p()).tanh();
    let y = value.mapv(|x| x * gate(x)).into_shared();
    let dx = x.edge(move |mut dy| {
        dy.zip_mut_with(&value, |dy, &x| {
            let (t, sigma) = (gate(x), (F::ONE + (-x).exp()).recip());
            *dy *= t + x * (F::ONE - t * t) * sigma;
        });
        dy
    });
    x.tape().record("mish", y, [dx])
}

fn main() {
    let x: Tensor<f64> = [-3.0, -0.5, 0.0, 0.5, 3.0].into_tensor();
    let report = check_gradients(|_, inputs| mish(inputs[0]), &[x]);
    println!("{report}");
    report.assert(1e-7);
}
