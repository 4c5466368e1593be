//! The papers' formulas, written a second time and for one number, so that a rule is not compared with ours.

use wengert_optim::{AdaGrad, Adam, Lion, RmsProp, Rule, Sgd};

use super::hand::{Cell, Slip};
use super::mistakes::{self, Mistake, decays, epsilons, hyper, rates};
use super::{LawFinding, claims};

/// What a rule can be meant to be, for [`grade_as`](crate::grade_as) and [`grade_port`](crate::grade_port): one of the
/// rules that stand here as scalar arithmetic too, with its hyper-parameters. It cannot be implemented elsewhere.
pub trait Paper: Rule<f64> + Copy {
    /// An element without a past.
    #[doc(hidden)]
    fn cell(&self, p: f64) -> Cell {
        Cell { p, ..Cell::default() }
    }

    /// What the `t`-th gradient of an element does, counted from 1.
    #[doc(hidden)]
    fn step(&self, slip: Slip, t: f64, g: f64, cell: &mut Cell);

    /// What is known to go wrong in ports of it.
    #[doc(hidden)]
    fn mistakes(&self) -> Vec<Mistake<Self>>;

    /// The same with one hyper-parameter changed, under that one's name. The rate comes first.
    #[doc(hidden)]
    fn variations(&self) -> Vec<(&'static str, Self)>;

    /// Closed forms, beside the trajectories.
    #[doc(hidden)]
    fn claims<R: Rule<f64>>(&self, _rule: &R) -> Vec<LawFinding> {
        Vec::new()
    }
}

impl Paper for RmsProp {
    fn cell(&self, p: f64) -> Cell {
        Cell { p, v: self.v0, ..Cell::default() }
    }

    fn step(&self, slip: Slip, t: f64, g: f64, cell: &mut Cell) {
        let Cell { p, m, v, buffer, .. } = cell;
        let g = slip.gradient(self.maximize, self.weight_decay, *p, g);
        let correction = if self.bias_correction { slip.correction(self.rho, t) } else { 1.0 };
        let v = slip.average(Slip::StaleSquare, v, self.rho, slip.square(g, *m));
        let m = slip.average(Slip::StaleMean, m, self.rho, g);
        let v = if self.centered { (v - correction * m * m).max(0.0) } else { v };
        let u = g / slip.root(self.eps, v, correction);
        let (inside, outside) = if self.lr_in_momentum { (self.lr, 1.0) } else { (1.0, self.lr) };
        let b = slip.momentum((self.momentum, self.nesterov), buffer, 1.0, inside * u);
        slip.descend(self.weight_decay, self.lr, p, outside * b);
    }

    fn mistakes(&self) -> Vec<Mistake<Self>> {
        let &Self { rho, momentum, .. } = self;
        let mut all = mistakes::slips(self, mistakes::AVERAGES);
        all.extend(rates(self, self.lr, |meant, lr| Self { lr, ..meant }));
        all.extend(epsilons(self, self.eps, |meant, eps| Self { eps, ..meant }));
        let decay = (self.weight_decay, self.lr);
        all.extend(decays(self, decay, |meant, weight_decay| Self { weight_decay, ..meant }));
        all.extend(hyper([
            ("ρ and 1 - ρ have changed places", Self { rho: 1.0 - rho, ..*self }),
            ("v forgets everything but the newest g²", Self { rho: 0.0, ..*self }),
            ("the momentum is missing", Self { momentum: 0.0, ..*self }),
            ("the momentum has the wrong sign", Self { momentum: -momentum, ..*self }),
            ("Nesterov's look ahead is missing", Self { nesterov: false, ..*self }),
            ("it looks ahead as Nesterov does", Self { nesterov: true, ..*self }),
            ("the bias correction is missing", Self { bias_correction: false, ..*self }),
            ("it has a bias correction", Self { bias_correction: true, ..*self }),
            ("m² is not subtracted from v", Self { centered: false, ..*self }),
            ("m² is subtracted from v", Self { centered: true, ..*self }),
            ("v starts from 0", Self { v0: 0.0, ..*self }),
            ("v starts from 1", Self { v0: 1.0, ..*self }),
            ("the rate stands on the other side of the buffer", {
                Self { lr_in_momentum: !self.lr_in_momentum, ..*self }
            }),
            ("the sign of the gradient is wrong", Self { maximize: !self.maximize, ..*self }),
        ]));
        all
    }

    fn variations(&self) -> Vec<(&'static str, Self)> {
        let &Self { lr, rho, momentum, v0, .. } = self;
        let mut all = vec![
            ("lr", Self { lr: 0.3 * lr, ..*self }),
            ("rho", Self { rho: 0.7 * rho, ..*self }),
            ("eps", Self { eps: mistakes::with_value(self.eps, 100.0 * self.eps.value()), ..*self }),
        ];
        let weight_decay = mistakes::stronger(self.weight_decay);
        all.extend(weight_decay.map(|weight_decay| ("weight_decay", Self { weight_decay, ..*self })));
        all.extend((momentum > 0.0).then_some(("momentum", Self { momentum: 0.7 * momentum, ..*self })));
        all.extend((v0 > 0.0).then_some(("v0", Self { v0: 2.0 * v0, ..*self })));
        all
    }

    fn claims<R: Rule<f64>>(&self, rule: &R) -> Vec<LawFinding> {
        claims::all(rule, self)
    }
}

impl Paper for Sgd {
    fn step(&self, slip: Slip, t: f64, g: f64, cell: &mut Cell) {
        let Cell { p, buffer, .. } = cell;
        let g = slip.gradient(self.maximize, self.weight_decay, *p, g);
        let weight = if t == 1.0 && slip != Slip::FirstGradientLost { 1.0 } else { 1.0 - self.dampening };
        let b = slip.momentum((self.momentum, self.nesterov), buffer, weight, g);
        slip.descend(self.weight_decay, self.lr, p, self.lr * b);
    }

    fn mistakes(&self) -> Vec<Mistake<Self>> {
        let &Self { momentum, .. } = self;
        let mut all = mistakes::slips(self, mistakes::STEP);
        all.push(("the first gradient is dampened too", *self, Slip::FirstGradientLost));
        let average = Self { dampening: momentum, ..*self };
        all.push(("the buffer is an average, μ b + (1 - μ) g", average, Slip::FirstGradientLost));
        all.extend(rates(self, self.lr, |meant, lr| Self { lr, ..meant }));
        let decay = (self.weight_decay, self.lr);
        all.extend(decays(self, decay, |meant, weight_decay| Self { weight_decay, ..meant }));
        all.extend(hyper([
            ("the momentum is missing: there is no buffer", Self { momentum: 0.0, ..*self }),
            ("the momentum has the wrong sign", Self { momentum: -momentum, ..*self }),
            ("the buffer never fades: μ is missing", Self { momentum: 1.0, ..*self }),
            ("the gradient is weighed with 1 - μ", average),
            ("Nesterov's look ahead is missing", Self { nesterov: false, ..*self }),
            ("it looks ahead as Nesterov does", Self { nesterov: true, ..*self }),
            ("the dampening is missing", Self { dampening: 0.0, ..*self }),
            ("the sign of the gradient is wrong", Self { maximize: !self.maximize, ..*self }),
        ]));
        all
    }

    fn variations(&self) -> Vec<(&'static str, Self)> {
        let &Self { lr, momentum, dampening, .. } = self;
        let mut all = vec![("lr", Self { lr: 0.3 * lr, ..*self })];
        let weight_decay = mistakes::stronger(self.weight_decay);
        all.extend(weight_decay.map(|weight_decay| ("weight_decay", Self { weight_decay, ..*self })));
        all.extend((momentum > 0.0).then_some(("momentum", Self { momentum: 0.7 * momentum, ..*self })));
        let dampened = momentum > 0.0 && dampening > 0.0;
        all.extend(dampened.then_some(("dampening", Self { dampening: 0.7 * dampening, ..*self })));
        all
    }
}

impl Paper for AdaGrad {
    fn cell(&self, p: f64) -> Cell {
        Cell { p, v: self.r0, ..Cell::default() }
    }

    fn step(&self, slip: Slip, t: f64, g: f64, cell: &mut Cell) {
        let Cell { p, v: r, .. } = cell;
        let g = slip.gradient(self.maximize, self.weight_decay, *p, g);
        let before = *r;
        *r = match slip {
            Slip::Forgets(rho) => rho * *r + (1.0 - rho) * g * g,
            _ => *r + slip.square(g, 0.0),
        };
        let seen = if slip == Slip::StaleSquare { before } else { *r };
        let t = if slip == Slip::CountsFromTwo { t + 1.0 } else { t };
        let lr = self.lr / (1.0 + (t - 1.0) * self.lr_decay);
        slip.descend(self.weight_decay, lr, p, lr * g / slip.root(self.eps, seen, 1.0));
    }

    fn mistakes(&self) -> Vec<Mistake<Self>> {
        let mut all = mistakes::slips(self, mistakes::SUM);
        all.extend(rates(self, self.lr, |meant, lr| Self { lr, ..meant }));
        all.extend(epsilons(self, self.eps, |meant, eps| Self { eps, ..meant }));
        let decay = (self.weight_decay, self.lr);
        all.extend(decays(self, decay, |meant, weight_decay| Self { weight_decay, ..meant }));
        all.extend(hyper([
            ("r starts from 0", Self { r0: 0.0, ..*self }),
            ("r starts from 1", Self { r0: 1.0, ..*self }),
            ("the decay of the rate is missing", Self { lr_decay: 0.0, ..*self }),
            ("the sign of the gradient is wrong", Self { maximize: !self.maximize, ..*self }),
        ]));
        all
    }

    fn variations(&self) -> Vec<(&'static str, Self)> {
        let mut all = vec![
            ("lr", Self { lr: 0.3 * self.lr, ..*self }),
            ("eps", Self { eps: mistakes::with_value(self.eps, 100.0 * self.eps.value()), ..*self }),
        ];
        let weight_decay = mistakes::stronger(self.weight_decay);
        all.extend(weight_decay.map(|weight_decay| ("weight_decay", Self { weight_decay, ..*self })));
        all.extend((self.r0 > 0.0).then_some(("r0", Self { r0: 2.0 * self.r0, ..*self })));
        let decays = self.lr_decay > 0.0;
        all.extend(decays.then_some(("lr_decay", Self { lr_decay: 2.0 * self.lr_decay, ..*self })));
        all
    }
}

impl Paper for Adam {
    fn step(&self, slip: Slip, t: f64, g: f64, cell: &mut Cell) {
        let Cell { p, m, v, most, .. } = cell;
        let g = slip.gradient(self.maximize, self.weight_decay, *p, g);
        let m = slip.average(Slip::StaleMean, m, self.beta1, g);
        let v = slip.average(Slip::StaleSquare, v, self.beta2, slip.square(g, m));
        *most = most.max(v);
        let v = if self.amsgrad { *most } else { v };
        let unless = |without, correction| if slip == without { 1.0 } else { correction };
        let correct_m = unless(Slip::MeanUncorrected, slip.correction(self.beta1, t));
        let correct_v = unless(Slip::SquareUncorrected, slip.correction(self.beta2, t));
        let step = self.lr * correct_m * m / slip.root(self.eps, v, correct_v);
        slip.descend(self.weight_decay, self.lr, p, step);
    }

    fn mistakes(&self) -> Vec<Mistake<Self>> {
        let &Self { beta1, beta2, .. } = self;
        let mut all = mistakes::slips(self, mistakes::AVERAGES);
        all.extend(mistakes::slips(self, mistakes::MOMENTS));
        all.extend(rates(self, self.lr, |meant, lr| Self { lr, ..meant }));
        all.extend(epsilons(self, self.eps, |meant, eps| Self { eps, ..meant }));
        let decay = (self.weight_decay, self.lr);
        all.extend(decays(self, decay, |meant, weight_decay| Self { weight_decay, ..meant }));
        all.extend(hyper([
            ("β₁ and β₂ have changed places", Self { beta1: beta2, beta2: beta1, ..*self }),
            ("the step takes g instead of m", Self { beta1: 0.0, ..*self }),
            ("v forgets everything but the newest g²", Self { beta2: 0.0, ..*self }),
            ("v decays by β₁", Self { beta2: beta1, ..*self }),
            ("m decays by β₂", Self { beta1: beta2, ..*self }),
            ("it keeps no largest v", Self { amsgrad: false, ..*self }),
            ("it divides by the largest v, as AMSGrad does", Self { amsgrad: true, ..*self }),
            ("the sign of the gradient is wrong", Self { maximize: !self.maximize, ..*self }),
        ]));
        all
    }

    fn variations(&self) -> Vec<(&'static str, Self)> {
        let mut all = vec![
            ("lr", Self { lr: 0.3 * self.lr, ..*self }),
            ("beta2", Self { beta2: 0.7 * self.beta2, ..*self }),
            ("eps", Self { eps: mistakes::with_value(self.eps, 100.0 * self.eps.value()), ..*self }),
        ];
        let beta1 = 0.7 * self.beta1;
        all.extend((beta1 > 0.0).then_some(("beta1", Self { beta1, ..*self })));
        let weight_decay = mistakes::stronger(self.weight_decay);
        all.extend(weight_decay.map(|weight_decay| ("weight_decay", Self { weight_decay, ..*self })));
        all
    }
}

impl Paper for Lion {
    fn step(&self, slip: Slip, _t: f64, g: f64, cell: &mut Cell) {
        let Cell { p, m, .. } = cell;
        let g = slip.gradient(false, self.weight_decay, *p, g);
        let next = |m: f64| self.beta2 * m + (1.0 - self.beta2) * g;
        let seen = if slip == Slip::StaleMean { next(*m) } else { *m };
        let u = self.beta1 * seen + (1.0 - self.beta1) * g;
        let sign = match slip {
            Slip::NoSign => u,
            Slip::SignOfZero => u.signum(),
            _ if u == 0.0 => 0.0,
            _ => u.signum(),
        };
        slip.descend(self.weight_decay, self.lr, p, self.lr * sign);
        *m = next(*m);
    }

    fn mistakes(&self) -> Vec<Mistake<Self>> {
        let &Self { beta1, beta2, .. } = self;
        let mut all = mistakes::slips(self, mistakes::STEP);
        all.extend(mistakes::slips(self, mistakes::SIGNS));
        all.extend(rates(self, self.lr, |meant, lr| Self { lr, ..meant }));
        let decay = (self.weight_decay, self.lr);
        all.extend(decays(self, decay, |meant, weight_decay| Self { weight_decay, ..meant }));
        all.extend(hyper([
            ("β₁ and β₂ have changed places", Self { beta1: beta2, beta2: beta1, ..*self }),
            ("the step takes the sign of g alone", Self { beta1: 0.0, ..*self }),
            ("the step takes the sign of m alone, without g", Self { beta1: 1.0, ..*self }),
            ("m decays by β₁", Self { beta2: beta1, ..*self }),
            ("the step weighs m by β₂", Self { beta1: beta2, ..*self }),
        ]));
        all
    }

    fn variations(&self) -> Vec<(&'static str, Self)> {
        let mut all = vec![
            ("lr", Self { lr: 0.3 * self.lr, ..*self }),
            ("beta1", Self { beta1: 0.5 * self.beta1, ..*self }),
            ("beta2", Self { beta2: 0.5 * self.beta2, ..*self }),
        ];
        let weight_decay = mistakes::stronger(self.weight_decay);
        all.extend(weight_decay.map(|weight_decay| ("weight_decay", Self { weight_decay, ..*self })));
        all
    }
}
