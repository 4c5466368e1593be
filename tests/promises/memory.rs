//! A step allocates nothing that grows.

use allocation_counter::measure;
use rand::{SeedableRng, rngs::StdRng};
use wengert::prelude::*;

#[test]
fn a_long_run_does_not_grow() {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut model: Dense = Dense::new(4, 3, rng);
    let mut opt = Optimizer::new(RmsProp { centered: true, momentum: 0.9, ..RmsProp::default() });
    let mut tape = Tape::new();
    let x = Tensor::from_shape_fn(vec![5, 4], |i| (i[0] * 4 + i[1]) as f32 / 20.0);
    let mut steps = |n: usize| {
        for _ in 0..n {
            tape.reset();
            let loss = model.forward(tape.constant(x.clone())).tanh().cross_entropy(&[0, 1, 2, 0, 1]);
            let grads = loss.backward();
            opt.step(&mut model, &grads);
        }
    };
    // The first steps make the state and size the arena.
    let start = measure(|| steps(10));
    assert!(start.bytes_current > 0, "the counter counts: {start:?}");
    let run = measure(|| steps(10_000));
    assert_eq!(run.bytes_current, 0, "bytes left behind by 10,000 steps: {run:?}");
}
