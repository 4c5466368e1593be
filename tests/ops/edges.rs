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

/// A slope is multiplied in an order in which nothing leaves the range on the way: a factor above 1 does not come
/// before those below 1, nor one that is tiny before those above 1.
#[test]
fn a_large_or_tiny_gradient_leaves_the_range_only_if_the_result_does() {
    type Row = (&'static str, fn(Var<'_>) -> Var<'_>, fn(f64) -> f64, &'static [f64]);
    #[rustfmt::skip]
    let rows: [Row; 19] = [
        ("elu(5)", |x| x.elu(5.0), |x| if x > 0.0 { 1.0 } else { 5.0 * x.exp() }, &[-1.7, -3.0, -60.0, -95.0, 1.0]),
        ("elu(1e30)", |x| x.elu(1e30), |x| 1e30 * x.exp(), &[-50.0, -69.5, -120.0]),
        ("elu(1e-30)", |x| x.elu(1e-30), |x| 1e-30 * x.exp(), &[-0.5, -20.0]),
        ("selu", |x| x.selu(), |x| 1.050_700_987_355_480_5 * 1.673_263_242_354_377_2 * x.exp(), &[-0.6, -5.0, -95.0]),
        ("tanh", |x| x.tanh(), |x| x.cosh().powi(-2), &[0.0, 0.1, -3.0, 48.0]),
        ("sigmoid", |x| x.sigmoid(), |x| 0.25 * (0.5 * x).cosh().powi(-2), &[0.0, 3.0, -95.0]),
        ("silu", |x| x.silu(), |x| (1.0 + x / (1.0 + x.exp())) / (1.0 + (-x).exp()), &[1.27, -2.0, -10.0, -95.0]),
        ("softplus", |x| x.softplus(), |x| 1.0 / (1.0 + (-x).exp()), &[3.0, -3.0, -95.0]),
        ("softsign", |x| x.softsign(), |x| (1.0 + x.abs()).powi(-2), &[0.5, -3.0, 1e15]),
        ("hardswish", |x| x.hardswish(), |x| (2.0 * x + 3.0) / 6.0, &[-2.5, 1.0, 1.4]),
        ("erf", |x| x.erf(), |x| std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp(), &[0.375, 1.0, 3.0, 9.75]),
        ("log10", |x| x.log10(), |x| 1.0 / (x * std::f64::consts::LN_10), &[0.5, 1.5, 1e-30, 1e-44, 3e38]),
        ("log2", |x| x.log2(), |x| 1.0 / (x * std::f64::consts::LN_2), &[1.5, 2.5, 1e-30, 1e-44, 3e38]),
        ("rsqrt", |x| x.rsqrt(), |x| -0.5 * x.powf(-1.5), &[0.7, 0.9, 1.5, 1e-30, 1e30]),
        ("recip", |x| x.recip(), |x| -1.0 / (x * x), &[0.9, 1e30, 2e-39, -1e-15]),
        ("sinh", |x| x.sinh(), f64::cosh, &[1.0, 95.0, -120.0]),
        ("cosh", |x| x.cosh(), f64::sinh, &[1.0, 95.0, -120.0]),
        ("powi(20)", |x| x.powi(20), |x| 20.0 * x.powi(19), &[0.0095, 0.5, -1e3]),
        ("powf(20.5)", |x| x.powf(20.5), |x| 20.5 * x.powf(19.5), &[0.0103, 0.5, 1e3]),
    ];
    let mut wrong = Vec::new();
    for (name, f, slope, points) in rows {
        for &at in points {
            for dy in [3e38, -2e38, 1e20, 1.0, 1e-30, -1e-37, 1e-44_f32] {
                let at = at as f32;
                let tape = Tape::new();
                let x = tape.variable(at);
                let grads = (f(x) * tape.constant(dy)).backward();
                let found = f64::from(grads.wrt(x).expect("a gradient").sum());
                let right = slope(at.into()) * f64::from(dy);
                // The nearest number, which is infinite beyond the largest.
                let bound = (1e-6 * right.abs()).max(6.0 * f64::from(f32::from_bits(1)));
                let overflows = right.abs() > f64::from(f32::MAX) * (1.0 - 1e-6);
                let at_the_end =
                    overflows && found.abs() >= 0.999_998 * f64::from(f32::MAX) && found * right > 0.0;
                if !(at_the_end || (found - right).abs() <= bound) {
                    wrong.push(format!("{name} at {at:e} with dy = {dy:e}: {found:e}, right is {right:e}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let far = [2e38, -2e38, 2e38, -2e38];
    check::<f32, 4>("var", |x| x.var(3) * 1e-30, far, far.map(|x| 2.0 * x * 1e-30));
    // With a rate of 2e-6, of a million numbers.
    let tape = Tape::new();
    let x = tape
        .variable((0..1_000_000).map(|i| if i % 2 == 0 { 1e-35_f32 } else { -1e-35 }).collect::<Vec<_>>());
    let grads = (x.var(0) * 1e30).backward();
    assert_close("var", grads.wrt(x).expect("a gradient")[0], 2e-11);
}

#[test]
fn a_weight_of_0_takes_no_part() {
    let tape = Tape::<f64>::new();
    let inf = f64::INFINITY;
    assert_eq!(tape.constant([[0.0, -inf]]).cross_entropy_smooth(&[1], 1.0).item(), inf);
    assert_eq!(tape.constant([inf, 3.0]).weighted_mean(vec![0.0, 1.0]).item(), 3.0);
    let (p, q) = (tape.constant([-inf, -inf, inf, -2.0]), tape.constant([0.0, 1.0, 0.0, 0.0]));
    assert_eq!(p.kl_div_each(q).value().iter().copied().collect::<Vec<_>>(), [0.0, inf, 0.0, 0.0]);
}
