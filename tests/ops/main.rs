//! What the ops promise beyond the tables of `every_op` and `golden_ops`: their limits, their definitions written with
//! other ops, and what they say when they are misused. Here, and not in their crate, because without optimisation they
//! are compiled in a tenth of the time.

mod attention;
mod edges;
mod einsum;
mod limits;
mod losses;
mod normalize;
mod order;
#[path = "../../crates/autodiff/tests/panics/mod.rs"]
mod panics;
mod recurrent;
mod select;
mod shape_errors;
