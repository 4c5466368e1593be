use std::fmt;

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
///     Sequential::new().push(Dense::new(2, 16, rng)).push(Activation::Tanh).push(Dense::new(16, 2, rng));
/// assert!(model.params().into_keys().eq(["0.bias", "0.weight", "2.bias", "2.weight"]));
/// ```
pub struct Sequential<F: Real = f32> {
    layers: Vec<Box<dyn Element<F>>>,
}

/// A layer that a box of it can clone, so that a model stays a plain value.
trait Element<F: Real>: Layer<F> + fmt::Debug {
    fn boxed_clone(&self) -> Box<dyn Element<F>>;
}

impl<F: Real, L: Layer<F> + Clone + fmt::Debug + 'static> Element<F> for L {
    fn boxed_clone(&self) -> Box<dyn Element<F>> {
        Box::new(self.clone())
    }
}

impl<F: Real> Sequential<F> {
    /// No layers yet: the identity.
    pub fn new() -> Self {
        Self { layers: Vec::new() }
    }

    /// Appends a layer.
    #[must_use]
    pub fn push(mut self, layer: impl Layer<F> + Clone + fmt::Debug + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
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

impl<F: Real> Layer<F> for Sequential<F> {
    /// Of a panic inside, Rust reports a line of the layer's own file: the caller's line does not pass through a trait
    /// object. The message names the op and the shapes as always.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        self.layers.iter().fold(x, |x, layer| layer.forward(x))
    }
}

impl<F: Real> Module<F> for Sequential<F> {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        for (index, layer) in self.layers.iter().enumerate() {
            path.enter(&index.to_string(), |path| layer.visit(path, visitor));
        }
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        for (index, layer) in self.layers.iter_mut().enumerate() {
            path.enter(&index.to_string(), |path| layer.visit_mut(path, visitor));
        }
    }
}

impl<F: Real> Clone for Sequential<F> {
    fn clone(&self) -> Self {
        Self { layers: self.layers.iter().map(|layer| layer.as_ref().boxed_clone()).collect() }
    }
}

impl<F: Real> Default for Sequential<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Real> fmt::Debug for Sequential<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.layers).finish()
    }
}
