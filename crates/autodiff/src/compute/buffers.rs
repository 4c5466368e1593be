//! The tensors of past steps, used again: a step that is like the last one asks the system for no memory, whose pages
//! would have to be mapped and cleared, and makes no arrays anew.
//!
//! The free tensors belong to the thread, so that a pullback can take one, too. [`Tape::reset`](crate::Tape::reset) and
//! the end of a [`Gradients`](crate::Gradients) give back what nothing else shares. `reset` then frees what the whole
//! step did not need; when a tape of the thread ends, everything is freed.

use std::any::Any;
use std::cell::RefCell;

use ndarray::{ArcArray1, ArcArray2};

use super::{Real, Tensor};

/// Elements below which the system's allocator is as good.
const SMALL: usize = 256;

thread_local! {
    /// One [`Pool`] for each type of element.
    static POOLS: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// The free tensors by their number of elements, in increasing order.
struct Pool<F: Real>(Vec<SizeClass<F>>);

/// The free tensors of one size. What keeps their number from growing:
///
/// - Of the free tensors, those that were never needed between two calls of [`trim`] are freed: `min_free` is the
///   fewest that were free at a time since the last call.
/// - No more tensors come back than were taken: `outstanding` counts those that may. A thread that only drops what
///   other threads made keeps nothing.
/// - A tensor that stays away is expected back until the second [`trim`] after it was taken, not for ever:
///   `taken_since_trim` is what `outstanding` may be at most after a call.
struct SizeClass<F: Real> {
    len: usize,
    free: Vec<Tensor<F>>,
    min_free: usize,
    outstanding: usize,
    taken_since_trim: usize,
}

/// A tensor whose elements are arbitrary: whoever takes it writes them all. It lies in row-major order and shares
/// nothing.
pub(crate) fn scratch<F: Real>(shape: &[usize]) -> Tensor<F> {
    let len: usize = shape.iter().product();
    let reused = if len < SMALL { None } else { with(|pool: &mut Pool<F>| pool.take(len, shape)).flatten() };
    match reused {
        Some(tensor) if tensor.shape() == shape => tensor,
        Some(tensor) => tensor.into_shape_with_order(shape).expect("as many elements as the shape has"),
        None => zeros(shape),
    }
}

/// ndarray needs half the time where the number of axes is known.
fn zeros<F: Real>(shape: &[usize]) -> Tensor<F> {
    match *shape {
        [n] => ArcArray1::zeros(n).into_dyn(),
        [m, n] => ArcArray2::zeros((m, n)).into_dyn(),
        _ => Tensor::zeros(shape),
    }
}

/// Gives a tensor back; it is kept only if nothing else shares its array.
pub(crate) fn recycle<F: Real>(tensor: Tensor<F>) {
    if tensor.len() >= SMALL && tensor.is_unique() && tensor.is_standard_layout() {
        with(|pool: &mut Pool<F>| pool.recycle(tensor));
    }
}

/// Frees the tensors that were not needed since the last call.
pub(crate) fn trim<F: Real>() {
    with(|pool: &mut Pool<F>| {
        pool.0.iter_mut().for_each(SizeClass::trim);
        pool.0.retain(|class| class.outstanding > 0 || !class.free.is_empty());
    });
}

/// Frees everything.
pub(crate) fn clear<F: Real>() {
    with(|pool: &mut Pool<F>| pool.0.clear());
}

/// `None` while the thread ends.
fn with<F: Real, R>(f: impl FnOnce(&mut Pool<F>) -> R) -> Option<R> {
    let run = |pools: &RefCell<Vec<Box<dyn Any>>>| {
        let mut pools = pools.borrow_mut();
        let known = pools.iter().position(|pool| pool.is::<Pool<F>>());
        let index = known.unwrap_or_else(|| {
            pools.push(Box::new(Pool::<F>(Vec::new())));
            pools.len() - 1
        });
        f(pools[index].downcast_mut().expect("found by its type"))
    };
    POOLS.try_with(run).ok()
}

impl<F: Real> Pool<F> {
    fn find(&self, len: usize) -> Result<usize, usize> {
        self.0.binary_search_by_key(&len, |class| class.len)
    }

    fn take(&mut self, len: usize, shape: &[usize]) -> Option<Tensor<F>> {
        let index = self.find(len).unwrap_or_else(|index| {
            self.0.insert(index, SizeClass::new(len));
            index
        });
        self.0[index].take(shape)
    }

    fn recycle(&mut self, tensor: Tensor<F>) {
        if let Ok(index) = self.find(tensor.len()) {
            self.0[index].recycle(tensor);
        }
    }
}

impl<F: Real> SizeClass<F> {
    fn new(len: usize) -> Self {
        Self { len, free: Vec::new(), min_free: 0, outstanding: 0, taken_since_trim: 0 }
    }

    /// A free tensor, if there is one, of this shape if possible. If there is none, the caller makes one, which counts
    /// as taken.
    fn take(&mut self, shape: &[usize]) -> Option<Tensor<F>> {
        self.outstanding += 1;
        self.taken_since_trim += 1;
        let same = self.free.iter().rposition(|tensor| tensor.shape() == shape);
        let tensor = same.map(|index| self.free.swap_remove(index)).or_else(|| self.free.pop());
        self.min_free = self.min_free.min(self.free.len());
        tensor
    }

    fn recycle(&mut self, tensor: Tensor<F>) {
        if self.outstanding > 0 {
            self.outstanding -= 1;
            self.free.push(tensor);
        }
    }

    fn trim(&mut self) {
        self.free.truncate(self.free.len() - self.min_free);
        self.min_free = self.free.len();
        self.outstanding = self.outstanding.min(self.taken_since_trim);
        self.taken_since_trim = 0;
    }
}
