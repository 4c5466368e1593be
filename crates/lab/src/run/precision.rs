use wengert_autodiff::{IntoTensor, Real, Tensor};
use wengert_optim::Rule;

use crate::Runner;

/// Runs a rule in `f32` and in `f64` on the same gradients, and returns how far apart the two are after each step: the
/// largest distance of a coordinate, in the unit of the parameters. NaN once one of them is NaN.
///
/// What a rule loses to rounding is then seen before it shows in a loss.
///
/// ```
/// use wengert_lab::compare_precisions;
/// use wengert_optim::RmsProp;
///
/// let gradients = [[0.1]; 1500];
/// let plain = compare_precisions(RmsProp::default(), [0.0], gradients);
/// let centered = compare_precisions(RmsProp { centered: true, ..RmsProp::default() }, [0.0], gradients);
/// assert!(plain[1499] < 1e-2);
/// assert!(centered[1499] > 1e2); // under a constant gradient v - m² is all rounding
/// ```
///
/// # Panics
///
/// If a hyper-parameter is out of its range, or a gradient has a different shape from `start`.
#[track_caller]
#[doc(alias = "twin")]
pub fn compare_precisions<R: Rule<f32> + Rule<f64>>(
    rule: R,
    start: impl IntoTensor<f32>,
    gradients: impl IntoIterator<Item = impl IntoTensor<f32>>,
) -> Vec<f64> {
    let start = start.into_tensor();
    let mut wide = Runner::<f64>::new("f64", rule.clone(), widened(&start));
    let mut narrow = Runner::<f32>::new("f32", rule, start);
    let mut distances = Vec::new();
    for gradient in gradients {
        let gradient = gradient.into_tensor();
        narrow.step(&gradient);
        wide.step(&widened(&gradient));
        let pairs = narrow.param().iter().zip(wide.param());
        // `f64::max` ignores NaN; here it must stay.
        let farthest = |most: f64, next: f64| if most.is_nan() || most >= next { most } else { next };
        distances.push(pairs.map(|(a, b)| (a.as_f64() - b).abs()).fold(0.0, farthest));
    }
    distances
}

fn widened(tensor: &Tensor<f32>) -> Tensor<f64> {
    tensor.mapv(f64::from).into_shared()
}
