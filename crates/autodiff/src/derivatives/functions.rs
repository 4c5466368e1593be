//! Of functions of arrays.

use ndarray::Axis;

use super::SEED;
use crate::{Dual, Real, Tape, Tensor, Var};

/// The gradients of a scalar function by each of its inputs, in their shapes; zeros by one that it does not depend on.
///
/// ```
/// use wengert_autodiff::{IntoTensor, derivatives::grad};
///
/// let [a, b] = [[1.0, 2.0], [3.0, 4.0]].map(IntoTensor::<f64>::into_tensor);
/// let grads = grad(|x| (x[0] * x[1]).sum(), &[a.clone(), b.clone()]);
/// assert_eq!(grads, [b, a]);
/// ```
///
/// # Panics
///
/// If the function's value is not a scalar, or depends on none of its inputs.
#[track_caller]
pub fn grad<F: Real>(
    f: impl for<'t> FnOnce(&[Var<'t, F>]) -> Var<'t, F>,
    inputs: &[Tensor<F>],
) -> Vec<Tensor<F>> {
    let tape = Tape::with_seed(SEED);
    let x: Vec<_> = inputs.iter().map(|x| tape.variable(x.clone())).collect();
    let grads = f(&x).backward();
    x.iter().map(|x| grads.wrt(*x).cloned().unwrap_or_else(|| Tensor::zeros(x.shape()))).collect()
}

/// A function's value, and its derivative when each input moves along its direction: the product `J v` of the Jacobian
/// and the directions, in the shape of the value.
///
/// ```
/// use wengert_autodiff::{IntoTensor, derivatives::jvp};
///
/// let (x, v) = ([1.0, 2.0].into_tensor(), [1.0, 10.0].into_tensor());
/// let (y, along) = jvp(|x| x[0].powi(3), &[x], &[v]);
/// assert_eq!((y, along), ([1.0, 8.0].into_tensor(), [3.0, 120.0].into_tensor()));
/// ```
///
/// # Panics
///
/// If there are not as many directions as inputs, or their shapes differ.
#[doc(alias("forward_mode", "pushforward", "directional_derivative"))]
#[track_caller]
pub fn jvp<F: Real>(
    f: impl for<'t> FnOnce(&[Var<'t, Dual<F>>]) -> Var<'t, Dual<F>>,
    inputs: &[Tensor<F>],
    directions: &[Tensor<F>],
) -> (Tensor<F>, Tensor<F>) {
    assert_eq!(inputs.len(), directions.len(), "`jvp`: as many directions as inputs are needed");
    let tape = Tape::with_seed(SEED);
    let mut x = Vec::new();
    for (input, direction) in inputs.iter().zip(directions) {
        x.push(tape.constant(Dual::tensor(input, direction)));
    }
    let y = f(&x).value();
    (Dual::values(&y), Dual::tangents(&y))
}

/// The Jacobian of a function of one array, in the shape of the value followed by the shape of the input.
///
/// ```
/// use wengert_autodiff::{IntoTensor, derivatives::jacobian};
///
/// let j = jacobian(|x| x.square(), &[1.0, 2.0].into_tensor());
/// assert_eq!(j, [[2.0, 0.0], [0.0, 4.0]].into_tensor());
/// ```
#[track_caller]
pub fn jacobian<F: Real>(
    f: impl for<'t> Fn(Var<'t, Dual<F>>) -> Var<'t, Dual<F>>,
    x: &Tensor<F>,
) -> Tensor<F> {
    let mut unit = Tensor::zeros(x.raw_dim());
    let mut columns = Vec::new();
    let mut shape = Vec::new();
    for i in 0..x.len() {
        *unit.iter_mut().nth(i).expect("an element") = F::ONE;
        let (y, column) = jvp(|x| f(x[0]), std::slice::from_ref(x), std::slice::from_ref(&unit));
        *unit.iter_mut().nth(i).expect("an element") = F::ZERO;
        shape = y.shape().to_vec();
        columns.push(column.into_flat());
    }
    if columns.is_empty() {
        shape = f(Tape::with_seed(SEED).constant(Dual::tensor(x, x))).shape().to_vec();
    }
    let rows = shape.iter().product::<usize>();
    shape.extend(x.shape());
    let columns: Vec<_> = columns.iter().map(|column| column.view()).collect();
    let by_row = if columns.is_empty() {
        ndarray::Array2::zeros((rows, 0))
    } else {
        ndarray::stack(Axis(1), &columns).expect("columns of one length")
    };
    by_row
        .as_standard_layout()
        .into_owned()
        .into_shape_with_order(shape)
        .expect("as many elements")
        .into_shared()
}

/// `Σᵢ ∂²f/∂xᵢ²` of each row, for a function of rows `[n, d]` with a value `[n]` or `[n, 1]` whose every row depends on
/// its own row alone: the second derivatives of a field at `n` points. With `d = 1` it is `f''`.
///
/// ```
/// use wengert_autodiff::{IntoTensor, derivatives::laplacian};
///
/// let points = [[1.0, 2.0], [3.0, -1.0]].into_tensor();
/// // Of x₀³ + x₁³ it is 6 (x₀ + x₁).
/// assert_eq!(laplacian(|x| x.powi(3).sum_axes(&[1], false), &points), [18.0, 12.0].into_tensor());
/// ```
///
/// # Panics
///
/// If `points` is not a matrix, or the function's value has another number of elements than `points` has rows.
#[track_caller]
pub fn laplacian<F: Real>(
    f: impl for<'t> Fn(Var<'t, Dual<Dual<F>>>) -> Var<'t, Dual<Dual<F>>>,
    points: &Tensor<F>,
) -> Tensor<F> {
    let &[n, d] = points.shape() else {
        panic!("`laplacian`: the points have the shape {:?}, where [n, d] is needed", points.shape())
    };
    let mut sum = Tensor::zeros(vec![n]);
    for axis in 0..d {
        let along = |i: usize| if i == axis { F::ONE } else { F::ZERO };
        let x = Tensor::from_shape_fn(points.raw_dim(), |at| {
            Dual::new(Dual::new(points[&at], along(at[1])), along(at[1]).into())
        });
        let y = f(Tape::with_seed(SEED).constant(x)).value();
        assert_eq!(y.len(), n, "`laplacian`: the function has the value {:?} at {n} points", y.shape());
        sum.iter_mut().zip(&y).for_each(|(sum, y)| *sum += y.tangent.tangent);
    }
    sum
}
