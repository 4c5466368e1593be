use wengert_autodiff::{Module, Real, Var};

/// A [`Module`] that maps one tensor to one tensor.
///
/// A model needs no such trait: it can have a `forward` of its own with any arguments. Implement `Layer` to put it
/// into a [`Sequential`](crate::Sequential) or a [`Residual`](crate::Residual).
pub trait Layer<F: Real = f32>: Module<F> + Send + Sync {
    /// The layer's output for `x`, on the tape of `x`. That tape also says whether this is training.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F>;
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
