//! State that can be read, explained, edited, translated to another rule and recorded step by step.
//!
//! [`Explain`] is what these tools ask of a rule beyond its arithmetic; everything else they find in the names of the
//! state's fields.
//!
//! The guide has [a chapter about it].
//!
//! [a chapter about it]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/state.md

mod accumulator;
mod edit;
mod explanation;
mod log;
mod quantiles;
mod record;
mod translate;

use wengert_autodiff::{Real, Tensor};

use crate::rule::Rule;
use crate::rules::parts::epsilon::Epsilon;

pub use accumulator::{Accumulator, Statistic};
pub use edit::{Edit, Edited, SkipReason};
pub use explanation::{EpsilonShare, Explanation};
pub use log::{Csv, JsonLines};
pub use quantiles::Quantiles;
pub use record::{StepRecord, StepSummary};
pub use translate::{DropReason, FreshReason, RestartReason, Translated, Translation};

/// What a rule can say of its state, beyond its arithmetic. A rule trains without it;
/// [`explain`](crate::Optimizer::explain), the [summary](StepRecord::summary) of a step and
/// [`translate_from`](crate::Optimizer::translate_from) need it.
pub trait Explain<F: Real = f32>: Rule<F> {
    /// What the direction is multiplied with, element by element, as state and hyper-parameters are now, which is what
    /// the last update did: `η / (√v + ε)` for RMSProp, whose direction is the gradient; `η` for plain descent. Where
    /// the direction is a sign, it is the size of the step. Of `param` it uses the shape only.
    fn effective_lr(&self, param: &Tensor<F>, state: &Self::State) -> Tensor<F>;

    /// What stands under the root that the rule divides by, without ε, and ε: its estimate of the squared gradient,
    /// after bias correction and centering. `None` for a rule without such a root.
    #[doc(alias = "under_root")]
    fn second_moment(&self, _state: &Self::State) -> Option<(Tensor<F>, Epsilon)> {
        None
    }

    /// Which tensors of the state collect what, as the hyper-parameters are now: for reports of their memory and for
    /// taking over the state of another rule. A tensor that is not an average or a sum (a maximum, the last gradient)
    /// is left out.
    #[doc(alias = "memories")]
    fn accumulators(&self) -> Vec<Accumulator> {
        Vec::new()
    }
}
