//! Windows that slide over images, `[n, channels, height, width]` in row-major order: what convolution and pooling
//! share.

pub(crate) mod convolution;
mod patches;
pub(crate) mod pooling;

use std::ops::Range;

use super::{Real, join, threads};

/// How a window slides over an image, axis by axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sliding {
    /// The image's height and width.
    pub(crate) input: [usize; 2],
    /// The window's.
    pub(crate) kernel: [usize; 2],
    /// How many places it takes along each axis.
    pub(crate) output: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    /// How far it begins before the image.
    pub(crate) before: [usize; 2],
}

impl Sliding {
    pub(crate) fn places(&self) -> usize {
        self.output[0] * self.output[1]
    }

    pub(crate) fn pixels(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// The pixel that the window's element `k` is over when the window is at `place`, if it is one of the image.
    #[cfg(test)]
    fn pixel(&self, axis: usize, place: usize, k: usize) -> Option<usize> {
        let from_start = place * self.stride[axis] + k * self.dilation[axis];
        from_start.checked_sub(self.before[axis]).filter(|&pixel| pixel < self.input[axis])
    }

    /// The places at which the window's element `k` is over the image.
    #[inline(always)]
    fn places_inside(&self, axis: usize, k: usize) -> Range<usize> {
        let (stride, offset) = (self.stride[axis], k * self.dilation[axis]);
        let reaching = |pixel: usize| {
            let distance = (pixel + self.before[axis]).saturating_sub(offset);
            // A division takes as long as a row of patches.
            if stride == 1 { distance } else { distance.div_ceil(stride) }
        };
        let end = reaching(self.input[axis]).min(self.output[axis]);
        reaching(0).min(end)..end
    }
}

/// Multiply-adds, or about as much work, below which a second thread costs more than it brings.
const WORK_TO_DIVIDE: usize = 1 << 18;

/// Calls `f` with each of `count` equal parts of a tensor and its index; where there is much work, on several threads.
fn for_each_part<F: Real>(count: usize, work: usize, to: &mut [F], f: &(impl Fn(usize, &mut [F]) + Sync)) {
    let pieces = if work < WORK_TO_DIVIDE { 1 } else { threads() };
    divide(0..count, pieces, to, f);
}

fn divide<F: Real>(parts: Range<usize>, pieces: usize, to: &mut [F], f: &(impl Fn(usize, &mut [F]) + Sync)) {
    let count = parts.len();
    if count == 0 {
        return;
    }
    let len = to.len() / count;
    if pieces < 2 || count < 2 {
        return parts.enumerate().for_each(|(i, part)| f(part, &mut to[i * len..][..len]));
    }
    let near = (count * (pieces / 2) / pieces).max(1);
    let middle = parts.start + near;
    let (to_0, to_1) = to.split_at_mut(near * len);
    join(
        || divide(parts.start..middle, pieces / 2, to_0, f),
        || divide(middle..parts.end, pieces - pieces / 2, to_1, f),
    );
}

/// One of `count` equal parts.
fn part<F>(x: &[F], index: usize, count: usize) -> &[F] {
    let len = x.len() / count;
    &x[index * len..][..len]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every size, stride, dilation and border up to a few, against a window that is moved pixel by pixel.
    #[test]
    fn the_places_inside_are_those_whose_pixel_exists() {
        for code in 0..6 * 3 * 3 * 4 * 4 {
            let digit = |divisor: usize, base: usize| code / divisor % base;
            let (input, kernel, stride) = (digit(1, 6), 1 + digit(6, 3), 1 + digit(18, 3));
            let (dilation, before) = (1 + digit(54, 4), digit(216, 4));
            let output = (input + 2 * before).saturating_sub(dilation * (kernel - 1)).div_ceil(stride);
            let two = |x| [x, x];
            let sliding = Sliding {
                input: two(input),
                kernel: two(kernel),
                output: two(output),
                stride: two(stride),
                dilation: two(dilation),
                before: two(before),
            };
            for k in 0..kernel {
                let inside = sliding.places_inside(0, k);
                let expected: Vec<_> =
                    (0..output).filter(|&place| sliding.pixel(0, place, k).is_some()).collect();
                assert!(inside.clone().eq(expected), "{sliding:?}, element {k}: {inside:?}");
            }
        }
    }
}
