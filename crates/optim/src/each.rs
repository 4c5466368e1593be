//! The loop of a rule over the elements of its tensors, in the widest vectors of the CPU and, where there are many, on several
//! threads. No element depends on another, so the bits are always the same.

use std::borrow::Cow;

use ndarray::{ArcArray, IxDyn};
use wengert_autodiff::{Real, Tensor, parallel, vectorized};

/// Elements above which the loop is divided among threads.
const PARALLEL_ABOVE: usize = 1 << 17;

/// A slice, or a pair of them that are as long as each other: `((a, b), c)` stands for three.
pub(crate) trait Elements: Send + Sized {
    type Item;

    fn len(&self) -> usize;
    fn split_at(self, middle: usize) -> (Self, Self);
    fn iter(self) -> impl Iterator<Item = Self::Item>;
}

impl<'a, T: Sync> Elements for &'a [T] {
    type Item = &'a T;

    fn len(&self) -> usize {
        <[T]>::len(self)
    }

    fn split_at(self, middle: usize) -> (Self, Self) {
        <[T]>::split_at(self, middle)
    }

    #[inline]
    fn iter(self) -> impl Iterator<Item = &'a T> {
        <[T]>::iter(self)
    }
}

impl<'a, T: Send> Elements for &'a mut [T] {
    type Item = &'a mut T;

    fn len(&self) -> usize {
        <[T]>::len(self)
    }

    fn split_at(self, middle: usize) -> (Self, Self) {
        self.split_at_mut(middle)
    }

    #[inline]
    fn iter(self) -> impl Iterator<Item = &'a mut T> {
        self.iter_mut()
    }
}

impl<A: Elements, B: Elements> Elements for (A, B) {
    type Item = (A::Item, B::Item);

    fn len(&self) -> usize {
        assert_eq!(self.0.len(), self.1.len(), "all tensors of a rule have one shape");
        self.0.len()
    }

    fn split_at(self, middle: usize) -> (Self, Self) {
        let ((a0, a1), (b0, b1)) = (self.0.split_at(middle), self.1.split_at(middle));
        ((a0, b0), (a1, b1))
    }

    #[inline]
    fn iter(self) -> impl Iterator<Item = Self::Item> {
        self.0.iter().zip(self.1.iter())
    }
}

/// Calls `f` with every element.
pub(crate) fn each<E: Elements>(elements: E, f: impl Fn(E::Item) + Sync) {
    count(elements, |element| {
        f(element);
        false
    });
}

/// Calls `f` with every element and returns how often it said yes.
pub(crate) fn count<E: Elements>(elements: E, f: impl Fn(E::Item) -> bool + Sync) -> u64 {
    let len = elements.len();
    let piece = if len < PARALLEL_ABOVE { len } else { len.div_ceil(parallel::threads()) };
    pieces(elements, piece, &f)
}

fn pieces<E: Elements>(elements: E, piece: usize, f: &(impl Fn(E::Item) -> bool + Sync)) -> u64 {
    let len = elements.len();
    if len <= piece {
        return run(elements, f);
    }
    let (a, b) = elements.split_at(len / 2);
    let (a, b) = parallel::join(|| pieces(a, piece, f), || pieces(b, piece, f));
    a + b
}

/// Counts in the width of `f32`, so that the loop stays vectorised; a piece has fewer elements than overflow it.
fn run<E: Elements>(elements: E, f: &(impl Fn(E::Item) -> bool + Sync)) -> u64 {
    vectorized(
        #[inline(always)]
        || elements.iter().fold(0_u32, |count, element| count + u32::from(f(element))),
    )
    .into()
}

/// The elements in row-major order.
pub(crate) fn elements<F: Real>(x: &Tensor<F>) -> Cow<'_, [F]> {
    x.as_slice().map_or_else(|| Cow::Owned(x.iter().copied().collect()), Cow::Borrowed)
}

/// The elements in row-major order, to be changed; a tensor in another order is brought into this one.
pub(crate) fn elements_mut<S: Clone>(x: &mut ArcArray<S, IxDyn>) -> &mut [S] {
    if !x.is_standard_layout() {
        *x = x.as_standard_layout().into_owned().into_shared();
    }
    x.as_slice_mut().expect("in row-major order")
}
