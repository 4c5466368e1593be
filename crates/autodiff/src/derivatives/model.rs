//! Of a model's loss, by its parameters.

use ndarray::{Array1, Array2};

use super::SEED;
use super::vector::{change, check_length, collect};
use crate::{Dual, Gradients, LeafMut, Module, ModulePath, Real, Tape, Var};

/// A loss and its gradient, as one vector. On plain numbers they are those that training uses; on [`Dual`] numbers the
/// tangents say how both change along the direction that parameters or inputs move in.
///
/// ```
/// use wengert_autodiff::derivatives::value_and_grad;
/// use wengert_autodiff::{Dual, Param};
///
/// // ∂/∂w of w x² at w = 3, x = 2 is x² = 4, and changes with x by 2 x = 4.
/// let w = Param::new(Dual::from(3.0));
/// let (value, grad) = value_and_grad(&w, |w, tape| {
///     tape.param(w) * tape.constant(Dual::new(2.0, 1.0)).square()
/// });
/// assert_eq!((value.value, value.tangent), (12.0, 12.0));
/// assert_eq!((grad[0].value, grad[0].tangent), (4.0, 4.0));
/// ```
///
/// # Panics
///
/// If the loss is not a scalar, or has no gradient.
#[track_caller]
pub fn value_and_grad<F: Real, M: Module<F>>(
    model: &M,
    loss: impl for<'t> FnOnce(&M, &'t Tape<F>) -> Var<'t, F>,
) -> (F, Array1<F>) {
    let tape = Tape::with_seed(SEED);
    let loss = loss(model, &tape);
    (loss.item(), to_vector(&loss.backward(), model))
}

/// Zeros for a parameter that has no gradient.
fn to_vector<F: Real, M: Module<F>>(grads: &Gradients<F>, model: &M) -> Array1<F> {
    collect(model, |param, numbers| match grads.get(param) {
        Some(grad) => numbers.extend(grad.iter()),
        None => numbers.extend(std::iter::repeat_n(F::ZERO, param.value().len())),
    })
}

/// What [`hvp`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hvp<F> {
    /// The loss.
    pub loss: F,
    /// Its gradient.
    pub gradient: Array1<F>,
    /// The product of its Hessian and the direction.
    pub product: Array1<F>,
}

/// The product `H v` of a loss's Hessian and a vector, by one forward and one backward pass on [`Dual`] numbers
/// (Pearlmutter, "Fast exact multiplication by the Hessian", 1994). The [module](super) has an example.
///
/// Tangents that the parameters had before are ignored, and are 0 afterwards.
///
/// # Panics
///
/// If the vector has another number of elements than the model has numbers, the loss is not a scalar, or it has no
/// gradient.
#[doc(alias("hessian_vector_product", "pearlmutter", "Hv"))]
#[track_caller]
pub fn hvp<F: Real, M: Module<Dual<F>>>(
    model: &mut M,
    direction: &Array1<F>,
    loss: impl for<'t> FnOnce(&M, &'t Tape<Dual<F>>) -> Var<'t, Dual<F>>,
) -> Hvp<F> {
    start("hvp", model, direction);
    let (loss, gradient) = value_and_grad(model, loss);
    stop(model);
    Hvp { loss: loss.value, gradient: gradient.mapv(|g| g.value), product: gradient.mapv(|g| g.tangent) }
}

/// Has the parameters move along `direction`, and nothing else.
#[track_caller]
fn start<F: Real>(what: &str, model: &mut impl Module<Dual<F>>, direction: &Array1<F>) {
    check_length(what, direction.len(), model);
    stop(model);
    change(direction, model, |param, v| param.tangent = v);
}

/// Sets every tangent to 0, of frozen parameters too.
fn stop<F: Real>(model: &mut impl Module<Dual<F>>) {
    model.visit_mut(&mut ModulePath::default(), &mut |_, leaf| {
        if let LeafMut::Param(param) = leaf {
            param.value_mut().mapv_inplace(|x| x.value.into());
        }
    });
}

/// The Hessian of a loss, `[n, n]` for `n` parameters: for small models.
///
/// ```
/// use wengert_autodiff::{Dual, Param, derivatives::hessian, ndarray::arr2};
///
/// let mut x = Param::new([Dual::from(1.0), Dual::from(2.0)]);
/// let h = hessian(&mut x, |x, tape| tape.param(x).powi(3).sum());
/// assert_eq!(h, arr2(&[[6.0, 0.0], [0.0, 12.0]]));
/// ```
///
/// # Panics
///
/// If the loss is not a scalar, or has no gradient.
#[track_caller]
pub fn hessian<F: Real, M: Module<Dual<F>>>(
    model: &mut M,
    loss: impl for<'t> Fn(&M, &'t Tape<Dual<F>>) -> Var<'t, Dual<F>>,
) -> Array2<F> {
    let n = model.parameter_count();
    let mut h = Array2::zeros((n, n));
    for (i, mut row) in h.rows_mut().into_iter().enumerate() {
        let mut unit = Array1::zeros(n);
        unit[i] = F::ONE;
        row.assign(&hvp(model, &unit, &loss).product);
    }
    h
}

/// The product `Jᵀ H_out J v`, for the Jacobian `J` of the model's outputs and the Hessian `H_out` of the loss by the
/// outputs: the part of the Hessian that is left where the outputs are linear in the parameters. It is positive
/// semi-definite if the loss is convex in the outputs (Schraudolph, "Fast curvature matrix-vector products", 2002).
///
/// ```
/// use wengert_autodiff::derivatives::gauss_newton_product;
/// use wengert_autodiff::{Dual, Param, ndarray::array};
///
/// // The output exp(w) at w = 0 and the loss ½ y²: J = 1, H_out = 1; the Hessian itself is 2.
/// let mut w = Param::new([Dual::from(0.0)]);
/// let product = gauss_newton_product(
///     &mut w,
///     &array![1.0],
///     |w, tape| tape.param(w).exp(),
///     |y| y.square().sum() * 0.5,
/// );
/// assert_eq!(product, array![1.0]);
/// ```
///
/// # Panics
///
/// If the vector has another number of elements than the model has numbers, the loss is not a scalar, or there is no
/// gradient.
#[doc(alias("ggn", "fisher"))]
#[track_caller]
pub fn gauss_newton_product<F: Real, M: Module<Dual<F>>>(
    model: &mut M,
    direction: &Array1<F>,
    outputs: impl for<'t> FnOnce(&M, &'t Tape<Dual<F>>) -> Var<'t, Dual<F>>,
    loss: impl for<'t> FnOnce(Var<'t, Dual<F>>) -> Var<'t, Dual<F>>,
) -> Array1<F> {
    start("gauss_newton_product", model, direction);
    let tape = Tape::with_seed(SEED);
    let y = outputs(model, &tape);
    // H_out J v is how the loss's gradient by the outputs changes as they move by J v.
    let slopes = super::grad(|y| loss(y[0]), &[y.value()]).remove(0);
    let pulled = (y * tape.constant(slopes.mapv(|slope| Dual::from(slope.tangent)))).sum();
    let product = to_vector(&pulled.backward(), model).mapv(|g| g.value);
    stop(model);
    product
}

/// The product `1/n Σ gᵢ ⟨gᵢ, v⟩` with the gradients of `n` losses, one for each sample: the empirical Fisher matrix,
/// which is what the averages of squares in adaptive rules hold the diagonal of. It is not the Hessian (Kunstner et
/// al., "Limitations of the empirical Fisher approximation", 2019).
///
/// ```
/// use wengert_autodiff::derivatives::empirical_fisher_product;
/// use wengert_autodiff::{Param, ndarray::array};
///
/// // Two samples with the gradients 1 and 3: (1 + 9) / 2.
/// let w = Param::new([0.0_f64]);
/// let product = empirical_fisher_product(&w, &array![1.0], 2, |w, tape, sample| {
///     tape.param(w).sum() * [1.0, 3.0][sample]
/// });
/// assert_eq!(product, array![5.0]);
/// ```
///
/// # Panics
///
/// If the vector has another number of elements than the model has numbers, a loss is not a scalar, or one has no
/// gradient.
#[track_caller]
pub fn empirical_fisher_product<F: Real, M: Module<F>>(
    model: &M,
    direction: &Array1<F>,
    n: usize,
    loss: impl for<'t> Fn(&M, &'t Tape<F>, usize) -> Var<'t, F>,
) -> Array1<F> {
    check_length("empirical_fisher_product", direction.len(), model);
    let mut sum = Array1::zeros(direction.len());
    for sample in 0..n {
        let (_, g) = value_and_grad(model, |model, tape| loss(model, tape, sample));
        sum.scaled_add(g.dot(direction), &g);
    }
    sum / F::from_f64(n.max(1) as f64)
}
