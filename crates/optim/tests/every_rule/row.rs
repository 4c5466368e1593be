//! What the tests must know of a rule beside its arithmetic.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert_optim::inspect::Explain;
use wengert_optim::{Epsilon, WeightDecay};

use Epsilon::{Inside, Outside, Uncorrected};
use WeightDecay::{Corrected, Decoupled, L2};

/// The same problem in other units: the loss `loss` times, the parameters `param` times as large.
#[derive(Clone, Copy)]
pub(crate) struct Units {
    pub(crate) loss: f64,
    pub(crate) param: f64,
}

/// Hyper-parameters in the new unit.
impl Units {
    pub(crate) fn gradient(self) -> f64 {
        self.loss / self.param
    }

    /// What is measured as parameters are.
    pub(crate) fn length(self, x: f64) -> f64 {
        self.param * x
    }

    pub(crate) fn squared_gradient(self, v: f64) -> f64 {
        self.gradient() * self.gradient() * v
    }

    /// Outside the root ε has the unit of a gradient, inside that of a squared gradient.
    pub(crate) fn eps(self, eps: Epsilon) -> Epsilon {
        let g = self.gradient();
        match eps {
            Outside(eps) => Outside(g * eps),
            Inside(eps) => Inside(g * g * eps),
            Uncorrected(eps) => Uncorrected(g * eps),
        }
    }

    /// Where there is no root, ε is a gradient in either place.
    pub(crate) fn eps_without_root(self, eps: Epsilon) -> Epsilon {
        match eps {
            Inside(eps) => Inside(self.gradient() * eps),
            other => self.eps(other),
        }
    }

    /// The decay of a rule whose rate is a length.
    pub(crate) fn decay(self, decay: WeightDecay) -> WeightDecay {
        self.decay_at(decay, self.param)
    }

    /// The decay of a rule whose rate is now `lr` times as large.
    pub(crate) fn decay_at(self, decay: WeightDecay, lr: f64) -> WeightDecay {
        match decay {
            WeightDecay::None => WeightDecay::None,
            L2(lambda) => L2(lambda * self.gradient() / self.param),
            Decoupled(lambda) => Decoupled(lambda / lr),
            Corrected { lambda, max_lr } => Corrected { lambda: lambda / lr, max_lr: max_lr * lr },
        }
    }
}

/// What the gradient makes of the effective rate.
pub(crate) type Direction = fn(f64) -> f64;

pub(crate) fn gradient(g: f64) -> f64 {
    g
}

/// The places of ε, far too large to be overlooked.
pub(crate) const LARGE_EPS: [Epsilon; 3] = [Outside(0.1), Inside(0.1), Uncorrected(0.1)];

/// What a metamorphic test must know of a rule.
#[diagnostic::on_unimplemented(note = "add the rule and its options to tests/every_rule/table.rs")]
pub(crate) trait Row:
    Explain<f64> + Explain<f32> + Copy + Debug + Default + PartialEq + Serialize + DeserializeOwned
{
    /// Whether the scale of the loss matters by itself, not only beside ε and what else has a unit.
    const SEES_SCALE: bool = false;

    /// Its options.
    fn rows() -> Vec<Self>;

    /// With the options that make its state collect most, and the tensors that average or sum gradients or their
    /// squares.
    fn remembering() -> (Self, &'static [&'static str]);

    /// Each number of the rule with values outside its range, and the default with that value in its place. ε and the
    /// decay have theirs by `fields!`.
    fn refused() -> Vec<(&'static str, f64, Self)>;

    /// Options with which every step from zero is the effective rate times a function of the gradient alone, and that
    /// function: [`gradient`] or its sign. Most rules have some without a first moment.
    fn exact_rates() -> Vec<(Self, Direction)>;

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

    /// The rule with another decay, if it has one.
    fn with_decay(&self, _decay: WeightDecay) -> Option<Self> {
        None
    }

    fn without_decay(&self) -> Self {
        self.with_decay(WeightDecay::None).unwrap_or(*self)
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
        fn with_decay(&self, weight_decay: WeightDecay) -> Option<Self> {
            Some(Self { weight_decay, ..*self })
        }
    };
}
pub(crate) use fields;

/// The hyper-parameters that have a unit, and which.
macro_rules! in_units {
    ($($field:ident: $unit:ident),*) => {
        fn in_units(&self, units: Units) -> Option<Self> {
            Some(Self { $($field: units.$unit(self.$field),)* ..*self })
        }
    };
}
pub(crate) use in_units;

/// Outside of "finite and not negative".
pub(crate) const NEGATIVE: [f64; 3] = [-1.0, f64::NAN, f64::INFINITY];

/// Not the decay of an average.
pub(crate) const NOT_A_DECAY: [f64; 4] = [-0.1, 1.0, f64::NAN, f64::INFINITY];

/// The numbers, and what is outside the range of each.
macro_rules! refused {
    ($($field:ident: $values:expr),*) => {
        fn refused() -> Vec<(&'static str, f64, Self)> {
            let mut refused = Vec::new();
            $(for value in $values {
                refused.push((stringify!($field), value, Self { $field: value, ..Self::default() }));
            })*
            refused
        }
    };
}
pub(crate) use refused;
