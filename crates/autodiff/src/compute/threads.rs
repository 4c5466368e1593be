//! Work on several threads, which are rayon's: who belongs to the pool, and how two pieces of work run side by side.

use std::sync::Once;

use super::awake;

/// How many threads there are to divide work among. On WebAssembly it is 1.
///
/// Rayon counts and reads `RAYON_NUM_THREADS`. Unless the program has used rayon before, the thread that asks first
/// becomes a member of the global pool: from outside, every division of work would put it to sleep until a member wakes
/// it, which costs more than most products. A program that uses rayon before it trains, or sets the number of threads,
/// calls [`set_threads`] first, or builds the pool itself, on the thread that will train, with `use_current_thread()`.
///
/// When work has been divided, the other members look for more for 200 µs before they sleep.
///
/// The training thread is then a member too, and works for the pool only while it divides work. Do not let it block on
/// another thread that calls `rayon::broadcast`: that runs on every member, so each would wait for the other.
pub fn threads() -> usize {
    if cfg!(target_family = "wasm") {
        return 1;
    }
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
/// `RAYON_NUM_THREADS` and asks the system. Call it once, on the thread that will train, before anything else uses
/// rayon.
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
/// Like [`rayon::join`], except on a thread outside the pool. It hands over `b` only and runs `a` itself, where rayon
/// would hand over both and sleep.
pub fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    // A browser has no other thread, and without rayon's part the program it loads is a seventh smaller.
    if cfg!(target_family = "wasm") {
        return (a(), b());
    }
    awake::keep_awake();
    awake::occupied(|| {
        if rayon::current_thread_index().is_some() {
            return rayon::join(a, b);
        }
        let mut second = None;
        let first = rayon::in_place_scope(|scope| {
            scope.spawn(|_| second = Some(b()));
            a()
        });
        (first, second.expect("the scope waits for it"))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    use super::awake::{PATIENCE, WAITING};
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
