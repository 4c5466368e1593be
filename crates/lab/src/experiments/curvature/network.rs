//! A small network under full-batch training, and its sharpness on the way.

use ndarray::{Array1, Array2};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert_autodiff::derivatives::{hvp, largest_eigenpairs, lift, parameters_to_vector};
use wengert_autodiff::{Dual, LeafMut, Module, ModulePath, Real, Tape, Var};
use wengert_layers::{Activation, Dense, Layer, Sequential};
use wengert_optim::Optimizer;
use wengert_optim::inspect::Explain;

const SAMPLES: usize = 64;
const INPUTS: usize = 8;
const UNITS: usize = 16;
const CLASSES: usize = 4;
/// How exact an eigenvalue is, as a share of the largest.
const PRECISION: f64 = 1e-3;

/// Random classes of random points, to be learnt by heart.
struct Task {
    x: Array2<f64>,
    /// One-hot.
    y: Array2<f64>,
}

impl Task {
    fn new(seed: u64) -> Self {
        let rng = &mut StdRng::seed_from_u64(100 + seed);
        // Of variance 1.
        let bound = 3.0_f64.sqrt();
        let x = Array2::from_shape_simple_fn((SAMPLES, INPUTS), || rng.random_range(-bound..bound));
        let mut y = Array2::zeros((SAMPLES, CLASSES));
        y.rows_mut().into_iter().for_each(|mut row| row[rng.random_range(0..CLASSES)] = 1.0);
        Self { x, y }
    }

    /// Half the mean squared distance.
    fn loss<'t, F: Real>(&self, net: &Sequential<F>, tape: &'t Tape<F>) -> Var<'t, F> {
        let miss =
            net.forward(tape.constant(self.x.mapv(F::from_f64))) - tape.constant(self.y.mapv(F::from_f64));
        miss.square().sum() / F::from_f64(2.0 * SAMPLES as f64)
    }
}

fn net<F: Real>(seed: u64) -> Sequential<F> {
    let rng = &mut StdRng::seed_from_u64(seed);
    Sequential::new()
        .with(Dense::new(INPUTS, UNITS, rng))
        .with(Activation::Tanh)
        .with(Dense::new(UNITS, UNITS, rng))
        .with(Activation::Tanh)
        .with(Dense::new(UNITS, CLASSES, rng))
}

/// A sharpness during training.
pub(super) struct Sample {
    pub(super) step: usize,
    pub(super) loss: f64,
    /// The largest eigenvalue of `R^½ H R^½`, with the effective rates `R` on the diagonal: how many times the step
    /// that a direction asks for is as long as the way to its minimum. Under plain descent it is `η λ`.
    pub(super) sharpness: f64,
}

/// Trains on the whole set at each step, and looks `samples` times at the curvature.
pub(super) fn train<R: Explain<f64>>(rule: R, steps: usize, samples: usize, seed: u64) -> Vec<Sample> {
    let task = Task::new(seed);
    let mut model = net::<f64>(seed);
    let mut dual = net::<Dual<f64>>(seed);
    let mut opt = Optimizer::new(rule);
    let mut tape = Tape::new();
    let mut found = Vec::new();
    for step in 1..=steps {
        tape.reset();
        let loss = task.loss(&model, &tape);
        let value = loss.item();
        opt.step(&mut model, &loss.backward());
        if step == 1 || step % (steps / samples) == 0 {
            lift(&model, &mut dual).expect("one network");
            let roots = rates(&opt, &model).mapv(f64::sqrt);
            let rng = &mut StdRng::seed_from_u64(0);
            let top = largest_eigenpairs(roots.len(), 1, PRECISION, rng, |v| {
                hvp(&mut dual, &(v * &roots), |net, tape| task.loss(net, tape)).product * &roots
            });
            found.push(Sample { step, loss: value, sharpness: top[0].value });
        }
    }
    found
}

/// `η / (√v + ε)` of every parameter.
fn rates<R: Explain<f64>>(opt: &Optimizer<R, f64>, model: &Sequential<f64>) -> Array1<f64> {
    let mut rates = model.clone();
    rates.visit_mut(&mut ModulePath::default(), &mut |name, leaf| {
        if let LeafMut::Param(param) = leaf {
            *param.value_mut() = opt.effective_lr(name).expect("every parameter has had a gradient");
        }
    });
    parameters_to_vector(&rates)
}
