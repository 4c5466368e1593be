//! Derivatives beyond the gradient of a loss.
//!
//! All of them run the one tape on [`Dual`] numbers, so they hold for every op, layer and loss, of one's own too if it
//! is written for any [`Real`]. A model that is to have second derivatives is generic as well:
//!
//! ```
//! use wengert_autodiff::derivatives::hvp;
//! use wengert_autodiff::ndarray::{Array1, array};
//! use wengert_autodiff::{Dual, IntoTensor, Param, Real, Tape, Var, module};
//!
//! struct Line<F: Real> {
//!     slope: Param<F>,
//!     offset: Param<F>,
//! }
//! module!(Line<F> { slope, offset });
//!
//! fn loss<'t, F: Real>(line: &Line<F>, tape: &'t Tape<F>) -> Var<'t, F> {
//!     let x = tape.constant([1.0, 2.0].map(F::from_f64));
//!     (tape.param(&line.slope) * x + tape.param(&line.offset)).square().sum()
//! }
//!
//! let at = |x: f64| Param::new(Dual::from(x));
//! let mut line = Line { slope: at(3.0), offset: at(1.0) };
//! // Σ (s x + o)² has the Hessian 2 [[Σ x², Σ x], [Σ x, n]].
//! let found = hvp(&mut line, &array![1.0, 0.0], loss);
//! assert_eq!(found.product, array![10.0, 6.0]);
//! assert_eq!((found.loss, found.gradient), (65.0, array![36.0, 22.0]));
//! ```
//!
//! | function | gives | costs |
//! |---|---|---|
//! | [`value_and_grad`] | a loss and its gradient, as one vector | one gradient |
//! | [`grad`] | the gradients of a function of several arrays | one gradient |
//! | [`jvp`] | a function's derivative along a direction, `J v` | about two to three evaluations |
//! | [`jacobian`] | all of `J` | as many `jvp` as the input has elements |
//! | [`laplacian`] | `Σ ∂²f/∂xᵢ²` of each row | an evaluation on `Dual<Dual<F>>` for each element of a row |
//! | [`hvp`] | `H v` of a model's loss | about three to four gradients, whatever the size |
//! | [`hessian`] | all of `H` | as many `hvp` as the model has parameters |
//! | [`gauss_newton_product`] | `Jᵀ H_out J v` | about as `hvp` |
//! | [`empirical_fisher_product`] | `1/n Σ gᵢ gᵢᵀ v` | `n` gradients |
//! | [`hutchinson_trace`], [`hutchinson_diagonal`] | of any symmetric operator, estimated | a product for each sample |
//! | [`largest_eigenpairs`] | by Lanczos' method | a product for each step, and a vector kept |
//!
//! A vector holds the numbers of all parameters that are not frozen, in the order of [`Module::visit`] and row-major:
//! PyTorch's `parameters_to_vector`, JAX's `ravel_pytree`. An operator over a data set is a closure that adds up the
//! products of its batches.
//!
//! **The gradient of a gradient.** To train through an input's gradient `g = ∇ₓ f`, as of the penalty `½ ‖g‖²`, take
//! `g` as it is, move the input along it, and take the gradient of how `f` changes: `∇θ ½ ‖∇ₓ f‖² = d/dε ∇θ f(x + ε g)`
//! is the tangent of [`value_and_grad`] with the input `x + g ε`.
//!
//! **Everything is in training mode**: the tapes record, batch norm normalizes by the batch, and dropout draws the same
//! mask each time, so that `H` is one matrix. The running statistics of batch norm stay as they are.
//!
//! [`Module::visit`]: crate::Module::visit
//! [`Real`]: crate::Real
//! [`Dual`]: crate::Dual

/// The tapes' seed, so that each evaluation drops the same activations.
const SEED: u64 = 0;

mod functions;
mod model;
mod spectrum;
mod vector;

#[doc(no_inline)]
pub use crate::Dual;
pub use functions::{grad, jacobian, jvp, laplacian};
pub use model::{Hvp, empirical_fisher_product, gauss_newton_product, hessian, hvp, value_and_grad};
pub use spectrum::{EigenPair, hutchinson_diagonal, hutchinson_trace, largest_eigenpairs};
pub use vector::{lift, parameters_to_vector, vector_to_gradients, vector_to_parameters};
