//! Several tensors become one, and one several.

use ndarray::Slice;

use super::axes;
use crate::{Real, Tensor, Var};

/// # Joining and splitting
impl<F: Real> Var<'_, F> {
    /// The tensors one after the other along `axis`, whose sizes add up: `Var::concat(&[a, b], 0)`. Each gets its slice
    /// of `dy`.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape, Var};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([1.0, 2.0]), tape.variable([3.0]));
    /// assert_eq!(Var::concat(&[a, b], 0).value(), [1.0, 2.0, 3.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no tensor, if the axis does not exist, or if the shapes differ at another axis.
    #[doc(alias("cat", "concatenate", "append", "hstack", "vstack"))]
    #[track_caller]
    pub fn concat(parts: &[Self], axis: isize) -> Self {
        let shape = first_shape("concat", parts);
        let axis = axes::axis("concat", axis, &shape);
        let mut joined = shape.clone();
        joined[axis.index()] = 0;
        for part in parts {
            let other = part.shape();
            assert!(
                shape.len() == other.len()
                    && (0..shape.len()).all(|i| i == axis.index() || shape[i] == other[i]),
                "`concat` along axis {}: shapes {shape:?} and {other:?} differ elsewhere",
                axis.index()
            );
            joined[axis.index()] += other[axis.index()];
        }
        let mut y = Tensor::zeros(joined);
        let mut edges = Vec::with_capacity(parts.len());
        let mut start = 0;
        for part in parts {
            let x = part.value();
            let range = Slice::from(start..start + x.len_of(axis));
            start += x.len_of(axis);
            y.slice_axis_mut(axis, range).assign(&x);
            edges.push(part.edge(move |mut dy| {
                dy.slice_axis_inplace(axis, range);
                dy
            }));
        }
        parts[0].tape().record_many("concat", y, edges)
    }

    /// Tensors of one shape side by side along a new axis: with `axis = 0`, `n` tensors `[k]` become `[n, k]`. Each
    /// gets its place of `dy`. `axis` is an axis of the result.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape, Var};
    /// # let tape = Tape::new();
    /// let (a, b) = (tape.variable([1.0, 2.0]), tape.variable([3.0, 4.0]));
    /// assert_eq!(Var::stack(&[a, b], 0).value(), [[1.0, 2.0], [3.0, 4.0]].into_tensor());
    /// assert_eq!(Var::stack(&[a, b], -1).value(), [[1.0, 3.0], [2.0, 4.0]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no tensor, if the axis does not exist, or if the shapes differ.
    #[doc(alias = "pack")]
    #[track_caller]
    pub fn stack(parts: &[Self], axis: isize) -> Self {
        let shape = first_shape("stack", parts);
        let mut joined = shape.clone();
        joined.push(1);
        let axis = axes::axis("stack", axis, &joined);
        for part in parts {
            assert!(shape == part.shape(), "`stack`: shapes {shape:?} and {:?} differ", part.shape());
        }
        joined.pop();
        joined.insert(axis.index(), parts.len());
        let mut y = Tensor::zeros(joined);
        let mut edges = Vec::with_capacity(parts.len());
        for (i, (part, mut place)) in parts.iter().zip(y.axis_iter_mut(axis)).enumerate() {
            place.assign(&part.value());
            edges.push(part.edge(move |dy| dy.index_axis_move(axis, i)));
        }
        parts[0].tape().record_many("stack", y, edges)
    }

    /// The parts of `x` of these `sizes` along `axis`, one after the other, which [`concat`](Var::concat) puts together
    /// again: a [`slice`](Var::slice) each.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let parts = tape.variable([1.0, 2.0, 3.0]).split(&[1, 2], 0);
    /// assert_eq!(parts[0].value(), [1.0].into_tensor());
    /// assert_eq!(parts[1].value(), [2.0, 3.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such axis, or the sizes do not add up to its length.
    #[doc(alias("chunk", "array_split"))]
    #[track_caller]
    pub fn split(self, sizes: &[usize], axis: isize) -> Vec<Self> {
        let shape = self.shape();
        let length = shape[axes::axis("split", axis, &shape).index()];
        assert!(
            sizes.iter().try_fold(0_usize, |sum, &size| sum.checked_add(size)) == Some(length),
            "`split`: sizes {sizes:?} do not add up to the length of axis {axis} of shape {shape:?}"
        );
        let mut parts = Vec::with_capacity(sizes.len());
        let mut start = 0;
        for size in sizes {
            parts.push(self.slice(axis, start..start + size));
            start += size;
        }
        parts
    }
}

/// The shape of the first of several tensors of one tape.
#[track_caller]
fn first_shape<F: Real>(op: &str, parts: &[Var<'_, F>]) -> Vec<usize> {
    let Some(first) = parts.first() else { panic!("`{op}` needs at least one tensor") };
    for part in parts {
        first.same_tape(op, *part);
    }
    first.shape()
}
