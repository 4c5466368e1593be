use serde::{Deserialize, Serialize};
use wengert_autodiff::Real;

use crate::rule::InvalidHyperparameter;
use crate::rules::parts::validate::not_negative;

/// A pull of the parameters towards zero, of strength λ.
///
/// It acts on a tensor only in the steps in which the tensor has a gradient.
#[doc(alias("add_decayed_weights", "decoupled_weight_decay"))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum WeightDecay {
    /// No pull.
    #[default]
    None,
    /// `g ← g + λ p`, the gradient of `λ/2 ‖p‖²`. An adaptive rule divides this away again: where the loss has no
    /// gradient, the step has the same size for every λ.
    #[doc(alias("coupled", "regularization"))]
    L2(f64),
    /// `p ← p - η λ p` beside the update (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019). Keras,
    /// timm and dfdx mean this.
    #[doc(alias = "AdamW")]
    Decoupled(f64),
    /// `p ← p - η² / η_max λ p`, timm's `corrected_weight_decay`: the balance between decay and update then does not
    /// move with the rate (Defazio, "Why Gradients Rapidly Increase Near the End of Training", 2025).
    Corrected {
        /// λ.
        lambda: f64,
        /// η_max, the largest rate of the run.
        max_lr: f64,
    },
}

impl WeightDecay {
    pub(crate) fn validate(self) -> Result<(), InvalidHyperparameter> {
        match self {
            Self::None => Ok(()),
            Self::L2(lambda) | Self::Decoupled(lambda) => not_negative("weight_decay", lambda),
            Self::Corrected { lambda, max_lr } => {
                not_negative("weight_decay", lambda)?;
                let fits = max_lr.is_finite() && max_lr > 0.0;
                InvalidHyperparameter::unless(fits, "max_lr", max_lr, "finite and positive")
            }
        }
    }
}

/// What happens to the gradient and to the parameter before a rule sees them: the ascent's sign and the weight decay.
/// An option that is off is a factor 1 or adds 0, so that all share one loop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GradientTransform<F> {
    sign: F,
    l2: F,
    keep: F,
}

impl<F: Real> GradientTransform<F> {
    pub(crate) fn new(maximize: bool, decay: WeightDecay, lr: f64) -> Self {
        let (l2, shrink) = match decay {
            WeightDecay::None => (0.0, 0.0),
            WeightDecay::L2(lambda) => (lambda, 0.0),
            WeightDecay::Decoupled(lambda) => (0.0, lr * lambda),
            WeightDecay::Corrected { lambda, max_lr } => (0.0, lr * lr / max_lr * lambda),
        };
        Self {
            sign: F::from_f64(if maximize { -1.0 } else { 1.0 }),
            l2: F::from_f64(l2),
            keep: F::from_f64(1.0 - shrink),
        }
    }

    /// The gradient to go down: `±g + λ p`.
    #[inline]
    pub(crate) fn apply(self, p: F, g: F) -> F {
        // Selected, not multiplied: 0 times an infinite parameter is NaN.
        let decay = if self.l2 == F::ZERO { self.l2 } else { self.l2 * p };
        self.sign * g + decay
    }

    /// The parameter that the update is taken from.
    #[inline]
    pub(crate) fn decayed(self, p: F) -> F {
        self.keep * p
    }
}
