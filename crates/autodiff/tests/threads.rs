//! The threads that divide work beside those of the program. One test: there is one pool in a process.

use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use ndarray::IxDyn;
use wengert_autodiff::compute::{set_threads, threads};
use wengert_autodiff::{Tape, Tensor};

/// A product and a sum that are large enough to be divided, and their gradient.
fn divided_work() -> Vec<f32> {
    let numbers = Tensor::from_shape_fn(IxDyn(&[320, 320]), |at| (at[0] * 7 + at[1] * 3) as f32 % 11.0 - 5.0);
    let tape = Tape::new();
    let x = tape.variable(numbers);
    let loss = x.matmul(x.tanh()).powi(2).sum();
    loss.backward().wrt(x).expect("a leaf").iter().copied().collect()
}

fn within<T>(receiver: &Receiver<T>, what: &str) -> T {
    receiver.recv_timeout(Duration::from_secs(30)).unwrap_or_else(|error| panic!("{what}: {error}"))
}

#[test]
fn nobody_waits_for_a_thread_that_trains() {
    // The first thread that trains is a member of the pool; it waits for another that asks every thread of rayon.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (results, trained) = mpsc::channel();
    thread::spawn(move || {
        set_threads(1000).unwrap();
        assert_eq!(threads(), cores, "more than there are cores would take turns");
        let before = divided_work();
        let (asked, answers) = mpsc::channel();
        thread::spawn(move || asked.send(rayon::broadcast(|context| context.index()).len()));
        assert!(within(&answers, "a broadcast waits for the thread that trains") > 0);
        results.send((before, divided_work())).unwrap();
    });
    let (first, again) = within(&trained, "the first training does not end");
    assert_eq!(first, again);

    // It has ended. The others train on with its pool, at once, and the program's use of rayon goes on.
    let (results, trained) = mpsc::channel();
    for _ in 0..4 {
        let results = results.clone();
        thread::spawn(move || results.send((threads(), divided_work())));
    }
    for _ in 0..4 {
        assert_eq!(within(&trained, "a training without its first thread"), (cores, first.clone()));
    }
    let (asked, answers) = mpsc::channel();
    thread::spawn(move || asked.send(rayon::broadcast(|context| context.index()).len()));
    assert!(within(&answers, "a broadcast waits for a thread that has ended") > 0);

    // In a pool of the program it is that pool's threads that divide the work.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    assert_eq!(pool.install(|| (threads(), divided_work())), (2, first));
    assert_eq!(
        set_threads(2).unwrap_err().to_string(),
        "cannot set the number of threads: there are threads already"
    );
}
