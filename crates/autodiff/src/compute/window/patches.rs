//! A block of patches: column by column what a window sees at each place, row by row what one of its elements sees.
//!
//! The rows are short, so that what comes around them counts. The loops add up offsets, for each of the standard
//! library's chunks and strides begins with a division; and they go by index, for a `map` of an array and what a zip
//! begins with are calls where a program is compiled in several units.

use std::ops::Range;

use super::Sliding;
use crate::compute::{Real, inlined, vectorized};

/// The places, of some rows of them, at which one element of a window is over the image.
struct Inside {
    rows: usize,
    columns: usize,
    /// Of the first of these places in the line of a block, and how far it is to the next row.
    place: usize,
    to_next_places: usize,
    /// Of the pixel there, and how far it is to the one of the next row.
    pixel: usize,
    to_next_pixels: usize,
}

impl Inside {
    /// Calls `f` with each row: the offset of its places, and that of its pixels.
    #[inline(always)]
    fn each_row(&self, mut f: impl FnMut(usize, usize)) {
        let (mut place, mut pixel) = (self.place, self.pixel);
        for _ in 0..self.rows {
            f(place, pixel);
            place += self.to_next_places;
            pixel += self.to_next_pixels;
        }
    }
}

impl Sliding {
    /// Writes the patches of `rows` of places: `to` is `[channels * kernel, rows * width]`. Outside of the image is 0.
    pub(super) fn gather<F: Real>(&self, image: &[F], rows: Range<usize>, to: &mut [F]) {
        vectorized(inlined!(|| {
            self.each_line(
                rows.clone(),
                image.len(),
                inlined!(|channel: Range<usize>, line: Range<usize>, inside: Inside| {
                    let (channel, line) = (&image[channel], &mut to[line]);
                    if inside.rows * inside.columns < line.len() {
                        line.fill(F::ZERO);
                    }
                    let n = inside.columns;
                    match (self.stride[1], n) {
                        (1, 8..=16) => inside.each_row(inlined!(|place, pixel| {
                            copy_ends::<8, F>(&mut line[place..place + n], &channel[pixel..pixel + n]);
                        })),
                        (1, 17..=32) => inside.each_row(inlined!(|place, pixel| {
                            copy_ends::<16, F>(&mut line[place..place + n], &channel[pixel..pixel + n]);
                        })),
                        (1, _) => inside.each_row(inlined!(|place, pixel| {
                            line[place..place + n].copy_from_slice(&channel[pixel..pixel + n]);
                        })),
                        (stride, _) => inside.each_row(inlined!(|place, pixel| {
                            for (i, to) in line[place..place + n].iter_mut().enumerate() {
                                *to = channel[pixel + i * stride];
                            }
                        })),
                    }
                }),
            );
        }));
    }

    /// The adjoint of [`gather`](Self::gather): adds each element to the pixel that it came from.
    pub(super) fn scatter<F: Real>(&self, patches: &[F], rows: Range<usize>, image: &mut [F]) {
        vectorized(inlined!(|| {
            self.each_line(
                rows.clone(),
                image.len(),
                inlined!(|channel: Range<usize>, line: Range<usize>, inside: Inside| {
                    let (channel, line) = (&mut image[channel], &patches[line]);
                    let n = inside.columns;
                    match self.stride[1] {
                        1 => inside.each_row(inlined!(|place, pixel| {
                            add(&mut channel[pixel..pixel + n], &line[place..place + n]);
                        })),
                        stride => inside.each_row(inlined!(|place, pixel| {
                            for (i, &x) in line[place..place + n].iter().enumerate() {
                                channel[pixel + i * stride] += x;
                            }
                        })),
                    }
                }),
            );
        }));
    }

    /// Calls `f` for each line of a block of patches: an element of the window in a channel of an image of so many
    /// numbers. It gets where the channel is in the image, the line in the block, and what of it is inside.
    #[inline(always)]
    fn each_line(
        &self,
        rows: Range<usize>,
        image: usize,
        mut f: impl FnMut(Range<usize>, Range<usize>, Inside),
    ) {
        let (pixels, len) = (self.pixels(), rows.len() * self.output[1]);
        let (mut channel, mut line) = (0..pixels, 0..len);
        while channel.end <= image {
            for i in 0..self.kernel[0] {
                for j in 0..self.kernel[1] {
                    f(channel.clone(), line.clone(), self.inside([i, j], &rows));
                    line = line.end..line.end + len;
                }
            }
            channel = channel.end..channel.end + pixels;
        }
    }

    #[inline(always)]
    fn inside(&self, element: [usize; 2], rows: &Range<usize>) -> Inside {
        let (places, columns) = (self.places_inside(0, element[0]), self.places_inside(1, element[1]));
        let start = places.start.clamp(rows.start, rows.end);
        let end = if columns.is_empty() { start } else { places.end.clamp(start, rows.end) };
        let pixel = |axis: usize, place: usize| {
            (place * self.stride[axis] + element[axis] * self.dilation[axis]).wrapping_sub(self.before[axis])
        };
        Inside {
            rows: end - start,
            columns: columns.len(),
            place: (start - rows.start) * self.output[1] + columns.start,
            to_next_places: self.output[1],
            // Where there is no row, that may be none.
            pixel: pixel(0, start).wrapping_mul(self.input[1]).wrapping_add(pixel(1, columns.start)),
            to_next_pixels: self.stride[0] * self.input[1],
        }
    }
}

/// Copies the first and the last `N` of at most `2 N` elements: for so few, a call takes longer.
#[inline(always)]
fn copy_ends<const N: usize, F: Real>(to: &mut [F], from: &[F]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk()) {
        *to = *from;
    }
}

/// `to ← to + x`.
#[inline(always)]
fn add<F: Real>(to: &mut [F], x: &[F]) {
    let ((to, to_rest), (x, x_rest)) = (to.as_chunks_mut::<8>(), x.as_chunks::<8>());
    for i in 0..to.len().min(x.len()) {
        for lane in 0..8 {
            to[i][lane] += x[i][lane];
        }
    }
    for i in 0..to_rest.len().min(x_rest.len()) {
        to_rest[i] += x_rest[i];
    }
}
