//! Shapes and the order of elements in memory.

use ndarray::{ArrayView1, ArrayViewD, Axis};

use super::{Real, Tensor, buffers};

/// What a tensor from [`buffers::scratch`] is.
pub(crate) const ROW_MAJOR: &str = "in row-major order";

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

/// `x` repeated along its new and its size-1 axes; `shape` is one that [`broadcast_shape`] gave.
pub(crate) fn broadcast<'x, F: Real>(x: &'x Tensor<F>, shape: &[usize]) -> ArrayViewD<'x, F> {
    x.broadcast(shape).expect("a shape computed from the operand's")
}

/// Like [`broadcast`], as an array of its own.
pub(crate) fn broadcast_owned<F: Real>(x: &Tensor<F>, shape: &[usize]) -> Tensor<F> {
    if let (1, Some(&x)) = (x.len(), x.first()) {
        let mut y = buffers::scratch(shape);
        y.as_slice_mut().expect(ROW_MAJOR).fill(x);
        return y;
    }
    broadcast(x, shape).to_owned().into_shared()
}

/// Makes every row of the matrix `y` this one.
pub(crate) fn fill_rows<F: Real>(y: &mut Tensor<F>, row: &Tensor<F>) {
    match (y.as_slice_mut(), row.as_slice()) {
        (Some(y), Some(row)) => y.chunks_exact_mut(row.len().max(1)).for_each(|y| y.copy_from_slice(row)),
        _ => y.assign(row),
    }
}

/// The same tensor; copied where its elements do not lie in row-major order.
pub fn row_major<F: Real>(x: Tensor<F>) -> Tensor<F> {
    if x.is_standard_layout() { x } else { x.as_standard_layout().into_owned().into_shared() }
}

/// The same elements in row-major order under another shape; shares the array where it is in that order already.
pub(crate) fn reshaped<F: Real>(x: Tensor<F>, shape: &[usize]) -> Tensor<F> {
    let x = row_major(x);
    if x.shape() == shape {
        return x;
    }
    x.into_shape_with_order(shape).expect("as many elements, checked by the op")
}

/// The elements of `x` side by side, in `buffer` where they are not.
pub(crate) fn contiguous<'x, F: Real>(x: ArrayView1<'x, F>, buffer: &'x mut Vec<F>) -> &'x [F] {
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
