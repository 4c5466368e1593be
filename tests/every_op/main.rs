//! One line per op in `table.rs`; each line is checked against numeric derivatives in every situation in which
//! gradients go wrong.

mod elements;
mod reductions;
mod second;
mod table;
mod windows;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use table::{Domain, Row};
use wengert_autodiff::{GradientReport, Tape, Tensor, check_gradients};

fn table() -> Vec<Row> {
    [table::table(), elements::table(), reductions::table(), windows::table()].concat()
}

/// The inputs for one run, the same ones every time.
fn draw(domain: Domain, shapes: &[&[usize]]) -> Vec<Tensor<f64>> {
    let mut rng = StdRng::seed_from_u64(1);
    let count: usize = shapes.iter().map(|shape| shape.iter().product::<usize>()).sum();
    let mut distinct: Vec<f64> =
        (0..count).map(|i| (i as f64 - (count / 2) as f64).mul_add(0.1, 0.05)).collect();
    distinct.shuffle(&mut rng);
    let mut draw = || match domain {
        Domain::Real => rng.random_range(-2.0..2.0),
        Domain::Positive => rng.random_range(0.3..2.3),
        Domain::Distinct => distinct.pop().expect("as many as elements"),
    };
    shapes.iter().map(|&shape| Tensor::from_shape_simple_fn(shape, &mut draw)).collect()
}

fn expect_small(situation: &str, row: &Row, shapes: &[&[usize]], report: &GradientReport) {
    let error = report.relative_error;
    assert!(error <= 1e-7, "{situation} of `{}` with inputs of shapes {shapes:?}: {report}", row.op);
}

fn each_run(mut test: impl FnMut(&Row, &[&[usize]], Vec<Tensor<f64>>)) {
    for row in table() {
        for shapes in row.shapes {
            test(&row, shapes, draw(row.domain, shapes));
        }
    }
}

#[test]
fn every_gradient_is_the_derivative() {
    each_run(|row, shapes, x| {
        expect_small("the gradient", row, shapes, &check_gradients(|_, x| (row.f)(x), &x));
    });
}

/// Twice on one tape: the gradients of both uses must add up in the input.
#[test]
fn an_input_used_by_two_ops_gets_the_sum() {
    each_run(|row, shapes, x| {
        let twice = check_gradients(|_, x| (row.f)(x) + (row.f)(x) * 2.0, &x);
        expect_small("two uses", row, shapes, &twice);
    });
}

/// `x * x`, `x / x`, …: one operand at all places of an op.
#[test]
fn an_op_given_one_operand_at_every_place() {
    let mut tested = BTreeSet::new();
    each_run(|row, shapes, x| {
        if shapes.len() > 1 && shapes.iter().all(|shape| shape == &shapes[0]) {
            let report = check_gradients(|_, x| (row.f)(&vec![x[0]; shapes.len()]), &x[..1]);
            expect_small("a repeated operand", row, shapes, &report);
            tested.insert(row.op);
        }
    });
    // An image batch and a row of channels never have one shape, nor have a sequence and a weight.
    let never = ["batch_norm", "batch_norm_with", "rnn_tanh", "rnn_relu", "gru", "lstm"];
    let several = table()
        .into_iter()
        .filter(|row| !never.contains(&row.op) && row.shapes.iter().any(|shapes| shapes.len() > 1));
    let missing: Vec<_> = several.map(|row| row.op).filter(|op| !tested.contains(op)).collect();
    assert!(missing.is_empty(), "add a run whose inputs all have one shape to a row of each of {missing:?}");
}

/// The result of one op is often a view with other strides; the next op must read it right.
#[test]
fn inputs_that_are_not_in_row_major_order() {
    each_run(|row, shapes, x| {
        let reversed = |x: &Tensor<f64>| x.t().to_owned().into_shared();
        let through = check_gradients(
            |_, x| {
                let back: Vec<isize> = (0..x[0].shape().len() as isize).rev().collect();
                let mut x = x.to_vec();
                x[0] = x[0].permute(&back);
                (row.f)(&x)
            },
            &std::iter::once(reversed(&x[0])).chain(x[1..].iter().cloned()).collect::<Vec<_>>(),
        );
        expect_small("a transposed first input", row, shapes, &through);
    });
}

/// Inputs without a gradient have no edge, and the others keep theirs.
#[test]
fn any_input_may_be_a_constant() {
    each_run(|row, shapes, x| {
        for constant in 0..x.len() {
            let mut free = x.clone();
            let held = free.remove(constant);
            let report = |free: &[Tensor<f64>]| {
                check_gradients(
                    |tape, free| {
                        let mut x = free.to_vec();
                        x.insert(constant, tape.constant(held.clone()));
                        (row.f)(&x)
                    },
                    free,
                )
            };
            if !free.is_empty() {
                expect_small("a constant input", row, shapes, &report(&free));
            }
        }
    });
}

/// The files below a folder, as text.
fn sources(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        if path.is_dir() { sources(&path) } else { vec![std::fs::read_to_string(path).unwrap()] }
    };
    entries.flat_map(read).collect()
}

/// Reads the sources, so that an op without a row in the table is found whoever forgot it.
#[test]
fn the_table_knows_every_op() {
    let mut ops = BTreeSet::new();
    for source in sources(concat!(env!("CARGO_MANIFEST_DIR"), "/crates/autodiff/src/ops").as_ref()) {
        let mut of_var = false;
        let mut operator = false;
        for line in source.lines() {
            if line.starts_with("impl") {
                of_var = line.contains("Var<");
            }
            let code = line.trim_start();
            // The operators' traits are the only ones in these files with an associated type.
            operator |= code.starts_with("type Output");
            let function = code
                .strip_prefix("pub fn ")
                .filter(|_| of_var)
                .or(code.strip_prefix("fn ").filter(|_| operator))
                // A macro's operators for more kinds of numbers.
                .filter(|function| !function.starts_with('$'));
            if let Some(function) = function {
                let end = function.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap();
                ops.insert(function[..end].to_owned());
                operator = false;
            }
        }
    }
    assert!(ops.contains("tanh") && ops.contains("add"), "the search itself: {ops:?}");
    let rows: BTreeSet<_> = table().into_iter().map(|row| row.op.to_owned()).collect();
    let (missing, unknown): (Vec<_>, Vec<_>) =
        (ops.difference(&rows).collect(), rows.difference(&ops).collect());
    assert!(missing.is_empty(), "add `row(…)` to a table in tests/every_op for {missing:?}");
    assert!(unknown.is_empty(), "tests/every_op/table.rs has rows of what is not an op: {unknown:?}");
}

/// A row proves little if its runs all have the same kind of shape.
#[test]
fn every_op_meets_an_empty_and_a_size_1_axis() {
    let meets = |op: &str, size: usize| {
        let mut runs = table().into_iter().filter(|row| row.op == op).flat_map(|row| row.shapes);
        runs.any(|shapes| shapes.iter().any(|shape| shape.contains(&size)))
    };
    // Nothing has no mean, no variance and no largest element; the logarithm of its sum is infinite.
    #[rustfmt::skip]
    let undefined = [
        "batch_norm", "mean", "var", "std", "max", "min", "logsumexp",
        "cross_entropy", "cross_entropy_smooth", "cross_entropy_soft", "nll",
        "cross_entropy_ignoring", "cross_entropy_weighted", "weighted_mean",
        "mse", "mae", "huber", "bce_with_logits", "kl_div",
    ];
    for Row { op, .. } in table() {
        assert!(meets(op, 1), "`{op}`: add shapes with an axis of size 1 to its row");
        if undefined.contains(&op) {
            assert!(!meets(op, 0), "`{op}` has shapes with an empty axis: take it from `undefined`");
        } else {
            assert!(
                meets(op, 0),
                "`{op}`: add shapes with an empty axis to its row, or its name to `undefined`"
            );
        }
    }
}

/// One after the other, a million tenths in single precision make 100,958; with several partial sums the error is a
/// tenth.
#[test]
fn a_long_column_has_several_partial_sums() {
    let tape = Tape::new();
    let column = tape.variable(Tensor::<f32>::from_elem(vec![1_000_000, 1], 0.1));
    let bias = tape.variable(Tensor::<f32>::zeros(vec![1]));
    for sum in [column.sum(), column.sum_axes(&[0], false)] {
        assert!((sum.item() - 1e5).abs() < 200.0, "{sum:?}");
    }
    let grads = ((column + bias) * 0.1).sum().backward();
    assert!((grads.wrt(bias).unwrap()[0] - 1e5).abs() < 200.0, "{grads:?}");
}
