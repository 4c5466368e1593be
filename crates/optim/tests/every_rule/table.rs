//! The rules and their options, one line each.

use wengert_optim::{
    AdaGrad, Adadelta, Adam, Adamax, Epsilon, Lion, NAdam, RAdam, RmsProp, Rprop, Sgd, WeightDecay,
};

use Epsilon::{Inside, Outside, Uncorrected};
use WeightDecay::{Corrected, Decoupled, L2};

pub(crate) const DECAYS: [WeightDecay; 4] =
    [WeightDecay::None, L2(0.1), Decoupled(0.1), Corrected { lambda: 0.1, max_lr: 0.02 }];

/// (momentum, nesterov)
const MOMENTA: [(f64, bool); 3] = [(0.0, false), (0.9, false), (0.9, true)];

/// Calls a generic function with the rows of each rule, and is the list of what that returns.
macro_rules! for_every_rule {
    ($check:ident) => {
        [
            $check(&table::sgd()),
            $check(&table::rmsprop()),
            $check(&table::adagrad()),
            $check(&table::adadelta()),
            $check(&table::adam()),
            $check(&table::adamax()),
            $check(&table::nadam()),
            $check(&table::radam()),
            $check(&table::lion()),
            $check(&table::rprop()),
        ]
    };
}
pub(crate) use for_every_rule;

/// All combinations.
pub(crate) fn sgd() -> Vec<Sgd> {
    let mut rules = Vec::new();
    for (momentum, nesterov) in MOMENTA {
        for weight_decay in DECAYS {
            for maximize in [false, true] {
                for dampening in [0.0, 0.5] {
                    if !(nesterov && dampening > 0.0) {
                        rules.push(Sgd { lr: 0.01, momentum, dampening, nesterov, weight_decay, maximize });
                    }
                }
            }
        }
    }
    rules
}

/// All combinations.
pub(crate) fn rmsprop() -> Vec<RmsProp> {
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

pub(crate) fn adagrad() -> Vec<AdaGrad> {
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
        AdaGrad { eps: Inside(1e-3), r0: 0.1, weight_decay: DECAYS[3], maximize: true, ..base },
    ]
}

pub(crate) fn adadelta() -> Vec<Adadelta> {
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

pub(crate) fn adam() -> Vec<Adam> {
    let base = Adam { lr: 0.01, beta1: 0.8, beta2: 0.9, eps: Outside(1e-3), ..Adam::default() };
    vec![
        base,
        Adam { beta1: 0.0, ..base },
        Adam { eps: Inside(1e-3), ..base },
        Adam { eps: Uncorrected(1e-3), ..base },
        Adam { amsgrad: true, ..base },
        Adam { weight_decay: L2(0.1), ..base },
        Adam { weight_decay: Decoupled(0.1), ..base },
        Adam { weight_decay: DECAYS[3], ..base },
        Adam { maximize: true, ..base },
        Adam { lr: 0.01, ..Adam::default() },
        Adam { lr: 0.01, ..Adam::w() },
        Adam { eps: Uncorrected(1e-3), amsgrad: true, weight_decay: L2(0.1), maximize: true, ..base },
    ]
}

pub(crate) fn adamax() -> Vec<Adamax> {
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

pub(crate) fn nadam() -> Vec<NAdam> {
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

pub(crate) fn radam() -> Vec<RAdam> {
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

pub(crate) fn lion() -> Vec<Lion> {
    let base = Lion { lr: 0.01, ..Lion::default() };
    vec![
        base,
        Lion { beta1: 0.5, ..base },
        Lion { weight_decay: L2(0.1), ..base },
        Lion { weight_decay: Decoupled(0.1), ..base },
    ]
}

pub(crate) fn rprop() -> Vec<Rprop> {
    let base = Rprop::default();
    vec![
        base,
        Rprop { eta_minus: 0.7, eta_plus: 1.5, ..base },
        Rprop { step_min: 0.008, step_max: 0.012, ..base },
        Rprop { maximize: true, ..base },
    ]
}
