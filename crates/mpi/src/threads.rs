//! Ranks as threads of one process.

use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::{Group, GroupError};

/// A rank that is a thread: to try a loop without MPI, and for tests.
pub struct Threads {
    rank: usize,
    deadline: Duration,
    /// To each rank, and from each.
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Receiver<Vec<u8>>>,
}

impl Threads {
    /// Runs `train` on `ranks` threads and returns what each of them does, by rank. A rank waits for a message no
    /// longer than `deadline`, and not at all for one that has returned.
    ///
    /// # Panics
    ///
    /// If `train` panics on a rank, once all have ended.
    pub fn run<T: Send>(ranks: usize, deadline: Duration, train: impl Fn(&Self) -> T + Sync) -> Vec<T> {
        let mut ends: Vec<_> =
            (0..ranks).map(|rank| Self { rank, deadline, to: Vec::new(), from: Vec::new() }).collect();
        for from in 0..ranks {
            for to in 0..ranks {
                let (sender, receiver) = channel();
                ends[from].to.push(sender);
                ends[to].from.push(receiver);
            }
        }
        let train = &train;
        thread::scope(|scope| {
            let ends: Vec<_> = ends.into_iter().map(|end| scope.spawn(move || train(&end))).collect();
            ends.into_iter().map(|end| end.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
        })
    }
}

impl Group for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.to.len()
    }

    fn exchange(&self, to: &[usize], message: Vec<u8>, from: Option<usize>) -> Result<Vec<u8>, GroupError> {
        for &rank in to {
            self.to[rank].send(message.clone()).map_err(|_| GroupError::Lost(rank))?;
        }
        let Some(rank) = from else { return Ok(Vec::new()) };
        self.from[rank].recv_timeout(self.deadline).map_err(|error| match error {
            RecvTimeoutError::Timeout => GroupError::Deadline(rank, self.deadline),
            RecvTimeoutError::Disconnected => GroupError::Lost(rank),
        })
    }
}
