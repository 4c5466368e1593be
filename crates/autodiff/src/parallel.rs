//! Work on several threads, which are rayon's.

use std::sync::Once;

/// How many threads there are to divide work among.
///
/// Rayon counts and reads `RAYON_NUM_THREADS`. Unless the program has used rayon before, the thread that asks first
/// becomes a member of the global pool: from outside, every division of work would put it to sleep until a member wakes
/// it, which costs more than most products. A program that uses rayon before it trains, or sets the number of threads,
/// builds the pool itself, on the thread that will train, with `use_current_thread()`.
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
            if threads.is_some_and(|n| n > 1) {
                // An error means that there is a pool already.
                let builder = rayon::ThreadPoolBuilder::new().num_threads(threads.unwrap_or(0));
                let _ = builder.use_current_thread().build_global();
            }
        });
    }
    rayon::current_num_threads()
}

/// Runs both, at the same time if another thread is free, and returns both results.
///
/// Like [`rayon::join`], except on a thread outside of the pool: that hands over `b` only and runs `a` itself, where rayon
/// would hand over both and sleep.
pub fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    if rayon::current_thread_index().is_some() {
        return rayon::join(a, b);
    }
    let mut second = None;
    let first = rayon::in_place_scope(|scope| {
        scope.spawn(|_| second = Some(b()));
        a()
    });
    (first, second.expect("the scope waits for it"))
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
    fn a_panic_on_the_other_thread_is_a_panic_here() {
        let both = std::thread::spawn(|| join(|| 1, || -> u32 { panic!("there") }));
        assert_eq!(*both.join().unwrap_err().downcast::<&str>().unwrap(), "there");
    }
}
