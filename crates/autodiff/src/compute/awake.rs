//! Members of the pool that have nothing to do stay awake for a while: a step consists of short pieces, and to wake a
//! thread takes as long as a small product.
//!
//! A member is in one of three states:
//!
//! | state | what it does | [`OCCUPIED`] | in [`WAITING`] | next |
//! |---|---|---|---|---|
//! | idle | sleeps, or is in rayon's hands | no | no | takes a job: waiting, if it is ours; occupied, in `join` |
//! | occupied | divides work in `join`; it may help others meanwhile | yes | no | `join` returns: the state before |
//! | waiting | looks for work in [`wait`], and does it | yes | yes | finds none for [`PATIENCE`]: idle |
//!
//! Every `join` calls [`keep_awake`], which sends a job out into the pool unless all other members wait already. The
//! job is counted in `WAITING` from then on, until it ends. An occupied member that takes the job ends it at
//! once: if it waited for more work, its own `join` would be late, and with it everybody who needs the result.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rayon::Yield;

/// For how long a member looks for work before it sleeps. Rayon's own members give up earlier. The threads of OpenMP
/// wait like this, too, and for longer.
pub(super) const PATIENCE: Duration = Duration::from_micros(200);

/// How many jobs that [`wait`] are under way or have been sent out.
pub(super) static WAITING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether the thread is occupied or waiting: it may then take up other work, but must not wait for any.
    /// A panic leaves it set, and the thread then sleeps sooner.
    static OCCUPIED: Cell<bool> = const { Cell::new(false) };
}

/// Has one more member wait for work, unless all the `others` do; `spawn` gives a job to a member.
pub(super) fn keep_awake(others: usize, spawn: impl FnOnce(fn())) {
    let one_more = |waiting| (waiting < others).then_some(waiting + 1);
    if WAITING.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok() {
        spawn(|| {
            if !OCCUPIED.get() {
                occupied(wait);
            }
            WAITING.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Runs `f` as an occupied thread.
pub(super) fn occupied<R>(f: impl FnOnce() -> R) -> R {
    let before = OCCUPIED.replace(true);
    let result = f();
    OCCUPIED.set(before);
    result
}

/// Does what work there is, until for a while there was none.
fn wait() {
    let mut last = Instant::now();
    while last.elapsed() < PATIENCE {
        match rayon::yield_now() {
            Some(Yield::Executed) => last = Instant::now(),
            // Where more threads want to run than there are cores, another has this one's turn.
            _ => thread::yield_now(),
        }
    }
}
