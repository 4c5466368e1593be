//! Larger tensors: a border of one number, and pixels that are repeated.

use ndarray::{Axis, Slice};

use crate::compute::{buffers, layout, reduce};
use crate::{Real, Tensor, Var};

/// # Larger tensors
impl<F: Real> Var<'_, F> {
    /// `x` with a border of `value`: as many elements before and behind each axis as the pair for it says. `dx` is the
    /// part of `dy` within the border.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[1.0, 2.0]]);
    /// assert_eq!(x.pad(&[(0, 0), (1, 2)], 0.5).value(), [[0.5, 1.0, 2.0, 0.5, 0.5]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// Unless there is a pair for each axis.
    #[doc(alias("ZeroPad2d", "ConstantPad", "ZeroPadding2D"))]
    #[track_caller]
    pub fn pad(self, border: &[(usize, usize)], value: f64) -> Self {
        let x = self.value();
        assert!(
            border.len() == x.ndim(),
            "`pad`: {} pairs are given for the {} axes of shape {:?}",
            border.len(),
            x.ndim(),
            x.shape()
        );
        let shape: Vec<_> =
            x.shape().iter().zip(border).map(|(size, (before, after))| before + size + after).collect();
        let mut y = buffers::scratch(&shape);
        y.fill(F::from_f64(value));
        let within: Vec<_> =
            x.shape().iter().zip(border).map(|(&size, &(before, _))| before..before + size).collect();
        y.slice_each_axis_mut(|axis| Slice::from(within[axis.axis.index()].clone())).assign(&x);
        let dx = self.edge(move |dy| {
            let mut dx = dy;
            for (axis, range) in within.into_iter().enumerate() {
                dx.slice_axis_inplace(Axis(axis), Slice::from(range));
            }
            dx
        });
        self.tape().record("pad", y, [dx])
    }

    /// Each pixel of the images `[n, c, h, w]` repeated `times` along each axis, of shape
    /// `[n, c, times_h h, times_w w]`; `dx` sums over the copies.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[[1.0, 2.0]]]]);
    /// assert_eq!(x.upsample_nearest2d([1, 2]).value(), [[[[1.0, 1.0, 2.0, 2.0]]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// Unless `x` has four axes and both numbers are at least 1.
    #[doc(alias("UpSampling2D", "interpolate", "resize"))]
    #[track_caller]
    pub fn upsample_nearest2d(self, times: [usize; 2]) -> Self {
        let x = self.value();
        let [n, c, h, w] = *x.shape() else {
            panic!("`upsample_nearest2d` needs an input [n, c, h, w], this one has shape {:?}", x.shape())
        };
        assert!(!times.contains(&0), "`upsample_nearest2d`: pixels repeated {times:?} times are none");
        let one_by_one = [n, c, h, 1, w, 1];
        let copies =
            layout::broadcast_owned(&layout::reshaped(x, &one_by_one), &[n, c, h, times[0], w, times[1]]);
        let y = layout::reshaped(copies, &[n, c, h * times[0], w * times[1]]);
        let dx = self.edge(move |dy: Tensor<F>| {
            let copies = layout::reshaped(dy, &[n, c, h, times[0], w, times[1]]);
            layout::reshaped(reduce::sum_to(copies, &one_by_one), &[n, c, h, w])
        });
        self.tape().record("upsample_nearest2d", y, [dx])
    }
}
