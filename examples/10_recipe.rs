//! A training recipe: a schedule for the rate, a group for the bias, and clipped gradients.
//!
//! A linear model is learnt from noisy measurements, and one batch in fifty holds a broken one. With all three it
//! should end within 0.05 of the truth, and at least twice as far from it without any one of them. Without the
//! schedule the weights keep trembling with the noise. Without the group weight decay pulls the bias, too: from 10 to
//! 10 / (1 + λ/2). Without clipping a broken measurement throws everything far off.

use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use wengert::ndarray::Array2;
use wengert::optim::{Schedule, WeightDecay, clip};
use wengert::prelude::*;

const STEPS: u64 = 1000;
const LR: f64 = 0.1;
/// λ of the weight decay.
const DECAY: f64 = 0.1;
/// Of all gradients together.
const MAX_NORM: f64 = 2.0;

const INPUTS: usize = 10;
const WEIGHT: f32 = 0.1;
const BIAS: f32 = 10.0;

/// 16 measurements of `y = 0.1 (x₀ + … + x₉) + 10`, with noise of 0.5. In every fiftieth batch the first reads 1000.
fn measure(step: u64, rng: &mut StdRng) -> (Tensor, Tensor) {
    let x = Array2::from_shape_simple_fn((16, INPUTS), || StandardNormal.sample(rng));
    let mut y = Array2::from_shape_fn((16, 1), |(i, _)| {
        let noise: f32 = StandardNormal.sample(rng);
        WEIGHT * x.row(i).sum() + BIAS + 0.5 * noise
    });
    if step % 50 == 25 {
        y[[0, 0]] = 1000.0;
    }
    (x.into_tensor(), y.into_tensor())
}

fn train(mut opt: Optimizer<Sgd>, lr: Schedule, max_norm: f64) -> Dense {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut model = Dense::new(INPUTS, 1, rng);
    let mut tape = Tape::new();
    for step in 0..STEPS {
        for rule in opt.rules_mut() {
            rule.lr = lr.at(step);
        }
        let (x, y) = measure(step, rng);
        tape.reset();
        let mut grads = model.forward(tape.constant(x)).mse(tape.constant(y)).backward();
        clip::global_norm(&mut grads, max_norm);
        opt.step(&mut model, &grads);
    }
    model
}

fn bias(model: &Dense) -> f32 {
    model.bias.as_ref().expect("`Dense::new` makes one").value()[[0]]
}

/// How far the parameters are from those of the measurements.
fn distance(model: &Dense) -> f32 {
    let weights = (model.weight.value() - WEIGHT).pow2().sum();
    (weights + (bias(model) - BIAS).powi(2)).sqrt()
}

fn main() {
    let rule = Sgd { lr: LR, weight_decay: WeightDecay::L2(DECAY), ..Sgd::default() };
    let one_for_all = Optimizer::new(rule);
    let group = one_for_all.clone().with_group("*bias", Sgd { weight_decay: WeightDecay::None, ..rule });
    let up_and_down = Schedule::linear(0.0, LR, 100).then(100, Schedule::cosine(LR, 0.0, STEPS - 100));

    println!("{}", group.table(&Dense::new(INPUTS, 1, &mut StdRng::seed_from_u64(0))));
    let whole = train(group.clone(), up_and_down.clone(), MAX_NORM);
    let no_schedule = train(group.clone(), Schedule::constant(LR), MAX_NORM);
    let no_group = train(one_for_all, up_and_down.clone(), MAX_NORM);
    let no_clipping = train(group, up_and_down, f64::INFINITY);

    println!("distance from the truth: {:.3} with all three", distance(&whole));
    assert!(distance(&whole) < 0.05, "the recipe ends {} from the truth", distance(&whole));
    for (what, model) in [("schedule", &no_schedule), ("group", &no_group), ("clipping", &no_clipping)] {
        println!("{:>31.3} without the {what}", distance(model));
        let times = distance(model) / distance(&whole);
        assert!(times > 2.0, "without the {what} the distance is only {times} times as large");
    }
    let pulled = BIAS / (1.0 + DECAY as f32 / 2.0);
    assert!(
        (bias(&no_group) - pulled).abs() < 0.05,
        "decay should pull the bias to {pulled}: {}",
        bias(&no_group)
    );
}
