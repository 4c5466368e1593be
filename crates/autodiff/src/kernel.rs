//! The loops over elements that the ops share.

use ndarray::{Axis, Zip};

use crate::{Real, Tensor};

/// `y = f(x)`, element by element.
pub(crate) fn map<F: Real>(x: &Tensor<F>, f: impl Fn(F) -> F) -> Tensor<F> {
    x.mapv(f).into_shared()
}

/// `g ← f(g, x)`, in place where `g` is the only owner of its array. The shapes are equal.
pub(crate) fn update<F: Real>(mut g: Tensor<F>, x: &Tensor<F>, f: impl Fn(F, F) -> F) -> Tensor<F> {
    Zip::from(&mut g).and(x).for_each(|g, &x| *g = f(*g, x));
    g
}

/// `g ← f(g, x, y)`, in place where `g` is the only owner of its array; `x` and `y` broadcast to its shape.
pub(crate) fn update2<F: Real>(
    mut g: Tensor<F>,
    x: &Tensor<F>,
    y: &Tensor<F>,
    f: impl Fn(F, F, F) -> F,
) -> Tensor<F> {
    Zip::from(&mut g).and_broadcast(x).and_broadcast(y).for_each(|g, &x, &y| *g = f(*g, x, y));
    g
}

/// `f(a, b)` of two tensors broadcast to `shape`.
pub(crate) fn broadcast_map<F: Real>(
    a: &Tensor<F>,
    b: &Tensor<F>,
    shape: &[usize],
    f: impl Fn(F, F) -> F,
) -> Tensor<F> {
    Zip::from(broadcast(a, shape)).and(broadcast(b, shape)).map_collect(|&a, &b| f(a, b)).into_shared()
}

/// `x` repeated along its new and its size-1 axes; `shape` is one that [`broadcast_shape`] gave.
pub(crate) fn broadcast<'x, F: Real>(x: &'x Tensor<F>, shape: &[usize]) -> ndarray::ArrayViewD<'x, F> {
    x.broadcast(shape).expect("a shape computed from the operand's")
}

/// Like [`broadcast`], as an array of its own.
pub(crate) fn repeat<F: Real>(x: &Tensor<F>, shape: &[usize]) -> Tensor<F> {
    broadcast(x, shape).to_owned().into_shared()
}

/// The shape that NumPy's broadcasting rule gives: axes are aligned at the end, and a size of 1 stretches.
pub(crate) fn broadcast_shape(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    (0..rank)
        .map(|axis| match (size(a, axis), size(b, axis)) {
            (m, n) if m == n => Some(m),
            (1, n) => Some(n),
            (m, 1) => Some(m),
            _ => None,
        })
        .collect()
}

/// The adjoint of broadcasting: sums over the axes along which a tensor of `shape` was repeated.
pub(crate) fn sum_to<F: Real>(mut g: Tensor<F>, shape: &[usize]) -> Tensor<F> {
    while g.ndim() > shape.len() {
        g = g.sum_axis(Axis(0)).into_shared();
    }
    for (axis, &size) in shape.iter().enumerate() {
        if size == 1 && g.len_of(Axis(axis)) != 1 {
            g = g.sum_axis(Axis(axis)).insert_axis(Axis(axis)).into_shared();
        }
    }
    g
}

/// The same tensor; copied where its elements do not lie in row-major order.
pub(crate) fn row_major<F: Real>(x: Tensor<F>) -> Tensor<F> {
    if x.is_standard_layout() { x } else { x.as_standard_layout().into_owned().into_shared() }
}
