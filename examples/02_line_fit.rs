//! A line through points: a model of two parameters, a loss, and gradient descent.
//!
//! Shows `Param`, `module!` and `Optimizer` without any layer. Should find slope 3.00 and offset -1.00 to within 0.05,
//! which is what noise of 0.1 on 100 points allows.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::ndarray::{Array1, arr0};
use wengert::optim::Sgd;
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

    let mut line = Line { slope: arr0(0.0).into(), offset: arr0(0.0).into() };
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
    println!("slope {:.2}, offset {:.2}", line.slope.value(), line.offset.value());
}
