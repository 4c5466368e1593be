//! RMSProp with one thing wrong, in ten ways, each with the law that must catch it. The example `grade` shows them, a
//! test holds the laws to them.

use std::sync::{Arc, Mutex};

use wengert_autodiff::Tensor;
use wengert_optim::{Epsilon, InvalidHyperparameter, RmsProp, RmsPropState, Rule, WeightDecay};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bug {
    None,
    MissingRoot,
    MisplacedEpsilon,
    UpdateAfterUse,
    SharedState,
    MissingComplement,
    WrongPower,
    MomentumSign,
    DecayTwice,
    WrongStart,
    NoClamp,
}

/// RMSProp written a second time, one element after the other, with one thing wrong.
#[derive(Clone, Debug)]
pub struct Wrong {
    /// What it is meant to be.
    pub hyper: RmsProp,
    /// What it is instead.
    pub bug: Bug,
    /// The `v` of all tensors, of [`Bug::SharedState`].
    pub shared: Arc<Mutex<f64>>,
}

impl Rule<f64> for Wrong {
    const NAME: &'static str = "Wrong";
    type State = RmsPropState<f64>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        Rule::<f64>::validate(&self.hyper)
    }

    fn init(&self, param: &Tensor<f64>) -> RmsPropState<f64> {
        let start = if self.bug == Bug::WrongStart { 1.0 } else { self.hyper.v0 };
        let zeros = || Tensor::zeros(param.raw_dim());
        RmsPropState {
            v: Tensor::from_elem(param.raw_dim(), start),
            m: Some(zeros()),
            buffer: Some(zeros()),
            steps: 0,
            clamped: 0,
        }
    }

    fn update(&self, param: &mut Tensor<f64>, grad: &Tensor<f64>, state: &mut RmsPropState<f64>) {
        state.steps += 1;
        for i in 0..param.len() {
            let (m, buffer) = (state.m.as_mut().unwrap(), state.buffer.as_mut().unwrap());
            let mut of_all = self.shared.lock().unwrap();
            let v = if self.bug == Bug::SharedState { &mut *of_all } else { &mut state.v[i] };
            self.element(state.steps, &mut param[i], grad[i], v, &mut m[i], &mut buffer[i]);
        }
    }
}

impl Wrong {
    fn element(&self, t: u64, p: &mut f64, g: f64, v: &mut f64, m: &mut f64, b: &mut f64) {
        let RmsProp { lr, rho, momentum, .. } = self.hyper;
        let times = if self.bug == Bug::DecayTwice { 2.0 } else { 1.0 };
        let (l2, shrink) = match self.hyper.weight_decay {
            WeightDecay::L2(lambda) => (times * lambda, 0.0),
            WeightDecay::Decoupled(lambda) => (0.0, times * lr * lambda),
            _ => (0.0, 0.0),
        };
        let g = g + l2 * *p;
        let before = *v;
        *v = rho * *v + if self.bug == Bug::MissingComplement { 1.0 } else { 1.0 - rho } * g * g;
        *m = rho * *m + (1.0 - rho) * g;
        let seen = if self.bug == Bug::UpdateAfterUse { before } else { *v };
        let power = if self.bug == Bug::WrongPower { t + 1 } else { t };
        let correct = if self.hyper.bias_correction { 1.0 / (1.0 - rho.powf(power as f64)) } else { 1.0 };
        let variance = match (self.hyper.centered, self.bug) {
            (false, _) => seen,
            (true, Bug::NoClamp) => seen - correct * *m * *m,
            (true, _) => (seen - correct * *m * *m).max(0.0),
        } * correct;
        let inside = matches!(self.hyper.eps, Epsilon::Inside(_)) != (self.bug == Bug::MisplacedEpsilon);
        let eps = self.hyper.eps.value();
        let root = match (self.bug, inside) {
            (Bug::MissingRoot, _) => variance + eps,
            (_, true) => (variance + eps).sqrt(),
            (_, false) => variance.sqrt() + eps,
        };
        *b = if self.bug == Bug::MomentumSign { -momentum } else { momentum } * *b + g / root;
        *p = (1.0 - shrink) * *p - lr * *b;
    }
}

/// Every option that a bug needs, and the law that must catch it.
pub fn cases() -> Vec<(Bug, RmsProp, &'static str)> {
    let plain = RmsProp::default();
    let inside = RmsProp { eps: Epsilon::Inside(1e-8), ..plain };
    let corrected = RmsProp { bias_correction: true, ..plain };
    let momentum = RmsProp { momentum: 0.9, ..plain };
    let decoupled = RmsProp { weight_decay: WeightDecay::Decoupled(0.1), ..plain };
    let l2 = RmsProp { weight_decay: WeightDecay::L2(0.1), ..plain };
    let centered = RmsProp { centered: true, ..plain };
    vec![
        (Bug::MissingRoot, plain, "scale-free"),
        (Bug::MisplacedEpsilon, plain, "epsilon-placement"),
        (Bug::MisplacedEpsilon, inside, "epsilon-placement"),
        (Bug::UpdateAfterUse, plain, "first-step"),
        (Bug::SharedState, plain, "tensors-apart"),
        (Bug::MissingComplement, plain, "constant-gradient"),
        (Bug::WrongPower, corrected, "bias-correction"),
        (Bug::MomentumSign, momentum, "momentum-builds"),
        (Bug::DecayTwice, decoupled, "decay-alone"),
        (Bug::DecayTwice, l2, "decay-alone"),
        (Bug::WrongStart, plain, "first-step"),
        (Bug::NoClamp, centered, "finite"),
    ]
}
