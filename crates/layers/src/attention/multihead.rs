use ndarray::{Array, ArrayD, ArrayView2, ArrayViewD, Axis, IxDyn};
use rand::Rng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Tape, Var, module};

use crate::{Dense, Dropout, Layer, init};

/// What a query may not attend to, or less: all of them together where there are several. A query that may attend to
/// nothing takes zeros.
#[derive(Clone, Debug)]
#[doc(alias("attn_mask", "key_padding_mask", "src_mask", "src_key_padding_mask"))]
pub struct Masks<'m, 't, F: Real = f32> {
    /// True where a query may attend to a key, as for [`causal_mask`](wengert_autodiff::causal_mask). It is broadcast
    /// to `[batch, heads, queries, keys]`, so that `[queries, keys]` is for all. PyTorch's `attn_mask` of this layer is
    /// the opposite: true where it may not.
    pub allowed: Option<ArrayViewD<'m, bool>>,
    /// Added to the scores, broadcast to `[batch, heads, queries, keys]`; -∞ shuts a key out.
    pub added: Option<Var<'t, F>>,
    /// `[batch, keys]`, true where a key is padding, which no query attends to: PyTorch's `key_padding_mask`.
    pub padding: Option<ArrayView2<'m, bool>>,
}

impl<F: Real> Default for Masks<'_, '_, F> {
    fn default() -> Self {
        Self { allowed: None, added: None, padding: None }
    }
}

/// Attention with several heads (Vaswani et al., 2017): queries, keys and values are projected, each head attends with
/// its part of the width, and what the heads take is projected once more.
///
/// As a [`Layer`] it attends to its own input without masks. Shapes are PyTorch's: `[steps, batch, width]`, with
/// `batch_first` `[batch, steps, width]`, or one sequence `[steps, width]`. There are no `add_bias_kv` and
/// `add_zero_attn`.
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// # use wengert_autodiff::{Tape, Tensor, causal_mask};
/// # use wengert_layers::{Masks, MultiheadAttention};
/// # let rng = &mut StdRng::seed_from_u64(0);
/// let attention: MultiheadAttention = MultiheadAttention { batch_first: true, ..MultiheadAttention::new(16, 4, rng) };
/// let tape = Tape::new();
/// let x = tape.constant(Tensor::zeros(vec![2, 5, 16]));
/// let mask = causal_mask(5, 5).into_dyn();
/// let masks = Masks { allowed: Some(mask.view()), ..Masks::default() };
/// let (y, weights) = attention.attend(x, x, x, &masks);
/// assert_eq!((y.shape(), weights.shape()), (vec![2, 5, 16], vec![2, 4, 5, 5]));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("MultiHeadAttention", "MultiHeadDotProductAttention", "mha"))]
pub struct MultiheadAttention<F: Real = f32> {
    /// The projections of queries, keys and values one below the other, `[3 width, width]`. `None` where keys or values
    /// have a width of their own.
    pub in_proj_weight: Option<Param<F>>,
    /// `[width, width]` in the place of the first third.
    pub q_proj_weight: Option<Param<F>>,
    /// `[width, key width]`.
    pub k_proj_weight: Option<Param<F>>,
    /// `[width, value width]`.
    pub v_proj_weight: Option<Param<F>>,
    /// `[3 width]`, or none.
    pub in_proj_bias: Option<Param<F>>,
    /// The last projection.
    pub out_proj: Dense<F>,
    /// Among how many heads the width is divided.
    pub heads: usize,
    /// Whether the batch is the first axis.
    pub batch_first: bool,
    /// Applied to the weights: 0.
    pub dropout: Dropout,
}

module!(MultiheadAttention<F> {
    in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight, in_proj_bias, out_proj
});

impl<F: Real> MultiheadAttention<F> {
    /// Keys and values of the queries' `width`. The initial values are PyTorch's: projections by
    /// [`init::xavier_uniform`], biases 0, the last one as [`Dense`].
    ///
    /// # Panics
    ///
    /// Unless the width is a multiple of the number of heads.
    #[track_caller]
    #[doc(alias("embed_dim", "num_heads"))]
    pub fn new(width: usize, heads: usize, rng: &mut dyn Rng) -> Self {
        check_heads(width, heads);
        let in_proj_weight = Some(init::xavier_uniform(&[3 * width, width], 1.0, rng).into());
        let bias = Some(Array::zeros(width).into());
        Self {
            in_proj_weight,
            q_proj_weight: None,
            k_proj_weight: None,
            v_proj_weight: None,
            in_proj_bias: Some(Array::zeros(3 * width).into()),
            out_proj: Dense { bias, ..Dense::new(width, width, rng) },
            heads,
            batch_first: false,
            dropout: Dropout::new(0.0),
        }
    }

    /// Keys and values of widths of their own; the parameters have PyTorch's other names then.
    ///
    /// # Panics
    ///
    /// As [`new`](MultiheadAttention::new).
    #[track_caller]
    #[doc(alias("kdim", "vdim"))]
    pub fn with_widths(width: usize, heads: usize, key: usize, value: usize, rng: &mut dyn Rng) -> Self {
        let mut projection = |inputs| Some(init::xavier_uniform(&[width, inputs], 1.0, rng).into());
        let (q_proj_weight, k_proj_weight, v_proj_weight) =
            (projection(width), projection(key), projection(value));
        let joint = Self::new(width, heads, rng);
        Self { in_proj_weight: None, q_proj_weight, k_proj_weight, v_proj_weight, ..joint }
    }

    /// Without the biases, as PyTorch's `bias=False`.
    #[must_use]
    #[doc(alias = "bias")]
    pub fn without_bias(mut self) -> Self {
        (self.in_proj_bias, self.out_proj.bias) = (None, None);
        self
    }

    /// What the queries take of the values, in the queries' shape, and the weights
    /// `[batch, heads, queries, keys]`, or without the batch, after dropout. PyTorch returns their mean over the heads:
    /// `weights.mean_axes(&[-3], false)`.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[track_caller]
    #[doc(alias("need_weights", "average_attn_weights", "cross attention"))]
    pub fn attend<'t>(
        &self,
        query: Var<'t, F>,
        key: Var<'t, F>,
        value: Var<'t, F>,
        masks: &Masks<'_, 't, F>,
    ) -> (Var<'t, F>, Var<'t, F>) {
        let shape = query.shape();
        let weights = self.projections(query.tape());
        let mut heads = Vec::with_capacity(3);
        for (x, (weight, bias)) in [query, key, value].into_iter().zip(weights) {
            heads.push(self.heads_of(x, weight, bias, shape.len()));
        }
        let [queries, keys, values] = [heads[0], heads[1], heads[2]];
        let allowed = self.allowed(masks, &keys.shape());
        let weights = queries.attention_weights(keys, allowed.as_ref().map(|mask| mask.view()), masks.added);
        let weights = self.dropout.forward(weights);
        let taken = weights.matmul(values);
        let order = if self.batch_first { [0, 2, 1, 3] } else { [2, 0, 1, 3] };
        let y = self.out_proj.forward(taken.permute(&order).reshape(&shape));
        let one = shape.len() == 2;
        (y, if one { weights.reshape(&weights.shape()[1..]) } else { weights })
    }

    /// Weight and bias of each of the three projections.
    #[track_caller]
    fn projections<'t>(&self, tape: &'t Tape<F>) -> Vec<(Var<'t, F>, Option<Var<'t, F>>)> {
        let width = self.out_proj.weight.shape()[0];
        let bias = self.in_proj_bias.as_ref().map(|bias| tape.param(bias));
        let joint = self.in_proj_weight.as_ref().map(|weight| tape.param(weight));
        let apart = [&self.q_proj_weight, &self.k_proj_weight, &self.v_proj_weight];
        let mut all = Vec::with_capacity(3);
        for (i, apart) in apart.into_iter().enumerate() {
            let third = i * width..(i + 1) * width;
            let weight = match (joint, apart) {
                (Some(joint), _) => joint.slice(0, third.clone()),
                (None, Some(apart)) => tape.param(apart),
                (None, None) => {
                    panic!("`MultiheadAttention` needs in_proj_weight, or q_, k_ and v_proj_weight")
                }
            };
            all.push((weight, bias.map(|bias| bias.slice(0, third))));
        }
        all
    }

    /// The projected sequence, `[batch, heads, steps, width / heads]`.
    #[track_caller]
    fn heads_of<'t>(
        &self,
        x: Var<'t, F>,
        weight: Var<'t, F>,
        bias: Option<Var<'t, F>>,
        axes: usize,
    ) -> Var<'t, F> {
        let (shape, inputs, width) = (x.shape(), weight.shape()[1], weight.shape()[0]);
        check_heads(width, self.heads);
        assert!(
            matches!(axes, 2 | 3) && shape.len() == axes && shape.last() == Some(&inputs),
            "`MultiheadAttention` needs an input [{}, {inputs}] or [steps, {inputs}], the same for query, key and \
             value, this one has shape {shape:?}",
            if self.batch_first { "batch, steps" } else { "steps, batch" }
        );
        let (part, x) = (width / self.heads, x.linear(weight, bias));
        match shape[..] {
            [batch, steps, _] if self.batch_first => {
                x.reshape(&[batch, steps, self.heads, part]).permute(&[0, 2, 1, 3])
            }
            [steps, batch, _] => x.reshape(&[steps, batch, self.heads, part]).permute(&[1, 2, 0, 3]),
            _ => x.reshape(&[1, shape[0], self.heads, part]).permute(&[0, 2, 1, 3]),
        }
    }

    /// The mask and the padding in one.
    #[track_caller]
    fn allowed(&self, masks: &Masks<'_, '_, F>, keys: &[usize]) -> Option<ArrayD<bool>> {
        let allowed = masks.allowed.as_ref().map(|mask| mask.to_owned());
        let Some(padding) = &masks.padding else { return allowed };
        assert!(
            padding.shape() == [keys[0], keys[2]],
            "`MultiheadAttention`: a padding mask of shape {:?}; [batch, keys] is [{}, {}]",
            padding.shape(),
            keys[0],
            keys[2]
        );
        let real = padding.mapv(|padding| !padding).insert_axis(Axis(1)).insert_axis(Axis(1)).into_dyn();
        let Some(allowed) = allowed else { return Some(real) };
        let queries = allowed.shape().iter().rev().nth(1).copied().unwrap_or(1);
        let heads = allowed.shape().iter().rev().nth(2).copied().unwrap_or(1);
        let shape = IxDyn(&[keys[0], heads, queries, keys[2]]);
        let Some(both) = allowed.broadcast(shape) else {
            panic!(
                "`MultiheadAttention`: the mask of shape {:?} cannot be broadcast to [batch, heads, queries, keys]",
                allowed.shape()
            );
        };
        Some(ndarray::Zip::from(both).and_broadcast(&real).map_collect(|&a, &b| a && b))
    }
}

#[track_caller]
fn check_heads(width: usize, heads: usize) {
    assert!(
        heads > 0 && width > 0 && width.is_multiple_of(heads),
        "`MultiheadAttention`: a width of {width} cannot be divided among {heads} heads"
    );
}

impl<F: Real> Layer<F> for MultiheadAttention<F> {
    /// What the input takes of itself.
    ///
    /// # Panics
    ///
    /// If the shape does not fit.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        self.attend(x, x, x, &Masks::default()).0
    }
}
