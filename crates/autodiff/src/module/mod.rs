use std::collections::BTreeMap;

use crate::{Real, Tensor};

mod param;

pub(crate) use param::Id;
pub use param::{Buffer, Param};

/// What a [`Module`] shows of itself: a parameter or a buffer.
#[derive(Debug)]
pub enum Leaf<'a, F: Real = f32> {
    /// A tensor that training changes.
    Param(&'a Param<F>),
    /// State without a gradient.
    Buffer(&'a Buffer<F>),
}

/// Like [`Leaf`], to be changed.
#[derive(Debug)]
pub enum LeafMut<'a, F: Real = f32> {
    /// A tensor that training changes.
    Param(&'a mut Param<F>),
    /// State without a gradient.
    Buffer(&'a mut Buffer<F>),
}

impl<'a, F: Real> Leaf<'a, F> {
    /// The tensor, whichever kind it is.
    pub fn value(&self) -> &'a Tensor<F> {
        match self {
            Self::Param(param) => param.value(),
            Self::Buffer(buffer) => buffer.value(),
        }
    }
}

impl<'a, F: Real> LeafMut<'a, F> {
    /// The tensor, whichever kind it is.
    pub fn into_value(self) -> &'a mut Tensor<F> {
        match self {
            Self::Param(param) => param.value_mut(),
            Self::Buffer(buffer) => buffer.value_mut(),
        }
    }
}

/// The dotted name of the place a visit has reached.
#[derive(Debug, Default)]
pub struct ModulePath(String);

impl ModulePath {
    /// Runs `visit` one level further down, at `name`.
    pub fn enter<T>(&mut self, name: &str, visit: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.0.len();
        if length > 0 {
            self.0.push('.');
        }
        self.0.push_str(name);
        let result = visit(self);
        self.0.truncate(length);
        result
    }

    /// The name as it stands, such as `"hidden.weight"`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A callback of [`Module::visit`].
pub type Visitor<'v, 'a, F> = dyn FnMut(&str, Leaf<'a, F>) + 'v;

/// A callback of [`Module::visit_mut`].
pub type VisitorMut<'v, 'a, F> = dyn FnMut(&str, LeafMut<'a, F>) + 'v;

/// Anything that holds parameters: it can be walked, and the walk gives every parameter and buffer its dotted name.
///
/// Write `module!(Model { first_field, second_field })` rather than implementing this by hand. The walk visits the
/// fields in that order, and containers by index.
pub trait Module<F: Real = f32> {
    /// Shows every parameter and buffer with its name.
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>);

    /// Like [`visit`](Module::visit), in the same order, for changing.
    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>);

    /// The parameters by name.
    fn params(&self) -> BTreeMap<String, &Param<F>> {
        let mut params = BTreeMap::new();
        self.visit(&mut ModulePath::default(), &mut |name, slot| {
            if let Leaf::Param(param) = slot {
                params.insert(name.to_owned(), param);
            }
        });
        params
    }

    /// The parameter of this name, to be changed.
    fn param_mut(&mut self, name: &str) -> Option<&mut Param<F>> {
        let mut found = None;
        self.visit_mut(&mut ModulePath::default(), &mut |at, slot| {
            if let LeafMut::Param(param) = slot
                && at == name
            {
                found = Some(param);
            }
        });
        found
    }

    /// All parameters and buffers by name; the arrays are shared, not copied.
    fn state_dict(&self) -> BTreeMap<String, Tensor<F>> {
        let mut state = BTreeMap::new();
        self.visit(&mut ModulePath::default(), &mut |name, slot| {
            state.insert(name.to_owned(), slot.value().clone());
        });
        state
    }

    /// Replaces every parameter and buffer by the tensor of the same name.
    ///
    /// # Errors
    ///
    /// Names that are missing, unexpected, or of another shape; the model is then unchanged.
    fn load_state_dict(&mut self, mut state: BTreeMap<String, Tensor<F>>) -> Result<(), StateDictError> {
        let mut error = StateDictError::default();
        self.visit(&mut ModulePath::default(), &mut |name, slot| match state.get(name) {
            None => error.missing.push(name.to_owned()),
            Some(tensor) if tensor.shape() != slot.value().shape() => error.mismatched.push(ShapeMismatch {
                name: name.to_owned(),
                expected: slot.value().shape().to_vec(),
                found: tensor.shape().to_vec(),
            }),
            Some(_) => (),
        });
        let own = self.state_dict();
        error.unexpected.extend(state.keys().filter(|&name| !own.contains_key(name)).cloned());
        if error != StateDictError::default() {
            return Err(error);
        }
        self.visit_mut(&mut ModulePath::default(), &mut |name, slot| {
            if let Some(tensor) = state.remove(name) {
                *slot.into_value() = tensor;
            }
        });
        Ok(())
    }

    /// How many numbers training changes.
    fn parameter_count(&self) -> usize {
        self.params().values().map(|param| param.value().len()).sum()
    }
}

/// Why a state dict does not fit a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error(
    "the state does not fit the model: missing {missing:?}, unexpected {unexpected:?}, of another shape {mismatched:?}"
)]
pub struct StateDictError {
    /// Names the model has and the state lacks.
    pub missing: Vec<String>,
    /// Names the state has and the model lacks.
    pub unexpected: Vec<String>,
    /// Names both have, with different shapes.
    pub mismatched: Vec<ShapeMismatch>,
}

/// A tensor of another shape than the model's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeMismatch {
    /// The dotted name.
    pub name: String,
    /// The model's shape.
    pub expected: Vec<usize>,
    /// The shape in the state.
    pub found: Vec<usize>,
}

/// The dotted names of a model's parameters, for those who meet the parameters on a tape.
pub(crate) fn names_by_id<F: Real>(model: &dyn Module<F>) -> BTreeMap<Id, String> {
    model.params().into_iter().map(|(name, param)| (param.id, name)).collect()
}

/// The model without parameters, where a model is asked for and there is none.
impl<F: Real> Module<F> for () {
    fn visit<'a>(&'a self, _path: &mut ModulePath, _visitor: &mut Visitor<'_, 'a, F>) {}

    fn visit_mut<'a>(&'a mut self, _path: &mut ModulePath, _visitor: &mut VisitorMut<'_, 'a, F>) {}
}

impl<F: Real> Module<F> for Param<F> {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        visitor(path.as_str(), Leaf::Param(self));
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        visitor(path.as_str(), LeafMut::Param(self));
    }
}

impl<F: Real> Module<F> for Buffer<F> {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        visitor(path.as_str(), Leaf::Buffer(self));
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        visitor(path.as_str(), LeafMut::Buffer(self));
    }
}

/// The elements are named by index, as in PyTorch: `"0.weight"`.
impl<F: Real, M: Module<F>> Module<F> for [M] {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        for (index, module) in self.iter().enumerate() {
            path.enter(&index.to_string(), |path| module.visit(path, visitor));
        }
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        for (index, module) in self.iter_mut().enumerate() {
            path.enter(&index.to_string(), |path| module.visit_mut(path, visitor));
        }
    }
}

/// What is there, under the option's own name.
impl<F: Real, M: Module<F>> Module<F> for Option<M> {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        if let Some(module) = self {
            module.visit(path, visitor);
        }
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        if let Some(module) = self {
            module.visit_mut(path, visitor);
        }
    }
}

/// Forwards to what a container holds.
macro_rules! through {
    ([$($generics:tt)*] $container:ty) => {
        impl<F: Real, $($generics)*> Module<F> for $container {
            fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
                (**self).visit(path, visitor);
            }

            fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
                (**self).visit_mut(path, visitor);
            }
        }
    };
}

through!([M: Module<F>] Vec<M>);
through!([M: Module<F> + ?Sized] Box<M>);

/// Names the parameters of a struct after its fields.
///
/// ```
/// use wengert_autodiff::{Module, Param, module};
///
/// struct Line {
///     slope: Param,
///     offset: Param,
/// }
///
/// module!(Line { slope, offset });
///
/// let line = Line { slope: ndarray::arr0(2.0).into(), offset: ndarray::arr0(1.0).into() };
/// assert_eq!(line.params().into_keys().collect::<Vec<_>>(), ["offset", "slope"]);
/// ```
///
/// Write `module!(Line<F> { … })` for a struct that is generic over its float type, `module!(Line: f64 { … })` for one
/// that is not and holds `f64`. A field that is left out is not trained; if it does receive a gradient, the optimizer's
/// `step` says so in debug builds.
#[macro_export]
macro_rules! module {
    ($model:ident { $($field:ident),* $(,)? }) => {
        $crate::module!(@impl [] $model, f32, { $($field)* });
    };
    ($model:ident : $float:ty { $($field:ident),* $(,)? }) => {
        $crate::module!(@impl [] $model, $float, { $($field)* });
    };
    ($model:ident < $float:ident > { $($field:ident),* $(,)? }) => {
        $crate::module!(@impl [<$float: $crate::Real>] $model<$float>, $float, { $($field)* });
    };
    (@impl [$($generics:tt)*] $model:ty, $float:ty, { $($field:ident)* }) => {
        impl $($generics)* $crate::Module<$float> for $model {
            fn visit<'a>(&'a self, path: &mut $crate::ModulePath, visitor: &mut $crate::Visitor<'_, 'a, $float>) {
                $(path.enter(stringify!($field), |path| $crate::Module::visit(&self.$field, path, visitor));)*
                let _ = (path, visitor);
            }

            fn visit_mut<'a>(
                &'a mut self,
                path: &mut $crate::ModulePath,
                visitor: &mut $crate::VisitorMut<'_, 'a, $float>,
            ) {
                $(path.enter(stringify!($field), |path| $crate::Module::visit_mut(&mut self.$field, path, visitor));)*
                let _ = (path, visitor);
            }
        }
    };
}
