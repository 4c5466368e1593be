use ndarray::{ArcArray, Array, ArrayView, Axis, Dimension, IxDyn, Zip};

use super::Real;

/// The arrays Wengert computes with: any number of dimensions, reference-counted, copy-on-write. It is an ordinary
/// [`ndarray::ArcArray`], so that all of ndarray applies.
pub type Tensor<F = f32> = ArcArray<F, IxDyn>;

/// What can become a [`Tensor`]: a number, nested arrays, an `ndarray` of any rank, a vector, a slice with a shape.
///
/// ```
/// use wengert_autodiff::{IntoTensor, Tensor, ndarray::arr2};
///
/// let matrix: Tensor = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]].into_tensor();
/// assert_eq!(matrix, arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).into_tensor());
/// assert_eq!(matrix, (&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3]).into_tensor());
/// assert_eq!(2.0_f32.into_tensor().shape(), []);
/// ```
///
/// An owned or shared array moves; a view, a slice and a reference to an owned array are copied.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot become a tensor of `{F}`",
    note = "numbers, nested arrays, `Vec`, `ndarray` arrays of any rank and `(slice, shape)` can, if their elements \
            are `{F}`: convert elements with `mapv(f32::from)` or `as f32`",
    note = "this may be another version of `ndarray`: use the one that Wengert re-exports"
)]
pub trait IntoTensor<F: Real> {
    /// The tensor.
    ///
    /// # Panics
    ///
    /// If nested tensors differ in shape, or a slice has another number of elements than its shape.
    fn into_tensor(self) -> Tensor<F>;
}

/// A scalar, of shape `[]`.
impl<F: Real> IntoTensor<F> for F {
    fn into_tensor(self) -> Tensor<F> {
        Tensor::from_elem(IxDyn(&[]), self)
    }
}

/// The parts become the first axis.
impl<F: Real, T: IntoTensor<F>, const N: usize> IntoTensor<F> for [T; N] {
    #[track_caller]
    fn into_tensor(self) -> Tensor<F> {
        let parts = self.map(T::into_tensor);
        let part_shape = parts.first().map_or(&[][..], |part| part.shape());
        let mut shape = vec![N];
        shape.extend(part_shape);
        let mut tensor = Tensor::zeros(shape);
        for (mut place, part) in tensor.axis_iter_mut(Axis(0)).zip(&parts) {
            assert_eq!(
                place.shape(),
                part.shape(),
                "`into_tensor`: the parts of an array have different shapes"
            );
            Zip::from(&mut place).and(part).for_each(|place, &x| *place = x);
        }
        tensor
    }
}

/// `[n]`.
impl<F: Real> IntoTensor<F> for Vec<F> {
    fn into_tensor(self) -> Tensor<F> {
        Array::from_vec(self).into_tensor()
    }
}

/// `[n]`.
impl<F: Real> IntoTensor<F> for &[F] {
    fn into_tensor(self) -> Tensor<F> {
        self.to_vec().into_tensor()
    }
}

/// Elements in row-major order and a shape.
impl<F: Real, const N: usize> IntoTensor<F> for (&[F], [usize; N]) {
    #[track_caller]
    fn into_tensor(self) -> Tensor<F> {
        (self.0.to_vec(), self.1).into_tensor()
    }
}

/// Elements in row-major order and a shape.
impl<F: Real, const M: usize, const N: usize> IntoTensor<F> for (&[F; M], [usize; N]) {
    #[track_caller]
    fn into_tensor(self) -> Tensor<F> {
        (self.0.to_vec(), self.1).into_tensor()
    }
}

/// Elements in row-major order and a shape.
impl<F: Real, const N: usize> IntoTensor<F> for (Vec<F>, [usize; N]) {
    #[track_caller]
    fn into_tensor(self) -> Tensor<F> {
        let (elements, shape) = self;
        let found = elements.len();
        let Ok(array) = Array::from_shape_vec(IxDyn(&shape), elements) else {
            panic!("`into_tensor`: {found} elements cannot take the shape {shape:?}");
        };
        array.into_shared()
    }
}

impl<F: Real, D: Dimension> IntoTensor<F> for Array<F, D> {
    fn into_tensor(self) -> Tensor<F> {
        self.into_dyn().into_shared()
    }
}

impl<F: Real, D: Dimension> IntoTensor<F> for &Array<F, D> {
    fn into_tensor(self) -> Tensor<F> {
        self.clone().into_tensor()
    }
}

impl<F: Real, D: Dimension> IntoTensor<F> for ArcArray<F, D> {
    fn into_tensor(self) -> Tensor<F> {
        self.into_dyn()
    }
}

impl<F: Real, D: Dimension> IntoTensor<F> for &ArcArray<F, D> {
    fn into_tensor(self) -> Tensor<F> {
        self.clone().into_dyn()
    }
}

impl<F: Real, D: Dimension> IntoTensor<F> for ArrayView<'_, F, D> {
    fn into_tensor(self) -> Tensor<F> {
        self.to_owned().into_tensor()
    }
}

/// Where the first NaN or infinity is, and which.
pub fn first_non_finite<F: Real>(x: &Tensor<F>) -> Option<(Vec<usize>, F)> {
    // The rule, and vector instructions; positions are for the exception.
    if x.as_slice_memory_order().is_some_and(|x| x.iter().fold(true, |all, x| all & x.is_finite())) {
        return None;
    }
    let (at, &x) = x.indexed_iter().find(|(_, x)| !x.is_finite())?;
    Some((at.slice().to_vec(), x))
}
