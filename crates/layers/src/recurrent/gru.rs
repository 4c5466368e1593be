use rand::Rng;
use serde::{Deserialize, Serialize};
use wengert_autodiff::{Param, Real, Var, module};

use super::stack::{Recurrent, RecurrentCell, last_of, operands, parameters, step};

/// Gated recurrent units (Cho et al., 2014) in one or more layers: the formula is that of [`Var::gru`], PyTorch's. See
/// [`Recurrent`] for shapes and options.
///
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// # use wengert_autodiff::{Tape, Tensor};
/// # use wengert_layers::Gru;
/// # let rng = &mut StdRng::seed_from_u64(0);
/// // Two layers in both directions.
/// let gru: Gru = Gru { batch_first: true, ..Gru::stacked(3, 8, 2, true, rng) };
/// let tape = Tape::new();
/// let x = tape.constant(Tensor::zeros(vec![5, 7, 3])); // five sequences of seven steps
/// let (y, h) = gru.forward_from(x, None);
/// assert_eq!((y.shape(), h.shape()), (vec![5, 7, 16], vec![4, 5, 8]));
/// ```
#[doc(alias = "GRU")]
pub type Gru<F = f32> = Recurrent<GruCell<F>>;

/// One step of a [`Gru`]. The thirds of the parameters are of the reset, the update and the new gate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[doc(alias = "GRUCell")]
pub struct GruCell<F: Real = f32> {
    /// `[3 units, inputs]`.
    pub weight_ih: Param<F>,
    /// `[3 units, units]`.
    pub weight_hh: Param<F>,
    /// `[3 units]`, or none.
    pub bias_ih: Option<Param<F>>,
    /// `[3 units]`, or none.
    pub bias_hh: Option<Param<F>>,
}

module!(GruCell<F> { weight_ih, weight_hh, bias_ih, bias_hh });

impl<F: Real> GruCell<F> {
    /// All parameters are drawn uniformly from ±1/√units, PyTorch's default.
    #[doc(alias("input_size", "hidden_size"))]
    pub fn new(inputs: usize, units: usize, rng: &mut dyn Rng) -> Self {
        let ([weight_ih, weight_hh], [bias_ih, bias_hh]) = parameters(3, inputs, units, rng);
        Self { weight_ih, weight_hh, bias_ih, bias_hh }
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

impl<F: Real> Gru<F> {
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

impl<F: Real> RecurrentCell for GruCell<F> {
    type Float = F;
    const NAME: &'static str = "Gru";
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
        let y = x.gru(state.first().copied(), weight, bias, reverse);
        (y, vec![last_of(y, reverse)])
    }
}
