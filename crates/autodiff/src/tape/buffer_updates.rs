//! Values of buffers that change while the tape records, such as running means.

use crate::{Buffer, Real, Tape, Tensor};

impl<F: Real> Tape<F> {
    /// The value a buffer has at this point of the step: the one last [observed](Tape::update_buffer), or its own.
    pub fn buffer(&self, buffer: &Buffer<F>) -> Tensor<F> {
        let buffer_updates = self.buffer_updates.borrow();
        let last = buffer_updates.iter().rev().find(|(id, _)| *id == buffer.id);
        last.map_or_else(|| buffer.value().clone(), |(_, value)| value.clone())
    }

    /// Notes a new value for a buffer, such as a running mean. It travels inside the gradients and is written when the
    /// optimizer's `step` (or [`Gradients::apply_buffer_updates`](crate::Gradients::apply_buffer_updates)) visits the
    /// model. On an inference tape, or where the buffer is
    /// [frozen](crate::Module::freeze), nothing happens.
    ///
    /// # Panics
    ///
    /// If the shape is not the buffer's; after `backward`, whose gradients have left without it.
    #[doc(alias = "observe")]
    #[track_caller]
    pub fn update_buffer(&self, buffer: &Buffer<F>, value: Tensor<F>) {
        assert!(!self.spent.get(), "`update_buffer` after backward(): call reset() first");
        assert_eq!(
            value.shape(),
            buffer.shape(),
            "`update_buffer`: the value has another shape than the buffer"
        );
        if !self.inference && !buffer.is_frozen() {
            self.buffer_updates.borrow_mut().push((buffer.id, value));
        }
    }
}
