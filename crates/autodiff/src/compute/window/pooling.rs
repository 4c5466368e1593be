//! Pooling: a number for each window, channel by channel.

use std::iter;
use std::ops::Range;

use super::{Sliding, for_each_part, part};
use crate::compute::layout::{ROW_MAJOR, row_major};
use crate::compute::sum::{Places, ROWS, sum, sum_each};
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

    /// Whether they are the squares of two by two pixels that most networks have.
    fn are_squares(&self) -> bool {
        self.spans.iter().all(|spans| {
            let mut spans = spans.iter().enumerate();
            spans.all(|(i, span)| span.pixels == (2 * i..2 * i + 2) && span.step == 1)
        })
    }

    /// `y = max x` of each window; NaN is larger than anything.
    pub(crate) fn max<F: Real>(&self, x: &Tensor<F>) -> Tensor<F> {
        let are_squares = self.are_squares();
        self.to_places(x, |x, y| {
            if are_squares {
                return largest_of_squares(x, self.input[1], y, self.spans[1].len());
            }
            let mut best = Best::of_columns(self.input[1]);
            for (rows, y) in self.spans[0].iter().zip(y.chunks_exact_mut(self.spans[1].len())) {
                best.look_down(x, rows);
                for (y, columns) in y.iter_mut().zip(&self.spans[1]) {
                    *y = best
                        .across(columns)
                        .moving_as(|| best.pixel(columns).map_or(F::neg_infinity(), |at| x[at]));
                }
            }
        })
    }

    /// `dy` goes to the first pixel of its window that is as large as any.
    pub(crate) fn max_gradient<F: Real>(&self, dy: &Tensor<F>, x: &Tensor<F>) -> Tensor<F> {
        let x = row_major(x.clone());
        let x = x.as_slice().expect(ROW_MAJOR);
        let (are_squares, crowded) = (self.are_squares(), self.are_crowded());
        self.to_pixels(dy, |channel, dy, dx| {
            let x = &x[channel * dx.len()..][..dx.len()];
            if are_squares {
                return spread_over_squares(x, self.input[1], dy, self.spans[1].len(), dx);
            }
            let mut pixels = Places::new(dx, crowded);
            let mut best = Best::of_columns(self.input[1]);
            for (rows, dy) in self.spans[0].iter().zip(dy.chunks_exact(self.spans[1].len())) {
                best.look_down(x, rows);
                for (&dy, columns) in dy.iter().zip(&self.spans[1]) {
                    if let Some(pixel) = best.pixel(columns) {
                        pixels.add(pixel, dy);
                    }
                }
            }
        })
    }

    /// The mean of each window.
    pub(crate) fn mean<F: Real>(&self, x: &Tensor<F>) -> Tensor<F> {
        self.to_places(x, |x, y| {
            for (y, (rows, columns)) in y.iter_mut().zip(self.windows()) {
                let of_row = |row| sum(&x[row * self.input[1]..][columns.pixels.clone()]);
                let total = sum_each(rows.pixels.clone().map(of_row));
                *y = total / F::from_f64((rows.divisor * columns.divisor) as f64);
            }
        })
    }

    /// An equal part of `dy` goes to every pixel of its window.
    pub(crate) fn mean_gradient<F: Real>(&self, dy: &Tensor<F>) -> Tensor<F> {
        let crowded = self.are_crowded();
        self.to_pixels(dy, |_, dy, dx| {
            let mut pixels = Places::new(dx, crowded);
            for (&dy, (rows, columns)) in dy.iter().zip(self.windows()) {
                let part = dy / F::from_f64((rows.divisor * columns.divisor) as f64);
                for row in rows.indices() {
                    for column in columns.indices() {
                        pixels.add(row * self.input[1] + column, part);
                    }
                }
            }
        })
    }

    /// Whether a pixel is in so many windows that their parts should not be added one after the other.
    fn are_crowded(&self) -> bool {
        let [rows, columns] = [0, 1].map(|axis| {
            let mut windows = vec![0_usize; self.input[axis]];
            self.spans[axis].iter().flat_map(Span::indices).for_each(|pixel| windows[pixel] += 1);
            windows.into_iter().max().unwrap_or(0)
        });
        rows * columns > ROWS
    }

    fn windows(&self) -> impl Iterator<Item = (&Span, &Span)> {
        let [rows, columns] = &self.spans;
        rows.iter().flat_map(move |row| columns.iter().map(move |column| (row, column)))
    }

    /// Has `f` write the places of each channel from its pixels.
    fn to_places<F: Real>(&self, x: &Tensor<F>, f: impl Fn(&[F], &mut [F]) + Sync) -> Tensor<F> {
        let mut y = buffers::scratch(&[x.shape()[0], x.shape()[1], self.spans[0].len(), self.spans[1].len()]);
        let x = row_major(x.clone());
        let x = x.as_slice().expect(ROW_MAJOR);
        let channels = x.len() / self.pixels();
        for_each_part(channels, self.work(channels), y.as_slice_mut().expect(ROW_MAJOR), &|channel, y| {
            f(part(x, channel, channels), y);
        });
        y
    }

    /// Has `f` add to the pixels of each channel, which are 0, from its places; the first argument counts channels.
    fn to_pixels<F: Real>(&self, dy: &Tensor<F>, f: impl Fn(usize, &[F], &mut [F]) + Sync) -> Tensor<F> {
        let mut dx = buffers::scratch(&[dy.shape()[0], dy.shape()[1], self.input[0], self.input[1]]);
        let dy = row_major(dy.clone());
        let dy = dy.as_slice().expect(ROW_MAJOR);
        let channels = dy.len() / self.places();
        for_each_part(channels, self.work(channels), dx.as_slice_mut().expect(ROW_MAJOR), &|channel, dx| {
            dx.fill(F::ZERO);
            f(channel, part(dy, channel, channels), dx);
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

    /// The pixel that is the largest, of equal ones the first in the order of reading, of NaNs the last as PyTorch's;
    /// none if no pixel is there.
    #[inline(always)]
    fn pixel(&self, columns: &Span) -> Option<usize> {
        let (mut best, mut at) = (F::neg_infinity(), (u32::MAX, 0));
        for column in columns.indices() {
            let (x, row) = (self.columns[column], self.rows[column]);
            let last_nan = x.is_nan() & (!best.is_nan() | (row >= at.0));
            let is_better = (x > best) | last_nan | ((x == best) & (row < at.0));
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

/// The largest of four pixels, and of equal ones the first.
#[inline(always)]
fn largest<F: Real>(square: [F; 4]) -> (F, u32) {
    let (mut best, mut at) = (square[0], 0);
    for i in 1..4 {
        keep_larger(&mut best, &mut at, square[i as usize], i);
    }
    (best, at)
}

/// The largest pixel of each square, so many in a row. Four squares at a time, which rows of few squares have as well;
/// by index, as in [`patches`](super::patches).
fn largest_of_squares<F: Real>(image: &[F], width: usize, y: &mut [F], places: usize) {
    vectorized(inlined!(|| {
        for row in 0..y.len() / places {
            let [(upper, upper_rest), (lower, lower_rest)] = square_rows(image, width, row, places);
            let (y, y_rest) = y[row * places..][..places].as_chunks_mut::<4>();
            for i in 0..y.len() {
                for (k, y) in y[i].iter_mut().enumerate() {
                    *y = largest(square(&upper[i], &lower[i], k)).0;
                }
            }
            for (k, y) in y_rest.iter_mut().enumerate() {
                *y = largest(square(upper_rest, lower_rest, k)).0;
            }
        }
    }));
}

/// `dy` goes to the largest pixel of each square, the others keep what they have.
fn spread_over_squares<F: Real>(image: &[F], width: usize, dy: &[F], places: usize, dx: &mut [F]) {
    vectorized(inlined!(|| {
        for row in 0..dy.len() / places {
            let [(upper, upper_rest), (lower, lower_rest)] = square_rows(image, width, row, places);
            let (dx_upper, dx_lower) = dx[2 * row * width..][..2 * width].split_at_mut(width);
            let (dx_upper, dx_upper_rest) = dx_upper[..2 * places].as_chunks_mut::<8>();
            let (dx_lower, dx_lower_rest) = dx_lower[..2 * places].as_chunks_mut::<8>();
            let (dy, dy_rest) = dy[row * places..][..places].as_chunks::<4>();
            for i in 0..dy.len() {
                for k in 0..4 {
                    let at = largest(square(&upper[i], &lower[i], k)).1;
                    let part = |pixel| if at == pixel { dy[i][k] } else { F::ZERO };
                    (dx_upper[i][2 * k], dx_upper[i][2 * k + 1]) = (part(0), part(1));
                    (dx_lower[i][2 * k], dx_lower[i][2 * k + 1]) = (part(2), part(3));
                }
            }
            for k in 0..dy_rest.len() {
                let at = largest(square(upper_rest, lower_rest, k)).1 as usize;
                let to =
                    if at < 2 { &mut dx_upper_rest[2 * k + at] } else { &mut dx_lower_rest[2 * k + at - 2] };
                *to = dy_rest[k];
            }
        }
    }));
}

/// The two rows of pixels of a row of squares, in chunks of four squares.
#[inline(always)]
fn square_rows<F>(image: &[F], width: usize, row: usize, places: usize) -> [(&[[F; 8]], &[F]); 2] {
    let rows = &image[2 * row * width..][..2 * width];
    [rows[..2 * places].as_chunks(), rows[width..][..2 * places].as_chunks()]
}

/// The pixels of the `k`-th square, in the order of reading.
#[inline(always)]
fn square<F: Real>(upper: &[F], lower: &[F], k: usize) -> [F; 4] {
    [upper[2 * k], upper[2 * k + 1], lower[2 * k], lower[2 * k + 1]]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows that chunks fill, that leave a rest, with a column and a row that no square covers; equal pixels, NaN.
    #[test]
    fn squares_are_pooled_as_their_definition_says() {
        for (height, width) in [(2, 2), (5, 3), (4, 8), (7, 23), (24, 24), (3, 31)] {
            let output = [height / 2, width / 2];
            let (input, [kernel, stride]) = ([height, width], [[2, 2]; 2]);
            let sliding = Sliding { input, kernel, output, stride, dilation: [1, 1], before: [0, 0] };
            let windows = Windows::sliding(&sliding, [0, 0], false);
            assert!(windows.are_squares());
            let x = Tensor::from_shape_fn(&[2, 3, height, width][..], |at| {
                let x = (at[0] * 31 + at[1] * 17 + at[2] * 7 + at[3] * 11) % 13;
                if x == 12 {
                    f32::NAN
                } else if x == 11 {
                    f32::NEG_INFINITY
                } else {
                    (x / 2) as f32
                }
            });
            let dy = Tensor::from_shape_fn(&[2, 3, output[0], output[1]][..], |at| {
                (1 + at[2] * 40 + at[3]) as f32
            });
            let (mut y, mut dx) = (dy.clone(), x.mapv(|_| 0.0));
            for (at, y) in y.indexed_iter_mut() {
                let mut best = [2 * at[2], 2 * at[3]];
                for pixel in (0..4).map(|i| [2 * at[2] + i / 2, 2 * at[3] + i % 2]) {
                    let [old, new] = [best, pixel].map(|p| x[[at[0], at[1], p[0], p[1]]]);
                    best = if new > old || new.is_nan() { pixel } else { best };
                }
                let [row, column] = best;
                *y = x[[at[0], at[1], row, column]];
                dx[[at[0], at[1], row, column]] = (1 + at[2] * 40 + at[3]) as f32;
            }
            let bits = |x: &Tensor<f32>| {
                x.iter().map(|x| if x.is_nan() { 0 } else { x.to_bits() }).collect::<Vec<_>>()
            };
            assert_eq!(bits(&windows.max(&x)), bits(&y), "{height} × {width}");
            assert_eq!(windows.max_gradient(&dy, &x), dx, "{height} × {width}");
        }
    }
}
