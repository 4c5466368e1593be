//! Loops over slices, divided among threads.

use super::threads::{join, threads};

/// A loop over at least so many elements is divided among threads.
const ELEMENTS_TO_DIVIDE: usize = 3 << 15;

/// A slice, or a pair of them that are as long as each other: `((a, b), c)` stands for three.
pub trait ZippedSlices: Send + Sized {
    /// One element of each slice.
    type Item;

    /// How many elements each slice has.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first `middle` elements of each slice, and the others.
    fn split_at(self, middle: usize) -> (Self, Self);

    /// The elements in order.
    fn iter(self) -> impl Iterator<Item = Self::Item>;
}

impl<'a, T: Sync> ZippedSlices for &'a [T] {
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

impl<'a, T: Send> ZippedSlices for &'a mut [T] {
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

impl<A: ZippedSlices, B: ZippedSlices> ZippedSlices for (A, B) {
    type Item = (A::Item, B::Item);

    fn len(&self) -> usize {
        assert_eq!(self.0.len(), self.1.len(), "slices of one length go together");
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

/// Calls `f` with consecutive pieces of the slices. Long ones are divided, one piece for each thread, at the same time;
/// else `f` is called once.
pub fn for_each_chunk<E: ZippedSlices>(elements: E, f: impl Fn(E) + Sync) {
    let len = elements.len();
    let piece = if len < ELEMENTS_TO_DIVIDE { len } else { len.div_ceil(threads()) };
    divide(elements, piece, &f);
}

fn divide<E: ZippedSlices>(elements: E, piece: usize, f: &(impl Fn(E) + Sync)) {
    let len = elements.len();
    if len <= piece {
        return f(elements);
    }
    let (a, b) = elements.split_at(len / 2);
    join(|| divide(a, piece, f), || divide(b, piece, f));
}
