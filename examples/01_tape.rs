//! The tape by hand: what `backward` does, seen from the outside.
//!
//! Shows the list that one expression writes, and compares the gradient with the one from the chain rule on paper.
//! Should print both and end with "equal".

use wengert::ndarray::arr0;
use wengert::prelude::*;

fn main() {
    let tape = Tape::new();
    let x = tape.variable(arr0(2.0_f64));
    let y = tape.variable(arr0(5.0));

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

    let close = |a: &Tensor<f64>, b: f64| (a.first().unwrap() - b).abs() < 1e-15 * b.abs();
    println!("{}", if close(dx, paper_dx) && close(dy, paper_dy) { "equal" } else { "different!" });
}
