//! Pooling: a number for each window, channel by channel.

use std::ops::Range;

use super::{Sliding, for_each_part};
use crate::compute::layout::{ROW_MAJOR, row_major};
use crate::compute::sum::sum;
use crate::compute::{Real, Tensor, buffers};

/// The pixels of one axis that a window covers, every `step`-th of a range, and by how many a mean divides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) pixels: Range<usize>,
    pub(crate) step: usize,
    pub(crate) divisor: usize,
}

impl Span {
    fn indices(&self) -> impl Iterator<Item = usize> + use<> {
        self.pixels.clone().step_by(self.step)
    }

    /// Those elements of a row.
    fn of<'x, F>(&self, row: &'x [F]) -> impl Iterator<Item = &'x F> + use<'x, F> {
        row[self.pixels.clone()].iter().step_by(self.step)
    }

    /// Those rows of an image.
    fn rows<'x, F>(&self, image: &'x [F], width: usize) -> impl Iterator<Item = &'x [F]> + use<'x, F> {
        image[self.pixels.start * width..self.pixels.end * width].chunks_exact(width).step_by(self.step)
    }
}

/// The windows of an image: each of the first axis with each of the second.
#[derive(Clone, Debug)]
pub(crate) struct Windows {
    input: [usize; 2],
    spans: [Vec<Span>; 2],
}

impl Windows {
    /// Windows that slide. A mean counts the zeros around the image, up to `after` behind it, if `count_zeros`.
    pub(crate) fn sliding(sliding: &Sliding, after: [usize; 2], count_zeros: bool) -> Self {
        let spans = [0, 1].map(|axis| {
            let (stride, dilation) = (sliding.stride[axis], sliding.dilation[axis]);
            let (input, before) = (sliding.input[axis], sliding.before[axis]);
            let span = |place: usize| {
                // Counted from the first of the zeros.
                let start = place * stride;
                let skipped = before.saturating_sub(start).div_ceil(dilation);
                let first = start + skipped * dilation - before.min(start + skipped * dilation);
                let end =
                    (start + dilation * (sliding.kernel[axis] - 1) + 1).saturating_sub(before).min(input);
                let pixels = first.min(end)..end;
                let with_zeros =
                    sliding.kernel[axis].min((before + input + after[axis]).saturating_sub(start));
                let divisor = if count_zeros { with_zeros } else { pixels.len().div_ceil(dilation) };
                Span { pixels, step: dilation, divisor }
            };
            (0..sliding.output[axis]).map(span).collect()
        });
        Self { input: sliding.input, spans }
    }

    /// So many windows along each axis, as equal as can be: place `i` of `n` covers the pixels from `⌊i size / n⌋` to
    /// `⌈(i + 1) size / n⌉`.
    pub(crate) fn adaptive(input: [usize; 2], output: [usize; 2]) -> Self {
        let spans = [0, 1].map(|axis| {
            let (size, count) = (input[axis], output[axis]);
            let span = |place: usize| {
                let pixels = place * size / count..((place + 1) * size).div_ceil(count);
                Span { step: 1, divisor: pixels.len(), pixels }
            };
            (0..count).map(span).collect()
        });
        Self { input, spans }
    }

    fn pixels(&self) -> usize {
        self.input[0] * self.input[1]
    }

    fn places(&self) -> usize {
        self.spans[0].len() * self.spans[1].len()
    }

    fn work(&self, channels: usize) -> usize {
        channels * 4 * self.pixels().max(self.places())
    }

    /// `y = max x` of each window; NaN is larger than anything.
    pub(crate) fn max<F: Real>(&self, x: &Tensor<F>) -> Tensor<F> {
        self.pooled(x, |channel, rows, columns| {
            let mut best = F::neg_infinity();
            for row in rows.rows(channel, self.input[1]) {
                for &x in columns.of(row) {
                    best = if x > best || x.is_nan() { x } else { best };
                }
            }
            best
        })
    }

    /// `dy` goes to the first pixel of its window that is equal to `y`.
    pub(crate) fn max_gradient<F: Real>(&self, dy: &Tensor<F>, x: &Tensor<F>, y: &Tensor<F>) -> Tensor<F> {
        let (x, y) = (row_major(x.clone()), row_major(y.clone()));
        let (x, y) = (x.as_slice().expect(ROW_MAJOR), y.as_slice().expect(ROW_MAJOR));
        self.spread(dy, |channel, place, dy, dx, rows, columns| {
            let best = y[channel * self.places() + place];
            let channel = &x[channel * self.pixels()..][..self.pixels()];
            for row in rows.indices() {
                for column in columns.indices() {
                    let pixel = row * self.input[1] + column;
                    if channel[pixel] == best || channel[pixel].is_nan() && best.is_nan() {
                        dx[pixel] += dy;
                        return;
                    }
                }
            }
        })
    }

    /// The mean of each window.
    pub(crate) fn mean<F: Real>(&self, x: &Tensor<F>) -> Tensor<F> {
        self.pooled(x, |channel, rows, columns| {
            let mut total = F::ZERO;
            for row in rows.rows(channel, self.input[1]) {
                total += if columns.step == 1 {
                    sum(&row[columns.pixels.clone()])
                } else {
                    columns.of(row).copied().sum()
                };
            }
            total / F::from_f64((rows.divisor * columns.divisor) as f64)
        })
    }

    /// An equal part of `dy` goes to every pixel of its window.
    pub(crate) fn mean_gradient<F: Real>(&self, dy: &Tensor<F>) -> Tensor<F> {
        self.spread(dy, |_, _, dy, dx, rows, columns| {
            let part = dy / F::from_f64((rows.divisor * columns.divisor) as f64);
            for row in rows.indices() {
                for column in columns.indices() {
                    dx[row * self.input[1] + column] += part;
                }
            }
        })
    }

    fn pooled<F: Real>(&self, x: &Tensor<F>, f: impl Fn(&[F], &Span, &Span) -> F + Sync) -> Tensor<F> {
        let [rows, columns] = &self.spans;
        let mut y = buffers::scratch(&[x.shape()[0], x.shape()[1], rows.len(), columns.len()]);
        let x = row_major(x.clone());
        let x = x.as_slice().expect(ROW_MAJOR);
        let channels = x.len() / self.pixels();
        for_each_part(channels, self.work(channels), y.as_slice_mut().expect(ROW_MAJOR), &|channel, y| {
            let channel = &x[channel * self.pixels()..][..self.pixels()];
            let windows = rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)));
            y.iter_mut().zip(windows).for_each(|(y, (row, column))| *y = f(channel, row, column));
        });
        y
    }

    /// Calls `f` with each window's channel, place and gradient, the channel's gradient and the window.
    fn spread<F: Real>(
        &self,
        dy: &Tensor<F>,
        f: impl Fn(usize, usize, F, &mut [F], &Span, &Span) + Sync,
    ) -> Tensor<F> {
        let [rows, columns] = &self.spans;
        let mut dx = buffers::scratch(&[dy.shape()[0], dy.shape()[1], self.input[0], self.input[1]]);
        let dy = row_major(dy.clone());
        let dy = dy.as_slice().expect(ROW_MAJOR);
        let channels = dy.len() / self.places();
        for_each_part(channels, self.work(channels), dx.as_slice_mut().expect(ROW_MAJOR), &|channel, dx| {
            dx.fill(F::ZERO);
            let windows = rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)));
            let dy = &dy[channel * self.places()..][..self.places()];
            for (place, (&dy, (row, column))) in dy.iter().zip(windows).enumerate() {
                f(channel, place, dy, dx, row, column);
            }
        });
        dx
    }
}
