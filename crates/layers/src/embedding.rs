use ndarray::Axis;
use rand::Rng;
use wengert_autodiff::{Param, Real, Tape, Tensor, Var, module};

use crate::init;

/// A table of vectors, one per token or category, that training moves.
#[derive(Clone, Debug)]
pub struct Embedding<F: Real = f32> {
    /// `W: [count, dim]`, one row per index.
    pub weight: Param<F>,
}

module!(Embedding<F> { weight });

impl<F: Real> Embedding<F> {
    /// A table of `count` vectors of length `dim`, drawn from the standard normal distribution, PyTorch's default.
    pub fn new(count: usize, dim: usize, rng: &mut (impl Rng + ?Sized)) -> Self {
        Self { weight: init::normal(&[count, dim], 0.0, 1.0, rng).into() }
    }

    /// The rows at `indices`: `Y[i] = W[indices[i]]`, of shape `[indices.len(), dim]`; `dW[j]` is the sum of `dY[i]` over
    /// all `i` with `indices[i] = j`.
    ///
    /// # Panics
    ///
    /// If an index is not below `count`.
    #[track_caller]
    pub fn forward<'t>(&self, tape: &'t Tape<F>, indices: &[usize]) -> Var<'t, F> {
        let count = self.weight.shape()[0];
        if let Some(index) = indices.iter().find(|&&index| index >= count) {
            panic!("`Embedding` has {count} rows, index {index} is out of range");
        }
        let weight = tape.param(&self.weight);
        let y = self.weight.value().select(Axis(0), indices).into_shared();
        let (indices, shape) = (indices.to_vec(), self.weight.value().raw_dim());
        let dw = weight.edge(move |dy| {
            let mut dw = Tensor::zeros(shape);
            for (dy, &index) in dy.outer_iter().zip(&indices) {
                let mut row = dw.index_axis_mut(Axis(0), index);
                row += &dy;
            }
            dw
        });
        tape.record("embedding", y, [dw])
    }
}
