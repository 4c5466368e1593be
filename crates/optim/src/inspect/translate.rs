use std::fmt;

use wengert_autodiff::{Real, Tensor};

use crate::optimizer::Entry;
use crate::state::{put, steps, tensors};
use crate::{Accumulator, FieldMut, Optimizer, Rule, State, Statistic};

/// What [`Optimizer::translate_from`] did. Its [`Display`](fmt::Display) form is for people and logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The [`Rule::NAME`] of the optimizer that was translated from.
    pub from: &'static str,
    /// The [`Rule::NAME`] of the optimizer that was translated to.
    pub to: &'static str,
    /// The parameters in alphabetical order.
    pub params: Vec<Translated>,
}

/// What became of the state of one parameter in a [`Translation`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translated {
    /// The dotted name.
    pub name: String,
    /// The old field, and the new field that has its meaning.
    pub carried: Vec<(&'static str, &'static str)>,
    /// Old fields that are lost, and why.
    pub dropped: Vec<(&'static str, &'static str)>,
    /// New fields that start as for a new tensor, and why.
    pub fresh: Vec<(&'static str, &'static str)>,
}

impl<R: Rule<F>, F: Real> Optimizer<R, F> {
    /// Takes over the states of an optimizer with another rule as far as they mean the same: the average or sum of gradients, and that
    /// of squared gradients. In the middle of a run, make the new optimizer with its groups and call this.
    ///
    /// What is carried is the typical gradient (or square) that the old average stands for; the new average is given the
    /// value it would have had after as many steps of just that. Where both decay alike this is exact: SGD's buffer is `1 / (1 - μ)` times
    /// Adam's `m` for `μ = β₁`. (SGD's dampening, which spares the first gradient, is taken to have been on from the start.)
    ///
    /// One count of steps serves all averages of a tensor. Without a mean square to carry, a rule that needs one would divide by next to
    /// nothing, so everything starts anew; without a mean gradient only that starts from 0, and its first updates are short. Both
    /// optimizers must agree on `maximize`, and states that this one has under the same names are replaced. Hyper-parameters
    /// and [`steps`](Optimizer::steps), which counts the steps of one optimizer and not those of the run, stay as they are:
    /// add the old count where a schedule is to go on.
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
    pub fn translate_from<S: Rule<F>>(&mut self, source: &Optimizer<S, F>) -> Translation {
        let mut params = Vec::new();
        for (name, entry) in &source.entries {
            let old = Old {
                accumulators: source.rule_for(name).accumulators(),
                tensors: tensors(&entry.state).collect(),
                steps: steps(&entry.state).unwrap_or(0),
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

const NO_SOURCE: &str = "the old rule kept no such average";
const NO_SQUARE: &str = "without a mean square to carry, the count of steps starts anew";
const NUMBER: &str = "the new rule keeps a number that cannot be derived from the old state";

impl<F: Real> Old<F> {
    fn carry<S: State<F>>(&self, wanted: &[Accumulator], state: &mut S) -> Translated {
        let mut report = Translated::default();
        let wanted = wanted.iter().filter(|average| average.statistic != Statistic::Update);
        let pairs: Vec<_> = wanted.map(|new| (new, self.source(new.statistic))).collect();
        let square_missing =
            pairs.iter().any(|(new, old)| new.statistic == Statistic::SquaredGradient && old.is_none());
        let number = state.fields_mut().iter().any(|(_, field)| matches!(field, FieldMut::Number(_)));
        let restart = if number { Some(NUMBER) } else { square_missing.then_some(NO_SQUARE) };
        for (new, old) in pairs {
            match (old, restart) {
                (None, _) => report.fresh.push((new.field, NO_SOURCE)),
                (Some(_), Some(why)) => report.fresh.push((new.field, why)),
                (Some((old, tensor)), None) => {
                    self.convert(old, tensor, new, state);
                    report.carried.push((old.field, new.field));
                }
            }
        }
        if restart.is_none() {
            self.set_steps(state);
        }
        self.report_dropped(restart, &mut report);
        report
    }

    /// The old average of this, if it holds anything.
    fn source(&self, statistic: Statistic) -> Option<(&Accumulator, &Tensor<F>)> {
        let average = self.accumulators.iter().find(|average| average.statistic == statistic)?;
        average.estimate(self.steps, 0.0)?;
        let (_, tensor) = self.tensors.iter().find(|&&(field, _)| field == average.field)?;
        Some((average, tensor))
    }

    fn convert<S: State<F>>(&self, old: &Accumulator, tensor: &Tensor<F>, new: &Accumulator, state: &mut S) {
        let value = |x: F| {
            let typical = old.estimate(self.steps, x.as_f64()).unwrap_or(0.0);
            F::from_f64(new.after(self.steps, typical))
        };
        if let Some((_, slot)) = state.fields_mut().into_iter().find(|(field, _)| *field == new.field) {
            put(slot, tensor.mapv(value).into_shared());
        }
    }

    fn set_steps<S: State<F>>(&self, state: &mut S) {
        for (name, field) in state.fields_mut() {
            if let FieldMut::Count(count) = field
                && name == "steps"
            {
                *count = self.steps;
            }
        }
    }

    fn report_dropped(&self, restart: Option<&'static str>, report: &mut Translated) {
        for &(field, _) in &self.tensors {
            if report.carried.iter().any(|&(old, _)| old == field) {
                continue;
            }
            let average = self.accumulators.iter().find(|average| average.field == field);
            report.dropped.push((
                field,
                match (average.map(|average| average.statistic), restart) {
                    (None, _) => "it is no average, or one that the old rule no longer uses",
                    (Some(Statistic::Update), _) => {
                        "it collects what the old rule made of the gradients, not gradients"
                    }
                    (Some(_), Some(why)) => why,
                    (Some(_), None) => "the new rule, as it is set, keeps no such average",
                },
            ));
        }
    }
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
