//! Every op of the tape on inputs of 128 rows and 512 columns: recording it, and that with the way back. An element is
//! one element of the first input.
//!
//! What is not a scalar is summed for the way back; the row `sum` says what that costs. Both include `reset`, which
//! frees what the step before has left.

mod settings;

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert::ndarray::{Array1, arr2};
use wengert::prelude::*;

const ROWS: usize = 128;
const COLUMNS: usize = 512;
type Op = for<'t> fn(&[Var<'t>]) -> Var<'t>;

struct Row {
    name: &'static str,
    from: f32,
    shapes: &'static [&'static [usize]],
    op: Op,
}

fn row(name: &'static str, from: f32, shapes: &'static [&'static [usize]], op: Op) -> Row {
    Row { name, from, shapes, op }
}

/// Where the inputs begin; they are uniform on an interval of length 4.
const REAL: f32 = -2.0;
const POSITIVE: f32 = 0.3;

const ONE: &[&[usize]] = &[&[ROWS, COLUMNS]];
const TWO: &[&[usize]] = &[&[ROWS, COLUMNS], &[ROWS, COLUMNS]];
const BIAS: &[&[usize]] = &[&[ROWS, COLUMNS], &[COLUMNS]];
const COLUMN: &[&[usize]] = &[&[ROWS, COLUMNS], &[ROWS, 1]];
const NORM: &[&[usize]] = &[&[ROWS, COLUMNS], &[COLUMNS], &[COLUMNS]];
const CUBE: &[&[usize]] = &[&[8, 16, 512]];

#[rustfmt::skip]
fn table() -> Vec<Row> {
    vec![
        row("neg", REAL, ONE, |x| -x[0]),
        row("powi", REAL, ONE, |x| x[0].powi(3)),
        row("powf", POSITIVE, ONE, |x| x[0].powf(2.5)),
        row("sqrt", POSITIVE, ONE, |x| x[0].sqrt()),
        row("square", REAL, ONE, |x| x[0].square()),
        row("recip", POSITIVE, ONE, |x| x[0].recip()),
        row("exp", REAL, ONE, |x| x[0].exp()),
        row("ln", POSITIVE, ONE, |x| x[0].ln()),
        row("ln_1p", POSITIVE, ONE, |x| x[0].ln_1p()),
        row("exp_m1", REAL, ONE, |x| x[0].exp_m1()),
        row("sin", REAL, ONE, |x| x[0].sin()),
        row("cos", REAL, ONE, |x| x[0].cos()),
        row("tanh", REAL, ONE, |x| x[0].tanh()),
        row("sigmoid", REAL, ONE, |x| x[0].sigmoid()),
        row("relu", REAL, ONE, |x| x[0].relu()),
        row("leaky_relu", REAL, ONE, |x| x[0].leaky_relu(0.1)),
        row("elu", REAL, ONE, |x| x[0].elu(0.7)),
        row("gelu", REAL, ONE, |x| x[0].gelu()),
        row("gelu_tanh", REAL, ONE, |x| x[0].gelu_tanh()),
        row("silu", REAL, ONE, |x| x[0].silu()),
        row("softplus", REAL, ONE, |x| x[0].softplus()),
        row("abs", REAL, ONE, |x| x[0].abs()),
        row("sign", REAL, ONE, |x| x[0].sign()),
        row("clamp", REAL, ONE, |x| x[0].clamp(-0.3, 0.4)),

        row("add", REAL, TWO, |x| x[0] + x[1]),
        row("add a row", REAL, BIAS, |x| x[0] + x[1]),
        row("add a number", REAL, ONE, |x| x[0] + 1.5),
        row("sub", REAL, TWO, |x| x[0] - x[1]),
        row("mul", REAL, TWO, |x| x[0] * x[1]),
        row("mul by a column", REAL, COLUMN, |x| x[0] * x[1]),
        row("mul by a number", REAL, ONE, |x| x[0] * 1.5),
        row("div", POSITIVE, TWO, |x| x[0] / x[1]),
        row("maximum", REAL, TWO, |x| x[0].maximum(x[1])),
        row("minimum", REAL, TWO, |x| x[0].minimum(x[1])),
        row("where_cond", REAL, TWO, |x| Var::where_cond(mask().view(), x[0], x[1])),

        row("matmul", REAL, &[&[ROWS, COLUMNS], &[COLUMNS, 256]], |x| x[0].matmul(x[1])),
        row("matmul of a batch", REAL, &[&[8, 16, 512], &[8, 512, 16]], |x| x[0].matmul(x[1])),
        row("linear", REAL, &[&[ROWS, COLUMNS], &[256, COLUMNS], &[256]], |x| x[0].linear(x[1], Some(x[2]))),

        row("sum", REAL, ONE, |x| x[0].sum()),
        row("sum_axis 0", REAL, ONE, |x| x[0].sum_axes(&[0], false)),
        row("sum_axis 1", REAL, ONE, |x| x[0].sum_axes(&[1], false)),
        row("mean", REAL, ONE, |x| x[0].mean()),
        row("mean_axis 0", REAL, ONE, |x| x[0].mean_axes(&[0], false)),
        row("mean_axis 1", REAL, ONE, |x| x[0].mean_axes(&[1], false)),
        row("var", REAL, ONE, |x| x[0].var(1)),
        row("var_axis 0", REAL, ONE, |x| x[0].var_axes(&[0], 1, false)),
        row("max", REAL, ONE, |x| x[0].max()),
        row("max_axis 1", REAL, ONE, |x| x[0].max_axes(&[1], false)),
        row("min", REAL, ONE, |x| x[0].min()),
        row("min_axis 1", REAL, ONE, |x| x[0].min_axes(&[1], false)),

        row("reshape", REAL, ONE, |x| x[0].reshape(&[8, 16, 512])),
        row("t", REAL, ONE, |x| x[0].t()),
        row("t, reshape", REAL, ONE, |x| x[0].t().reshape(&[ROWS, COLUMNS])),
        row("transpose", REAL, CUBE, |x| x[0].transpose(0, 1)),
        row("permute", REAL, CUBE, |x| x[0].permute(&[2, 0, 1])),
        row("broadcast_to", REAL, &[&[COLUMNS]], |x| x[0].broadcast_to(&[ROWS, COLUMNS])),
        row("slice", REAL, ONE, |x| x[0].slice(1, 0..256)),
        row("concat", REAL, TWO, |x| Var::concat(x, 1)),
        row("stack", REAL, TWO, |x| Var::stack(x, 0)),
        row("index_select", REAL, ONE, |x| x[0].index_select(0, &labels().map(|i| i % ROWS))),
        row("gather", REAL, ONE, |x| x[0].gather(1, arr2(&labels().map(|i| [i])).view())),

        row("softmax", REAL, ONE, |x| x[0].softmax(1)),
        row("log_softmax", REAL, ONE, |x| x[0].log_softmax(1)),
        row("logsumexp", REAL, ONE, |x| x[0].logsumexp()),
        row("logsumexp_axis 1", REAL, ONE, |x| x[0].logsumexp_axes(&[1], false)),

        row("cross_entropy", REAL, ONE, |x| x[0].cross_entropy(&labels())),
        row("cross_entropy_each", REAL, ONE, |x| x[0].cross_entropy_each(&labels())),
        row("cross_entropy_smooth", REAL, ONE, |x| x[0].cross_entropy_smooth(&labels(), 0.2)),
        row("cross_entropy_smooth_each", REAL, ONE, |x| x[0].cross_entropy_smooth_each(&labels(), 0.2)),
        row("cross_entropy_soft", POSITIVE, TWO, |x| x[0].cross_entropy_soft(x[1].detach())),
        row("cross_entropy_soft_each", POSITIVE, TWO, |x| x[0].cross_entropy_soft_each(x[1].detach())),
        row("nll", REAL, ONE, |x| x[0].nll(&labels())),
        row("nll_each", REAL, ONE, |x| x[0].nll_each(&labels())),

        row("mse", REAL, TWO, |x| x[0].mse(x[1].detach())),
        row("mse_each", REAL, TWO, |x| x[0].mse_each(x[1].detach())),
        row("mae", REAL, TWO, |x| x[0].mae(x[1].detach())),
        row("mae_each", REAL, TWO, |x| x[0].mae_each(x[1].detach())),
        row("huber", REAL, TWO, |x| x[0].huber(x[1].detach(), 1.0)),
        row("huber_each", REAL, TWO, |x| x[0].huber_each(x[1].detach(), 1.0)),
        row("bce_with_logits", REAL, TWO, |x| x[0].bce_with_logits(x[1].detach())),
        row("bce_with_logits_each", REAL, TWO, |x| x[0].bce_with_logits_each(x[1].detach())),
        row("kl_div", POSITIVE, TWO, |x| x[0].kl_div(x[1].detach())),
        row("kl_div_each", POSITIVE, TWO, |x| x[0].kl_div_each(x[1].detach())),

        row("batch_norm", REAL, NORM, |x| x[0].batch_norm(Some(x[1]), Some(x[2]), 1e-5).0),
        row("layer_norm", REAL, NORM, |x| x[0].layer_norm(Some(x[1]), Some(x[2]), 1e-5)),
        row("rms_norm", REAL, BIAS, |x| x[0].rms_norm(Some(x[1]), 1e-5)),
    ]
}

fn mask() -> Array1<bool> {
    Array1::from_shape_fn(COLUMNS, |i| i % 3 == 0)
}

/// Some class for each row.
fn labels() -> [usize; ROWS] {
    std::array::from_fn(|row| 37 * row % COLUMNS)
}

fn main() {
    let mut criterion = settings::criterion();
    for row in table() {
        measure(&mut criterion, &row);
    }
    criterion.final_summary();
}

fn measure(criterion: &mut Criterion, row: &Row) {
    let rng = &mut StdRng::seed_from_u64(0);
    let mut draw = |&shape: &&[usize]| {
        Tensor::from_shape_simple_fn(shape, || rng.random_range(row.from..row.from + 4.0))
    };
    let inputs: Vec<Tensor> = row.shapes.iter().map(&mut draw).collect();
    let record = |tape: &Tape, and_back: bool| {
        let x: Vec<Var<'_>> = inputs.iter().map(|x| tape.variable(x.clone())).collect();
        let y = (row.op)(&x);
        if and_back {
            let loss = if y.value().ndim() == 0 { y } else { y.sum() };
            _ = black_box(loss.backward());
        }
    };
    let mut group = criterion.benchmark_group(format!("ops/{}", row.name));
    group.throughput(Throughput::Elements(inputs[0].len() as u64));
    for (name, and_back) in [("forward", false), ("and back", true)] {
        let mut tape = Tape::new();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                tape.reset();
                record(&tape, and_back);
            });
        });
    }
}
