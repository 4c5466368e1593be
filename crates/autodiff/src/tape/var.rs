use std::fmt;
use std::ops::Range;

use ndarray::Axis;

use crate::tape::Edge;
use crate::{Real, Tape, Tensor};

/// A value on a tape: a handle that is as cheap to copy as a number.
///
/// All operations are methods of this type; see the headings below, one per kind. Binary operations
/// broadcast as NumPy does. An operation panics at the caller's line, naming itself and the shapes, where the shapes do
/// not fit or the operands come from two tapes.
///
/// # What does not compile
///
/// A `Var` that is used after its step (see [`Tape`]), or that leaves the function its tape belongs to:
///
/// ```compile_fail
/// # use wengert_autodiff::{Tape, Tensor, Var};
/// fn squares<'t>(x: Tensor) -> Var<'t> {
///     let tape = Tape::new();
///     tape.variable(x).square() // error: borrows `tape`, which ends here
/// }
/// ```
///
/// ```
/// # use wengert_autodiff::{Tape, Tensor, Var};
/// fn squares(tape: &Tape, x: Tensor) -> Var<'_> {
///     tape.variable(x).square()
/// }
/// ```
///
/// A `Var` shared by two threads; each needs a tape of its own, and the gradients may travel:
///
/// ```compile_fail
/// # use wengert_autodiff::{Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.variable(Tensor::<f32>::zeros(vec![3]));
/// std::thread::scope(|scope| {
///     scope.spawn(|| drop(x.sum())); // error: `Tape` is not `Sync`
/// });
/// ```
///
/// ```
/// # use wengert_autodiff::{Tape, Tensor};
/// let x = Tensor::<f32>::zeros(vec![3]);
/// let grads = std::thread::scope(|scope| {
///     let worker = scope.spawn(|| {
///         let tape = Tape::new();
///         tape.variable(x.clone()).sum().backward()
///     });
///     worker.join().unwrap()
/// });
/// # drop(grads);
/// ```
///
/// Two float types in one expression:
///
/// ```compile_fail
/// # use wengert_autodiff::{Tape, Tensor};
/// let (single, double) = (Tape::<f32>::new(), Tape::<f64>::new());
/// let x = single.variable(Tensor::zeros(vec![3]));
/// let y = double.variable(Tensor::zeros(vec![3]));
/// (x * y).sum().backward(); // error: no product of `f32` and `f64`
/// ```
///
/// ```
/// # use wengert_autodiff::{Tape, Tensor};
/// let double = Tape::<f64>::new();
/// let x = double.variable(Tensor::zeros(vec![3]));
/// let y = double.variable(Tensor::zeros(vec![3]));
/// (x * y).sum().backward();
/// ```
#[doc(alias("Tensor", "Variable", "Tracer"))]
#[must_use = "an op only computes: use its result"]
pub struct Var<'t, F: Real = f32> {
    pub(crate) tape: &'t Tape<F>,
    pub(crate) index: usize,
}

impl<F: Real> Clone for Var<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Real> Copy for Var<'_, F> {}

impl<'t, F: Real> Var<'t, F> {
    /// The tape this value lives on.
    pub fn tape(self) -> &'t Tape<F> {
        self.tape
    }

    /// The tensor; the array is shared, not copied.
    ///
    /// # Panics
    ///
    /// For a parameter (or a view of one) after `backward`, which hands the array back to the model.
    #[doc(alias("numpy", "data"))]
    #[track_caller]
    pub fn value(self) -> Tensor<F> {
        let nodes = self.tape.nodes.borrow();
        let node = &nodes[self.index];
        let Some(value) = &node.value else {
            panic!("backward() gave the array of this `{}` back to its parameter: read it there", node.op);
        };
        value.clone()
    }

    /// The only element of a tensor that has one.
    ///
    /// # Panics
    ///
    /// If there is not exactly one; as [`value`](Var::value).
    #[track_caller]
    pub fn item(self) -> F {
        let value = self.value();
        assert_eq!(
            value.len(),
            1,
            "`item` needs a tensor of one element, this one has shape {:?}",
            value.shape()
        );
        *value.first().expect("one element")
    }

    /// The lengths of the axes; `[]` for a scalar.
    ///
    /// # Panics
    ///
    /// As [`value`](Var::value).
    #[track_caller]
    pub fn shape(self) -> Vec<usize> {
        self.value().shape().to_vec()
    }

    /// Keeps the gradient with respect to this result of an op for [`Gradients::wrt`](crate::Gradients::wrt). Returns
    /// the `Var` itself. Parameters and variables need it not.
    ///
    /// ```
    /// # let tape = wengert_autodiff::Tape::new();
    /// let h = tape.variable(3.0).square().retain_grad();
    /// assert_eq!((h * 2.0).backward().wrt(h).unwrap().sum(), 2.0);
    /// ```
    #[doc(alias("retains_grad", "register_hook"))]
    pub fn retain_grad(self) -> Self {
        self.tape.nodes.borrow_mut()[self.index].retains_grad = true;
        self
    }

    /// The same value, cut off from what it was computed from: no gradient flows through.
    #[doc(alias("stop_gradient", "stop_grad", "no_grad"))]
    #[track_caller]
    pub fn detach(self) -> Self {
        let cut = Edge { input: self.index, pullback: None, part: None };
        self.tape.record_view("detach", self.value(), self, cut)
    }

    /// Whether a gradient would flow into this value.
    pub fn needs_grad(self) -> bool {
        !self.tape.inference && self.tape.nodes.borrow()[self.index].kind.needs_grad()
    }

    /// One input's part of an op's derivative, for [`Tape::record`]: `pullback` takes the gradient of the loss with
    /// respect to the op's result and returns the one with respect to this input, in the input's shape.
    ///
    /// Where this input needs no gradient the closure is dropped at once, together with all it captured.
    pub fn edge(self, pullback: impl FnOnce(Tensor<F>) -> Tensor<F> + 'static) -> Edge<F> {
        let needed = self.needs_grad();
        Edge { input: self.index, pullback: needed.then(|| Box::new(pullback) as Box<_>), part: None }
    }

    /// The edge of an op whose result is this range of its input along `axis`: many of them cost what they hold, where
    /// gradients in the input's shape would cost all of it each time.
    pub(crate) fn edge_of_part(self, axis: Axis, range: Range<usize>) -> Edge<F> {
        Edge { part: Some(Box::new((axis, range))), ..self.edge(|dy| dy) }
    }

    /// Panics unless both values live on one tape.
    #[track_caller]
    pub(crate) fn same_tape(self, op: &str, other: Self) {
        assert!(std::ptr::eq(self.tape, other.tape), "`{op}`: the operands live on two different tapes");
    }
}

impl<F: Real> fmt::Debug for Var<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = self.tape.nodes.borrow();
        let node = &nodes[self.index];
        write!(f, "%{} = {}", self.index, node.op)?;
        match &node.value {
            Some(value) => write!(f, " {value}"),
            None => write!(f, " (released)"),
        }
    }
}
