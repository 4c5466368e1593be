use wengert_autodiff::Real;

use crate::rules::parts::ema::flush_subnormal;
use crate::rules::parts::optional::Optional;

/// `b ← μ b + w u`; the update is `b`, or with Nesterov's momentum `u + μ b`. Without a buffer it is `u`. The weight
/// `w` is 1 - τ in SGD with dampening τ (1 at its first step), and 1 in RMSProp.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Momentum<F> {
    pub(crate) mu: F,
    pub(crate) weight: F,
    pub(crate) nesterov: bool,
}

impl<F: Real> Momentum<F> {
    #[inline]
    pub(crate) fn apply<B: Optional<F>>(self, u: F, buffer: &mut B) -> F {
        if !B::PRESENT {
            return u;
        }
        // Selected: what is left of an infinite buffer would be NaN.
        let kept = |b| if self.mu == F::ZERO { F::ZERO } else { self.mu * b };
        let b = buffer.update(u, |b| flush_subnormal(kept(b) + self.weight * u));
        if self.nesterov { u + self.mu * b } else { b }
    }
}
