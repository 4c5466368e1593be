//! Mean 0 and standard deviation 1, from the numbers of the training part.

use ndarray::{ArcArray, Array, ArrayBase, ArrayD, ArrayViewD, Axis, Data, Dimension, IxDyn, Slice};
use serde::{Deserialize, Serialize};

use super::rows::Rows;
use crate::DataError;

/// The largest number whose square can be summed.
const LARGEST: f64 = 1e140;

/// `(x - mean) / std`, with numbers that were taken from the training part.
///
/// [`fit`](Self::fit) it there, [`apply`](Self::apply) it everywhere, and save it with the model (it implements
/// `Serialize`): a program that reads it back transforms new rows to the same bits.
///
/// ```
/// use ndarray::array;
/// use wengert_data::Standardization;
///
/// let train = array![[1.0_f32, 7.0], [3.0, 7.0]];
/// let by = Standardization::fit(&train)?;
/// assert_eq!(by.apply(&train), array![[-1.0, 0.0], [1.0, 0.0]].into_dyn()); // one value alone counts as deviation 1
/// assert_eq!(by.apply(&array![[4.0_f32, 8.0]]), array![[2.0, 1.0]].into_dyn());
/// # Ok::<(), wengert_data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Raw")]
#[doc(alias("StandardScaler", "Normalize", "z-score"))]
pub struct Standardization {
    mean: ArrayD<f64>,
    std: ArrayD<f64>,
}

/// As a file may hold it.
#[derive(Deserialize)]
struct Raw {
    mean: ArrayD<f64>,
    std: ArrayD<f64>,
}

impl TryFrom<Raw> for Standardization {
    type Error = &'static str;

    fn try_from(Raw { mean, std }: Raw) -> Result<Self, Self::Error> {
        let possible =
            mean.iter().all(|x| x.is_finite()) && std.iter().all(|&x| x > 0.0 && x < f64::INFINITY);
        match mean.shape() == std.shape() && possible {
            true => Ok(Self { mean, std }),
            false => Err("a standardization has as many means as deviations, all finite, deviations above 0"),
        }
    }
}

impl Standardization {
    /// Mean and standard deviation (divided by the count) of each place of a row, over the rows of `x`, `[n, …]`. Sums
    /// are in `f64`. A deviation of 0 counts as 1.
    ///
    /// # Errors
    ///
    /// [`DataError::NotFinite`] for NaN and for a number beyond ±1e140.
    ///
    /// # Panics
    ///
    /// If `x` has no row.
    #[track_caller]
    pub fn fit<A, S, D>(x: &ArrayBase<S, D>) -> Result<Self, DataError>
    where
        A: Copy + Into<f64>,
        S: Data<Elem = A>,
        D: Dimension,
    {
        Self::fit_over(x, &[0])
    }

    /// Like [`fit`](Self::fit), over `axes`, of which 0 must be one: with `[0, 2, 3]` a number per channel of images
    /// `[n, channels, rows, cols]`.
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit).
    ///
    /// # Panics
    ///
    /// If `axes` lacks 0 or names an axis that `x` does not have, or if there is nothing to take the mean of.
    #[track_caller]
    pub fn fit_over<A, S, D>(x: &ArrayBase<S, D>, axes: &[usize]) -> Result<Self, DataError>
    where
        A: Copy + Into<f64>,
        S: Data<Elem = A>,
        D: Dimension,
    {
        let fits = axes.contains(&0) && axes.iter().all(|&axis| axis < x.ndim() && x.len_of(Axis(axis)) > 0);
        assert!(fits, "fit_over: axes {axes:?} of an array of shape {:?}", x.shape());
        let x = x.view().into_dyn().mapv(Into::into);
        if let Some((index, &value)) = x.iter().enumerate().find(|(_, x)| x.is_nan() || x.abs() > LARGEST) {
            return Err(DataError::NotFinite { index, value });
        }
        // Less the first, so that the mean of equal numbers is that number.
        let first = axes.iter().fold(x.view(), |x, &axis| x.slice_axis_move(Axis(axis), Slice::from(..1)));
        let x = &x - &first;
        let mean = mean_over(&x, axes);
        let squares = (&x - &mean).mapv_into(|x| x * x);
        let std = mean_over(&squares, axes).mapv_into(|variance| one_for_zero(variance.sqrt()));
        let mean = &first + &mean;
        let row = |of: ArrayD<f64>| of.index_axis_move(Axis(0), 0);
        Ok(Self { mean: row(mean), std: row(std) })
    }

    /// With numbers from elsewhere, which broadcast to a row: `mean` of shape `[3, 1, 1]` is one per channel. Bytes
    /// become 0 to 1 with mean 0 and deviation 255, arrays without axes.
    ///
    /// # Panics
    ///
    /// If the shapes differ, a number is not finite, or a deviation is negative. One of 0 counts as 1.
    #[track_caller]
    pub fn new<D: Dimension>(mean: Array<f64, D>, std: Array<f64, D>) -> Self {
        let raw = Raw { mean: mean.into_dyn(), std: std.into_dyn().mapv_into(one_for_zero) };
        raw.try_into().unwrap_or_else(|error| panic!("{error}"))
    }

    /// `(x - mean) / std`, row for row, computed in `f64`.
    ///
    /// # Panics
    ///
    /// If the rows of `x` have another shape.
    #[track_caller]
    pub fn apply<A, S, D>(&self, x: &ArrayBase<S, D>) -> ArcArray<f32, IxDyn>
    where
        A: Copy + Into<f64>,
        S: Data<Elem = A>,
        D: Dimension,
    {
        self.each(x, |x, mean, std| (x - mean) / std)
    }

    /// Back again: `x * std + mean`, for predictions of a target that was standardised.
    ///
    /// # Panics
    ///
    /// If the rows of `x` have another shape.
    #[track_caller]
    #[doc(alias = "inverse_transform")]
    pub fn invert<A, S, D>(&self, x: &ArrayBase<S, D>) -> ArcArray<f32, IxDyn>
    where
        A: Copy + Into<f64>,
        S: Data<Elem = A>,
        D: Dimension,
    {
        self.each(x, |x, mean, std| x * std + mean)
    }

    /// `rows`, standardised when a batch is made: bytes stay bytes until then.
    pub fn rows<X: Rows<Batch = ArcArray<f32, IxDyn>>>(&self, rows: X) -> Standardized<X> {
        Standardized { rows, by: self.clone() }
    }

    /// The means, of the shape of a row.
    pub fn mean(&self) -> ArrayViewD<'_, f64> {
        self.mean.view()
    }

    /// The standard deviations, of the shape of a row.
    pub fn std(&self) -> ArrayViewD<'_, f64> {
        self.std.view()
    }

    #[track_caller]
    fn each<A, S, D>(&self, x: &ArrayBase<S, D>, f: impl Fn(f64, f64, f64) -> f64) -> ArcArray<f32, IxDyn>
    where
        A: Copy + Into<f64>,
        S: Data<Elem = A>,
        D: Dimension,
    {
        let x = x.view().into_dyn();
        let row = x.shape().get(1..).unwrap_or_else(|| panic!("an array without axes has no rows"));
        let numbers = self.mean.broadcast(row).zip(self.std.broadcast(row));
        let Some((mean, std)) = numbers else {
            panic!("rows of shape {row:?} standardised by numbers of shape {:?}", self.mean.shape());
        };
        let mut y = ArrayD::zeros(x.raw_dim());
        for (mut to, from) in y.outer_iter_mut().zip(x.outer_iter()) {
            let write =
                |to: &mut f32, &from: &A, &mean: &f64, &std: &f64| *to = f(from.into(), mean, std) as f32;
            ndarray::Zip::from(&mut to).and(&from).and(&mean).and(&std).for_each(write);
        }
        y.into_shared()
    }
}

/// Along each of `axes`, which stay with length 1.
fn mean_over(x: &ArrayD<f64>, axes: &[usize]) -> ArrayD<f64> {
    let over = |mean: ArrayD<f64>, &axis: &usize| {
        let mean = mean.mean_axis(Axis(axis)).expect("at least one number to take the mean of");
        mean.insert_axis(Axis(axis))
    };
    axes.iter().fold(x.clone(), over)
}

fn one_for_zero(std: f64) -> f64 {
    if std == 0.0 { 1.0 } else { std }
}

/// Rows that are standardised when a batch is made. Made by [`Standardization::rows`].
#[derive(Clone, Debug)]
pub struct Standardized<X> {
    rows: X,
    by: Standardization,
}

impl<X: Rows<Batch = ArcArray<f32, IxDyn>>> Rows for Standardized<X> {
    type Batch = ArcArray<f32, IxDyn>;

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn gather(&self, indices: &[usize]) -> Self::Batch {
        self.by.apply(&self.rows.gather(indices))
    }

    fn lens(&self) -> Vec<usize> {
        self.rows.lens()
    }
}
