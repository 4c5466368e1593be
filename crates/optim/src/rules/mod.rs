//! The rules: a struct and a file each, which reads as its paper. What they share is in `parts`.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod lion;
mod nadam;
pub(crate) mod parts;
mod presets;
mod radam;
mod rmsprop;
mod rprop;
mod sgd;

pub use adadelta::{Adadelta, AdadeltaState};
pub use adagrad::{AdaGrad, AdaGradState};
pub use adam::{Adam, AdamState};
pub use adamax::{Adamax, AdamaxState};
pub use lion::{Lion, LionState};
pub use nadam::{NAdam, NAdamState};
pub use parts::epsilon::Epsilon;
pub use parts::weight_decay::WeightDecay;
pub use radam::{RAdam, RAdamState};
pub use rmsprop::{RmsProp, RmsPropState};
pub use rprop::{Rprop, RpropState};
pub use sgd::{Sgd, SgdState};

/// Every rule of this crate, for tests, benchmarks and tools, so that none is forgotten: `for_every_rule!(check)` is an
/// array of what `check::<Sgd>()` and so on return, `for_every_rule!(table!)` calls the macro `table` with all types.
#[doc(hidden)]
#[macro_export]
macro_rules! for_every_rule {
    (@list $($with:tt)*) => {
        $crate::for_every_rule!(
            @$($with)* Sgd RmsProp AdaGrad Adadelta Adam Adamax NAdam RAdam Lion Rprop
        )
    };
    (@call $check:ident $($rule:ident)*) => { [$($check::<$crate::$rule>()),*] };
    (@pass $table:ident $($rule:ident)*) => { $table!($($crate::$rule),*) };
    ($check:ident) => { $crate::for_every_rule!(@list call $check) };
    ($table:ident !) => { $crate::for_every_rule!(@list pass $table) };
}
