//! A small network on images of digits: what is left of the claims where nothing is a closed form.

use std::path::PathBuf;

use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use rayon::prelude::*;
use wengert_autodiff::Tape;
use wengert_data::metrics::Accuracy;
use wengert_data::{ImageDataset, mnist, synthetic};
use wengert_layers::{Activation, Dense, Layer, Sequential};
use wengert_optim::{AdaGrad, Adam, Epsilon, Optimizer, RmsProp, Rule, Sgd};

use crate::{Axis, Check, Expected, Experiment, Figure, Outcome, Series, Style};

pub(crate) const ALL: &[Experiment] = &[EPSILON, FIVE];

const EPSILON: Experiment = Experiment {
    name: "epsilon-on-digits",
    claim: "A loss scaled by 1e-3 changes nothing with ε = 1e-8 outside the root, and cripples RMSProp with \
            the same ε inside.",
    formula: "outside: √v + 1e-8; inside: √(v + 1e-8), which acts like 1e-4",
    source: "Scale invariance is claimed without naming the place of ε. Here on generated digits, as a mean \
             over seeds; with WENGERT_MNIST_DIR also on MNIST, where a reference in NumPy had 0.853 against \
             0.533 (one seed).",
    code: concat!(
        "let loss = net.forward(x).cross_entropy(&labels) * 1e-3;\n",
        "let rule = RmsProp { lr: 1e-3, rho: 0.9, eps: Epsilon::Inside(1e-8), ..RmsProp::default() };",
    ),
    run: epsilon,
};

const FIVE: Experiment = Experiment {
    name: "five-optimizers-on-digits",
    claim: "Five optimizers with customary rates end within a few percent of each other; what differs is the \
            first epoch, in which plain descent is behind.",
    formula: "held-out accuracy after each epoch, mean and spread over seeds",
    source: "Rankings of optimizers rarely say how much is noise. On generated digits; with \
             WENGERT_MNIST_DIR also on MNIST, where a reference in NumPy ended between 0.896 and 0.923.",
    code: concat!(
        "for batch in train.batches(128).shuffle(rng) {\n",
        "    tape.reset();\n",
        "    let loss = net.forward(tape.constant(batch.x)).cross_entropy(&batch.labels);\n",
        "    opt.step(&mut net, &loss.backward());\n",
        "}",
    ),
    run: five,
};

/// Without optimisation the same is shown on less.
const SIZES: (usize, usize) = if cfg!(debug_assertions) { (2000, 500) } else { (8000, 2000) };
const SEEDS: u64 = 3;

/// Images to train on and images to be measured on.
struct Images {
    name: &'static str,
    train: ImageDataset,
    test: ImageDataset,
}

impl Images {
    fn generated() -> Self {
        let (train, test) = synthetic::digits(SIZES.0 + SIZES.1, 0).split_at(SIZES.0);
        Self { name: "generated digits", train, test }
    }

    /// Of MNIST's test images 8000 to train on and 2000 to be measured on, if there is a folder with the set.
    fn mnist() -> Option<Self> {
        let folder = PathBuf::from(std::env::var_os("WENGERT_MNIST_DIR")?);
        let images = mnist::load(&folder).unwrap_or_else(|error| panic!("WENGERT_MNIST_DIR: {error}")).test;
        // At random, because the last 2000 alone are easier, by three points.
        let mut order: Vec<usize> = (0..images.len()).collect();
        order.shuffle(&mut StdRng::seed_from_u64(0));
        let (train, test) = images.subset(&order).split_at(8000.min(images.len()));
        Some(Self { name: "MNIST", train, test })
    }

    /// The held-out accuracy before training and after each epoch.
    fn accuracies<R: Rule>(&self, rule: R, loss_scale: f32, epochs: usize, seed: u64) -> Vec<f64> {
        let rng = &mut StdRng::seed_from_u64(seed);
        let mut net: Sequential = Sequential::new()
            .with(Dense::new(784, 128, rng))
            .with(Activation::Relu)
            .with(Dense::new(128, 10, rng));
        let mut opt = Optimizer::new(rule);
        let mut tape = Tape::new();
        let mut accuracies = vec![self.accuracy(&net)];
        for _ in 0..epochs {
            for batch in self.train.batches(128).shuffle(rng) {
                tape.reset();
                let loss = net.forward(tape.constant(batch.x)).cross_entropy(&batch.labels) * loss_scale;
                opt.step(&mut net, &loss.backward());
            }
            accuracies.push(self.accuracy(&net));
        }
        accuracies
    }

    fn accuracy(&self, net: &Sequential) -> f64 {
        let tape = Tape::inference();
        let mut accuracy = Accuracy::new();
        for batch in self.test.batches(self.test.len()) {
            accuracy.update(&net.forward(tape.constant(batch.x)).value(), &batch.labels);
        }
        accuracy.value()
    }

    /// [`accuracies`](Self::accuracies) for each seed.
    fn over_seeds<R: Rule>(&self, rule: R, loss_scale: f32, epochs: usize) -> Vec<Vec<f64>> {
        let run = |seed| self.accuracies(rule.clone(), loss_scale, epochs, seed);
        (0..SEEDS).into_par_iter().map(run).collect()
    }
}

/// The mean over seeds after `epoch`, and the lowest and the highest.
fn spread(runs: &[Vec<f64>], epoch: usize) -> (f64, f64, f64) {
    let values = runs.iter().map(|run| run[epoch]);
    let mean = values.clone().sum::<f64>() / runs.len() as f64;
    (mean, values.clone().fold(f64::MAX, f64::min), values.fold(f64::MIN, f64::max))
}

fn epsilon() -> Outcome {
    let (outside, inside) = (Epsilon::Outside(1e-8), Epsilon::Inside(1e-8));
    let cases = [
        ("outside", outside, 1.0),
        ("outside", outside, 1e-3),
        ("inside", inside, 1.0),
        ("inside", inside, 1e-3),
    ];
    let mut outcome = Outcome { checks: Vec::new(), figures: Vec::new() };
    for images in [Some(Images::generated()), Images::mnist()].into_iter().flatten() {
        let mut figure = Figure::new(
            format!("Held-out accuracy after one epoch on {}", images.name),
            Axis::linear("seed"),
            Axis::linear("accuracy"),
        );
        let means = cases.map(|(place, eps, scale)| {
            let runs = images.over_seeds(RmsProp { lr: 1e-3, rho: 0.9, eps, ..RmsProp::default() }, scale, 1);
            let points = (0..).map(f64::from).zip(runs.iter().map(|run| run[1])).collect();
            let name = format!("ε {place}, loss × {scale}");
            figure.series.push(Series { name, style: Style::Marks, points });
            spread(&runs, 1).0
        });
        outcome.checks.extend(epsilon_checks(images.name, means));
        if images.name == "MNIST" {
            // The reference is one seed of another split; where ε rules the step, the initial weights count too.
            let expected = [0.8535, 0.853, 0.8535].map(|value| Expected::Near { value, absolute: 0.03 });
            let expected = expected.into_iter().chain([Expected::AtMost(0.5325 + 0.03)]);
            for ((mean, expected), (place, _, scale)) in means.into_iter().zip(expected).zip(cases) {
                let what = format!("accuracy, ε {place}, loss × {scale}, {}", images.name);
                outcome.checks.push(Check::new(what, mean, expected));
            }
        }
        outcome.figures.push(figure);
    }
    outcome
}

fn epsilon_checks(images: &str, [outside, outside_scaled, inside, inside_scaled]: [f64; 4]) -> [Check; 3] {
    let what = |what: &str| format!("{what}, {images}");
    [
        Check::near(what("ε outside: loss × 1e-3 against loss × 1"), outside_scaled - outside, 0.0, 0.01),
        Check::near(what("loss × 1: ε inside against outside"), inside - outside, 0.0, 0.01),
        Check::new(
            what("accuracy that ε inside loses under loss × 1e-3"),
            inside - inside_scaled,
            Expected::AtLeast(0.1),
        ),
    ]
}

fn five() -> Outcome {
    let mut outcome = Outcome { checks: Vec::new(), figures: Vec::new() };
    for images in [Some(Images::generated()), Images::mnist()].into_iter().flatten() {
        // The reference on MNIST had five; the generated digits are harder, and take longer to the end.
        let epochs = if images.name == "MNIST" { 5 } else { 10 };
        let rms = |rho| RmsProp { lr: 1e-3, rho, ..RmsProp::default() };
        let runs = [
            ("descent, η = 0.1", images.over_seeds(Sgd { lr: 0.1, ..Sgd::default() }, 1.0, epochs)),
            ("RMSProp, ρ = 0.9", images.over_seeds(rms(0.9), 1.0, epochs)),
            ("RMSProp, ρ = 0.99", images.over_seeds(rms(0.99), 1.0, epochs)),
            ("AdaGrad, η = 0.01", images.over_seeds(AdaGrad::default(), 1.0, epochs)),
            ("Adam", images.over_seeds(Adam::default(), 1.0, epochs)),
        ];
        outcome.checks.extend(five_checks(images.name, &runs, epochs));
        let mut figure = Figure::new(
            format!("Held-out accuracy on {}, mean and range of {SEEDS} seeds", images.name),
            Axis::linear("epoch"),
            Axis::linear("accuracy"),
        );
        for (i, (name, runs)) in runs.iter().enumerate() {
            let spreads: Vec<_> = (1..=epochs).map(|epoch| spread(runs, epoch)).collect();
            let mean = (1..).map(f64::from).zip(spreads.iter().map(|&(mean, ..)| mean)).collect();
            figure = figure.with(*name, Style::Line, mean);
            // Moved apart, so that the ranges of different optimizers do not hide each other.
            let x = |epoch: usize| epoch as f64 + 0.06 * (i as f64 - 2.0);
            let ends = (1..=epochs)
                .zip(&spreads)
                .flat_map(|(epoch, &(_, low, high))| [(x(epoch), low), (x(epoch), high)]);
            figure = figure.with(format!("{name}, lowest and highest"), Style::Marks, ends.collect());
        }
        outcome.figures.push(figure);
    }
    outcome
}

fn five_checks(images: &str, runs: &[(&str, Vec<Vec<f64>>); 5], epochs: usize) -> Vec<Check> {
    let mean = |i: usize, epoch| spread(&runs[i].1, epoch).0;
    let adaptive = |epoch: usize| (1..5).map(|i| mean(i, epoch)).fold(f64::MAX, f64::min);
    let ends: Vec<f64> = (0..5).map(|i| mean(i, epochs)).collect();
    let lowest = ends.iter().copied().fold(f64::MAX, f64::min);
    let highest = ends.iter().copied().fold(f64::MIN, f64::max);
    let mut checks = vec![
        Check::new(
            format!("lead of the worst adaptive rule over descent after one epoch, {images}"),
            adaptive(1) - mean(0, 1),
            Expected::AtLeast(0.0),
        ),
        Check::new(
            format!("best minus worst after {epochs} epochs, {images}"),
            highest - lowest,
            Expected::AtMost(0.05),
        ),
    ];
    if images == "MNIST" {
        // The reference is of another split, and its two seeds differ by up to 0.008.
        let expected = [0.8965, 0.9185, 0.9205, 0.919, 0.917];
        checks.extend(runs.iter().zip(ends).zip(expected).map(|(((name, _), end), expected)| {
            Check::near(format!("accuracy after {epochs} epochs, {name}, {images}"), end, expected, 0.02)
        }));
    }
    checks
}
