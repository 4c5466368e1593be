//! An op of your own.

use wengert::autodiff::check_gradients;
use wengert::prelude::*;

/// `x / (1 + |x|)`, element by element.
pub fn softsign<'t, F: Real>(x: Var<'t, F>) -> Var<'t, F> {
    todo!("value, edge, record")
}

/// `x² / 2` up to `|x| = δ`, and straight on from there.
pub fn huber<'t, F: Real>(x: Var<'t, F>, delta: F) -> Var<'t, F> {
    todo!("value, edge, record")
}

/// The worst relative error of `softsign`'s gradient at these numbers.
pub fn worst(x: &[f64]) -> f64 {
    todo!("check_gradients makes a report")
}
