//! The tensors of past steps, used again: a step that is like the last one asks the system for no memory, whose pages
//! would have to be mapped and cleared, and makes no arrays anew.
//!
//! The free tensors belong to the thread, so that a pullback can take one, too. [`Tape::reset`](crate::Tape::reset) and
//! the end of a [`Gradients`](crate::Gradients) give back what nothing else shares; what a whole step did not need is then
//! freed, and so is everything when a tape of the thread ends.

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

struct SizeClass<F: Real> {
    len: usize,
    free: Vec<Tensor<F>>,
    /// The fewest that were free at a time since the last [`trim`].
    min_free: usize,
    /// How many may come back. Nothing else is accepted: a thread that only drops what others made collects nothing.
    outstanding: usize,
    /// How many were taken since the last [`trim`]; what was taken before that and did not come back is not expected.
    taken_since_trim: usize,
}

/// A tensor whose elements are arbitrary: who takes it writes them all. It lies in row-major order and shares nothing.
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

/// Takes a tensor that nothing else shares.
pub(crate) fn recycle<F: Real>(tensor: Tensor<F>) {
    if tensor.len() >= SMALL && tensor.is_unique() && tensor.is_standard_layout() {
        with(|pool: &mut Pool<F>| pool.recycle(tensor));
    }
}

/// Frees the tensors that were not needed since the last call.
pub(crate) fn trim<F: Real>() {
    with(|pool: &mut Pool<F>| {
        for class in &mut pool.0 {
            class.free.truncate(class.free.len() - class.min_free);
            class.min_free = class.free.len();
            class.outstanding = class.outstanding.min(class.taken_since_trim);
            class.taken_since_trim = 0;
        }
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

    /// Prefers a tensor that has this shape already.
    fn take(&mut self, len: usize, shape: &[usize]) -> Option<Tensor<F>> {
        let index = self.find(len).unwrap_or_else(|index| {
            self.0.insert(
                index,
                SizeClass { len, free: Vec::new(), min_free: 0, outstanding: 0, taken_since_trim: 0 },
            );
            index
        });
        let class = &mut self.0[index];
        class.outstanding += 1;
        class.taken_since_trim += 1;
        let same = class.free.iter().rposition(|tensor| tensor.shape() == shape);
        let tensor = same.map(|index| class.free.swap_remove(index)).or_else(|| class.free.pop());
        class.min_free = class.min_free.min(class.free.len());
        tensor
    }

    fn recycle(&mut self, tensor: Tensor<F>) {
        if let Ok(index) = self.find(tensor.len())
            && self.0[index].outstanding > 0
        {
            self.0[index].outstanding -= 1;
            self.0[index].free.push(tensor);
        }
    }
}
