//! Reductions: along an axis, over a slice, and the sums that undo a broadcast.

use ndarray::Axis;

use super::layout::ROW_MAJOR;
use super::{Real, Tensor, buffers, inlined, vectorized};

/// `f` folded over the elements along `axis`, which disappears; `f` is associative and commutative.
pub(crate) fn fold_axis<F: Real>(x: &Tensor<F>, axis: Axis, start: F, f: impl Fn(F, F) -> F) -> Tensor<F> {
    if x.stride_of(axis) != 1 {
        return x.fold_axis(axis, start, |&a, &b| f(a, b)).into_shared();
    }
    x.map_axis(axis, |lane| {
        let lane = lane.to_slice().expect("elements side by side");
        vectorized(inlined!(|| fold(lane, start, &f)))
    })
    .into_shared()
}

/// The largest element, NaN ignored; -∞ if there is none.
#[inline(always)]
pub(crate) fn max<F: Real>(x: &[F]) -> F {
    fold(x, F::neg_infinity(), F::max)
}

/// `f(f(start, x₀), x₁) …` in the order that vectors allow: `f` is associative and commutative.
#[inline(always)]
pub(crate) fn fold<F: Real>(x: &[F], start: F, f: impl Fn(F, F) -> F) -> F {
    let (vectors, rest) = x.as_chunks::<32>();
    let folded = rest.iter().fold(start, |folded, &x| f(folded, x));
    let Some((&(mut partial), vectors)) = vectors.split_first() else { return folded };
    for x in vectors {
        partial.iter_mut().zip(x).for_each(|(partial, &x)| *partial = f(*partial, x));
    }
    partial.iter().fold(folded, |folded, &x| f(folded, x))
}

/// The adjoint of broadcasting: sums over the axes along which a tensor of `shape` was repeated.
pub(crate) fn sum_to<F: Real>(mut g: Tensor<F>, shape: &[usize]) -> Tensor<F> {
    while g.ndim() > shape.len() {
        if g.len_of(Axis(0)) == 1 {
            g = g.index_axis_move(Axis(0), 0);
            continue;
        }
        let sum = sum_axis(&g, Axis(0));
        buffers::recycle(std::mem::replace(&mut g, sum));
    }
    for (axis, &size) in shape.iter().enumerate() {
        if size == 1 && g.len_of(Axis(axis)) != 1 {
            g = g.sum_axis(Axis(axis)).insert_axis(Axis(axis)).into_shared();
        }
    }
    g
}

/// The sum over an axis, which disappears. Over the first, row after row is added. Rows of a single number are left to
/// `ndarray`, which keeps partial sums.
pub(crate) fn sum_axis<F: Real>(x: &Tensor<F>, axis: Axis) -> Tensor<F> {
    if axis.index() == 0 && x.len() == x.len_of(axis) {
        return Tensor::from_elem(&x.shape()[1..], x.sum());
    }
    let Some(elements) = x.as_slice().filter(|_| axis.index() == 0) else {
        return x.sum_axis(axis).into_shared();
    };
    let mut sum = buffers::scratch(&x.shape()[1..]);
    let to = sum.as_slice_mut().expect(ROW_MAJOR);
    to.fill(F::ZERO);
    vectorized(inlined!(|| {
        for row in elements.chunks_exact(to.len().max(1)) {
            add_slice(to, row);
        }
    }));
    sum
}

#[inline(always)]
fn add_slice<F: Real>(to: &mut [F], x: &[F]) {
    for (to, &x) in to.iter_mut().zip(x) {
        *to += x;
    }
}
