//! The optimizer: one walk over the model, for all rules.

mod finite;
mod groups;

use std::collections::BTreeMap;

use wengert_autodiff::{Gradients, Leaf, LeafMut, Module, ModulePath, Real, Tensor};

use crate::rule::{InvalidHyperparameter, Rule};
use crate::state::{self, State};
use groups::Groups;

pub use finite::{NotFinite, StepInput, check_finite};
pub use groups::{GroupRow, GroupTable};

/// Applies a [`Rule`] to a model and keeps what it remembers of each tensor under the parameter's dotted name.
///
/// Parameters can be given other hyper-parameters than the rest by a pattern on their names:
///
/// ```
/// use wengert_optim::{Optimizer, RmsProp, WeightDecay};
///
/// let rule = RmsProp { weight_decay: WeightDecay::Decoupled(1e-2), ..RmsProp::default() };
/// let mut opt: Optimizer<RmsProp> = Optimizer::new(rule)
///     .with_group("hidden.*", RmsProp { lr: 1e-3, ..rule })
///     .with_group("*.bias", RmsProp { weight_decay: WeightDecay::None, ..rule });
/// assert_eq!(opt.rule_for("hidden.weight").lr, 1e-3);
/// assert_eq!(opt.rule_for("hidden.bias").lr, 1e-2); // the last pattern that matches decides, and decides all
/// ```
///
/// In a pattern `*` stands for any characters, dots included, `?` for one, `[ab0-9]` for one of several, `[!ab0-9]` for
/// one that is not among them; `[*]` is the star itself.
#[doc(alias("param_groups", "multi_transform"))]
#[derive(Clone, Debug)]
pub struct Optimizer<R: Rule<F>, F: Real = f32> {
    pub(crate) groups: Groups<R>,
    pub(crate) entries: BTreeMap<String, Entry<R::State>>,
    pub(crate) steps: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry<S> {
    pub(crate) shape: Vec<usize>,
    /// The step of the last update, which shows whether two tensors have the same name. 0 if this optimizer made none.
    pub(crate) last_step: u64,
    /// `‖Δp‖ / ‖p‖` of the last update, if `step_with` made it.
    pub(crate) update_ratio: Option<f64>,
    pub(crate) state: S,
}

impl<S> Entry<S> {
    pub(crate) fn new(shape: &[usize], state: S) -> Self {
        Self { shape: shape.to_vec(), last_step: 0, update_ratio: None, state }
    }
}

impl<R: Rule<F>, F: Real> Optimizer<R, F> {
    /// An optimizer that has not seen any tensor.
    ///
    /// # Panics
    ///
    /// If a hyper-parameter is out of its range; [`try_new`](Optimizer::try_new) is for numbers that come from outside.
    #[track_caller]
    pub fn new(rule: R) -> Self {
        let optimizer = Self::with_rule(rule);
        optimizer.validate();
        optimizer
    }

    /// Like [`new`](Optimizer::new), for hyper-parameters that come from outside.
    ///
    /// # Errors
    ///
    /// The first hyper-parameter that is out of its range.
    pub fn try_new(rule: R) -> Result<Self, InvalidHyperparameter> {
        rule.validate()?;
        Ok(Self::with_rule(rule))
    }

    fn with_rule(rule: R) -> Self {
        Self { groups: Groups::new(rule), entries: BTreeMap::new(), steps: 0 }
    }

    /// Gives the parameters whose names match `pattern` a rule of their own, as a whole: write
    /// `R { lr: 1e-3, ..rule }` to change one hyper-parameter.
    ///
    /// Where several [patterns](Optimizer) match, the one added last decides, so the general one comes before the
    /// exception. State does not depend on groups: a group added in the middle of a run changes how its tensors go on,
    /// not what is remembered.
    ///
    /// # Panics
    ///
    /// If the pattern is not well-formed, was given before, or a hyper-parameter is out of its range.
    #[doc(alias = "add_param_group")]
    #[track_caller]
    #[must_use]
    pub fn with_group(mut self, pattern: &str, rule: R) -> Self {
        if let Err(problem) = self.groups.add(pattern, rule) {
            panic!("`with_group`: {problem}");
        }
        self.validate();
        self
    }

    /// Walks the model once: updates every parameter that has a gradient, and writes the new values of buffers.
    ///
    /// Gradients of other models are left to their own optimizers: one `backward` may serve several. A parameter
    /// without a gradient, or a frozen one, is left alone, together with its state; that is not the same as a gradient
    /// of zero, on which momentum and weight decay still act. Arrays are written in place unless something else shares
    /// them.
    ///
    /// # Panics
    ///
    /// If none of the gradients belongs to `model`, a hyper-parameter is out of its range, a parameter's shape is not
    /// the one its state was made for, or two parameters have the same name. Nothing has changed then.
    ///
    /// Where a rule of your own panics in `update`, the step does not count and no buffer has changed; the parameters
    /// before that one are updated.
    #[doc(alias("apply_updates", "apply_gradients", "zero_grad"))]
    #[track_caller]
    pub fn step(&mut self, model: &mut dyn Module<F>, grads: &Gradients<F>) {
        self.walk(model, grads, Self::update);
    }

    /// The traversal of a step, with `update` for each parameter that has a gradient.
    #[track_caller]
    pub(crate) fn walk(
        &mut self,
        model: &mut dyn Module<F>,
        grads: &Gradients<F>,
        mut update: impl FnMut(&mut Self, &str, &mut Tensor<F>, &Tensor<F>),
    ) {
        self.validate();
        if let Err(problem) = self.prepare(model, grads) {
            panic!("`step`: {problem}");
        }
        model.visit_mut(&mut ModulePath::default(), &mut |name, leaf| {
            if let LeafMut::Param(param) = leaf
                && let Some(grad) = grads.get(param).filter(|_| !param.is_frozen())
            {
                update(self, name, param.value_mut(), grad);
            }
        });
        model.visit_mut(&mut ModulePath::default(), &mut |_, leaf| {
            if let LeafMut::Buffer(buffer) = leaf
                && let Some(value) = grads.buffer_update(buffer).filter(|_| !buffer.is_frozen())
            {
                *buffer.value_mut() = value.clone();
            }
        });
        self.steps += 1;
    }

    /// Checks all that a step can trip over, before it changes anything, and makes the states that it needs.
    fn prepare(&mut self, model: &dyn Module<F>, grads: &Gradients<F>) -> Result<(), String> {
        let Self { groups, entries, steps } = self;
        // A step that a panic has cut short is none.
        entries.values_mut().for_each(|entry| entry.last_step = entry.last_step.min(*steps));
        let step = *steps + 1;
        let (mut new, mut outcome, mut fits) = (BTreeMap::new(), Ok(()), false);
        model.visit(&mut ModulePath::default(), &mut |name, leaf| {
            let Leaf::Param(param) = leaf else { return };
            let (Ok(()), Some(grad)) = (&outcome, grads.get(param)) else { return };
            fits = true;
            if param.is_frozen() {
                return;
            }
            let param = param.value();
            let entry = entries.get_mut(name).unwrap_or_else(|| {
                let start = || Entry::new(param.shape(), groups.rule_for(name).init(param));
                new.entry(name.to_owned()).or_insert_with(start)
            });
            outcome = match entry.last_step == step {
                true => Err(format!("two parameters are named `{name}`")),
                false => check_shapes(name, entry, param, grad),
            };
            entry.last_step = step;
        });
        // Buffers are asked only where no gradient fits: a step seldom gets so far.
        if !fits && !grads.concern(model) {
            return Err(format!(
                "none of the {} gradients belongs to this model: they are another model's, or a clone's (whose \
                 parameters are its own), or `module!` does not list the fields",
                grads.len()
            ));
        }
        outcome.map(|()| entries.append(&mut new))
    }

    pub(crate) fn update(&mut self, name: &str, param: &mut Tensor<F>, grad: &Tensor<F>) {
        let rule = self.groups.rule_for(name);
        let entry = self.entries.get_mut(name).expect("`visit` and `visit_mut` show the same names");
        entry.update_ratio = None;
        rule.update(param, grad, &mut entry.state);
    }

    #[track_caller]
    fn validate(&self) {
        if let Err(error) = self.groups.rules().try_for_each(Rule::validate) {
            panic!("{}: {error}", R::NAME);
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

    /// The hyper-parameters of the parameters that no group matches.
    pub fn rule(&self) -> &R {
        &self.groups.default
    }

    /// Like [`rule`](Optimizer::rule), to be changed: `opt.rule_mut().lr *= 0.5`.
    pub fn rule_mut(&mut self) -> &mut R {
        &mut self.groups.default
    }

    /// The hyper-parameters that the parameter of this name is updated with.
    pub fn rule_for(&self, name: &str) -> &R {
        self.groups.rule_for(name)
    }

    /// The hyper-parameters of the group with this very pattern, to be changed.
    pub fn group_mut(&mut self, pattern: &str) -> Option<&mut R> {
        self.groups.find_mut(pattern)
    }

    /// The hyper-parameters of the default and then of every group, to be changed: for a schedule that scales all
    /// rates.
    #[doc(alias = "param_groups")]
    pub fn rules_mut(&mut self) -> impl Iterator<Item = &mut R> {
        self.groups.rules_mut()
    }

    /// Which group and which hyper-parameters each parameter of `model` has, and which groups apply to none. Print it.
    pub fn table(&self, model: &dyn Module<F>) -> GroupTable<R> {
        let params = model.params();
        self.groups.table(params.iter().map(|(name, param)| (name.as_str(), *param)))
    }

    /// How often [`step`](Optimizer::step) ran.
    #[doc(alias("iterations", "step_count"))]
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// That everything has the shape which the state was made for; of the state itself only in debug builds, since no step
/// changes it.
fn check_shapes<S: State<F>, F: Real>(
    name: &str,
    entry: &Entry<S>,
    param: &Tensor<F>,
    grad: &Tensor<F>,
) -> Result<(), String> {
    let expected = &entry.shape[..];
    for (what, found) in [("parameter", param.shape()), ("gradient", grad.shape())] {
        if found != expected {
            return Err(format!(
                "the {what} of `{name}` has shape {found:?}, but its state was made for {expected:?}"
            ));
        }
    }
    if cfg!(debug_assertions)
        && let Some((field, tensor)) =
            state::tensors(&entry.state).find(|(_, tensor)| tensor.shape() != expected)
    {
        return Err(format!("`{field}` of `{name}` has shape {:?}, not {expected:?}", tensor.shape()));
    }
    Ok(())
}
