//! A rule that uses curvature: Sophia-H (Liu et al., "Sophia: A Scalable Stochastic Second-order Optimizer", 2023).
//!
//! The rule itself is an ordinary `Rule`. What it needs besides the gradient, an estimate of the Hessian's diagonal, is
//! a tensor of its state: the loop writes it there every ten steps, from products with random signs. On a valley that
//! is 10,000 times as steep as it is long, Sophia should arrive, where plain descent at the largest stable rate is
//! still underway.

use rand::{SeedableRng, rngs::StdRng};
use wengert::autodiff::Param;
use wengert::derivatives::{Dual, hutchinson_diagonal, hvp, lift};
use wengert::ndarray::Array1;
use wengert::optim::{InvalidHyperparameter, state};
use wengert::prelude::*;

/// Sophia, Algorithm 3:
///
/// ```text
/// m ← β₁ m + (1 - β₁) g
/// p ← p - η clip(m / max(γ h, ε), ±1)      h from outside
/// ```
#[derive(Clone, Debug)]
struct Sophia {
    lr: f64,
    beta1: f64,
    gamma: f64,
    eps: f64,
}

#[derive(Clone, Debug)]
struct Memory<F: Real> {
    m: Tensor<F>,
    /// The average of estimates of the Hessian's diagonal; whoever trains writes it.
    h: Tensor<F>,
}

state!(Memory { m, h });

impl<F: Real> Rule<F> for Sophia {
    const NAME: &'static str = "Sophia";
    type State = Memory<F>;

    fn validate(&self) -> Result<(), InvalidHyperparameter> {
        InvalidHyperparameter::unless(self.gamma > 0.0, "gamma", self.gamma, "above 0")
    }

    fn init(&self, param: &Tensor<F>) -> Memory<F> {
        Memory { m: Tensor::zeros(param.raw_dim()), h: Tensor::zeros(param.raw_dim()) }
    }

    fn update(&self, param: &mut Tensor<F>, grad: &Tensor<F>, state: &mut Memory<F>) {
        let [lr, beta, fresh, gamma, eps] =
            [self.lr, self.beta1, 1.0 - self.beta1, self.gamma, self.eps].map(F::from_f64);
        state.m.zip_mut_with(grad, |m, &g| *m = beta * *m + fresh * g);
        wengert::ndarray::Zip::from(param).and(&state.m).and(&state.h).for_each(|p, &m, &h| {
            *p -= lr * (m / (gamma * h).max(eps)).max(-F::ONE).min(F::ONE);
        });
    }
}

const N: usize = 20;

/// `½ Σ hᵢ xᵢ² + ¼ Σ xᵢ⁴`, with `hᵢ` from 1 to 10,000.
fn valley<'t, F: Real>(x: &Param<F>, tape: &'t Tape<F>) -> Var<'t, F> {
    let x = tape.param(x);
    let steep = Array1::from_shape_fn(N, |i| F::from_f64(1e4_f64.powf(i as f64 / (N - 1) as f64)));
    (tape.constant(steep) * x.square()).sum() * F::from_f64(0.5) + x.powi(4).sum() * F::from_f64(0.25)
}

fn main() {
    let start = Array1::from_elem(N, 1.0);
    let descend = |rule| {
        let mut x = Param::new(start.clone());
        let mut opt = Optimizer::new(rule);
        for _ in 0..300 {
            let grads = valley(&x, &Tape::new()).backward();
            opt.step(&mut x, &grads);
        }
        valley(&x, &Tape::inference()).item()
    };
    // The Hessian is at most 10,000 + 3: a rate above 2 / 10,003 climbs.
    let plain: f64 = descend(Sgd { lr: 1.9e-4, ..Sgd::default() });

    let rng = &mut StdRng::seed_from_u64(0);
    let mut x = Param::new(start.clone());
    let mut dual = Param::new(start.mapv(Dual::from));
    let mut opt = Optimizer::new(Sophia { lr: 0.1, beta1: 0.9, gamma: 1.0, eps: 1e-12 });
    for step in 0..300 {
        let grads = valley(&x, &Tape::new()).backward();
        opt.step(&mut x, &grads);
        // A state is there after the first step, which h = 0 makes a step of η.
        if step % 10 == 0 {
            lift(&x, &mut dual).expect("one shape");
            let estimate = hutchinson_diagonal(N, 1, rng, |z| hvp(&mut dual, z, valley).product);
            let state = opt.state_mut("").expect("the parameter has a state");
            let old = if step == 0 { 0.0 } else { 0.9 };
            state.h.zip_mut_with(&estimate, |h, &new| *h = old * *h + (1.0 - old) * new);
        }
    }
    let sophia = valley(&x, &Tape::inference()).item();
    println!("after 300 steps: {plain:.1e} by plain descent, {sophia:.1e} by Sophia");
    assert!(sophia < 1e-6, "Sophia has {sophia} left");
    assert!(plain > 0.1, "plain descent has {plain} left");
}
