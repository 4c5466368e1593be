use rand::Rng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Var, module};

use super::stack::{Recurrent, RecurrentCell, last_of, operands, parameters, step};

/// Long short-term memory (Hochreiter and Schmidhuber, 1997) in one or more layers: the formula is that of
/// [`Var::lstm`]. See [`Recurrent`] for shapes and options. There is no `proj_size`.
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// # use wengert_autodiff::{Tape, Tensor};
/// # use wengert_layers::Lstm;
/// # let rng = &mut StdRng::seed_from_u64(0);
/// let lstm: Lstm = Lstm { batch_first: true, ..Lstm::new(3, 8, rng) };
/// let tape = Tape::new();
/// let x = tape.constant(Tensor::zeros(vec![5, 7, 3])); // five sequences of seven steps
/// let (y, (h, c)) = lstm.forward_from(x, None);
/// assert_eq!((y.shape(), h.shape(), c.shape()), (vec![5, 7, 8], vec![1, 5, 8], vec![1, 5, 8]));
/// ```
#[doc(alias = "LSTM")]
pub type Lstm<F = f32> = Recurrent<LstmCell<F>>;

/// One step of a [`Lstm`]. The quarters of the parameters are of the input, the forget, the cell and the output gate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias = "LSTMCell")]
pub struct LstmCell<F: Real = f32> {
    /// `[4 units, inputs]`.
    pub weight_ih: Param<F>,
    /// `[4 units, units]`.
    pub weight_hh: Param<F>,
    /// `[4 units]`, or none.
    pub bias_ih: Option<Param<F>>,
    /// `[4 units]`, or none.
    pub bias_hh: Option<Param<F>>,
}

module!(LstmCell<F> { weight_ih, weight_hh, bias_ih, bias_hh });

impl<F: Real> LstmCell<F> {
    /// All parameters are drawn uniformly from ±1/√units, PyTorch's default.
    #[doc(alias("input_size", "hidden_size"))]
    pub fn new(inputs: usize, units: usize, rng: &mut dyn Rng) -> Self {
        let ([weight_ih, weight_hh], [bias_ih, bias_hh]) = parameters(4, inputs, units, rng);
        Self { weight_ih, weight_hh, bias_ih, bias_hh }
    }

    /// The next `(h, c)`, `[batch, units]` each, for `x: [batch, inputs]`, or without the batch; a state that is not
    /// given is zero.
    ///
    /// # Panics
    ///
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward<'t>(
        &self,
        x: Var<'t, F>,
        state: Option<(Var<'t, F>, Var<'t, F>)>,
    ) -> (Var<'t, F>, Var<'t, F>) {
        let state: Vec<_> = state.into_iter().flat_map(<[_; 2]>::from).collect();
        let next = step(self, x, &state);
        (next[0], next[1])
    }
}

impl<F: Real> Lstm<F> {
    /// The output, and the last state `(h, c)`, for an initial one (zero if there is none): see [`Recurrent`].
    ///
    /// # Panics
    ///
    /// If the shapes do not fit, or there are no steps.
    #[track_caller]
    #[doc(alias("h_0", "h_n", "c_0", "c_n", "hx", "initial_state"))]
    pub fn forward_from<'t>(
        &self,
        x: Var<'t, F>,
        state: Option<(Var<'t, F>, Var<'t, F>)>,
    ) -> (Var<'t, F>, (Var<'t, F>, Var<'t, F>)) {
        let state: Vec<_> = state.into_iter().flat_map(<[_; 2]>::from).collect();
        let (y, last) = self.run(x, &state);
        (y, (last[0], last[1]))
    }
}

impl<F: Real> RecurrentCell for LstmCell<F> {
    type Float = F;
    const NAME: &'static str = "Lstm";
    const STATES: usize = 2;

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
        let state = if let &[h, c] = state { Some((h, c)) } else { None };
        let (y, c) = x.lstm(state, weight, bias, reverse);
        (y, vec![last_of(y, reverse), c])
    }
}
