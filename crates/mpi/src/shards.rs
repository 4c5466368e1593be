//! A step of training, shared by the ranks.

use std::collections::VecDeque;
use std::ops::Range;

use wengert_autodiff::{Gradients, Module, Tape, Var};
use wengert_optim::checkpoint::Element;

use crate::partial::{Layout, Partial, Sum};
use crate::{Group, GroupError};

/// The shards of each batch, and the ranks that share them.
///
/// Their number belongs to the run as its seed does: with the same number the run gives the same bits on any number of
/// ranks up to it, and with 1 those of a loop without shards. The rows of a batch are divided evenly, but no shard has
/// one alone, of which batch norm could not take the variance; so a small last batch has fewer shards.
///
/// Each rank computes some shards that lie side by side. Sums follow one binary tree over all shards: what one rank
/// has of it is summed there, the rest after an exchange in pairs, always the left operand first.
#[derive(Clone, Copy)]
pub struct Shards<'g> {
    pub(crate) group: &'g dyn Group,
    pub(crate) count: usize,
}

impl<'g> Shards<'g> {
    /// Divides each batch into `count` shards: 8 let a run go on with 1, 2, 4 or 8 ranks, each with as much to do.
    ///
    /// # Errors
    ///
    /// If there are fewer shards than ranks.
    pub fn new(group: &'g dyn Group, count: usize) -> Result<Self, GroupError> {
        let ranks = group.size();
        if count < ranks {
            Err(GroupError::TooFewShards { shards: count, ranks })
        } else {
            Ok(Self { group, count })
        }
    }

    /// The mean loss of a batch, its gradients, and the new values of buffers: what `backward` would give for the whole
    /// batch. All ranks get the same bits.
    ///
    /// `rows` are the batch's, on every rank; `loss` is called once for each shard of this rank, with the rows of that
    /// shard, and returns the *mean* loss over them. It counts as one step of the tape: before it, do not
    /// [`reset`](Tape::reset). Random numbers follow from the seed of the tape, the step and the shard.
    ///
    /// A shard's loss and gradients are weighted by its rows, and so are the new values of buffers: the running
    /// statistics of batch norm, which sees one shard at a time, move by the mean over the shards. Counts go on by one.
    /// Gradients of variables, and of parameters that `model` does not show, are left out.
    ///
    /// # Errors
    ///
    /// If a rank is gone, silent, or does something else.
    ///
    /// # Panics
    ///
    /// If `rows` is empty; as [`backward`](Var::backward).
    #[track_caller]
    pub fn step<F: Element>(
        &self,
        tape: &mut Tape<F>,
        model: &dyn Module<F>,
        rows: &[usize],
        loss: impl for<'t> Fn(&'t Tape<F>, &[usize]) -> Var<'t, F>,
    ) -> Result<(f64, Gradients<F>), GroupError> {
        assert!(!rows.is_empty(), "`step`: a batch without rows");
        let step = tape.steps().wrapping_add(1);
        let layout = &Layout::of(model);
        let mut shard_sum = |shard: usize| {
            let part = self.rows_of(shard, rows.len())?;
            let share = part.len() as f64 / rows.len() as f64;
            tape.reset();
            tape.set_steps(step.wrapping_mul(self.count as u64).wrapping_add(shard as u64));
            let loss = loss(tape, &rows[part]);
            Some(Partial::of_shard(model, layout, loss.item(), &loss.backward(), share))
        };
        let mut own = VecDeque::new();
        self.sum_own(0..self.count, layout, &mut shard_sum, &mut own);
        tape.set_steps(step);
        let sum = self.sum(0..self.count, layout, &mut own)?;
        Ok(sum.expect("a batch has a row").into_gradients(model, layout))
    }

    /// Of a batch of `n` rows; none in shards for which there are too few.
    fn rows_of(&self, shard: usize, n: usize) -> Option<Range<usize>> {
        let used = self.count.min(n / 2).max(1);
        (shard < used).then(|| shard * n / used..(shard + 1) * n / used)
    }

    /// Puts the sums over the largest nodes of the tree that are this rank's alone into `own`, from left to right.
    fn sum_own<F: Element>(
        &self,
        node: Range<usize>,
        layout: &Layout,
        shard_sum: &mut impl FnMut(usize) -> Sum<F>,
        own: &mut VecDeque<Sum<F>>,
    ) {
        let owners = self.owners(&node);
        if !owners.contains(&self.group.rank()) {
            return;
        }
        if node.len() == 1 {
            own.push_back(shard_sum(node.start));
            return;
        }
        for half in halves(&node) {
            self.sum_own(half, layout, shard_sum, own);
        }
        if owners.len() == 1 {
            let right = own.pop_back().expect("of the right half");
            let left = own.pop_back().expect("of the left half");
            own.push_back(Partial::plus(left, right, layout));
        }
    }

    /// The sum over a node of the tree, on every rank that has a shard of it.
    fn sum<F: Element>(
        &self,
        node: Range<usize>,
        layout: &Layout,
        own: &mut VecDeque<Sum<F>>,
    ) -> Result<Sum<F>, GroupError> {
        let rank = self.group.rank();
        if self.owners(&node).len() == 1 {
            return Ok(own.pop_front().expect("one for each node of this rank's alone"));
        }
        let [left, right] = halves(&node);
        let (lefts, rights) = (&self.owners(&left), &self.owners(&right));
        let left = lefts.contains(&rank).then(|| self.sum(left, layout, own)).transpose()?;
        let right = rights.contains(&rank).then(|| self.sum(right, layout, own)).transpose()?;
        // A rank that has a part of both halves receives nothing, and has two sums to give.
        let [mut from_left, mut from_right] = [None, None];
        if let Some(left) = &left {
            from_right = self.exchange(left, lefts, rights, layout)?;
        }
        if let Some(right) = &right {
            from_left = self.exchange(right, rights, lefts, layout)?;
        }
        let left = left.or(from_left).expect("computed or received");
        let right = right.or(from_right).expect("computed or received");
        Ok(Partial::plus(left, right, layout))
    }

    /// Gives the sum over one half of a node, which `ranks` have, to those of the `others` that lack it, and returns
    /// that over the other half if this rank lacks it.
    fn exchange<F: Element>(
        &self,
        half: &Sum<F>,
        ranks: &Range<usize>,
        others: &Range<usize>,
        layout: &Layout,
    ) -> Result<Option<Sum<F>>, GroupError> {
        let rank = self.group.rank();
        let from = (!others.contains(&rank)).then(|| partner(rank, ranks, others));
        let lacks = |other: &usize| !ranks.contains(other) && partner(*other, others, ranks) == rank;
        let to: Vec<_> = others.clone().filter(lacks).collect();
        let message = if to.is_empty() { Vec::new() } else { Partial::to_message(half) };
        let received = self.group.exchange(&to, &message, from)?;
        let Some(rank) = from else { return Ok(None) };
        Partial::from_message(&received, layout).map(Some).map_err(|due| GroupError::Unexpected {
            rank,
            expected: format!("{due} bytes of gradients"),
            found: format!("{} bytes", received.len()),
        })
    }

    /// The ranks that have a part of a node.
    fn owners(&self, node: &Range<usize>) -> Range<usize> {
        let owner = |shard: usize| ((shard + 1) * self.group.size()).div_ceil(self.count) - 1;
        owner(node.start)..owner(node.end - 1) + 1
    }
}

/// The first half has as many shards as a full tree of that depth, so that a node does not depend on what is beside it.
fn halves(node: &Range<usize>) -> [Range<usize>; 2] {
    let middle = node.start + node.len().next_power_of_two() / 2;
    [node.start..middle, middle..node.end]
}

/// Which of the `others` gives to `rank`, one of `ranks`, what it lacks: each gets about as much to do.
fn partner(rank: usize, ranks: &Range<usize>, others: &Range<usize>) -> usize {
    others.start + (rank - ranks.start) % others.len()
}
