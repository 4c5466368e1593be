use std::fmt;

use serde::Serialize;
use wengert_autodiff::{Real, Tensor};

use crate::inspect::Explain;
use crate::inspect::accumulator::Accumulator;
use crate::inspect::quantiles::Quantiles;
use crate::optimizer::{Entry, Optimizer};
use crate::rules::parts::epsilon::Epsilon;
use crate::state::{Field, State};

/// What an optimizer remembers of one tensor, in numbers; see [`Optimizer::explain`]. Its [`Display`](fmt::Display)
/// form is for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The dotted name of the parameter.
    pub name: String,
    /// The lengths of its axes.
    pub shape: Vec<usize>,
    /// The [`Rule::NAME`](crate::Rule::NAME).
    pub rule: &'static str,
    /// How many gradients the tensor has seen, if the rule counts them.
    pub steps: Option<u64>,
    /// How many steps ago the tensor had its last gradient: 0 if in the last step; `None` if that was before the state
    /// was loaded, transplanted or translated.
    pub idle: Option<u64>,
    /// The tensors of the state, by field.
    pub tensors: Vec<(&'static str, Quantiles)>,
    /// The effective rate, `η / (√v + ε)` where that is the rule.
    pub rate: Quantiles,
    /// The other counts and numbers of the state, by field.
    pub numbers: Vec<(&'static str, f64)>,
    /// What the tensors collect, and with [`Accumulator::length`] how far back.
    pub accumulators: Vec<Accumulator>,
    /// Where ε decides the size of the steps; `None` for a rule that divides by no root.
    #[doc(alias = "floor")]
    pub epsilon_share: Option<EpsilonShare>,
    /// The size of the last update, `‖Δp‖ / ‖p‖` with `p` before it, if it was made by
    /// [`step_with`](Optimizer::step_with). Around 1e-3 is common in training that works.
    pub update_ratio: Option<f64>,
}

/// How many elements have their step decided by ε instead of `v`.
#[doc(alias = "Floor")]
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct EpsilonShare {
    /// ε and its place.
    pub eps: Epsilon,
    /// The elements with `√v < ε` (outside) or `v < ε` (inside), where `v` is what stands under the root: corrected or
    /// centered, if the rule is.
    pub below: usize,
    /// All elements.
    pub elements: usize,
}

impl EpsilonShare {
    pub(crate) fn new<R: Explain<F>, F: Real>(rule: &R, state: &R::State) -> Option<Self> {
        let (v, eps) = rule.second_moment(state)?;
        let below = v.iter().filter(|v| eps.dominates(v.as_f64())).count();
        Some(Self { eps, below, elements: v.len() })
    }

    /// `below / elements`, from 0 to 1.
    pub fn share(&self) -> f64 {
        self.below as f64 / self.elements.max(1) as f64
    }
}

impl<R: Explain<F>, F: Real> Optimizer<R, F> {
    /// What this parameter's direction is multiplied with, element by element, as the state is now; `None` before its
    /// first gradient. See [`Explain::effective_lr`].
    pub fn effective_lr(&self, name: &str) -> Option<Tensor<F>> {
        let entry = self.entries.get(name)?;
        Some(effective_lr(self.rule_for(name), entry))
    }

    /// What is remembered of the parameter of this name, in numbers; `None` before its first gradient. Print it.
    ///
    /// ```
    /// # use wengert_autodiff::{Param, Tape};
    /// # use wengert_optim::{Optimizer, RmsProp};
    /// # let mut weights: Param = ndarray::arr1(&[1.0, -2.0, 0.5]).into();
    /// # let mut opt = Optimizer::new(RmsProp::default());
    /// # let tape = Tape::new();
    /// # let grads = tape.param(&weights).square().sum().backward();
    /// # opt.step_with(&mut weights, &grads, |_| ());
    /// # let name = "";
    /// let explanation = opt.explain(name).unwrap();
    /// println!("{explanation}");
    /// assert_eq!(explanation.epsilon_share.unwrap().below, 0); // no element's rate is decided by ε
    /// ```
    pub fn explain(&self, name: &str) -> Option<Explanation> {
        let entry = self.entries.get(name)?;
        let (rule, fields) = (self.rule_for(name), entry.state.fields());
        let tensor = |&(name, field): &(_, Field<'_, F>)| match field {
            Field::Tensor(tensor) => Some((name, Quantiles::new(tensor))),
            _ => None,
        };
        let number = |&(name, field): &(_, Field<'_, F>)| match field {
            Field::Tensor(_) | Field::Steps(_) => None,
            Field::Count(count) => Some((name, count as f64)),
            Field::Number(number) => Some((name, number)),
        };
        Some(Explanation {
            name: name.to_owned(),
            shape: entry.shape.clone(),
            rule: R::NAME,
            steps: entry.state.steps(),
            idle: (entry.last_step > 0).then(|| self.steps.saturating_sub(entry.last_step)),
            tensors: fields.iter().filter_map(tensor).collect(),
            rate: Quantiles::new(&effective_lr(rule, entry)),
            numbers: fields.iter().filter_map(number).collect(),
            accumulators: rule.accumulators(),
            epsilon_share: EpsilonShare::new(rule, &entry.state),
            update_ratio: entry.update_ratio,
        })
    }
}

/// The rate depends on the parameter's shape only, so that any tensor of the shape will do.
fn effective_lr<R: Explain<F>, F: Real>(rule: &R, entry: &Entry<R::State>) -> Tensor<F> {
    rule.effective_lr(&Tensor::zeros(entry.shape.clone()), &entry.state)
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}, {}", self.name, self.shape, self.rule)?;
        if let Some(steps) = self.steps {
            write!(f, " after {steps} gradient{}", if steps == 1 { "" } else { "s" })?;
        }
        match self.idle {
            None => writeln!(f, ", none since its state was taken over")?,
            Some(0) => writeln!(f)?,
            Some(idle) => writeln!(f, ", none in the last {idle} steps")?,
        }
        writeln!(f, "  {:14}{:>11}{:>11}{:>11}{:>11}{:>11}", "", "min", "5 %", "median", "95 %", "max")?;
        for (name, quantiles) in &self.tensors {
            row(f, name, quantiles)?;
        }
        row(f, "effective rate", &self.rate)?;
        for (name, number) in &self.numbers {
            writeln!(f, "  {name}: {number}")?;
        }
        for accumulator in &self.accumulators {
            let Accumulator { field, decay, .. } = accumulator;
            match accumulator.length() {
                f64::INFINITY => writeln!(f, "  {field} remembers every step")?,
                length => writeln!(f, "  {field} remembers about {length:.0} steps (decay {decay})")?,
            }
        }
        if let Some(share) = &self.epsilon_share {
            writeln!(f, "  {share}")?;
        }
        match self.update_ratio {
            Some(ratio) => writeln!(f, "  the last update was {} of the weights (‖Δp‖ / ‖p‖)", short(ratio)),
            None => writeln!(f, "  the last update was not measured (`step_with` does it)"),
        }
    }
}

impl fmt::Display for EpsilonShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, exceeded) = match self.eps {
            Epsilon::Outside(_) | Epsilon::Uncorrected(_) => ("outside", "√v"),
            Epsilon::Inside(_) => ("inside", "v"),
        };
        let (eps, below, elements, percent) =
            (self.eps.value(), self.below, self.elements, 100.0 * self.share());
        write!(
            f,
            "ε = {eps:e} {place} the root exceeds {exceeded} in {below} of {elements} elements ({percent:.1} %)"
        )
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, quantiles: &Quantiles) -> fmt::Result {
    write!(f, "  {name:14}")?;
    for value in quantiles.as_array() {
        write!(f, "{:>11}", short(value))?;
    }
    match quantiles.not_finite {
        0 => writeln!(f),
        count => writeln!(f, "  and {count} not finite"),
    }
}

/// Four digits; plain where that is short.
fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        1e-3..1e4 => {
            let digits = 3 - value.abs().log10().floor() as i32;
            format!("{value:.*}", digits.max(0) as usize)
        }
        _ => format!("{value:.3e}"),
    }
}
