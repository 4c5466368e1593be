use rand::Rng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Real, Var, module};

use super::multihead::{Masks, MultiheadAttention};
use crate::{Activation, Dense, Dropout, Layer, LayerNorm};

/// A layer of a transformer's encoder (Vaswani et al., 2017): attention, then two dense layers, each of the two added
/// to what came in. The norm is applied to the sum, or with `norm_first` to what goes in.
///
/// It is a [`Layer`]: `[steps, batch, width]` stays that, with `self_attn.batch_first` `[batch, steps, width]`.
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// # use wengert_layers::TransformerEncoderLayer;
/// # let rng = &mut StdRng::seed_from_u64(0);
/// let mut layer: TransformerEncoderLayer = TransformerEncoderLayer::new(16, 4, 64, rng).with_dropout(0.0);
/// layer.norm_first = true;
/// layer.self_attn.batch_first = true;
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TransformerEncoderLayer<F: Real = f32> {
    /// The attention.
    pub self_attn: MultiheadAttention<F>,
    /// From the width to the inner one.
    pub linear1: Dense<F>,
    /// And back.
    pub linear2: Dense<F>,
    /// The norm of the attention.
    pub norm1: LayerNorm<F>,
    /// The norm of the dense layers.
    pub norm2: LayerNorm<F>,
    /// Between the dense layers: ReLU.
    pub activation: Activation,
    /// Whether the norms come before the layers rather than after the sums; it starts as false.
    pub norm_first: bool,
    /// Applied to what is added, and between the dense layers: 0.1. The attention has its own.
    pub dropout: Dropout,
}

module!(TransformerEncoderLayer<F> { self_attn, linear1, linear2, norm1, norm2 });

impl<F: Real> TransformerEncoderLayer<F> {
    /// A layer with PyTorch's defaults: ReLU, norms after the sums, and a dropout of 0.1, which needs a tape with
    /// random numbers: [`Tape::with_seed`](wengert_autodiff::Tape::with_seed).
    ///
    /// # Panics
    ///
    /// Unless the width is a multiple of the number of heads.
    #[track_caller]
    #[doc(alias("d_model", "nhead", "dim_feedforward"))]
    pub fn new(width: usize, heads: usize, inner: usize, rng: &mut dyn Rng) -> Self {
        let layer = Self {
            self_attn: MultiheadAttention::new(width, heads, rng),
            linear1: Dense::new(width, inner, rng),
            linear2: Dense::new(inner, width, rng),
            norm1: LayerNorm::new(width),
            norm2: LayerNorm::new(width),
            activation: Activation::Relu,
            norm_first: false,
            dropout: Dropout::new(0.1),
        };
        layer.with_dropout(0.1)
    }

    /// With this probability in all dropouts, that of the attention's weights included.
    ///
    /// # Panics
    ///
    /// Unless `0 ≤ p ≤ 1`.
    #[track_caller]
    #[must_use]
    pub fn with_dropout(mut self, p: f64) -> Self {
        self.dropout = Dropout::new(p);
        self.self_attn.dropout = Dropout::new(p);
        self
    }

    /// The output for `x`, of the same shape, where not everything is attended to.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[track_caller]
    #[doc(alias("src_mask", "src_key_padding_mask"))]
    pub fn forward_masked<'t>(&self, x: Var<'t, F>, masks: &Masks<'_, 't, F>) -> Var<'t, F> {
        if self.norm_first {
            let x = x + self.attended(self.norm1.forward(x), masks);
            x + self.fed_forward(self.norm2.forward(x))
        } else {
            let x = self.norm1.forward(x + self.attended(x, masks));
            self.norm2.forward(x + self.fed_forward(x))
        }
    }

    #[track_caller]
    fn attended<'t>(&self, x: Var<'t, F>, masks: &Masks<'_, 't, F>) -> Var<'t, F> {
        self.dropout.forward(self.self_attn.attend(x, x, x, masks).0)
    }

    #[track_caller]
    fn fed_forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let inner = self.activation.forward(self.linear1.forward(x));
        self.dropout.forward(self.linear2.forward(self.dropout.forward(inner)))
    }
}

impl<F: Real> Layer<F> for TransformerEncoderLayer<F> {
    /// # Panics
    ///
    /// If the shape does not fit.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        self.forward_masked(x, &Masks::default())
    }
}

/// Layers of an encoder one after the other, and possibly a last norm, which those with `norm_first` need.
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// # use wengert_autodiff::Module;
/// # use wengert_layers::{TransformerEncoder, TransformerEncoderLayer};
/// # let rng = &mut StdRng::seed_from_u64(0);
/// let layers = (0..2).map(|_| TransformerEncoderLayer::new(16, 4, 64, rng)).collect();
/// let model: TransformerEncoder = TransformerEncoder { layers, norm: None };
/// assert!(model.params().contains_key("layers.1.self_attn.in_proj_weight"));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias = "Transformer")]
pub struct TransformerEncoder<F: Real = f32> {
    /// The layers.
    pub layers: Vec<TransformerEncoderLayer<F>>,
    /// Of the output.
    pub norm: Option<LayerNorm<F>>,
}

module!(TransformerEncoder<F> { layers, norm });

impl<F: Real> TransformerEncoder<F> {
    /// The output for `x`, of the same shape, with the same masks in every layer.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward_masked<'t>(&self, mut x: Var<'t, F>, masks: &Masks<'_, 't, F>) -> Var<'t, F> {
        for layer in &self.layers {
            x = layer.forward_masked(x, masks);
        }
        match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }
}

impl<F: Real> Layer<F> for TransformerEncoder<F> {
    /// # Panics
    ///
    /// If the shape does not fit.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        self.forward_masked(x, &Masks::default())
    }
}
