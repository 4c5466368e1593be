//! What ranks need of each other, whoever carries the messages.

use std::time::Duration;

use thiserror::Error;

/// The ranks of a run, as one of them sees them.
///
/// Every rank calls the same collectives in the same order. Implemented by [`Alone`], by [`Threads`](crate::Threads)
/// and, with the feature `mpi`, by [`World`](crate::World).
pub trait Group {
    /// Which of the ranks this is, from 0 up to, but not including, [`size`](Group::size).
    fn rank(&self) -> usize;

    /// How many ranks there are.
    fn size(&self) -> usize;

    /// Sends `message` to each rank of `to` and returns the next one that `from` has sent here, or nothing for `None`.
    /// No rank sends to itself; messages from one rank arrive in the order in which they were sent.
    ///
    /// # Errors
    ///
    /// If a rank is gone, or does not take or send its message before the deadline.
    fn exchange(&self, to: &[usize], message: &[u8], from: Option<usize>) -> Result<Vec<u8>, GroupError>;

    /// The message of rank 0; what the others give is not looked at.
    ///
    /// # Errors
    ///
    /// As [`exchange`](Group::exchange).
    fn broadcast(&self, message: Vec<u8>) -> Result<Vec<u8>, GroupError> {
        let (rank, size) = (self.rank(), self.size());
        let message = match rank.checked_ilog2() {
            None => message,
            Some(round) => self.exchange(&[], &[], Some(rank - (1 << round)))?,
        };
        // In each round, all that have the message pass it on.
        let first = rank.checked_ilog2().map_or(0, |round| round + 1);
        let to: Vec<_> = (first..usize::BITS).map(|round| rank.saturating_add(1 << round)).collect();
        let to: Vec<_> = to.into_iter().take_while(|&to| to < size).collect();
        self.exchange(&to, &message, None)?;
        Ok(message)
    }
}

impl<G: Group + ?Sized> Group for &G {
    fn rank(&self) -> usize {
        (**self).rank()
    }

    fn size(&self) -> usize {
        (**self).size()
    }

    fn exchange(&self, to: &[usize], message: &[u8], from: Option<usize>) -> Result<Vec<u8>, GroupError> {
        (**self).exchange(to, message, from)
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

    fn exchange(&self, to: &[usize], _: &[u8], from: Option<usize>) -> Result<Vec<u8>, GroupError> {
        assert!(to.is_empty() && from.is_none(), "`exchange`: there is no other rank");
        Ok(Vec::new())
    }
}

/// Why ranks cannot go on together. The run is over then, for all of them.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GroupError {
    /// A rank has ended, by an error of its own or because it was killed.
    #[error("rank {rank} is gone")]
    Lost {
        /// Which.
        rank: usize,
    },
    /// A rank is silent: it hangs, or the network does.
    #[error("rank {rank} has not answered for {after:?}")]
    Deadline {
        /// Which.
        rank: usize,
        /// How long it was waited for.
        after: Duration,
    },
    /// A rank has sent something else than was due: its program or its loop is another one.
    #[error("rank {rank} sent {found}, not {expected}")]
    Unexpected {
        /// Which.
        rank: usize,
        /// What was due.
        expected: String,
        /// What came.
        found: String,
    },
    /// The ranks were not started alike.
    #[error("rank {rank} differs from rank 0: {what}")]
    Different {
        /// Which.
        rank: usize,
        /// The first setting or tensor that differs, with both values.
        what: String,
    },
    /// There are fewer shards than ranks.
    #[error("{shards} shards cannot be shared by {ranks} processes: each needs one at least")]
    TooFewShards {
        /// The shards of a batch.
        shards: usize,
        /// The processes.
        ranks: usize,
    },
    /// Settings that JSON cannot hold, or an answer that is not JSON.
    #[error("the ranks cannot be compared: {0}")]
    Settings(#[from] serde_json::Error),
}
