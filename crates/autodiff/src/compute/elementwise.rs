//! The loops over elements that the ops share.
//!
//! A closure that computes much is `#[inline(always)]`: the compiler's estimate would leave it out of the loop, which then
//! calls it for each element and is not vectorised. The loops are functions of their own because the compiler takes from
//! the arguments' types that what is written overlaps nothing else, above all no number that the closure holds;
//! one that it only refers to (without `move`) may still be loaded for each element.

use ndarray::{Axis, Zip, aview1};

use super::layout::{self, ROW_MAJOR, broadcast, row_major};
use super::{Real, Tensor, buffers, threads, vectorized};

/// Elements above which a row is worth a loop of its own.
const LONG_ROW: usize = 16;

/// `y = f(x)`, element by element.
pub(crate) fn map<F: Real>(x: &Tensor<F>, f: impl Fn(F) -> F + Sync) -> Tensor<F> {
    let Some(elements) = x.as_slice() else { return map(&row_major(x.clone()), f) };
    let mut y = buffers::scratch(x.shape());
    threads::for_each_chunk((y.as_slice_mut().expect(ROW_MAJOR), elements), |(y, x)| {
        vectorized(
            #[inline(always)]
            || map_slice(y, x, &f),
        );
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
    zip2_inplace(
        g,
        x,
        x,
        #[inline(always)]
        move |g, x, _| f(g, x),
    )
}

/// `g ← f(g, x, y)`, in place where `g` is the only owner of its array; `x` and `y` broadcast to its shape.
pub(crate) fn zip2_inplace<F: Real>(
    mut g: Tensor<F>,
    x: &Tensor<F>,
    y: &Tensor<F>,
    f: impl Fn(F, F, F) -> F + Sync,
) -> Tensor<F> {
    let same_shape = x.shape() == g.shape() && y.shape() == g.shape();
    let run = |g: &mut [F], x: &[F], y: &[F]| {
        vectorized(
            #[inline(always)]
            || update_slice(g, x, y, &f),
        );
    };
    if same_shape && let (Some(to), Some(x), Some(y)) = (g.as_slice_mut(), x.as_slice(), y.as_slice()) {
        threads::for_each_chunk((to, (x, y)), |(g, (x, y))| run(g, x, y));
        return g;
    }
    let shape = g.shape().to_vec();
    match g.as_slice_mut() {
        Some(g) if !same_shape && shape.last() >= Some(&LONG_ROW) => {
            let (x, y) = (broadcast(x, &shape), broadcast(y, &shape));
            let (mut x_buffer, mut y_buffer) = (Vec::new(), Vec::new());
            let rows = g.chunks_exact_mut(shape[shape.len() - 1]);
            for ((g, x), y) in rows.zip(x.rows()).zip(y.rows()) {
                run(g, layout::elements(x, &mut x_buffer), layout::elements(y, &mut y_buffer));
            }
        }
        _ => Zip::from(&mut g).and_broadcast(x).and_broadcast(y).for_each(|g, &x, &y| *g = f(*g, x, y)),
    }
    g
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
    zip2_inplace(
        buffers::scratch(shape),
        a,
        b,
        #[inline(always)]
        move |_, a, b| f(a, b),
    )
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
        return vectorized(
            #[inline(always)]
            || {
                for (y, x) in y.chunks_exact_mut(len).zip(x.chunks_exact(len)) {
                    f(y, x);
                }
            },
        );
    }
    let mut buffer = Vec::new();
    for (mut y, x) in y.lanes_mut(axis).into_iter().zip(x.lanes(axis)) {
        let mut copy = if y.is_standard_layout() { None } else { Some(y.to_vec()) };
        let lane = copy.as_deref_mut().unwrap_or_else(|| y.as_slice_mut().expect(ROW_MAJOR));
        let x = layout::elements(x, &mut buffer);
        vectorized(
            #[inline(always)]
            || f(lane, x),
        );
        if let Some(copy) = copy {
            y.assign(&aview1(&copy));
        }
    }
}

/// `sum ← sum + x`; the array of `x` is used again.
pub(crate) fn accumulate<F: Real>(sum: &mut Tensor<F>, x: Tensor<F>) {
    *sum += &x;
    buffers::recycle(x);
}
