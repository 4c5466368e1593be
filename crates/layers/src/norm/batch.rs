use ndarray::Array;
use serde::{Deserialize, Deserializer, Serialize};
use wengert_autodiff::{Buffer, Param, Real, Tape, Tensor, Var, module};

use crate::Layer;

/// Normalizes each channel of `x: [n, c, …]` over the batch and all axes behind (Ioffe and Szegedy, 2015).
///
/// On a recording tape it uses the batch's mean and its *biased* variance, Σ (x - μ)² / m over the m values of a
/// channel, and moves the running statistics:
///
/// ```text
/// running ← (1 - momentum) running + momentum new
/// ```
///
/// where the new variance is the *unbiased* one, Σ (x - μ)² / (m - 1). On an inference tape it uses the running
/// statistics. These are PyTorch's conventions; Keras takes `momentum` as the weight of the old value and keeps the
/// biased variance.
///
/// If it is used twice in one step, the second use continues from the running statistics that the first one left.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("BatchNorm1d", "BatchNorm2d", "BatchNormalization", "track_running_stats"))]
pub struct BatchNorm<F: Real = f32> {
    /// The scale `[c]`, or none; it starts at 1.
    #[doc(alias("gamma", "scale", "affine"))]
    pub weight: Option<Param<F>>,
    /// The shift `[c]`, or none; it starts at 0.
    #[doc(alias("beta", "shift"))]
    pub bias: Option<Param<F>>,
    /// `[c]`; it starts at 0.
    #[doc(alias = "moving_mean")]
    pub running_mean: Buffer<F>,
    /// `[c]`; it starts at 1.
    #[doc(alias = "moving_variance")]
    pub running_var: Buffer<F>,
    /// How many batches the running statistics have seen: a scalar, exact up to 2²⁴ in `f32`.
    #[serde(deserialize_with = "count")]
    pub num_batches_tracked: Buffer<F>,
    /// Added to the variance, inside the root: 1e-5.
    #[doc(alias = "epsilon")]
    pub eps: f64,
    /// The weight of the new value in the running statistics: 0.1. `None` makes them the average over all batches.
    pub momentum: Option<f64>,
}

module!(BatchNorm<F> { weight, bias, running_mean, running_var, num_batches_tracked });

/// What makes a buffer a count is not among its numbers.
fn count<'de, F: Real + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Buffer<F>, D::Error> {
    Tensor::deserialize(deserializer).map(Buffer::count)
}

impl<F: Real> BatchNorm<F> {
    /// A layer for `channels` channels, with scale and shift, `eps` 1e-5 and `momentum` 0.1.
    ///
    /// # Panics
    ///
    /// If `channels` is 0.
    #[track_caller]
    #[doc(alias = "num_features")]
    pub fn new(channels: usize) -> Self {
        assert!(channels > 0, "`BatchNorm` needs at least one channel");
        Self {
            weight: Some(Array::ones(channels).into()),
            bias: Some(Array::zeros(channels).into()),
            running_mean: Array::zeros(channels).into(),
            running_var: Array::ones(channels).into(),
            num_batches_tracked: Buffer::count(F::ZERO),
            eps: 1e-5,
            momentum: Some(0.1),
        }
    }

    fn update_running(&self, tape: &Tape<F>, mean: Tensor<F>, unbiased_var: Tensor<F>) {
        let count = tape.buffer(&self.num_batches_tracked).mapv(|count| count + F::ONE);
        let momentum = match self.momentum {
            Some(momentum) => F::from_f64(momentum),
            None => count.sum().recip(),
        };
        for (buffer, new) in [(&self.running_mean, mean), (&self.running_var, unbiased_var)] {
            let old = tape.buffer(buffer);
            tape.update_buffer(buffer, (old * (F::ONE - momentum) + new * momentum).into_shared());
        }
        tape.update_buffer(&self.num_batches_tracked, count.into_shared());
    }

    #[track_caller]
    fn normalize_by_running<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let tape = x.tape();
        let (mean, var) = (tape.buffer(&self.running_mean), tape.buffer(&self.running_var));
        let [weight, bias] = self.parameters(tape);
        x.batch_norm_with(&mean, &var, weight, bias, self.eps)
    }

    fn parameters<'t>(&self, tape: &'t Tape<F>) -> [Option<Var<'t, F>>; 2] {
        [&self.weight, &self.bias].map(|param| param.as_ref().map(|param| tape.param(param)))
    }
}

impl<F: Real> Layer<F> for BatchNorm<F> {
    /// # Panics
    ///
    /// If `x` is not `[n, c, …]` with this layer's `c`; on a recording tape also if there are fewer than
    /// two values per channel, which have no variance.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let (tape, shape) = (x.tape(), x.shape());
        let c = self.running_mean.value().len();
        assert!(
            matches!(shape[..], [_, channels, ..] if channels == c),
            "`BatchNorm` of {c} channels needs an input [n, {c}, …], this one has shape {shape:?}"
        );
        if tape.is_inference() || self.running_mean.is_frozen() {
            return self.normalize_by_running(x);
        }
        let m = shape.iter().product::<usize>() / c;
        assert!(
            m > 1,
            "`BatchNorm` needs more than one value per channel while training, but the input has shape {shape:?}; \
             use a larger batch, or Tape::inference() to evaluate"
        );
        let [weight, bias] = self.parameters(tape);
        let (y, mean, var) = x.batch_norm(weight, bias, self.eps);
        let m = m as f64;
        self.update_running(tape, mean, var * F::from_f64(m / (m - 1.0)));
        y
    }
}
