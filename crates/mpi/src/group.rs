//! What ranks need of each other, whoever carries the messages.

use std::time::Duration;

/// The ranks of a run, as one of them sees them.
///
/// Every rank calls the same collectives in the same order. Implemented by [`Alone`], by [`Threads`](crate::Threads)
/// and, with the feature `mpi`, by `World`.
pub trait Group {
    /// Which of the ranks this is, from 0 up to, but not including, [`size`](Group::size).
    fn rank(&self) -> usize;

    /// How many ranks there are.
    fn size(&self) -> usize;

    /// Sends `message` to each rank of `to` and returns the next one that `from` has sent here, or nothing for `None`.
    /// No rank sends to itself; messages from one rank arrive in the order in which they were sent. What is given and
    /// what is returned are lists of their own, so that a large one can be used again as the next message.
    ///
    /// # Errors
    ///
    /// If a rank is gone, or does not take or send its message before the deadline.
    fn exchange(&self, to: &[usize], message: Vec<u8>, from: Option<usize>) -> Result<Vec<u8>, GroupError>;

    /// The message of rank 0; what the others give is not looked at.
    ///
    /// # Errors
    ///
    /// As [`exchange`](Group::exchange).
    fn broadcast(&self, message: Vec<u8>) -> Result<Vec<u8>, GroupError> {
        if self.rank() > 0 {
            return self.exchange(&[], Vec::new(), Some(0));
        }
        let others: Vec<_> = (1..self.size()).collect();
        self.exchange(&others, message.clone(), None).map(|_| message)
    }
}

/// One process that works alone.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Group for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn exchange(&self, to: &[usize], _: Vec<u8>, from: Option<usize>) -> Result<Vec<u8>, GroupError> {
        assert!(to.is_empty() && from.is_none(), "`exchange`: there is no other rank");
        Ok(Vec::new())
    }
}

/// Why ranks cannot go on together. The run is over then, for all of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// This rank has ended, by an error of its own or because it was killed.
    #[error("rank {0} is gone")]
    Lost(usize),
    /// This rank has been silent for so long: it hangs, or the network does.
    #[error("rank {0} has not answered for {1:?}")]
    Deadline(usize, Duration),
    /// This rank has sent so many bytes where so many of gradients were due: its program or its model is another one.
    #[error("rank {0} sent {1} bytes where {2} bytes of gradients were due")]
    Unexpected(usize, usize, usize),
    /// This rank has other rows for the batch, its tape is at another step, or its program at another call.
    #[error("rank {0} is at another batch, step or call than this rank")]
    Apart(usize),
    /// This rank was not started as rank 0, or is no longer like it: what differs, with both values.
    #[error("rank {0} differs from rank 0: {1}")]
    Different(usize, String),
    /// There are fewer shards than ranks, or more than 2¹⁶.
    #[error("{0} shards for {1} processes: each needs at least one, and 65536 are the most")]
    ShardCount(usize, usize),
    /// Settings that JSON cannot hold.
    #[error("the ranks cannot be compared: {0}")]
    Settings(#[from] serde_json::Error),
}
