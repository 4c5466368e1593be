//! The runs on which a rule is compared with its paper, from the simplest to the roughest.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use wengert_autodiff::Tensor;
use wengert_optim::Rule;

use super::hand::Slip;
use super::papers::Paper;

/// Where some tensors start, and the gradients that each gets, step by step; `None` is a step without.
pub(super) struct Scene {
    pub(super) name: String,
    pub(super) start: Vec<Tensor<f64>>,
    pub(super) gradients: Vec<Vec<Option<Tensor<f64>>>>,
}

/// All elements of all tensors after each step, the start first.
pub(super) type Path = Vec<Vec<f64>>;

pub(super) fn all() -> Vec<Scene> {
    let alternating = (0..12).map(|t| if t % 2 == 0 { 1.0 } else { -1.0 });
    let pauses = (0..16).map(|t| if t % 5 == 0 { 1.0 } else { 0.0 });
    let mut scenes = vec![
        line("from p = 1", 1.0, [1.0; 12].into()),
        line("from p = 1", 1.0, alternating.collect()),
        line("from p = 1", 1.0, pauses.collect()),
        line("from p = 1 without a gradient at first", 1.0, vec![0.0, 0.0, 0.0, 1.0, 1.0, 0.0]),
        line("from p = 0", 0.0, [1e-6; 12].into()),
        line("from p = 0", 0.0, vec![1e3, 1e-3, -1e-3, 1e-9, 1e-9, -1e-9]),
        extremes(),
    ];
    scenes.extend((0..4).map(random));
    scenes.push(long());
    scenes
}

/// One number.
fn line(from: &str, start: f64, gradients: Vec<f64>) -> Scene {
    let one = |x| Tensor::from_elem(vec![1], x);
    Scene {
        name: from.to_owned(),
        start: vec![one(start)],
        gradients: gradients.into_iter().map(|g| vec![Some(one(g))]).collect(),
    }
}

/// Elements of sizes that no network should have.
fn extremes() -> Scene {
    let sizes: Tensor<f64> =
        ndarray::arr1(&[1e-100, 1e-30, 1e-12, 1e-4, 1e4, 1e12, 1e30, 1e100]).into_dyn().into();
    let step = |t: i32| if t % 3 == 2 { sizes.mapv(|g| -0.5 * g) } else { sizes.to_owned() };
    Scene {
        name: "elements with gradients from 1e-100 to 1e100".to_owned(),
        start: vec![Tensor::zeros(vec![8])],
        gradients: (0..12).map(|t| vec![Some(step(t).into_shared())]).collect(),
    }
}

/// Three tensors. The last one starts late, and all miss a gradient now and then.
fn random(seed: u64) -> Scene {
    let rng = &mut StdRng::seed_from_u64(seed);
    let shapes = [vec![2, 3], vec![4], vec![1]];
    let mut normal = |shape: &Vec<usize>, scale: f64| {
        Tensor::from_shape_simple_fn(shape.clone(), || -> f64 {
            let (x, kept): (f64, f64) = (StandardNormal.sample(rng), rng.random());
            if kept < 0.15 { 0.0 } else { scale * x }
        })
    };
    let start = shapes.iter().map(|shape| normal(shape, 1.0)).collect();
    let mut gradients = Vec::new();
    for t in 0..40 {
        let mut of_step: Vec<_> =
            shapes.iter().map(|shape| Some(normal(shape, f64::powi(10.0, t % 4 - 2)))).collect();
        for (i, gradient) in of_step.iter_mut().enumerate() {
            if (i == 2 && t < 5) || (t as u64 * 7 + seed + i as u64).is_multiple_of(6) {
                *gradient = None;
            }
        }
        gradients.push(of_step);
    }
    Scene { name: format!("three tensors that miss some gradients, seed {seed}"), start, gradients }
}

/// Long enough for averages to settle.
fn long() -> Scene {
    let rng = &mut StdRng::seed_from_u64(9);
    let step = |t: i32| {
        let at = |i: usize| (f64::from(t) * 0.05 * (1.0 + i as f64)).sin();
        let noise = Tensor::from_shape_fn(vec![4], |i| at(i[0]) + 0.3 * rng.sample::<f64, _>(StandardNormal));
        vec![Some(noise)]
    };
    Scene {
        name: "300 steps".to_owned(),
        start: vec![Tensor::from_elem(vec![4], 0.5)],
        gradients: (0..300).map(step).collect(),
    }
}

impl Scene {
    /// What a rule makes of it. Of several, each does its share of the steps and hands the state on. The tensors take
    /// turns in who comes first.
    pub(super) fn played<R: Rule<f64>>(&self, rules: &[R]) -> Path {
        let mut tensors = self.start.clone();
        let mut states: Vec<Option<R::State>> = vec![None; tensors.len()];
        let mut path = vec![flat(&tensors)];
        for (t, gradients) in self.gradients.iter().enumerate() {
            let rule = &rules[t * rules.len() / self.gradients.len()];
            let mut update = |i: usize| {
                if let Some(gradient) = &gradients[i] {
                    let state = states[i].get_or_insert_with(|| rule.init(&tensors[i]));
                    rule.update(&mut tensors[i], gradient, state);
                }
            };
            if t % 2 == 0 {
                (0..gradients.len()).for_each(&mut update)
            } else {
                (0..gradients.len()).rev().for_each(&mut update)
            };
            path.push(flat(&tensors));
        }
        path
    }

    /// What the papers make of it. With `rounding`, each gradient is off by as much as rounding might be.
    pub(super) fn written<M: Paper>(&self, meant: &[M], slip: Slip, rounding: bool) -> Path {
        let start = flat(&self.start);
        let mut cells: Vec<_> = start.iter().map(|&p| (meant[0].cell(p), 0.0)).collect();
        let mut path = vec![start];
        for (t, gradients) in self.gradients.iter().enumerate() {
            let meant = &meant[t * meant.len() / self.gradients.len()];
            for ((i, (cell, count)), g) in cells.iter_mut().enumerate().zip(self.flat(gradients)) {
                if let Some(g) = g {
                    *count += 1.0;
                    let off = if rounding { ((3 * t + i) % 5) as f64 - 2.0 } else { 0.0 };
                    meant.step(slip, *count, g * (1.0 + 2.0 * off * f64::EPSILON), cell);
                }
            }
            path.push(cells.iter().map(|(cell, _)| cell.p).collect());
        }
        path
    }

    /// The gradients of a step, element by element.
    fn flat(&self, gradients: &[Option<Tensor<f64>>]) -> Vec<Option<f64>> {
        let of_tensor = |(gradient, start): (&Option<Tensor<f64>>, &Tensor<f64>)| match gradient {
            Some(gradient) => gradient.iter().map(|&g| Some(g)).collect(),
            None => vec![None; start.len()],
        };
        gradients.iter().zip(&self.start).flat_map(of_tensor).collect()
    }

    /// The gradients that an element got until after this step.
    pub(super) fn gradients_of(&self, element: usize, steps: usize) -> Vec<f64> {
        self.gradients[..steps].iter().filter_map(|gradients| self.flat(gradients)[element]).collect()
    }
}

fn flat(tensors: &[Tensor<f64>]) -> Vec<f64> {
    tensors.iter().flat_map(|tensor| tensor.iter().copied()).collect()
}
