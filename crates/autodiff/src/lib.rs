//! Tape-based reverse-mode automatic differentiation on [`ndarray`] tensors.
//!
//! The design decision: values live in an arena, the [`Tape`], and a [`Var`] is a copyable handle that borrows it. The
//! index order of the arena is a topological order, so the backward pass is one loop; and because `reset` needs the
//! tape for itself, the compiler rejects a `Var` that outlived its step. The alternative, a graph of reference-counted
//! nodes as in PyTorch, needs neither lifetimes nor `reset`, but it lets a forgotten variable keep a whole history
//! alive and differentiate through yesterday's step without a word.
//!
//! ```
//! use wengert_autodiff::Tape;
//!
//! let tape = Tape::new();
//! let x = tape.variable([1.0, 2.0, 3.0]);
//! let loss = (x * x).sum(); // 1 + 4 + 9
//! let grads = loss.backward();
//! assert_eq!(grads.wrt(x).unwrap().as_slice().unwrap(), [2.0, 4.0, 6.0]);
//! ```
//!
//! Chapters of the guide: [the tape], [shapes and broadcasting], [an operation of one's own], [debugging].
//!
//! [the tape]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/tape.md
//! [shapes and broadcasting]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/shapes.md
//! [an operation of one's own]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/own_op.md
//! [debugging]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/debugging.md
#![deny(unsafe_code)]

pub mod compute;
pub mod derivatives;
mod gradcheck;
mod module;
mod ops;
mod tape;

pub use compute::{Dual, IntoTensor, Real, Tensor, vectorized};
pub use gradcheck::{GradientReport, check_gradients, check_module_gradients};
pub use module::{
    Buffer, Leaf, LeafMut, Module, ModulePath, NamePattern, Param, ShapeMismatch, StateDictError, Visitor,
    VisitorMut,
};
pub use ndarray;
pub use ops::{ConvOptions, Padding, PoolOptions, activation, causal_mask};
pub use tape::{Edge, Gradients, Tape, TapeStats, Var};
