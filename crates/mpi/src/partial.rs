//! What is summed over the shards of a batch: the loss, the gradients, the new values of buffers.

use std::cell::RefCell;
use std::ops::Range;

use wengert_autodiff::{Gradients, Leaf, Module, ModulePath, Real, Tensor, Var};
use wengert_optim::checkpoint::Element;

use crate::GroupError;

/// The numbers of a [`Partial`]: the mean loss, and for each tensor of the model that is not frozen how many shards
/// have found a gradient or a new value, and then that.
pub(crate) struct Layout<'s, F> {
    length: usize,
    /// Where the tensors are that are not averaged: [`Buffer::count`](wengert_autodiff::Buffer::count).
    counts: Vec<Range<usize>>,
    /// Lists that are free. They are kept from step to step, because the system would clear each page of new ones.
    spare: &'s RefCell<Vec<Vec<F>>>,
    /// What each message ends with, a checksum of the step and the batch: ranks that have parted would otherwise sum
    /// gradients of different batches, and all get the same wrong ones.
    mark: u32,
}

impl<'s, F: Real> Layout<'s, F> {
    pub(crate) fn of(model: &dyn Module<F>, spare: &'s RefCell<Vec<Vec<F>>>, batch: &[u8]) -> Self {
        let mut layout = Self { length: 1, counts: Vec::new(), spare, mark: crc32fast::hash(batch) };
        visit(model, |leaf| {
            let start = layout.length + 1;
            layout.length = start + leaf.value().len();
            layout.counts.extend(leaf.is_count().then_some(start..layout.length));
        });
        layout
    }

    fn empty_list(&self) -> Vec<F> {
        let mut list = self.spare.borrow_mut().pop().unwrap_or_default();
        list.clear();
        list.reserve_exact(self.length);
        list
    }
}

fn visit<'a, F: Real>(model: &'a dyn Module<F>, mut visitor: impl FnMut(Leaf<'a, F>)) {
    model.visit(&mut ModulePath::default(), &mut |_, leaf| {
        if !leaf.is_frozen() {
            visitor(leaf);
        }
    });
}

/// The sum over some shards of a batch, if they have rows.
pub(crate) type Sum<F> = Option<Partial<F>>;

/// The sum over some shards of a batch, each weighted by its share of the batch's rows.
pub(crate) struct Partial<F>(Vec<F>);

impl<F: Element> Partial<F> {
    /// Of a shard that has this `share` of the batch. Where it has observed nothing for a buffer, that stays as it is.
    pub(crate) fn of_shard(model: &dyn Module<F>, layout: &Layout<F>, loss: Var<F>, share: F) -> Self {
        let mut numbers = layout.empty_list();
        numbers.push(loss.item() * share);
        let grads = loss.backward();
        visit(model, |leaf| {
            let (found, otherwise) = match leaf {
                Leaf::Param(param) => (grads.get(param), None),
                Leaf::Buffer(buffer) => (grads.buffer_update(buffer), Some(buffer.value())),
            };
            numbers.push(if found.is_some() { F::ONE } else { F::ZERO });
            let share = if leaf.is_count() { F::ONE } else { share };
            match found.or(otherwise) {
                None => numbers.resize(numbers.len() + leaf.value().len(), F::ZERO),
                Some(tensor) => {
                    let tensor = tensor.as_standard_layout();
                    numbers.extend(tensor.as_slice().expect("row by row").iter().map(|&x| x * share));
                }
            }
        });
        Self(numbers)
    }

    /// The sum, in this order; of counts, the first that was observed.
    pub(crate) fn plus(left: Sum<F>, right: Sum<F>, layout: &Layout<'_, F>) -> Sum<F> {
        match (left, right) {
            (Some(Self(mut left)), Some(Self(mut right))) => {
                for count in &layout.counts {
                    let seen = left[count.start - 1] > F::ZERO;
                    (if seen { &mut right } else { &mut left })[count.clone()].fill(F::ZERO);
                }
                left.iter_mut().zip(&right).for_each(|(left, &right)| *left += right);
                layout.spare.borrow_mut().push(right);
                Some(Self(left))
            }
            (left, right) => left.or(right),
        }
    }

    /// The loss, and the gradients with the new values of buffers.
    pub(crate) fn into_gradients(self, model: &dyn Module<F>, layout: &Layout<'_, F>) -> (F, Gradients<F>) {
        let mut grads = Gradients::default();
        let mut rest = &self.0[1..];
        visit(model, |leaf| {
            let found = rest.split_off_first().expect("one for each tensor");
            let numbers = rest.split_off(..leaf.value().len()).expect("as many as it has");
            let shape = leaf.value().raw_dim();
            let tensor = || Tensor::from_shape_vec(shape, numbers.to_vec()).expect("as many as it has");
            match leaf {
                _ if *found == F::ZERO => (),
                Leaf::Param(param) => grads.set(param, tensor()),
                Leaf::Buffer(buffer) => grads.set_buffer_update(buffer, tensor()),
            }
        });
        let loss = self.0[0];
        layout.spare.borrow_mut().push(self.0);
        (loss, grads)
    }

    /// Replaces `message` by the numbers, of no shards none, and the mark.
    pub(crate) fn to_message(sum: &Sum<F>, layout: &Layout<'_, F>, message: &mut Vec<u8>) {
        let numbers = sum.as_ref().map_or(&[][..], |Self(numbers)| numbers);
        message.resize(size_of_val(numbers) + size_of_val(&layout.mark), 0);
        message.chunks_exact_mut(size_of::<F>()).zip(numbers).for_each(|(bytes, number)| number.put(bytes));
        message[size_of_val(numbers)..].copy_from_slice(&layout.mark.to_le_bytes());
    }

    /// What [`to_message`](Self::to_message) made on `rank` of a sum of this layout.
    pub(crate) fn from_message(rank: usize, sent: &[u8], layout: &Layout<F>) -> Result<Sum<F>, GroupError> {
        let due = layout.length * size_of::<F>();
        let (bytes, mark) = sent.split_at(sent.len().saturating_sub(size_of_val(&layout.mark)));
        let mut numbers = layout.empty_list();
        numbers.extend(bytes.chunks_exact(size_of::<F>()).map(F::get));
        match bytes.len() {
            _ if mark != layout.mark.to_le_bytes() => Err(GroupError::Apart(rank)),
            0 => Ok(None),
            length if length == due => Ok(Some(Self(numbers))),
            length => Err(GroupError::Unexpected(rank, length, due)),
        }
    }
}
