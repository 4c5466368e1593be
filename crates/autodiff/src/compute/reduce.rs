//! Reductions: along an axis, over a slice, and the sums that undo a broadcast.

use ndarray::Axis;

use super::layout::{ROW_MAJOR, row_major};
use super::sum::{add_slice, sum, sum_rows};
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
            g = sum_axis(&g, Axis(axis)).insert_axis(Axis(axis));
        }
    }
    g
}

/// The sum over an axis, which disappears. The result has an array of its own.
pub(crate) fn sum_axis<F: Real>(x: &Tensor<F>, axis: Axis) -> Tensor<F> {
    let x = row_major(x.clone());
    let elements = x.as_slice().expect(ROW_MAJOR);
    let (before, [n, after @ ..]) = x.shape().split_at(axis.index()) else {
        unreachable!("the op asked for an axis")
    };
    let row: usize = after.iter().product();
    let mut sums = buffers::scratch(&[before, after].concat());
    let to = sums.as_slice_mut().expect(ROW_MAJOR);
    if x.is_empty() {
        to.fill(F::ZERO);
    } else if row == 1 {
        vectorized(inlined!(|| sum_each(to, elements, *n)));
    } else {
        for (to, rows) in to.chunks_exact_mut(row).zip(elements.chunks_exact(n * row)) {
            sum_rows(*n, to, |few, to| {
                let rows = rows[few.start * row..few.end * row].chunks_exact(row);
                vectorized(inlined!(|| rows.for_each(|row| add_slice(to, row))));
            });
        }
    }
    sums
}

/// The sum of every `n` elements.
#[inline(always)]
fn sum_each<F: Real>(to: &mut [F], x: &[F], n: usize) {
    for (to, x) in to.iter_mut().zip(x.chunks_exact(n)) {
        *to = sum(x);
    }
}

/// The sum of all elements.
pub(crate) fn sum_all<F: Real>(x: &Tensor<F>) -> F {
    let x = row_major(x.clone());
    let elements = x.as_slice().expect(ROW_MAJOR);
    vectorized(inlined!(|| sum(elements)))
}
