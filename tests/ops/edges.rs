//! Gradients of small programs at the ends of the range: those that went wrong once, with what is right by hand. The
//! ops one by one, at thousands of extreme numbers, are in `tests/golden_edges.rs` of the workspace.

use wengert_autodiff::{Real, Tape, Var};

#[track_caller]
fn assert_close<F: Real>(what: &str, found: F, right: f64) {
    let (found, unit) = (found.as_f64(), 8.0 * F::epsilon().as_f64());
    let same =
        found == right || found.is_nan() && right.is_nan() || (found - right).abs() <= unit * right.abs();
    assert!(same, "{what}: {found:e}, right is {right:e}");
}

/// The gradient of the sum of `f` with respect to each element.
#[track_caller]
fn check<F: Real, const N: usize>(
    what: &str,
    f: impl for<'t> Fn(Var<'t, F>) -> Var<'t, F>,
    x: [f64; N],
    right: [f64; N],
) {
    let tape = Tape::new();
    let x = tape.variable(x.map(F::from_f64).to_vec());
    let grads = f(x).sum().backward();
    for (i, (&found, right)) in grads.wrt(x).expect("a gradient").iter().zip(right).enumerate() {
        assert_close(&format!("{what}, element {i}"), found, right);
    }
}

/// The gradient of `a / b` with respect to `b`.
#[track_caller]
fn check_divisor<F: Real>(a: f64, b: f64, right: f64) {
    let tape = Tape::new();
    let (a, b) = (tape.variable(F::from_f64(a)), tape.variable(F::from_f64(b)));
    let grads = (a / b).backward();
    assert_close("a / b", *grads.wrt(b).expect("a gradient").first().expect("a scalar"), right);
}

#[test]
fn a_quotient_stays_in_the_range() {
    check_divisor::<f32>(1e20, 1e20, -1e-20);
    check_divisor::<f32>(1e-30, 1e-30, -1e30);
    check_divisor::<f32>(0.0, 1e-23, -0.0);
    check_divisor::<f64>(1e160, 1e160, -1e-160);
    check_divisor::<f64>(1e-200, 1e-190, -1e180);
}

/// `y = eˣ / Σ eˣ` of three numbers near -53, written out; right is `y₀ (1 - y₀)`, `-y₀ y₁`, `-y₀ y₂`.
#[test]
fn a_softmax_by_hand_is_the_softmax() {
    let x = [-53.0, -53.2, -52.9];
    let powers = x.map(|x: f64| (x + 53.0).exp());
    let y = powers.map(|power| power / powers.iter().sum::<f64>());
    let tape = Tape::new();
    let v = tape.variable(x.map(|x| x as f32).to_vec());
    let grads = (v.exp() / v.exp().sum()).slice(0, 0..1).sum().backward();
    let right = [y[0] * (1.0 - y[0]), -y[0] * y[1], -y[0] * y[2]];
    for (&found, right) in grads.wrt(v).expect("a gradient").iter().zip(right) {
        // The numbers themselves are rounded: 53 in f32 by 2e-6.
        assert!((f64::from(found) - right).abs() < 1e-5 * right.abs(), "{found}, {right}");
    }
}

#[test]
fn saturated_functions_have_their_small_slopes() {
    let (sigmoid, tanh) =
        (|x: f64| 1.0 / ((1.0 + (-x).exp()) * (1.0 + x.exp())), |x: f64| 1.0 / x.cosh().powi(2));
    check::<f32, 1>("elu", |x| x.elu(1.0), [-17.0], [(-17.0_f64).exp()]);
    check::<f32, 2>("sigmoid", |x| x.sigmoid(), [17.0, -17.0], [sigmoid(17.0); 2]);
    check::<f32, 1>("exp_m1", |x| x.exp_m1(), [-17.0], [(-17.0_f64).exp()]);
    check::<f32, 2>("tanh", |x| x.tanh(), [10.0, -10.0], [tanh(10.0); 2]);
    check::<f32, 2>("log_softmax", |x| x.log_softmax(0).slice(0, 0..1), [20.0, 0.0], {
        let p = 1.0 / (1.0 + 20_f64.exp());
        [p, -p]
    });
    check::<f32, 2>("cross_entropy", |x| x.reshape(&[1, 2]).cross_entropy(&[0]), [20.0, 0.0], {
        let p = 1.0 / (1.0 + 20_f64.exp());
        [-p, p]
    });
}

#[test]
fn values_keep_their_digits() {
    let value = |f: &dyn Fn(Var<'_, f32>) -> f32, x: f32| f(Tape::inference().constant(x));
    assert_close("gelu", value(&|x| x.gelu().item(), -5.5), -1.044_425_935_6e-7);
    assert_close("powi(-3)", value(&|x| x.powi(-3).item(), 6.98e12), f64::from(6.98e12_f32).powi(-3));
    assert_close("powi(20)", value(&|x| x.powi(20).item(), 1.7), f64::from(1.7_f32).powi(20));
    assert_close("powi(MIN)", value(&|x| x.powi(i32::MIN).item(), -1.0), 1.0);
    let tape = Tape::inference();
    let bce = |x: f32, t: f32| tape.constant(x).bce_with_logits(tape.constant(t)).item();
    let exact = |x: f64, t: f64| (1.0 - t) * x + (-x).exp().ln_1p();
    assert_close("bce", bce(20.0, 0.999_999), exact(20.0, f64::from(0.999_999_f32)));
    assert_close("bce", bce(f32::INFINITY, 0.0), f64::INFINITY);
}

#[test]
fn what_was_not_chosen_has_no_gradient() {
    let inf = f64::INFINITY;
    check::<f32, 3>("sqrt(relu)", |x| x.relu().sqrt(), [-1.0, 0.0, 4.0], [0.0, 0.0, 0.25]);
    check::<f32, 3>("ln(clamp)", |x| x.clamp(0.0, 1.0).ln(), [-1.0, 0.5, 2.0], [0.0, 2.0, 0.0]);
    check::<f32, 2>("sqrt(maximum)", |x| x.maximum(x.tape().constant(0.0)).sqrt(), [-1.0, 4.0], [0.0, 0.25]);
    check::<f32, 2>(
        "sqrt(minimum)",
        |x| (-(-x).minimum(x.tape().constant(0.0))).sqrt(),
        [-1.0, 4.0],
        [0.0, 0.25],
    );
    check::<f32, 3>("sqrt(abs)", |x| x.abs().sqrt(), [-1.0, 0.0, 4.0], [-0.5, 0.0, 0.25]);
    check::<f32, 2>(
        "sqrt of the largest",
        |x| (x.max() - 2.0).sqrt() + x.sum() * 0.0,
        [1.0, 2.0],
        [0.0, inf],
    );
    check::<f32, 2>("0 / subnormal", |x| (x / 1e-40).relu() * 0.0, [-1e-41, 1e-41], [0.0, 0.0]);
}

#[test]
fn the_gradient_of_a_nan_is_not_swallowed() {
    let nan = f64::NAN;
    check::<f32, 1>("relu", |x| x.relu(), [nan], [1.0]);
    check::<f32, 1>("clamp", |x| x.clamp(0.0, 1.0), [nan], [0.0]);
    check::<f32, 1>("maximum", |x| x.maximum(x.tape().constant(0.0)), [nan], [1.0]);
    check::<f32, 1>("maximum", |x| x.tape().constant(0.0).maximum(x), [nan], [1.0]);
}

/// A pixel that lies on one of the input's takes nothing from its neighbor, not even where that is infinite.
#[test]
fn a_pixel_upon_another_has_no_neighbor() {
    /// From 7 to 25 pixels and from 9 to 33, one falls on another exactly, which what lies beside it must not touch.
    fn on_a_pixel<F: Real>() {
        for (from, to, on, pixel, infinite) in [(7, 25, 12, 3, 4), (9, 33, 27, 7, 6)] {
            let tape = Tape::new();
            let mut x = vec![F::ONE; from];
            x[infinite] = F::infinity();
            let x = tape.variable(x);
            let y = x.reshape(&[1, 1, 1, from]).upsample_bilinear2d([1, to], false).slice(3, on..on + 1);
            assert_close("upsample_bilinear2d", y.sum().item(), 1.0);
            let grads = y.sum().backward();
            for (i, &found) in grads.wrt(x).expect("a gradient").iter().enumerate() {
                assert_close("its gradient", found, if i == pixel { 1.0 } else { 0.0 });
            }
        }
    }
    on_a_pixel::<f32>();
    on_a_pixel::<f64>();
    fn resized<F: Real>() {
        let tape = Tape::new();
        let x = tape.variable([1.0, f64::INFINITY, 2.0].map(F::from_f64).to_vec());
        let y = x.reshape(&[1, 1, 1, 3]).upsample_bilinear2d([1, 5], true);
        let right = [1.0, f64::INFINITY, f64::INFINITY, f64::INFINITY, 2.0];
        for (&found, right) in y.value().iter().zip(right) {
            assert_close("upsample_bilinear2d", found, right);
        }
        let ends = y.slice(3, 0..1).sum() + y.slice(3, 4..5).sum();
        let grads = ends.backward();
        for (&found, right) in grads.wrt(x).expect("a gradient").iter().zip([1.0, 0.0, 1.0]) {
            assert_close("its gradient", found, right);
        }
    }
    resized::<f32>();
    resized::<f64>();
}
