//! The large buffers of past steps, used again: a step that is like the last one asks the system for no memory, whose
//! pages would have to be mapped and cleared.
//!
//! The free buffers belong to the thread, so that a pullback can take one, too. [`Tape::reset`](crate::Tape::reset) and
//! the end of a [`Gradients`](crate::Gradients) give back what nothing else shares; what a whole step did not need is then
//! freed, and so is everything when a tape of the thread ends.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;

use ndarray::{Array, Dimension};

use crate::{Real, Tensor};

/// Elements below which the system's allocator is as good.
const SMALL: usize = 1024;

thread_local! {
    /// One [`Pool`] for each type of element.
    static POOLS: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// The free buffers by length.
struct Pool<F>(BTreeMap<usize, Shelf<F>>);

struct Shelf<F> {
    free: Vec<Vec<F>>,
    /// The fewest that were free at a time since the last [`sweep`].
    spare: usize,
    /// How many may come back. Nothing else is accepted: a thread that only drops what others made collects nothing.
    lent: usize,
    /// How many were taken since the last [`sweep`]; what was taken before that and did not come back is not expected.
    taken: usize,
}

/// An array whose elements are arbitrary: who takes it writes them all.
pub(crate) fn array<F: Real, D: Dimension>(shape: D) -> Array<F, D> {
    let len = shape.size();
    let reused = if len < SMALL { None } else { with(|pool: &mut Pool<F>| pool.take(len)).flatten() };
    let elements = reused.unwrap_or_else(|| vec![F::ZERO; len]);
    Array::from_shape_vec(shape, elements).expect("as many elements as the shape has")
}

/// Takes the buffer of a tensor that nothing else shares.
pub(crate) fn give<F: Real>(tensor: Tensor<F>) {
    if tensor.len() >= SMALL
        && let Ok(array) = tensor.try_into_owned_nocopy()
    {
        with(|pool: &mut Pool<F>| pool.give(array.into_raw_vec_and_offset().0));
    }
}

/// Frees the buffers that were not needed since the last call.
pub(crate) fn sweep<F: Real>() {
    with(|pool: &mut Pool<F>| {
        for shelf in pool.0.values_mut() {
            shelf.free.truncate(shelf.free.len() - shelf.spare);
            shelf.spare = shelf.free.len();
            shelf.lent = shelf.lent.min(shelf.taken);
            shelf.taken = 0;
        }
        pool.0.retain(|_, shelf| shelf.lent > 0 || !shelf.free.is_empty());
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
            pools.push(Box::new(Pool::<F>(BTreeMap::new())));
            pools.len() - 1
        });
        f(pools[index].downcast_mut().expect("found by its type"))
    };
    POOLS.try_with(run).ok()
}

impl<F: Real> Pool<F> {
    fn take(&mut self, len: usize) -> Option<Vec<F>> {
        let shelf = self.0.entry(len).or_insert(Shelf { free: Vec::new(), spare: 0, lent: 0, taken: 0 });
        shelf.lent += 1;
        shelf.taken += 1;
        let buffer = shelf.free.pop();
        shelf.spare = shelf.spare.min(shelf.free.len());
        buffer
    }

    fn give(&mut self, buffer: Vec<F>) {
        if let Some(shelf) = self.0.get_mut(&buffer.len())
            && shelf.lent > 0
        {
            shelf.lent -= 1;
            shelf.free.push(buffer);
        }
    }
}
