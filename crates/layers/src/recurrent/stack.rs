use std::fmt::Debug;

use rand::Rng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Module, ModulePath, Param, Real, Var, Visitor, VisitorMut};

use crate::{Dropout, Layer, init};

/// One direction of one layer of a [`Recurrent`]; implemented by the cells of this crate.
pub trait RecurrentCell: Module<Self::Float> + Sized {
    /// The float type.
    type Float: Real;
    /// The layer's name, for messages.
    const NAME: &'static str;
    /// How many tensors a state consists of.
    const STATES: usize;

    #[doc(hidden)]
    fn of_sizes(inputs: usize, units: usize, rng: &mut dyn Rng) -> Self;

    #[doc(hidden)]
    fn drop_bias(&mut self);

    /// `[inputs, units]`.
    #[doc(hidden)]
    fn sizes(&self) -> [usize; 2];

    /// `h` after every step of `x: [steps, batch, inputs]`, and the state after the last one. An initial state is
    /// empty, which means zero, or has [`STATES`](RecurrentCell::STATES) tensors `[batch, units]`.
    #[doc(hidden)]
    fn run<'t>(
        &self,
        x: Var<'t, Self::Float>,
        state: &[Var<'t, Self::Float>],
        reverse: bool,
    ) -> (Var<'t, Self::Float>, Vec<Var<'t, Self::Float>>);
}

/// Cells one above the other, each over the whole sequence that the one below returns: what [`Rnn`](crate::Rnn),
/// [`Gru`](crate::Gru) and [`Lstm`](crate::Lstm) are.
///
/// An input is `[steps, batch, inputs]`, with `batch_first` `[batch, steps, inputs]`, or one sequence
/// `[steps, inputs]`. The output is `h` of the last layer after every step, of the input's shape with the units in the
/// place of the inputs, twice as many where there are two directions. A state has the cells' in their order:
/// `[cells, batch, units]`, or `[cells, units]` for one sequence, whatever `batch_first` is. All this is PyTorch's, as
/// are the names: `weight_ih_l0`, `bias_hh_l1_reverse`.
///
/// As a [`Layer`] it returns the output alone. A classifier of sequences takes the last step of that
/// (`y.slice(1, steps - 1..steps)` with `batch_first`), or the last state from `forward_from`.
///
/// # Sequences of different lengths
///
/// Make them equally long with anything at their ends. In the forward direction what follows a step does not change
/// it: take each sequence's output at its own last step ([`Var::gather`]), and leave the steps behind out of the loss
/// ([`Var::where_cond`], or a product with a mask of zeros and ones). The reverse direction would begin in what was
/// added; with two directions, make batches of sequences of equal length.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("num_layers", "nn.RNNBase", "pack_padded_sequence"))]
pub struct Recurrent<C> {
    /// Layer after layer; the forward and then the reverse one of each, if there are two.
    pub cells: Vec<C>,
    /// Whether every layer has a second cell, which starts with the last step.
    pub bidirectional: bool,
    /// Whether input and output have the batch as their first axis.
    pub batch_first: bool,
    /// Applied to the output of every layer but the last.
    pub dropout: Dropout,
}

impl<C: RecurrentCell> Recurrent<C> {
    /// One layer in one direction; all parameters are drawn uniformly from ±1/√units, PyTorch's default.
    ///
    /// # Panics
    ///
    /// If there are no units.
    #[track_caller]
    #[doc(alias("input_size", "hidden_size"))]
    pub fn new(inputs: usize, units: usize, rng: &mut dyn Rng) -> Self {
        Self::stacked(inputs, units, 1, false, rng)
    }

    /// `layers` layers, with two directions each if it is `bidirectional`.
    ///
    /// # Panics
    ///
    /// If there are no units or no layers.
    #[track_caller]
    pub fn stacked(
        inputs: usize,
        units: usize,
        layers: usize,
        bidirectional: bool,
        rng: &mut dyn Rng,
    ) -> Self {
        assert!(units > 0 && layers > 0, "`{}` needs at least one unit and one layer", C::NAME);
        let directions = 1 + usize::from(bidirectional);
        let inputs_of = |cell| if cell < directions { inputs } else { directions * units };
        let cells = (0..layers * directions).map(|cell| C::of_sizes(inputs_of(cell), units, rng)).collect();
        Self { cells, bidirectional, batch_first: false, dropout: Dropout::new(0.0) }
    }

    /// Without the biases, as PyTorch's `bias=False`.
    #[must_use]
    #[doc(alias = "bias")]
    pub fn without_bias(mut self) -> Self {
        self.cells.iter_mut().for_each(C::drop_bias);
        self
    }

    fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }

    /// The output and the last state for an initial one, which may be empty.
    #[track_caller]
    pub(super) fn run<'t>(
        &self,
        x: Var<'t, C::Float>,
        states: &[Var<'t, C::Float>],
    ) -> (Var<'t, C::Float>, Vec<Var<'t, C::Float>>) {
        let shape = x.shape();
        let one_sequence = shape.len() == 2;
        let batch = self.check(&shape, states);
        let mut y = match shape[..] {
            [steps, inputs] => x.reshape(&[steps, 1, inputs]),
            _ if self.batch_first => x.transpose(0, 1),
            _ => x,
        };
        let steps = y.shape()[0];
        let mut last = vec![Vec::with_capacity(self.cells.len()); C::STATES];
        for (layer, cells) in self.cells.chunks(self.directions()).enumerate() {
            if layer > 0 {
                y = self.dropout.forward(y);
            }
            let mut outputs = Vec::with_capacity(cells.len());
            for (direction, cell) in cells.iter().enumerate() {
                let index = layer * self.directions() + direction;
                let size = [batch, cell.sizes()[1]];
                let mut state = Vec::with_capacity(states.len());
                for all in states {
                    state.push(all.slice(0, index..index + 1).reshape(&size));
                }
                let (output, ends) = cell.run(y, &state, direction == 1);
                outputs.push(output);
                last.iter_mut().zip(ends).for_each(|(last, end)| last.push(end));
            }
            y = if let [one] = outputs[..] { one } else { Var::concat(&outputs, 2) };
        }
        let width = y.shape()[2];
        let y = match shape[..] {
            [_, _] => y.reshape(&[steps, width]),
            _ if self.batch_first => y.transpose(0, 1),
            _ => y,
        };
        let mut ends = Vec::with_capacity(C::STATES);
        for last in last {
            let end = Var::stack(&last, 0);
            ends.push(if one_sequence { end.reshape(&[end.shape()[0], end.shape()[2]]) } else { end });
        }
        (y, ends)
    }

    /// Returns the size of the batch.
    #[track_caller]
    fn check(&self, shape: &[usize], states: &[Var<'_, C::Float>]) -> usize {
        let (name, cells) = (C::NAME, self.cells.len());
        assert!(
            cells > 0 && cells.is_multiple_of(self.directions()),
            "`{name}`: {cells} cells do not make layers of {} directions",
            self.directions()
        );
        let [inputs, units] = self.cells[0].sizes();
        let axes = if self.batch_first { "batch, steps" } else { "steps, batch" };
        assert!(
            matches!(shape.len(), 2 | 3) && shape.last() == Some(&inputs),
            "`{name}` of {inputs} inputs needs an input [{axes}, {inputs}] or [steps, {inputs}], this one has shape \
             {shape:?}"
        );
        let (batch, expected) = match shape[..] {
            [first, second, _] => {
                let batch = if self.batch_first { first } else { second };
                (batch, vec![cells, batch, units])
            }
            _ => (1, vec![cells, units]),
        };
        for state in states {
            assert!(
                state.shape() == expected,
                "`{name}`: an initial state of shape {:?}; for an input of shape {shape:?} it needs {expected:?}",
                state.shape()
            );
        }
        batch
    }
}

impl<F: Real, C: RecurrentCell<Float = F> + Clone + Debug + Send + Sync + 'static> Layer<F> for Recurrent<C> {
    /// The output, from a state of zeros.
    ///
    /// # Panics
    ///
    /// If the input does not have the shape described above, or has no steps.
    #[track_caller]
    fn forward<'t>(&self, x: Var<'t, F>) -> Var<'t, F> {
        self.run(x, &[]).0
    }
}

/// The names of the cells with the number of the layer: `weight_ih_l0`, `weight_ih_l0_reverse`.
impl<F: Real, C: RecurrentCell<Float = F>> Module<F> for Recurrent<C> {
    fn visit<'a>(&'a self, path: &mut ModulePath, visitor: &mut Visitor<'_, 'a, F>) {
        for (index, cell) in self.cells.iter().enumerate() {
            let suffix = suffix(index, self.directions());
            cell.visit(&mut ModulePath::default(), &mut |name, leaf| {
                path.enter(&format!("{name}{suffix}"), |path| visitor(path.as_str(), leaf));
            });
        }
    }

    fn visit_mut<'a>(&'a mut self, path: &mut ModulePath, visitor: &mut VisitorMut<'_, 'a, F>) {
        let directions = self.directions();
        for (index, cell) in self.cells.iter_mut().enumerate() {
            let suffix = suffix(index, directions);
            cell.visit_mut(&mut ModulePath::default(), &mut |name, leaf| {
                path.enter(&format!("{name}{suffix}"), |path| visitor(path.as_str(), leaf));
            });
        }
    }
}

fn suffix(index: usize, directions: usize) -> String {
    format!("_l{}{}", index / directions, if index % directions == 1 { "_reverse" } else { "" })
}

/// The weights `[gates · units, inputs]` and `[gates · units, units]`, and two biases.
pub(super) fn parameters<F: Real>(
    gates: usize,
    inputs: usize,
    units: usize,
    rng: &mut dyn Rng,
) -> ([Param<F>; 2], [Option<Param<F>>; 2]) {
    let (rows, bound) = (gates * units, (units as f64).sqrt().recip());
    let mut draw = |shape: &[usize]| Param::from(init::uniform(shape, -bound, bound, rng));
    let weights = [draw(&[rows, inputs]), draw(&[rows, units])];
    (weights, [Some(draw(&[rows])), Some(draw(&[rows]))])
}

/// The product of the weight with the inputs of all steps, and what the recurrence needs besides: the other weight and
/// its bias.
#[track_caller]
pub(super) fn operands<'t, F: Real>(
    x: Var<'t, F>,
    [weight_ih, weight_hh]: [&Param<F>; 2],
    [bias_ih, bias_hh]: [&Option<Param<F>>; 2],
) -> (Var<'t, F>, Var<'t, F>, Option<Var<'t, F>>) {
    let tape = x.tape();
    let [bias_ih, bias_hh] = [bias_ih, bias_hh].map(|bias| bias.as_ref().map(|bias| tape.param(bias)));
    (x.linear(tape.param(weight_ih), bias_ih), tape.param(weight_hh), bias_hh)
}

/// `h` after the last step.
#[track_caller]
pub(super) fn last_of<'t, F: Real>(y: Var<'t, F>, reverse: bool) -> Var<'t, F> {
    let shape = y.shape();
    let at = if reverse { 0 } else { shape[0] - 1 };
    y.slice(0, at..at + 1).reshape(&shape[1..])
}

/// One step of a cell for `x: [batch, inputs]` or `[inputs]`; the new state.
#[track_caller]
pub(super) fn step<'t, C: RecurrentCell>(
    cell: &C,
    x: Var<'t, C::Float>,
    state: &[Var<'t, C::Float>],
) -> Vec<Var<'t, C::Float>> {
    let (shape, [inputs, units], name) = (x.shape(), cell.sizes(), C::NAME);
    assert!(
        matches!(shape.len(), 1 | 2) && shape.last() == Some(&inputs),
        "`{name}Cell` of {inputs} inputs needs an input [batch, {inputs}] or [{inputs}], this one has shape {shape:?}"
    );
    let batch = if shape.len() == 2 { shape[0] } else { 1 };
    let mut of_state = shape.clone();
    of_state[shape.len() - 1] = units;
    let mut rows = Vec::with_capacity(state.len());
    for state in state {
        assert!(
            state.shape() == of_state,
            "`{name}Cell`: a state of shape {:?}; for an input of shape {shape:?} it needs {of_state:?}",
            state.shape()
        );
        rows.push(state.reshape(&[batch, units]));
    }
    let (_, mut ends) = cell.run(x.reshape(&[1, batch, inputs]), &rows, false);
    for end in &mut ends {
        *end = end.reshape(&of_state);
    }
    ends
}
