use serde::{Deserialize, Serialize};
use wengert_autodiff::{Module, ModulePath, Real, Var, Visitor, VisitorMut};

use crate::Layer;

/// `y = x + f(x)` for a layer `f` that keeps the shape. Parameters keep the names they have in `f`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias = "SkipConnection")]
pub struct Residual<L>(
    /// `f`.
    pub L,
);

impl<F: Real, L: Module<F>> Module<F> for Residual<L> {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        self.0.visit(path, visitor);
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        self.0.visit_mut(path, visitor);
    }
}

impl<F: Real, L: Layer<F> + Clone> Layer<F> for Residual<L> {
    /// # Panics
    ///
    /// If the shapes of `f(x)` and `x` differ.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let f = self.0.forward(x);
        assert_eq!(x.shape(), f.shape(), "`Residual`: x and f(x) must have one shape");
        x + f
    }
}
