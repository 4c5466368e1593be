//! 1957: a machine that learns from its mistakes (Rosenblatt, "The Perceptron: a perceiving and recognizing automaton",
//! Cornell Aeronautical Laboratory, report 85-460-1).
//!
//! It answers with the sign of `w · x`. Where that is wrong, `w ← w + y x`, which is a step of length 1 down the loss
//! `-y w · x`; where it is right, nothing happens. What it is known for was proved a few years later (Block,
//! Novikoff, 1962): if some direction divides the points with a margin γ, and none is further out than R, it makes at
//! most (R / γ)² mistakes, in whatever order the points come. Should divide all points, within that bound.

use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::prelude::*;
use wengert_lab::{Axis, Figure, Style};

const POINTS: usize = 200;
const MARGIN: f32 = 0.08;
/// Divides the points: `0.6 x + 0.8 y = 0.1`, in the coordinates of the points as a vector of length 1.
const TEACHER: [f32; 3] = [0.597, 0.796, -0.0995];

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Points of a square, with a third coordinate of 1 for the threshold, and on which side of the teacher they are.
fn points(rng: &mut StdRng) -> Vec<([f32; 3], f32)> {
    let mut points = Vec::new();
    while points.len() < POINTS {
        let x = [rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0), 1.0];
        let side = dot(&TEACHER, &x);
        if side.abs() > MARGIN {
            points.push((x, side.signum()));
        }
    }
    points
}

/// The line `w · (x, y, 1) = 0` across the square.
fn line(w: &Tensor) -> Vec<(f64, f64)> {
    let [a, b, c] = [0, 1, 2].map(|i| f64::from(w[i]));
    [-1.0, 1.0].map(|x| (x, -(a * x + c) / b)).to_vec()
}

fn main() {
    let points = points(&mut StdRng::seed_from_u64(0));
    let radius = points.iter().map(|(x, _)| dot(x, x)).fold(0.0, f32::max).sqrt();
    let length = dot(&TEACHER, &TEACHER).sqrt();
    let bound = (radius * length / MARGIN).powi(2);

    let mut w: Param = Param::new([0.0, 0.0, 0.0]);
    let mut opt = Optimizer::new(Sgd { lr: 1.0, ..Sgd::default() });
    let mut tape = Tape::new();
    let (mut mistakes, mut passes, mut first) = (0, 0, Vec::new());
    loop {
        let before = mistakes;
        for (x, y) in &points {
            tape.reset();
            let agreement = (tape.param(&w) * tape.constant(*x)).sum() * *y;
            if agreement.item() <= 0.0 {
                mistakes += 1;
                let grads = (-agreement).backward();
                opt.step(&mut w, &grads);
            }
        }
        passes += 1;
        if passes == 1 {
            first = line(w.value());
        }
        if mistakes == before {
            break;
        }
        assert!((mistakes as f32) <= bound, "{mistakes} mistakes, at most {bound:.0} were proved");
    }
    println!("{mistakes} mistakes in {passes} passes; proved: at most {bound:.0}");
    assert!(mistakes > 0, "it knew everything before");

    let side = |side: f32| {
        let found = points.iter().filter(|(_, y)| *y == side);
        found.map(|(x, _)| (f64::from(x[0]), f64::from(x[1]))).collect()
    };
    let figure = Figure::new("A perceptron divides points", Axis::linear("x"), Axis::linear("y"))
        .with("yes", Style::Marks, side(1.0))
        .with("no", Style::Marks, side(-1.0))
        .with("after one pass", Style::Expected, first)
        .with("in the end", Style::Line, line(w.value()));
    wengert_milestones::draw("1957_perceptron", &figure);
}
