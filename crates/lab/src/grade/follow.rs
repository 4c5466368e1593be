//! Whether a rule goes where its paper goes; and if not, which mistake goes where the rule goes.

use wengert_optim::Rule;

use super::hand::Slip;
use super::papers::Paper;
use super::scenes::{self, Path, Scene};
use super::{LawFinding, Verdict, shown};

/// A rule's runs.
pub(super) struct Observed {
    scenes: Vec<Scene>,
    paths: Vec<Path>,
}

impl Observed {
    pub(super) fn new<R: Rule<f64>>(rules: &[R]) -> Self {
        let scenes = scenes::all();
        let paths = scenes.iter().map(|scene| scene.played(rules)).collect();
        Self { scenes, paths }
    }

    /// Whether it goes where the papers go, the smallest case first.
    pub(super) fn follows<M: Paper>(&self, meant: &[M], slip: Slip) -> Verdict {
        self.scenes.iter().zip(&self.paths).try_for_each(|(scene, path)| {
            let expected = scene.written(meant, slip, false);
            let rounded = scene.written(meant, slip, true);
            match departure(path, &expected, &rounded) {
                None => Ok(()),
                Some((step, element)) => Err(case(scene, path, &expected, step, element)),
            }
        })
    }

    /// The known mistake that makes every step of the runs.
    pub(super) fn mistake<M: Paper>(&self, meant: &M) -> Option<&'static str> {
        let mut mistakes = meant.mistakes().into_iter();
        mistakes.find(|(_, mistaken, slip)| self.follows(&[*mistaken], *slip).is_ok()).map(|(says, ..)| says)
    }

    /// Whether every step is the same, to the bit.
    fn same(&self, other: &Self) -> bool {
        self.paths.iter().flatten().flatten().map(|p| p.to_bits()).eq(other
            .paths
            .iter()
            .flatten()
            .flatten()
            .map(|p| p.to_bits()))
    }
}

/// Whether rounding decides some of the paper's steps, which then cannot be compared.
pub(super) fn is_rounding<M: Paper>(meant: &M) -> bool {
    scenes::all().iter().any(|scene| {
        let [path, rounded] = [false, true].map(|rounding| scene.written(&[*meant], Slip::None, rounding));
        let mut pairs = path.iter().flatten().zip(rounded.iter().flatten());
        pairs.any(|(a, b)| (a - b).abs() > 1e-6 * a.abs().max(1e-6))
    })
}

/// The first step, and element, in which two paths part by more than rounding explains. `rounded` is the expected path
/// from gradients that are off in the last digits.
fn departure(path: &Path, expected: &Path, rounded: &Path) -> Option<(usize, usize)> {
    let elements = expected[0].len();
    let (mut length, mut noise) = (vec![0.0; elements], vec![0.0_f64; elements]);
    for t in 1..expected.len() {
        for i in 0..elements {
            let (p, q) = (path[t][i], expected[t][i]);
            length[i] += (q - expected[t - 1][i]).abs();
            noise[i] = noise[i].max((q - rounded[t][i]).abs());
            let tolerance = 1e-11 * length[i] + 1e-15 * t as f64 * q.abs() + 1e3 * noise[i];
            let alike = p == q || (p.is_nan() && q.is_nan()) || (p - q).abs() <= tolerance;
            if !alike {
                return Some((t, i));
            }
        }
    }
    None
}

fn case(scene: &Scene, path: &Path, expected: &Path, step: usize, element: usize) -> String {
    let moved = |path: &Path| path[step - 1][element] - path[step][element];
    let gradients = scene.gradients_of(element, step);
    let place = if expected[0].len() > 1 { format!(", element {element}") } else { String::new() };
    let (name, count, g) = (&scene.name, gradients.len(), shown(&gradients));
    format!("{name}{place}, under g = {g}: step {count} is {:e}, expected {:e}", moved(path), moved(expected))
}

/// Whether each hyper-parameter does what it does in the paper.
pub(super) fn hyper_parameters<M: Paper, R: Rule<f64>>(meant: &M, port: &impl Fn(M) -> R) -> LawFinding {
    let usual = Observed::new(&[port(*meant)]);
    let check = |(name, varied): (&str, M)| {
        let observed = Observed::new(&[port(varied)]);
        match observed.follows(&[varied], Slip::None) {
            Ok(()) => Ok(()),
            Err(_) if observed.same(&usual) => Err(format!("another `{name}` changes nothing: {varied:?}")),
            // What is wrong in any case, another law has found.
            Err(_) if usual.follows(&[*meant], Slip::None).is_err() => Ok(()),
            Err(case) => Err(format!("with another `{name}`, {varied:?}: {case}")),
        }
    };
    LawFinding {
        law: "hyper-parameters",
        says: "each hyper-parameter does what it does in the paper",
        failure: meant.variations().into_iter().try_for_each(check).err(),
    }
}

/// Whether a rate that changes on the way does so from the next step on.
pub(super) fn schedule<M: Paper, R: Rule<f64>>(meant: &M, port: &impl Fn(M) -> R) -> LawFinding {
    let (_, lower) = meant.variations()[0];
    let rules = [port(*meant), port(lower)];
    let changed = Observed::new(&rules).follows(&[*meant, lower], Slip::None);
    LawFinding {
        law: "schedule",
        says: "a rate that changes on the way acts from the next step on, and as the paper has it",
        failure: changed.err().map(|case| format!("with 0.3 of the rate from half of the steps on: {case}")),
    }
}
