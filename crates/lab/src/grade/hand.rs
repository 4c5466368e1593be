//! What the papers' formulas are made of, for one number, and what a hand that writes them down gets wrong.

use wengert_optim::{Epsilon, WeightDecay};

/// What went wrong in the writing, beside hyper-parameters that are another's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Slip {
    None,
    Climbs,
    StaleMean,
    StaleSquare,
    NoComplement,
    SwappedWeights,
    Forgets(f64),
    Unsquared,
    SquaresMean,
    NoRoot,
    RootTwice,
    NoDivision,
    NoEpsilon,
    EpsilonSquared,
    CountsFromTwo,
    CountsFromZero,
    MeanUncorrected,
    SquareUncorrected,
    Uncorrected,
    CorrectionInverted,
    DecayAfterStep,
    NoSign,
    SignOfZero,
    FirstGradientLost,
}

/// One element and what a rule remembers of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cell {
    pub p: f64,
    pub m: f64,
    pub v: f64,
    pub buffer: f64,
    pub most: f64,
}

impl Slip {
    /// The gradient to go down, with L2 decay.
    pub(super) fn gradient(self, maximize: bool, decay: WeightDecay, p: f64, g: f64) -> f64 {
        let lambda = if let WeightDecay::L2(lambda) = decay { lambda } else { 0.0 };
        if maximize { lambda * p - g } else { lambda * p + g }
    }

    /// `a ← ρ a + (1 - ρ) x`; what the step sees of it.
    pub(super) fn average(self, stale: Self, a: &mut f64, rho: f64, x: f64) -> f64 {
        let (before, fresh) = (*a, 1.0 - rho);
        *a = match self {
            Self::NoComplement => rho * *a + x,
            Self::SwappedWeights => fresh * *a + rho * x,
            _ => rho * *a + fresh * x,
        };
        if self == stale { before } else { *a }
    }

    /// What goes into an average of squares.
    pub(super) fn square(self, g: f64, m: f64) -> f64 {
        match self {
            Self::Unsquared => g.abs(),
            Self::SquaresMean => m * m,
            _ => g * g,
        }
    }

    /// `1 / (1 - ρᵗ)`
    pub(super) fn correction(self, rho: f64, t: f64) -> f64 {
        let correction = |t| 1.0 / (1.0 - f64::powf(rho, t));
        match self {
            Self::CountsFromTwo => correction(t + 1.0),
            Self::CountsFromZero => correction(t - 1.0),
            Self::CorrectionInverted => 1.0 - rho.powf(t),
            Self::Uncorrected => 1.0,
            _ => correction(t),
        }
    }

    /// What the step is divided by, if this correction multiplies `v`.
    pub(super) fn root(self, eps: Epsilon, v: f64, correction: f64) -> f64 {
        let (corrected, value) = (correction * v, eps.value());
        match (self, eps) {
            (Self::NoRoot, _) => corrected + value,
            (Self::RootTwice, _) => corrected.sqrt().sqrt() + value,
            (Self::NoDivision, _) => 1.0,
            (Self::NoEpsilon, _) => corrected.sqrt(),
            (Self::EpsilonSquared, _) => (corrected + value * value).sqrt(),
            (_, Epsilon::Outside(_)) => corrected.sqrt() + value,
            (_, Epsilon::Inside(_)) => (corrected + value).sqrt(),
            (_, Epsilon::Uncorrected(_)) => corrected.sqrt() + value * correction.sqrt(),
        }
    }

    /// `b ← μ b + w u`; what the step sees of it.
    pub(super) fn momentum(self, (mu, nesterov): (f64, bool), buffer: &mut f64, weight: f64, u: f64) -> f64 {
        *buffer = mu * *buffer + weight * u;
        match (mu == 0.0, nesterov) {
            (true, _) => u,
            (_, false) => *buffer,
            (_, true) => u + mu * *buffer,
        }
    }

    /// `p ← p - step`, with decoupled decay.
    pub(super) fn descend(self, decay: WeightDecay, lr: f64, p: &mut f64, step: f64) {
        let keep = match decay {
            WeightDecay::None | WeightDecay::L2(_) => 1.0,
            WeightDecay::Decoupled(lambda) => 1.0 - lr * lambda,
            WeightDecay::Corrected { lambda, max_lr } => 1.0 - lr * lr / max_lr * lambda,
        };
        *p = match self {
            Self::Climbs => keep * *p + step,
            Self::DecayAfterStep => keep * (*p - step),
            _ => keep * *p - step,
        };
    }
}
