//! The matrix product: products of the parts, which are views with twice the strides.
#![allow(unsafe_code)]

use ndarray::{ArrayView2, ArrayViewMut2, Zip};
use num_complex::Complex;
use num_traits::Zero;

use super::Dual;
use crate::Real;
use crate::compute::Gemm;

/// `C ← α A B + β C`. What is 0 everywhere, such as the tangent of a batch, is not multiplied.
pub(super) fn gemm<F: Real>(product: Gemm<'_, Dual<F>>) {
    let Gemm { alpha, a, b, beta, mut c } = product;
    let (a, b, (mut value, mut tangent)) = (parts(a), parts(b), parts_mut(c.view_mut()));
    // The tangent of β C, which needs the old values.
    if beta.is_zero() {
        tangent.fill(F::ZERO);
    } else if !(beta - Dual::ONE).is_zero() {
        Zip::from(&mut tangent)
            .and(&value)
            .for_each(|tangent, &value| *tangent = (beta * Dual::new(value, *tangent)).tangent);
    }
    for (factor, a, b) in [
        (alpha.value, a.value, b.tangent),
        (alpha.value, a.tangent, b.value),
        (alpha.tangent, a.value, b.value),
    ] {
        if !factor.is_zero() && !is_zero(a) && !is_zero(b) {
            F::gemm(Gemm { alpha: factor, a, b, beta: F::ONE, c: tangent.view_mut() });
        }
    }
    F::gemm(Gemm { alpha: alpha.value, a: a.value, b: b.value, beta: beta.value, c: value.view_mut() });
}

fn is_zero<F: Real>(x: ArrayView2<'_, F>) -> bool {
    x.iter().all(F::is_zero)
}

fn parts<'x, F: Real>(x: ArrayView2<'x, Dual<F>>) -> Dual<ArrayView2<'x, F>> {
    let parts = x.raw_view().cast::<Complex<F>>().split_complex();
    // SAFETY: `Dual` and `Complex` are both `repr(C)` pairs of an `F`, and the elements live as long as `x` did.
    unsafe { Dual { value: parts.re.deref_into_view(), tangent: parts.im.deref_into_view() } }
}

fn parts_mut<'x, F: Real>(mut x: ArrayViewMut2<'x, Dual<F>>) -> (ArrayViewMut2<'x, F>, ArrayViewMut2<'x, F>) {
    let parts = x.raw_view_mut().cast::<Complex<F>>().split_complex();
    // SAFETY: as in `parts`; no element is in both views, and `x` is gone.
    unsafe { (parts.re.deref_into_view_mut(), parts.im.deref_into_view_mut()) }
}
