use std::collections::BTreeMap;

use serde::Serialize;
use wengert_autodiff::{Gradients, Module, Real, Tensor};

use crate::inspect::Explain;
use crate::inspect::explanation::EpsilonShare;
use crate::inspect::quantiles::Quantiles;
use crate::optimizer::Optimizer;
use crate::rule::Rule;
use crate::state::{Field, State};

/// One tensor's part in a step, shown to the closure of [`Optimizer::step_with`] after it was updated.
#[doc(alias = "Observed")]
#[derive(Debug)]
#[non_exhaustive]
pub struct StepRecord<'a, R: Rule<F>, F: Real = f32> {
    /// The number of the step, from 1: what [`Optimizer::steps`] says after it.
    pub step: u64,
    /// The dotted name of the parameter.
    pub name: &'a str,
    /// The parameter before the step.
    pub before: &'a Tensor<F>,
    /// The parameter after the step.
    pub after: &'a Tensor<F>,
    /// The gradient that `step` was given, without the weight decay that the rule may add.
    pub grad: &'a Tensor<F>,
    /// The state after the step.
    pub state: &'a R::State,
    /// The hyper-parameters.
    pub rule: &'a R,
}

impl<R: Rule<F>, F: Real> StepRecord<'_, R, F> {
    /// The change of the parameter, weight decay included.
    pub fn update(&self) -> Tensor<F> {
        (self.after - self.before).into_shared()
    }

    /// `‖Δp‖ / ‖p‖` with `p` before the step. Infinite where all weights were zero, and NaN where they remained so.
    pub fn update_ratio(&self) -> f64 {
        rms(&self.update()) / rms(self.before)
    }

    /// The step in a few numbers, for a log.
    pub fn summary(&self) -> StepSummary
    where
        R: Explain<F>,
    {
        let state = self.state.fields().into_iter().map(|(field, value)| match value {
            Field::Tensor(tensor) => (field, rms(tensor)),
            Field::Steps(count) | Field::Count(count) => (field, count as f64),
            Field::Number(number) => (field, number),
        });
        let rate = Quantiles::new(&self.rule.effective_lr(self.after, self.state));
        StepSummary {
            step: self.step,
            name: self.name.to_owned(),
            param_rms: rms(self.after),
            grad_rms: rms(self.grad),
            update_rms: rms(&self.update()),
            update_ratio: self.update_ratio(),
            rate_min: rate.min,
            rate_median: rate.median,
            rate_max: rate.max,
            eps_share: EpsilonShare::new(self.rule, self.state).map(|share| share.share()),
            state: state.collect(),
        }
    }
}

/// A step of one tensor in a few numbers. `rms` is the root of the mean square, `√(Σ x² / n)`.
#[doc(alias = "Summary")]
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StepSummary {
    /// The number of the step, from 1.
    pub step: u64,
    /// The dotted name of the parameter.
    pub name: String,
    /// Of the parameter after the step.
    pub param_rms: f64,
    /// Of the gradient.
    pub grad_rms: f64,
    /// Of the change of the parameter.
    pub update_rms: f64,
    /// `‖Δp‖ / ‖p‖` with `p` before the step.
    pub update_ratio: f64,
    /// The smallest effective rate.
    pub rate_min: f64,
    /// The median of the effective rate.
    pub rate_median: f64,
    /// The largest effective rate.
    pub rate_max: f64,
    /// The share of elements where ε exceeds what it is added to; `None` for a rule that divides by no root.
    pub eps_share: Option<f64>,
    /// The state by field: the rms of a tensor; a count or a number itself, such as `clamped`, the centered variances
    /// taken as zero up to now.
    pub state: BTreeMap<&'static str, f64>,
}

impl<R: Rule<F>, F: Real> Optimizer<R, F> {
    /// [`step`](Optimizer::step), and shows every tensor that it updates to `look`. It copies each parameter to know
    /// what it was before. Use it for the steps that are worth it; `step` pays nothing for this.
    ///
    /// ```
    /// # use wengert_autodiff::{Param, Tape};
    /// # use wengert_optim::{Optimizer, RmsProp, inspect::JsonLines};
    /// # let mut model: Param = ndarray::arr1(&[1.0, -2.0]).into();
    /// # let mut opt = Optimizer::new(RmsProp::default());
    /// # let file = Vec::new();
    /// let mut log = JsonLines::new(file);
    /// for step in 0..10 {
    ///     let tape = Tape::new();
    ///     let grads = tape.param(&model).square().sum().backward();
    ///     if step % 5 == 0 {
    ///         opt.step_with(&mut model, &grads, |record| log.write(&record.summary()));
    ///     } else {
    ///         opt.step(&mut model, &grads);
    ///     }
    /// }
    /// let file = log.finish()?;
    /// # assert_eq!(file.iter().filter(|&&byte| byte == b'\n').count(), 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Panics
    ///
    /// As [`step`](Optimizer::step).
    #[track_caller]
    pub fn step_with(
        &mut self,
        model: &mut dyn Module<F>,
        grads: &Gradients<F>,
        mut look: impl FnMut(&StepRecord<'_, R, F>),
    ) {
        self.walk(model, grads, |optimizer, name, param, grad| {
            // A copy of the numbers: a second owner of the array would make the update write elsewhere.
            let before = param.to_owned().into_shared();
            optimizer.update(name, param, grad);
            let (step, rule) = (optimizer.steps + 1, optimizer.groups.rule_for(name));
            let entry = optimizer.entries.get_mut(name).expect("updated above");
            let record =
                StepRecord { step, name, before: &before, after: param, grad, state: &entry.state, rule };
            entry.update_ratio = Some(record.update_ratio());
            look(&record);
        });
    }
}

/// The root of the mean square. For a tensor without elements it is 0; `Iterator::sum` would start from -0.
fn rms<F: Real>(tensor: &Tensor<F>) -> f64 {
    let sum = tensor.iter().fold(0.0, |sum, x| sum + x.as_f64() * x.as_f64());
    (sum / tensor.len().max(1) as f64).sqrt()
}
