//! An optimizer's state explains itself, and is changed in the middle of a run.
//!
//! Shows `opt.explain(name)` while RMSProp learns XOR, then what the state is worth. After 1500 steps one copy of the
//! run goes on as it is, another with every `v` set to zero, as a resume from a file of weights alone would have it.
//!
//! The loss of the second should jump by more than a hundred times in one step: `√v` is then `√(1 - ρ) |g|`, and every
//! weight moves by ten times the rate, whatever its gradient. The large gradients after the jump make `v` large and
//! the steps short, so this run should end a thousand times lower. The other steps to and fro over the minimum, and
//! its steps stay as long as the rate: at a constant rate RMSProp does not converge.

use rand::{SeedableRng, rngs::StdRng};
use wengert::prelude::*;

#[derive(Clone)]
struct Net {
    hidden: Dense,
    out: Dense,
}

module!(Net { hidden, out });

impl Net {
    fn loss<'t>(&self, tape: &'t Tape) -> Var<'t> {
        let x = tape.constant([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
        let y = tape.constant([[0.0], [1.0], [1.0], [0.0]]);
        self.out.forward(self.hidden.forward(x).tanh()).mse(y)
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
    let mut losses = Vec::new();
    for step in 1501..=2000 {
        let both = [kept.step(), zeroed.step()];
        if step < 1506 || step % 100 == 0 {
            println!("{step:>4}   {:>12.3e}   {:>12.3e}", both[0], both[1]);
        }
        losses.push(both);
    }
    let (first, second, last) = (losses[0], losses[1], losses[499]);
    assert_eq!(first[0], first[1], "the loss before the first step does not depend on v");
    let jump = second[1] / first[1];
    assert!(jump > 100.0, "with v set to zero the loss should jump, not grow {jump:.1} times");
    let lower = last[0] / last[1];
    assert!(lower > 1000.0, "with v set to zero the loss should end far lower, not {lower:.1} times");
}
