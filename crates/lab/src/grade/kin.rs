//! The papers of AdaGrad's and Adam's kin, and of Rprop.

use wengert_optim::{Adadelta, Adamax, Epsilon, NAdam, RAdam, Rprop, WeightDecay};

use super::hand::{Cell, Slip};
use super::mistakes::{self, Mistake, decays, epsilons, hyper, rates};
use super::papers::Paper;

/// What goes wrong in all of them, and what changes when a hyper-parameter does. `$beta` are the decays of averages.
macro_rules! kin {
    ($slips:expr, $($beta:ident)*) => {
        fn mistakes(&self) -> Vec<Mistake<Self>> {
            let mut all = mistakes::slips(self, $slips);
            all.extend(rates(self, self.lr, |meant, lr| Self { lr, ..meant }));
            all.extend(epsilons(self, self.eps, |meant, eps| Self { eps, ..meant }));
            let decay = (self.weight_decay, self.lr);
            all.extend(decays(self, decay, |meant, weight_decay| Self { weight_decay, ..meant }));
            all.extend(hyper([("the sign of the gradient is wrong", Self { maximize: !self.maximize, ..*self })]));
            all
        }

        fn variations(&self) -> Vec<(&'static str, Self)> {
            let mut all = vec![
                ("lr", Self { lr: 0.3 * self.lr, ..*self }),
                ("eps", Self { eps: mistakes::with_value(self.eps, 100.0 * self.eps.value()), ..*self }),
                $((stringify!($beta), Self { $beta: 0.7 * self.$beta, ..*self })),*
            ];
            let weight_decay = mistakes::stronger(self.weight_decay);
            all.extend(weight_decay.map(|weight_decay| ("weight_decay", Self { weight_decay, ..*self })));
            all
        }
    };
}

impl Paper for Adadelta {
    fn step(&self, slip: Slip, _t: f64, g: f64, cell: &mut Cell) {
        let Cell { p, v, most: x, .. } = cell;
        let g = slip.gradient(self.maximize, self.weight_decay, *p, g);
        let v = slip.average(Slip::StaleSquare, v, self.rho, slip.square(g, 0.0));
        let u = slip.root(self.eps, *x, 1.0) / slip.root(self.eps, v, 1.0) * g;
        *x = self.rho * *x + (1.0 - self.rho) * u * u;
        slip.descend(self.weight_decay, self.lr, p, self.lr * u);
    }

    kin!(mistakes::AVERAGES, rho);
}

impl Paper for Adamax {
    fn step(&self, slip: Slip, t: f64, g: f64, cell: &mut Cell) {
        let Cell { p, m, most: u, .. } = cell;
        let g = slip.gradient(self.maximize, self.weight_decay, *p, g);
        let m = slip.average(Slip::StaleMean, m, self.beta1, g);
        let (inside, outside) = match self.eps {
            Epsilon::Inside(eps) => (eps, 0.0),
            Epsilon::Outside(eps) | Epsilon::Uncorrected(eps) => (0.0, eps),
        };
        *u = (self.beta2 * *u).max(g.abs() + inside);
        let step = self.lr * slip.correction(self.beta1, t) * m / (*u + outside);
        slip.descend(self.weight_decay, self.lr, p, step);
    }

    kin!(mistakes::AVERAGES, beta1 beta2);
}

impl Paper for NAdam {
    fn cell(&self, p: f64) -> Cell {
        Cell { p, most: 1.0, ..Cell::default() }
    }

    fn step(&self, slip: Slip, t: f64, g: f64, cell: &mut Cell) {
        let Cell { p, m, v, most: product, .. } = cell;
        let g = slip.gradient(self.maximize, self.weight_decay, *p, g);
        let m = slip.average(Slip::StaleMean, m, self.beta1, g);
        let v = slip.average(Slip::StaleSquare, v, self.beta2, slip.square(g, m));
        let mu = |t: f64| self.beta1 * (1.0 - 0.5 * 0.96_f64.powf(t * self.momentum_decay));
        let (now, next) = (mu(t), mu(t + 1.0));
        *product *= now;
        let ahead = next * m / (1.0 - *product * next) + (1.0 - now) * g / (1.0 - *product);
        let step = self.lr * ahead / slip.root(self.eps, v, slip.correction(self.beta2, t));
        slip.descend(self.weight_decay, self.lr, p, step);
    }

    kin!(mistakes::AVERAGES, beta1 beta2 momentum_decay);
}

impl Paper for RAdam {
    fn step(&self, slip: Slip, t: f64, g: f64, cell: &mut Cell) {
        let Cell { p, m, v, .. } = cell;
        let g = slip.gradient(self.maximize, self.weight_decay, *p, g);
        let m = slip.average(Slip::StaleMean, m, self.beta1, g) * slip.correction(self.beta1, t);
        let v = slip.average(Slip::StaleSquare, v, self.beta2, slip.square(g, m));
        let longest = 2.0 / (1.0 - self.beta2) - 1.0;
        let kept = self.beta2.powf(t);
        let l = longest - 2.0 * t * kept / (1.0 - kept);
        let step = if l <= 5.0 {
            m
        } else {
            let root = slip.root(self.eps, v, slip.correction(self.beta2, t));
            let r = (l - 4.0) * (l - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * l);
            r.sqrt() * m / root
        };
        slip.descend(self.weight_decay, self.lr, p, self.lr * step);
    }

    kin!(mistakes::AVERAGES, beta1 beta2);
}

impl Paper for Rprop {
    fn cell(&self, p: f64) -> Cell {
        Cell { p, v: self.lr, ..Cell::default() }
    }

    fn step(&self, slip: Slip, _t: f64, g: f64, cell: &mut Cell) {
        let Cell { p, m: last, v: size, .. } = cell;
        let g = slip.gradient(self.maximize, WeightDecay::None, *p, g);
        let same = g * last.signum();
        let (factor, g) = match () {
            () if *last == 0.0 || g == 0.0 => (1.0, g),
            () if same > 0.0 => (self.eta_plus, g),
            () => (self.eta_minus, 0.0),
        };
        *size = (*size * factor).clamp(self.step_min, self.step_max);
        let sign = if g == 0.0 { 0.0 } else { g.signum() };
        slip.descend(WeightDecay::None, self.lr, p, *size * sign);
        *last = g;
    }

    fn mistakes(&self) -> Vec<Mistake<Self>> {
        let &Self { eta_plus, eta_minus, .. } = self;
        let mut all = mistakes::slips(self, &mistakes::STEP[..1]);
        all.extend(rates(self, self.lr, |meant, lr| Self { lr, ..meant }));
        all.extend(hyper([
            ("η⁺ and η⁻ have changed places", Self { eta_plus: eta_minus, eta_minus: eta_plus, ..*self }),
            ("the size of the steps has no upper limit", Self { step_max: f64::INFINITY, ..*self }),
            ("the size of the steps has no lower limit", Self { step_min: 0.0, ..*self }),
            ("the sign of the gradient is wrong", Self { maximize: !self.maximize, ..*self }),
        ]));
        all
    }

    fn variations(&self) -> Vec<(&'static str, Self)> {
        vec![
            ("lr", Self { lr: 0.3 * self.lr, ..*self }),
            ("eta_plus", Self { eta_plus: 1.5 * self.eta_plus, ..*self }),
            ("eta_minus", Self { eta_minus: 0.5 * self.eta_minus, ..*self }),
            (
                "step_min",
                Self { step_min: 10.0 * self.lr, step_max: 100.0 * self.lr + self.step_max, ..*self },
            ),
            ("step_max", Self { step_max: self.step_min + 0.1 * self.lr, ..*self }),
        ]
    }
}
