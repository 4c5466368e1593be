//! Batch norm: over the batch, channel by channel.

use std::cell::OnceCell;
use std::rc::Rc;
use std::slice::ChunksExactMut;

use ndarray::{ArcArray2, IxDyn};

use super::{Row, by_row, channel_values, into_tensor};
use crate::compute::{buffers, inlined, vectorized};
use crate::{Edge, Real, Tensor, Var};

impl<F: Real> Var<'_, F> {
    /// Normalizes each channel of `x: [n, c]` or `[n, c, l]` over its `m = n l` values, then scales it by `w: [c]` and
    /// shifts it by `b: [c]` (Ioffe and Szegedy, 2015): `y = w x̂ + b` with
    ///
    /// ```text
    /// μ = Σ x / m         σ² = Σ (x - μ)² / m
    /// dw = Σ dy x̂         db = Σ dy
    /// dx = w r (dy - (db + x̂ dw) / m)
    /// ```
    ///
    /// all sums over the `m` values of a channel. Also returns `μ` and `σ²` (biased), of shape `[c]`, as plain tensors.
    ///
    /// # Panics
    ///
    /// If `x` has not two or three axes, holds no element, or if `w` or `b` are not of shape `[c]`.
    #[track_caller]
    pub fn batch_norm(
        self,
        weight: Option<Self>,
        bias: Option<Self>,
        eps: f64,
    ) -> (Self, Tensor<F>, Tensor<F>) {
        let shape = self.shape();
        assert!(
            matches!(shape.len(), 2 | 3) && !shape.contains(&0),
            "`batch_norm` needs an input [n, c] or [n, c, l] with elements, this one has shape {shape:?}"
        );
        let c = shape[1];
        let x = by_channel(self.value());
        let (mean, var) = column_moments(&x);
        let r = inverse_root(&var, eps);
        let scale = self.scale_or_ones("batch_norm", weight, c) * &r;
        let shift = self.shift_or_zeros("batch_norm", bias, c);
        let y = columns_affine(&x, &mean, &scale, &shift);
        let y = to_channels(y, &shape);

        let sums = Rc::new(OnceCell::new());
        let mut edges = parameter_edges([weight, bias], &sums, &x, &mean, &r);
        let saved_mean = mean.clone();
        // Last, because the last edge owns `dy` and overwrites it with `dx`.
        edges.push(self.edge(move |dy| {
            let dy = by_channel(dy);
            let [dw, db] = sums.get_or_init(|| column_sums(&dy, &x, &saved_mean, &r));
            let m = F::from_f64(x.nrows() as f64);
            let dx = columns_dx(dy, &x, &saved_mean, &scale, &(db / m), &(&r * dw / m));
            to_channels(dx, &shape)
        }));
        (self.tape().record_many("batch_norm", y, edges), into_tensor(mean), into_tensor(var))
    }

    /// [`batch_norm`](Var::batch_norm) by a mean and a variance of shape `[c]` that are given, for evaluation:
    /// `y = w (x - μ) r + b`; `dx = w r dy`, `dw` and `db` as there.
    ///
    /// # Panics
    ///
    /// If `x` has not two or three axes, or if `mean`, `var`, `w` or `b` are not of shape `[c]`.
    #[track_caller]
    pub fn batch_norm_with(
        self,
        mean: &Tensor<F>,
        var: &Tensor<F>,
        weight: Option<Self>,
        bias: Option<Self>,
        eps: f64,
    ) -> Self {
        const OP: &str = "batch_norm_with";
        let shape = self.shape();
        assert!(
            matches!(shape.len(), 2 | 3) && shape[1] > 0,
            "`{OP}` needs an input [n, c] or [n, c, l], this one has shape {shape:?}"
        );
        let c = shape[1];
        let x = by_channel(self.value());
        let (mean, var) = (channel_values(OP, "mean", mean, c), channel_values(OP, "variance", var, c));
        let r = inverse_root(&var, eps);
        let scale = self.scale_or_ones(OP, weight, c) * &r;
        let shift = self.shift_or_zeros(OP, bias, c);
        let y = to_channels(columns_affine(&x, &mean, &scale, &shift), &shape);
        let mut edges = parameter_edges([weight, bias], &Rc::default(), &x, &mean, &r);
        edges.push(self.edge(move |dy| {
            let zero = Row::zeros(c);
            to_channels(columns_affine(&by_channel(dy), &zero, &scale, &zero), &shape)
        }));
        self.tape().record_many(OP, y, edges)
    }
}

/// `dw` and `db` of batch norm, from [`column_sums`] that are computed once.
fn parameter_edges<F: Real>(
    parameters: [Option<Var<'_, F>>; 2],
    sums: &Rc<OnceCell<[Row<F>; 2]>>,
    x: &ArcArray2<F>,
    mean: &Row<F>,
    r: &Row<F>,
) -> Vec<Edge<F>> {
    let edge = |(pick, parameter): (usize, Option<Var<'_, F>>)| {
        let (sums, x, mean, r) = (Rc::clone(sums), x.clone(), mean.clone(), r.clone());
        Some(parameter?.edge(move |dy| {
            let sums = sums.get_or_init(|| column_sums(&by_channel(dy), &x, &mean, &r));
            into_tensor(sums[pick].clone())
        }))
    };
    parameters.into_iter().enumerate().filter_map(edge).collect()
}

/// `x: [n, c]` as it is, `[n, c, l]` as `[n l, c]`: one column per channel, in row-major order.
fn by_channel<F: Real>(x: Tensor<F>) -> ArcArray2<F> {
    let c = x.shape()[1];
    let x = if x.ndim() == 3 { x.permuted_axes(IxDyn(&[0, 2, 1])) } else { x };
    by_row(x, c)
}

/// The inverse of [`by_channel`].
fn to_channels<F: Real>(rows: ArcArray2<F>, shape: &[usize]) -> Tensor<F> {
    match *shape {
        [n, c, l] => {
            let x = rows.into_shape_with_order(IxDyn(&[n, l, c])).expect("as many elements");
            x.permuted_axes(IxDyn(&[0, 2, 1]))
        }
        _ => rows.into_dyn(),
    }
}

/// `1/√(σ² + ε)`.
fn inverse_root<F: Real>(var: &Row<F>, eps: f64) -> Row<F> {
    var.mapv(|var| (var + F::from_f64(eps)).sqrt().recip())
}

/// Mean and biased variance of each column, in one pass and without subtracting large squares from each other (Welford,
/// 1962).
fn column_moments<F: Real>(x: &ArcArray2<F>) -> (Row<F>, Row<F>) {
    let c = x.ncols();
    let (mut mean, mut squares) = (vec![F::ZERO; c], vec![F::ZERO; c]);
    vectorized(inlined!(|| {
        for (before, x) in elements(x).chunks_exact(c).enumerate() {
            let share = F::from_f64((before + 1) as f64).recip();
            for ((mean, squares), &x) in mean.iter_mut().zip(&mut squares).zip(x) {
                let distance = x - *mean;
                *mean += distance * share;
                *squares += distance * (x - *mean);
            }
        }
    }));
    (mean.into(), Row::from(squares) / F::from_f64(x.nrows() as f64))
}

/// `(x - μ) scale + shift`.
fn columns_affine<F: Real>(x: &ArcArray2<F>, mean: &Row<F>, scale: &Row<F>, shift: &Row<F>) -> ArcArray2<F> {
    let mut y = buffers::scratch(x.shape()).into_dimensionality().expect("two axes");
    let of_column = slice(mean).iter().zip(slice(scale)).zip(slice(shift));
    let of_column = of_column.map(|((&mean, &scale), &shift)| (mean, scale, shift));
    vectorized(inlined!(|| {
        for (y, x) in rows_mut(&mut y).zip(elements(x).chunks_exact(x.ncols())) {
            for ((y, &x), (mean, scale, shift)) in y.iter_mut().zip(x).zip(of_column.clone()) {
                *y = (x - mean) * scale + shift;
            }
        }
    }));
    y
}

/// `[Σ dy x̂, Σ dy]` of each column.
fn column_sums<F: Real>(dy: &ArcArray2<F>, x: &ArcArray2<F>, mean: &Row<F>, r: &Row<F>) -> [Row<F>; 2] {
    let c = x.ncols();
    let (mut products, mut sums) = (vec![F::ZERO; c], vec![F::ZERO; c]);
    let mean = slice(mean);
    vectorized(inlined!(|| {
        for (dy, x) in elements(dy).chunks_exact(c).zip(elements(x).chunks_exact(c)) {
            let columns = products.iter_mut().zip(&mut sums);
            for ((((products, sums), &dy), &x), &mean) in columns.zip(dy).zip(x).zip(mean) {
                *products += dy * (x - mean);
                *sums += dy;
            }
        }
    }));
    [Row::from(products) * r, sums.into()]
}

/// `dx = scale (dy - offset - (x - μ) slope)`, written over `dy`.
fn columns_dx<F: Real>(
    mut dy: ArcArray2<F>,
    x: &ArcArray2<F>,
    mean: &Row<F>,
    scale: &Row<F>,
    offset: &Row<F>,
    slope: &Row<F>,
) -> ArcArray2<F> {
    let of_column = (slice(mean).iter().zip(slice(scale))).zip(slice(offset).iter().zip(slice(slope)));
    let of_column = of_column.map(|((&mean, &scale), (&offset, &slope))| (mean, scale, offset, slope));
    vectorized(inlined!(|| {
        for (dy, x) in rows_mut(&mut dy).zip(elements(x).chunks_exact(x.ncols())) {
            for ((dy, &x), (mean, scale, offset, slope)) in dy.iter_mut().zip(x).zip(of_column.clone()) {
                *dy = scale * (*dy - offset - (x - mean) * slope);
            }
        }
    }));
    dy
}

fn slice<F: Real>(row: &Row<F>) -> &[F] {
    row.as_slice().expect("contiguous")
}

/// The elements of an array that [`by_row`] made.
fn elements<F: Real>(x: &ArcArray2<F>) -> &[F] {
    x.as_slice().expect("in row-major order")
}

/// Like [`elements`], row by row and to be changed.
fn rows_mut<F: Real>(x: &mut ArcArray2<F>) -> ChunksExactMut<'_, F> {
    let c = x.ncols();
    x.as_slice_mut().expect("in row-major order").chunks_exact_mut(c)
}
