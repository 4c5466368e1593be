//! The loop of a rule over the elements of its tensors, in the widest vectors of the CPU and, where there are many
//! elements, on several threads. No element depends on another, so the bits are always the same.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};

use wengert_autodiff::compute::{self, ZippedSlices, for_each_chunk, vectorized};
use wengert_autodiff::{Real, Tensor};

/// Calls `f` with every element.
pub(crate) fn for_each<E: ZippedSlices>(elements: E, f: impl Fn(E::Item) + Sync) {
    count_if(elements, |element| {
        f(element);
        false
    });
}

/// Calls `f` with every element and returns how often it said yes.
pub(crate) fn count_if<E: ZippedSlices>(elements: E, f: impl Fn(E::Item) -> bool + Sync) -> u64 {
    let total = AtomicU64::new(0);
    for_each_chunk(elements, |piece| _ = total.fetch_add(run(piece, &f), Ordering::Relaxed));
    total.into_inner()
}

/// Counts in the width of `f32`, so that the loop stays vectorised; a piece has fewer elements than overflow it.
fn run<E: ZippedSlices>(elements: E, f: &(impl Fn(E::Item) -> bool + Sync)) -> u64 {
    vectorized(
        #[inline(always)]
        || elements.iter().fold(0_u32, |count, element| count + u32::from(f(element))),
    )
    .into()
}

/// The elements of a gradient in row-major order.
///
/// # Panics
///
/// If it has another shape than the parameter.
#[track_caller]
pub(crate) fn row_major<'g, F: Real>(grad: &'g Tensor<F>, param: &Tensor<F>) -> Cow<'g, [F]> {
    let (found, expected) = (grad.shape(), param.shape());
    assert!(
        found == expected,
        "`update`: a gradient of shape {found:?} for a parameter of shape {expected:?}"
    );
    grad.as_slice().map_or_else(|| Cow::Owned(grad.iter().copied().collect()), Cow::Borrowed)
}

/// The elements in row-major order, to be changed; a tensor in another order is brought into this one.
pub(crate) fn row_major_mut<F: Real>(x: &mut Tensor<F>) -> &mut [F] {
    if !x.is_standard_layout() {
        *x = compute::row_major(x.clone());
    }
    x.as_slice_mut().expect("in row-major order")
}
