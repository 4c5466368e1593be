//! Sums in `f32` stay exact to a few units in the last place at any size: their error grows with the logarithm of the
//! number of terms, not with the number. What is right comes from a formula or from `f64`.

use std::f64::consts::LN_2;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wengert_autodiff::ndarray::{Array1, ArrayD, Axis, IxDyn};
use wengert_autodiff::{Dual, Param, PoolOptions, Tape, Tensor, Var};

/// The terms of the long sums.
const X: f32 = 0.1;
/// 2⁻²⁴ is half a unit in the last place; a sum of 10⁷ terms is promised to be within 56 of them.
const SUM: f64 = 56.0 / (1 << 24) as f64;

#[track_caller]
fn assert_close(what: &str, found: f32, right: f64, relative: f64) {
    let error = (f64::from(found) - right).abs() / right.abs();
    assert!(error <= relative, "{what}: {found}, right is {right}: relative error {error:e}");
}

fn filled<'t>(tape: &'t Tape, shape: &[usize], x: f32) -> Var<'t> {
    tape.constant(Tensor::from_elem(shape, x))
}

fn first(x: &Tensor<f32>) -> f32 {
    *x.first().expect("an element")
}

/// An op, the shape of its input, which is full of `X`, and what is right for the first element of the result.
type Value = (&'static str, Vec<usize>, fn(Var<'_>) -> Var<'_>, f64);

/// Every op that sums `n` elements.
fn values(n: usize) -> Vec<Value> {
    let (x, count) = (f64::from(X), n as f64);
    vec![
        ("sum", vec![n], |x| x.sum(), count * x),
        ("sum of a column", vec![n, 1], |x| x.sum_axes(&[0], false), count * x),
        ("sum over the first axis", vec![n, 2], |x| x.sum_axes(&[0], false), count * x),
        ("sum over the last axis", vec![2, n], |x| x.sum_axes(&[1], false), count * x),
        ("sum over the middle axis", vec![2, n, 2], |x| x.sum_axes(&[1], false), count * x),
        ("sum over two axes", vec![2, n, 2], |x| x.sum_axes(&[0, 1], false), 2.0 * count * x),
        ("sum of a transposed matrix", vec![n, 2], |x| x.t().sum_axes(&[1], false), count * x),
        ("mean", vec![n], |x| x.mean(), x),
        ("mean over the first axis", vec![n, 2], |x| x.mean_axes(&[0], false), x),
        ("mean over the last axis", vec![2, n], |x| x.mean_axes(&[1], false), x),
        ("mse", vec![n], |x| x.mse(filled(x.tape(), &x.shape(), 0.0)), x * x),
        ("mae", vec![n], |x| x.mae(filled(x.tape(), &x.shape(), 0.0)), x),
        ("bce_with_logits", vec![n], |t| filled(t.tape(), &t.shape(), 0.0).bce_with_logits(t), LN_2),
        ("cross_entropy", vec![n, 3], |x| x.cross_entropy(&vec![0; x.shape()[0]]), 3_f64.ln()),
        (
            "cross_entropy_soft",
            vec![1, n],
            |t| filled(t.tape(), &t.shape(), 0.0).cross_entropy_soft(t),
            count * x * count.ln(),
        ),
        ("cross_entropy of many classes", vec![1, n], |x| x.cross_entropy(&[0]), count.ln()),
        ("softmax", vec![n], |x| x.softmax(0), count.recip()),
        ("logsumexp", vec![n], |x| x.logsumexp(), x + count.ln()),
        ("rms_norm", vec![1, n], |x| x.rms_norm(None, 0.0), 1.0),
        ("cumsum", vec![n], |x| x.cumsum(0).slice(0, x.shape()[0] - 1..x.shape()[0]), count * x),
        (
            "scatter_add",
            vec![n],
            |x| filled(x.tape(), &[2], 0.0).scatter_add(0, zeros(x.shape()[0]).view(), x),
            count * x,
        ),
        ("the mean of an image", vec![1, 1, n, 1], |x| x.adaptive_avg_pool2d([1, 1]), x),
    ]
}

fn zeros(n: usize) -> Array1<usize> {
    Array1::zeros(n)
}

/// An op, the shape of its parameter, and the loss of which the first element of the gradient is `n X`.
type Gradient = (&'static str, Vec<usize>, for<'t> fn(Var<'t>, usize) -> Var<'t>);

/// Every pullback that sums `n` elements.
fn gradients() -> Vec<Gradient> {
    vec![
        ("a scalar", vec![], |s, n| (s * filled(s.tape(), &[n], X)).sum()),
        ("a row", vec![2], |s, n| (s * filled(s.tape(), &[n, 2], X)).sum()),
        ("a column", vec![2, 1], |s, n| (s * filled(s.tape(), &[2, n], X)).sum()),
        ("a row that is stretched", vec![1, 2], |s, n| (s * filled(s.tape(), &[n, 2], X)).sum()),
        ("the bias of linear", vec![2], |b, n| {
            let y = filled(b.tape(), &[n, 1], 0.0).linear(filled(b.tape(), &[2, 1], 0.0), Some(b));
            (y * filled(b.tape(), &[n, 2], X)).sum()
        }),
        ("the bias of batch_norm", vec![2], |b, n| {
            let y = filled(b.tape(), &[n, 2], 0.0).batch_norm(None, Some(b), 1.0).0;
            (y * filled(b.tape(), &[n, 2], X)).sum()
        }),
        ("the bias of layer_norm", vec![2], |b, n| {
            let y = filled(b.tape(), &[n, 2], 0.0).layer_norm(None, Some(b), 1.0);
            (y * filled(b.tape(), &[n, 2], X)).sum()
        }),
        ("the weight of rms_norm", vec![2], |w, n| {
            let y = filled(w.tape(), &[n, 2], 1.0).rms_norm(Some(w), 0.0);
            (y * filled(w.tape(), &[n, 2], X)).sum()
        }),
        ("rows taken by index_select", vec![2, 2], |x, n| {
            (x.index_select(0, &vec![0; n]) * filled(x.tape(), &[n, 2], X)).sum()
        }),
        ("elements taken by gather", vec![2], |x, n| {
            (x.gather(0, zeros(n).view()) * filled(x.tape(), &[n], X)).sum()
        }),
        ("a border", vec![1], |x, n| (x.pad_replicate(&[(n - 1, 0)]) * filled(x.tape(), &[n], X)).sum()),
        ("pixels that are repeated", vec![1, 1, 1, 1], |x, n| {
            (x.upsample_nearest2d([1, n]) * filled(x.tape(), &[1, 1, 1, n], X)).sum()
        }),
        // By symmetry each of the two pixels has half of all.
        ("pixels between two", vec![1, 1, 1, 2], |x, n| {
            (x.upsample_bilinear2d([1, 2 * n], false) * filled(x.tape(), &[1, 1, 1, 2 * n], X)).sum()
        }),
    ]
}

fn check_sums(n: usize) {
    for (what, shape, op, right) in values(n) {
        let tape = Tape::inference();
        assert_close(&format!("{what}, n = {n}"), first(&op(filled(&tape, &shape, X)).value()), right, SUM);
    }
    for (what, shape, loss) in gradients() {
        let tape = Tape::new();
        let p = tape.variable(Tensor::from_elem(&*shape, 1.0));
        let grads = loss(p, n).backward();
        let found = first(grads.wrt(p).expect("the loss depends on it"));
        assert_close(&format!("the gradient of {what}, n = {n}"), found, n as f64 * f64::from(X), SUM);
    }
}

#[test]
fn sums_of_any_length_are_right() {
    for n in [2, 31, 33, 513, 10_000, 100_003] {
        check_sums(n);
    }
}

/// The gradient of a parameter, and of a variable, that is used `n` times.
fn check_uses(n: usize) {
    let (tape, param) = (Tape::new(), Param::new(Tensor::from_elem(&[1][..], 1.0)));
    let v = tape.variable([1.0]);
    let uses = (0..n).map(|_| tape.param(&param) * X + v * X).reduce(|a, b| a + b).expect("some");
    let grads = uses.sum().backward();
    let right = n as f64 * f64::from(X);
    assert_close("a parameter used often", first(grads.get(&param).expect("used")), right, SUM);
    assert_close("a variable used often", first(grads.wrt(v).expect("used")), right, SUM);
}

#[test]
fn gradients_of_many_uses_add_up() {
    for n in [1, 2, 32, 33, 64, 65, 20_000] {
        check_uses(n);
    }
}

type Pool = for<'t> fn(Var<'t>, PoolOptions<1>) -> Var<'t>;

/// One pixel among zeros, in all of `n` windows.
#[test]
fn the_gradient_of_a_pixel_adds_up_over_its_windows() {
    let n = 10_000;
    let options = || PoolOptions { stride: [1], ..PoolOptions::from([n]) };
    let pools: [(&str, Pool); 2] = [
        ("max_pool1d", |x, options| x.max_pool1d(options)),
        ("avg_pool1d", |x, options| x.avg_pool1d(options) * options.kernel[0] as f32),
    ];
    for (op, pool) in pools {
        let tape = Tape::new();
        let pixel = tape.variable([[[1.0]]]);
        let windows = pool(pixel.pad(&[(0, 0), (0, 0), (n - 1, n - 1)], 0.0), options());
        let grads = (windows * filled(&tape, &[1, 1, n], X)).sum().backward();
        assert_close(op, first(grads.wrt(pixel).unwrap()), n as f64 * f64::from(X), SUM);
    }
}

/// The value of a sum may be finite where its slope is not.
#[test]
fn an_infinite_tangent_stays_infinite_in_a_sum() {
    let tape = Tape::new();
    let x = tape.variable(Tensor::from_elem(vec![1, 1, 40, 1], Dual::new(0.0, 1.0)));
    let mean = x.sqrt().adaptive_avg_pool2d([1, 1]).item();
    assert_eq!((mean.value, mean.tangent), (0.0, f64::INFINITY));
}

/// `offset` + `deviation` N(0, 1).
fn normal(shape: &[usize], offset: f32, deviation: f32) -> Tensor<f32> {
    let mut rng = StdRng::seed_from_u64(1);
    let draw = || offset + deviation * (0..12).map(|_| rng.random::<f32>() - 0.5).sum::<f32>();
    ArrayD::from_shape_simple_fn(IxDyn(shape), draw).into_shared()
}

/// Mean and biased variance in `f64`.
fn moments<'x>(x: impl Iterator<Item = &'x f32> + Clone) -> (f64, f64) {
    let n = x.clone().count() as f64;
    let mean = x.clone().map(|&x| f64::from(x)).sum::<f64>() / n;
    (mean, x.map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n)
}

fn check_moments(n: usize, offset: f32, deviation: f32) {
    let x = normal(&[n, 2], offset, deviation);
    let (mean, var) = moments(x.iter());
    let (column_mean, column_var) = moments(x.index_axis(Axis(1), 0).iter());
    let tape = Tape::inference();
    let x = tape.constant(x);
    let what = |op: &str| format!("{op} of {n} numbers {offset} ± {deviation}");
    assert_close(&what("mean"), x.mean().item(), mean, SUM);
    assert_close(&what("var"), x.var(0).item(), var, 1e-5);
    assert_close(&what("var_axes"), first(&x.var_axes(&[0], 0, false).value()), column_var, 1e-5);
    let (_, batch_mean, batch_var) = x.batch_norm(None, None, 0.0);
    assert_close(&what("batch norm's mean"), first(&batch_mean), column_mean, SUM);
    assert_close(&what("batch norm's variance"), first(&batch_var), column_var, 1e-5);
}

#[test]
fn moments_survive_an_offset() {
    for (offset, deviation) in [(0.0, 1.0), (1e4, 1.0), (285.0, 20.2), (1e4, 1e-2), (-3e6, 10.0)] {
        check_moments(10_000, offset, deviation);
    }
}

#[test]
fn normalized_columns_and_rows_have_the_mean_0_whatever_the_offset() {
    let x = normal(&[768, 768], 1e4, 1e-2);
    let tape = Tape::inference();
    let x = tape.constant(x);
    for (what, y, axis) in
        [("batch", x.batch_norm(None, None, 0.0).0, 0), ("layer", x.layer_norm(None, None, 0.0), 1)]
    {
        let mean = y.mean_axes(&[axis], false).abs().max().item();
        assert!(mean < 1e-5, "{what} norm: a mean of {mean}");
    }
}

#[test]
fn equal_elements_are_normalized_to_0() {
    for x in [1000.1, 0.1, -3.3e7, 1e-3] {
        let tape = Tape::inference();
        for (what, y) in [
            ("layer_norm", filled(&tape, &[2, 768], x).layer_norm(None, None, 1e-5)),
            ("batch_norm", filled(&tape, &[768, 2], x).batch_norm(None, None, 1e-5).0),
        ] {
            assert_eq!(y.abs().max().item(), 0.0, "{what} of {x}");
        }
    }
}

#[test]
fn the_bits_do_not_depend_on_where_the_elements_lie() {
    let x = normal(&[700, 513], 1.0, 1.0);
    let strided = x.t().as_standard_layout().into_owned().into_shared().reversed_axes();
    assert_eq!(x, strided);
    let ops: [fn(Var<'_>) -> Var<'_>; 7] = [
        |x| x.sum(),
        |x| x.sum_axes(&[0], false),
        |x| x.sum_axes(&[1], false),
        |x| x.var(1),
        |x| x.batch_norm(None, None, 1e-5).0,
        |x| x.layer_norm(None, None, 1e-5),
        |x| x.log_softmax(0),
    ];
    let tape = Tape::inference();
    for (i, op) in ops.into_iter().enumerate() {
        let bits = |x: &Tensor<f32>| {
            op(tape.constant(x.clone())).value().iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(bits(&x), bits(&strided), "op {i}");
    }
}

mod slow {
    use super::*;

    #[test]
    fn sums_of_ten_million_are_right() {
        check_sums(10_000_000);
    }

    #[test]
    fn gradients_of_300_000_uses_add_up() {
        check_uses(300_000);
    }

    #[test]
    fn moments_of_ten_million_survive_an_offset() {
        check_moments(10_000_000, 1e4, 1.0);
        check_moments(10_485_760, 285.0, 20.2);
    }

    /// 16,777,216 is the first integer after which 1 is lost beside it.
    #[test]
    fn ones_are_counted_beyond_2_to_the_24() {
        let tape = Tape::inference();
        let sum = filled(&tape, &[20_000_000, 2], 1.0).sum_axes(&[0], false);
        assert_eq!(first(&sum.value()), 2e7);
    }
}
