//! Sums whose rounding error grows with the logarithm of the number of terms, as NumPy's and PyTorch's do: a few terms
//! are added one after the other, the sums of such blocks in pairs, those again in pairs (Higham, "The accuracy of
//! floating point summation", SIAM J. Sci. Comput. 14, 1993). A sum of `n` terms `xᵢ` in `f32` is within
//! `(27 + log₂ n) 2⁻²⁴ Σ |xᵢ|` of the exact one, whatever their order, and one over rows within `(32 + log₂ n) 2⁻²⁴ Σ
//! |xᵢ|`.
//!
//! The order depends on the number of terms only: not on the CPU, on threads, or on where the terms lie.

use std::ops::Range;

use ndarray::{Axis, Slice};

use super::elementwise::accumulate;
use super::layout::ROW_MAJOR;
use super::{Real, Tensor, buffers, inlined, vectorized};

/// Terms that are added up side by side, in the lanes of vectors.
const LANES: usize = 32;
/// The same where fewer are left, as in a row of ten classes.
const FEW_LANES: usize = 8;
/// Terms of a block: 16 in each lane.
const BLOCK: usize = 16 * LANES;
/// Rows, tensors, or terms of a place, that are added one after the other.
pub(crate) const ROWS: usize = 32;

/// `Σ x`.
#[inline(always)]
pub(crate) fn sum<F: Real>(x: &[F]) -> F {
    sum_of(x, x, inlined!(|x, _| x))
}

/// `Σ x y`.
#[inline(always)]
pub(crate) fn dot<F: Real>(x: &[F], y: &[F]) -> F {
    sum_of(x, y, inlined!(|x, y| x * y))
}

/// `Σ term(xᵢ, yᵢ)` of slices of one length.
#[inline(always)]
pub(crate) fn sum_of<F: Real>(x: &[F], y: &[F], term: impl Fn(F, F) -> F) -> F {
    if x.len() <= BLOCK {
        return sum_of_block(x, y, &term);
    }
    // The sums of 2ᵏ blocks each, the widest first, as the digits of a binary number that counts the blocks.
    let mut digits = [F::ZERO; usize::BITS as usize];
    let mut count = 0;
    for (before, (x, y)) in x.chunks(BLOCK).zip(y.chunks(BLOCK)).enumerate() {
        let mut sum = sum_of_block(x, y, &term);
        for _ in 0..before.trailing_ones() {
            count -= 1;
            sum = digits[count] + sum;
        }
        digits[count] = sum;
        count += 1;
    }
    let (narrowest, wider) = digits[..count].split_last().expect("more than a block");
    wider.iter().rfold(*narrowest, |sum, &wider| wider + sum)
}

#[inline(always)]
fn sum_of_block<F: Real>(x: &[F], y: &[F], term: &impl Fn(F, F) -> F) -> F {
    let whole = x.len() - x.len() % LANES;
    let even = x.len() - x.len() % FEW_LANES;
    let rest = x[even..].iter().zip(&y[even..]).fold(F::ZERO, |sum, (&x, &y)| sum + term(x, y));
    let few = sum_of_lanes::<FEW_LANES, F>(&x[whole..even], &y[whole..even], term);
    sum_of_lanes::<LANES, F>(&x[..whole], &y[..whole], term) + (few + rest)
}

/// The length is a multiple of `N`, a power of two.
#[inline(always)]
fn sum_of_lanes<const N: usize, F: Real>(x: &[F], y: &[F], term: &impl Fn(F, F) -> F) -> F {
    if x.is_empty() {
        return F::ZERO;
    }
    let mut sums = [F::ZERO; N];
    for (x, y) in x.as_chunks::<N>().0.iter().zip(y.as_chunks::<N>().0) {
        for ((sum, &x), &y) in sums.iter_mut().zip(x).zip(y) {
            *sum += term(x, y);
        }
    }
    let mut width = N;
    while width > 1 {
        width /= 2;
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
    }
    sums[0]
}

/// `sum + lost ← sum + lost + x`, where `lost` is what rounding took from `sum` (Knuth's sum of two numbers and its
/// error): for sums to which single terms come in any number. They are exact to a unit in the last place.
#[inline(always)]
pub(crate) fn add_one<F: Real>(sum: &mut F, lost: &mut F, x: F) {
    let next = *sum + x;
    let part = next - *sum;
    *lost += (*sum - (next - part)) + (x - part);
    *sum = next + *lost;
    *lost -= *sum - next;
    // An infinite sum has lost nothing that can be told. ∞ - ∞ is NaN, in each part of a dual number.
    let finite = *lost;
    if !(finite - *lost).is_zero() {
        (*sum, *lost) = (next, F::ZERO);
    }
}

/// `Σ` of terms that are computed on the way.
#[inline(always)]
pub(crate) fn sum_each<F: Real>(terms: impl ExactSizeIterator<Item = F>) -> F {
    if terms.len() <= ROWS {
        return terms.fold(F::ZERO, |sum, x| sum + x);
    }
    let (mut sum, mut lost) = (F::ZERO, F::ZERO);
    terms.for_each(|x| add_one(&mut sum, &mut lost, x));
    sum
}

/// Sums to which terms come in any order; `lost` is empty where each gets only a few.
pub(crate) struct Places<'x, F> {
    sums: &'x mut [F],
    lost: Vec<F>,
}

impl<'x, F: Real> Places<'x, F> {
    pub(crate) fn new(sums: &'x mut [F], crowded: bool) -> Self {
        let lost = vec![F::ZERO; if crowded { sums.len() } else { 0 }];
        Self { sums, lost }
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, place: usize, x: F) {
        match self.lost.get_mut(place) {
            None => self.sums[place] += x,
            Some(lost) => add_one(&mut self.sums[place], lost, x),
        }
    }
}

/// Whether one of the places gets so many terms that they should not be added one after the other.
pub(crate) fn crowded<'i>(indices: impl ExactSizeIterator<Item = &'i usize>, places: usize) -> bool {
    if indices.len() <= ROWS {
        return false;
    }
    let mut terms = vec![0_usize; places];
    indices.into_iter().any(|&place| {
        terms[place] += 1;
        terms[place] > ROWS
    })
}

/// `to ← Σ` of `n` rows that are as long as `to`; `add` adds a few of them, one after the other.
pub(crate) fn sum_rows<F: Real>(n: usize, to: &mut [F], add: impl Fn(Range<usize>, &mut [F])) {
    let levels = n.div_ceil(ROWS).next_power_of_two().ilog2() as usize;
    let mut second_halves = buffers::scratch(&[levels * to.len()]);
    add_in_pairs(0..n, to, second_halves.as_slice_mut().expect(ROW_MAJOR), &add);
    buffers::recycle(second_halves);
}

/// How many of `n` rows are added up beside the others, if they are too many to be added one after the other.
pub(crate) fn first_half(n: usize) -> Option<usize> {
    (n > ROWS).then(|| n.div_ceil(ROWS).next_power_of_two() / 2 * ROWS)
}

fn add_in_pairs<F: Real>(
    rows: Range<usize>,
    to: &mut [F],
    second_halves: &mut [F],
    add: &impl Fn(Range<usize>, &mut [F]),
) {
    let Some(first) = first_half(rows.len()) else {
        to.fill(F::ZERO);
        return add(rows, to);
    };
    let middle = rows.start + first;
    add_in_pairs(rows.start..middle, to, second_halves, add);
    let (second, second_halves) = second_halves.split_at_mut(to.len());
    add_in_pairs(middle..rows.end, second, second_halves, add);
    vectorized(inlined!(|| add_slice(to, second)));
}

/// `to ← to + x`.
#[inline(always)]
pub(crate) fn add_slice<F: Real>(to: &mut [F], x: &[F]) {
    for (to, &x) in to.iter_mut().zip(x) {
        *to += x;
    }
}

/// A sum of tensors that come one after the other.
pub(crate) struct RunningSum<F: Real> {
    /// Of the last tensors, up to [`ROWS`].
    sum: Option<Tensor<F>>,
    count: usize,
    /// The elements of parts that do not yet count as a tensor.
    in_parts: usize,
    /// The sums of 2ᵏ times as many before them, the widest first; as in [`sum_of`].
    wider: Vec<Tensor<F>>,
}

impl<F: Real> Default for RunningSum<F> {
    fn default() -> Self {
        Self { sum: None, count: 0, in_parts: 0, wider: Vec::new() }
    }
}

impl<F: Real> RunningSum<F> {
    pub(crate) fn of(first: Tensor<F>) -> Self {
        Self { sum: Some(first), count: 1, ..Self::default() }
    }

    pub(crate) fn add(&mut self, x: Tensor<F>) {
        match &mut self.sum {
            Some(sum) if !self.count.is_multiple_of(ROWS) => accumulate(sum, x),
            _ => self.begin(x),
        }
        self.count += 1;
    }

    /// Adds a tensor of this shape that is 0 but for `x`, in a range along an axis. Parts count as one tensor together
    /// when they have as many elements.
    pub(crate) fn add_part(&mut self, shape: &[usize], (axis, range): (Axis, Range<usize>), x: Tensor<F>) {
        if self.count.is_multiple_of(ROWS) && self.in_parts == 0 {
            let mut zeros = buffers::scratch(shape);
            zeros.fill(F::ZERO);
            self.add(zeros);
        }
        let sum = self.sum.as_mut().expect("begun");
        let mut place = sum.slice_axis_mut(axis, Slice::from(range));
        place += &x;
        self.in_parts += x.len();
        if self.in_parts >= sum.len() {
            (self.in_parts, self.count) = (0, self.count + 1);
        }
        buffers::recycle(x);
    }

    /// Starts the next sum.
    fn begin(&mut self, x: Tensor<F>) {
        let Some(mut sum) = self.sum.replace(x) else { return };
        for _ in 0..(self.count / ROWS - 1).trailing_ones() {
            accumulate(&mut sum, self.wider.pop().expect("a digit that is one"));
        }
        self.wider.push(sum);
    }

    pub(crate) fn finish(self) -> Tensor<F> {
        let mut sum = self.sum.expect("at least one tensor");
        self.wider.into_iter().rev().for_each(|wider| accumulate(&mut sum, wider));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between 1 and 3 whose sums, in eighths, are exact in `f64`.
    fn terms(n: usize) -> Vec<f32> {
        (0..n).map(|i| 1.0 + (i * 7919 % 17) as f32 / 8.0).collect()
    }

    fn exact(terms: &[f32]) -> f64 {
        terms.iter().map(|&x| f64::from(x)).sum()
    }

    fn within(sum: f32, terms: &[f32], fixed: u32) -> bool {
        let bound = f64::from(fixed + terms.len().max(1).ilog2() + 1) * 2_f64.powi(-24);
        (f64::from(sum) - exact(terms)).abs() <= bound * exact(terms)
    }

    const LENGTHS: [usize; 18] =
        [0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 511, 512, 513, 1024, 1025, 12_345, 10_000_000];

    #[test]
    fn a_sum_is_within_its_bound_at_every_length() {
        for n in LENGTHS {
            let x = terms(n);
            assert!(within(sum(&x), &x, 27), "{n}: {} for {}", sum(&x), exact(&x));
            let ones = vec![1.0; n];
            assert_eq!(dot(&x, &ones).to_bits(), sum(&x).to_bits(), "{n}");
        }
    }

    #[test]
    fn a_sum_of_rows_is_within_its_bound_at_every_length() {
        for n in LENGTHS {
            let x = terms(n);
            let mut to = [f32::NAN];
            sum_rows(n, &mut to, |rows, to| x[rows].iter().for_each(|x| to[0] += x));
            assert!(within(to[0], &x, 32), "{n}: {} for {}", to[0], exact(&x));
        }
    }

    #[test]
    fn a_running_sum_is_within_its_bound_at_every_length() {
        for n in LENGTHS.into_iter().filter(|n| (1..20_000).contains(n)) {
            let x = terms(n);
            let mut tensors = x.iter().map(|&x| Tensor::from_elem(&[1][..], x));
            let mut running = RunningSum::of(tensors.next().unwrap());
            tensors.for_each(|x| running.add(x));
            let digits = running.wider.len();
            let sum = running.finish()[0];
            assert!(within(sum, &x, 32), "{n}: {sum} for {}", exact(&x));
            assert_eq!(digits, (n.div_ceil(ROWS) - 1).count_ones() as usize, "{n}");
        }
    }

    #[test]
    fn a_sum_of_parts_is_within_the_same_bound() {
        for n in LENGTHS.into_iter().filter(|n| (1..20_000).contains(n)) {
            let x = terms(n);
            let mut running = RunningSum::default();
            for (i, &x) in x.iter().enumerate() {
                let part = Tensor::from_elem(&[1][..], x);
                if i % 5 == 4 {
                    running.add(Tensor::from_shape_fn(&[2][..], |at| if at[0] == 1 { x } else { 0.0 }));
                } else {
                    running.add_part(&[2], (Axis(0), 1..2), part);
                }
            }
            let sum = running.finish();
            assert!(within(sum[1], &x, 64), "{n}: {sum} for {}", exact(&x));
            assert_eq!(sum[0], 0.0);
        }
    }
}
