//! A line through points: a model of two parameters, a loss, and gradient descent.
//!
//! Shows `Param`, `module!` and `Optimizer` without any layer. Should find slope 3 and offset -1 to within 0.05: noise
//! of ±0.1 on 100 points leaves the slope a standard error of 0.01, and the offset one of 0.006.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::ndarray::Array1;
use wengert::prelude::*;

struct Line {
    slope: Param,
    offset: Param,
}

module!(Line { slope, offset });

impl Line {
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let tape = x.tape();
        tape.param(&self.slope) * x + tape.param(&self.offset)
    }
}

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    let x = Array1::from_shape_simple_fn(100, || rng.random_range(-1.0..1.0_f32));
    let y = x.map(|x| 3.0 * x - 1.0 + rng.random_range(-0.1..0.1));
    let (x, y): (Tensor, Tensor) = (x.into_tensor(), y.into_tensor());

    let mut line = Line { slope: Param::new(0.0), offset: Param::new(0.0) };
    let mut opt = Optimizer::new(Sgd { lr: 0.5, ..Sgd::default() });
    let mut tape = Tape::new();
    for step in 0..50 {
        tape.reset();
        let loss = line.forward(tape.constant(x.clone())).mse(tape.constant(y.clone()));
        let grads = loss.backward();
        opt.step(&mut line, &grads);
        if step % 10 == 0 {
            println!("step {step:>2}: loss {:.5}", loss.item());
        }
    }
    for (name, param, truth) in [("slope", &line.slope, 3.0), ("offset", &line.offset, -1.0)] {
        let found = param.value().first().copied().unwrap();
        println!("{name} {found:.3}");
        assert!((found - truth).abs() < 0.05, "{name} {found}, but the points were made with {truth}");
    }
}
