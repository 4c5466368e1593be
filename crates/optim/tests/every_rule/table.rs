//! The rules and their options, one line each.

use wengert_optim::{AdaGrad, Adadelta, Adam, Adamax, Epsilon, Lion, NAdam, RAdam, Rprop, WeightDecay};

use crate::row::{
    Direction, LARGE_EPS, NEGATIVE, NOT_A_DECAY, Row, Units, fields, gradient, in_units, refused,
};
use Epsilon::{Inside, Outside, Uncorrected};
use WeightDecay::{Decoupled, L2};

pub(crate) const CORRECTED: WeightDecay = WeightDecay::Corrected { lambda: 0.1, max_lr: 0.02 };

impl Row for AdaGrad {
    fields!(eps, maximize, weight_decay);
    in_units!(lr: length, eps: eps, r0: squared_gradient, weight_decay: decay);
    refused!(lr: NEGATIVE, lr_decay: NEGATIVE, r0: NEGATIVE);

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

    fn exact_rates() -> Vec<(Self, Direction)> {
        let with_eps = LARGE_EPS.map(|eps| Self { eps, ..Self::default() });
        let decaying = Self { lr_decay: 0.3, r0: 0.1, ..Self::default() };
        with_eps.into_iter().chain([decaying]).map(|rule| (rule, gradient as Direction)).collect()
    }
}

impl Row for Adadelta {
    const SEES_SCALE: bool = true;

    fields!(eps, maximize, weight_decay);
    refused!(lr: NEGATIVE, rho: NOT_A_DECAY);

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

    /// None: its rate is the ratio of two roots of different age.
    fn exact_rates() -> Vec<(Self, Direction)> {
        Vec::new()
    }

    /// ε is added to the squares of two units.
    fn in_units(&self, _units: Units) -> Option<Self> {
        None
    }
}

impl Row for Adam {
    fields!(eps, maximize, weight_decay);
    in_units!(lr: length, eps: eps, weight_decay: decay);
    refused!(lr: NEGATIVE, beta1: NOT_A_DECAY, beta2: NOT_A_DECAY);

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

    fn exact_rates() -> Vec<(Self, Direction)> {
        let rules = LARGE_EPS.into_iter().flat_map(|eps| {
            let plain = Self { eps, beta1: 0.0, ..Self::default() };
            [plain, Self { beta2: 0.5, amsgrad: true, ..plain }]
        });
        rules.map(|rule| (rule, gradient as Direction)).collect()
    }
}

impl Row for Adamax {
    fields!(eps, maximize, weight_decay);
    in_units!(lr: length, eps: eps_without_root, weight_decay: decay);
    refused!(lr: NEGATIVE, beta1: NOT_A_DECAY, beta2: NOT_A_DECAY);

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

    fn exact_rates() -> Vec<(Self, Direction)> {
        let with_eps = LARGE_EPS.map(|eps| Self { eps, beta1: 0.0, ..Self::default() });
        let forgetful = Self { beta1: 0.0, beta2: 0.5, ..Self::default() };
        with_eps.into_iter().chain([forgetful]).map(|rule| (rule, gradient as Direction)).collect()
    }
}

impl Row for NAdam {
    fields!(eps, maximize, weight_decay);
    in_units!(lr: length, eps: eps, weight_decay: decay);
    refused!(lr: NEGATIVE, beta1: NOT_A_DECAY, beta2: NOT_A_DECAY, momentum_decay: NEGATIVE);

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

    fn exact_rates() -> Vec<(Self, Direction)> {
        LARGE_EPS.map(|eps| (Self { eps, beta1: 0.0, ..Self::default() }, gradient as Direction)).into()
    }
}

impl Row for RAdam {
    const SEES_SCALE: bool = true;

    fields!(eps, maximize, weight_decay);
    refused!(lr: NEGATIVE, beta1: NOT_A_DECAY, beta2: NOT_A_DECAY);

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

    /// Rectified from step 6 on.
    fn exact_rates() -> Vec<(Self, Direction)> {
        LARGE_EPS.map(|eps| (Self { eps, beta1: 0.0, ..Self::default() }, gradient as Direction)).into()
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
    refused!(lr: NEGATIVE, beta1: NOT_A_DECAY, beta2: NOT_A_DECAY);

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

    fn exact_rates() -> Vec<(Self, Direction)> {
        vec![(Self { beta1: 0.0, ..Self::default() }, f64::signum)]
    }
}

impl Row for Rprop {
    fields!(maximize);
    in_units!(lr: length, step_min: length, step_max: length);
    refused!(
        lr: NEGATIVE,
        eta_minus: [0.0, 1.0, f64::NAN],
        eta_plus: [1.0, f64::NAN, f64::INFINITY],
        step_min: NEGATIVE,
        step_max: [1e-7, f64::NAN, f64::INFINITY] // 1e-7 is below the smallest step
    );

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

    fn exact_rates() -> Vec<(Self, Direction)> {
        vec![(Self::default(), f64::signum)]
    }
}
