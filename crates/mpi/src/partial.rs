//! What is summed over the shards of a batch: the loss, the gradients, the new values of buffers.

use std::ops::Range;

use wengert_autodiff::{Gradients, Leaf, Module, ModulePath, Real, Tensor};
use wengert_optim::checkpoint::Element;

/// Where a tensor lies among the numbers of a [`Partial`].
struct Slot {
    numbers: Range<usize>,
    /// It is not averaged: [`Buffer::count`](wengert_autodiff::Buffer::count).
    is_count: bool,
}

/// Where each tensor of a model lies, in the order of its fields; frozen ones do not take part.
pub(crate) struct Layout(Vec<Slot>);

impl Layout {
    pub(crate) fn of<F: Real>(model: &dyn Module<F>) -> Self {
        let (mut slots, mut end) = (Vec::new(), 0);
        visit(model, |leaf| {
            let start = end;
            end += leaf.value().len();
            slots.push(Slot { numbers: start..end, is_count: leaf.is_count() });
        });
        Self(slots)
    }

    fn numbers(&self) -> usize {
        self.0.last().map_or(0, |slot| slot.numbers.end)
    }
}

fn visit<'a, F: Real>(model: &'a dyn Module<F>, mut visitor: impl FnMut(Leaf<'a, F>)) {
    model.visit(&mut ModulePath::default(), &mut |_, leaf| {
        let frozen = match leaf {
            Leaf::Param(param) => param.is_frozen(),
            Leaf::Buffer(buffer) => buffer.is_frozen(),
        };
        if !frozen {
            visitor(leaf);
        }
    });
}

/// The sum over some shards of a batch, if they have rows.
pub(crate) type Sum<F> = Option<Partial<F>>;

/// The sum over some shards of a batch, each weighted by its share of the batch's rows.
pub(crate) struct Partial<F> {
    loss: f64,
    /// Whether a shard has found a gradient, or a new value, for the tensor.
    found: Vec<bool>,
    numbers: Vec<F>,
}

impl<F: Element> Partial<F> {
    /// Of a shard that has this `share` of the batch. Where it has observed nothing for a buffer, that stays as it is.
    pub(crate) fn of_shard(
        model: &dyn Module<F>,
        layout: &Layout,
        loss: F,
        grads: &Gradients<F>,
        share: f64,
    ) -> Self {
        let mut found = Vec::with_capacity(layout.0.len());
        let mut numbers = Vec::with_capacity(layout.numbers());
        visit(model, |leaf| {
            let (value, otherwise) = match leaf {
                Leaf::Param(param) => (grads.get(param), None),
                Leaf::Buffer(buffer) => (grads.buffer_update(buffer), Some(buffer.value())),
            };
            found.push(value.is_some());
            let share = if leaf.is_count() { F::ONE } else { F::from_f64(share) };
            match value.or(otherwise) {
                None => numbers.resize(numbers.len() + leaf.value().len(), F::ZERO),
                Some(tensor) => match tensor.as_slice() {
                    Some(slice) => numbers.extend(slice.iter().map(|&x| x * share)),
                    None => numbers.extend(tensor.iter().map(|&x| x * share)),
                },
            }
        });
        Self { loss: loss.as_f64() * share, found, numbers }
    }

    /// The sum, in this order; of counts, the first that was observed.
    pub(crate) fn plus(left: Sum<F>, right: Sum<F>, layout: &Layout) -> Sum<F> {
        match (left, right) {
            (Some(mut left), Some(right)) => {
                left.add(&right, layout);
                Some(left)
            }
            (left, right) => left.or(right),
        }
    }

    fn add(&mut self, right: &Self, layout: &Layout) {
        self.loss += right.loss;
        for (slot, (found, &right_found)) in layout.0.iter().zip(self.found.iter_mut().zip(&right.found)) {
            let numbers = self.numbers[slot.numbers.clone()].iter_mut();
            let pairs = numbers.zip(&right.numbers[slot.numbers.clone()]);
            match slot.is_count {
                true if *found => (),
                true => pairs.for_each(|(left, &right)| *left = right),
                false => pairs.for_each(|(left, &right)| *left += right),
            }
            *found |= right_found;
        }
    }

    /// The loss, and the gradients with the new values of buffers.
    pub(crate) fn into_gradients(self, model: &dyn Module<F>, layout: &Layout) -> (f64, Gradients<F>) {
        let mut grads = Gradients::default();
        let mut slots = layout.0.iter().zip(&self.found);
        visit(model, |leaf| {
            let (slot, found) = slots.next().expect("the walk is always the same");
            if *found {
                let numbers = self.numbers[slot.numbers.clone()].to_vec();
                let tensor = Tensor::from_shape_vec(leaf.value().raw_dim(), numbers);
                let tensor = tensor.expect("as many numbers as the leaf has");
                match leaf {
                    Leaf::Param(param) => grads.set(param, tensor),
                    Leaf::Buffer(buffer) => grads.set_buffer_update(buffer, tensor),
                }
            }
        });
        (self.loss, grads)
    }

    /// As bytes; of no shards, as none.
    pub(crate) fn to_message(sum: &Sum<F>) -> Vec<u8> {
        let Some(Self { loss, found, numbers }) = sum else { return Vec::new() };
        let mut message = vec![0; length::<F>(found.len(), numbers.len())];
        let (head, rest) = message.split_at_mut(size_of::<f64>());
        let (flags, bytes) = rest.split_at_mut(found.len());
        loss.put(head);
        flags.iter_mut().zip(found).for_each(|(flag, &found)| *flag = found.into());
        bytes.chunks_exact_mut(size_of::<F>()).zip(numbers).for_each(|(bytes, number)| number.put(bytes));
        message
    }

    /// What [`to_message`](Self::to_message) made of a sum of this layout; otherwise how many bytes were due.
    pub(crate) fn from_message(message: &[u8], layout: &Layout) -> Result<Sum<F>, usize> {
        if message.is_empty() {
            return Ok(None);
        }
        let due = length::<F>(layout.0.len(), layout.numbers());
        if message.len() != due {
            return Err(due);
        }
        let (head, rest) = message.split_at(size_of::<f64>());
        let (flags, bytes) = rest.split_at(layout.0.len());
        let found = flags.iter().map(|&flag| flag != 0).collect();
        let numbers = bytes.chunks_exact(size_of::<F>()).map(F::get).collect();
        Ok(Some(Self { loss: f64::get(head), found, numbers }))
    }
}

fn length<F>(tensors: usize, numbers: usize) -> usize {
    size_of::<f64>() + tensors + numbers * size_of::<F>()
}
