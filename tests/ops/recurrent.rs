//! The recurrences against the same out of elementary ops: values and gradients, each step and in both directions.

use ndarray::IxDyn;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert_autodiff::{Tape, Tensor, Var};

const STEPS: usize = 4;
const BATCH: usize = 3;
const UNITS: usize = 5;

type Inputs<'t> = [Var<'t, f64>; 5];
type Op = for<'t> fn(Inputs<'t>, bool) -> [Var<'t, f64>; 2];

fn random(shape: &[usize], seed: u64) -> Tensor<f64> {
    let rng = &mut StdRng::seed_from_u64(seed);
    Tensor::from_shape_simple_fn(IxDyn(shape), || rng.random_range(-1.5..1.5))
}

/// `step(x, W h + b, h, c)` from one end of the sequence to the other; `h` of every step, and the last `c`.
fn composite<'t>(
    [x, h0, c0, weight, bias]: Inputs<'t>,
    reverse: bool,
    step: impl Fn([Var<'t, f64>; 4]) -> [Var<'t, f64>; 2],
) -> [Var<'t, f64>; 2] {
    let (mut h, mut c) = (h0, c0);
    let mut all = vec![h; STEPS];
    for k in 0..STEPS {
        let t = if reverse { STEPS - 1 - k } else { k };
        let x = x.slice(0, t..t + 1).reshape(&[BATCH, x.shape()[2]]);
        [h, c] = step([x, h.linear(weight, Some(bias)), h, c]);
        all[t] = h;
    }
    [Var::stack(&all, 0), c]
}

fn gate<'t>(x: Var<'t, f64>, index: usize) -> Var<'t, f64> {
    x.slice(1, index * UNITS..(index + 1) * UNITS)
}

fn check(name: &str, gates: usize, fused: Op, out_of_elementary_ops: Op) {
    let rows = gates * UNITS;
    let shapes = [&[STEPS, BATCH, rows][..], &[BATCH, UNITS], &[BATCH, UNITS], &[rows, UNITS], &[rows]];
    let values: Vec<_> = shapes.iter().zip(0..).map(|(shape, seed)| random(shape, seed)).collect();
    for reverse in [false, true] {
        let [found, expected] = [fused, out_of_elementary_ops].map(|op| {
            let tape = Tape::new();
            let inputs: Inputs = std::array::from_fn(|i| tape.variable(values[i].clone()));
            let [h, c] = op(inputs, reverse);
            let loss = (h * tape.constant(random(&h.shape(), 7))).sum() + (c * 0.7).square().sum();
            let mut all = vec![h.value(), c.value()];
            let grads = loss.backward();
            all.extend(inputs.iter().map(|&x| grads.wrt(x).unwrap().clone()));
            all
        });
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_eq!(found.shape(), expected.shape(), "{name}, {i}");
            let error = (found - expected).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            assert!(error < 1e-13, "{name}, reverse {reverse}, result or gradient {i}: {error:e}");
        }
    }
}

#[test]
fn a_plain_recurrence_is_what_its_steps_are() {
    check(
        "tanh",
        1,
        |[x, h, c, w, b], reverse| [x.rnn_tanh(Some(h), w, Some(b), reverse), c],
        |all, reverse| composite(all, reverse, |[x, u, _, c]| [(x + u).tanh(), c]),
    );
    check(
        "relu",
        1,
        |[x, h, c, w, b], reverse| [x.rnn_relu(Some(h), w, Some(b), reverse), c],
        |all, reverse| composite(all, reverse, |[x, u, _, c]| [(x + u).relu(), c]),
    );
}

#[test]
fn a_gru_is_what_its_steps_are() {
    check(
        "gru",
        3,
        |[x, h, c, w, b], reverse| [x.gru(Some(h), w, Some(b), reverse), c],
        |all, reverse| {
            composite(all, reverse, |[x, u, h, c]| {
                let [r, z] = [0, 1].map(|i| (gate(x, i) + gate(u, i)).sigmoid());
                let n = (gate(x, 2) + r * gate(u, 2)).tanh();
                [(1.0 - z) * n + z * h, c]
            })
        },
    );
}

#[test]
fn an_lstm_is_what_its_steps_are() {
    let fused: Op = |[x, h, c, w, b], reverse| {
        let (h, c) = x.lstm(Some((h, c)), w, Some(b), reverse);
        [h, c]
    };
    check("lstm", 4, fused, |all, reverse| {
        composite(all, reverse, |[x, u, _, c]| {
            let [i, f, o] = [0, 1, 3].map(|i| (gate(x, i) + gate(u, i)).sigmoid());
            let c = f * c + i * (gate(x, 2) + gate(u, 2)).tanh();
            [o * c.tanh(), c]
        })
    });
}

/// A gate far out has a slope that is not 0, though `σ (1 - σ)` would be.
#[test]
fn the_slope_of_a_gate_does_not_cancel() {
    let tape = Tape::new();
    let x = tape.variable(Tensor::from_shape_vec(vec![1, 1, 3], vec![0.0, 40.0, 1.0]).unwrap());
    let w = tape.constant(Tensor::zeros(vec![3, 1]));
    let grads = x.gru(None, w, None, false).sum().backward();
    let dx = grads.wrt(x).unwrap();
    // h = (1 - z) n with n = tanh 1 and 1 - z = e⁻⁴⁰ to 17 digits.
    let (z, n) = ((-40.0_f64).exp(), 1.0_f64.tanh());
    assert!((dx[[0, 0, 1]] / (-n * z) - 1.0).abs() < 1e-14, "{dx}");
    assert!((dx[[0, 0, 2]] / (z * (1.0 - n * n)) - 1.0).abs() < 1e-14, "{dx}");
}
