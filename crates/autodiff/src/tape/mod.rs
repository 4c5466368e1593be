//! The list of operations, its values, and the walk back. The files of this folder share the insides of [`Tape`].

mod anomaly;
mod backward;
mod buffer_updates;
mod dump;
mod gradients;
mod node;
mod random;
mod summary;
mod var;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::Location;

use rand::rngs::StdRng;

use crate::compute::buffers;
use crate::compute::sum::RunningSum;
use crate::module::Id;
use crate::{IntoTensor, Param, Real, Tensor};

use anomaly::FiniteCheck;
pub(crate) use node::{Kind, Node};

pub use dump::TapeStats;
pub use gradients::Gradients;
pub use node::Edge;
pub use var::Var;

/// The list of operations of one step, in the order in which they ran (R. E. Wengert, "A simple automatic derivative
/// evaluation program", 1964).
///
/// Every [`Var`] borrows the tape it lives on, and [`reset`](Tape::reset) needs the tape for itself: a `Var` of an
/// earlier step cannot be used by mistake, because it does not compile.
///
/// ```compile_fail
/// # use wengert_autodiff::{Tape, Tensor};
/// let mut tape = Tape::new();
/// let x = tape.variable(Tensor::<f32>::zeros(vec![3]));
/// tape.reset();
/// x.sum().backward(); // error: `tape` is borrowed by `x`
/// ```
///
/// ```
/// # use wengert_autodiff::{Tape, Tensor};
/// let mut tape = Tape::new();
/// tape.reset();
/// let x = tape.variable(Tensor::<f32>::zeros(vec![3]));
/// x.sum().backward();
/// ```
///
/// # Several at a time
///
/// A tape is used by one thread at a time, and several threads take one each. With rayon, give each piece of its work
/// a tape:
///
/// ```
/// # use wengert_autodiff::Tape;
/// use rayon::prelude::*;
///
/// let slopes = (0..100_u16).into_par_iter().map_init(Tape::new, |tape, n| {
///     tape.reset();
///     let x = tape.variable(f32::from(n));
///     x.square().backward().wrt(x).unwrap().sum()
/// });
/// assert_eq!(slopes.sum::<f32>(), 9900.0); // Σ 2n
/// ```
///
/// Do not keep it in a `thread_local!` for that. A large op divides its work among the pool's threads; one that waits
/// for another's part takes up other work meanwhile, which may be the next sample of your own loop. It finds the tape
/// of its thread in use, and the `RefCell` around it panics: "already borrowed".
///
/// The guide has [a chapter about it].
///
/// [a chapter about it]: https://github.com/wengert-rs/wengert/blob/main/docs/guide/src/tape.md
#[doc(alias("GradientTape", "graph", "Wengert list"))]
pub struct Tape<F: Real = f32> {
    pub(crate) id: Id,
    pub(crate) nodes: RefCell<Vec<Node<F>>>,
    /// The edges of all nodes, one node after the other.
    pub(crate) edges: RefCell<Vec<Edge<F>>>,
    /// The gradients that the walk back has found so far, by node; kept so that the next walk need not allocate it.
    pub(crate) pending: RefCell<Vec<Option<RunningSum<F>>>>,
    pub(crate) buffer_updates: RefCell<Vec<(Id, Tensor<F>)>>,
    pub(crate) finite_check: Option<FiniteCheck>,
    inference: bool,
    /// Set by `backward`, which consumes the edges: nothing may be recorded until `reset`.
    pub(crate) spent: Cell<bool>,
    step: u64,
    seed: Option<u64>,
    rng: RefCell<Option<StdRng>>,
}

impl<F: Real> Default for Tape<F> {
    fn default() -> Self {
        Self::new()
    }
}

impl<F: Real> Tape<F> {
    /// A tape that records, which also means training: batch norm uses the batch's statistics, dropout drops.
    pub fn new() -> Self {
        Self {
            id: Id::fresh(),
            nodes: RefCell::default(),
            edges: RefCell::default(),
            pending: RefCell::default(),
            buffer_updates: RefCell::default(),
            finite_check: None,
            inference: false,
            spent: Cell::new(false),
            step: 0,
            seed: None,
            rng: RefCell::default(),
        }
    }

    /// A tape for training with randomness (dropout). The same seed gives the same bits: step `n`, counted by
    /// [`reset`](Tape::reset), draws from a generator seeded with `seed` and `n`.
    #[doc(alias("with_rng", "manual_seed", "PRNGKey"))]
    pub fn with_seed(seed: u64) -> Self {
        let mut tape = Self::new();
        tape.seed = Some(seed);
        tape
    }

    /// A tape for evaluation: nothing is recorded, batch norm uses its running statistics, dropout is the identity.
    ///
    /// Values stay readable until [`reset`](Tape::reset) or the end of the tape.
    #[doc(alias("no_grad", "eval"))]
    pub fn inference() -> Self {
        let mut tape = Self::new();
        tape.inference = true;
        tape
    }

    /// Whether this is an [`inference`](Tape::inference) tape.
    pub fn is_inference(&self) -> bool {
        self.inference
    }

    /// Starts the next step with an empty list. The arrays of the last step that nothing else shares are used again.
    #[doc(alias("zero_grad", "clear"))]
    pub fn reset(&mut self) {
        self.edges.get_mut().clear();
        self.buffer_updates.get_mut().clear();
        // A view before what it is a view of, which is then given back as a whole.
        self.nodes.get_mut().drain(..).rev().filter_map(|node| node.value).for_each(buffers::recycle);
        buffers::trim::<F>();
        self.spent.set(false);
        self.step = self.step.wrapping_add(1); // `set_steps` takes any count
        *self.rng.get_mut() = None;
    }

    /// How often the tape was [`reset`](Tape::reset).
    #[doc(alias = "step")]
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Continues an interrupted run at `step`, with the random numbers it would have had there.
    pub fn set_steps(&mut self, step: u64) {
        self.step = step;
        *self.rng.get_mut() = None;
    }

    /// A leaf that needs no gradient: an input batch, a target.
    #[doc(alias("tensor", "from_numpy", "placeholder"))]
    #[track_caller]
    pub fn constant(&self, value: impl IntoTensor<F>) -> Var<'_, F> {
        self.leaf("constant", value.into_tensor(), Kind::Constant)
    }

    /// A leaf whose gradient [`Gradients::wrt`](crate::Gradients::wrt) gives.
    #[doc(alias("requires_grad", "watch"))]
    #[track_caller]
    pub fn variable(&self, value: impl IntoTensor<F>) -> Var<'_, F> {
        self.leaf("variable", value.into_tensor(), Kind::Variable)
    }

    /// A leaf that stands for `param`. Used twice, its gradients add up; [frozen](crate::Module::freeze), it has none.
    #[track_caller]
    pub fn param(&self, param: &Param<F>) -> Var<'_, F> {
        let kind = if param.is_frozen() { Kind::Frozen(param.id) } else { Kind::Param(param.id) };
        self.leaf("param", param.value().clone(), kind)
    }

    #[track_caller]
    fn leaf(&self, op: &'static str, value: Tensor<F>, kind: Kind) -> Var<'_, F> {
        // A parameter keeps its name on an inference tape, for messages.
        let kind = if self.inference && kind == Kind::Variable { Kind::Constant } else { kind };
        self.push(op, value, kind, !self.inference && matches!(kind, Kind::Param(_) | Kind::Frozen(_)), [])
    }

    /// Appends an op's result: the value, and one [`edge`](Var::edge) per input. This is how every op of this crate is
    /// written, and how users add their own.
    ///
    /// Give the result an array of its own: one that it shares with a parameter stays readable after `backward`, and
    /// the optimizer then copies the parameter before it writes.
    ///
    /// # Panics
    ///
    /// After `backward` and before `reset`.
    #[doc(alias("custom_vjp", "autograd.Function", "custom_gradient"))]
    #[track_caller]
    pub fn record<const N: usize>(
        &self,
        op: &'static str,
        value: Tensor<F>,
        edges: [Edge<F>; N],
    ) -> Var<'_, F> {
        let tracked = edges.iter().any(|edge| edge.pullback.is_some());
        self.push(op, value, Kind::Op { tracked }, false, edges)
    }

    /// Like [`record`](Tape::record) for any number of inputs.
    #[track_caller]
    pub fn record_many(&self, op: &'static str, value: Tensor<F>, edges: Vec<Edge<F>>) -> Var<'_, F> {
        let tracked = edges.iter().any(|edge| edge.pullback.is_some());
        self.push(op, value, Kind::Op { tracked }, false, edges)
    }

    /// Like [`record`](Tape::record) for a value that may share its array with `source`.
    #[track_caller]
    pub(crate) fn record_view(
        &self,
        op: &'static str,
        value: Tensor<F>,
        source: Var<'_, F>,
        edge: Edge<F>,
    ) -> Var<'_, F> {
        let holds_param = self.nodes.borrow()[source.index].holds_param;
        self.push(op, value, Kind::Op { tracked: edge.pullback.is_some() }, holds_param, [edge])
    }

    #[track_caller]
    fn push(
        &self,
        op: &'static str,
        value: Tensor<F>,
        kind: Kind,
        holds_param: bool,
        edges: impl IntoIterator<Item = Edge<F>>,
    ) -> Var<'_, F> {
        assert!(!self.spent.get(), "`{op}` recorded after backward(): call reset() first");
        let index = self.nodes.borrow().len();
        let first_edge = self.edges.borrow().len();
        if !self.inference {
            self.edges.borrow_mut().extend(edges);
        }
        let node = Node {
            op,
            at: Location::caller(),
            value: Some(value),
            kind,
            first_edge,
            holds_param,
            retains_grad: false,
        };
        self.nodes.borrow_mut().push(node);
        if let Some(check) = &self.finite_check {
            check.forward(self, index);
        }
        Var { tape: self, index }
    }
}

impl<F: Real> Drop for Tape<F> {
    /// The free buffers end with the tape they were kept for.
    fn drop(&mut self) {
        buffers::clear::<F>();
    }
}

impl<F: Real> fmt::Debug for Tape<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tape")
            .field("nodes", &self.nodes.borrow().len())
            .field("inference", &self.inference)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}
