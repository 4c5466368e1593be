//! Tape-based reverse-mode automatic differentiation on [`ndarray`] tensors.
//!
//! The design decision: values live in an arena, the [`Tape`], and a [`Var`] is a copyable handle that borrows it. The
//! index order of the arena is a topological order, so the backward pass is one loop; and because `reset` needs the tape
//! for itself, the compiler rejects a `Var` that outlived its step. The alternative, a graph of reference-counted nodes
//! as in PyTorch, needs neither lifetimes nor `reset`, but it lets a forgotten variable keep a whole history alive and
//! differentiate through yesterday's step without a word.
//!
//! ```
//! use wengert_autodiff::Tape;
//!
//! let tape = Tape::new();
//! let x = tape.variable(ndarray::arr1(&[1.0, 2.0, 3.0]).into_dyn());
//! let loss = (x * x).sum(); // 1 + 4 + 9
//! let grads = loss.backward();
//! assert_eq!(grads.wrt(x).unwrap().as_slice().unwrap(), [2.0, 4.0, 6.0]);
//! ```
#![deny(unsafe_code)]

mod check;
mod elementary;
mod finite;
mod gemm;
mod gradients;
mod graph;
mod kernel;
mod module;
mod ops;
pub mod parallel;
mod param;
mod pool;
mod real;
mod simd;
mod tape;
mod var;

pub use check::{GradientReport, check_gradients};
pub use gradients::Gradients;
pub use graph::TapeStats;
pub use module::{Module, Path, ShapeMismatch, Slot, SlotMut, StateDictError, Visitor, VisitorMut};
pub use ndarray;
pub use param::{Buffer, Param};
pub use real::Real;
pub use simd::vectorized;
pub use tape::{Edge, Tape};
pub use var::Var;

/// The arrays Wengert computes with: any number of dimensions, reference-counted, copy-on-write. It is an ordinary
/// [`ndarray::ArcArray`], so that all of ndarray applies.
pub type Tensor<F = f32> = ndarray::ArcArray<F, ndarray::IxDyn>;
