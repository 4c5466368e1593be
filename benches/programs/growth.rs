//! How the cost of a training step grows with the batch, the width, the depth and the number of parameters.
//!
//!     cargo run --release --example growth -- --out growth
//!
//! One should see the step flat below a batch of some 30, where it costs what the weights cost (packing them for the
//! product, and updating them by RMSProp), then linear in the batch; linear in the depth and in the number of
//! parameters; quadratic in the width. For each curve it prints the slope of the last decade on log-log axes, which is
//! that exponent: 1, 2, 1 and 1. More means that something grows faster than the work: arrays outgrow the caches, or
//! the allocator gives them back to the system, so that every step gets its pages anew. (glibc does with large ones; to
//! see how much that is, compare with `MALLOC_TRIM_THRESHOLD_=4000000000 MALLOC_MMAP_THRESHOLD_=4000000000` before the
//! command.)
//!
//! Writes one SVG for each curve and all points as `growth.csv`. Takes about fifteen seconds.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use plotters::prelude::*;
use rand::{SeedableRng, rngs::StdRng};
use wengert::layers::{Activation, init};
use wengert::prelude::*;

const BLUE: RGBColor = RGBColor(0, 114, 178);

#[derive(Parser)]
struct Args {
    /// Where to write the pictures and the table
    #[arg(long, default_value = "growth")]
    out: PathBuf,
    /// Threads for the matrix products
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// At least this long is timed, for each point
    #[arg(long, default_value_t = 0.2)]
    seconds: f64,
}

/// `depth` hidden layers of `width` units with ReLU, as many inputs, and one number out.
#[derive(Clone, Copy)]
struct Net {
    batch: usize,
    width: usize,
    depth: usize,
}

impl Net {
    /// Weights by He et al.: with the smaller ones of `Dense::new`, what comes through 100 layers is denormal, and
    /// slow.
    fn model(self) -> Sequential {
        let rng = &mut StdRng::seed_from_u64(0);
        let size = [self.width, self.width];
        let hidden = (0..self.depth).fold(Sequential::new(), |model, _| {
            let weight = init::kaiming_normal(&size, init::Fan::In, init::RELU_GAIN, rng).into();
            model.with(Dense { weight, ..Dense::new(self.width, self.width, rng) }).with(Activation::Relu)
        });
        hidden.with(Dense::new(self.width, 1, rng))
    }

    fn parameters(self) -> usize {
        (self.width + 1) * (self.depth * self.width + 1)
    }
}

struct Curve {
    name: &'static str,
    axis: &'static str,
    /// What is measured against what.
    x: fn(Net) -> usize,
    nets: Vec<Net>,
}

/// What is not varied is small, so that the largest point takes a fraction of a second.
fn curves() -> Vec<Curve> {
    let powers = |from: u32, to: u32| (from..=to).map(|power| 1 << power);
    vec![
        Curve {
            name: "batch",
            axis: "batch size (3 hidden layers of 256)",
            x: |net| net.batch,
            nets: powers(0, 12).map(|batch| Net { batch, width: 256, depth: 3 }).collect(),
        },
        Curve {
            name: "width",
            axis: "width (1 hidden layer, batches of 32)",
            x: |net| net.width,
            nets: powers(5, 12).map(|width| Net { batch: 32, width, depth: 1 }).collect(),
        },
        Curve {
            name: "depth",
            axis: "hidden layers (of 64, batches of 32)",
            x: |net| net.depth,
            nets: [1, 2, 3, 5, 10, 20, 30, 50, 100].map(|depth| Net { batch: 32, width: 64, depth }).into(),
        },
        Curve {
            name: "parameters",
            axis: "parameters (4 hidden layers, batches of 32)",
            x: Net::parameters,
            nets: powers(3, 11).map(|width| Net { batch: 32, width, depth: 4 }).collect(),
        },
    ]
}

fn main() -> Result<(), Box<dyn Error>> {
    let args = Args::parse();
    wengert::set_threads(args.threads)?;
    fs::create_dir_all(&args.out)?;
    let mut table = String::from("curve,batch,width,depth,parameters,seconds_per_step\n");
    for curve in curves() {
        let mut points = Vec::new();
        for &net in &curve.nets {
            let seconds = seconds_per_step(net, Duration::from_secs_f64(args.seconds));
            let Net { batch, width, depth } = net;
            table += &format!("{},{batch},{width},{depth},{},{seconds:e}\n", curve.name, net.parameters());
            points.push(((curve.x)(net) as f64, seconds));
        }
        let (first, last) = (points[0], points[points.len() - 1]);
        let slope = slope(&points);
        println!(
            "{:>10}: {:>9.1} µs at {}, {:>9.1} µs at {}; slope of the last decade {slope:.2}",
            curve.name,
            1e6 * first.1,
            first.0,
            1e6 * last.1,
            last.0,
        );
        draw(&args.out.join(format!("{}.svg", curve.name)), curve.axis, &points, slope)?;
    }
    fs::write(args.out.join("growth.csv"), table)?;
    println!("written to {}", args.out.display());
    Ok(())
}

/// The median over at least three steps, after some that warm up.
fn seconds_per_step(net: Net, at_least: Duration) -> f64 {
    let mut model = net.model();
    // At a rate of 0 a step does all its work, and no gradient becomes denormal because everything is learnt.
    let mut opt = Optimizer::new(RmsProp { lr: 0.0, ..RmsProp::default() });
    let mut tape = Tape::new();
    let input = |i: usize| (i * 7 % 11) as f32 / 11.0;
    let x: Tensor = Tensor::from_shape_fn(vec![net.batch, net.width], |i| input(i[0] + 3 * i[1]));
    let target = Tensor::ones(vec![net.batch, 1]);
    let mut step = || {
        let start = Instant::now();
        tape.reset();
        let loss = model.forward(tape.constant(x.clone())).mse(tape.constant(target.clone()));
        let grads = loss.backward();
        opt.step(&mut model, &grads);
        drop(grads);
        start.elapsed().as_secs_f64()
    };

    let warm_up = Instant::now();
    step();
    while warm_up.elapsed() < at_least / 4 {
        step();
    }
    let (start, mut times) = (Instant::now(), Vec::new());
    while times.len() < 3 || start.elapsed() < at_least {
        times.push(step());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The least-squares slope of ln y over ln x, of the points whose x is within a factor of 10 of the last.
fn slope(points: &[(f64, f64)]) -> f64 {
    let last = points[points.len() - 1].0;
    let decade: Vec<_> = points.iter().filter(|p| 10.0 * p.0 >= last).map(|p| (p.0.ln(), p.1.ln())).collect();
    let n = decade.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| decade.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let covariance: f64 = decade.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    covariance / decade.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

fn draw(path: &Path, axis: &str, points: &[(f64, f64)], slope: f64) -> Result<(), Box<dyn Error>> {
    let milliseconds = || points.iter().map(|&(x, seconds)| (x, 1e3 * seconds));
    let (low, high) =
        milliseconds().fold((f64::INFINITY, 0.0_f64), |(low, high), (_, y)| (low.min(y), high.max(y)));
    let decade = |y: f64| 10_f64.powf(y);
    let root = SVGBackend::new(path, (560, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("Time per training step; slope of the last decade {slope:.2}"), ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(
            (points[0].0 * 0.8..points[points.len() - 1].0 * 1.25).log_scale(),
            (decade(low.log10().floor())..decade(high.log10().ceil())).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc(axis)
        .y_desc("ms")
        .x_label_formatter(&|x| format!("{x}"))
        .y_label_formatter(&|y| format!("{y}"))
        .light_line_style(WHITE)
        .draw()?;
    chart.draw_series(LineSeries::new(milliseconds(), BLUE.stroke_width(2)))?;
    chart.draw_series(milliseconds().map(|point| Circle::new(point, 3, BLUE.filled())))?;
    root.present()?;
    Ok(())
}
