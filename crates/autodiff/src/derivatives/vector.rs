//! A model's numbers as one vector.

use std::collections::BTreeMap;

use ndarray::Array1;

use crate::module::{Leaf, LeafMut};
use crate::{Dual, Gradients, Module, ModulePath, Param, Real, StateDictError, Tensor};

/// The numbers of all parameters that are not frozen, in the order of [`Module::visit`], each parameter row-major.
///
/// ```
/// use wengert_autodiff::{Param, derivatives::parameters_to_vector, ndarray::array};
///
/// let layers = vec![Param::new([[1.0, 2.0], [3.0, 4.0]]), Param::new([5.0])];
/// assert_eq!(parameters_to_vector(&layers), array![1.0, 2.0, 3.0, 4.0, 5.0]);
/// ```
#[doc(alias("ravel_pytree", "flatten"))]
pub fn parameters_to_vector<F: Real>(model: &impl Module<F>) -> Array1<F> {
    collect(model, |param, numbers| numbers.extend(param.value().iter()))
}

/// The vector to which `of` adds as many numbers for each parameter as it has.
pub(super) fn collect<F: Real, N>(
    model: &impl Module<F>,
    mut of: impl FnMut(&Param<F>, &mut Vec<N>),
) -> Array1<N> {
    let mut numbers = Vec::new();
    each(model, |param| of(param, &mut numbers));
    numbers.into()
}

/// `f` of each parameter that is not frozen.
fn each<F: Real>(model: &impl Module<F>, mut f: impl FnMut(&Param<F>)) {
    model.visit(&mut ModulePath::default(), &mut |_, leaf| {
        if let Leaf::Param(param) = leaf
            && !param.is_frozen()
        {
            f(param);
        }
    });
}

/// Writes a vector of [`parameters_to_vector`] back.
///
/// # Panics
///
/// If it has another number of elements than the model has numbers.
#[doc(alias("unravel", "unflatten"))]
#[track_caller]
pub fn vector_to_parameters<F: Real>(vector: &Array1<F>, model: &mut impl Module<F>) {
    check_length("vector_to_parameters", vector.len(), model);
    change(vector, model, |param, x| *param = x);
}

/// `f(p, x)` for each number `p` of the model and each `x` of a vector of as many.
pub(super) fn change<F: Real, N: Copy>(
    vector: &Array1<N>,
    model: &mut impl Module<F>,
    mut f: impl FnMut(&mut F, N),
) {
    let mut numbers = vector.iter();
    model.visit_mut(&mut ModulePath::default(), &mut |_, leaf| {
        if let LeafMut::Param(param) = leaf
            && !param.is_frozen()
        {
            param.value_mut().iter_mut().zip(&mut numbers).for_each(|(p, &x)| f(p, x));
        }
    });
}

#[track_caller]
pub(super) fn check_length<F: Real>(what: &str, length: usize, model: &impl Module<F>) {
    let count = model.parameter_count();
    assert_eq!(length, count, "`{what}`: a vector of {length} for a model of {count} parameters");
}

/// The vector as a model's gradients, for an optimizer.
///
/// ```
/// use wengert_autodiff::derivatives::{value_and_grad, vector_to_gradients};
/// use wengert_autodiff::{IntoTensor, Param, Tape};
///
/// let weight = Param::new([3.0_f64]);
/// let (_, vector) = value_and_grad(&weight, |weight, tape| tape.param(weight).square().sum());
/// let grads = vector_to_gradients(&vector, &weight);
/// assert_eq!(grads.get(&weight), Some(&[6.0].into_tensor()));
/// ```
///
/// # Panics
///
/// If it has another number of elements than the model has numbers.
#[track_caller]
pub fn vector_to_gradients<F: Real>(vector: &Array1<F>, model: &impl Module<F>) -> Gradients<F> {
    check_length("vector_to_gradients", vector.len(), model);
    let mut grads = Gradients::default();
    let mut numbers = vector.iter();
    each(model, |param| {
        let grad = Tensor::from_shape_simple_fn(param.shape(), || *numbers.next().expect("as many numbers"));
        grads.set(param, grad);
    });
    grads
}

/// Gives `to`, the same model on dual numbers, the values of `model`, and has the same parameters frozen. Tangents are
/// 0.
///
/// ```
/// use wengert_autodiff::{Dual, Param, derivatives::lift};
///
/// let model = vec![Param::new(2.0_f32)];
/// let mut to = vec![Param::new(Dual::from(0.0_f32))];
/// lift(&model, &mut to)?;
/// let lifted = to[0].value()[[]];
/// assert_eq!((lifted.value, lifted.tangent), (2.0, 0.0));
/// # Ok::<(), wengert_autodiff::StateDictError>(())
/// ```
///
/// # Errors
///
/// If the names or the shapes differ; `to` is then unchanged.
pub fn lift<F: Real>(model: &impl Module<F>, to: &mut impl Module<Dual<F>>) -> Result<(), StateDictError> {
    let lifted = |(name, x): (String, Tensor<F>)| (name, x.mapv(Dual::from).into_shared());
    to.load_state_dict(model.state_dict().into_iter().map(lifted).collect())?;
    let mut frozen = BTreeMap::new();
    model.visit(&mut ModulePath::default(), &mut |name, leaf| {
        let is_frozen = match leaf {
            Leaf::Param(param) => param.is_frozen(),
            Leaf::Buffer(buffer) => buffer.is_frozen(),
        };
        frozen.insert(name.to_owned(), is_frozen);
    });
    to.visit_mut(&mut ModulePath::default(), &mut |name, mut leaf| leaf.set_frozen(frozen[name]));
    Ok(())
}
