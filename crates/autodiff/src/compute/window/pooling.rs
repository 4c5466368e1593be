//! Pooling: a number for each window, channel by channel.

use std::iter;
use std::ops::Range;

use super::{Sliding, for_each_part};
use crate::compute::layout::{ROW_MAJOR, row_major};
use crate::compute::sum::sum;
use crate::compute::{Real, Tensor, buffers, inlined, vectorized};

/// The pixels of one axis that a window covers, every `step`-th of a range, and by how many a mean divides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) pixels: Range<usize>,
    pub(crate) step: usize,
    pub(crate) divisor: usize,
}

impl Span {
    /// Not `step_by`: it begins with a division, which takes longer than a small window.
    #[inline(always)]
    fn indices(&self) -> impl Iterator<Item = usize> + use<> {
        let (mut next, end, step) = (self.pixels.start, self.pixels.end, self.step);
        iter::from_fn(move || {
            let this = next;
            next += step;
            (this < end).then_some(this)
        })
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
        let spans: [Vec<Span>; 2] = [0, 1].map(|axis| {
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
        let spans: [Vec<Span>; 2] = [0, 1].map(|axis| {
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
        let mut y = buffers::scratch(&[x.shape()[0], x.shape()[1], self.spans[0].len(), self.spans[1].len()]);
        let x = row_major(x.clone());
        let x = x.as_slice().expect(ROW_MAJOR);
        let channels = x.len() / self.pixels();
        for_each_part(channels, self.work(channels), y.as_slice_mut().expect(ROW_MAJOR), &|channel, y| {
            let x = &x[channel * self.pixels()..][..self.pixels()];
            let mut best = Best::of_columns(self.input[1]);
            for (rows, y) in self.spans[0].iter().zip(y.chunks_exact_mut(self.spans[1].len())) {
                best.look_down(x, rows);
                for (y, columns) in y.iter_mut().zip(&self.spans[1]) {
                    *y = best.across(columns);
                }
            }
        });
        y
    }

    /// `dy` goes to the first pixel of its window that is as large as any.
    pub(crate) fn max_gradient<F: Real>(&self, dy: &Tensor<F>, x: &Tensor<F>) -> Tensor<F> {
        let mut dx = buffers::scratch(x.shape());
        let (x, dy) = (row_major(x.clone()), row_major(dy.clone()));
        let (x, dy) = (x.as_slice().expect(ROW_MAJOR), dy.as_slice().expect(ROW_MAJOR));
        let channels = x.len() / self.pixels();
        for_each_part(channels, self.work(channels), dx.as_slice_mut().expect(ROW_MAJOR), &|channel, dx| {
            dx.fill(F::ZERO);
            let x = &x[channel * self.pixels()..][..self.pixels()];
            let dy = &dy[channel * self.places()..][..self.places()];
            let mut best = Best::of_columns(self.input[1]);
            for (rows, dy) in self.spans[0].iter().zip(dy.chunks_exact(self.spans[1].len())) {
                best.look_down(x, rows);
                for (&dy, columns) in dy.iter().zip(&self.spans[1]) {
                    if let Some(pixel) = best.pixel(columns) {
                        dx[pixel] += dy;
                    }
                }
            }
        });
        dx
    }

    /// The mean of each window.
    pub(crate) fn mean<F: Real>(&self, x: &Tensor<F>) -> Tensor<F> {
        self.pooled(x, |channel, rows, columns| {
            let mut total = F::ZERO;
            for row in rows.indices() {
                total += sum(&channel[row * self.input[1]..][columns.pixels.clone()]);
            }
            total / F::from_f64((rows.divisor * columns.divisor) as f64)
        })
    }

    /// An equal part of `dy` goes to every pixel of its window.
    pub(crate) fn mean_gradient<F: Real>(&self, dy: &Tensor<F>) -> Tensor<F> {
        self.spread(dy, |dy, dx, rows, columns| {
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

    /// Calls `f` with each window's gradient, the channel's gradient and the window.
    fn spread<F: Real>(&self, dy: &Tensor<F>, f: impl Fn(F, &mut [F], &Span, &Span) + Sync) -> Tensor<F> {
        let [rows, columns] = &self.spans;
        let mut dx = buffers::scratch(&[dy.shape()[0], dy.shape()[1], self.input[0], self.input[1]]);
        let dy = row_major(dy.clone());
        let dy = dy.as_slice().expect(ROW_MAJOR);
        let channels = dy.len() / self.places();
        for_each_part(channels, self.work(channels), dx.as_slice_mut().expect(ROW_MAJOR), &|channel, dx| {
            dx.fill(F::ZERO);
            let windows = rows.iter().flat_map(|row| columns.iter().map(move |column| (row, column)));
            let dy = &dy[channel * self.places()..][..self.places()];
            for (&dy, (row, column)) in dy.iter().zip(windows) {
                f(dy, dx, row, column);
            }
        });
        dx
    }
}

/// The largest pixels of a row of windows: column by column first, where neighbours are compared side by side.
struct Best<F> {
    /// Of each column: the largest, and the row it is in.
    columns: Vec<F>,
    rows: Vec<u32>,
}

impl<F: Real> Best<F> {
    fn of_columns(width: usize) -> Self {
        Self { columns: vec![F::ZERO; width], rows: vec![0; width] }
    }

    /// Of these rows of an image.
    fn look_down(&mut self, image: &[F], rows: &Span) {
        let width = self.columns.len();
        self.columns.fill(F::neg_infinity());
        self.rows.fill(if rows.pixels.is_empty() { u32::MAX } else { rows.pixels.start as u32 });
        vectorized(inlined!(|| {
            for row in rows.indices() {
                let x = &image[row * width..][..width];
                let best = self.columns.as_chunks_mut::<8>();
                let of_rows = self.rows.as_chunks_mut::<8>();
                let x = x.as_chunks::<8>();
                for ((best, of_row), x) in best.0.iter_mut().zip(of_rows.0).zip(x.0) {
                    for i in 0..8 {
                        keep_larger(&mut best[i], &mut of_row[i], x[i], row as u32);
                    }
                }
                for ((best, of_row), &x) in best.1.iter_mut().zip(of_rows.1).zip(x.1) {
                    keep_larger(best, of_row, x, row as u32);
                }
            }
        }));
    }

    /// Of these columns. Without branches, which nobody could predict.
    #[inline(always)]
    fn across(&self, columns: &Span) -> F {
        let mut best = F::neg_infinity();
        for column in columns.indices() {
            let x = self.columns[column];
            best = if (x > best) | x.is_nan() { x } else { best };
        }
        best
    }

    /// The pixel that is the largest, of equal ones the first in the order of reading; none if no pixel is there.
    #[inline(always)]
    fn pixel(&self, columns: &Span) -> Option<usize> {
        let (mut best, mut at) = (F::neg_infinity(), (u32::MAX, 0));
        for column in columns.indices() {
            let (x, row) = (self.columns[column], self.rows[column]);
            let is_better = (x > best) | x.is_nan() | ((x == best) & (row < at.0));
            best = if is_better { x } else { best };
            at = if is_better { (row, column) } else { at };
        }
        let width = self.columns.len();
        (at.0 < u32::MAX).then_some(at.0 as usize * width + at.1)
    }
}

#[inline(always)]
fn keep_larger<F: Real>(best: &mut F, row: &mut u32, x: F, this: u32) {
    let is_larger = (x > *best) | x.is_nan();
    *best = if is_larger { x } else { *best };
    *row = if is_larger { this } else { *row };
}
