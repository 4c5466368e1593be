use rand::Rng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Tape, Var, module};

use crate::{Layer, init};

/// A trainable table of vectors, one per token or category.
///
/// It is also a [`Layer`], for a [`Sequential`](crate::Sequential): the input then holds the indices as numbers, in any
/// shape, and the output has the vectors along a new last axis.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("Embed", "lookup table"))]
pub struct Embedding<F: Real = f32> {
    /// `W: [count, dim]`, one row per index.
    pub weight: Param<F>,
    /// The index that stands for padding, or none: no gradient flows into its row. [`with_padding`] makes that row
    /// zero, too.
    ///
    /// [`with_padding`]: Embedding::with_padding
    #[serde(default)]
    pub padding_idx: Option<usize>,
}

module!(Embedding<F> { weight });

impl<F: Real> Embedding<F> {
    /// A table of `count` vectors of length `dim`, drawn from the standard normal distribution, PyTorch's default.
    #[doc(alias("num_embeddings", "embedding_dim"))]
    pub fn new(count: usize, dim: usize, rng: &mut dyn Rng) -> Self {
        Self { weight: init::normal(&[count, dim], 0.0, 1.0, rng).into(), padding_idx: None }
    }

    /// With this index for padding: its row becomes zero, and training leaves it as it is. Weights that are loaded
    /// later may make it something else, which also stays.
    ///
    /// # Panics
    ///
    /// Unless the index is below `count`.
    #[track_caller]
    #[must_use]
    pub fn with_padding(mut self, index: usize) -> Self {
        let count = self.weight.shape()[0];
        assert!(
            index < count,
            "`Embedding`: the padding index {index} is out of range: there are {count} rows"
        );
        self.weight.value_mut().index_axis_mut(ndarray::Axis(0), index).fill(F::ZERO);
        self.padding_idx = Some(index);
        self
    }

    /// The rows at `indices`: `Y[i] = W[indices[i]]`, of shape `[indices.len(), dim]`; `dW[j]` is the sum of `dY[i]`
    /// over all `i` with `indices[i] = j`, and 0 for the padding.
    ///
    /// # Panics
    ///
    /// If an index is not below `count`.
    #[track_caller]
    pub fn forward<'t>(&self, tape: &'t Tape<F>, indices: &[usize]) -> Var<'t, F> {
        let rows = tape.param(&self.weight).index_select(0, indices);
        match self.padding_idx {
            Some(padding) if indices.contains(&padding) => {
                let real = indices.iter().map(|&index| index != padding).collect();
                let real = ndarray::Array2::from_shape_vec((indices.len(), 1), real).expect("one each");
                Var::where_cond(real.view(), rows, rows.detach())
            }
            _ => rows,
        }
    }
}

impl<F: Real> Layer<F> for Embedding<F> {
    /// The rows at the indices `x: [...]`, of shape `[..., dim]`. The indices get no gradient.
    ///
    /// # Panics
    ///
    /// If a number is not whole, or not below `count`.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        let count = self.weight.shape()[0];
        let (values, mut shape) = (x.value(), x.shape());
        let mut indices = Vec::with_capacity(values.len());
        for &value in &values {
            let index = value.as_f64();
            assert!(
                index.fract() == 0.0 && (0.0..count as f64).contains(&index),
                "`Embedding` of {count} rows: {value} is not one of the indices from 0 to {}",
                count.saturating_sub(1)
            );
            indices.push(index as usize);
        }
        shape.push(self.weight.shape()[1]);
        self.forward(x.tape(), &indices).reshape(&shape)
    }
}
