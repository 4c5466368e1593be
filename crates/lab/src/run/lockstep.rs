use std::fmt;

use serde::Serialize;
use wengert_autodiff::{IntoTensor, Real};

use crate::Runner;

/// Where two optimizers that saw the same gradients part; see [`first_divergence`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Divergence {
    /// After which step, counted from 1.
    pub step: u64,
    /// The index of the coordinate, one number per axis.
    pub coordinate: Vec<usize>,
    /// The name of the first optimizer and what it made of the coordinate.
    pub first: (String, f64),
    /// The same of the one that differs from it.
    pub other: (String, f64),
}

/// Runs optimizers in lock-step on the same gradients until one of them differs from the first: in some coordinate by
/// more than `tolerance`, as a share of the larger of the two values, or because only one is NaN. `None` if they agree
/// to the end.
///
/// ```
/// use wengert_lab::{Runner, first_divergence};
/// use wengert_optim::{Adam, RmsProp};
///
/// let rms = RmsProp { bias_correction: true, rho: 0.999, lr: 0.1, ..RmsProp::default() };
/// let adam = Adam { beta1: 0.5, lr: 0.1, ..Adam::default() };
/// let mut both = [Runner::at("RMSProp", rms, [1.0, 1.0]), Runner::at("Adam", adam, [1.0, 1.0])];
/// let gradients = [[1.0, 0.0], [1.0, 2.0], [1.0, 0.0]];
/// let divergence = first_divergence(&mut both, gradients, 1e-9).unwrap();
/// // Both make a first step of η; then Adam's m̂ differs from a gradient that has changed.
/// assert_eq!((divergence.step, divergence.coordinate), (2, vec![1]));
/// ```
///
/// # Panics
///
/// If there is no optimizer, or a gradient has a different shape from the tensors.
#[track_caller]
#[doc(alias = "diff")]
pub fn first_divergence<F: Real>(
    runners: &mut [Runner<F>],
    gradients: impl IntoIterator<Item = impl IntoTensor<F>>,
    tolerance: f64,
) -> Option<Divergence> {
    assert!(!runners.is_empty(), "`first_divergence` needs an optimizer");
    for (step, gradient) in (1..).zip(gradients) {
        let gradient = gradient.into_tensor();
        for runner in &mut *runners {
            runner.step(&gradient);
        }
        let (first, others) = runners.split_first().expect("there is one");
        let divergence = others.iter().find_map(|other| divergence(step, first, other, tolerance));
        if divergence.is_some() {
            return divergence;
        }
    }
    None
}

fn divergence<F: Real>(
    step: u64,
    first: &Runner<F>,
    other: &Runner<F>,
    tolerance: f64,
) -> Option<Divergence> {
    let mut pairs = first.param().indexed_iter().zip(other.param());
    let ((coordinate, a), b) = pairs.find(|&((_, a), b)| differ(a.as_f64(), b.as_f64(), tolerance))?;
    Some(Divergence {
        step,
        coordinate: ndarray::Dimension::slice(&coordinate).to_vec(),
        first: (first.name.clone(), a.as_f64()),
        other: (other.name.clone(), b.as_f64()),
    })
}

fn differ(a: f64, b: f64, tolerance: f64) -> bool {
    // Equal infinities have no difference to speak of.
    a.is_nan() != b.is_nan() || a != b && (a - b).abs() > tolerance * a.abs().max(b.abs())
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, coordinate, first, other } = self;
        write!(
            f,
            "after step {step} coordinate {coordinate:?} is {:e} by {} and {:e} by {}",
            first.1, first.0, other.1, other.0
        )
    }
}
