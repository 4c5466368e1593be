//! Softmax and the losses: gradients against central differences, agreement with their definitions, and misuse.

use crate::panics::assert_panics;
use ndarray::{IxDyn, arr2};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use wengert_autodiff::{Tape, Tensor, Var};

/// Numbers within `low` and `high`.
fn numbers(shape: &[usize], low: f64, high: f64, seed: u64) -> Tensor<f64> {
    let rng = &mut StdRng::seed_from_u64(seed);
    Tensor::from_shape_simple_fn(IxDyn(shape), || rng.random_range(low..high))
}

type Function = for<'t> fn(Var<'t, f64>, Var<'t, f64>) -> Var<'t, f64>;

const LABELS: [usize; 4] = [2, 0, 1, 2];

/// Functions of a prediction (or logits) `[4, 3]` and of a target of the same shape.
const FUNCTIONS: [(&str, Function); 22] = [
    ("softmax 0", |x, t| x.softmax(-2) * t),
    ("softmax 1", |x, t| x.softmax(1) * t),
    ("log_softmax 0", |x, t| x.log_softmax(0) * t),
    ("log_softmax 1", |x, t| x.log_softmax(1) * t),
    ("logsumexp", |x, t| (x * t).logsumexp()),
    ("logsumexp 0", |x, t| (x * t).logsumexp_axes(&[0], false)),
    ("logsumexp 1", |x, t| (x * t).logsumexp_axes(&[1], true)),
    ("logsumexp 1 0", |x, t| (x * t).logsumexp_axes(&[1, 0], true)),
    ("logsumexp none", |x, t| (x * t).logsumexp_axes(&[], false)),
    ("cross_entropy", |x, t| (x * t).cross_entropy(&LABELS)),
    ("cross_entropy_each", |x, _| x.cross_entropy_each(&LABELS)),
    ("cross_entropy_smooth", |x, _| x.cross_entropy_smooth_each(&LABELS, 0.3)),
    ("cross_entropy_soft", |x, t| x.cross_entropy_soft_each(t)),
    ("cross_entropy_soft of itself", |x, _| x.cross_entropy_soft_each(x)),
    ("nll", |x, _| x.nll_each(&LABELS)),
    ("mse", |x, t| x.mse_each(t)),
    ("mae", |x, t| x.mae_each(t)),
    ("huber 0.5", |x, t| x.huber_each(t, 0.5)),
    ("huber 3", |x, t| x.huber_each(t, 3.0)),
    ("bce_with_logits", |x, t| x.bce_with_logits_each(t)),
    ("kl_div", |x, t| x.kl_div_each(t)),
    ("kl_div of itself", |_, t| t.kl_div_each(t)),
];

#[test]
fn gradients_are_the_slopes() {
    for (seed, (name, function)) in (0..).zip(FUNCTIONS) {
        check_slopes(name, function, [4, 3], seed);
    }
}

#[test]
fn one_class_and_one_row() {
    for axis in [0, 1] {
        let shape = if axis == 0 { [1, 3] } else { [3, 1] };
        for (name, function) in FUNCTIONS.into_iter().filter(|(name, _)| !is_labelled(name)) {
            check_slopes(name, function, shape, 7);
        }
    }
    check_slopes("one row", |x, _| x.cross_entropy_each(&[1]), [1, 3], 8);
    check_slopes("one class", |x, _| x.cross_entropy_smooth_each(&[0, 0], 0.2), [2, 1], 9);
}

fn is_labelled(name: &str) -> bool {
    name == "nll" || (name.starts_with("cross_entropy") && !name.starts_with("cross_entropy_soft"))
}

/// The gradient of a randomly weighted sum, against central differences in every element of both inputs.
fn check_slopes(name: &str, function: Function, shape: [usize; 2], seed: u64) {
    let inputs = [numbers(&shape, -2.0, 2.0, seed), numbers(&shape, 0.1, 0.9, seed + 100)];
    let loss = |inputs: &[Tensor<f64>; 2], grads: bool| {
        let tape = Tape::new();
        let [x, t] = inputs.clone().map(|input| tape.variable(input));
        let y = function(x, t);
        let loss = (y * tape.constant(numbers(&y.shape(), -1.0, 1.0, seed + 200))).sum();
        let value = loss.item();
        let grads = grads.then(|| loss.backward());
        (value, grads.map(|grads| [x, t].map(|x| grads.wrt(x).cloned())))
    };
    let grads = loss(&inputs, true).1.expect("asked for");
    for (i, grad) in grads.into_iter().enumerate() {
        let grad = grad.unwrap_or_else(|| Tensor::zeros(inputs[i].raw_dim()));
        for (at, &slope) in grad.indexed_iter() {
            let moved = |by: f64| {
                let mut inputs = inputs.clone();
                inputs[i][&at] += by;
                loss(&inputs, false).0
            };
            let h = 1e-5;
            let difference = (moved(h) - moved(-h)) / (2.0 * h);
            let error = (slope - difference).abs() / (1.0 + difference.abs());
            assert!(error < 1e-8, "{name}: input {i} at {at:?}: {slope}, by differences {difference}");
        }
    }
}

fn assert_near(found: &Tensor<f64>, expected: &Tensor<f64>) {
    assert_eq!(found.shape(), expected.shape());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-14 * (1.0 + expected.abs()), "{found}, not {expected}");
    }
}

#[test]
fn fused_ops_agree_with_their_definitions() {
    let tape = Tape::new();
    let x = tape.variable(numbers(&[4, 3], -3.0, 3.0, 1));
    let t = tape.variable(x.softmax(1).value());
    assert_near(&x.log_softmax(1).value(), &x.softmax(1).ln().value());
    assert_near(&x.logsumexp().value(), &x.exp().sum().ln().value());
    assert_near(&x.softmax(0).value(), &(x - x.logsumexp_axes(&[0], true)).exp().value());
    assert_near(
        &x.logsumexp_axes(&[1], false).logsumexp().value(),
        &x.logsumexp_axes(&[1, 0], false).value(),
    );
    assert_near(&x.cross_entropy_each(&LABELS).value(), &x.log_softmax(1).nll_each(&LABELS).value());
    assert_near(&x.cross_entropy_smooth(&LABELS, 0.0).value(), &x.cross_entropy(&LABELS).value());
    assert_near(&x.log_softmax(1).kl_div_each(t).value(), &Tensor::zeros(vec![4, 3]));
    let hard = Tensor::from_shape_fn(IxDyn(&[4, 3]), |at| f64::from(u8::from(LABELS[at[0]] == at[1])));
    let smooth = tape.constant(hard.clone()) * 0.7 + 0.1;
    assert_near(
        &x.cross_entropy_soft_each(smooth).value(),
        &x.cross_entropy_smooth_each(&LABELS, 0.3).value(),
    );
    assert_near(&x.cross_entropy_soft(tape.constant(hard)).value(), &x.cross_entropy(&LABELS).value());
    let p = x.sigmoid();
    let bce = -(t * p.ln()) - (1.0 - t) * (1.0 - p).ln();
    assert_near(&x.bce_with_logits_each(t).value(), &bce.value());
}

#[test]
fn an_infinite_logit_is_a_class_ruled_out() {
    let tape = Tape::new();
    let masked = arr2(&[[f64::NEG_INFINITY, 0.0, 0.0]]).into_dyn();
    let x = tape.variable(masked.clone());
    assert_near(&x.softmax(1).value(), &arr2(&[[0.0, 0.5, 0.5]]).into_dyn().into_shared());
    assert_near(&x.logsumexp().value(), &Tensor::from_elem(vec![], 2.0_f64.ln()));
    let loss = x.cross_entropy(&[1]);
    assert!((loss.item() - 2.0_f64.ln()).abs() < 1e-15);
    let expected = arr2(&[[0.0, -0.5, 0.5]]).into_dyn().into_shared();
    assert_near(loss.backward().wrt(x).expect("a gradient"), &expected);
    let tape = Tape::new();
    let (x, t) = (tape.constant(masked), tape.constant(arr2(&[[0.0, 1.0, 0.0]])));
    assert_near(&x.cross_entropy_soft(t).value(), &Tensor::from_elem(vec![], 2.0_f64.ln()));
    let x = tape.constant(Tensor::from_elem(vec![2], f64::NEG_INFINITY));
    assert_eq!(x.logsumexp().item(), f64::NEG_INFINITY);
}

#[test]
fn a_nan_is_not_hidden() {
    let tape = Tape::new();
    let x = tape.constant(arr2(&[[0.0, f64::NAN], [f64::NAN, 0.0]]));
    for y in [x.softmax(1), x.log_softmax(1), x.logsumexp_axes(&[1], false), x.cross_entropy_each(&[0, 1])] {
        assert!(y.value().iter().all(|y| y.is_nan()), "{y:?}");
    }
    assert!(x.bce_with_logits_each(x).value()[[0, 1]].is_nan());
}

#[test]
fn no_row_has_no_loss_and_no_mean() {
    let tape = Tape::new();
    let x = tape.variable(Tensor::<f64>::zeros(vec![0, 3]));
    assert_eq!(x.cross_entropy_each(&[]).shape(), [0]);
    assert_eq!(x.softmax(0).shape(), [0, 3]);
    assert_eq!(x.logsumexp_axes(&[0], false).value().as_slice(), Some(&[f64::NEG_INFINITY; 3][..]));
    assert_panics(&["`mean`", "no elements"], || _ = x.cross_entropy(&[]));
    assert_panics(&["`mean`", "no elements"], || _ = x.mse(x));
    let grads = x.cross_entropy_each(&[]).sum().backward();
    assert_eq!(grads.wrt(x).map(Tensor::shape), Some(&[0, 3][..]));
}

#[test]
fn labels_that_do_not_fit_are_named() {
    let tape = Tape::new();
    let x = tape.variable(Tensor::<f32>::zeros(vec![3, 10]));
    let parts = ["`cross_entropy`", "label 10 at position 2", "10 classes"];
    assert_panics(&parts, || _ = x.cross_entropy(&[0, 9, 10]));
    assert_panics(&["`nll`", "label 11 at position 0", "10 classes"], || _ = x.nll(&[11, 0, 0]));
    assert_panics(&["`cross_entropy`", "2 labels for 3 rows"], || _ = x.cross_entropy_each(&[0, 1]));
    assert_panics(&["`nll`", "4 labels for 3 rows"], || _ = x.nll_each(&[0, 1, 2, 3]));
    assert_panics(&["`cross_entropy`", "[n, classes]", "[30]"], || _ = x.reshape(&[30]).cross_entropy(&[0]));
    assert_panics(&["smoothing", "1.5"], || _ = x.cross_entropy_smooth(&[0, 1, 2], 1.5));
    assert_panics(&["smoothing", "NaN"], || _ = x.cross_entropy_smooth(&[0, 1, 2], f64::NAN));
}

#[test]
fn shapes_and_options_that_do_not_fit_are_named() {
    let tape = Tape::new();
    let (column, flat) =
        (tape.variable(Tensor::<f32>::zeros(vec![3, 1])), tape.variable(Tensor::<f32>::zeros(vec![3])));
    assert_panics(&["`mse`", "[3, 1]", "[3]"], || _ = column.mse(flat));
    assert_panics(&["`mae`", "[3, 1]", "[3]"], || _ = column.mae(flat));
    assert_panics(&["`huber`", "[3, 1]", "[3]"], || _ = column.huber(flat, 1.0));
    assert_panics(&["`bce_with_logits`", "[3, 1]", "[3]"], || _ = column.bce_with_logits(flat));
    assert_panics(&["`kl_div`", "[3, 1]", "[3]"], || _ = column.kl_div(flat));
    assert_panics(&["`cross_entropy_soft`", "[3, 1]", "[3]"], || _ = column.cross_entropy_soft(flat));
    assert_panics(&["`huber`", "delta", "0"], || _ = flat.huber(flat, 0.0));
    assert_panics(&["`softmax`", "axis 1", "[3]"], || _ = flat.softmax(1));
    assert_panics(&["`log_softmax`", "axis -3", "[3, 1]"], || _ = column.log_softmax(-3));
    assert_panics(&["`logsumexp`", "axis 1", "twice", "[3, 1]"], || {
        _ = column.logsumexp_axes(&[1, 1], false)
    });
}
