//! A block of patches: column by column what a window sees at each place, row by row what one of its elements sees.

use std::ops::Range;

use super::Sliding;
use crate::compute::{Real, inlined, vectorized};

impl Sliding {
    /// Writes the patches of `rows` of places: `to` is `[channels * kernel, rows * width]`. Outside of the image is 0.
    pub(super) fn gather<F: Real>(&self, image: &[F], rows: Range<usize>, to: &mut [F]) {
        let width = self.output[1];
        let mut lines = to.chunks_exact_mut(rows.len() * width);
        vectorized(inlined!(|| {
            for channel in image.chunks_exact(self.pixels()) {
                for i in 0..self.kernel[0] {
                    for j in 0..self.kernel[1] {
                        let inside = self.places_inside(1, j);
                        let line = lines.next().expect("one for each element of the window");
                        for (to, place) in line.chunks_exact_mut(width).zip(rows.clone()) {
                            match self.pixel(0, place, i) {
                                Some(y) => self.gather_row(
                                    &channel[y * self.input[1]..][..self.input[1]],
                                    j,
                                    &inside,
                                    to,
                                ),
                                None => to.fill(F::ZERO),
                            }
                        }
                    }
                }
            }
        }));
    }

    #[inline(always)]
    fn gather_row<F: Real>(&self, from: &[F], j: usize, inside: &Range<usize>, to: &mut [F]) {
        to[..inside.start].fill(F::ZERO);
        to[inside.end..].fill(F::ZERO);
        let Some(first) = self.pixel(1, inside.start, j) else { return };
        let to = &mut to[inside.clone()];
        match self.stride[1] {
            1 => to.iter_mut().zip(&from[first..]).for_each(|(to, &x)| *to = x),
            stride => to.iter_mut().zip(from[first..].iter().step_by(stride)).for_each(|(to, &x)| *to = x),
        }
    }

    /// The adjoint of [`gather`](Self::gather): adds each element to the pixel that it came from.
    pub(super) fn scatter<F: Real>(&self, patches: &[F], rows: Range<usize>, image: &mut [F]) {
        let width = self.output[1];
        let mut lines = patches.chunks_exact(rows.len() * width);
        vectorized(inlined!(|| {
            for channel in image.chunks_exact_mut(self.pixels()) {
                for i in 0..self.kernel[0] {
                    for j in 0..self.kernel[1] {
                        let inside = self.places_inside(1, j);
                        let line = lines.next().expect("one for each element of the window");
                        let Some(first) = self.pixel(1, inside.start, j) else { continue };
                        for (from, place) in line.chunks_exact(width).zip(rows.clone()) {
                            let Some(y) = self.pixel(0, place, i) else { continue };
                            let to = &mut channel[y * self.input[1]..][first..self.input[1]];
                            self.scatter_row(&from[inside.clone()], to);
                        }
                    }
                }
            }
        }));
    }

    #[inline(always)]
    fn scatter_row<F: Real>(&self, from: &[F], to: &mut [F]) {
        match self.stride[1] {
            1 => to.iter_mut().zip(from).for_each(|(to, &x)| *to += x),
            stride => to.iter_mut().step_by(stride).zip(from).for_each(|(to, &x)| *to += x),
        }
    }
}
