//! Ops that move elements and compute nothing.

use ndarray::IxDyn;

use crate::{Real, Tensor, Var};

impl<F: Real> Var<'_, F> {
    /// The same elements in row-major order under another shape; `dx` is `dy` reshaped back.
    ///
    /// # Panics
    ///
    /// If the number of elements differs.
    #[track_caller]
    pub fn reshape(self, shape: &[usize]) -> Self {
        let x = self.value();
        assert!(
            x.len() == shape.iter().product::<usize>(),
            "`reshape`: {:?} has {} elements and cannot take the shape {shape:?}",
            x.shape(),
            x.len()
        );
        let y = row_major(&x, shape);
        let before = x.shape().to_vec();
        let dx = self.edge(move |dy| row_major(&dy, &before));
        self.tape().record_view("reshape", y, self, dx)
    }
}

/// Shares the array where it is in row-major order already.
fn row_major<F: Real>(x: &Tensor<F>, shape: &[usize]) -> Tensor<F> {
    let x =
        if x.is_standard_layout() { x.clone() } else { x.as_standard_layout().into_owned().into_shared() };
    x.into_shape_with_order(IxDyn(shape)).expect("as many elements, checked by the op")
}
