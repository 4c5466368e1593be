//! Whether a rule goes where its paper goes; and if not, which mistake goes where the rule goes.

use wengert_optim::Rule;

use super::hand::Slip;
use super::mistakes::Mistake;
use super::papers::Paper;
use super::scenes::{self, Path, Scene};
use super::{LawFinding, Verdict, caught, shown};

/// A rule's runs.
pub(super) struct Observed {
    scenes: Vec<Scene>,
    /// What it says instead, where it panics.
    paths: Vec<Result<Path, String>>,
}

impl Observed {
    /// # Panics
    ///
    /// If the rule does on one number.
    pub(super) fn new<R: Rule<f64>>(rules: &[R]) -> Self {
        let scenes = scenes::all();
        let first = scenes[0].played(rules);
        let others = scenes[1..].iter().map(|scene| caught(|| scene.played(rules)));
        let paths = std::iter::once(Ok(first)).chain(others).collect();
        Self { scenes, paths }
    }

    /// Whether it goes where the papers go, the smallest case first.
    pub(super) fn follows<M: Paper>(&self, meant: &[M], slip: Slip) -> Verdict {
        self.scenes.iter().zip(&self.paths).try_for_each(|(scene, path)| {
            let path = path.as_ref().map_err(|panic| format!("{}: {panic}", scene.name))?;
            let expected = scene.written(meant, slip, false);
            let rounded = scene.written(meant, slip, true);
            match departure(path, &expected, &rounded) {
                None => Ok(()),
                Some((step, element)) => Err(case(scene, path, &expected, step, element)),
            }
        })
    }

    /// The known mistake, or else two of them, that make every step of the runs.
    pub(super) fn mistakes<M: Paper>(&self, meant: &M) -> Vec<&'static str> {
        let known = meant.mistakes();
        let makes = |(_, mistaken, slip): &Mistake<M>| self.follows(&[*mistaken], *slip).is_ok();
        if let Some((says, ..)) = known.iter().find(|mistake| makes(mistake)) {
            return vec![says];
        }
        let two = known.iter().find_map(|(first, mistaken, slip)| {
            // One slip is all that the formulas take.
            let both =
                mistaken.mistakes().into_iter().filter_map(|(says, mistaken, second)| match (slip, second) {
                    (slip, Slip::None) => Some((says, mistaken, *slip)),
                    (Slip::None, slip) => Some((says, mistaken, slip)),
                    _ => None,
                });
            both.into_iter().find(makes).map(|(second, ..)| vec![*first, second])
        });
        two.unwrap_or_default()
    }

    /// Whether every step is the same, to the bit.
    fn same(&self, other: &Self) -> bool {
        let bits = |path: &Result<Path, String>| {
            let path = path.as_ref().ok()?;
            Some(path.iter().flatten().map(|p| p.to_bits()).collect::<Vec<_>>())
        };
        self.paths.iter().map(bits).eq(other.paths.iter().map(bits))
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
