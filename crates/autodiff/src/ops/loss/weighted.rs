//! Means that leave out, or weigh.

use ndarray::Array1;

use crate::compute::{elementwise, reduce};
use crate::ops::elementwise::weighted;
use crate::{IntoTensor, Real, Tensor, Var};

/// # Losses with weights and masks
impl<F: Real> Var<'_, F> {
    /// `y = Σ wᵢ xᵢ / Σ wᵢ` over all elements, a scalar, for constant weights in the shape of `x`; `dxᵢ = wᵢ dy / Σ w`.
    /// An element of weight 0 is left out: not even NaN comes through. The mean of nothing is NaN, as PyTorch's.
    ///
    /// It makes any loss one with weights or with a mask:
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let (prediction, target) = (tape.variable([1.0, 2.0, 5.0]), tape.constant([0.0, 0.0, f64::NAN]));
    /// let loss = prediction.mse_each(target).weighted_mean([3.0, 1.0, 0.0]);
    /// assert_eq!(loss.item(), (3.0 * 1.0 + 1.0 * 4.0) / 4.0);
    /// ```
    ///
    /// # Panics
    ///
    /// If the weights have another shape, or one of them is negative or NaN.
    #[doc(alias("masked_mean", "mask", "sample_weight", "average"))]
    #[track_caller]
    pub fn weighted_mean(self, weights: impl IntoTensor<F>) -> Self {
        let (x, w) = (self.value(), weights.into_tensor());
        assert!(
            x.shape() == w.shape(),
            "`weighted_mean`: weights of shape {:?} for values of shape {:?}",
            w.shape(),
            x.shape()
        );
        if let Some(weight) = w.iter().find(|&&weight| weight.is_nan() || weight < F::ZERO) {
            panic!("`weighted_mean`: the weight {weight} is not one");
        }
        let total = reduce::sum_all(&w);
        let term = |x: F, w: F| weighted(w, x);
        let y = reduce::sum_all(&elementwise::broadcast_map(&x, &w, x.shape(), term)) / total;
        let dx = self.edge(move |dy| {
            let dy = dy.sum();
            elementwise::map(&w, move |w| if w.is_zero() { w } else { w / total * dy })
        });
        self.tape().record("weighted_mean", Tensor::from_elem(&[][..], y), [dx])
    }

    /// [`cross_entropy`](Var::cross_entropy) over the rows whose label is not `ignored`, which need not be a class: the
    /// padding of sequences, pixels without a label.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let x = tape.variable([[0.0, 1.0], [5.0, 2.0]]);
    /// assert_eq!(x.cross_entropy_ignoring(&[1, 99], 99).item(), x.slice(0, 0..1).cross_entropy(&[1]).item());
    /// ```
    ///
    /// # Panics
    ///
    /// As [`cross_entropy`](Var::cross_entropy) for the others.
    #[doc(alias("ignore_index", "padding", "mask"))]
    #[track_caller]
    pub fn cross_entropy_ignoring(self, labels: &[usize], ignored: usize) -> Self {
        let weight = |&label: &usize| if label == ignored { F::ZERO } else { F::ONE };
        let weights: Vec<F> = labels.iter().map(weight).collect();
        let labels: Vec<_> = labels.iter().map(|&label| if label == ignored { 0 } else { label }).collect();
        self.cross_entropy_each(&labels).weighted_mean(Array1::from(weights))
    }

    /// [`cross_entropy`](Var::cross_entropy) with a weight for each class, which a row's label has: the mean is
    /// weighted, as PyTorch's, so that the scale of the weights does not matter.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let x = tape.variable([[0.0, 0.0], [0.0, 1000.0]]);
    /// assert_eq!(x.cross_entropy_weighted(&[0, 0], &[2.0, 1.0]).item(), x.cross_entropy(&[0, 0]).item());
    /// ```
    ///
    /// # Panics
    ///
    /// As [`cross_entropy`](Var::cross_entropy); unless there is a weight for each class; if one is negative or NaN.
    #[doc(alias("class_weight", "imbalance", "pos_weight"))]
    #[track_caller]
    pub fn cross_entropy_weighted(self, labels: &[usize], class_weights: &[f64]) -> Self {
        let each = self.cross_entropy_each(labels);
        let classes = self.shape()[1];
        assert!(
            class_weights.len() == classes,
            "`cross_entropy_weighted`: {} weights for {classes} classes",
            class_weights.len()
        );
        let weights: Vec<F> = labels.iter().map(|&label| F::from_f64(class_weights[label])).collect();
        each.weighted_mean(Array1::from(weights))
    }
}
