use rand::Rng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Var, module};

use crate::{Layer, init};

/// `y = x Wᵀ + b`, also called a linear or fully connected layer, over the last axis of `x: [..., in]`.
///
/// Another initialisation is a field of its own, as is the lack of a bias:
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// # use wengert_layers::{Dense, init};
/// # let rng = &mut StdRng::seed_from_u64(0);
/// let layer: Dense = Dense {
///     weight: init::kaiming_normal(&[16, 2], init::Fan::In, init::RELU_GAIN, rng).into(),
///     bias: None,
///     ..Dense::new(2, 16, rng)
/// };
/// # assert_eq!(layer.weight.shape(), [16, 2]);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("Linear", "fc", "FullyConnected"))]
pub struct Dense<F: Real = f32> {
    /// `W: [out, in]`.
    #[doc(alias = "kernel")]
    pub weight: Param<F>,
    /// `b: [out]`, or none.
    #[doc(alias = "use_bias")]
    pub bias: Option<Param<F>>,
}

module!(Dense<F> { weight, bias });

impl<F: Real> Dense<F> {
    /// Weight and bias are drawn uniformly from ±1/√inputs, PyTorch's default.
    ///
    /// # Panics
    ///
    /// If `inputs` is 0.
    #[track_caller]
    #[doc(alias("in_features", "out_features", "units"))]
    pub fn new(inputs: usize, outputs: usize, rng: &mut dyn Rng) -> Self {
        assert!(inputs > 0, "`Dense` needs at least one input");
        let bound = (inputs as f64).sqrt().recip();
        Self {
            weight: init::uniform(&[outputs, inputs], -bound, bound, rng).into(),
            bias: Some(init::uniform(&[outputs], -bound, bound, rng).into()),
        }
    }
}

impl<F: Real> Layer<F> for Dense<F> {
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let tape = x.tape();
        let weight = tape.param(&self.weight);
        let bias = self.bias.as_ref().map(|bias| tape.param(bias));
        x.linear(weight, bias)
    }
}
