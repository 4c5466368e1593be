//! A differential equation solved by a network: second derivatives by the input, and a gradient through them.
//!
//! The pendulum `u'' + sin u = 0` between `u(0) = 1` and the `u(2.5)` of a reference, integrated by Runge and Kutta's
//! method. The network is `u` itself; its loss is the mean square of `u'' + sin u` at 40 points. It should be within
//! 1e-3 of the reference everywhere.

use rand::{SeedableRng, rngs::StdRng};
use wengert::derivatives::{Dual, value_and_grad, vector_to_gradients};
use wengert::prelude::*;

/// `u`, two first derivatives (the same one twice), and in the last place `u''`.
type Number = Dual<Dual<f64>>;

const END: f64 = 2.5;
const POINTS: usize = 40;

/// `u` at `steps + 1` even places, from `u(0) = 1`, `u'(0) = 0`.
fn reference(steps: usize) -> Vec<f64> {
    let h = END / steps as f64;
    let slope = |[u, v]: [f64; 2]| [v, -u.sin()];
    let plus = |[u, v]: [f64; 2], h: f64, [du, dv]: [f64; 2]| [u + h * du, v + h * dv];
    let mut at = [1.0, 0.0];
    let mut path = vec![1.0];
    for _ in 0..steps {
        let k1 = slope(at);
        let k2 = slope(plus(at, h / 2.0, k1));
        let k3 = slope(plus(at, h / 2.0, k2));
        let k4 = slope(plus(at, h, k3));
        at = plus(plus(plus(plus(at, h / 6.0, k1), h / 3.0, k2), h / 3.0, k3), h / 6.0, k4);
        path.push(at[0]);
    }
    path
}

/// A line between both ends, and a network times what is 0 there.
fn solution<'t>(net: &Sequential<Number>, x: Var<'t, Number>, last: f64) -> Var<'t, Number> {
    x * ((last - 1.0) / END) + 1.0 + x * (END - x) * net.forward(x)
}

fn main() {
    let path = reference(POINTS * 10);
    let last = path[path.len() - 1];
    let places: Vec<f64> = (0..=POINTS).map(|i| END * i as f64 / POINTS as f64).collect();
    // Every place moves along itself, twice.
    let moving = |x: f64| [Dual::new(Dual::new(x, 1.0), Dual::from(1.0))];
    let x: Vec<_> = places.iter().map(|&x| moving(x)).collect();
    let x = wengert::ndarray::Array2::from(x);

    let rng = &mut StdRng::seed_from_u64(0);
    let mut net: Sequential<Number> = Sequential::new()
        .with(Dense::new(1, 20, rng))
        .with(Activation::Tanh)
        .with(Dense::new(20, 20, rng))
        .with(Activation::Tanh)
        .with(Dense::new(20, 1, rng));
    let mut opt = Optimizer::new(Adam { lr: 1e-3, ..Adam::default() });
    for step in 0..4000 {
        opt.rule_mut().lr = 1e-2 * 0.5_f64.powf(f64::from(step) / 500.0);
        let mut loss = 0.0;
        let (_, gradient) = value_and_grad(&net, |net, tape| {
            let u = solution(net, tape.constant(x.view()), last);
            // The loss L = Σ r² / n is a function of u and u''. Its slopes by both, put in each other's place, make the
            // last part of the product with u the derivative of L: of (a + b ε₁ε₂)(u + … + u'' ε₁ε₂) it is a u'' + b u.
            let slopes = u.value().mapv(|u| {
                let (u, second) = (u.value.value, u.tangent.tangent);
                let residual = second + u.sin();
                loss += residual * residual / (POINTS + 1) as f64;
                let slope = 2.0 * residual / (POINTS + 1) as f64;
                Dual::new(Dual::from(slope), Dual::new(0.0, slope * u.cos()))
            });
            (u * tape.constant(slopes)).sum()
        });
        let gradient = gradient.mapv(|g| Number::from_f64(g.tangent.tangent));
        let grads = vector_to_gradients(&gradient, &net);
        opt.step(&mut net, &grads);
        if step % 1000 == 0 {
            println!("step {step:4}: mean square of u'' + sin u {loss:.2e}");
        }
    }

    let tape = Tape::inference();
    let u = solution(&net, tape.constant(x.view()), last).value();
    let error =
        u.iter().zip(path.iter().step_by(10)).map(|(u, r)| (u.value.value - r).abs()).fold(0.0, f64::max);
    println!("largest error {error:.1e}");
    assert!(error < 1e-3, "the network is off by {error}");
}
