//! An op of your own.

use wengert::autodiff::check_gradients;
use wengert::prelude::*;

/// `x / (1 + |x|)`, element by element.
pub fn softsign<'t, F: Real>(x: Var<'t, F>) -> Var<'t, F> {
    let value = x.value();
    let y = value.mapv(|x| x / (F::ONE + x.abs())).into_shared();
    let dx = x.edge(move |mut dy| {
        dy.zip_mut_with(&value, |dy, &x| *dy /= (F::ONE + x.abs()) * (F::ONE + x.abs()));
        dy
    });
    x.tape().record("softsign", y, [dx])
}

/// `x² / 2` up to `|x| = δ`, and straight on from there.
pub fn huber<'t, F: Real>(x: Var<'t, F>, delta: F) -> Var<'t, F> {
    let (value, half) = (x.value(), F::from_f64(0.5));
    let loss = |x: F| if x.abs() <= delta { half * x * x } else { delta * (x.abs() - half * delta) };
    let y = value.mapv(loss).into_shared();
    let dx = x.edge(move |mut dy| {
        dy.zip_mut_with(&value, |dy, &x| *dy *= x.max(-delta).min(delta));
        dy
    });
    x.tape().record("huber", y, [dx])
}

/// The worst relative error of `softsign`'s gradient at these numbers.
pub fn worst(x: &[f64]) -> f64 {
    let x = Tensor::from_shape_vec(vec![x.len()], x.to_vec()).expect("a vector");
    check_gradients(|_, x| softsign(x[0]), &[x]).relative_error
}
