//! Reading RMSProp's memory by name while it trains.
//!
//! Shows `opt.state(name)`: the average v of the squared gradient of each weight, and what follows from it, the
//! effective rate η / (√v + ε). Two inputs carry the same information, but the second is 100 times smaller. Its v
//! should be 10,000 times smaller and its effective rate 100 times larger, so that both weights take equal steps;
//! plain descent would hardly move the second.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::ndarray::{Array1, Array2, Axis};
use wengert::prelude::*;

struct Linear {
    weight: Param,
}

module!(Linear { weight });

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    let signal = Array1::from_shape_simple_fn(64, || rng.random_range(-1.0..1.0_f32));
    let inputs = Array2::from_shape_fn((64, 2), |(i, j)| signal[i] * [1.0, 0.01][j]);
    let (x, y): (Tensor, Tensor) = (inputs.into_tensor(), signal.insert_axis(Axis(1)).into_tensor());

    let mut model = Linear { weight: Param::new([[0.0, 0.0]]) };
    let rule = RmsProp { lr: 1e-3, rho: 0.9, ..RmsProp::default() };
    let mut opt = Optimizer::new(rule);
    let mut tape = Tape::new();
    println!("step      loss         v[0]         v[1]   rate[0]   rate[1]   weight");
    for step in 1..=200 {
        tape.reset();
        let prediction = tape.constant(x.clone()).linear(tape.param(&model.weight), None);
        let loss = prediction.mse(tape.constant(y.clone()));
        let grads = loss.backward();
        opt.step(&mut model, &grads);

        let state = opt.state("weight").expect("the weight has had a gradient");
        let rate = opt.effective_lr("weight").expect("the weight has had a gradient");
        let weight = model.weight.value();
        let [v, rate, w] = [&state.v, &rate, weight].map(|x| [x[[0, 0]], x[[0, 1]]]);
        if step % 40 == 0 || step == 1 {
            println!(
                "{step:>4}  {:.6}  {:.5e}  {:.5e}  {:8.5}  {:8.3}   {weight:.4}",
                loss.item(),
                v[0],
                v[1],
                rate[0],
                rate[1]
            );
        }
        let ratios =
            [("v", v[0] / v[1], 1e4), ("rate", rate[1] / rate[0], 100.0), ("weight", w[0] / w[1], 1.0)];
        for (what, ratio, expected) in ratios {
            let off = (ratio / expected - 1.0).abs();
            assert!(off < 1e-3, "step {step}: the {what} differs {ratio} times, not {expected} times");
        }
    }
}
