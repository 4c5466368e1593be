//! The tape by hand: what `backward` does, seen from the outside.
//!
//! One expression writes a list of operations, which is printed. `backward` reads it from the end. The gradient should
//! be the one that the chain rule gives on paper, to within 1e-15 of its size.

use wengert::prelude::*;

fn main() {
    let tape = Tape::new();
    let x = tape.variable(2.0_f64);
    let y = tape.variable(5.0);

    // The example of many a lecture: z = ln x + x y - sin y.
    let z = x.ln() + x * y - y.sin();
    println!("z = {}\n\nThe tape, in the order in which it was written:\n{}", z.item(), tape.dump(&()));

    let grads = z.backward();
    let (dx, dy) = (grads.wrt(x).unwrap(), grads.wrt(y).unwrap());
    println!("by the tape:  dz/dx = {dx}, dz/dy = {dy}");

    // On paper: dz/dx = 1/x + y, dz/dy = x - cos y.
    let (x, y) = (2.0_f64, 5.0_f64);
    let (paper_dx, paper_dy) = (1.0 / x + y, x - y.cos());
    println!("on paper:     dz/dx = {paper_dx}, dz/dy = {paper_dy}");

    for (tape, paper) in [(dx, paper_dx), (dy, paper_dy)] {
        let off = (tape - paper).abs().sum();
        assert!(off <= 1e-15 * paper.abs(), "{tape} by the tape is {off:e} off {paper}");
    }
}
