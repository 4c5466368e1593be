use wengert_autodiff::Real;

use crate::average::normal;
use crate::slot::Slot;

/// `b ← μ b + d u`; the update is `b`, or with Nesterov's momentum `u + μ b`. Without a buffer it is `u`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Momentum<F> {
    pub(crate) mu: F,
    pub(crate) damp: F,
    pub(crate) nesterov: bool,
}

impl<F: Real> Momentum<F> {
    #[inline]
    pub(crate) fn of<B: Slot<F>>(self, u: F, buffer: &mut B) -> F {
        if !B::PRESENT {
            return u;
        }
        let b = buffer.advance(u, |b| normal(self.mu * b + self.damp * u));
        if self.nesterov { u + self.mu * b } else { b }
    }
}
