//! Rules that walk down a landscape.

use serde::{Deserialize, Serialize};
use wengert_autodiff::{IntoTensor, Tensor};
use wengert_lab::Landscape;

use crate::catalogue::place;
use crate::rules::{Choice, Walks};

/// More steps than a screen shows.
const MOST_STEPS: u64 = 5000;
/// Beyond this a walk is over: what is drawn ends far below.
const FAR: f64 = 1e9;

/// From where, how, how far.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Walk {
    landscape: String,
    start: [f64; 2],
    steps: u64,
    rules: Vec<Choice>,
}

#[derive(Serialize)]
pub(crate) struct Paths {
    paths: Vec<Path>,
}

/// A walk, number by number: one before the first step and one after each. It ends early where the point leaves the
/// landscape for good.
#[derive(Default, Serialize)]
struct Path {
    x: Vec<f32>,
    y: Vec<f32>,
    /// The height.
    loss: Vec<f32>,
    /// The effective rate along both axes after each step, so one less than there are points.
    rate: [Vec<f32>; 2],
    /// What stands under the root that the rule divides by, likewise; nothing for a rule without one.
    v: [Vec<f32>; 2],
}

impl Walk {
    pub(crate) fn answer(&self) -> Result<Paths, String> {
        if self.steps > MOST_STEPS {
            return Err(format!("at most {MOST_STEPS} steps, not {}", self.steps));
        }
        let landscape = place(&self.landscape)?.landscape;
        // Like the networks in `f32`: no screen shows more, and the program need not have every rule twice.
        let start = self.start.map(|x| x as f32).into_tensor();
        if !near(landscape.at(0), place_of(&start)) {
            return Err(format!("a start on the landscape, not {:?}", self.start));
        }
        let path = |choice: &Choice| Ok(path(landscape, start.clone(), choice.walker(&start)?, self.steps));
        let paths: Result<_, String> = self.rules.iter().map(path).collect();
        Ok(Paths { paths: paths? })
    }
}

fn place_of(point: &Tensor) -> [f64; 2] {
    [f64::from(point[0]), f64::from(point[1])]
}

/// Whether what is shown of a point can be told in numbers. What is not finite is not near, either.
fn near(landscape: Landscape, point: [f64; 2]) -> bool {
    point.iter().all(|x| x.abs() < FAR) && (landscape.value(point) as f32).is_finite()
}

fn path(landscape: Landscape, mut point: Tensor, mut walker: Box<dyn Walks>, steps: u64) -> Path {
    let mut path = Path::default();
    path.push(landscape.at(0), place_of(&point));
    for step in 0..steps {
        let gradient = landscape.at(step).gradient(place_of(&point));
        walker.step(&mut point, &gradient.map(|x| x as f32).into_tensor());
        if !near(landscape.at(step + 1), place_of(&point)) {
            break;
        }
        path.push(landscape.at(step + 1), place_of(&point));
        for (kept, now) in [(&mut path.rate, Some(walker.rate(&point))), (&mut path.v, walker.v())] {
            for (kept, now) in kept.iter_mut().zip(now.iter().flatten()) {
                kept.push(*now);
            }
        }
    }
    path
}

impl Path {
    fn push(&mut self, landscape: Landscape, point: [f64; 2]) {
        self.x.push(point[0] as f32);
        self.y.push(point[1] as f32);
        self.loss.push(landscape.value(point) as f32);
    }
}
