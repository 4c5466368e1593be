//! What the framework costs where there is next to nothing to compute: a training step of a tiny network, through the
//! public API and written by hand.
//!
//!     cargo run --release --example tiny
//!
//! The network is 6-64-8-4 with ReLU, 1004 parameters. A step takes one row: forward, cross entropy, backward, RMSProp.
//! The hand-written step is plain loops over `Vec<f32>`, with buffers that are made once. Prints microseconds per step
//! of both and their ratio, which we want to be at most 2; asserts that after 1000 steps the parameters agree to 1e-4.

use std::time::{Duration, Instant};

use clap::Parser;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::ndarray::ArrayView2;
use wengert::prelude::*;

const WIDTHS: [usize; 4] = [6, 64, 8, 4];
const ROWS: usize = 256;
/// A round: every round starts from the same parameters. In a run without end the averages of units that died become
/// denormal numbers, which are slow.
const STEPS: usize = 1000;
const LR: f32 = 1e-3;
const RHO: f32 = 0.99;
const EPS: f32 = 1e-8;

#[derive(Parser)]
struct Args {
    /// For how long to measure
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// Leave out the hand-written step: for a profiler
    #[arg(long)]
    profile: bool,
}

struct Data {
    x: Vec<[f32; WIDTHS[0]]>,
    labels: Vec<usize>,
}

impl Data {
    /// The label is the largest of the first four inputs.
    fn new(rng: &mut StdRng) -> Self {
        let x: Vec<[f32; WIDTHS[0]]> = (0..ROWS).map(|_| rng.random()).collect();
        let largest = |x: &[f32; 6]| (1..WIDTHS[3]).fold(0, |best, i| if x[i] > x[best] { i } else { best });
        let labels = x.iter().map(largest).collect();
        Self { x, labels }
    }
}

#[derive(Clone)]
struct Net {
    first: Dense,
    second: Dense,
    third: Dense,
}

module!(Net { first, second, third });

impl Net {
    fn new(rng: &mut StdRng) -> Self {
        let [inputs, wide, narrow, classes] = WIDTHS;
        Self {
            first: Dense::new(inputs, wide, rng),
            second: Dense::new(wide, narrow, rng),
            third: Dense::new(narrow, classes, rng),
        }
    }

    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        let h = self.first.forward(x).relu();
        self.third.forward(self.second.forward(h).relu())
    }
}

struct WithFramework {
    net: Net,
    opt: Optimizer<RmsProp>,
    tape: Tape,
}

impl WithFramework {
    fn new(net: &Net) -> Self {
        let rule = RmsProp { lr: LR.into(), rho: RHO.into(), ..RmsProp::default() };
        Self { net: net.clone(), opt: Optimizer::new(rule), tape: Tape::new() }
    }

    fn step(&mut self, x: &[f32; WIDTHS[0]], label: usize) -> f32 {
        self.tape.reset();
        let x: Tensor = ArrayView2::from(&[*x]).to_owned().into_tensor();
        let loss = self.net.forward(self.tape.constant(x)).cross_entropy(&[label]);
        let grads = loss.backward();
        self.opt.step(&mut self.net, &grads);
        loss.item()
    }
}

struct ByHand {
    layers: Vec<HandLayer>,
}

/// `z = W x + b` and what its gradient and update need.
struct HandLayer {
    inputs: usize,
    w: Vec<f32>,
    b: Vec<f32>,
    /// The activations that came in, and the gradient with respect to them.
    x: Vec<f32>,
    dx: Vec<f32>,
    z: Vec<f32>,
    dw: Vec<f32>,
    dz: Vec<f32>,
    vw: Vec<f32>,
    vb: Vec<f32>,
}

impl ByHand {
    fn new(net: &Net) -> Self {
        Self { layers: [&net.first, &net.second, &net.third].map(HandLayer::new).into() }
    }

    #[inline(never)]
    fn step(&mut self, x: &[f32; WIDTHS[0]], label: usize) -> f32 {
        let [first, second, third] = &mut self.layers[..] else { unreachable!("three layers") };
        first.x.copy_from_slice(x);
        first.forward();
        relu(&first.z, &mut second.x);
        second.forward();
        relu(&second.z, &mut third.x);
        third.forward();

        let max = third.z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = third.z.iter().map(|z| (z - max).exp()).sum();
        let loss = sum.ln() + max - third.z[label];
        for (dz, z) in third.dz.iter_mut().zip(&third.z) {
            *dz = (z - max).exp() / sum;
        }
        third.dz[label] -= 1.0;

        third.backward();
        third.input_gradient();
        relu_gradient(&third.dx, &second.z, &mut second.dz);
        second.backward();
        second.input_gradient();
        relu_gradient(&second.dx, &first.z, &mut first.dz);
        first.backward(); // the gradient of the data is not needed

        for layer in [first, second, third] {
            rmsprop(&mut layer.w, &layer.dw, &mut layer.vw);
            rmsprop(&mut layer.b, &layer.dz, &mut layer.vb);
        }
        loss
    }
}

impl HandLayer {
    fn new(dense: &Dense) -> Self {
        let (outputs, inputs) = (dense.weight.shape()[0], dense.weight.shape()[1]);
        let zeros = |n| vec![0.0; n];
        Self {
            inputs,
            w: dense.weight.value().iter().copied().collect(),
            b: bias(dense).value().iter().copied().collect(),
            x: zeros(inputs),
            dx: zeros(inputs),
            z: zeros(outputs),
            dw: zeros(outputs * inputs),
            dz: zeros(outputs),
            vw: zeros(outputs * inputs),
            vb: zeros(outputs),
        }
    }

    fn forward(&mut self) {
        for ((z, row), b) in self.z.iter_mut().zip(self.w.chunks_exact(self.inputs)).zip(&self.b) {
            *z = b + row.iter().zip(&self.x).map(|(w, x)| w * x).sum::<f32>();
        }
    }

    fn backward(&mut self) {
        for (row, dz) in self.dw.chunks_exact_mut(self.inputs).zip(&self.dz) {
            for (dw, x) in row.iter_mut().zip(&self.x) {
                *dw = dz * x;
            }
        }
    }

    fn input_gradient(&mut self) {
        self.dx.fill(0.0);
        for (row, dz) in self.w.chunks_exact(self.inputs).zip(&self.dz) {
            for (dx, w) in self.dx.iter_mut().zip(row) {
                *dx += dz * w;
            }
        }
    }
}

fn relu(z: &[f32], y: &mut [f32]) {
    for (y, z) in y.iter_mut().zip(z) {
        *y = z.max(0.0);
    }
}

fn relu_gradient(dy: &[f32], z: &[f32], dz: &mut [f32]) {
    for ((dz, dy), &z) in dz.iter_mut().zip(dy).zip(z) {
        *dz = if z > 0.0 { *dy } else { 0.0 };
    }
}

fn rmsprop(p: &mut [f32], g: &[f32], v: &mut [f32]) {
    for ((p, g), v) in p.iter_mut().zip(g).zip(v) {
        *v = RHO * *v + (1.0 - RHO) * g * g;
        *p -= LR * g / (v.sqrt() + EPS);
    }
}

/// Seconds per step over one round.
fn round(data: &Data, mut step: impl FnMut(&[f32; WIDTHS[0]], usize) -> f32) -> f64 {
    let start = Instant::now();
    for i in (0..ROWS).cycle().take(STEPS) {
        std::hint::black_box(step(&data.x[i], data.labels[i]));
    }
    start.elapsed().as_secs_f64() / STEPS as f64
}

fn largest_difference(net: &Net, hand: &ByHand) -> f32 {
    let difference = |ours: &Param, theirs: &[f32]| {
        assert_eq!(ours.value().len(), theirs.len());
        ours.value().iter().zip(theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    let pairs = [&net.first, &net.second, &net.third].into_iter().zip(&hand.layers);
    let both = |(dense, layer): (&Dense, &HandLayer)| {
        difference(&dense.weight, &layer.w).max(difference(bias(dense), &layer.b))
    };
    pairs.map(both).fold(0.0, f32::max)
}

fn bias(dense: &Dense) -> &Param {
    dense.bias.as_ref().expect("`Dense::new` makes one")
}

fn main() {
    let args = Args::parse();
    let rng = &mut StdRng::seed_from_u64(0);
    let (data, net) = (Data::new(rng), Net::new(rng));
    let (mut ours, mut by_hand) = (Vec::new(), Vec::new());
    let (start, duration) = (Instant::now(), Duration::from_secs_f64(args.seconds));
    // In turns, so that a disturbance hits both.
    while ours.is_empty() || start.elapsed() < duration {
        let mut framework = WithFramework::new(&net);
        ours.push(round(&data, |x, label| framework.step(x, label)));
        if !args.profile {
            let mut hand = ByHand::new(&net);
            by_hand.push(round(&data, |x, label| hand.step(x, label)));
            let difference = largest_difference(&framework.net, &hand);
            assert!(difference <= 1e-4, "the parameters differ by {difference:e} after {STEPS} steps");
            if by_hand.len() == 1 {
                println!("largest difference of a parameter after {STEPS} steps: {difference:.1e}");
            }
        }
    }
    let ours = report("through the public API", ours);
    if !args.profile {
        println!("ratio {:.2}", ours / report("by hand", by_hand));
    }
}

/// Prints and returns the median.
fn report(name: &str, mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    println!("{name}: {:.3} µs per step (median of {} rounds)", 1e6 * median, seconds.len());
    median
}
