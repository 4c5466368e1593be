//! What the tests must know of a rule beside its arithmetic.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert_optim::{
    AdaGrad, Adadelta, Adam, Adamax, Epsilon, Lion, NAdam, RAdam, RmsProp, Rprop, Rule, Sgd, WeightDecay,
};

use Epsilon::{Inside, Outside, Uncorrected};
use WeightDecay::{Corrected, Decoupled, L2};

/// The same problem in other units: the loss `loss` times, the parameters `param` times as large.
#[derive(Clone, Copy)]
pub(crate) struct Units {
    pub(crate) loss: f64,
    pub(crate) param: f64,
}

impl Units {
    pub(crate) fn gradient(self) -> f64 {
        self.loss / self.param
    }

    /// Outside the root ε has the unit of a gradient, inside that of a squared gradient.
    fn eps(self, eps: Epsilon) -> Epsilon {
        let g = self.gradient();
        match eps {
            Outside(eps) => Outside(g * eps),
            Inside(eps) => Inside(g * g * eps),
            Uncorrected(eps) => Uncorrected(g * eps),
        }
    }

    fn squared_gradient(self, v: f64) -> f64 {
        self.gradient() * self.gradient() * v
    }

    /// The decay of a rule whose rate is now `lr` times as large.
    fn decay(self, decay: WeightDecay, lr: f64) -> WeightDecay {
        match decay {
            WeightDecay::None => WeightDecay::None,
            L2(lambda) => L2(lambda * self.gradient() / self.param),
            Decoupled(lambda) => Decoupled(lambda / lr),
            Corrected { lambda, max_lr } => Corrected { lambda: lambda / lr, max_lr: max_lr * lr },
        }
    }
}

/// What a metamorphic test must know of a rule.
pub(crate) trait Row:
    Rule<f64> + Rule<f32> + Copy + Debug + PartialEq + Serialize + DeserializeOwned
{
    /// The rule that does the same in other units, if there is one.
    fn in_units(&self, units: Units) -> Option<Self>;

    /// The rule with another ε, if it has one.
    fn with_eps(&self, _eps: Epsilon) -> Option<Self> {
        None
    }

    /// The rule that climbs where this one descends, if it can.
    fn turned_round(&self) -> Option<Self> {
        None
    }

    fn without_decay(&self) -> Self {
        *self
    }

    /// Whether the variance is the difference of two numbers, so that rounding alone can decide it.
    fn is_ill_conditioned(&self) -> bool {
        false
    }

    /// Whether it acts as `other` does at a constant rate.
    fn acts_like(&self, other: &Self) -> bool {
        self == other
    }
}

/// The methods that only look at whether there is a field.
macro_rules! fields {
    ($($field:ident),*) => {
        $(fields!(@$field);)*
    };
    (@eps) => {
        fn with_eps(&self, eps: Epsilon) -> Option<Self> {
            Some(Self { eps, ..*self })
        }
    };
    (@maximize) => {
        fn turned_round(&self) -> Option<Self> {
            Some(Self { maximize: !self.maximize, ..*self })
        }
    };
    (@weight_decay) => {
        fn without_decay(&self) -> Self {
            Self { weight_decay: WeightDecay::None, ..*self }
        }
    };
}

impl Row for Sgd {
    fields!(maximize, weight_decay);

    fn in_units(&self, u: Units) -> Option<Self> {
        let lr = u.param / u.gradient();
        Some(Self { lr: lr * self.lr, weight_decay: u.decay(self.weight_decay, lr), ..*self })
    }

    /// Dampening is one of the momentum.
    fn acts_like(&self, other: &Self) -> bool {
        self.momentum == 0.0 && Self { dampening: self.dampening, ..*other } == *self
    }
}

impl Row for RmsProp {
    fields!(eps, maximize, weight_decay);

    fn in_units(&self, u: Units) -> Option<Self> {
        Some(Self {
            lr: u.param * self.lr,
            eps: u.eps(self.eps),
            v0: u.squared_gradient(self.v0),
            weight_decay: u.decay(self.weight_decay, u.param),
            ..*self
        })
    }

    /// After one gradient the corrected variance is zero, and ε alone sets the step.
    fn is_ill_conditioned(&self) -> bool {
        self.centered && self.bias_correction
    }

    fn acts_like(&self, other: &Self) -> bool {
        Self { lr_in_momentum: self.lr_in_momentum, ..*other } == *self
    }
}

impl Row for AdaGrad {
    fields!(eps, maximize, weight_decay);

    fn in_units(&self, u: Units) -> Option<Self> {
        Some(Self {
            lr: u.param * self.lr,
            eps: u.eps(self.eps),
            r0: u.squared_gradient(self.r0),
            weight_decay: u.decay(self.weight_decay, u.param),
            ..*self
        })
    }
}

/// ε is added to the squares of two units.
impl Row for Adadelta {
    fields!(eps, maximize, weight_decay);

    fn in_units(&self, _u: Units) -> Option<Self> {
        None
    }
}

impl Row for Adam {
    fields!(eps, maximize, weight_decay);

    fn in_units(&self, u: Units) -> Option<Self> {
        Some(Self {
            lr: u.param * self.lr,
            eps: u.eps(self.eps),
            weight_decay: u.decay(self.weight_decay, u.param),
            ..*self
        })
    }
}

impl Row for Adamax {
    fields!(eps, maximize, weight_decay);

    fn in_units(&self, u: Units) -> Option<Self> {
        // There is no root: ε is a gradient in either place.
        let eps = match self.eps {
            Inside(eps) => Inside(u.gradient() * eps),
            other => u.eps(other),
        };
        Some(Self { lr: u.param * self.lr, eps, weight_decay: u.decay(self.weight_decay, u.param), ..*self })
    }
}

impl Row for NAdam {
    fields!(eps, maximize, weight_decay);

    fn in_units(&self, u: Units) -> Option<Self> {
        Some(Self {
            lr: u.param * self.lr,
            eps: u.eps(self.eps),
            weight_decay: u.decay(self.weight_decay, u.param),
            ..*self
        })
    }
}

impl Row for RAdam {
    fields!(eps, maximize, weight_decay);

    fn in_units(&self, u: Units) -> Option<Self> {
        // Its first steps need another unit of η than the rectified ones; never rectified, it is momentum.
        let lr = u.param / u.gradient();
        let never_rectified = self.beta2 <= 0.6;
        never_rectified.then(|| Self {
            lr: lr * self.lr,
            weight_decay: u.decay(self.weight_decay, lr),
            ..*self
        })
    }
}

impl Row for Lion {
    fields!(weight_decay);

    fn in_units(&self, u: Units) -> Option<Self> {
        Some(Self { lr: u.param * self.lr, weight_decay: u.decay(self.weight_decay, u.param), ..*self })
    }
}

impl Row for Rprop {
    fields!(maximize);

    fn in_units(&self, u: Units) -> Option<Self> {
        let [lr, step_min, step_max] = [self.lr, self.step_min, self.step_max].map(|step| u.param * step);
        Some(Self { lr, step_min, step_max, ..*self })
    }
}
