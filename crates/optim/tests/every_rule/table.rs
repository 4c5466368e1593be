//! The rules and their options, one line each.

use wengert_optim::{
    AdaGrad, Adadelta, Adam, Adamax, Epsilon, Lion, NAdam, RAdam, RmsProp, Rprop, Sgd, WeightDecay,
};

use crate::row::{Row, Units, fields, in_units};
use Epsilon::{Inside, Outside, Uncorrected};
use WeightDecay::{Decoupled, L2};

const CORRECTED: WeightDecay = WeightDecay::Corrected { lambda: 0.1, max_lr: 0.02 };

const DECAYS: [WeightDecay; 4] = [WeightDecay::None, L2(0.1), Decoupled(0.1), CORRECTED];

/// (momentum, nesterov)
const MOMENTA: [(f64, bool); 3] = [(0.0, false), (0.9, false), (0.9, true)];

impl Row for Sgd {
    const SEES_SCALE: bool = true;

    fields!(maximize, weight_decay);

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
    in_units!(lr: length, eps: eps, r0: squared_gradient, weight_decay: decay);

    fn rows() -> Vec<Self> {
        let base = AdaGrad { lr: 0.01, eps: Outside(1e-3), ..AdaGrad::default() };
        vec![
            base,
            AdaGrad { eps: Inside(1e-3), ..base },
            AdaGrad { lr_decay: 0.1, ..base },
            AdaGrad { r0: 0.1, ..base },
            AdaGrad { weight_decay: L2(0.1), ..base },
            AdaGrad { weight_decay: Decoupled(0.1), ..base },
            AdaGrad { lr_decay: 0.1, weight_decay: Decoupled(0.1), ..base },
            AdaGrad { maximize: true, ..base },
            AdaGrad { eps: Inside(1e-3), r0: 0.1, weight_decay: CORRECTED, maximize: true, ..base },
        ]
    }

    fn remembering() -> (Self, &'static [&'static str]) {
        (Self { r0: 0.1, ..Self::default() }, &["r"])
    }
}

impl Row for Adadelta {
    const SEES_SCALE: bool = true;

    fields!(eps, maximize, weight_decay);

    fn rows() -> Vec<Self> {
        let base = Adadelta { lr: 0.1, eps: Inside(1e-3), ..Adadelta::default() };
        vec![
            base,
            Adadelta { eps: Outside(1e-3), ..base },
            Adadelta { weight_decay: L2(0.1), ..base },
            Adadelta { weight_decay: Decoupled(0.1), ..base },
            Adadelta { maximize: true, ..base },
            Adadelta { eps: Outside(1e-3), weight_decay: L2(0.1), maximize: true, ..base },
        ]
    }

    fn remembering() -> (Self, &'static [&'static str]) {
        (Self::default(), &["v"])
    }

    /// ε is added to the squares of two units.
    fn in_units(&self, _units: Units) -> Option<Self> {
        None
    }
}

impl Row for Adam {
    fields!(eps, maximize, weight_decay);
    in_units!(lr: length, eps: eps, weight_decay: decay);

    fn rows() -> Vec<Self> {
        let base = Adam { lr: 0.01, beta1: 0.8, beta2: 0.9, eps: Outside(1e-3), ..Adam::default() };
        vec![
            base,
            Adam { beta1: 0.0, ..base },
            Adam { eps: Inside(1e-3), ..base },
            Adam { eps: Uncorrected(1e-3), ..base },
            Adam { amsgrad: true, ..base },
            Adam { weight_decay: L2(0.1), ..base },
            Adam { weight_decay: Decoupled(0.1), ..base },
            Adam { weight_decay: CORRECTED, ..base },
            Adam { maximize: true, ..base },
            Adam { lr: 0.01, ..Adam::default() },
            Adam { lr: 0.01, ..Adam::w() },
            Adam { eps: Uncorrected(1e-3), amsgrad: true, weight_decay: L2(0.1), maximize: true, ..base },
        ]
    }

    fn remembering() -> (Self, &'static [&'static str]) {
        (Self::default(), &["m", "v"])
    }
}

impl Row for Adamax {
    fields!(eps, maximize, weight_decay);
    in_units!(lr: length, eps: eps_without_root, weight_decay: decay);

    fn rows() -> Vec<Self> {
        let base = Adamax { lr: 0.01, beta1: 0.8, beta2: 0.9, eps: Inside(1e-3), ..Adamax::default() };
        vec![
            base,
            Adamax { eps: Outside(1e-3), ..base },
            Adamax { weight_decay: L2(0.1), ..base },
            Adamax { weight_decay: Decoupled(0.1), ..base },
            Adamax { maximize: true, ..base },
            Adamax { eps: Outside(1e-3), weight_decay: L2(0.1), maximize: true, ..base },
        ]
    }

    fn remembering() -> (Self, &'static [&'static str]) {
        (Self::default(), &["m"])
    }
}

impl Row for NAdam {
    fields!(eps, maximize, weight_decay);
    in_units!(lr: length, eps: eps, weight_decay: decay);

    fn rows() -> Vec<Self> {
        let base = NAdam { lr: 0.01, beta1: 0.8, beta2: 0.9, eps: Outside(1e-3), ..NAdam::default() };
        vec![
            base,
            NAdam { eps: Inside(1e-3), ..base },
            NAdam { eps: Uncorrected(1e-3), ..base },
            NAdam { momentum_decay: 0.5, ..base },
            NAdam { weight_decay: L2(0.1), ..base },
            NAdam { weight_decay: Decoupled(0.1), ..base },
            NAdam { maximize: true, ..base },
        ]
    }

    fn remembering() -> (Self, &'static [&'static str]) {
        (Self::default(), &["m", "v"])
    }
}

impl Row for RAdam {
    const SEES_SCALE: bool = true;

    fields!(eps, maximize, weight_decay);

    fn rows() -> Vec<Self> {
        let base = RAdam { lr: 0.01, beta1: 0.8, beta2: 0.9, eps: Uncorrected(1e-3), ..RAdam::default() };
        vec![
            base,
            RAdam { eps: Outside(1e-3), ..base },
            RAdam { eps: Inside(1e-3), ..base },
            RAdam { beta2: 0.5, ..base }, // never rectified
            RAdam { weight_decay: L2(0.1), ..base },
            RAdam { weight_decay: Decoupled(0.1), ..base },
            RAdam { maximize: true, ..base },
        ]
    }

    fn remembering() -> (Self, &'static [&'static str]) {
        (Self::default(), &["m", "v"])
    }

    /// Its first steps need another unit of η than the rectified ones; never rectified, it is momentum.
    fn in_units(&self, units: Units) -> Option<Self> {
        let lr = units.param / units.gradient();
        let weight_decay = units.decay_at(self.weight_decay, lr);
        (self.beta2 <= 0.6).then_some(Self { lr: lr * self.lr, weight_decay, ..*self })
    }
}

impl Row for Lion {
    fields!(weight_decay);
    in_units!(lr: length, weight_decay: decay);

    fn rows() -> Vec<Self> {
        let base = Lion { lr: 0.01, ..Lion::default() };
        vec![
            base,
            Lion { beta1: 0.5, ..base },
            Lion { weight_decay: L2(0.1), ..base },
            Lion { weight_decay: Decoupled(0.1), ..base },
        ]
    }

    fn remembering() -> (Self, &'static [&'static str]) {
        (Self::default(), &["m"])
    }
}

impl Row for Rprop {
    fields!(maximize);
    in_units!(lr: length, step_min: length, step_max: length);

    fn rows() -> Vec<Self> {
        let base = Rprop::default();
        vec![
            base,
            Rprop { eta_minus: 0.7, eta_plus: 1.5, ..base },
            Rprop { step_min: 0.008, step_max: 0.012, ..base },
            Rprop { maximize: true, ..base },
        ]
    }

    fn remembering() -> (Self, &'static [&'static str]) {
        (Self::default(), &[])
    }
}
