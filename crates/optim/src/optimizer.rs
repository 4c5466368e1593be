use std::collections::BTreeMap;

use wengert_autodiff::{Gradients, Module, Path, Real, SlotMut, Tensor};

use crate::Rule;

/// Applies a [`Rule`] to a model and keeps what it remembers of each tensor under the parameter's dotted name.
#[derive(Clone, Debug)]
pub struct Optimizer<R: Rule<F>, F: Real = f32> {
    rule: R,
    entries: BTreeMap<String, Entry<R::State>>,
    steps: u64,
}

#[derive(Clone, Debug)]
struct Entry<S> {
    shape: Vec<usize>,
    /// The step of the last update, which shows whether two tensors go by one name.
    last_step: u64,
    state: S,
}

impl<R: Rule<F>, F: Real> Optimizer<R, F> {
    /// An optimizer that has not seen any tensor.
    ///
    /// # Panics
    ///
    /// If a hyper-parameter is out of its range; where the numbers come from outside, ask [`Rule::check`] first.
    #[track_caller]
    pub fn new(rule: R) -> Self {
        let optimizer = Self { rule, entries: BTreeMap::new(), steps: 0 };
        optimizer.check();
        optimizer
    }

    /// Walks the model once: updates every parameter that has a gradient, and writes the buffers that were observed.
    ///
    /// A parameter without a gradient is left alone, together with its state; that is not the same as a gradient of
    /// zero, on which momentum and weight decay still act. Arrays are written in place unless something else shares them.
    ///
    /// # Panics
    ///
    /// If a hyper-parameter is out of its range, a parameter's shape is not the one its state was made for, or two
    /// parameters go by one name. In debug builds also if there is a gradient for a parameter that the walk did not
    /// visit, which means that a field is missing from a `module!` list.
    #[track_caller]
    pub fn step(&mut self, model: &mut (impl Module<F> + ?Sized), grads: &Gradients<F>) {
        self.check();
        self.steps += 1;
        let mut claimed = Vec::new();
        let mut outcome = Ok(());
        model.visit_mut(&mut Path::default(), &mut |name, slot| match slot {
            SlotMut::Param(param) => {
                if let (Ok(()), Some(grad)) = (&outcome, grads.of(param)) {
                    claimed.push(std::ptr::from_ref(grad));
                    outcome = self.update(name, param.value_mut(), grad);
                }
            }
            SlotMut::Buffer(buffer) => {
                if let Some(value) = grads.observed(buffer) {
                    *buffer.value_mut() = value.clone();
                }
            }
        });
        if let Err(problem) = outcome {
            panic!("`step`: {problem}");
        }
        if cfg!(debug_assertions)
            && let Some(grad) = grads.iter().find(|&grad| !claimed.contains(&std::ptr::from_ref(grad)))
        {
            panic!(
                "`step`: a gradient of shape {:?} belongs to no parameter of this model: is a field missing from `module!`?",
                grad.shape()
            );
        }
    }

    fn update(&mut self, name: &str, param: &mut Tensor<F>, grad: &Tensor<F>) -> Result<(), String> {
        if !self.entries.contains_key(name) {
            let entry = Entry { shape: param.shape().to_vec(), last_step: 0, state: self.rule.init(param) };
            self.entries.insert(name.to_owned(), entry);
        }
        let entry = self.entries.get_mut(name).expect("inserted above");
        if entry.last_step == self.steps {
            return Err(format!("two parameters are named `{name}`"));
        }
        for (what, shape) in [("parameter", param.shape()), ("gradient", grad.shape())] {
            if shape != entry.shape {
                return Err(format!(
                    "the {what} of `{name}` has shape {shape:?}, but its state was made for {:?}",
                    entry.shape
                ));
            }
        }
        entry.last_step = self.steps;
        self.rule.update(param, grad, &mut entry.state);
        Ok(())
    }

    #[track_caller]
    fn check(&self) {
        if let Err(error) = self.rule.check() {
            panic!("{error}");
        }
    }

    /// What is remembered of the parameter of this name; `None` before its first gradient.
    pub fn state(&self, name: &str) -> Option<&R::State> {
        self.entries.get(name).map(|entry| &entry.state)
    }

    /// Like [`state`](Optimizer::state), to be changed.
    pub fn state_mut(&mut self, name: &str) -> Option<&mut R::State> {
        self.entries.get_mut(name).map(|entry| &mut entry.state)
    }

    /// All states with their names, in alphabetical order.
    pub fn states(&self) -> impl Iterator<Item = (&str, &R::State)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), &entry.state))
    }

    /// The hyper-parameters.
    pub fn rule(&self) -> &R {
        &self.rule
    }

    /// The hyper-parameters, to be changed: `opt.rule_mut().lr *= 0.5`.
    pub fn rule_mut(&mut self) -> &mut R {
        &mut self.rule
    }

    /// How often [`step`](Optimizer::step) ran.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}
