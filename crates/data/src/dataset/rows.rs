//! Anything of which rows can be gathered into a batch.

use ndarray::{ArcArray, Array, ArrayBase, ArrayD, ArrayViewD, Axis, Data, Dimension, IxDyn, RawDataClone};

/// Rows that can be gathered into a batch: what [`Batches`](crate::Batches) asks of a dataset, and
/// [`Dataset`](crate::Dataset) of its inputs and targets.
///
/// - An array `[n, …]` of numbers has `n` rows; its batches are `f32`, `[b, …]`. Numbers are converted when a batch is
///   made, to the nearest `f32`, and not scaled: integers above 2²⁴ are rounded, bytes stay 0 to 255.
/// - An array of `usize` holds classes, or positions in an embedding; its batches are arrays of `usize`.
/// - `Vec<usize>` is a list of such, and so are its batches: what `cross_entropy` and `Embedding` take.
/// - Up to four of them in a tuple have their batches side by side in a tuple.
///
/// Implement it for data that does not fit in memory, or is made up on the way. A clone should be cheap;
/// [`prefetch`](crate::Batches::prefetch) makes one for its threads.
///
/// ```
/// use wengert_data::{Batches, Rows};
///
/// /// The numbers below `n`, with their squares.
/// #[derive(Clone)]
/// struct Squares(usize);
///
/// impl Rows for Squares {
///     type Batch = Vec<(usize, usize)>;
///
///     fn len(&self) -> usize {
///         self.0
///     }
///
///     fn gather(&self, indices: &[usize]) -> Self::Batch {
///         indices.iter().map(|&i| (i, i * i)).collect()
///     }
/// }
///
/// assert_eq!(Batches::new(&Squares(5), 2).last(), Some(vec![(4, 16)]));
/// ```
#[doc(alias("Dataset", "__getitem__"))]
pub trait Rows: Clone {
    /// Some of the rows.
    type Batch;

    /// How many rows there are.
    fn len(&self) -> usize;

    /// The rows at `indices`, in that order; an index may repeat.
    ///
    /// # Panics
    ///
    /// If an index is not below [`len`](Self::len).
    fn gather(&self, indices: &[usize]) -> Self::Batch;

    /// Whether there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many rows each part has; [`Dataset::new`](crate::Dataset::new) wants the same number of all.
    fn lens(&self) -> Vec<usize> {
        vec![self.len()]
    }
}

/// The element of an array that has [`Rows`]: a number of up to 64 bits, `bool` for 0 and 1, or `usize` for an index.
pub trait Scalar: Copy {
    /// Of an array with such elements.
    type Batch;

    #[doc(hidden)]
    fn gather(rows: ArrayViewD<'_, Self>, indices: &[usize]) -> Self::Batch;
}

macro_rules! number {
    ($($type:ty)*) => {$(
        impl Scalar for $type {
            type Batch = ArcArray<f32, IxDyn>;

            fn gather(rows: ArrayViewD<'_, Self>, indices: &[usize]) -> Self::Batch {
                numbers(rows, indices, |x| x as f32)
            }
        }
    )*};
}

number!(u8 i8 u16 i16 u32 i32 u64 i64 f32 f64);

impl Scalar for bool {
    type Batch = ArcArray<f32, IxDyn>;

    fn gather(rows: ArrayViewD<'_, Self>, indices: &[usize]) -> Self::Batch {
        numbers(rows, indices, |x| f32::from(u8::from(x)))
    }
}

impl Scalar for usize {
    type Batch = ArrayD<usize>;

    fn gather(rows: ArrayViewD<'_, Self>, indices: &[usize]) -> Self::Batch {
        rows.select(Axis(0), indices)
    }
}

fn numbers<A: Copy>(
    rows: ArrayViewD<'_, A>,
    indices: &[usize],
    convert: impl Fn(A) -> f32,
) -> ArcArray<f32, IxDyn> {
    let mut shape = rows.shape().to_vec();
    shape[0] = indices.len();
    let gathered = match rows.as_slice() {
        Some(slice) => gather_contiguous(slice, shape[1..].iter().product(), indices),
        None => rows.select(Axis(0), indices).iter().copied().collect(),
    };
    let gathered = gathered.into_iter().map(convert).collect();
    Array::from_shape_vec(shape, gathered).expect("one row per index").into_shared()
}

/// The rows of `width` elements each, one after the other. Rows at random places come in faster by memcpy than through
/// a converting loop that waits for memory itself (6 µs, not 14, for 32×784 bytes; `cargo bench --bench batches`), and
/// the conversion of what is contiguous becomes vector instructions.
pub(super) fn gather_contiguous<A: Copy>(rows: &[A], width: usize, indices: &[usize]) -> Vec<A> {
    let mut gathered = Vec::with_capacity(indices.len() * width);
    for &index in indices {
        gathered.extend_from_slice(&rows[index * width..][..width]);
    }
    gathered
}

impl<A: Scalar, S: Data<Elem = A> + RawDataClone, D: Dimension> Rows for ArrayBase<S, D> {
    type Batch = A::Batch;

    fn len(&self) -> usize {
        assert!(self.ndim() > 0, "an array without axes has no rows");
        self.len_of(Axis(0))
    }

    fn gather(&self, indices: &[usize]) -> A::Batch {
        check(indices, Rows::len(self));
        A::gather(self.view().into_dyn(), indices)
    }
}

impl Rows for Vec<usize> {
    type Batch = Vec<usize>;

    fn len(&self) -> usize {
        self.as_slice().len()
    }

    fn gather(&self, indices: &[usize]) -> Vec<usize> {
        check(indices, self.as_slice().len());
        indices.iter().map(|&index| self[index]).collect()
    }
}

/// Rows without elements would not notice a wrong index.
#[track_caller]
pub(super) fn check(indices: &[usize], len: usize) {
    if let Some(index) = indices.iter().find(|&&index| index >= len) {
        panic!("row {index} of {len}");
    }
}

macro_rules! side_by_side {
    ($($part:ident $at:tt),*) => {
        impl<$($part: Rows),*> Rows for ($($part,)*) {
            type Batch = ($($part::Batch,)*);

            fn len(&self) -> usize {
                self.0.len()
            }

            fn gather(&self, indices: &[usize]) -> Self::Batch {
                ($(self.$at.gather(indices),)*)
            }

            fn lens(&self) -> Vec<usize> {
                [$(self.$at.lens()),*].concat()
            }
        }
    };
}

side_by_side!(A 0, B 1);
side_by_side!(A 0, B 1, C 2);
side_by_side!(A 0, B 1, C 2, D 3);
