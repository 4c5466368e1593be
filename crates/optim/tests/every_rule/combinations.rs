//! The rules of which every combination of options is tested.

use wengert_optim::{Epsilon, RmsProp, Sgd, WeightDecay};

use crate::row::{
    Direction, LARGE_EPS, NEGATIVE, NOT_A_DECAY, Row, Units, fields, gradient, in_units, refused,
};
use crate::table::CORRECTED;
use Epsilon::{Inside, Outside, Uncorrected};
use WeightDecay::{Decoupled, L2};

const DECAYS: [WeightDecay; 4] = [WeightDecay::None, L2(0.1), Decoupled(0.1), CORRECTED];

/// (momentum, nesterov)
const MOMENTA: [(f64, bool); 3] = [(0.0, false), (0.9, false), (0.9, true)];

impl Row for Sgd {
    const SEES_SCALE: bool = true;

    fields!(maximize, weight_decay);
    refused!(lr: NEGATIVE, momentum: NEGATIVE, dampening: [f64::NAN, f64::INFINITY]);

    /// All combinations.
    fn rows() -> Vec<Self> {
        let mut rules = Vec::new();
        for (momentum, nesterov) in MOMENTA {
            for weight_decay in DECAYS {
                for maximize in [false, true] {
                    for dampening in [0.0, 0.5] {
                        if !(nesterov && dampening > 0.0) {
                            rules.push(Sgd {
                                lr: 0.01,
                                momentum,
                                dampening,
                                nesterov,
                                weight_decay,
                                maximize,
                            });
                        }
                    }
                }
            }
        }
        rules
    }

    fn remembering() -> (Self, &'static [&'static str]) {
        (Self { momentum: 0.9, ..Self::default() }, &["buffer"])
    }

    fn exact_rates() -> Vec<(Self, Direction)> {
        vec![(Self::default(), gradient)]
    }

    fn in_units(&self, units: Units) -> Option<Self> {
        let lr = units.param / units.gradient();
        Some(Self { lr: lr * self.lr, weight_decay: units.decay_at(self.weight_decay, lr), ..*self })
    }

    /// Dampening is one of the momentum.
    fn acts_like(&self, other: &Self) -> bool {
        self.momentum == 0.0 && Self { dampening: self.dampening, ..*other } == *self
    }
}

impl Row for RmsProp {
    fields!(eps, maximize, weight_decay);
    in_units!(lr: length, eps: eps, v0: squared_gradient, weight_decay: decay);
    refused!(lr: NEGATIVE, rho: NOT_A_DECAY, momentum: NEGATIVE, v0: NEGATIVE);

    /// All combinations.
    fn rows() -> Vec<Self> {
        let mut rules = Vec::new();
        for eps in [Outside(1e-3), Inside(1e-3)] {
            for (momentum, nesterov) in MOMENTA {
                for weight_decay in DECAYS {
                    for bits in 0..32 {
                        let bit = |n: u32| bits >> n & 1 == 1;
                        rules.push(RmsProp {
                            lr: 0.01,
                            rho: 0.9,
                            eps,
                            centered: bit(0),
                            momentum,
                            nesterov,
                            lr_in_momentum: bit(1),
                            bias_correction: bit(2),
                            v0: if bit(3) { 1.0 } else { 0.0 },
                            weight_decay,
                            maximize: bit(4),
                        });
                    }
                }
            }
        }
        assert_eq!(rules.len(), 768);
        let base = RmsProp { lr: 0.01, rho: 0.9, ..RmsProp::default() };
        rules.push(RmsProp { eps: Uncorrected(1e-3), bias_correction: true, ..base });
        rules
    }

    fn remembering() -> (Self, &'static [&'static str]) {
        (Self { centered: true, v0: 1.0, ..Self::default() }, &["v", "m"])
    }

    fn exact_rates() -> Vec<(Self, Direction)> {
        let rates = LARGE_EPS.map(|eps| Self { eps, bias_correction: true, ..Self::default() });
        let others = [
            Self { centered: true, bias_correction: true, v0: 0.5, ..Self::default() },
            Self { lr_in_momentum: true, ..Self::default() },
        ];
        rates.into_iter().chain(others).map(|rule| (rule, gradient as Direction)).collect()
    }

    /// After one gradient the corrected variance is zero, and ε alone sets the step.
    fn is_ill_conditioned(&self) -> bool {
        self.centered && self.bias_correction
    }

    fn acts_like(&self, other: &Self) -> bool {
        Self { lr_in_momentum: self.lr_in_momentum, ..*other } == *self
    }
}
