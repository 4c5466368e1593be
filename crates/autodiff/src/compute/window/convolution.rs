//! Convolution as matrix products: one for each sample, with its patches as the right operand. More than a block of
//! patches is never there at a time.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2, s};

use super::{Sliding, WORK_TO_DIVIDE, for_each_part, part};
use crate::compute::layout::{ROW_MAJOR, row_major};
use crate::compute::sum::{add_slice, first_half};
use crate::compute::{Gemm, Real, Tensor, buffers, inlined, join, vectorized};

/// Elements of a block of patches, if a row of places is not more: they stay in the second-level cache.
const BLOCK: usize = 64 * 1024;

/// A convolution `y = w * x` of `x: [n, groups * channels, height, width]` by `w: [groups * filters, channels,
/// kernel]`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    pub(crate) sliding: Sliding,
    pub(crate) groups: usize,
    /// Of the input, in a group.
    pub(crate) channels: usize,
    /// Channels of the output, in a group.
    pub(crate) filters: usize,
}

impl Convolution {
    fn patch(&self) -> usize {
        self.channels * self.sliding.kernel[0] * self.sliding.kernel[1]
    }

    fn work(&self, n: usize) -> usize {
        n * self.groups * self.filters * self.patch() * self.sliding.places()
    }

    fn input_shape(&self, n: usize) -> [usize; 4] {
        let [height, width] = self.sliding.input;
        [n, self.groups * self.channels, height, width]
    }

    fn output_shape(&self, n: usize) -> [usize; 4] {
        let [height, width] = self.sliding.output;
        [n, self.groups * self.filters, height, width]
    }

    fn weight_shape(&self) -> [usize; 4] {
        let [height, width] = self.sliding.kernel;
        [self.groups * self.filters, self.channels, height, width]
    }

    /// Rows of places whose patches are a block, one block after the other.
    fn blocks(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let [height, width] = self.sliding.output;
        let rows = (BLOCK / (self.patch() * width).max(1)).clamp(1, height.max(1));
        (0..height).step_by(rows).map(move |start| start..height.min(start + rows))
    }

    /// `y = w * x`, plus one number for each channel.
    pub(crate) fn forward<F: Real>(
        &self,
        x: &Tensor<F>,
        w: &Tensor<F>,
        bias: Option<&Tensor<F>>,
    ) -> Tensor<F> {
        let n = x.shape()[0];
        let (x, w) = (row_major(x.clone()), row_major(w.clone()));
        let (x, w) = (x.as_slice().expect(ROW_MAJOR), w.as_slice().expect(ROW_MAJOR));
        let mut y = buffers::scratch(&self.output_shape(n));
        let bias: Option<Vec<F>> = bias.map(|bias| bias.iter().copied().collect());
        for_each_part(n, self.work(n), y.as_slice_mut().expect(ROW_MAJOR), &|sample, y| {
            let x = part(x, sample, n);
            if let Some(bias) = &bias {
                let channels = y.chunks_exact_mut(self.sliding.places().max(1));
                channels.zip(bias).for_each(|(channel, &bias)| channel.fill(bias));
            }
            let beta = if bias.is_some() { F::ONE } else { F::ZERO };
            self.with_patches(|group, rows, patches| {
                self.sliding.gather(self.input_of(x, group), rows.clone(), patches);
                let (a, b) = (self.weight_of(w, group), matrix(patches, self.patch()));
                F::gemm(Gemm { alpha: F::ONE, a, b, beta, c: self.output_of_mut(y, group, rows) });
            });
        });
        y
    }

    /// The gradient of the input: `dx = wᵀ * dy`, which is also what a transposed convolution computes.
    pub(crate) fn backward<F: Real>(&self, dy: &Tensor<F>, w: &Tensor<F>) -> Tensor<F> {
        let n = dy.shape()[0];
        let (dy, w) = (row_major(dy.clone()), row_major(w.clone()));
        let (dy, w) = (dy.as_slice().expect(ROW_MAJOR), w.as_slice().expect(ROW_MAJOR));
        let mut dx = buffers::scratch(&self.input_shape(n));
        for_each_part(n, self.work(n), dx.as_slice_mut().expect(ROW_MAJOR), &|sample, dx| {
            let dy = part(dy, sample, n);
            dx.fill(F::ZERO);
            self.with_patches(|group, rows, patches| {
                let (a, b) =
                    (self.weight_of(w, group).reversed_axes(), self.output_of(dy, group, rows.clone()));
                let c = matrix_mut(patches, self.patch());
                F::gemm(Gemm { alpha: F::ONE, a, b, beta: F::ZERO, c });
                self.sliding.scatter(patches, rows, self.input_of_mut(dx, group));
            });
        });
        dx
    }

    /// The gradient of the weight: `dw = dy * x`, summed over samples in pairs.
    pub(crate) fn weight_gradient<F: Real>(&self, dy: &Tensor<F>, x: &Tensor<F>) -> Tensor<F> {
        let n = dy.shape()[0];
        let (dy, x) = (row_major(dy.clone()), row_major(x.clone()));
        let (dy, x) = (dy.as_slice().expect(ROW_MAJOR), x.as_slice().expect(ROW_MAJOR));
        let mut dw = buffers::scratch(&self.weight_shape());
        self.sum_samples(0..n, dw.as_slice_mut().expect(ROW_MAJOR), &|sample, dw| {
            let (dy, x) = (part(dy, sample, n), part(x, sample, n));
            self.with_patches(|group, rows, patches| {
                self.sliding.gather(self.input_of(x, group), rows.clone(), patches);
                let (a, b) = (self.output_of(dy, group, rows), matrix(patches, self.patch()).reversed_axes());
                let of_group = self.filters * self.patch();
                let c = matrix_mut(&mut dw[group * of_group..][..of_group], self.filters);
                F::gemm(Gemm { alpha: F::ONE, a, b, beta: F::ONE, c });
            });
        });
        dw
    }

    /// Has `add` called with each sample. Where there is much work, one half beside the other; the order of the sum
    /// does not depend on it.
    fn sum_samples<F: Real>(
        &self,
        samples: Range<usize>,
        dw: &mut [F],
        add: &(impl Fn(usize, &mut [F]) + Sync),
    ) {
        let Some(first) = first_half(samples.len()) else {
            dw.fill(F::ZERO);
            return samples.for_each(|sample| add(sample, dw));
        };
        let middle = samples.start + first;
        let mut second = buffers::scratch(&[dw.len()]);
        let second_half = second.as_slice_mut().expect(ROW_MAJOR);
        if self.work(samples.len()) < WORK_TO_DIVIDE {
            self.sum_samples(samples.start..middle, dw, add);
            self.sum_samples(middle..samples.end, second_half, add);
        } else {
            join(
                || self.sum_samples(samples.start..middle, dw, add),
                || self.sum_samples(middle..samples.end, second_half, add),
            );
        }
        let second_half = &*second_half;
        vectorized(inlined!(|| add_slice(dw, second_half)));
        buffers::recycle(second);
    }

    /// Calls `f` for each group and each block of places with room for the block's patches.
    fn with_patches<F: Real>(&self, mut f: impl FnMut(usize, Range<usize>, &mut [F])) {
        let rows = self.blocks().next().map_or(0, |rows| rows.len());
        let mut patches = buffers::scratch(&[self.patch(), rows * self.sliding.output[1]]);
        let buffer = patches.as_slice_mut().expect(ROW_MAJOR);
        for group in 0..self.groups {
            for rows in self.blocks() {
                let len = self.patch() * rows.len() * self.sliding.output[1];
                f(group, rows, &mut buffer[..len]);
            }
        }
        buffers::recycle(patches);
    }

    fn input_of<'x, F>(&self, x: &'x [F], group: usize) -> &'x [F] {
        let len = self.channels * self.sliding.pixels();
        &x[group * len..][..len]
    }

    fn input_of_mut<'x, F>(&self, x: &'x mut [F], group: usize) -> &'x mut [F] {
        let len = self.channels * self.sliding.pixels();
        &mut x[group * len..][..len]
    }

    fn weight_of<'w, F>(&self, w: &'w [F], group: usize) -> ArrayView2<'w, F> {
        let len = self.filters * self.patch();
        matrix(&w[group * len..][..len], self.filters)
    }

    /// The columns of a sample's output that belong to some rows of places.
    fn output_of<'y, F>(&self, y: &'y [F], group: usize, rows: Range<usize>) -> ArrayView2<'y, F> {
        let (len, width) = (self.filters * self.sliding.places(), self.sliding.output[1]);
        matrix(&y[group * len..][..len], self.filters)
            .slice_move(s![.., rows.start * width..rows.end * width])
    }

    fn output_of_mut<'y, F>(&self, y: &'y mut [F], group: usize, rows: Range<usize>) -> ArrayViewMut2<'y, F> {
        let (len, width) = (self.filters * self.sliding.places(), self.sliding.output[1]);
        matrix_mut(&mut y[group * len..][..len], self.filters)
            .slice_move(s![.., rows.start * width..rows.end * width])
    }
}

/// The elements as a matrix of so many rows.
fn matrix<F>(x: &[F], rows: usize) -> ArrayView2<'_, F> {
    ArrayView2::from_shape((rows, x.len() / rows.max(1)), x).expect("whole rows")
}

fn matrix_mut<F>(x: &mut [F], rows: usize) -> ArrayViewMut2<'_, F> {
    ArrayViewMut2::from_shape((rows, x.len() / rows.max(1)), x).expect("whole rows")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::sum::dot;

    /// Small whole numbers, so that every sum is exact.
    fn whole(shape: &[usize], seed: usize) -> Tensor<f32> {
        let mut next = seed;
        Tensor::from_shape_simple_fn(shape, || {
            next = next.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (next >> 60) as f32 - 8.0
        })
    }

    fn naive(convolution: &Convolution, x: &Tensor<f32>, w: &Tensor<f32>) -> Tensor<f32> {
        let Convolution { sliding, channels, filters, .. } = *convolution;
        Tensor::from_shape_fn(&convolution.output_shape(x.shape()[0])[..], |at| {
            let (n, o, first) = (at[0], at[1], at[1] / filters * channels);
            let mut sum = 0.0;
            for c in 0..channels {
                for i in 0..sliding.kernel[0] {
                    for j in 0..sliding.kernel[1] {
                        if let (Some(p), Some(q)) = (sliding.pixel(0, at[2], i), sliding.pixel(1, at[3], j)) {
                            sum += w[[o, c, i, j]] * x[[n, first + c, p, q]];
                        }
                    }
                }
            }
            sum
        })
    }

    /// With one block of patches and several, one summand of the weight's gradient and many.
    #[test]
    fn large_convolutions_are_right() {
        let sliding = |input, kernel, output, stride, dilation, before| Sliding {
            input,
            kernel,
            output,
            stride,
            dilation,
            before,
        };
        let convolutions = [
            (2, 2, 9, 5, sliding([70, 64], [3, 3], [70, 64], [1, 1], [1, 1], [1, 1])),
            (1, 1, 40, 7, sliding([41, 33], [5, 2], [19, 32], [2, 1], [1, 1], [0, 0])),
            (67, 1, 3, 4, sliding([9, 8], [3, 3], [5, 4], [2, 2], [1, 2], [1, 2])),
            (33, 3, 1, 1, sliding([12, 9], [2, 3], [13, 11], [1, 1], [1, 1], [1, 2])),
        ];
        for (n, groups, channels, filters, sliding) in convolutions {
            let convolution = Convolution { sliding, groups, channels, filters };
            let x = whole(&convolution.input_shape(n), 1);
            let w = whole(&convolution.weight_shape(), 2);
            let dy = whole(&convolution.output_shape(n), 3);
            let y = convolution.forward(&x, &w, None);
            assert_eq!(y, naive(&convolution, &x, &w), "{convolution:?}");
            // ⟨dy, w * x⟩ = ⟨dx, x⟩ = ⟨dw, w⟩: exact, since all products are whole and below 2⁵³.
            let inner = |a: &Tensor<f32>, b: &Tensor<f32>| {
                let [a, b] = [a, b].map(|x| x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>());
                dot(&a, &b)
            };
            let expected = inner(&dy, &y);
            assert_eq!(inner(&convolution.backward(&dy, &w), &x), expected, "{convolution:?}");
            assert_eq!(inner(&convolution.weight_gradient(&dy, &x), &w), expected, "{convolution:?}");
        }
    }
}
