use std::ops::Index;

use wengert_autodiff::{Module, ModulePath, Real, Var, Visitor, VisitorMut};

use crate::Layer;

/// Layers one after the other, named by index as in PyTorch: activations have no parameters, but they count.
///
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use wengert_autodiff::Module;
/// use wengert_layers::{Activation, Dense, Sequential};
///
/// let rng = &mut StdRng::seed_from_u64(0);
/// let model: Sequential =
///     Sequential::new().with(Dense::new(2, 16, rng)).with(Activation::Tanh).with(Dense::new(16, 2, rng));
/// assert!(model.params().into_keys().eq(["0.bias", "0.weight", "2.bias", "2.weight"]));
/// ```
///
/// It is also a list of layers in the manner of a `Vec`: `push`, `iter`, `model[0]`, `extend` and `collect`.
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// # use wengert_layers::{Activation, Dense, Layer, Sequential};
/// # let rng = &mut StdRng::seed_from_u64(0);
/// let mut model: Sequential = (0..3).map(|_| Dense::new(16, 16, rng)).collect();
/// model.push(Activation::Relu);
/// let of_several_kinds: [Box<dyn Layer>; 2] = [Box::new(Activation::Tanh), Box::new(Dense::new(16, 2, rng))];
/// model.extend(of_several_kinds);
/// assert_eq!(model.len(), 6);
/// assert_eq!(format!("{:?}", &model[3]), "Relu");
/// ```
///
/// Unlike the other layers it has no serde: what its layers are is known to the program alone. Save its
/// [`state_dict`](Module::state_dict), or a checkpoint.
#[derive(Clone, Debug, Default)]
#[doc(alias = "Chain")]
pub struct Sequential<F: Real = f32> {
    layers: Vec<Box<dyn Layer<F>>>,
}

impl<F: Real> Sequential<F> {
    /// No layers yet: the identity.
    pub fn new() -> Self {
        Self { layers: Vec::new() }
    }

    /// Appends a layer and returns the whole, to be written in one expression.
    #[must_use]
    pub fn with(mut self, layer: impl Layer<F>) -> Self {
        self.push(layer);
        self
    }

    /// Appends a layer.
    #[doc(alias = "append")]
    pub fn push(&mut self, layer: impl Layer<F>) {
        self.layers.push(Box::new(layer));
    }

    /// The layers in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &dyn Layer<F>> {
        self.layers.iter().map(Box::as_ref)
    }

    /// The number of layers.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
}

/// # Panics
///
/// Unless the index is below the number of layers.
impl<F: Real> Index<usize> for Sequential<F> {
    type Output = dyn Layer<F>;

    #[track_caller]
    fn index(&self, index: usize) -> &Self::Output {
        &*self.layers[index]
    }
}

impl<F: Real, L: Layer<F>> FromIterator<L> for Sequential<F> {
    fn from_iter<I: IntoIterator<Item = L>>(layers: I) -> Self {
        let mut sequential = Self::new();
        sequential.extend(layers);
        sequential
    }
}

impl<F: Real, L: Layer<F>> Extend<L> for Sequential<F> {
    fn extend<I: IntoIterator<Item = L>>(&mut self, layers: I) {
        layers.into_iter().for_each(|layer| self.push(layer));
    }
}

impl<F: Real> Layer<F> for Sequential<F> {
    /// For a panic inside, Rust reports a line of the layer's own file: the caller's line does not pass through a trait
    /// object. The message names the op and the shapes as always.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        self.layers.iter().fold(x, |x, layer| layer.forward(x))
    }
}

/// The layers are named by index: `"0.weight"`.
impl<F: Real> Module<F> for Sequential<F> {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        self.layers.visit(path, visitor);
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        self.layers.visit_mut(path, visitor);
    }
}
