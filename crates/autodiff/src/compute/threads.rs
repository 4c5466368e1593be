//! Work on several threads: who divides it with whom, and how two pieces of it run side by side.
//!
//! The threads are a pool of our own, made by rayon. The program's own use of rayon has another, the global one: nobody
//! there waits for a thread that trains, and the program may set it up as it likes.

use std::sync::OnceLock;
use std::{env, thread};

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use super::awake;

static POOL: OnceLock<ThreadPool> = OnceLock::new();

/// How many threads there are to divide work among. On WebAssembly it is 1.
///
/// As many as the program may use cores, or fewer if `RAYON_NUM_THREADS` or [`set_threads`] says so: more would take
/// turns, each with a smaller piece of the work, which costs a sixth of the speed.
///
/// The thread that asks first becomes a member of the pool: from outside, each division of work hands half of it over,
/// which costs more than many products. In a rayon pool of the program, for instance under `install` or `par_iter`,
/// it is that pool's threads that divide the work.
///
/// When work has been divided, the other members look for more for 200 µs before they sleep.
pub fn threads() -> usize {
    if cfg!(target_family = "wasm") {
        return 1;
    }
    if rayon::current_thread_index().is_some() {
        return rayon::current_num_threads();
    }
    pool().current_num_threads()
}

/// Sets how many threads work together, the calling one included, at most one for each core; 0 leaves the number to
/// [`threads`]. Call it once, on the thread that will train, before the first step.
///
/// # Errors
///
/// If there are threads already, the calling one belongs to another pool of rayon, or the system gives none.
pub fn set_threads(n: usize) -> Result<(), SetThreadsError> {
    if POOL.get().is_some() {
        return Err(SetThreadsError::Again);
    }
    let pool = build(if n == 0 { default_threads() } else { n })?;
    POOL.set(pool).map_err(|_| SetThreadsError::Again)
}

/// Why [`set_threads`] could not.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetThreadsError {
    /// By an earlier call, or because work has been divided.
    #[error("cannot set the number of threads: there are threads already")]
    Again,
    /// The system gives none, or the calling thread is one of another pool.
    #[error("cannot set the number of threads: {0}")]
    Build(#[from] ThreadPoolBuildError),
}

fn pool() -> &'static ThreadPool {
    POOL.get_or_init(|| {
        // Where the system gives no threads there is this one, which can always be a pool: it is in none yet.
        build(default_threads()).or_else(|_| build(1)).expect("a pool of one thread that is in no other")
    })
}

/// At most one thread for each core.
fn build(threads: usize) -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new().num_threads(threads.min(cores())).use_current_thread().build()
}

fn default_threads() -> usize {
    let variable = env::var("RAYON_NUM_THREADS").ok().and_then(|n| n.parse().ok()).filter(|&n| n > 0);
    variable.unwrap_or_else(cores)
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Runs both, at the same time if another thread is free, and returns both results.
///
/// Like [`rayon::join`], except on a thread outside the pool. It hands over `b` only and runs `a` itself, where rayon
/// would hand over both and sleep.
pub fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    // A browser has no other thread, and without rayon's part the program it loads is a seventh smaller.
    let threads = if cfg!(target_family = "wasm") { 1 } else { threads() };
    if threads == 1 {
        return (a(), b());
    }
    awake::keep_awake(threads - 1, spawn);
    awake::occupied(|| {
        if rayon::current_thread_index().is_some() {
            return rayon::join(a, b);
        }
        let mut second = None;
        let first = pool().in_place_scope(|scope| {
            scope.spawn(|_| second = Some(b()));
            a()
        });
        (first, second.expect("the scope waits for it"))
    })
}

/// Has a member of the pool do it, whenever one is free.
fn spawn(job: fn()) {
    match rayon::current_thread_index() {
        Some(_) => rayon::spawn(job),
        None => pool().spawn(job),
    }
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
