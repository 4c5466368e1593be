//! Work on several threads, which are rayon's.

use std::cell::Cell;
use std::hint;
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rayon::Yield;

/// How many threads there are to divide work among.
///
/// Rayon counts and reads `RAYON_NUM_THREADS`. Unless the program has used rayon before, the thread that asks first
/// becomes a member of the global pool: from outside, every division of work would put it to sleep until a member wakes
/// it, which costs more than most products. A program that uses rayon before it trains, or sets the number of threads,
/// calls [`set_threads`] first, or builds the pool itself, on the thread that will train, with `use_current_thread()`.
///
/// When work has been divided, the other members look for more for 200 µs before they sleep.
///
/// A member that waits for something else does not help the pool, so that `rayon::broadcast`, which needs every member,
/// must not be waited for by the training thread on another.
pub fn threads() -> usize {
    static JOIN_POOL: Once = Once::new();
    if rayon::current_thread_index().is_none() {
        JOIN_POOL.call_once(|| {
            let variable =
                std::env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok()).filter(|&n| n > 0);
            let threads = variable.or_else(|| std::thread::available_parallelism().ok().map(usize::from));
            // A pool of this thread alone could not help the program's other threads.
            if let Some(n @ 2..) = threads {
                // An error means that there is a pool already.
                let _ = set_threads(n);
            }
        });
    }
    rayon::current_num_threads()
}

/// Sets how many threads work together, the calling one included; 0 leaves the number to rayon, which reads
/// `RAYON_NUM_THREADS` and asks the system. Call it once, on the thread that will train, before anything else uses rayon.
///
/// # Errors
///
/// If there are threads already, or the system gives none.
pub fn set_threads(n: usize) -> Result<(), SetThreadsError> {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(n).use_current_thread();
    builder.build_global().map_err(SetThreadsError)
}

/// Why [`set_threads`] could not.
#[derive(Debug, thiserror::Error)]
#[error("cannot set the number of threads: {0}")]
pub struct SetThreadsError(#[source] rayon::ThreadPoolBuildError);

/// Runs both, at the same time if another thread is free, and returns both results.
///
/// Like [`rayon::join`], except on a thread outside of the pool: that hands over `b` only and runs `a` itself, where rayon
/// would hand over both and sleep.
pub fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    keep_awake();
    let occupied = OCCUPIED.replace(true);
    let results = if rayon::current_thread_index().is_some() {
        rayon::join(a, b)
    } else {
        let mut second = None;
        let first = rayon::in_place_scope(|scope| {
            scope.spawn(|_| second = Some(b()));
            a()
        });
        (first, second.expect("the scope waits for it"))
    };
    OCCUPIED.set(occupied);
    results
}

/// For how long a member of the pool that has nothing to do looks for work before it sleeps. Rayon's own members give up
/// earlier, and to wake one takes as long as a small product. The threads of OpenMP wait like this, too, and for longer.
const PATIENCE: Duration = Duration::from_micros(200);

/// How many members are [waiting](wait) for work, or about to.
static WAITING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether the thread is within [`join`] or [`wait`]: it may then take up other work, but must not wait for any.
    /// A panic leaves it set, and the thread then sleeps sooner.
    static OCCUPIED: Cell<bool> = const { Cell::new(false) };
}

/// Has one more member wait for work, unless all the others do.
fn keep_awake() {
    let others = rayon::current_num_threads() - 1;
    let one_more = |waiting| (waiting < others).then_some(waiting + 1);
    if WAITING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok() {
        rayon::spawn(|| {
            if !OCCUPIED.replace(true) {
                wait();
                OCCUPIED.set(false);
            }
            WAITING.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Does what work there is, until for a while there was none.
fn wait() {
    let mut last = Instant::now();
    while last.elapsed() < PATIENCE {
        match rayon::yield_now() {
            Some(Yield::Executed) => last = Instant::now(),
            _ => hint::spin_loop(),
        }
    }
}

/// ZippedSlices above which a loop is divided among threads.
const PARALLEL_ABOVE: usize = 3 << 15;

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

/// Calls `f` with consecutive pieces of the slices: at the same time, one for each thread, where they are long, else once.
pub fn for_each_chunk<E: ZippedSlices>(elements: E, f: impl Fn(E) + Sync) {
    let len = elements.len();
    let piece = if len < PARALLEL_ABOVE { len } else { len.div_ceil(threads()) };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(numbers: &[u64]) -> u64 {
        let [.., _, _] = numbers else { return numbers.iter().sum() };
        let (a, b) = numbers.split_at(numbers.len() / 2);
        let (a, b) = join(|| sum(a), || sum(b));
        a + b
    }

    #[test]
    fn members_and_strangers_divide_work() {
        let numbers: Vec<u64> = (0..1000).collect();
        assert!(threads() > 0);
        // One of these threads may have become a member of the pool.
        for _ in 0..2 {
            assert_eq!(std::thread::scope(|scope| scope.spawn(|| sum(&numbers)).join().unwrap()), 499_500);
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        assert_eq!(pool.install(threads), 3);
        assert_eq!(pool.install(|| sum(&numbers)), 499_500);
    }

    #[test]
    fn members_wait_for_more_work_and_then_sleep() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        pool.install(|| join(|| std::thread::sleep(Duration::from_millis(1)), || ()));
        let start = Instant::now();
        while WAITING.load(Ordering::Relaxed) > 0 {
            assert!(start.elapsed() < Duration::from_secs(20), "somebody waits for ever");
            std::thread::sleep(PATIENCE);
        }
    }

    /// A member that takes up another's division of work from within its own must come back to its own at once.
    #[test]
    fn loops_of_several_members_come_to_an_end() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let numbers: Vec<u64> = (0..1000).collect();
        let (a, b) = pool.install(|| {
            rayon::join(
                || (0..100).map(|_| sum(&numbers)).sum::<u64>(),
                || (0..100).map(|_| sum(&numbers)).sum::<u64>(),
            )
        });
        assert_eq!((a, b), (49_950_000, 49_950_000));
    }

    #[test]
    fn a_panic_on_the_other_thread_is_a_panic_here() {
        let both = std::thread::spawn(|| join(|| 1, || -> u32 { panic!("there") }));
        assert_eq!(*both.join().unwrap_err().downcast::<&str>().unwrap(), "there");
    }
}
