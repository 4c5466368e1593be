use wengert_autodiff::{IntoTensor, Real, Tensor};
use wengert_optim::Rule;
use wengert_optim::inspect::Explain;

/// A rule at work on one tensor, with its state in sight. A [`Runner`](crate::Runner) is one in a box.
pub(crate) struct Walker<R: Rule<F>, F: Real = f64> {
    pub(crate) rule: R,
    pub(crate) p: Tensor<F>,
    pub(crate) state: R::State,
}

impl<R: Rule<F>, F: Real> Walker<R, F> {
    /// On a tensor that has seen no gradient.
    pub(crate) fn on(rule: R, p: Tensor<F>) -> Self {
        Self { state: rule.init(&p), rule, p }
    }

    /// On a vector.
    pub(crate) fn new(rule: R, start: &[f64]) -> Self {
        Self::on(rule, vector(start))
    }

    pub(crate) fn update(&mut self, grad: &Tensor<F>) {
        self.rule.update(&mut self.p, grad, &mut self.state);
    }

    pub(crate) fn step(&mut self, grad: &[f64]) {
        self.update(&vector(grad));
    }

    /// How far the next update descends, element by element. It starts from 0, so that the difference is exact; without
    /// weight decay an update does not depend on where it starts.
    pub(crate) fn descent(&mut self, grad: &[f64]) -> Vec<f64> {
        self.p.fill(F::ZERO);
        self.step(grad);
        self.p.iter().map(|p| -p.as_f64()).collect()
    }

    /// `η / (√v + ε)` of the first element.
    pub(crate) fn rate(&self) -> f64
    where
        R: Explain<F>,
    {
        self.rule.effective_lr(&self.p, &self.state)[0].as_f64()
    }
}

fn vector<F: Real>(values: &[f64]) -> Tensor<F> {
    values.iter().map(|&x| F::from_f64(x)).collect::<Vec<F>>().into_tensor()
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
