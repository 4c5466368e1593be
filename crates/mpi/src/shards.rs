//! A step of training, shared by the ranks.

use std::cell::{Cell, RefCell};
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
pub struct Shards<'g, F: Element = f32> {
    pub(crate) group: &'g dyn Group,
    pub(crate) count: usize,
    spare: RefCell<Vec<Vec<F>>>,
    /// Of the next message.
    memory: Cell<Vec<u8>>,
}

impl<'g, F: Element> Shards<'g, F> {
    /// Divides each batch into `count` shards: 8 let a run go on with 1, 2, 4 or 8 ranks, each with the same amount
    /// to do.
    ///
    /// # Errors
    ///
    /// If there are fewer shards than ranks, or more than 2¹⁶.
    pub fn new(group: &'g dyn Group, count: usize) -> Result<Self, GroupError> {
        let ranks = group.size();
        let shards = Self { group, count, spare: RefCell::default(), memory: Cell::default() };
        if (ranks..=1 << 16).contains(&count) {
            Ok(shards)
        } else {
            Err(GroupError::ShardCount(count, ranks))
        }
    }

    /// The mean loss of a batch, its gradients, and the new values of buffers: what `backward` would give for the whole
    /// batch. All ranks get the same bits.
    ///
    /// `rows` are the batch's, on every rank; `loss` is called once for each shard of this rank, with the rows of that
    /// shard, and returns the *mean* loss over them. It counts as one step of the tape; do not call
    /// [`reset`](Tape::reset) before it. Random numbers follow from the seed of the tape, the step and the shard.
    ///
    /// A shard's loss and gradients are weighted by its rows, and so are the new values of buffers: the running
    /// statistics of batch norm, which sees one shard at a time, move by the mean over the shards. Counts go on by one.
    /// Gradients of variables, and of parameters that `model` does not show, are left out.
    ///
    /// # Errors
    ///
    /// If a rank is gone, silent, or does something else: another model, step or batch.
    ///
    /// # Panics
    ///
    /// If `rows` is empty; as [`backward`](Var::backward).
    #[track_caller]
    pub fn step(
        &self,
        tape: &mut Tape<F>,
        model: &dyn Module<F>,
        rows: &[usize],
        loss: impl for<'t> Fn(&'t Tape<F>, &[usize]) -> Var<'t, F>,
    ) -> Result<(F, Gradients<F>), GroupError> {
        assert!(!rows.is_empty(), "`step`: a batch without rows");
        let (n, step) = (rows.len(), tape.steps().wrapping_add(1));
        // Shards for which there are too few rows have none.
        let used = self.count.min(n / 2).max(1);
        let batch = rows.iter().map(|&row| row as u64).chain([step]).flat_map(u64::to_le_bytes);
        let layout = &Layout::of(model, &self.spare, &batch.collect::<Vec<_>>());
        let mut tree = Tree { shards: self, layout, own: VecDeque::new() };
        tree.compute(0..self.count, &mut |shard| {
            let part = (shard < used).then(|| shard * n / used..(shard + 1) * n / used)?;
            let share = F::from_f64(part.len() as f64 / n as f64);
            tape.reset();
            tape.set_steps(step.wrapping_mul(self.count as u64).wrapping_add(shard as u64));
            Some(Partial::of_shard(model, layout, loss(tape, &rows[part]), share))
        });
        tape.set_steps(step);
        Ok(tree.sum(0..self.count)?.expect("a batch has a row").into_gradients(model, layout))
    }

    /// The ranks that have a part of a node of the tree.
    fn owners(&self, node: &Range<usize>) -> Range<usize> {
        let owner = |shard: usize| ((shard + 1) * self.group.size()).div_ceil(self.count) - 1;
        owner(node.start)..owner(node.end - 1) + 1
    }
}

/// The tree over the shards of a batch, as one rank sees it.
struct Tree<'s, F: Element> {
    shards: &'s Shards<'s, F>,
    layout: &'s Layout<'s, F>,
    /// The sums over the largest nodes that are this rank's alone, from left to right.
    own: VecDeque<Sum<F>>,
}

impl<F: Element> Tree<'_, F> {
    /// All that can be done before anything is exchanged.
    fn compute(&mut self, node: Range<usize>, shard_sum: &mut impl FnMut(usize) -> Sum<F>) {
        let owners = self.shards.owners(&node);
        if !owners.contains(&self.shards.group.rank()) {
            return;
        }
        if node.len() == 1 {
            return self.own.push_back(shard_sum(node.start));
        }
        halves(&node).into_iter().for_each(|half| self.compute(half, shard_sum));
        if owners.len() == 1 {
            let right = self.own.pop_back().expect("of the right half");
            let left = self.own.pop_back().expect("of the left half");
            self.own.push_back(Partial::plus(left, right, self.layout));
        }
    }

    /// The sum over a node of the tree, on every rank that has a part of it.
    fn sum(&mut self, node: Range<usize>) -> Result<Sum<F>, GroupError> {
        let rank = self.shards.group.rank();
        if self.shards.owners(&node).len() == 1 {
            return Ok(self.own.pop_front().expect("one for each node of this rank's alone"));
        }
        let [left, right] = halves(&node);
        let (lefts, rights) = (self.shards.owners(&left), self.shards.owners(&right));
        let left = lefts.contains(&rank).then(|| self.sum(left)).transpose()?;
        let right = rights.contains(&rank).then(|| self.sum(right)).transpose()?;
        // A rank that has a part of both halves receives nothing, and has two sums to give.
        let from_right = self.exchange(left.as_ref(), &lefts, &rights)?;
        let from_left = self.exchange(right.as_ref(), &rights, &lefts)?;
        let left = left.or(from_left).expect("computed or received");
        let right = right.or(from_right).expect("computed or received");
        Ok(Partial::plus(left, right, self.layout))
    }

    /// Gives the sum over one half of a node, which `ranks` have, to those of the `others` that lack it, and returns
    /// that over the other half if this rank has only one of them.
    fn exchange(&self, half: Option<&Sum<F>>, ranks: &Range<usize>, others: &Range<usize>) -> Received<F> {
        let Some(half) = half else { return Ok(None) };
        let group = self.shards.group;
        let lacks = |&other: &usize| !ranks.contains(&other) && partner(other, others, ranks) == group.rank();
        let to: Vec<_> = others.clone().filter(lacks).collect();
        let from = (!others.contains(&group.rank())).then(|| partner(group.rank(), ranks, others));
        let mut message = self.shards.memory.take();
        if !to.is_empty() {
            Partial::to_message(half, self.layout, &mut message);
        }
        let received = group.exchange(&to, message, from)?;
        let sum = from.map(|rank| Partial::from_message(rank, &received, self.layout)).transpose();
        self.shards.memory.set(received);
        sum
    }
}

type Received<F> = Result<Option<Sum<F>>, GroupError>;

/// The first half has as many shards as a full tree of that depth, so that a node does not depend on what is beside it.
fn halves(node: &Range<usize>) -> [Range<usize>; 2] {
    let middle = node.start + node.len().next_power_of_two() / 2;
    [node.start..middle, middle..node.end]
}

/// Which of the `others` gives to `rank`, one of `ranks`, what it lacks: each gets about as much to do.
fn partner(rank: usize, ranks: &Range<usize>, others: &Range<usize>) -> usize {
    others.start + (rank - ranks.start) % others.len()
}
