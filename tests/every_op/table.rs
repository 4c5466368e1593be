//! The ops, one line or more each; newer kinds are in files of their own.

use ndarray::{arr2, aview1};
use wengert_autodiff::{Dual, Real as Number, Tensor, Var};

pub(crate) type Op<F> = for<'t> fn(&[Var<'t, F>]) -> Var<'t, F>;

/// The shapes of the inputs, for each run of a row.
pub(crate) type Shapes = &'static [&'static [&'static [usize]]];

#[derive(Clone, Copy)]
pub(crate) enum Domain {
    /// Uniform in [-2, 2].
    Real,
    /// Uniform in [0.3, 2.3].
    Positive,
    /// Multiples of 0.1 plus 0.05 with both signs, no two equal: away from kinks at multiples of 0.1 and from ties.
    Distinct,
}
use Domain::{Distinct, Positive, Real};

#[derive(Clone)]
pub(crate) struct Row {
    /// The method's name, which the test `the_table_knows_every_op` looks for.
    pub(crate) op: &'static str,
    pub(crate) domain: Domain,
    pub(crate) shapes: Shapes,
    pub(crate) f: Op<f64>,
    pub(crate) on_duals: Op<Dual<f64>>,
}

/// `shapes!([2, 3] [3]; [0, 3] [3])`: two runs with two inputs each.
macro_rules! shapes {
    ($($([$($size:expr),*])*);*) => { &[$(&[$(&[$($size),*]),*]),*] };
}
pub(crate) use shapes;

/// A matrix, no rows, one column, and a scalar.
pub(crate) const ONE: Shapes = shapes!([3, 4]; [0, 3]; [3, 1]; []);
/// Equal shapes; each operand broadcast along a size-1, a missing and an empty axis; scalars.
pub(crate) const TWO: Shapes = shapes!(
    [3, 4] [3, 4]; [3, 4] [4]; [4] [3, 4]; [3, 1] [1, 4]; [] [3, 2]; [2, 1, 3] [4, 1];
    [0, 3] [3]; [1] [0]
);
const MATRIX: Shapes = shapes!([3, 4]; [0, 3]; [3, 0]; [3, 1]; [1, 1]);
/// Axis 1 of two or more has elements.
const ROWS: Shapes = shapes!([3, 4]; [0, 3]; [3, 1]; [2, 3, 2]);
const CUBE: Shapes = shapes!([2, 3, 4]; [0, 3, 2]; [1, 1, 1]; [2, 1, 3]);

/// A prediction and a target; the second list has an empty pair.
const PAIR: Shapes = shapes!([3, 4] [3, 4]; [3, 1] [3, 1]; [] []);
const EMPTY_PAIR: Shapes = shapes!([3, 4] [3, 4]; [3, 1] [3, 1]; [] []; [0, 3] [0, 3]);

/// A sequence, the state before it, the weight and the bias.
const RNN: Shapes = shapes!(
    [3, 2, 2] [2, 2] [2, 2] [2]; [1, 1, 3] [1, 3] [3, 3] [3]; [2, 0, 1] [0, 1] [1, 1] [1]
);

/// Some class for each row.
fn labels<F: Number>(x: Var<'_, F>) -> Vec<usize> {
    (0..x.shape()[0]).map(|row| (2 * row + 1) % x.shape()[1]).collect()
}

/// The function is written once and compiled for both kinds of numbers.
macro_rules! row {
    ($op:literal, $domain:expr, $shapes:expr, $f:expr $(,)?) => {
        Row { op: $op, domain: $domain, shapes: $shapes, f: $f, on_duals: $f }
    };
}
pub(crate) use row;

#[rustfmt::skip]
pub(crate) fn table() -> Vec<Row> {
    vec![
        row!("neg", Real, ONE, |x| -x[0]),
        row!("powi", Real, ONE, |x| x[0].powi(3)),
        row!("powi", Positive, ONE, |x| x[0].powi(-2)),
        row!("powf", Positive, ONE, |x| x[0].powf(2.5)),
        row!("powf", Positive, ONE, |x| x[0].powf(0.0)),
        row!("sqrt", Positive, ONE, |x| x[0].sqrt()),
        row!("square", Real, ONE, |x| x[0].square()),
        row!("recip", Positive, ONE, |x| x[0].recip()),
        row!("exp", Real, ONE, |x| x[0].exp()),
        row!("ln", Positive, ONE, |x| x[0].ln()),
        row!("ln_1p", Positive, ONE, |x| x[0].ln_1p()),
        row!("exp_m1", Real, ONE, |x| x[0].exp_m1()),
        row!("sin", Real, ONE, |x| x[0].sin()),
        row!("cos", Real, ONE, |x| x[0].cos()),
        row!("tanh", Real, ONE, |x| x[0].tanh()),
        row!("sigmoid", Real, ONE, |x| x[0].sigmoid()),
        row!("relu", Distinct, ONE, |x| x[0].relu()),
        row!("leaky_relu", Distinct, ONE, |x| x[0].leaky_relu(0.1)),
        row!("elu", Distinct, ONE, |x| x[0].elu(0.7)),
        row!("gelu", Real, ONE, |x| x[0].gelu()),
        row!("gelu_tanh", Real, ONE, |x| x[0].gelu_tanh()),
        row!("silu", Real, ONE, |x| x[0].silu()),
        row!("softplus", Real, ONE, |x| x[0].softplus()),
        row!("abs", Distinct, ONE, |x| x[0].abs()),
        row!("sign", Distinct, ONE, |x| x[0].sign()),
        row!("clamp", Distinct, ONE, |x| x[0].clamp(-0.3, 0.4)),

        row!("add", Real, TWO, |x| x[0] + x[1]),
        row!("add", Real, ONE, |x| (x[0] + 1.5) + (1.5 + x[0])),
        row!("sub", Real, TWO, |x| x[0] - x[1]),
        row!("sub", Real, ONE, |x| (x[0] - 1.5) * (1.5 - x[0])),
        row!("mul", Real, TWO, |x| x[0] * x[1]),
        row!("mul", Real, ONE, |x| (x[0] * 1.5) + (0.5 * x[0])),
        row!("div", Positive, TWO, |x| x[0] / x[1]),
        row!("div", Positive, ONE, |x| (x[0] / 1.5) - (0.5 / x[0])),
        row!("maximum", Distinct, TWO, |x| x[0].maximum(x[1])),
        row!("minimum", Distinct, TWO, |x| x[0].minimum(x[1])),
        row!("where_cond", Real, TWO, |x| Var::where_cond(arr2(&[[true]]).view(), x[0], x[1])),
        row!("where_cond", Real, shapes!([2, 3] [2, 3]; [2, 3] [3]; [2, 1] []),
            |x| Var::where_cond(aview1(&[true, false, true]), x[0], x[1])),

        row!("matmul", Real, shapes!([2, 3] [3, 4]; [0, 3] [3, 2]; [2, 0] [0, 3]; [3, 1] [1, 3]; [3, 3] [3, 3]),
            |x| x[0].matmul(x[1])),
        row!("matmul", Real, shapes!([2, 3, 4] [2, 4, 5]; [1, 2, 3] [4, 3, 2]; [4, 2, 3] [1, 3, 2];
            [0, 2, 3] [1, 3, 2]; [2, 2, 2] [2, 2, 2]),
            |x| x[0].matmul(x[1])),
        row!("matmul", Real, shapes!([4, 2, 3] [3, 2]; [2, 3] [4, 3, 2]; [0, 2, 3] [3, 2]; [2, 3] [0, 3, 2]),
            |x| x[0].matmul(x[1])),
        row!("matmul", Real, shapes!([3, 2] [4, 3]; [2, 2] [2, 2]), |x| x[0].t().matmul(x[1].t())),
        row!("matmul", Real, shapes!([4, 3, 2] [5, 3]), |x| x[0].transpose(1, 2).matmul(x[1].t())),
        row!("matmul", Real, shapes!([2, 1, 2, 3] [3, 3, 2]; [3, 1, 2, 3] [1, 2, 3, 1]; [2, 2, 1, 3] [3, 2];
            [2, 3] [2, 2, 3, 2]; [0, 2, 2, 3] [2, 3, 1]; [2, 2, 3] [0, 1, 3, 2]; [2, 1, 2, 2] [2, 1, 2, 2]),
            |x| x[0].matmul(x[1])),
        row!("matmul", Real, shapes!([3] [3]; [0] [0]; [2, 3] [3]; [0, 3] [3]; [3] [3, 4]; [3] [3, 0]; [2, 2, 3] [3];
            [3] [2, 3, 4]; [3] [2, 0, 3, 1]), |x| x[0].matmul(x[1])),
        row!("linear", Real, shapes!([4, 3] [2, 3] [2]; [0, 3] [2, 3] [2]; [3] [2, 3] [2]; [2, 4, 3] [5, 3] [5];
            [4, 0] [2, 0] [2]),
            |x| x[0].linear(x[1], Some(x[2]))),
        row!("linear", Real, shapes!([4, 3] [2, 3]; [2, 1, 3] [1, 3]; [3, 3] [3, 3]), |x| x[0].linear(x[1], None)),

        row!("sum", Real, ONE, |x| x[0].sum()),
        row!("sum_axes", Real, ROWS, |x| x[0].sum_axes(&[1], false)),
        row!("sum_axes", Real, MATRIX, |x| x[0].sum_axes(&[-1], true)),
        row!("sum_axes", Real, CUBE, |x| x[0].sum_axes(&[2, 0], false)),
        row!("sum_axes", Real, CUBE, |x| x[0].sum_axes(&[], true)),
        row!("mean", Real, shapes!([3, 4]; [3, 1]; []), |x| x[0].mean()),
        row!("mean_axes", Real, ROWS, |x| x[0].mean_axes(&[1], false)),
        row!("mean_axes", Real, shapes!([2, 3, 4]; [1, 1, 1]), |x| x[0].mean_axes(&[0, -1], true)),
        row!("var", Real, shapes!([3, 4]; [3, 1]), |x| x[0].var(1)),
        row!("var_axes", Real, ROWS, |x| x[0].var_axes(&[1], 0, false)),
        row!("var_axes", Real, shapes!([2, 3, 4]; [2, 0, 4]; [2, 3, 1]), |x| x[0].var_axes(&[0, 2], 1, true)),
        row!("max", Distinct, shapes!([3, 4]; [3, 1]; []), |x| x[0].max()),
        row!("max_axes", Distinct, ROWS, |x| x[0].max_axes(&[1], false)),
        row!("max_axes", Distinct, shapes!([2, 3, 4]; [2, 0, 4]), |x| x[0].max_axes(&[0, 2], true)),
        row!("min", Distinct, shapes!([3, 4]; [3, 1]; []), |x| x[0].min()),
        row!("min_axes", Distinct, ROWS, |x| x[0].min_axes(&[1], false)),
        row!("min_axes", Distinct, shapes!([2, 3, 4]; [2, 0, 4]), |x| x[0].min_axes(&[0, 2], true)),

        row!("reshape", Real, shapes!([3, 4]; [12]; [2, 1, 6]), |x| x[0].reshape(&[2, 6])),
        row!("reshape", Real, shapes!([3, 4]; [2, 6]), |x| x[0].t().reshape(&[4, 3]).t()),
        row!("reshape", Real, shapes!([0, 2]; [3, 0, 1]), |x| x[0].reshape(&[4, 0])),
        row!("t", Real, MATRIX, |x| x[0].t()),
        row!("transpose", Real, CUBE, |x| x[0].transpose(0, -1)),
        row!("permute", Real, CUBE, |x| x[0].permute(&[2, 0, 1])),
        row!("broadcast_to", Real, shapes!([3]; [1, 3]; [2, 1]; [2, 3]; []), |x| x[0].broadcast_to(&[4, 2, 3])),
        row!("broadcast_to", Real, shapes!([1, 3]; [0, 3]; [1]), |x| x[0].broadcast_to(&[0, 3])),
        row!("slice", Real, ROWS, |x| x[0].slice(1, 0..1)),
        row!("slice", Real, shapes!([3, 4]; [0, 4]), |x| x[0].slice(-1, 1..3)),
        row!("slice", Real, MATRIX, |x| x[0].slice(0, 0..0)),
        row!("slice", Real, shapes!([4, 3]; [4, 0]; [4, 1]),
            |x| x[0].slice(0, 0..3) * x[0].slice(0, 1..4) + x[0].slice(0, 2..3)),
        row!("flip", Real, CUBE, |x| x[0].flip(&[0, -1])),
        row!("flip", Real, MATRIX, |x| x[0].flip(&[1])),
        row!("tril", Real, CUBE, |x| x[0].tril(0)),
        row!("triu", Real, MATRIX, |x| x[0].triu(-1)),
        row!("einsum", Real, shapes!([2, 3] [3, 4]; [0, 3] [3, 2]; [1, 3] [3, 1]; [3, 3] [3, 3]),
            |x| Var::einsum("ij,jk->ki", x)),
        row!("einsum", Real, shapes!([2, 3, 3] [3, 2] [4]; [1, 2, 2] [2, 3] [0]), |x| Var::einsum("bii,ic,d->dcb", x)),
        row!("einsum", Real, shapes!([2, 1, 3] [3, 2]; [2, 3] [3, 1]), |x| Var::einsum("...i,ij->...j", x)),
        row!("concat", Real, shapes!([2, 3] [1, 3]; [0, 3] [2, 3]; [2, 3] [2, 3]; [3]; [1, 2] [2, 2] [3, 2]),
            |x| Var::concat(x, 0)),
        row!("concat", Real, shapes!([2, 1, 3] [2, 2, 3]; [0, 2] [0, 1]), |x| Var::concat(x, 1)),
        row!("split", Real, shapes!([2, 4]; [0, 4]; [1, 4]), |x| {
            let parts = x[0].split(&[1, 0, 3], -1);
            Var::concat(&[parts[2], parts[1], parts[0] * parts[0]], 1)
        }),
        row!("stack", Real, shapes!([2, 3] [2, 3]; [3] [3] [3]; [0] [0]; [] []), |x| Var::stack(x, 0)),
        row!("stack", Real, shapes!([2, 3] [2, 3]; [1]; [2, 0] [2, 0]), |x| Var::stack(x, -1)),
        row!("index_select", Real, shapes!([4, 3]; [4]; [4, 0]; [4, 1]), |x| x[0].index_select(0, &[2, 0, 2, 2])),
        row!("index_select", Real, shapes!([2, 3]; [2, 3, 2]; [0, 3]), |x| x[0].index_select(1, &[2, 0, 2])),
        row!("index_select", Real, MATRIX, |x| x[0].index_select(0, &[])),
        row!("gather", Real, shapes!([3, 4]; [2, 2]), |x| x[0].gather(1, arr2(&[[1, 1, 0], [0, 1, 1]]).view())),
        row!("gather", Real, shapes!([3, 4]; [2, 3]; [2, 4]), |x| x[0].gather(0, arr2(&[[1, 0, 1], [1, 1, 0]]).view())),
        row!("gather", Real, shapes!([3, 4]; [0, 1]; [3, 1]),
            |x| x[0].gather(1, ndarray::Array2::zeros((0, 5)).view())),

        row!("softmax", Real, MATRIX, |x| x[0].softmax(1)),
        row!("softmax", Real, CUBE, |x| x[0].softmax(-2)),
        row!("log_softmax", Real, MATRIX, |x| x[0].log_softmax(0)),
        row!("log_softmax", Real, CUBE, |x| x[0].log_softmax(-1)),
        row!("logsumexp", Real, shapes!([3, 4]; [3, 1]; []), |x| x[0].logsumexp()),
        row!("logsumexp_axes", Real, ROWS, |x| x[0].logsumexp_axes(&[1], false)),
        row!("logsumexp_axes", Real, CUBE, |x| x[0].logsumexp_axes(&[2, 1], true)),
        row!("logsumexp_axes", Real, CUBE, |x| x[0].logsumexp_axes(&[], true)),

        row!("cross_entropy", Real, shapes!([4, 3]; [1, 3]; [3, 1]), |x| x[0].cross_entropy(&labels(x[0]))),
        row!("cross_entropy_each", Real, shapes!([4, 3]; [0, 3]; [3, 1]), |x| x[0].cross_entropy_each(&labels(x[0]))),
        row!("cross_entropy_smooth", Real, shapes!([4, 3]; [1, 3]; [3, 1]),
            |x| x[0].cross_entropy_smooth(&labels(x[0]), 0.2)),
        row!("cross_entropy_smooth_each", Real, shapes!([4, 3]; [0, 3]; [3, 1]),
            |x| x[0].cross_entropy_smooth_each(&labels(x[0]), 1.0)),
        row!("cross_entropy_soft", Real, shapes!([4, 3] [4, 3]; [1, 3] [1, 3]; [3, 1] [3, 1]),
            |x| x[0].cross_entropy_soft(x[1])),
        row!("cross_entropy_soft_each", Real, shapes!([4, 3] [4, 3]; [0, 3] [0, 3]; [3, 1] [3, 1]),
            |x| x[0].cross_entropy_soft_each(x[1])),
        row!("nll", Real, shapes!([4, 3]; [1, 3]; [3, 1]), |x| x[0].nll(&labels(x[0]))),
        row!("nll_each", Real, shapes!([4, 3]; [0, 3]; [3, 1]), |x| x[0].nll_each(&labels(x[0]))),
        row!("cross_entropy_ignoring", Real, shapes!([4, 3]; [1, 3]; [3, 1]),
            |x| x[0].cross_entropy_ignoring(&labels(x[0]), 99)),
        row!("cross_entropy_ignoring", Real, shapes!([4, 3]), |x| x[0].cross_entropy_ignoring(&[99, 1, 99, 2], 99)),
        row!("cross_entropy_weighted", Real, shapes!([4, 3]; [1, 3]),
            |x| x[0].cross_entropy_weighted(&labels(x[0]), &[0.5, 1.0, 2.0])),
        row!("cross_entropy_weighted", Real, shapes!([3, 1]), |x| x[0].cross_entropy_weighted(&labels(x[0]), &[2.0])),
        row!("weighted_mean", Real, shapes!([2, 3]; [1, 3]), |x| {
            x[0].weighted_mean(columns(x[0]))
        }),

        row!("mse", Real, PAIR, |x| x[0].mse(x[1])),
        row!("mse_each", Real, EMPTY_PAIR, |x| x[0].mse_each(x[1])),
        row!("mae", Distinct, PAIR, |x| x[0].mae(x[1])),
        row!("mae_each", Distinct, EMPTY_PAIR, |x| x[0].mae_each(x[1])),
        row!("huber", Distinct, PAIR, |x| x[0].huber(x[1], 0.25)),
        row!("huber_each", Distinct, EMPTY_PAIR, |x| x[0].huber_each(x[1], 0.25)),
        row!("bce_with_logits", Real, PAIR, |x| x[0].bce_with_logits(x[1])),
        row!("bce_with_logits_each", Real, EMPTY_PAIR, |x| x[0].bce_with_logits_each(x[1])),
        row!("kl_div", Positive, PAIR, |x| x[0].kl_div(x[1])),
        row!("kl_div_each", Positive, EMPTY_PAIR, |x| x[0].kl_div_each(x[1])),

        row!("batch_norm", Real, shapes!([5, 3] [3] [3]; [4, 1] [1] [1]; [3, 2, 4] [2] [2]),
            |x| x[0].batch_norm(Some(x[1]), Some(x[2]), 1e-2).0),
        row!("batch_norm", Real, shapes!([5, 3]), |x| x[0].batch_norm(None, None, 1e-2).0),
        row!("batch_norm_with", Real, shapes!([5, 3] [3] [3]; [0, 3] [3] [3]; [4, 1] [1] [1]; [3, 2, 4] [2] [2]),
            |x| with_given(x[0], Some(x[1]), Some(x[2]))),
        row!("batch_norm_with", Real, shapes!([5, 3]), |x| with_given(x[0], None, None)),
        row!("layer_norm", Real, shapes!([5, 3] [3] [3]; [0, 3] [3] [3]; [2, 1, 3] [3] [3]; [3] [3] [3]),
            |x| x[0].layer_norm(Some(x[1]), Some(x[2]), 1e-2)),
        row!("layer_norm", Real, shapes!([5, 3]), |x| x[0].layer_norm(None, None, 1e-2)),
        row!("rms_norm", Real, shapes!([5, 3] [3]; [0, 3] [3]; [2, 1, 3] [3]; [3] [3]),
            |x| x[0].rms_norm(Some(x[1]), 1e-2)),

        row!("attention_weights", Real, shapes!([2, 3, 4] [2, 2, 4]; [3, 4] [3, 4]; [1, 1] [2, 1]; [0, 3, 2] [0, 2, 2];
            [2, 2, 3, 1] [2, 2, 2, 1]),
            |x| x[0].attention_weights(x[1], None, None)),
        row!("scaled_dot_product_attention", Real,
            shapes!([2, 2, 4] [2, 3, 4] [2, 3, 5] [2, 3]; [0, 2, 1] [0, 3, 1] [0, 3, 2] [2, 3]),
            |x| x[0].scaled_dot_product_attention(x[1], x[2], None, Some(x[3]))),
        row!("scaled_dot_product_attention", Real, shapes!([2, 3, 3] [2, 3, 3] [2, 3, 3]; [3, 2] [3, 2] [3, 1]),
            |x| x[0].scaled_dot_product_attention(x[1], x[2], Some(first_row_shut().view().into_dyn()), None)),

        row!("rnn_tanh", Real, RNN,
            |x| x[0].rnn_tanh(Some(x[1]), x[2], Some(x[3]), false)),
        row!("rnn_tanh", Real, shapes!([3, 2, 2] [2, 2]), |x| x[0].rnn_tanh(None, x[1], None, true)),
        row!("rnn_relu", Distinct, RNN,
            |x| x[0].rnn_relu(Some(x[1]), x[2], Some(x[3]), true)),
        row!("gru", Real,
            shapes!([3, 2, 6] [2, 2] [6, 2] [6]; [1, 1, 3] [1, 1] [3, 1] [3]; [2, 0, 3] [0, 1] [3, 1] [3]),
            |x| x[0].gru(Some(x[1]), x[2], Some(x[3]), false)),
        row!("gru", Real, shapes!([3, 2, 9] [2, 3] [9, 3] [9]), |x| x[0].gru(Some(x[1]), x[2], Some(x[3]), true)),
        row!("gru", Real, shapes!([3, 2, 6] [6, 2]; [1, 2, 6] [6, 2]), |x| x[0].gru(None, x[1], None, false)),
        row!("lstm", Real, shapes!([3, 2, 8] [2, 2] [2, 2] [8, 2] [8]; [1, 1, 4] [1, 1] [1, 1] [4, 1] [4];
            [2, 0, 4] [0, 1] [0, 1] [4, 1] [4]),
            |x| with_memory(x[0].lstm(Some((x[1], x[2])), x[3], Some(x[4]), false))),
        row!("lstm", Real, shapes!([3, 2, 12] [2, 3] [2, 3] [12, 3] [12]),
            |x| with_memory(x[0].lstm(Some((x[1], x[2])), x[3], Some(x[4]), true))),
        row!("lstm", Real, shapes!([3, 2, 8] [8, 2]), |x| with_memory(x[0].lstm(None, x[1], None, false))),
    ]
}

fn first_row_shut() -> ndarray::Array2<bool> {
    ndarray::Array2::from_shape_fn((3, 3), |(i, j)| i > 0 && j <= i)
}

/// Both results count: `h` of every step, and the last `c`.
fn with_memory<'t, F: Number>((h, c): (Var<'t, F>, Var<'t, F>)) -> Var<'t, F> {
    h + c.square()
}

fn with_given<'t, F: Number>(
    x: Var<'t, F>,
    weight: Option<Var<'t, F>>,
    bias: Option<Var<'t, F>>,
) -> Var<'t, F> {
    let by_channel =
        |start: f64| Tensor::from_shape_fn(vec![x.shape()[1]], |i| F::from_f64(start + 0.3 * i[0] as f64));
    x.batch_norm_with(&by_channel(-0.2), &by_channel(0.5), weight, bias, 1e-2)
}

/// 0, 1, 2, … in each row.
fn columns<F: Number>(x: Var<'_, F>) -> Tensor<F> {
    Tensor::from_shape_fn(x.shape(), |i| F::from_f64(i[1] as f64))
}
