//! XOR, the smallest problem that no line can separate.
//!
//! Shows layers in a struct of your own, and two tapes: one that records, for training, and one that does not, for
//! inference. Should print the truth table with every probability on the right side of one half.

use rand::{SeedableRng, rngs::StdRng};
use wengert::prelude::*;

struct Net {
    hidden: Dense,
    out: Dense,
}

module!(Net { hidden, out });

impl Net {
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        self.out.forward(self.hidden.forward(x).tanh())
    }
}

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut net = Net { hidden: Dense::new(2, 8, rng), out: Dense::new(8, 2, rng) };
    let mut opt = Optimizer::new(RmsProp { lr: 1e-2, ..RmsProp::default() });
    let inputs: Tensor = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]].into_tensor();
    let labels = [0, 1, 1, 0];

    let mut tape = Tape::new();
    for _ in 0..300 {
        tape.reset();
        let grads = net.forward(tape.constant(inputs.clone())).cross_entropy(&labels).backward();
        opt.step(&mut net, &grads);
    }

    let tape = Tape::inference();
    let probabilities = net.forward(tape.constant(inputs.clone())).softmax(1).value();
    for ((input, p), label) in inputs.rows().into_iter().zip(probabilities.rows()).zip(labels) {
        let line = format!("{} xor {}: {:.3}", input[0], input[1], p[1]);
        println!("{line}");
        assert_eq!(p[1] > 0.5, label == 1, "the wrong side of one half: {line}");
    }
}
