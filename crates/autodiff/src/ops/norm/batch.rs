//! Batch norm: over the batch, channel by channel.

use std::array;
use std::cell::OnceCell;
use std::rc::Rc;

use ndarray::{ArcArray2, IxDyn};

use super::{Row, by_row, channel_values, into_tensor, rows_mut, rows_of, slice};
use crate::compute::sum::{add_slice, sum_rows};
use crate::compute::{buffers, inlined, layout, vectorized};
use crate::{Edge, Real, Tensor, Var};

/// # Batch normalization
impl<F: Real> Var<'_, F> {
    /// Normalizes each channel of `x: [n, c, …]` over its `m` values in all other axes, then scales it by `w: [c]` and
    /// shifts it by `b: [c]` (Ioffe and Szegedy, 2015): `y = w x̂ + b`, in the shape of `x`, with
    ///
    /// ```text
    /// μ = Σ x / m         σ² = Σ (x - μ)² / m
    /// dw = Σ dy x̂         db = Σ dy
    /// dx = w r (dy - (db + x̂ dw) / m)
    /// ```
    ///
    /// all sums over the `m` values of a channel. Also returns `μ` and `σ²` (biased), of shape `[c]`, as plain tensors.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 10.0], [3.0, 10.0]]);
    /// let (y, mean, var) = x.batch_norm(None, None, 0.0001);
    /// assert_eq!((mean, var), ([2.0, 10.0].into_tensor(), [1.0, 0.0].into_tensor()));
    /// assert_eq!(y.sum().item(), 0.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If `x` has fewer than two axes, if it holds no element, or if `w` or `b` does not have the shape `[c]`.
    #[doc(alias("batch_normalization", "BatchNorm1d", "BatchNorm2d"))]
    #[track_caller]
    pub fn batch_norm(
        self,
        weight: Option<Self>,
        bias: Option<Self>,
        eps: f64,
    ) -> (Self, Tensor<F>, Tensor<F>) {
        let shape = self.shape();
        assert!(
            shape.len() >= 2 && !shape.contains(&0),
            "`batch_norm` needs an input [n, c, …] with elements, this one has shape {shape:?}"
        );
        let c = shape[1];
        let x = by_channel(self.value());
        let (mean, var) = column_moments(&x);
        let r = inverse_root(&var, eps);
        let scale = self.scale_or_ones("batch_norm", weight, c) * &r;
        let shift = self.shift_or_zeros("batch_norm", bias, c) - &mean.rest * &scale;
        let y = columns_affine(&x, &mean.rounded, &scale, &shift);
        let y = to_channels(y, &shape);

        let sums = Rc::new(OnceCell::new());
        let mut edges = parameter_edges([weight, bias], &sums, &x, &mean, &r);
        let saved_mean = mean.clone();
        // Last, because the last edge owns `dy` and overwrites it with `dx`.
        edges.push(self.edge(move |dy| {
            let dy = by_channel(dy);
            let [dw, db] = sums.get_or_init(|| column_sums(&dy, &x, &saved_mean, &r));
            let m = F::from_f64(x.nrows() as f64);
            let slope = &r * dw / m;
            let offset = db / m - &saved_mean.rest * &slope;
            to_channels(columns_dx(dy, &x, &saved_mean.rounded, &scale, &offset, &slope), &shape)
        }));
        (
            self.tape().record_many("batch_norm", y, edges),
            into_tensor(mean.rounded + mean.rest),
            into_tensor(var),
        )
    }

    /// [`batch_norm`](Var::batch_norm) by a mean and a variance of shape `[c]` that are given, for evaluation:
    /// `y = w (x - μ) r + b`, in the shape of `x`; `dx = w r dy`, `dw` and `db` as there.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let (mean, var) = ([1.0].into_tensor(), [4.0].into_tensor());
    /// let y = tape.variable([[1.0], [5.0]]).batch_norm_with(&mean, &var, None, None, 0.0);
    /// assert_eq!(y.value(), [[0.0], [2.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If `x` has fewer than two axes, or if `mean`, `var`, `w` or `b` does not have the shape `[c]`.
    #[doc(alias("batch_normalization", "running_mean", "running_var"))]
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
            shape.len() >= 2 && shape[1] > 0,
            "`{OP}` needs an input [n, c, …], this one has shape {shape:?}"
        );
        let c = shape[1];
        let x = by_channel(self.value());
        let (mean, var) = (channel_values(OP, "mean", mean, c), channel_values(OP, "variance", var, c));
        let r = inverse_root(&var, eps);
        let scale = self.scale_or_ones(OP, weight, c) * &r;
        let shift = self.shift_or_zeros(OP, bias, c);
        let y = to_channels(columns_affine(&x, &mean, &scale, &shift), &shape);
        let mean = Mean { rounded: mean, rest: Row::zeros(c) };
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
    mean: &Mean<F>,
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

/// `x: [n, c]` as it is, `[n, c, …]` with the last axes moved before the channels: one column per channel, in row-major
/// order.
fn by_channel<F: Real>(x: Tensor<F>) -> ArcArray2<F> {
    let (n, c) = (x.shape()[0], x.shape()[1]);
    if x.ndim() == 2 {
        return by_row(x, c);
    }
    let positions = x.shape()[2..].iter().product();
    by_row(layout::reshaped(x, &[n, c, positions]).permuted_axes(IxDyn(&[0, 2, 1])), c)
}

/// The inverse of [`by_channel`].
fn to_channels<F: Real>(rows: ArcArray2<F>, shape: &[usize]) -> Tensor<F> {
    let [n, c, last @ ..] = shape else { unreachable!("the op asked for two axes") };
    if last.is_empty() {
        return rows.into_dyn();
    }
    let mut x = rows.into_shape_with_order(IxDyn(&[&[*n], last, &[*c]].concat())).expect("as many elements");
    let mut order: Vec<_> = (0..shape.len()).collect();
    order[1..].rotate_right(1);
    x = x.permuted_axes(order);
    x
}

/// `1/√(σ² + ε)`.
fn inverse_root<F: Real>(var: &Row<F>, eps: f64) -> Row<F> {
    var.mapv(|var| (var + F::from_f64(eps)).sqrt().recip())
}

/// The mean of each column. Where it is large, what rounding took from it is not small beside the deviations.
#[derive(Clone)]
struct Mean<F: Real> {
    rounded: Row<F>,
    rest: Row<F>,
}

/// Mean and biased variance of each column, in two passes (Chan, Golub and LeVeque, 1983): over the elements, then over
/// their distances from the rounded mean, whose own mean is what is left of it.
fn column_moments<F: Real>(x: &ArcArray2<F>) -> (Mean<F>, Row<F>) {
    let (m, c) = (x.nrows(), x.ncols());
    let mut sums = vec![F::ZERO; 3 * c];
    let (mean, of_distances) = sums.split_at_mut(c);
    sum_rows(m, mean, |rows, sum| {
        let x = rows_of(x, rows);
        vectorized(inlined!(|| x.for_each(|x| add_slice(sum, x))));
    });
    let count = F::from_f64(m as f64);
    mean.iter_mut().for_each(|mean| *mean /= count);
    sum_rows(m, of_distances, |rows, sums| {
        let x = rows_of(x, rows);
        vectorized(inlined!(|| x.for_each(|x| add_distances(sums.split_at_mut(c), x, mean))));
    });
    let [rounded, rest, squares] = rows_from(&sums);
    let (rest, mut var) = (rest / count, squares / count);
    // Of equal elements, rounding may leave less than nothing.
    var.zip_mut_with(&rest, |var, &rest| {
        *var = if *var < rest * rest { F::ZERO } else { *var - rest * rest }
    });
    (Mean { rounded, rest }, var)
}

#[inline(always)]
fn add_distances<F: Real>((sums, squares): (&mut [F], &mut [F]), x: &[F], mean: &[F]) {
    for (((sum, square), &x), &mean) in sums.iter_mut().zip(squares).zip(x).zip(mean) {
        let distance = x - mean;
        *sum += distance;
        *square += distance * distance;
    }
}

/// Several rows that lie one after the other.
fn rows_from<F: Real, const N: usize>(rows: &[F]) -> [Row<F>; N] {
    let c = rows.len() / N;
    array::from_fn(|i| Row::from_iter(rows[i * c..(i + 1) * c].iter().copied()))
}

/// `(x - μ) scale + shift`.
fn columns_affine<F: Real>(x: &ArcArray2<F>, mean: &Row<F>, scale: &Row<F>, shift: &Row<F>) -> ArcArray2<F> {
    let mut y = buffers::scratch(x.shape()).into_dimensionality().expect("two axes");
    let of_column = slice(mean).iter().zip(slice(scale)).zip(slice(shift));
    let of_column = of_column.map(|((&mean, &scale), &shift)| (mean, scale, shift));
    vectorized(inlined!(|| {
        for (y, x) in rows_mut(&mut y).zip(rows_of(x, 0..x.nrows())) {
            for ((y, &x), (mean, scale, shift)) in y.iter_mut().zip(x).zip(of_column.clone()) {
                *y = (x - mean) * scale + shift;
            }
        }
    }));
    y
}

/// `[Σ dy x̂, Σ dy]` of each column.
fn column_sums<F: Real>(dy: &ArcArray2<F>, x: &ArcArray2<F>, mean: &Mean<F>, r: &Row<F>) -> [Row<F>; 2] {
    let c = x.ncols();
    let mut sums = vec![F::ZERO; 2 * c];
    let rounded = slice(&mean.rounded);
    sum_rows(x.nrows(), &mut sums, |rows, sums| {
        let rows = rows_of(dy, rows.clone()).zip(rows_of(x, rows));
        vectorized(inlined!(|| rows.for_each(|(dy, x)| add_products(sums.split_at_mut(c), dy, x, rounded))));
    });
    let [products, sums] = rows_from(&sums);
    [(products - &sums * &mean.rest) * r, sums]
}

#[inline(always)]
fn add_products<F: Real>((products, sums): (&mut [F], &mut [F]), dy: &[F], x: &[F], mean: &[F]) {
    for ((((product, sum), &dy), &x), &mean) in products.iter_mut().zip(sums).zip(dy).zip(x).zip(mean) {
        *product += dy * (x - mean);
        *sum += dy;
    }
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
        for (dy, x) in rows_mut(&mut dy).zip(rows_of(x, 0..x.nrows())) {
            for ((dy, &x), (mean, scale, offset, slope)) in dy.iter_mut().zip(x).zip(of_column.clone()) {
                *dy = scale * (*dy - offset - (x - mean) * slope);
            }
        }
    }));
    dy
}
