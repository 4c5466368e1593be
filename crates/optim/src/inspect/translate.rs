use std::fmt;

use serde::Serialize;
use wengert_autodiff::{Real, Tensor};

use crate::inspect::Explain;
use crate::inspect::accumulator::{Accumulator, Statistic};
use crate::optimizer::{Entry, Optimizer};
use crate::state::{FieldMut, State, put, tensors};

/// What [`Optimizer::translate_from`] did. Its [`Display`](fmt::Display) form is for people and logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Translation {
    /// The [`Rule::NAME`](crate::Rule::NAME) of the optimizer that was translated from.
    pub from: &'static str,
    /// The [`Rule::NAME`](crate::Rule::NAME) of the optimizer that was translated to.
    pub to: &'static str,
    /// The parameters in alphabetical order.
    pub params: Vec<Translated>,
}

/// What became of the state of one parameter in a [`Translation`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Translated {
    /// The dotted name.
    pub name: String,
    /// The old field, and the new field that has its meaning.
    pub carried: Vec<(&'static str, &'static str)>,
    /// Old fields that are lost, and why.
    pub dropped: Vec<(&'static str, DropReason)>,
    /// New fields that start as for a new tensor, and why.
    pub fresh: Vec<(&'static str, FreshReason)>,
}

/// Why a tensor of the old state is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum DropReason {
    /// It is not an average or a sum, or one that the old rule no longer uses.
    NotAnAccumulator,
    /// It collects what the old rule made of the gradients.
    Update,
    /// The new rule keeps no such average with the options that are on.
    Unused,
    /// Everything starts anew.
    Restart(RestartReason),
}

/// Why a tensor of the new state starts as for a new parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum FreshReason {
    /// The old rule kept no such average.
    NoSource,
    /// Everything starts anew.
    Restart(RestartReason),
}

/// Why the count of steps, and with it everything, starts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum RestartReason {
    /// The new rule needs a mean square, and the old one has none.
    NoMeanSquare,
    /// The new rule keeps a number that cannot be derived from the old state.
    Number,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnAccumulator => {
                f.write_str("it is not an average, or one that the old rule no longer uses")
            }
            Self::Update => f.write_str("it collects what the old rule made of the gradients, not gradients"),
            Self::Unused => f.write_str("the new rule, as it is set, keeps no such average"),
            Self::Restart(why) => why.fmt(f),
        }
    }
}

impl fmt::Display for FreshReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSource => f.write_str("the old rule kept no such average"),
            Self::Restart(why) => why.fmt(f),
        }
    }
}

impl fmt::Display for RestartReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoMeanSquare => "without a mean square to carry, the count of steps starts anew",
            Self::Number => "the new rule keeps a number that cannot be derived from the old state",
        })
    }
}

impl<R: Explain<F>, F: Real> Optimizer<R, F> {
    /// Takes over the states of an optimizer with another rule as far as they mean the same: the average or sum of
    /// gradients, and that of squared gradients. In the middle of a run, make the new optimizer with its groups and
    /// call this. States that it has under the same names are replaced. Both optimizers must agree on `maximize`.
    ///
    /// What is carried is the typical gradient (or square) that the old average stands for; the new average is given
    /// the value it would have had after as many steps of just that. Where both decay alike this is exact: SGD's buffer
    /// is `1 / (1 - μ)` times Adam's `m` for `μ = β₁`. (SGD's dampening, which spares the first gradient, is taken to
    /// have been on from the start.)
    ///
    /// One count of steps serves all averages of a tensor. Without a mean square to carry, a rule that needs one would
    /// divide by next to nothing, so everything starts anew. Without a mean gradient only that starts from 0, and its
    /// first updates are short.
    ///
    /// Hyper-parameters stay as they are, and so does [`steps`](Optimizer::steps), which counts the steps of one
    /// optimizer and not those of the run: add the old count where a schedule is to go on.
    ///
    /// ```
    /// # use wengert_autodiff::{Gradients, Param};
    /// # use wengert_optim::{Optimizer, RmsProp};
    /// # let mut model: Param = ndarray::arr1(&[1.0]).into();
    /// # let mut grads = Gradients::default();
    /// # grads.set(&model, ndarray::arr1(&[2.0]));
    /// # let mut keras = Optimizer::new(RmsProp::keras());
    /// # for _ in 0..100 { keras.step(&mut model, &grads) }
    /// let mut opt = Optimizer::new(RmsProp { centered: true, ..RmsProp::torch() });
    /// println!("{}", opt.translate_from(&keras));
    /// ```
    pub fn translate_from<S: Explain<F>>(&mut self, source: &Optimizer<S, F>) -> Translation {
        let mut params = Vec::new();
        for (name, entry) in &source.entries {
            let old = Old {
                accumulators: source.rule_for(name).accumulators(),
                tensors: tensors(&entry.state).collect(),
                steps: entry.state.steps().unwrap_or(0),
            };
            let rule = self.rule_for(name);
            let mut state = rule.init(&Tensor::zeros(entry.shape.clone()));
            let mut report = old.carry(&rule.accumulators(), &mut state);
            report.name = name.clone();
            params.push(report);
            self.entries.insert(name.clone(), Entry::new(&entry.shape, state));
        }
        Translation { from: S::NAME, to: R::NAME, params }
    }
}

/// The state to translate, without its type.
struct Old<F: Real> {
    accumulators: Vec<Accumulator>,
    tensors: Vec<(&'static str, Tensor<F>)>,
    steps: u64,
}

impl<F: Real> Old<F> {
    fn carry<S: State<F>>(&self, wanted: &[Accumulator], state: &mut S) -> Translated {
        let mut report = Translated::default();
        let wanted = wanted.iter().filter(|new| new.statistic != Statistic::Update);
        let pairs: Vec<_> = wanted.map(|new| (new, self.source(new.statistic))).collect();
        let restart = restart(&pairs, state);
        for (new, old) in pairs {
            match (old, restart) {
                (None, _) => report.fresh.push((new.field, FreshReason::NoSource)),
                (Some(_), Some(why)) => report.fresh.push((new.field, FreshReason::Restart(why))),
                (Some((old, tensor)), None) => {
                    self.convert(old, tensor, new, state);
                    report.carried.push((old.field, new.field));
                }
            }
        }
        if let (Some(steps), None) = (state.steps_mut(), restart) {
            *steps = self.steps;
        }
        self.report_dropped(restart, &mut report);
        report
    }

    /// The old average of this, if it holds anything.
    fn source(&self, statistic: Statistic) -> Option<(&Accumulator, &Tensor<F>)> {
        let old = self.accumulators.iter().find(|old| old.statistic == statistic)?;
        old.estimate(self.steps, 0.0)?;
        let (_, tensor) = self.tensors.iter().find(|&&(field, _)| field == old.field)?;
        Some((old, tensor))
    }

    fn convert<S: State<F>>(&self, old: &Accumulator, tensor: &Tensor<F>, new: &Accumulator, state: &mut S) {
        let value = |x: F| {
            let typical = old.estimate(self.steps, x.as_f64()).unwrap_or(0.0);
            F::from_f64(new.after(self.steps, typical))
        };
        if let Some((_, field)) = state.fields_mut().into_iter().find(|(name, _)| *name == new.field) {
            put(field, tensor.mapv(value).into_shared());
        }
    }

    fn report_dropped(&self, restart: Option<RestartReason>, report: &mut Translated) {
        for &(field, _) in &self.tensors {
            if report.carried.iter().any(|&(old, _)| old == field) {
                continue;
            }
            let accumulator = self.accumulators.iter().find(|accumulator| accumulator.field == field);
            let why = match (accumulator.map(|accumulator| accumulator.statistic), restart) {
                (None, _) => DropReason::NotAnAccumulator,
                (Some(Statistic::Update), _) => DropReason::Update,
                (Some(_), Some(why)) => DropReason::Restart(why),
                (Some(_), None) => DropReason::Unused,
            };
            report.dropped.push((field, why));
        }
    }
}

/// Why nothing of the old state can be carried, given what the new rule wants and what there is of it.
fn restart<S: State<F>, F: Real, T>(
    pairs: &[(&Accumulator, Option<T>)],
    state: &mut S,
) -> Option<RestartReason> {
    if state.fields_mut().iter().any(|(_, field)| matches!(field, FieldMut::Number(_))) {
        return Some(RestartReason::Number);
    }
    let lacks_square =
        |(new, old): &(&Accumulator, Option<T>)| new.statistic == Statistic::SquaredGradient && old.is_none();
    pairs.iter().any(lacks_square).then_some(RestartReason::NoMeanSquare)
}

impl fmt::Display for Translation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "state of {} parameters, {} → {}", self.params.len(), self.from, self.to)?;
        for param in &self.params {
            write!(f, "\n{}", param.name)?;
            for (old, new) in &param.carried {
                write!(f, "\n  {old} → {new}")?;
            }
            for (old, why) in &param.dropped {
                write!(f, "\n  {old} dropped: {why}")?;
            }
            for (new, why) in &param.fresh {
                write!(f, "\n  {new} starts anew: {why}")?;
            }
        }
        Ok(())
    }
}
