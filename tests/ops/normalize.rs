//! The fused normalizations against the same formulas written with elementary ops.

use ndarray::{Array2, IxDyn};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use wengert_autodiff::{Tape, Tensor, Var};

const EPS: f64 = 1e-5;

fn random(shape: &[usize], seed: u64) -> Tensor<f64> {
    let rng = &mut StdRng::seed_from_u64(seed);
    Tensor::from_shape_simple_fn(IxDyn(shape), || rng.random::<f64>() * 4.0 - 1.0)
}

fn filled<'t>(tape: &'t Tape<f64>, rows: usize, columns: usize, value: f64) -> Var<'t, f64> {
    tape.constant(Array2::from_elem((rows, columns), value))
}

/// Columns of `x: [n, c]`; a product with a row of ones is the sum over the batch.
fn batch_norm<'t>(x: Var<'t, f64>, weight: Var<'t, f64>, bias: Var<'t, f64>) -> Var<'t, f64> {
    let n = x.shape()[0];
    let average = filled(x.tape(), 1, n, 1.0 / n as f64);
    let centered = x - average.matmul(x);
    let var = average.matmul(centered.square());
    centered / (var + EPS).sqrt() * weight + bias
}

fn layer_norm<'t>(x: Var<'t, f64>, weight: Var<'t, f64>, bias: Var<'t, f64>) -> Var<'t, f64> {
    let c = x.shape()[1];
    let average = filled(x.tape(), c, 1, 1.0 / c as f64);
    let centered = x - x.matmul(average);
    let var = centered.square().matmul(average);
    centered / (var + EPS).sqrt() * weight + bias
}

fn rms_norm<'t>(x: Var<'t, f64>, weight: Var<'t, f64>) -> Var<'t, f64> {
    let c = x.shape()[1];
    let square = x.square().matmul(filled(x.tape(), c, 1, 1.0 / c as f64));
    x / (square + EPS).sqrt() * weight
}

/// The value of `op` and its gradients with respect to `x`, the weight and the bias, for a random upstream gradient.
fn run(
    shape: &[usize],
    channels: usize,
    op: impl for<'t> Fn(Var<'t, f64>, Var<'t, f64>, Var<'t, f64>) -> Var<'t, f64>,
) -> Vec<Tensor<f64>> {
    let tape = Tape::new();
    let x = tape.variable(random(shape, 1));
    let (weight, bias) = (tape.variable(random(&[channels], 2)), tape.variable(random(&[channels], 3)));
    let y = op(x, weight, bias);
    let grads = (y * tape.constant(random(&y.shape(), 4))).sum().backward();
    let grads = [x, weight, bias].into_iter().filter_map(|var| grads.wrt(var).cloned());
    [y.value()].into_iter().chain(grads).collect()
}

fn assert_equal(fused: &[Tensor<f64>], reference: &[Tensor<f64>]) {
    assert_eq!(fused.len(), reference.len());
    for (fused, reference) in fused.iter().zip(reference) {
        assert_eq!(fused.shape(), reference.shape());
        let apart = (fused - reference).iter().fold(0.0_f64, |most, x| most.max(x.abs()));
        assert!(apart < 1e-13, "{fused}\nis {apart:e} from\n{reference}");
    }
}

#[test]
fn batch_norm_is_its_composite() {
    for [n, c] in [[5, 3], [64, 17], [2, 1]] {
        let fused = run(&[n, c], c, |x, w, b| x.batch_norm(Some(w), Some(b), EPS).0);
        assert_equal(&fused, &run(&[n, c], c, batch_norm));
    }
}

#[test]
fn layer_norm_is_its_composite() {
    for [n, c] in [[5, 3], [17, 64], [1, 2]] {
        let fused = run(&[n, c], c, |x, w, b| x.layer_norm(Some(w), Some(b), EPS));
        assert_equal(&fused, &run(&[n, c], c, layer_norm));
    }
}

#[test]
fn rms_norm_is_its_composite() {
    for [n, c] in [[5, 3], [17, 64], [1, 1]] {
        let fused = run(&[n, c], c, |x, w, _| x.rms_norm(Some(w), EPS));
        assert_equal(&fused, &run(&[n, c], c, |x, w, _| rms_norm(x, w)));
    }
}

/// A squared mean 10⁸ times the variance leaves `E[x²] - E[x]²` no correct digit in `f32`.
#[test]
fn a_large_mean_does_not_drown_the_variance() {
    let x = Tensor::from_shape_fn(IxDyn(&[1000, 1]), |at| 1e4 + if at[0] % 2 == 0 { 1.0 } else { -1.0_f32 });
    let tape = Tape::new();
    let (y, mean, var) = tape.constant(x).batch_norm(None, None, EPS);
    assert!((mean[[0]] - 1e4).abs() < 1e-2 && (var[[0]] - 1.0).abs() < 1e-3, "mean {mean}, variance {var}");
    assert!(y.value().iter().all(|y| (y.abs() - 1.0).abs() < 1e-2));
}

#[test]
fn the_statistics_are_returned() {
    let tape = Tape::new();
    let x = tape.constant(ndarray::arr2(&[[1.0_f64, 0.0], [2.0, 0.0], [6.0, 0.0]]));
    let (_, mean, var) = x.batch_norm(None, None, EPS);
    assert_eq!(mean.as_slice().unwrap(), [3.0, 0.0]);
    assert!((var[[0]] - 14.0 / 3.0).abs() < 1e-15 && var[[1]] == 0.0, "{var}");
}
