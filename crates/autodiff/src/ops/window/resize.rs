//! Tensors of another size: borders, and images with more pixels or fewer.

use ndarray::{Axis, Slice, Zip};

use crate::compute::sum::add_one;
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
        check_border("pad", border, x.shape());
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

    /// `x` with a border that mirrors it at its first and last elements, which are not repeated: as many elements
    /// before and behind each axis as the pair for it says. `dx` sums over the copies.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([1.0, 2.0, 3.0]);
    /// assert_eq!(x.pad_reflect(&[(2, 1)]).value(), [3.0, 2.0, 1.0, 2.0, 3.0, 2.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// Unless there is a pair for each axis, and the border is smaller than the axis.
    #[doc(alias("ReflectionPad1d", "ReflectionPad2d", "mirror"))]
    #[track_caller]
    pub fn pad_reflect(self, border: &[(usize, usize)]) -> Self {
        for (&(before, after), &size) in border.iter().zip(&self.shape()) {
            assert!(
                before.max(after) < size.max(1),
                "`pad_reflect`: a border of {before} and {after} has no mirror image in an axis of {size}"
            );
        }
        // Mirrored at 0, then at the end.
        self.pad_with_copies("pad_reflect", border, |at, size| size - 1 - (size - 1 - at.abs()).abs())
    }

    /// `x` with a border that repeats its first and last elements: as [`pad_reflect`](Var::pad_reflect) otherwise.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([1.0, 2.0]);
    /// assert_eq!(x.pad_replicate(&[(1, 2)]).value(), [1.0, 1.0, 2.0, 2.0, 2.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// Unless there is a pair for each axis, and an element to repeat.
    #[doc(alias("ReplicationPad1d", "ReplicationPad2d", "edge"))]
    #[track_caller]
    pub fn pad_replicate(self, border: &[(usize, usize)]) -> Self {
        self.pad_with_copies("pad_replicate", border, |at, size| at.clamp(0, size - 1))
    }

    /// `x` with a border from its other end, as if it were a ring: as [`pad_reflect`](Var::pad_reflect) otherwise.
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([1.0, 2.0, 3.0]);
    /// assert_eq!(x.pad_circular(&[(2, 1)]).value(), [2.0, 3.0, 1.0, 2.0, 3.0, 1.0].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// Unless there is a pair for each axis, and the border is at most as large as the axis.
    #[doc(alias("CircularPad1d", "CircularPad2d", "wrap"))]
    #[track_caller]
    pub fn pad_circular(self, border: &[(usize, usize)]) -> Self {
        for (&(before, after), &size) in border.iter().zip(&self.shape()) {
            assert!(
                before.max(after) <= size,
                "`pad_circular`: a border of {before} and {after} goes round an axis of {size} more than once"
            );
        }
        self.pad_with_copies("pad_circular", border, |at, size| at.rem_euclid(size))
    }

    /// What stands at a place of the border stands in an axis of `size` at `inside(place, size)`.
    #[track_caller]
    fn pad_with_copies(
        self,
        op: &str,
        border: &[(usize, usize)],
        inside: impl Fn(isize, isize) -> isize,
    ) -> Self {
        let shape = self.shape();
        check_border(op, border, &shape);
        let mut y = self;
        for (axis, (&(before, after), &size)) in border.iter().zip(&shape).enumerate() {
            if (before, after) == (0, 0) {
                continue;
            }
            assert!(size > 0, "`{op}`: axis {axis} of shape {shape:?} has nothing to copy into a border");
            let (Ok(first), Some(Ok(last))) =
                (isize::try_from(before), size.checked_add(after).map(isize::try_from))
            else {
                panic!("`{op}`: no tensor has a border of {before} and {after}");
            };
            let places: Vec<_> = (-first..last).map(|at| inside(at, size as isize) as usize).collect();
            y = y.index_select(axis as isize, &places);
        }
        y
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

    /// The images `[n, c, h, w]` at another size, `[n, c, size_h, size_w]`. Along each axis a pixel lies between two of
    /// `x`, in the distance `0 ≤ t < 1` from the first, and takes from both; `dx` likewise:
    ///
    /// ```text
    /// y[p] = (1 - t) x[i] + t x[i + 1]        i + t = s(p)
    /// dx[i] += (1 - t) dy[p]                  dx[i + 1] += t dy[p]
    /// ```
    ///
    /// A pixel is a square: `s(p) = (p + ½) h / size_h - ½`, not below 0. With `align_corners` it is a point, and the
    /// first and the last lie on each other: `s(p) = p (h - 1) / (size_h - 1)`. For fewer pixels it does not take the
    /// mean of those between; see [`avg_pool2d`](Var::avg_pool2d).
    ///
    /// ```
    /// # use wengert_autodiff::{IntoTensor, Tape};
    /// # let tape = Tape::new();
    /// let x = tape.variable([[[[0.0, 4.0]]]]);
    /// assert_eq!(x.upsample_bilinear2d([1, 4], false).value(), [[[[0.0, 1.0, 3.0, 4.0]]]].into_tensor());
    /// assert_eq!(x.upsample_bilinear2d([1, 5], true).value(), [[[[0.0, 1.0, 2.0, 3.0, 4.0]]]].into_tensor());
    /// ```
    ///
    /// # Panics
    ///
    /// Unless `x` has four axes and pixels, and both sizes are at least 1.
    #[doc(alias("UpsamplingBilinear2d", "UpSampling2D", "interpolate", "resize"))]
    #[track_caller]
    pub fn upsample_bilinear2d(self, size: [usize; 2], align_corners: bool) -> Self {
        let [_, _, h, w] = self.shape()[..] else {
            panic!("`upsample_bilinear2d` needs an input [n, c, h, w], this one has shape {:?}", self.shape())
        };
        assert!(
            h > 0 && w > 0 && !size.contains(&0),
            "`upsample_bilinear2d`: no images of {size:?} pixels from those of [{h}, {w}]"
        );
        let by_rows = self.between_neighbors(Axis(2), neighbors(h, size[0], align_corners));
        by_rows.between_neighbors(Axis(3), neighbors(w, size[1], align_corners))
    }

    /// `y[p] = (1 - t) x[i] + t x[i + 1]` along an axis, with the `i` and `t` of each `p`.
    #[track_caller]
    fn between_neighbors(self, axis: Axis, neighbors: Vec<(usize, F)>) -> Self {
        let x = self.value();
        let x_shape = x.shape().to_vec();
        let mut y_shape = x_shape.clone();
        y_shape[axis.index()] = neighbors.len();
        let mut y = buffers::scratch(&y_shape);
        Zip::from(y.lanes_mut(axis)).and(x.lanes(axis)).for_each(|y, x| {
            for (y, &(i, t)) in y.into_iter().zip(&neighbors) {
                // On a pixel its neighbor does not matter, not even if it is infinite.
                *y = if t == F::ZERO { x[i] } else { (F::ONE - t) * x[i] + t * x[i + 1] };
            }
        });
        let dx = self.edge(move |dy| {
            let mut dx = Tensor::zeros(x_shape);
            let mut lost = vec![F::ZERO; dx.len_of(axis)];
            Zip::from(dx.lanes_mut(axis)).and(dy.lanes(axis)).for_each(|mut dx, dy| {
                lost.fill(F::ZERO);
                for (&dy, &(i, t)) in dy.into_iter().zip(&neighbors) {
                    add_one(&mut dx[i], &mut lost[i], (F::ONE - t) * dy);
                    if t != F::ZERO {
                        add_one(&mut dx[i + 1], &mut lost[i + 1], t * dy);
                    }
                }
            });
            dx
        });
        self.tape().record("upsample_bilinear2d", y, [dx])
    }
}

/// The pixel before each of `to` pixels that lie over `from` pixels, and how far behind it that lies.
fn neighbors<F: Real>(from: usize, to: usize, align_corners: bool) -> Vec<(usize, F)> {
    // Multiplied first: what falls on a pixel falls on it exactly.
    let place = |p: usize| {
        let (p, from, to) = (p as f64, from as f64, to as f64);
        match (align_corners, to > 1.0) {
            (false, _) => ((p + 0.5) * from / to - 0.5).max(0.0),
            (true, true) => p * (from - 1.0) / (to - 1.0),
            (true, false) => 0.0,
        }
    };
    let neighbor = |p: usize| {
        let s = place(p);
        let i = (s as usize).min(from - 1);
        // Behind the last one there is nothing.
        let t = if i + 1 < from { s - i as f64 } else { 0.0 };
        (i, F::from_f64(t))
    };
    (0..to).map(neighbor).collect()
}

#[track_caller]
fn check_border(op: &str, border: &[(usize, usize)], shape: &[usize]) {
    assert!(
        border.len() == shape.len(),
        "`{op}`: {} pairs are given for the {} axes of shape {shape:?}",
        border.len(),
        shape.len()
    );
}
