//! What is a module without `module!`: a parameter, a buffer, nothing, and whatever holds modules.

use std::collections::{BTreeMap, HashMap};

use super::{Buffer, Leaf, LeafMut, Module, ModulePath, Param, Visitor, VisitorMut};
use crate::Real;

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

/// As a list.
impl<F: Real, M: Module<F>, const N: usize> Module<F> for [M; N] {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        self[..].visit(path, visitor);
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        self[..].visit_mut(path, visitor);
    }
}

/// The values are named by their keys, as in PyTorch's `ModuleDict`: `"left.weight"`. Keys with a dot may give two
/// tensors one name.
impl<F: Real, M: Module<F>> Module<F> for BTreeMap<String, M> {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        for (key, module) in self {
            path.enter(key, |path| module.visit(path, visitor));
        }
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        for (key, module) in self {
            path.enter(key, |path| module.visit_mut(path, visitor));
        }
    }
}

/// As a `BTreeMap`: in the order of the keys, so that two runs see one order.
impl<F: Real, M: Module<F>, S> Module<F> for HashMap<String, M, S> {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        let sorted: BTreeMap<_, _> = self.iter().collect();
        for (key, module) in sorted {
            path.enter(key, |path| module.visit(path, visitor));
        }
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        let sorted: BTreeMap<_, _> = self.iter_mut().collect();
        for (key, module) in sorted {
            path.enter(key, |path| module.visit_mut(path, visitor));
        }
    }
}

/// The elements are named by index, like those of a list.
macro_rules! tuple {
    ($($module:ident $index:tt)+) => {
        impl<F: Real, $($module: Module<F>),+> Module<F> for ($($module,)+) {
            fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
                $(path.enter(stringify!($index), |path| self.$index.visit(path, visitor));)+
            }

            fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
                $(path.enter(stringify!($index), |path| self.$index.visit_mut(path, visitor));)+
            }
        }
    };
}

tuple!(A 0);
tuple!(A 0 B 1);
tuple!(A 0 B 1 C 2);
tuple!(A 0 B 1 C 2 D 3);
tuple!(A 0 B 1 C 2 D 3 E 4);
tuple!(A 0 B 1 C 2 D 3 E 4 G 5);

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
