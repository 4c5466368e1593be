//! The generated digits need a network: a linear classifier stays below 92 %.

use rand::{SeedableRng, rngs::StdRng};
use wengert::data::synthetic;
use wengert::metrics::Accuracy;
use wengert::prelude::*;

#[test]
fn a_linear_classifier_stays_below_92_percent() {
    let (train, test) = synthetic::digits(24_000, 0).split_at(20_000);
    let rng = &mut StdRng::seed_from_u64(0);
    let mut model: Dense = Dense::new(784, 10, rng);
    let mut opt = Optimizer::new(RmsProp { lr: 1e-3, ..RmsProp::default() });
    let mut tape = Tape::new();
    for epoch in 0..10 {
        opt.rule_mut().lr = 1e-3 * 0.7_f64.powi(epoch);
        for batch in train.batches(128).shuffle(rng) {
            tape.reset();
            let grads = model.forward(tape.constant(batch.x)).cross_entropy(&batch.labels).backward();
            opt.step(&mut model, &grads);
        }
    }
    let tape = Tape::inference();
    let all = test.batches(test.len()).next().unwrap();
    let mut accuracy = Accuracy::new();
    accuracy.update(&model.forward(tape.constant(all.x)).value(), &all.labels);
    let accuracy = accuracy.value();
    assert!((0.8..0.92).contains(&accuracy), "{accuracy}");
}
