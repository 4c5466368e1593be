//! Inputs with their targets.

use std::fmt::Display;
use std::sync::Arc;

use ndarray::{ArrayBase, Data, Dimension};

use super::rows::{Rows, check};
use crate::DataError;

/// Inputs and targets, row for row: arrays of any rank and type, class labels, or several of them in a tuple. [`Rows`]
/// says which, and what their batches are.
///
/// ```
/// use ndarray::{Array1, Array3};
/// use rand::{SeedableRng, rngs::StdRng};
/// use wengert_data::{Dataset, labels};
///
/// // Ten recordings of two channels and five numbers each, of three classes.
/// let x = Array3::from_shape_fn((10, 2, 5), |(i, c, t)| (i + c * t) as f64);
/// let y: Array1<i64> = (0..10).map(|i| i % 3).collect();
/// let data = Dataset::new(x, labels(&y, 3)?)?;
///
/// let rng = &mut StdRng::seed_from_u64(0);
/// for batch in data.batches(4).shuffle(rng) {
///     assert_eq!(batch.x.shape(), [batch.y.len(), 2, 5]); // an `ArcArray<f32, IxDyn>` and a `Vec<usize>`
/// }
/// # Ok::<(), wengert_data::DataError>(())
/// ```
///
/// Clones and [`subset`](Self::subset)s share the arrays.
#[derive(Debug)]
#[doc(alias("TensorDataset", "DataLoader"))]
pub struct Dataset<X, Y> {
    arrays: Arc<(X, Y)>,
    /// The rows of a subset.
    picked: Option<Arc<[usize]>>,
}

/// Some samples of a [`Dataset`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Samples<X, Y> {
    /// The inputs: for an array of numbers an `ArcArray<f32, IxDyn>` of shape `[b, …]`.
    pub x: X,
    /// The targets, an array likewise; for labels a `Vec<usize>` of length `b`.
    pub y: Y,
}

impl<X: Rows, Y: Rows> Dataset<X, Y> {
    /// Pairs the rows of `x`, `[n, …]`, with those of `y`, `[n, …]`.
    ///
    /// # Errors
    ///
    /// [`DataError::RowMismatch`] unless both, and all parts of a tuple, have the same number of rows.
    pub fn new(x: X, y: Y) -> Result<Self, DataError> {
        let rows = [x.lens(), y.lens()].concat();
        if rows.windows(2).any(|pair| pair[0] != pair[1]) {
            return Err(DataError::RowMismatch { rows });
        }
        Ok(Self { arrays: Arc::new((x, y)), picked: None })
    }

    /// The samples at `indices`, in that order; an index may repeat. Arrays are shared, not copied. [`split`](
    /// crate::split) makes such lists.
    ///
    /// # Panics
    ///
    /// If an index is not below the number of samples.
    #[must_use]
    #[track_caller]
    #[doc(alias("Subset", "random_split"))]
    pub fn subset(&self, indices: &[usize]) -> Self {
        check(indices, self.len());
        let picked = match &self.picked {
            Some(picked) => indices.iter().map(|&index| picked[index]).collect(),
            None => indices.into(),
        };
        Self { arrays: Arc::clone(&self.arrays), picked: Some(picked) }
    }

    /// All samples as one batch, in order.
    pub fn all(&self) -> Samples<X::Batch, Y::Batch> {
        self.gather(&(0..self.len()).collect::<Vec<_>>())
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.picked.as_ref().map_or_else(|| self.arrays.0.len(), |picked| picked.len())
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<X, Y> Clone for Dataset<X, Y> {
    fn clone(&self) -> Self {
        Self { arrays: Arc::clone(&self.arrays), picked: self.picked.clone() }
    }
}

impl<X: Rows, Y: Rows> Rows for Dataset<X, Y> {
    type Batch = Samples<X::Batch, Y::Batch>;

    fn len(&self) -> usize {
        self.len()
    }

    fn gather(&self, indices: &[usize]) -> Self::Batch {
        let (x, y) = &*self.arrays;
        match &self.picked {
            Some(picked) => {
                check(indices, picked.len());
                let indices: Vec<_> = indices.iter().map(|&index| picked[index]).collect();
                Samples { x: x.gather(&indices), y: y.gather(&indices) }
            }
            None => Samples { x: x.gather(indices), y: y.gather(indices) },
        }
    }
}

/// Integers of any type as class labels, in the array's order, row after row.
///
/// # Errors
///
/// [`DataError::NotAClass`] for the first that is not in `0..classes`.
pub fn labels<A, S, D>(array: &ArrayBase<S, D>, classes: usize) -> Result<Vec<usize>, DataError>
where
    A: Copy + Display + TryInto<usize>,
    S: Data<Elem = A>,
    D: Dimension,
{
    let class = |(index, &label): (usize, &A)| match label.try_into() {
        Ok(class) if class < classes => Ok(class),
        _ => Err(DataError::NotAClass { index, label: label.to_string(), classes }),
    };
    array.iter().enumerate().map(class).collect()
}
