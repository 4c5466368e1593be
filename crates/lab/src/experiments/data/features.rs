//! Features of different sizes, and features that are seldom there.

use ndarray::{Array2, ArrayD, IxDyn};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};
use wengert_autodiff::{Gradients, IntoTensor, Param, Tensor, module};
use wengert_optim::inspect::Explain;
use wengert_optim::{AdaGrad, Adam, Optimizer, RmsProp, Rule, Sgd};

use crate::experiments::points::{over_steps, thin};
use crate::experiments::series::{steps_until, tail_mean};
use crate::{Axis, Check, Expected, Experiment, Figure, Outcome, Runner, Style, eigenvalues};

pub(crate) const ALL: &[Experiment] = &[SCALING, SPARSE];

const SCALING: Experiment = Experiment {
    name: "feature-scaling",
    claim: "Adaptive rates stay stable when a feature is scaled up, where plain descent diverges; but stable \
            is not accurate: RMSProp's floor grows with the square of the scale.",
    formula: "descent diverges if η λ_max > 2, by |1 - η λ_max| per step; RMSProp at η_t ends at ½ Σ hᵢ \
              (η_t/2)²",
    source: "Against \"extraordinary robustness to input scaling\". Least squares on 256 × 2 normal numbers, \
             the second feature times s; counts depend on the draw, so they are bounded; the floor and the \
             growth are closed forms.",
    code: concat!(
        "let runner = Runner::scheduled(\"RMSProp\", rule, start, |rule: &mut RmsProp, step| {\n",
        "    rule.lr = 0.1 / ((step + 1) as f64).sqrt();\n",
        "});",
    ),
    run: scaling,
};

const SPARSE: Experiment = Experiment {
    name: "sparse-features",
    claim: "AdaGrad gives a feature seen once in 100 steps ten times the rate; RMSProp's boost of a rare \
            feature is capped at 1/√(1 - ρ), and is gone where a missing feature brings no gradient \
            instead of a zero.",
    formula: "AdaGrad: √(n / n_rare); RMSProp: v ≥ (1 - ρ) g² at a hit, so the step is at most η/√(1 - ρ)",
    source: "The example of \"and\" and \"kaleidoscope\"; the cap follows from one line of the update. The \
             means, 3.058 η and 7.404 η, are those of 2 million hits drawn by a few lines of Python; often \
             quoted are 3.06 and, from fewer hits, 7.38.",
    code: concat!(
        "let rates = rule.effective_lr(&words, &state);\n",
        "println!(\"{}\", rates[1] / rates[0]); // rare over frequent",
    ),
    run: sparse,
};

const STEPS: u64 = 2000;

/// `½ (w - w*)ᵀ H (w - w*)`: the mean squared error of a linear model without noise.
struct LeastSquares {
    h: [[f64; 2]; 2],
    best: [f64; 2],
}

impl LeastSquares {
    /// The targets are the same for every scale of the second feature.
    fn new(scale: f64) -> Self {
        let rng = &mut StdRng::seed_from_u64(0);
        let x = Array2::from_shape_fn((256, 2), |(_, j)| {
            let x: f64 = StandardNormal.sample(rng);
            if j == 1 { scale * x } else { x }
        });
        let h = x.t().dot(&x) / 256.0;
        Self { h: [[h[(0, 0)], h[(0, 1)]], [h[(1, 0)], h[(1, 1)]]], best: [1.0, -2.0 / scale] }
    }

    fn gradient(&self, w: &Tensor<f64>) -> [f64; 2] {
        let d = [w[0] - self.best[0], w[1] - self.best[1]];
        self.h.map(|row| row[0] * d[0] + row[1] * d[1])
    }

    /// The loss before the first step and after each, until it passes 1e30.
    fn losses(&self, mut runner: Runner, steps: u64) -> Vec<f64> {
        let loss = |w: &Tensor<f64>| {
            let g = self.gradient(w);
            0.5 * (g[0] * (w[0] - self.best[0]) + g[1] * (w[1] - self.best[1]))
        };
        let mut losses = vec![loss(runner.param())];
        for _ in 0..steps {
            let gradient = self.gradient(runner.param()).into_tensor();
            runner.step(&gradient);
            losses.push(loss(runner.param()));
            if losses.last().is_some_and(|loss| loss.is_nan() || *loss > 1e30) {
                break;
            }
        }
        losses
    }
}

fn scaling() -> Outcome {
    let mut checks = Vec::new();
    let mut figure =
        Figure::new("Least squares, second feature × 100", Axis::linear("step"), Axis::log("loss"));
    let floors = Figure::new("RMSProp's floor", Axis::log("scale of a feature"), Axis::log("loss"));
    let (mut measured, mut expected) = (Vec::new(), Vec::new());
    for scale in [1.0, 10.0, 100.0, 1000.0] {
        let problem = LeastSquares::new(scale);
        let curves = runners().map(|runner| (runner.name.clone(), problem.losses(runner, STEPS)));
        let [(_, descent), arriving @ .., (_, rms)] = &curves;
        checks.push(descent_check(&problem, descent, scale));
        for (name, losses) in arriving {
            let what = format!("steps to 1e-6, {name}, s = {scale}");
            checks.push(Check::new(what, steps_until(losses, 1e-6), Expected::AtMost(STEPS as f64)));
        }
        let half_step = 0.05 / (STEPS as f64).sqrt();
        let floor = 0.5 * (problem.h[0][0] + problem.h[1][1]) * half_step * half_step;
        let reached = tail_mean(rms, 20);
        // The product of the two features, which the closed form leaves out, is some percent of the squares.
        checks.push(Check::about(format!("floor of RMSProp, s = {scale}"), reached, floor, 0.2));
        measured.push((scale, reached));
        expected.push((scale, floor));
        if scale == 100.0 {
            for (name, losses) in curves {
                let mut shown = over_steps(losses.into_iter().take(400));
                shown.retain(|&(_, loss)| (1e-12..1e6).contains(&loss));
                figure = figure.with(name, Style::Line, shown);
            }
        }
    }
    let floors = floors.with("after 2000 steps", Style::Marks, measured);
    Outcome { checks, figures: vec![figure, floors.with("½ Σ h (η/2)²", Style::Expected, expected)] }
}

/// Plain descent, which may diverge, two rules that arrive, and RMSProp, which ends at its floor.
fn runners() -> [Runner; 4] {
    let start = [0.0; 2];
    let rms = RmsProp { rho: 0.9, ..RmsProp::default() };
    [
        Runner::at("descent, η = 0.1", Sgd { lr: 0.1, ..Sgd::default() }, start),
        Runner::at("AdaGrad, η = 0.5", AdaGrad { lr: 0.5, ..AdaGrad::default() }, start),
        Runner::at("Adam, η = 0.05", Adam { lr: 0.05, ..Adam::default() }, start),
        Runner::scheduled("RMSProp, η = 0.1/√t", rms, start, |rule: &mut RmsProp, step| {
            rule.lr = 0.1 / ((step + 1) as f64).sqrt();
        }),
    ]
}

/// Plain descent arrives or diverges by the largest curvature, and by that factor per step.
fn descent_check(problem: &LeastSquares, losses: &[f64], scale: f64) -> Check {
    let factor = 1.0 - 0.1 * eigenvalues(problem.h)[0];
    if factor.abs() < 1.0 {
        let what = format!("steps to 1e-6, descent, s = {scale}");
        return Check::new(what, steps_until(losses, 1e-6), Expected::AtMost(STEPS as f64));
    }
    let last = losses.len() - 1;
    let growth = (losses[last] / losses[last - 1]).sqrt();
    Check::about(format!("growth of the error per step, descent, s = {scale}"), growth, factor.abs(), 1e-3)
}

fn sparse() -> Outcome {
    let mut checks = vec![Check::about("AdaGrad's rate, rare over frequent", adagrad_ratio(), 10.0, 1e-6)];
    let mut figure =
        Figure::new("Step at a hit, hit probability 0.01", Axis::linear("hit"), Axis::linear("step / η"));
    for (rho, mean) in [(0.9, 3.058), (0.99, 7.404)] {
        let rule = RmsProp { rho, lr: 1.0, ..RmsProp::default() };
        let steps = steps_at_hits(&rule);
        let cap = 1.0 / (1.0 - rho).sqrt();
        let largest = steps.iter().copied().fold(0.0, f64::max);
        checks.push(Check::about(
            format!("mean step at a hit over η, ρ = {rho}"),
            tail_mean(&steps, steps.len()),
            mean,
            0.01,
        ));
        let what = format!("largest step at a hit over η, ρ = {rho}");
        checks.push(Check::new(what, largest, Expected::AtMost(cap + 1e-9)));
        let what = format!("step over η where a miss brings no gradient, ρ = {rho}");
        checks.push(Check::near(what, step_without_zeros(rule), 1.0, 1e-6));
        let points: Vec<_> = (0..).map(f64::from).zip(steps).take(200).collect();
        let last = points.len() as f64;
        figure = figure.with(format!("ρ = {rho}"), Style::Marks, thin(&points)).with(
            format!("1/√(1 - ρ), ρ = {rho}"),
            Style::Expected,
            vec![(0.0, cap), (last, cap)],
        );
    }
    Outcome { checks, figures: vec![figure] }
}

/// One word in every sentence, one in every hundredth.
fn adagrad_ratio() -> f64 {
    let rule = AdaGrad::default();
    let mut words: Tensor<f64> = [0.0, 0.0].into_tensor();
    let mut state = rule.init(&words);
    for sentence in 1..=10_000 {
        let rare = if sentence % 100 == 0 { 1.0 } else { 0.0 };
        rule.update(&mut words, &[1.0, rare].into_tensor(), &mut state);
    }
    let rates = rule.effective_lr(&words, &state);
    rates[1] / rates[0]
}

/// The steps at the hits of 500 words, each hit with probability 0.01 and otherwise given a zero gradient, after the
/// averages have settled.
fn steps_at_hits(rule: &RmsProp) -> Vec<f64> {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut words: Tensor<f64> = ArrayD::zeros(IxDyn(&[500])).into();
    let mut state = rule.init(&words);
    let mut steps = Vec::new();
    for step in 0..4000 {
        let hits: Tensor<f64> = words.mapv(|_| if rng.random_bool(0.01) { 1.0 } else { 0.0 }).into();
        let before = words.clone();
        rule.update(&mut words, &hits, &mut state);
        if step >= 1000 {
            let moved = before.iter().zip(&words).zip(&hits).filter(|&(_, &hit)| hit > 0.0);
            steps.extend(moved.map(|((before, after), _)| before - after));
        }
    }
    steps
}

struct Word {
    weight: Param<f64>,
}

module!(Word: f64 { weight });

/// The last of 5000 steps that the optimizer takes only when the word is there.
fn step_without_zeros(rule: RmsProp) -> f64 {
    let mut word = Word { weight: Param::new([0.0]) };
    let mut optimizer = Optimizer::new(rule);
    let mut moved = f64::NAN;
    for sentence in 0..50_000 {
        let mut grads = Gradients::default();
        if sentence % 10 == 0 {
            grads.set(&word.weight, [1.0]);
        }
        let before = word.weight.value()[0];
        optimizer.step(&mut word, &grads);
        if sentence % 10 == 0 {
            moved = before - word.weight.value()[0];
        }
    }
    moved
}
