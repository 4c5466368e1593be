//! Matrix products. A transposed operand is a view with other strides and is never copied.

use ndarray::{ArrayView2, Ix2};

use crate::{Real, Tensor, Var, gemm, kernel};

impl<F: Real> Var<'_, F> {
    /// `Y = A B` for `A: [m, k]`, `B: [k, n]`; `dA = dY Bᵀ`, `dB = Aᵀ dY`.
    #[track_caller]
    pub fn matmul(self, rhs: Self) -> Self {
        self.same_tape("matmul", rhs);
        let (a, b) = (self.value(), rhs.value());
        assert!(
            a.ndim() == 2 && b.ndim() == 2 && a.shape()[1] == b.shape()[0],
            "`matmul`: shapes {:?} and {:?} do not fit: [m, k] and [k, n] are needed",
            a.shape(),
            b.shape()
        );
        let y = product(matrix(&a), matrix(&b));
        let (saved_a, saved_b) = (a, b);
        let da = self.edge(move |dy| product(matrix(&dy), matrix(&saved_b).reversed_axes()));
        let db = rhs.edge(move |dy| product(matrix(&saved_a).reversed_axes(), matrix(&dy)));
        self.tape().record("matmul", y, [da, db])
    }

    /// The dense layer's `Y = X Wᵀ + b` in one op, for `X: [n, in]`, `W: [out, in]`, `b: [out]`;
    /// `dX = dY W`, `dW = dYᵀ X`, `db = Σ dY` over the rows.
    #[track_caller]
    pub fn linear(self, weight: Self, bias: Option<Self>) -> Self {
        self.same_tape("linear", weight);
        let (x, w) = (self.value(), weight.value());
        assert!(
            x.ndim() == 2 && w.ndim() == 2 && x.shape()[1] == w.shape()[1],
            "`linear`: input {:?} and weight {:?} do not fit: [n, in] and [out, in] are needed",
            x.shape(),
            w.shape()
        );
        let mut y = gemm::matmul(matrix(&x), matrix(&w).reversed_axes());
        if let Some(bias) = bias {
            self.same_tape("linear", bias);
            let b = bias.value();
            assert_eq!(
                b.shape(),
                [y.ncols()],
                "`linear`: the bias has another length than the weight has rows"
            );
            y += &b;
        }
        let y = y.into_dyn().into_shared();
        let dx = self.edge(move |dy| product(matrix(&dy), matrix(&w)));
        let dw = weight.edge(move |dy| product(matrix(&dy).reversed_axes(), matrix(&x)));
        match bias {
            None => self.tape().record("linear", y, [dx, dw]),
            Some(bias) => {
                let out = y.shape()[1];
                let db = bias.edge(move |dy| kernel::sum_to(dy, &[out]));
                self.tape().record("linear", y, [dx, dw, db])
            }
        }
    }
}

fn matrix<F: Real>(x: &Tensor<F>) -> ArrayView2<'_, F> {
    x.view().into_dimensionality::<Ix2>().expect("two axes, checked by the op")
}

fn product<F: Real>(a: ArrayView2<'_, F>, b: ArrayView2<'_, F>) -> Tensor<F> {
    gemm::matmul(a, b).into_dyn().into_shared()
}
