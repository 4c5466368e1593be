use std::any::Any;
use std::ops::{Index, IndexMut};
use std::{slice, vec};

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
/// It is also a list of layers in the manner of a `Vec`: `push`, `iter`, `model[0]`, `extend`, `truncate`, `collect`.
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
/// What went in comes out again, by index and type, or by name:
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// # use wengert_autodiff::Module;
/// # use wengert_layers::{Activation, Dense, Sequential};
/// # let rng = &mut StdRng::seed_from_u64(0);
/// # let mut model: Sequential = Sequential::new().with(Dense::new(2, 16, rng)).with(Activation::Tanh);
/// # model.push(Dense::new(16, 2, rng));
/// model.get_mut::<Dense>(0).unwrap().freeze("*");
/// assert_eq!(model.get::<Dense>(2).unwrap().weight.shape(), [2, 16]);
/// assert_eq!(format!("{:?}", model.layer_of("1").unwrap()), "Tanh");
/// // Another head on the same body.
/// model.truncate(2);
/// model.push(Dense::new(16, 5, rng));
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

    /// Puts a layer at `index`; those from there on move up.
    ///
    /// # Panics
    ///
    /// If the index is above the number of layers.
    #[track_caller]
    pub fn insert(&mut self, index: usize, layer: impl Layer<F>) {
        self.layers.insert(index, Box::new(layer));
    }

    /// Takes out the layer at `index`; those behind it move down.
    ///
    /// # Panics
    ///
    /// Unless the index is below the number of layers.
    #[track_caller]
    pub fn remove(&mut self, index: usize) -> Box<dyn Layer<F>> {
        self.layers.remove(index)
    }

    /// Takes out the last layer, if there is one.
    pub fn pop(&mut self) -> Option<Box<dyn Layer<F>>> {
        self.layers.pop()
    }

    /// Keeps the first `len` layers.
    pub fn truncate(&mut self, len: usize) {
        self.layers.truncate(len);
    }

    /// Cuts before the layer at `index` and returns what follows.
    ///
    /// # Panics
    ///
    /// If the index is above the number of layers.
    #[track_caller]
    pub fn split_off(&mut self, index: usize) -> Self {
        Self { layers: self.layers.split_off(index) }
    }

    /// The layer at `index`, if there is one and it is an `L`. Without a type, it is `model[index]`.
    #[doc(alias("downcast", "named_children"))]
    pub fn get<L: Layer<F>>(&self, index: usize) -> Option<&L> {
        downcast(&**self.layers.get(index)?)
    }

    /// Like [`get`](Sequential::get), to be changed.
    pub fn get_mut<L: Layer<F>>(&mut self, index: usize) -> Option<&mut L> {
        downcast_mut(&mut **self.layers.get_mut(index)?)
    }

    /// The layer that a name belongs to: `"2"`, or the name of a parameter, `"2.weight"`. Through a `Sequential` in a
    /// `Sequential` it goes as far down as there are numbers: `"1.0.weight"`.
    #[doc(alias("get_submodule", "named_modules", "get_layer"))]
    pub fn layer_of(&self, name: &str) -> Option<&dyn Layer<F>> {
        let (index, rest) = name.split_once('.').unwrap_or((name, ""));
        let layer = &**self.layers.get(index.parse::<usize>().ok()?)?;
        let inner = downcast::<Self, F>(layer).and_then(|inner| inner.layer_of(rest));
        Some(inner.unwrap_or(layer))
    }

    /// The layers in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &dyn Layer<F>> {
        self.into_iter()
    }

    /// The layers in order, to be changed.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = &mut dyn Layer<F>> {
        self.into_iter()
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

/// # Panics
///
/// Unless the index is below the number of layers.
impl<F: Real> IndexMut<usize> for Sequential<F> {
    #[track_caller]
    fn index_mut(&mut self, index: usize) -> &mut Self::Output {
        &mut *self.layers[index]
    }
}

/// A layer that was pushed in a box may be in two.
pub(crate) fn downcast<L: Layer<F>, F: Real>(layer: &dyn Layer<F>) -> Option<&L> {
    let any: &dyn Any = layer;
    any.downcast_ref().or_else(|| downcast(&**any.downcast_ref::<Box<dyn Layer<F>>>()?))
}

fn downcast_mut<L: Layer<F>, F: Real>(layer: &mut dyn Layer<F>) -> Option<&mut L> {
    let any: &mut dyn Any = layer;
    if any.is::<L>() {
        return any.downcast_mut();
    }
    downcast_mut(&mut **any.downcast_mut::<Box<dyn Layer<F>>>()?)
}

impl<F: Real> IntoIterator for Sequential<F> {
    type Item = Box<dyn Layer<F>>;
    type IntoIter = vec::IntoIter<Box<dyn Layer<F>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.layers.into_iter()
    }
}

impl<'s, F: Real> IntoIterator for &'s Sequential<F> {
    type Item = &'s dyn Layer<F>;
    type IntoIter =
        std::iter::Map<slice::Iter<'s, Box<dyn Layer<F>>>, fn(&Box<dyn Layer<F>>) -> &dyn Layer<F>>;

    fn into_iter(self) -> Self::IntoIter {
        self.layers.iter().map(|layer| &**layer)
    }
}

impl<'s, F: Real> IntoIterator for &'s mut Sequential<F> {
    type Item = &'s mut dyn Layer<F>;
    type IntoIter = std::iter::Map<
        slice::IterMut<'s, Box<dyn Layer<F>>>,
        fn(&mut Box<dyn Layer<F>>) -> &mut dyn Layer<F>,
    >;

    fn into_iter(self) -> Self::IntoIter {
        self.layers.iter_mut().map(|layer| &mut **layer)
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
