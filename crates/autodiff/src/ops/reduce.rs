//! Reductions over axes.

use ndarray::IxDyn;

use crate::{Real, Tensor, Var};

impl<F: Real> Var<'_, F> {
    /// `y = Σ x` over all elements, a scalar; `dx = dy` everywhere.
    #[track_caller]
    pub fn sum(self) -> Self {
        let x = self.value();
        let y = Tensor::from_elem(IxDyn(&[]), x.sum());
        let shape = x.raw_dim();
        let dx = self.edge(move |dy| Tensor::from_elem(shape, dy[IxDyn(&[])]));
        self.tape().record("sum", y, [dx])
    }

    /// `y = Σ x / n` over all elements, a scalar; `dx = dy / n` everywhere.
    ///
    /// # Panics
    ///
    /// If there is no element.
    #[track_caller]
    pub fn mean(self) -> Self {
        let x = self.value();
        assert!(!x.is_empty(), "`mean` of a tensor of shape {:?}, which has no elements", x.shape());
        let n = F::of(x.len() as f64);
        let y = Tensor::from_elem(IxDyn(&[]), x.sum() / n);
        let shape = x.raw_dim();
        let dx = self.edge(move |dy| Tensor::from_elem(shape, dy[IxDyn(&[])] / n));
        self.tape().record("mean", y, [dx])
    }
}
