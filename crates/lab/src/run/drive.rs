//! Rules driven by numbers instead of models.

use ndarray::Array1;
use wengert_autodiff::{Real, Tensor};
use wengert_optim::Rule;

/// A rule at work on one vector.
pub(crate) struct Walker<R: Rule<F>, F: Real = f64> {
    pub(crate) rule: R,
    pub(crate) p: Tensor<F>,
    pub(crate) state: R::State,
}

impl<R: Rule<F>, F: Real> Walker<R, F> {
    pub(crate) fn new(rule: R, start: &[f64]) -> Self {
        let p = tensor(start);
        Self { state: rule.init(&p), rule, p }
    }

    pub(crate) fn step(&mut self, grad: &[f64]) {
        self.rule.update(&mut self.p, &tensor(grad), &mut self.state);
    }

    /// How far the next update descends, element by element. It starts from 0, so that the difference is exact; without
    /// weight decay an update does not depend on where it starts.
    pub(crate) fn descent(&mut self, grad: &[f64]) -> Vec<f64> {
        self.p.fill(F::ZERO);
        self.step(grad);
        self.p.iter().map(|p| -p.as_f64()).collect()
    }

    /// `η / (√v + ε)` of the first element.
    pub(crate) fn rate(&self) -> f64 {
        self.rule.effective_lr(&self.p, &self.state)[0].as_f64()
    }
}

fn tensor<F: Real>(values: &[f64]) -> Tensor<F> {
    values.iter().map(|&x| F::from_f64(x)).collect::<Array1<F>>().into_dyn().into_shared()
}

/// How far each step of the rule descends under these gradients of one number.
pub(crate) fn steps<R: Rule<f64>>(rule: R, gradients: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut walker = Walker::new(rule, &[0.0]);
    gradients.into_iter().map(|g| walker.descent(&[g])[0]).collect()
}

/// Where one number is after each step down a loss with this gradient.
pub(crate) fn descend<R: Rule<f64>>(
    rule: R,
    start: f64,
    count: usize,
    gradient: impl Fn(f64) -> f64,
) -> Vec<f64> {
    let mut walker = Walker::new(rule, &[start]);
    let mut next = |_| {
        walker.step(&[gradient(walker.p[0])]);
        walker.p[0]
    };
    (0..count).map(&mut next).collect()
}

/// A formula at the steps from 1 to `count`.
pub(crate) fn formula(count: usize, of: impl Fn(f64) -> f64) -> Vec<f64> {
    (1..=count).map(|t| of(t as f64)).collect()
}

/// The largest relative deviation of the values from what they should be.
pub(crate) fn deviation(values: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(values.len(), expected.len());
    let relative = |(value, expected): (&f64, &f64)| ((value - expected) / expected).abs();
    // Not `f64::max`, which would pass over a NaN.
    values.iter().zip(expected).map(relative).fold(0.0, |a, b| if b <= a { a } else { b })
}

/// How many points of a series a figure can show.
const POINTS: usize = 400;

/// The values over their steps, which count from 1; a long series is thinned out evenly.
pub(crate) fn evenly(values: &[f64]) -> Vec<(f64, f64)> {
    (1..).map(f64::from).zip(values.iter().copied()).step_by(values.len().div_ceil(POINTS).max(1)).collect()
}

/// As [`evenly`], for a log axis: a long series is thinned out to steps in about equal ratios.
pub(crate) fn in_ratios(values: &[f64]) -> Vec<(f64, f64)> {
    let place = |k: usize| (values.len() as f64).powf(k as f64 / (POINTS - 1) as f64).round() as usize;
    let mut steps: Vec<usize> = (0..POINTS).map(place).collect();
    steps.dedup();
    steps.into_iter().filter_map(|t| Some((t as f64, *values.get(t.checked_sub(1)?)?))).collect()
}
