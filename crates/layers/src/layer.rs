use std::any::Any;
use std::fmt::Debug;

use wengert_autodiff::{Module, Real, Var};

/// A [`Module`] that maps one tensor to one tensor.
///
/// A model needs no such trait: it can have a `forward` of its own with any arguments. Implement `Layer` to put it
/// into a [`Sequential`](crate::Sequential) or a [`Residual`](crate::Residual). A layer is a plain value: derive
/// [`Clone`] and [`Debug`] for it. Then a `Box<dyn Layer>` can be cloned and printed too, and is itself a layer.
#[doc(alias = "nn.Module")]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Layer<{F}>`",
    note = "a layer of one's own has `module!({Self} {{ first_field, second_field }})`, derives `Clone` and `Debug`, \
            and implements `Layer` with `fn forward<'t>(&self, x: Var<'t>) -> Var<'t>`"
)]
pub trait Layer<F: Real = f32>: Module<F> + CloneBoxed<F> + Debug + Send + Sync + Any {
    /// The layer's output for `x`, on the tape of `x`. That tape also says whether this is training.
    #[doc(alias = "call")]
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F>;
}

/// What [`Clone`] cannot do for a trait object: it returns `Self`, whose size is not known.
#[doc(hidden)]
pub trait CloneBoxed<F: Real> {
    fn clone_boxed(&self) -> Box<dyn Layer<F>>;
}

impl<F: Real, L: Layer<F> + Clone> CloneBoxed<F> for L {
    fn clone_boxed(&self) -> Box<dyn Layer<F>> {
        Box::new(self.clone())
    }
}

impl<F: Real> Clone for Box<dyn Layer<F>> {
    fn clone(&self) -> Self {
        (**self).clone_boxed()
    }
}

impl<F: Real> Layer<F> for Box<dyn Layer<F>> {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        (**self).forward(x)
    }
}

/// Makes a type a [`Module`] of nothing, for every float type.
macro_rules! without_parameters {
    ($layer:ty) => {
        impl<F: Real> wengert_autodiff::Module<F> for $layer {
            fn visit<'a>(
                &'a self,
                _: &mut wengert_autodiff::ModulePath,
                _: &mut wengert_autodiff::Visitor<'_, 'a, F>,
            ) {
            }

            fn visit_mut<'a>(
                &'a mut self,
                _: &mut wengert_autodiff::ModulePath,
                _: &mut wengert_autodiff::VisitorMut<'_, 'a, F>,
            ) {
            }
        }
    };
}

pub(crate) use without_parameters;
