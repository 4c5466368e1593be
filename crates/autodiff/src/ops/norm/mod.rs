//! Normalization. `x̂ = (x - μ) r` with `r = 1/√(σ² + ε)` is the normalized input, `dy` the upstream gradient.
//!
//! These ops are fused: out of elementary ones, as in this crate's tests, every line of a formula makes a tensor as large
//! as the input, and a step of batch norm takes about five times as long.

use std::cell::OnceCell;
use std::rc::Rc;
use std::slice::ChunksExactMut;

use ndarray::{ArcArray2, Array1, IxDyn, Zip};

use crate::compute::{buffers, layout, reduce, vectorized};
use crate::{Edge, Real, Tensor, Var};

/// One value per channel.
type Row<F> = Array1<F>;

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

    /// Normalizes over the last axis, of length `c`, then scales by `w: [c]` and shifts by `b: [c]` (Ba, Kiros and
    /// Hinton, 2016): `y = w x̂ + b` with, for each row,
    ///
    /// ```text
    /// μ = Σ x / c         σ² = Σ (x - μ)² / c         g = w dy
    /// dx = r (g - Σ g / c - x̂ Σ (g x̂) / c)
    /// ```
    ///
    /// and `dw = Σ dy x̂`, `db = Σ dy` over the rows.
    ///
    /// # Panics
    ///
    /// If `x` has no axis or its last one is empty, or if `w` or `b` are not of shape `[c]`.
    #[track_caller]
    pub fn layer_norm(self, weight: Option<Self>, bias: Option<Self>, eps: f64) -> Self {
        self.row_norm("layer_norm", true, weight, bias, eps)
    }

    /// Divides by the root mean square over the last axis, of length `c`, then scales by `w: [c]` (Zhang and Sennrich,
    /// 2019): `y = w x̂` with, for each row,
    ///
    /// ```text
    /// x̂ = r x         r = 1/√(Σ x² / c + ε)         g = w dy
    /// dx = r (g - x̂ Σ (g x̂) / c)
    /// ```
    ///
    /// and `dw = Σ dy x̂` over the rows.
    ///
    /// # Panics
    ///
    /// If `x` has no axis or its last one is empty, or if `w` is not of shape `[c]`.
    #[track_caller]
    pub fn rms_norm(self, weight: Option<Self>, eps: f64) -> Self {
        self.row_norm("rms_norm", false, weight, None, eps)
    }

    /// Layer norm, and RMS norm where `centered` is false: then `μ` is 0 and has no gradient.
    #[track_caller]
    fn row_norm(
        self,
        op: &'static str,
        centered: bool,
        weight: Option<Self>,
        bias: Option<Self>,
        eps: f64,
    ) -> Self {
        let shape = self.shape();
        let c = shape.last().copied().unwrap_or(0);
        assert!(c > 0, "`{op}` normalizes over the last axis, but the input has shape {shape:?}");
        let scale = self.scale_or_ones(op, weight, c);
        let shift = self.shift_or_zeros(op, bias, c);
        let mut normalized = by_row(self.value(), c);
        let r = normalize_rows(&mut normalized, centered, F::from_f64(eps));
        let mut y = normalized.clone();
        for mut y in y.rows_mut() {
            Zip::from(&mut y).and(&scale).and(&shift).for_each(|y, &scale, &shift| *y = *y * scale + shift);
        }

        let mut edges = Vec::with_capacity(3);
        if let Some(weight) = weight {
            let normalized = normalized.clone();
            edges.push(weight.edge(move |dy| {
                let mut dw = Row::zeros(c);
                for (dy, x) in by_row(dy, c).rows().into_iter().zip(normalized.rows()) {
                    Zip::from(&mut dw).and(&dy).and(&x).for_each(|dw, &dy, &x| *dw += dy * x);
                }
                into_tensor(dw)
            }));
        }
        if let Some(bias) = bias {
            edges.push(bias.edge(move |dy| reduce::sum_to(dy, &[c])));
        }
        let saved_shape = shape.clone();
        edges.push(self.edge(move |dy| {
            let dx = rows_dx(by_row(dy, c), &normalized, &r, &scale, centered);
            dx.into_shape_with_order(saved_shape).expect("as many elements")
        }));
        let y = y.into_shape_with_order(shape).expect("as many elements");
        self.tape().record_many(op, y, edges)
    }

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

fn into_tensor<F: Real>(row: Row<F>) -> Tensor<F> {
    row.into_dyn().into_shared()
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

/// All axes but the last in one, in row-major order; copies only where they are in another.
fn by_row<F: Real>(x: Tensor<F>, c: usize) -> ArcArray2<F> {
    let rows = x.len() / c;
    layout::row_major(x).into_shape_with_order((rows, c)).expect("as many elements")
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
    vectorized(
        #[inline(always)]
        || {
            for (before, x) in elements(x).chunks_exact(c).enumerate() {
                let share = F::from_f64((before + 1) as f64).recip();
                for ((mean, squares), &x) in mean.iter_mut().zip(&mut squares).zip(x) {
                    let distance = x - *mean;
                    *mean += distance * share;
                    *squares += distance * (x - *mean);
                }
            }
        },
    );
    (mean.into(), Row::from(squares) / F::from_f64(x.nrows() as f64))
}

/// `(x - μ) scale + shift`.
fn columns_affine<F: Real>(x: &ArcArray2<F>, mean: &Row<F>, scale: &Row<F>, shift: &Row<F>) -> ArcArray2<F> {
    let mut y = buffers::scratch(x.shape()).into_dimensionality().expect("two axes");
    let of_column = slice(mean).iter().zip(slice(scale)).zip(slice(shift));
    vectorized(
        #[inline(always)]
        || {
            for (y, x) in rows_mut(&mut y).zip(elements(x).chunks_exact(x.ncols())) {
                for ((y, &x), ((&mean, &scale), &shift)) in y.iter_mut().zip(x).zip(of_column.clone()) {
                    *y = (x - mean) * scale + shift;
                }
            }
        },
    );
    y
}

/// `[Σ dy x̂, Σ dy]` of each column.
fn column_sums<F: Real>(dy: &ArcArray2<F>, x: &ArcArray2<F>, mean: &Row<F>, r: &Row<F>) -> [Row<F>; 2] {
    let c = x.ncols();
    let (mut products, mut sums) = (vec![F::ZERO; c], vec![F::ZERO; c]);
    let mean = slice(mean);
    vectorized(
        #[inline(always)]
        || {
            for (dy, x) in elements(dy).chunks_exact(c).zip(elements(x).chunks_exact(c)) {
                let columns = products.iter_mut().zip(&mut sums);
                for ((((products, sums), &dy), &x), &mean) in columns.zip(dy).zip(x).zip(mean) {
                    *products += dy * (x - mean);
                    *sums += dy;
                }
            }
        },
    );
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
    vectorized(
        #[inline(always)]
        || {
            for (dy, x) in rows_mut(&mut dy).zip(elements(x).chunks_exact(x.ncols())) {
                let columns = dy.iter_mut().zip(x).zip(of_column.clone());
                for ((dy, &x), ((&mean, &scale), (&offset, &slope))) in columns {
                    *dy = scale * (*dy - offset - (x - mean) * slope);
                }
            }
        },
    );
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

/// Overwrites each row of `x` with `x̂` and returns the rows' `r`. The mean is taken off before squaring.
fn normalize_rows<F: Real>(x: &mut ArcArray2<F>, centered: bool, eps: F) -> Vec<F> {
    let c = F::from_f64(x.ncols() as f64);
    let normalize = |mut x: ndarray::ArrayViewMut1<'_, F>| {
        if centered {
            let mean = x.sum() / c;
            x -= mean;
        }
        let r = (x.dot(&x) / c + eps).sqrt().recip();
        x *= r;
        r
    };
    x.rows_mut().into_iter().map(normalize).collect()
}

/// `dx = r (g - Σ g / c - x̂ Σ (g x̂) / c)` with `g = scale dy`, written over `dy`; without the first sum where
/// `centered` is false.
fn rows_dx<F: Real>(
    mut dy: ArcArray2<F>,
    normalized: &ArcArray2<F>,
    r: &[F],
    scale: &Row<F>,
    centered: bool,
) -> ArcArray2<F> {
    let c = F::from_f64(dy.ncols() as f64);
    for ((mut g, x), &r) in dy.rows_mut().into_iter().zip(normalized.rows()).zip(r) {
        g *= scale;
        let offset = if centered { g.sum() / c } else { F::ZERO };
        let slope = g.dot(&x) / c;
        Zip::from(&mut g).and(&x).for_each(|g, &x| *g = r * (*g - offset - x * slope));
    }
    dy
}
