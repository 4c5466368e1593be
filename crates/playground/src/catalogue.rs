//! What the page offers: landscapes with the part of them that is shown, and rules.

use std::f64::consts::FRAC_PI_6;

use serde::Serialize;
use serde_json::{Value, json};
use wengert_lab::{Axis, Figure, Landscape};

use crate::rules::kinds;

/// Level lines of a landscape.
const LEVELS: u32 = 14;
/// Points along each axis at which a landscape is looked at for its levels.
const LOOKS: u32 = 48;

/// A landscape and how it is shown.
pub(crate) struct Place {
    name: &'static str,
    formula: &'static str,
    pub(crate) landscape: Landscape,
    /// What is shown of it: the ends of both axes.
    view: [[f64; 2]; 2],
    start: [f64; 2],
    /// The levels are the lowest height and a share of the rest, which grows like this power: a landscape that is flat
    /// somewhere and steep elsewhere needs more of them low down.
    power: i32,
}

const WIDE: [[f64; 2]; 2] = [[-4.0, 4.0], [-3.0, 3.0]];
const NARROW: [[f64; 2]; 2] = [[-2.0, 2.0], [-1.5, 1.5]];

const PLACES: [Place; 8] = [
    Place {
        name: "rosenbrock",
        formula: "(1 − x)² + 100 (y − x²)²",
        landscape: Landscape::Rosenbrock,
        view: [[-2.0, 2.0], [-1.0, 2.0]],
        start: [-1.5, 1.6],
        power: 3,
    },
    Place {
        name: "quadratic",
        formula: "½ (20 u² + w²), axes turned by 30°",
        landscape: Landscape::Quadratic { kappa: 20.0, angle: FRAC_PI_6 },
        view: WIDE,
        start: [-3.0, 2.0],
        power: 2,
    },
    Place {
        name: "beale",
        formula: "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        landscape: Landscape::Beale,
        view: [[-1.0, 4.0], [-2.0, 1.75]],
        start: [0.5, 1.4],
        power: 5,
    },
    Place {
        name: "himmelblau",
        formula: "(x² + y − 11)² + (x + y² − 7)²",
        landscape: Landscape::Himmelblau,
        view: [[-6.0, 6.0], [-4.5, 4.5]],
        start: [-0.5, -1.0],
        power: 3,
    },
    Place {
        name: "saddle",
        formula: "½ (x² − y²)",
        landscape: Landscape::Saddle,
        view: NARROW,
        start: [-1.5, 0.01],
        power: 1,
    },
    Place {
        name: "two wells",
        formula: "(x² − 1)² + 0.3 x + ½ y²",
        landscape: Landscape::TwoWells { tilt: 0.3 },
        view: NARROW,
        start: [1.8, 1.0],
        power: 2,
    },
    Place {
        name: "steep to flat",
        formula: "9.9 ln(1 + eˣ) + 0.1 x + ½ y²",
        landscape: Landscape::SteepToFlat,
        view: [[-6.0, 4.0], [-3.75, 3.75]],
        start: [3.0, 2.0],
        power: 1,
    },
    Place {
        name: "drifting bowl",
        formula: "½ ‖p − (0.006, 0.003) t‖²",
        landscape: Landscape::Drifting { velocity: [0.006, 0.003], step: 0 },
        view: WIDE,
        start: [-3.0, -2.0],
        power: 2,
    },
];

/// The landscape of this name.
pub(crate) fn place(name: &str) -> Result<&'static Place, String> {
    let found = PLACES.iter().find(|place| place.name == name);
    found.ok_or_else(|| format!("there is no landscape `{name}`"))
}

/// Everything the page offers.
pub(crate) fn catalogue() -> Value {
    let landscape = |place: &Place| {
        json!({
            "name": place.name,
            "formula": place.formula,
            "view": place.view,
            "start": place.start,
            "moves": place.landscape.at(1) != place.landscape.at(0),
        })
    };
    let landscapes: Vec<_> = PLACES.iter().map(landscape).collect();
    let rules: Vec<_> =
        kinds().iter().map(|kind| json!({ "name": kind.name, "options": (kind.options)() })).collect();
    json!({ "landscapes": landscapes, "rules": rules })
}

#[derive(Serialize)]
pub(crate) struct Contours {
    lines: Vec<Line>,
}

/// A level line.
#[derive(Serialize)]
struct Line {
    /// 1 for the lowest level, and less for those above.
    strength: f32,
    /// `x, y, x, y, …`
    points: Vec<f32>,
}

impl Place {
    pub(crate) fn contours(&self, step: u64) -> Contours {
        let (landscape, [x, y]) = (self.landscape.at(step), self.view);
        let levels = self.levels(landscape);
        let figure = Figure::new("", Axis::linear("x"), Axis::linear("y"));
        let figure = figure.over(landscape, x[0]..=x[1], y[0]..=y[1], &levels);
        let line = |(level, line): &(f64, Vec<(f64, f64)>)| {
            let rank = levels.iter().filter(|other| *other < level).count();
            Line {
                strength: 1.0 - 0.7 * rank as f32 / LEVELS as f32,
                points: line.iter().flat_map(|&(x, y)| [x as f32, y as f32]).collect(),
            }
        };
        Contours { lines: figure.contours.iter().map(line).collect() }
    }

    fn levels(&self, landscape: Landscape) -> Vec<f64> {
        let [x, y] = self.view;
        let at = |[low, high]: [f64; 2], i: u32| low + (high - low) * f64::from(i) / f64::from(LOOKS);
        let heights = (0..=LOOKS).flat_map(|i| (0..=LOOKS).map(move |j| (i, j)));
        let heights = heights.map(|(i, j)| landscape.value([at(x, i), at(y, j)]));
        let (low, high) =
            heights.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), h| (low.min(h), high.max(h)));
        let share = |i: u32| (f64::from(i) / f64::from(LEVELS + 1)).powi(self.power);
        (1..=LEVELS).map(|i| low + (high - low) * share(i)).collect()
    }
}
