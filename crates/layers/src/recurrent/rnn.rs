use rand::Rng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Var, module};

use super::stack::{Recurrent, RecurrentCell, last_of, operands, parameters, step};

/// `h ← tanh(W x + b + W′ h + b′)`, or with [`Nonlinearity::Relu`] max(…, 0), in one or more layers (Elman, 1990). See
/// [`Recurrent`] for shapes and options.
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// # use wengert_layers::{Nonlinearity, Rnn};
/// # let rng = &mut StdRng::seed_from_u64(0);
/// let rnn: Rnn = Rnn { batch_first: true, ..Rnn::new(3, 8, rng).with_nonlinearity(Nonlinearity::Relu) };
/// # assert_eq!(rnn.cells[0].weight_hh.shape(), [8, 8]);
/// ```
#[doc(alias("RNN", "SimpleRNN"))]
pub type Rnn<F = f32> = Recurrent<RnnCell<F>>;

/// What a [`Rnn`] applies to the sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Nonlinearity {
    /// [`Var::tanh`].
    Tanh,
    /// [`Var::relu`].
    Relu,
}

/// One step of a [`Rnn`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias("RNNCell", "SimpleRNNCell"))]
pub struct RnnCell<F: Real = f32> {
    /// `W: [units, inputs]`.
    pub weight_ih: Param<F>,
    /// `W′: [units, units]`.
    pub weight_hh: Param<F>,
    /// `b: [units]`, or none.
    pub bias_ih: Option<Param<F>>,
    /// `b′: [units]`, or none.
    pub bias_hh: Option<Param<F>>,
    /// Tanh, unless it is set.
    pub nonlinearity: Nonlinearity,
}

module!(RnnCell<F> { weight_ih, weight_hh, bias_ih, bias_hh });

impl<F: Real> RnnCell<F> {
    /// All parameters are drawn uniformly from ±1/√units, PyTorch's default.
    #[doc(alias("input_size", "hidden_size"))]
    pub fn new(inputs: usize, units: usize, rng: &mut dyn Rng) -> Self {
        let ([weight_ih, weight_hh], [bias_ih, bias_hh]) = parameters(1, inputs, units, rng);
        Self { weight_ih, weight_hh, bias_ih, bias_hh, nonlinearity: Nonlinearity::Tanh }
    }

    /// The next `h: [batch, units]` for `x: [batch, inputs]`, or without the batch; an `h` that is not given is zero.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward<'t>(&self, x: Var<'t, F>, h: Option<Var<'t, F>>) -> Var<'t, F> {
        step(self, x, h.as_slice())[0]
    }
}

impl<F: Real> Rnn<F> {
    /// With another function in every cell.
    #[must_use]
    pub fn with_nonlinearity(mut self, nonlinearity: Nonlinearity) -> Self {
        self.cells.iter_mut().for_each(|cell| cell.nonlinearity = nonlinearity);
        self
    }

    /// The output, and the last state, for an initial state (zero if there is none): see [`Recurrent`].
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or there are no steps.
    #[track_caller]
    #[doc(alias("h_0", "h_n", "hx", "initial_state"))]
    pub fn forward_from<'t>(&self, x: Var<'t, F>, h0: Option<Var<'t, F>>) -> (Var<'t, F>, Var<'t, F>) {
        let (y, last) = self.run(x, h0.as_slice());
        (y, last[0])
    }
}

impl<F: Real> RecurrentCell for RnnCell<F> {
    type Float = F;
    const NAME: &'static str = "Rnn";
    const STATES: usize = 1;

    fn of_sizes(inputs: usize, units: usize, rng: &mut dyn Rng) -> Self {
        Self::new(inputs, units, rng)
    }

    fn drop_bias(&mut self) {
        (self.bias_ih, self.bias_hh) = (None, None);
    }

    fn sizes(&self) -> [usize; 2] {
        [self.weight_ih.shape()[1], self.weight_hh.shape()[1]]
    }

    #[track_caller]
    fn run<'t>(&self, x: Var<'t, F>, state: &[Var<'t, F>], reverse: bool) -> (Var<'t, F>, Vec<Var<'t, F>>) {
        let biases = [&self.bias_ih, &self.bias_hh];
        let (x, weight, bias) = operands(x, [&self.weight_ih, &self.weight_hh], biases);
        let h0 = state.first().copied();
        let y = match self.nonlinearity {
            Nonlinearity::Tanh => x.rnn_tanh(h0, weight, bias, reverse),
            Nonlinearity::Relu => x.rnn_relu(h0, weight, bias, reverse),
        };
        (y, vec![last_of(y, reverse)])
    }
}
