//! Normalization. `x̂ = (x - μ) r` with `r = 1/√(σ² + ε)` is the normalized input, `dy` the upstream gradient.
//!
//! These ops are fused: out of elementary ones, as in this crate's tests, every line of a formula makes a tensor as
//! large as the input, and a step of batch norm takes about five times as long.

mod batch;
mod layer;

use std::ops::Range;
use std::slice::{ChunksExact, ChunksExactMut};

use ndarray::{ArcArray2, Array1};

use crate::compute::layout::{self, ROW_MAJOR};
use crate::{Real, Tensor, Var};

/// One value per channel.
type Row<F> = Array1<F>;

impl<F: Real> Var<'_, F> {
    #[track_caller]
    fn scale_or_ones(self, op: &str, weight: Option<Self>, c: usize) -> Row<F> {
        weight.map_or_else(|| Row::from_elem(c, F::ONE), |weight| self.per_channel(op, "weight", weight, c))
    }

    #[track_caller]
    fn shift_or_zeros(self, op: &str, bias: Option<Self>, c: usize) -> Row<F> {
        bias.map_or_else(|| Row::zeros(c), |bias| self.per_channel(op, "bias", bias, c))
    }

    #[track_caller]
    fn per_channel(self, op: &str, role: &str, parameter: Self, c: usize) -> Row<F> {
        self.same_tape(op, parameter);
        channel_values(op, role, &parameter.value(), c)
    }
}

#[track_caller]
fn channel_values<F: Real>(op: &str, role: &str, value: &Tensor<F>, c: usize) -> Row<F> {
    assert_eq!(value.shape(), [c], "`{op}`: the {role} must have one value for each of {c} channels");
    Row::from_iter(value.iter().copied())
}

fn into_tensor<F: Real>(row: Row<F>) -> Tensor<F> {
    row.into_dyn().into_shared()
}

/// All axes but the last in one, in row-major order; copies only where the elements are in another.
fn by_row<F: Real>(x: Tensor<F>, c: usize) -> ArcArray2<F> {
    let rows = x.len() / c;
    layout::row_major(x).into_shape_with_order((rows, c)).expect("as many elements")
}

fn slice<F: Real>(row: &Row<F>) -> &[F] {
    row.as_slice().expect("contiguous")
}

/// Some rows of an array that [`by_row`] made.
fn rows_of<F: Real>(x: &ArcArray2<F>, rows: Range<usize>) -> ChunksExact<'_, F> {
    let c = x.ncols();
    x.as_slice().expect(ROW_MAJOR)[rows.start * c..rows.end * c].chunks_exact(c)
}

/// All rows of such an array, to be changed.
fn rows_mut<F: Real>(x: &mut ArcArray2<F>) -> ChunksExactMut<'_, F> {
    let c = x.ncols();
    x.as_slice_mut().expect(ROW_MAJOR).chunks_exact_mut(c)
}
