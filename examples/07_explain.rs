//! An optimizer's state explains itself, and is changed in the middle of a run.
//!
//! Shows `opt.explain(name)` while RMSProp learns XOR, then what the state is worth: after 1500 steps one copy of the run
//! goes on as it is, another with every `v` set to zero, as a resume from a file of weights alone would have it.
//!
//! The loss of the second should jump by more than a hundred times in one step: `√v` is then `√(1 - ρ) |g|`, and every
//! weight moves by ten times the rate, whatever its gradient. That large gradient next makes `v` large and the steps
//! short, so that this run then falls far below the other, whose steps to and fro over the minimum stay as long as the
//! rate: at a constant rate RMSProp does not converge.

use rand::{SeedableRng, rngs::StdRng};
use wengert::ndarray::arr2;
use wengert::prelude::*;

#[derive(Clone)]
struct Net {
    hidden: Dense,
    out: Dense,
}

module!(Net { hidden, out });

impl Net {
    fn loss<'t>(&self, tape: &'t Tape) -> Var<'t> {
        let x: Tensor = arr2(&[[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).into_tensor();
        let y: Tensor = arr2(&[[0.0], [1.0], [1.0], [0.0]]).into_tensor();
        let hidden = self.hidden.forward(tape.constant(x)).tanh();
        self.out.forward(hidden).mse(tape.constant(y))
    }
}

/// A net and what its optimizer remembers: a plain value, so that a run can be copied and go on in two ways.
#[derive(Clone)]
struct Run {
    net: Net,
    opt: Optimizer<RmsProp>,
}

impl Run {
    /// Takes a step and returns the loss before it.
    fn step(&mut self) -> f32 {
        let tape = Tape::new();
        let loss = self.net.loss(&tape);
        let grads = loss.backward();
        // `step` would do, but it does not measure the size of the update.
        self.opt.step_with(&mut self.net, &grads, |_| ());
        loss.item()
    }
}

fn main() {
    let rng = &mut StdRng::seed_from_u64(0);
    let net = Net { hidden: Dense::new(2, 8, rng), out: Dense::new(8, 1, rng) };
    let mut run = Run { net, opt: Optimizer::new(RmsProp { lr: 1e-3, ..RmsProp::default() }) };
    for step in 1..=1500 {
        let loss = run.step();
        if [1, 100, 1500].contains(&step) {
            println!("step {step}, loss {loss:.3e}\n{}", run.opt.explain("hidden.weight").unwrap());
        }
    }

    let (mut kept, mut zeroed) = (run.clone(), run);
    println!("v set to zero: {}\n", zeroed.opt.edit("*").field("v").zero());
    println!("step   loss, v kept   loss, v zero");
    for step in 1501..=2000 {
        let (kept, zeroed) = (kept.step(), zeroed.step());
        if step < 1506 || step % 100 == 0 {
            println!("{step:>4}   {kept:>12.3e}   {zeroed:>12.3e}");
        }
    }
}
