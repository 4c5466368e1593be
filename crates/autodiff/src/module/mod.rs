//! Models: what holds parameters, and the walk that gives each its dotted name.

use std::collections::BTreeMap;

use crate::{Real, Tensor};

mod containers;
mod declare;
mod param;
mod path;
mod pattern;
mod state_dict;

pub(crate) use param::Id;
pub use param::{Buffer, Param};
pub use path::ModulePath;
pub use pattern::NamePattern;
pub use state_dict::{ShapeMismatch, StateDictError};

/// What a [`Module`] shows of itself: a parameter or a buffer.
#[doc(alias = "Slot")]
#[derive(Debug)]
pub enum Leaf<'a, F: Real = f32> {
    /// A tensor that training changes.
    Param(&'a Param<F>),
    /// State without a gradient.
    Buffer(&'a Buffer<F>),
}

/// Like [`Leaf`], to be changed.
#[doc(alias = "SlotMut")]
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

    /// Whether no step changes it: [`Module::freeze`].
    pub fn is_frozen(&self) -> bool {
        match self {
            Self::Param(param) => param.is_frozen(),
            Self::Buffer(buffer) => buffer.is_frozen(),
        }
    }

    /// Whether it is a buffer of whole numbers: [`Buffer::count`].
    pub fn is_count(&self) -> bool {
        matches!(self, Self::Buffer(buffer) if buffer.is_count())
    }
}

impl<'a, F: Real> LeafMut<'a, F> {
    /// Freezes it, or sets it free again.
    pub fn set_frozen(&mut self, frozen: bool) {
        match self {
            Self::Param(param) => param.set_frozen(frozen),
            Self::Buffer(buffer) => buffer.set_frozen(frozen),
        }
    }

    /// The tensor, whichever kind it is.
    pub fn into_value(self) -> &'a mut Tensor<F> {
        match self {
            Self::Param(param) => param.value_mut(),
            Self::Buffer(buffer) => buffer.value_mut(),
        }
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
#[doc(alias("nn.Module", "equinox", "pytree", "Layer"))]
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not show its parameters as `Module<{F}>`",
    note = "for a struct of one's own write `module!({Self} {{ first_field, second_field }})`, for an enum \
            `module!(enum {Self} {{ First(inner), Second {{ field }} }})`; \
            one that holds `f64` needs `module!({Self}: f64 {{ … }})`"
)]
pub trait Module<F: Real = f32> {
    /// Shows every parameter and buffer with its name.
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>);

    /// Like [`visit`](Module::visit), in the same order, for changing.
    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>);

    /// The parameters by name.
    #[doc(alias("named_parameters", "parameters", "trainable_weights"))]
    fn params(&self) -> BTreeMap<String, &Param<F>> {
        let mut params = BTreeMap::new();
        self.visit(&mut ModulePath::default(), &mut |name, leaf| {
            if let Leaf::Param(param) = leaf {
                params.insert(name.to_owned(), param);
            }
        });
        params
    }

    /// The parameter of this name, to be changed.
    fn param_mut(&mut self, name: &str) -> Option<&mut Param<F>> {
        let mut found = None;
        self.visit_mut(&mut ModulePath::default(), &mut |at, leaf| {
            if let LeafMut::Param(param) = leaf
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
        self.visit(&mut ModulePath::default(), &mut |name, leaf| {
            state.insert(name.to_owned(), leaf.value().clone());
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
        self.visit(&mut ModulePath::default(), &mut |name, leaf| match state.get(name) {
            None => error.missing.push(name.to_owned()),
            Some(tensor) if tensor.shape() != leaf.value().shape() => error.mismatched.push(ShapeMismatch {
                name: name.to_owned(),
                expected: leaf.value().shape().to_vec(),
                found: tensor.shape().to_vec(),
            }),
            Some(_) => (),
        });
        let own = self.state_dict();
        error.unexpected.extend(state.keys().filter(|&name| !own.contains_key(name)).cloned());
        if error != StateDictError::default() {
            return Err(error);
        }
        self.visit_mut(&mut ModulePath::default(), &mut |name, leaf| {
            if let Some(tensor) = state.remove(name) {
                *leaf.into_value() = tensor;
            }
        });
        Ok(())
    }

    /// Freezes every parameter and buffer whose name matches `pattern`, and returns how many. No gradient of a frozen
    /// parameter is computed and no optimizer changes it; a frozen buffer keeps its value, and batch norm whose running
    /// statistics are frozen normalizes by them, as in evaluation. A clone is as frozen as the original; files do not
    /// say what is frozen.
    ///
    /// ```
    /// # use wengert_autodiff::{Module, Param};
    /// let mut layers = vec![Param::<f32>::new(1.0), Param::new(2.0)];
    /// assert_eq!(layers.freeze("0*"), 1);
    /// assert!(layers[0].is_frozen() && !layers[1].is_frozen());
    /// layers.unfreeze("*");
    /// ```
    ///
    /// # Panics
    ///
    /// If it is not a [pattern](NamePattern), or no name matches.
    #[doc(alias("requires_grad_", "trainable", "no_grad"))]
    #[track_caller]
    fn freeze(&mut self, pattern: &str) -> usize {
        set_frozen("freeze", self, pattern, true)
    }

    /// The opposite of [`freeze`](Module::freeze).
    ///
    /// # Panics
    ///
    /// If it is not a pattern, or no name matches.
    #[track_caller]
    fn unfreeze(&mut self, pattern: &str) -> usize {
        set_frozen("unfreeze", self, pattern, false)
    }

    /// How many numbers training changes; frozen parameters are not counted.
    #[doc(alias("count_params", "numel"))]
    fn parameter_count(&self) -> usize {
        self.params().values().filter(|param| !param.is_frozen()).map(|param| param.value().len()).sum()
    }
}

#[track_caller]
fn set_frozen<F: Real, M: Module<F> + ?Sized>(
    what: &str,
    model: &mut M,
    pattern: &str,
    frozen: bool,
) -> usize {
    let pattern = NamePattern::new(pattern)
        .unwrap_or_else(|error| panic!("`{what}`: `{pattern}` is not a pattern: {error}"));
    let mut count = 0;
    model.visit_mut(&mut ModulePath::default(), &mut |name, mut leaf| {
        if pattern.matches(name) {
            leaf.set_frozen(frozen);
            count += 1;
        }
    });
    if count == 0 {
        let names: Vec<_> = model.state_dict().into_keys().collect();
        panic!("`{what}`: `{}` matches none of {names:?}", pattern.as_str());
    }
    count
}

/// The dotted names of a model's parameters, for those who meet the parameters on a tape.
pub(crate) fn names_by_id<F: Real>(model: &dyn Module<F>) -> BTreeMap<Id, String> {
    let mut names = BTreeMap::new();
    model.visit(&mut ModulePath::default(), &mut |name, leaf| {
        if let Leaf::Param(param) = leaf {
            names.insert(param.id, name.to_owned());
        }
    });
    names
}
