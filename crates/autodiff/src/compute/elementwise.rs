//! The loops over elements that the ops share.
//!
//! The loops are functions of their own because of their arguments' types. Those tell the compiler (as LLVM's
//! `noalias`) that what is written overlaps nothing else, above all no number that the closure holds. A number that a
//! closure only refers to (without `move`) may still be loaded for each element.

use ndarray::{ArrayViewMut1, Axis, Zip, aview1};

use super::layout::{self, ROW_MAJOR, broadcast, row_major};
use super::{Real, Tensor, buffers, for_each_chunk, inlined, vectorized};

/// A row of at least so many elements is worth a loop of its own.
const LONG_ROW: usize = 16;

/// `y = f(x)`, element by element.
pub(crate) fn map<F: Real>(x: &Tensor<F>, f: impl Fn(F) -> F + Sync) -> Tensor<F> {
    let Some(elements) = x.as_slice() else { return map(&row_major(x.clone()), f) };
    let mut y = buffers::scratch(x.shape());
    for_each_chunk((y.as_slice_mut().expect(ROW_MAJOR), elements), |(y, x)| {
        vectorized(inlined!(|| map_slice(y, x, &f)));
    });
    y
}

#[inline(always)]
fn map_slice<F: Real>(y: &mut [F], x: &[F], f: &impl Fn(F) -> F) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = f(x);
    }
}

/// `g ← f(g, x)`, in place where `g` is the only owner of its array. The shapes are equal.
pub(crate) fn zip_inplace<F: Real>(g: Tensor<F>, x: &Tensor<F>, f: impl Fn(F, F) -> F + Sync) -> Tensor<F> {
    zip2_inplace(g, x, x, inlined!(move |g, x, _| f(g, x)))
}

/// `g ← f(g, x, y)`, in place where `g` is the only owner of its array; `x` and `y` broadcast to its shape.
pub(crate) fn zip2_inplace<F: Real>(
    mut g: Tensor<F>,
    x: &Tensor<F>,
    y: &Tensor<F>,
    f: impl Fn(F, F, F) -> F + Sync,
) -> Tensor<F> {
    let run = |g: &mut [F], x: &[F], y: &[F]| vectorized(inlined!(|| update_slice(g, x, y, &f)));
    match Layout::new(&g, x, y) {
        Layout::Flat => {
            let operands = (x.as_slice().expect(ROW_MAJOR), y.as_slice().expect(ROW_MAJOR));
            let g = g.as_slice_mut().expect(ROW_MAJOR);
            for_each_chunk((g, operands), |(g, (x, y))| run(g, x, y));
        }
        Layout::Rows(len) => {
            let shape = g.shape().to_vec();
            let (x, y) = (broadcast(x, &shape), broadcast(y, &shape));
            let (mut x_buffer, mut y_buffer) = (Vec::new(), Vec::new());
            let rows = g.as_slice_mut().expect(ROW_MAJOR).chunks_exact_mut(len);
            for ((g, x), y) in rows.zip(x.rows()).zip(y.rows()) {
                run(g, layout::contiguous(x, &mut x_buffer), layout::contiguous(y, &mut y_buffer));
            }
        }
        Layout::Strided => {
            Zip::from(&mut g).and_broadcast(x).and_broadcast(y).for_each(|g, &x, &y| *g = f(*g, x, y));
        }
    }
    g
}

/// How the elements of `g ← f(g, x, y)` can be gone through, the fastest way first.
enum Layout {
    /// All three in the same order, as long slices.
    Flat,
    /// Row by row of this length; `x` and `y` are broadcast.
    Rows(usize),
    Strided,
}

impl Layout {
    fn new<F: Real>(g: &Tensor<F>, x: &Tensor<F>, y: &Tensor<F>) -> Self {
        let same_shape = x.shape() == g.shape() && y.shape() == g.shape();
        match g.shape().last() {
            _ if !g.is_standard_layout() => Self::Strided,
            _ if same_shape && x.is_standard_layout() && y.is_standard_layout() => Self::Flat,
            Some(&len) if !same_shape && len >= LONG_ROW => Self::Rows(len),
            _ => Self::Strided,
        }
    }
}

#[inline(always)]
fn update_slice<F: Real>(g: &mut [F], x: &[F], y: &[F], f: &impl Fn(F, F, F) -> F) {
    for ((g, &x), &y) in g.iter_mut().zip(x).zip(y) {
        *g = f(*g, x, y);
    }
}

/// `f(a, b)` of two tensors broadcast to `shape`.
pub(crate) fn broadcast_map<F: Real>(
    a: &Tensor<F>,
    b: &Tensor<F>,
    shape: &[usize],
    f: impl Fn(F, F) -> F + Sync,
) -> Tensor<F> {
    zip2_inplace(buffers::scratch(shape), a, b, inlined!(move |_, a, b| f(a, b)))
}

/// Calls `f` with each lane along `axis` of two tensors of one shape, in order, the first to be written. A lane whose
/// elements do not lie side by side is copied.
pub(crate) fn for_each_lane<F: Real>(
    y: &mut Tensor<F>,
    x: &Tensor<F>,
    axis: Axis,
    mut f: impl FnMut(&mut [F], &[F]),
) {
    let len = x.len_of(axis);
    if axis.index() + 1 == x.ndim()
        && len > 0
        && let (Some(y), Some(x)) = (y.as_slice_mut(), x.as_slice())
    {
        return vectorized(inlined!(|| {
            for (y, x) in y.chunks_exact_mut(len).zip(x.chunks_exact(len)) {
                f(y, x);
            }
        }));
    }
    let mut buffer = Vec::new();
    for (y, x) in y.lanes_mut(axis).into_iter().zip(x.lanes(axis)) {
        let x = layout::contiguous(x, &mut buffer);
        with_contiguous(y, |y| vectorized(inlined!(|| f(y, x))));
    }
}

/// Calls `f` with the elements of a lane side by side: in a copy, which is written back, where they are not.
fn with_contiguous<F: Real>(mut lane: ArrayViewMut1<'_, F>, f: impl FnOnce(&mut [F])) {
    if let Some(elements) = lane.as_slice_mut() {
        return f(elements);
    }
    let mut copy = lane.to_vec();
    f(&mut copy);
    lane.assign(&aview1(&copy));
}

/// `sum ← sum + x`; the array of `x` is used again.
pub(crate) fn accumulate<F: Real>(sum: &mut Tensor<F>, x: Tensor<F>) {
    *sum += &x;
    buffers::recycle(x);
}
