//! What a normalization layer does to the weights before it: their length stops mattering, and so it grows.
//!
//! First, exactly (`f64`): behind BatchNorm or LayerNorm the loss is that of the direction alone, L(cW) = L(W), and
//! the gradient of longer weights is shorter, g(cW) = g(W) / c. The norm's ε is the only thing in the way: with ε = 0
//! both should hold to rounding (1e-15; to the last bit where c is a power of two), with ε = 1e-5 to about 1e-2 for
//! weights a tenth as long and 1e-4 for longer ones, and again to rounding if ε is scaled by c², which shows that it
//! is ε.
//!
//! Then in training: as g ⊥ W, each step of plain descent adds η² ‖g‖² to ‖W‖², and the rate at which the direction
//! turns, η / ‖W‖², falls although η is constant. Should show ‖W‖² growing about 2-fold in ten epochs, all but 0.1 %
//! of it the sum of the squared steps. RMSProp's step g / √v is not orthogonal to W: ‖W‖² grows 1.6-fold, and only
//! about 0.5 of that is the sum of the squared steps, the rest is the part of the steps along W.

use rand::{SeedableRng, rngs::StdRng};
use wengert::data::synthetic;
use wengert::prelude::*;

/// A layer without a bias: with one, only LayerNorm would see how it compares with W.
struct Net<N> {
    hidden: Dense<f64>,
    norm: N,
    out: Dense<f64>,
}

impl<N: Layer<f64>> Net<N> {
    /// The loss and the gradient of W, with W scaled by `c`.
    fn at(&mut self, c: f64, x: &Tensor<f64>, labels: &[usize]) -> (f64, Tensor<f64>) {
        let unscaled = self.hidden.weight.value().clone();
        *self.hidden.weight.value_mut() *= c;
        let tape = Tape::new();
        let h = self.norm.forward(self.hidden.forward(tape.constant(x.clone()))).tanh();
        let loss = self.out.forward(h).cross_entropy(labels);
        let grad = loss.backward().get(&self.hidden.weight).expect("W was used").clone();
        *self.hidden.weight.value_mut() = unscaled;
        (loss.item(), grad)
    }
}

fn norm_of<F: Real>(x: &Tensor<F>) -> f64 {
    x.iter().map(|&x| x.as_f64().powi(2)).sum::<f64>().sqrt()
}

/// Prints and returns the relative deviations from L(cW) = L(W) and from c g(cW) = g(W), for `norm(ε)`.
fn deviation<N: Layer<f64>>(name: &str, norm: impl Fn(f64) -> N, c: f64, eps: [f64; 2]) -> [f64; 2] {
    let rng = &mut StdRng::seed_from_u64(0);
    let batch = synthetic::digits(64, 0).batches(64).next().expect("one batch");
    let x = batch.x.mapv(f64::from).into_shared();
    let hidden = Dense { bias: None, ..Dense::new(784, 32, rng) };
    let mut net = Net { hidden, norm: norm(eps[0]), out: Dense::new(32, 10, rng) };
    let (loss, grad) = net.at(1.0, &x, &batch.labels);
    net.norm = norm(eps[1]);
    let (scaled_loss, scaled_grad) = net.at(c, &x, &batch.labels);
    let d_loss = (scaled_loss - loss).abs() / loss;
    let d_grad = norm_of(&(&scaled_grad * c - &grad).into_shared()) / norm_of(&grad);
    println!("{name:<10} {c:>5} {:>8.0e} {:>8.0e}   {d_loss:9.1e}   {d_grad:9.1e}", eps[0], eps[1]);
    [d_loss, d_grad]
}

fn invariance<N: Layer<f64>>(name: &str, norm: impl Fn(f64) -> N) {
    for c in [4.0, 0.25] {
        assert_eq!(deviation(name, &norm, c, [0.0; 2]), [0.0; 2], "a power of two only moves exponents");
    }
    for c in [0.1, 10.0, 1000.0] {
        let [exact, default, scaled] = [[0.0; 2], [1e-5; 2], [1e-5, 1e-5 * c * c]];
        let tight = [exact, scaled].map(|eps| deviation(name, &norm, c, eps));
        assert!(tight.as_flattened().iter().all(|&d| d < 1e-12), "{name}, c = {c}: not invariant");
        let with_eps = deviation(name, &norm, c, default);
        assert!(with_eps.iter().all(|&d| d > 1e-9 && d < 0.1), "{name}, c = {c}: ε should show, a little");
    }
}

struct Classifier {
    hidden: Dense,
    norm: BatchNorm,
    out: Dense,
}

module!(Classifier { hidden, norm, out });

/// Trains, and returns by which factor ‖W‖² grew, and the sum of ‖ΔW‖² as a part of that growth.
fn train<R: Rule>(name: &str, rule: R, lr: f64, seed: u64) -> [f64; 2] {
    let rng = &mut StdRng::seed_from_u64(seed);
    let data = synthetic::digits(2000, seed);
    let hidden = Dense { bias: None, ..Dense::new(784, 64, rng) };
    let mut model = Classifier { hidden, norm: BatchNorm::new(64), out: Dense::new(64, 10, rng) };
    let (mut opt, mut tape) = (Optimizer::new(rule), Tape::new());
    let start = norm_of(model.hidden.weight.value()).powi(2);
    let (mut end, mut steps) = (start, 0.0);
    for epoch in 1..=10 {
        let mut loss_sum = 0.0;
        for batch in data.batches(100).shuffle(rng) {
            tape.reset();
            let h = model.norm.forward(model.hidden.forward(tape.constant(batch.x))).relu();
            let loss = model.out.forward(h).cross_entropy(&batch.labels);
            let grads = loss.backward();
            let before = model.hidden.weight.value().clone();
            opt.step(&mut model, &grads);
            steps += norm_of(&(model.hidden.weight.value() - &before).into_shared()).powi(2);
            loss_sum += loss.item();
        }
        let before = end;
        end = norm_of(model.hidden.weight.value()).powi(2);
        assert!(end > before, "{name}, seed {seed}, epoch {epoch}: W should grow");
        if [1, 2, 5, 10].contains(&epoch) {
            let loss = loss_sum / 20.0;
            println!("{name:<8} {seed:>4} {epoch:>5} {loss:>8.4} {:>8.3} {:>12.2e}", end.sqrt(), lr / end);
        }
    }
    let [growth, explained] = [end / start, steps / (end - start)];
    println!("{name:<8} {seed:>4}   ‖W‖² grew {growth:.3}-fold; Σ ‖ΔW‖² is {explained:.4} of the growth");
    [growth, explained]
}

fn main() {
    println!("norm           c        ε   ε at cW   |ΔL| / L   |c g(cW) - g| / |g|");
    invariance("BatchNorm", |eps| BatchNorm { eps, ..BatchNorm::new(32) });
    invariance("LayerNorm", |eps| LayerNorm { eps, ..LayerNorm::new(32) });

    println!("\nrule     seed epoch     loss      ‖W‖     η / ‖W‖²");
    for seed in 0..3 {
        let [growth, explained] = train("SGD", Sgd { lr: 0.5, ..Sgd::default() }, 0.5, seed);
        assert!((1.7..2.4).contains(&growth), "seed {seed}: ‖W‖² should double, not grow {growth}-fold");
        assert!((explained - 1.0).abs() < 0.001, "seed {seed}: the gradient should be orthogonal to W");
        let rule = RmsProp { lr: 1e-3, rho: 0.9, ..RmsProp::default() };
        let [growth, explained] = train("RMSProp", rule, 1e-3, seed);
        assert!((1.4..1.8).contains(&growth), "seed {seed}: ‖W‖² should grow 1.6-fold, not {growth}-fold");
        assert!(
            (0.4..0.6).contains(&explained),
            "seed {seed}: {explained} of it, but half should be steps along W"
        );
    }
}
