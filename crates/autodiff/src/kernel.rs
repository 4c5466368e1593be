//! The loops over elements that the ops share.
//!
//! A closure that computes much is `#[inline(always)]`: the compiler's estimate would leave it out of the loop, which then
//! calls it for each element and is not vectorised. The loops are functions of their own because the compiler takes from
//! the arguments' types that what is written overlaps nothing else, above all no number that the closure holds;
//! one that it only refers to (without `move`) may still be loaded for each element.

use ndarray::{ArrayView1, Axis, Zip, aview1};

use crate::{Real, Tensor, parallel, pool, vectorized};

/// Elements above which a row is worth a loop of its own.
const LONG_ROW: usize = 16;

const ROW_MAJOR: &str = "in row-major order";

/// `y = f(x)`, element by element.
pub(crate) fn map<F: Real>(x: &Tensor<F>, f: impl Fn(F) -> F + Sync) -> Tensor<F> {
    let Some(elements) = x.as_slice() else { return map(&row_major(x.clone()), f) };
    let mut y = pool::tensor(x.shape());
    parallel::in_pieces((y.as_slice_mut().expect(ROW_MAJOR), elements), |(y, x)| {
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

#[inline(always)]
fn update_slice<F: Real>(g: &mut [F], x: &[F], y: &[F], f: &impl Fn(F, F, F) -> F) {
    for ((g, &x), &y) in g.iter_mut().zip(x).zip(y) {
        *g = f(*g, x, y);
    }
}

/// `g ← f(g, x)`, in place where `g` is the only owner of its array. The shapes are equal.
pub(crate) fn update<F: Real>(g: Tensor<F>, x: &Tensor<F>, f: impl Fn(F, F) -> F + Sync) -> Tensor<F> {
    update2(
        g,
        x,
        x,
        #[inline(always)]
        move |g, x, _| f(g, x),
    )
}

/// `g ← f(g, x, y)`, in place where `g` is the only owner of its array; `x` and `y` broadcast to its shape.
pub(crate) fn update2<F: Real>(
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
        parallel::in_pieces((to, (x, y)), |(g, (x, y))| run(g, x, y));
        return g;
    }
    let shape = g.shape().to_vec();
    match g.as_slice_mut() {
        Some(g) if !same_shape && shape.last() >= Some(&LONG_ROW) => {
            let (x, y) = (broadcast(x, &shape), broadcast(y, &shape));
            let (mut x_buffer, mut y_buffer) = (Vec::new(), Vec::new());
            let rows = g.chunks_exact_mut(shape[shape.len() - 1]);
            for ((g, x), y) in rows.zip(x.rows()).zip(y.rows()) {
                run(g, elements(x, &mut x_buffer), elements(y, &mut y_buffer));
            }
        }
        _ => Zip::from(&mut g).and_broadcast(x).and_broadcast(y).for_each(|g, &x, &y| *g = f(*g, x, y)),
    }
    g
}

/// `f(a, b)` of two tensors broadcast to `shape`.
pub(crate) fn broadcast_map<F: Real>(
    a: &Tensor<F>,
    b: &Tensor<F>,
    shape: &[usize],
    f: impl Fn(F, F) -> F + Sync,
) -> Tensor<F> {
    update2(
        pool::tensor(shape),
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
        let x = elements(x, &mut buffer);
        vectorized(
            #[inline(always)]
            || f(lane, x),
        );
        if let Some(copy) = copy {
            y.assign(&aview1(&copy));
        }
    }
}

/// The elements of `x` side by side, in `buffer` where they are not.
fn elements<'x, F: Real>(x: ArrayView1<'x, F>, buffer: &'x mut Vec<F>) -> &'x [F] {
    match x.to_slice() {
        Some(x) => x,
        None => {
            buffer.clear();
            match x.first() {
                Some(&repeated) if x.stride_of(Axis(0)) == 0 => buffer.resize(x.len(), repeated),
                _ => buffer.extend(x),
            }
            buffer
        }
    }
}

/// `f` folded over the elements along `axis`, which disappears; `f` is associative and commutative.
pub(crate) fn fold_axis<F: Real>(x: &Tensor<F>, axis: Axis, start: F, f: impl Fn(F, F) -> F) -> Tensor<F> {
    if x.stride_of(axis) != 1 {
        return x.fold_axis(axis, start, |&a, &b| f(a, b)).into_shared();
    }
    x.map_axis(axis, |lane| {
        let lane = lane.to_slice().expect("elements side by side");
        vectorized(
            #[inline(always)]
            || fold(lane, start, &f),
        )
    })
    .into_shared()
}

/// The largest element, NaN ignored; -∞ if there is none.
#[inline(always)]
pub(crate) fn largest<F: Real>(x: &[F]) -> F {
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

/// `x` repeated along its new and its size-1 axes; `shape` is one that [`broadcast_shape`] gave.
pub(crate) fn broadcast<'x, F: Real>(x: &'x Tensor<F>, shape: &[usize]) -> ndarray::ArrayViewD<'x, F> {
    x.broadcast(shape).expect("a shape computed from the operand's")
}

/// Like [`broadcast`], as an array of its own.
pub(crate) fn repeat<F: Real>(x: &Tensor<F>, shape: &[usize]) -> Tensor<F> {
    if let (1, Some(&x)) = (x.len(), x.first()) {
        let mut y = pool::tensor(shape);
        y.as_slice_mut().expect(ROW_MAJOR).fill(x);
        return y;
    }
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
        if g.len_of(Axis(0)) == 1 {
            g = g.index_axis_move(Axis(0), 0);
            continue;
        }
        let sum = sum_axis(&g, Axis(0));
        pool::give(std::mem::replace(&mut g, sum));
    }
    for (axis, &size) in shape.iter().enumerate() {
        if size == 1 && g.len_of(Axis(axis)) != 1 {
            g = g.sum_axis(Axis(axis)).insert_axis(Axis(axis)).into_shared();
        }
    }
    g
}

/// The sum over an axis, which disappears. Over the first, row after row is added; rows of a single number as `ndarray`
/// sums, which keeps partial sums.
pub(crate) fn sum_axis<F: Real>(x: &Tensor<F>, axis: Axis) -> Tensor<F> {
    if axis.index() == 0 && x.len() == x.len_of(axis) {
        return Tensor::from_elem(&x.shape()[1..], x.sum());
    }
    let Some(elements) = x.as_slice().filter(|_| axis.index() == 0) else {
        return x.sum_axis(axis).into_shared();
    };
    let mut sum = pool::tensor(&x.shape()[1..]);
    let to = sum.as_slice_mut().expect(ROW_MAJOR);
    to.fill(F::ZERO);
    vectorized(
        #[inline(always)]
        || {
            for row in elements.chunks_exact(to.len().max(1)) {
                add_slice(to, row);
            }
        },
    );
    sum
}

#[inline(always)]
fn add_slice<F: Real>(to: &mut [F], x: &[F]) {
    for (to, &x) in to.iter_mut().zip(x) {
        *to += x;
    }
}

/// Makes every row of the matrix `y` this one.
pub(crate) fn fill_rows<F: Real>(y: &mut Tensor<F>, row: &Tensor<F>) {
    match (y.as_slice_mut(), row.as_slice()) {
        (Some(y), Some(row)) => y.chunks_exact_mut(row.len().max(1)).for_each(|y| y.copy_from_slice(row)),
        _ => y.assign(row),
    }
}

/// The same tensor; copied where its elements do not lie in row-major order.
pub(crate) fn row_major<F: Real>(x: Tensor<F>) -> Tensor<F> {
    if x.is_standard_layout() { x } else { x.as_standard_layout().into_owned().into_shared() }
}
