//! Batches that threads make ahead.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, JoinHandle};

use chacha20::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use super::Batches;
use crate::dataset::Rows;

/// The batches of one epoch, made ahead by threads; order and bits are those of [`Batches`]. Made by
/// [`Batches::prefetch`] and [`Batches::prefetch_map`].
///
/// Threads start with the first batch that is asked for, and end when the last is made or this is dropped. A panic of
/// one of them comes out where its batch is asked for, and ends the epoch.
#[must_use = "a batch is made when the iterator is asked for it"]
pub struct Prefetch<T> {
    /// Makes the batch of a number, counted from the start of the epoch.
    make: Arc<dyn Fn(usize) -> T + Send + Sync>,
    next: usize,
    end: usize,
    workers: usize,
    /// Batch `k` comes from the lane `k % lanes.len()`; where a thread could not be had, from the caller.
    lanes: Vec<Option<Lane<T>>>,
}

struct Lane<T> {
    batches: Receiver<T>,
    thread: JoinHandle<()>,
}

impl<D> Batches<'_, D>
where
    D: Rows + Send + Sync + 'static,
{
    /// The same batches, made ahead by `workers` threads while the caller computes; with 0 of them by the caller. At
    /// most two batches per thread are ready at once.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use rand::{SeedableRng, rngs::StdRng};
    /// use wengert_data::Dataset;
    ///
    /// let data = Dataset::new(Array2::<u8>::zeros((100, 8)), vec![0; 100])?;
    /// let rng = &mut StdRng::seed_from_u64(0);
    /// for batch in data.batches(32).shuffle(rng).prefetch(2) {
    ///     assert_eq!(batch.x.shape(), [batch.y.len(), 8]);
    /// }
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    #[doc(alias("num_workers", "DataLoader"))]
    pub fn prefetch(self, workers: usize) -> Prefetch<D::Batch>
    where
        D::Batch: Send + 'static,
    {
        self.ahead(workers, |batch, _| batch)
    }

    /// Like [`prefetch`](Self::prefetch), with `f` applied to each batch by the thread that makes it: augmentation, or
    /// work that would hold up the training.
    ///
    /// What is random in `f` comes from the generator that it is given. That is a new one for each batch, and follows
    /// from one number of `rng` and the batch's place in the epoch, whatever the number of threads.
    ///
    /// ```
    /// # use ndarray::Array2;
    /// use rand::{RngExt, SeedableRng, rngs::StdRng};
    /// # use wengert_data::Dataset;
    /// # let data = Dataset::new(Array2::<u8>::zeros((100, 8)), vec![0; 100])?;
    /// let noisy = |workers| -> Vec<_> {
    ///     let rng = &mut StdRng::seed_from_u64(0);
    ///     let batches = data.batches(32).shuffle(rng);
    ///     let batches = batches.prefetch_map(workers, rng, |mut batch, rng| {
    ///         batch.x.map_inplace(|x| *x += rng.random::<f32>());
    ///         batch
    ///     });
    ///     batches.map(|batch| batch.x).collect()
    /// };
    /// assert_eq!(noisy(0), noisy(3));
    /// # Ok::<(), wengert_data::DataError>(())
    /// ```
    #[doc(alias("augment", "transform", "collate_fn"))]
    pub fn prefetch_map<T: Send + 'static>(
        self,
        workers: usize,
        rng: &mut dyn Rng,
        f: impl Fn(D::Batch, &mut dyn Rng) -> T + Send + Sync + 'static,
    ) -> Prefetch<T> {
        let seed = rng.next_u64();
        self.ahead(workers, move |batch, number| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(number as u64);
            f(batch, &mut rng)
        })
    }

    fn ahead<T: Send + 'static>(
        self,
        workers: usize,
        f: impl Fn(D::Batch, usize) -> T + Send + Sync + 'static,
    ) -> Prefetch<T> {
        let next = self.next.div_ceil(self.size);
        let end = next + self.len();
        let (data, order, size) = (self.data.into_owned(), self.order, self.size);
        let make = move |number: usize| {
            let rest = &order[number * size..];
            f(data.gather(&rest[..size.min(rest.len())]), number)
        };
        Prefetch { make: Arc::new(make), next, end, workers, lanes: Vec::new() }
    }
}

impl<T: Send + 'static> Prefetch<T> {
    fn start(&mut self) {
        let (next, end, workers) = (self.next, self.end, self.workers.min(self.end - self.next));
        let lane = |number: usize| {
            let make = Arc::clone(&self.make);
            // A thread makes one while another waits here.
            let (sender, batches) = sync_channel(1);
            let work = move || {
                let mine = (next..end).filter(|batch| batch % workers == number);
                // Nobody receives any more once the epoch was given up.
                let _ = mine.map(|batch| sender.send(make(batch))).find(Result::is_err);
            };
            let thread = thread::Builder::new().name(format!("batches {number}")).spawn(work).ok()?;
            Some(Lane { batches, thread })
        };
        self.lanes = (0..workers).map(lane).collect();
    }

    /// From its lane, unless that has panicked.
    fn receive(&mut self, batch: usize) -> T {
        let Some(at) = batch.checked_rem(self.lanes.len()) else { return (self.make)(batch) };
        let Some(lane) = &self.lanes[at] else { return (self.make)(batch) };
        match lane.batches.recv() {
            Ok(batch) => batch,
            Err(_) => {
                self.next = self.end;
                let lane = self.lanes[at].take().expect("it was there above");
                resume_unwind(lane.thread.join().expect_err("a thread that ends early has panicked"))
            }
        }
    }
}

impl<T: Send + 'static> Iterator for Prefetch<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.next == self.end {
            return None;
        }
        if self.lanes.is_empty() {
            self.start();
        }
        self.next += 1;
        Some(self.receive(self.next - 1))
    }

    /// Before the first batch, skips without making any, as [`Batches`] does.
    fn nth(&mut self, n: usize) -> Option<T> {
        if self.lanes.is_empty() {
            self.next = self.next.saturating_add(n).min(self.end);
        } else {
            self.take(n).for_each(drop);
        }
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.next, Some(self.end - self.next))
    }
}

impl<T: Send + 'static> ExactSizeIterator for Prefetch<T> {}

impl<T> Drop for Prefetch<T> {
    fn drop(&mut self) {
        let lanes = self.lanes.drain(..).flatten();
        // All at once lose their receiver, which ends them, before one is waited for.
        let threads: Vec<_> = lanes.map(|lane| lane.thread).collect();
        for thread in threads {
            // What it panicked about was a batch that nobody asked for.
            let _ = thread.join();
        }
    }
}

impl<T> fmt::Debug for Prefetch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prefetch").field("next", &self.next).field("end", &self.end).finish_non_exhaustive()
    }
}
