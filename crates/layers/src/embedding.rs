use rand::Rng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Tape, Var, module};

use crate::init;

/// A trainable table of vectors, one per token or category.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("Embed", "lookup table"))]
pub struct Embedding<F: Real = f32> {
    /// `W: [count, dim]`, one row per index.
    pub weight: Param<F>,
}

module!(Embedding<F> { weight });

impl<F: Real> Embedding<F> {
    /// A table of `count` vectors of length `dim`, drawn from the standard normal distribution, PyTorch's default.
    #[doc(alias("num_embeddings", "embedding_dim"))]
    pub fn new(count: usize, dim: usize, rng: &mut dyn Rng) -> Self {
        Self { weight: init::normal(&[count, dim], 0.0, 1.0, rng).into() }
    }

    /// The rows at `indices`: `Y[i] = W[indices[i]]`, of shape `[indices.len(), dim]`; `dW[j]` is the sum of `dY[i]`
    /// over all `i` with `indices[i] = j`.
    ///
    /// # Panics
    ///
    /// If an index is not below `count`.
    #[track_caller]
    pub fn forward<'t>(&self, tape: &'t Tape<F>, indices: &[usize]) -> Var<'t, F> {
        tape.param(&self.weight).index_select(0, indices)
    }
}
