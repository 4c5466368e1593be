//! What functions of one element tend to at ±∞: value, gradient, second derivative. Right are the limits of the
//! formulas, by hand.

use std::f64::consts::FRAC_PI_2;

use wengert_autodiff::{Dual, Real, Tape, Var};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const SELU_LAMBDA: f64 = 1.050_700_987_355_480_5;
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

/// A function, and its value, slope and curvature at -∞ and at ∞.
type Row<F> = (&'static str, for<'t> fn(Var<'t, F>) -> Var<'t, F>, [f64; 3], [f64; 3]);

#[rustfmt::skip]
fn table<F: Real>() -> Vec<Row<F>> {
    let (nowhere, flat) = ([NAN; 3], |y: f64| [y, 0.0, 0.0]);
    let line = |slope: f64| [slope * INF, slope, 0.0];
    let upwards = [INF; 3];
    vec![
        ("neg", |x| -x, [INF, -1.0, 0.0], [-INF, -1.0, 0.0]),
        ("scaled", |x| x * F::from_f64(0.5), [-INF, 0.5, 0.0], line(0.5)),
        ("square", |x| x.square(), [INF, -INF, 2.0], [INF, INF, 2.0]),
        ("sqrt", |x| x.sqrt(), nowhere, flat(INF)),
        ("recip", |x| x.recip(), flat(0.0), flat(0.0)),
        ("rsqrt", |x| x.rsqrt(), nowhere, flat(0.0)),
        ("exp", |x| x.exp(), flat(0.0), upwards),
        ("exp_m1", |x| x.exp_m1(), flat(-1.0), upwards),
        ("ln", |x| x.ln(), nowhere, flat(INF)),
        ("ln_1p", |x| x.ln_1p(), nowhere, flat(INF)),
        ("log2", |x| x.log2(), nowhere, flat(INF)),
        ("log10", |x| x.log10(), nowhere, flat(INF)),
        ("sin", |x| x.sin(), nowhere, nowhere),
        ("cos", |x| x.cos(), nowhere, nowhere),
        ("tan", |x| x.tan(), nowhere, nowhere),
        ("asin", |x| x.asin(), nowhere, nowhere),
        ("acos", |x| x.acos(), nowhere, nowhere),
        ("atan", |x| x.atan(), flat(-FRAC_PI_2), flat(FRAC_PI_2)),
        ("sinh", |x| x.sinh(), [-INF, INF, -INF], upwards),
        ("cosh", |x| x.cosh(), [INF, -INF, INF], upwards),
        ("asinh", |x| x.asinh(), flat(-INF), flat(INF)),
        ("acosh", |x| x.acosh(), nowhere, flat(INF)),
        ("atanh", |x| x.atanh(), nowhere, nowhere),
        ("erf", |x| x.erf(), flat(-1.0), flat(1.0)),
        ("abs", |x| x.abs(), [INF, -1.0, 0.0], line(1.0)),
        ("sign", |x| x.sign(), flat(-1.0), flat(1.0)),
        ("floor", |x| x.floor(), flat(-INF), flat(INF)),
        ("ceil", |x| x.ceil(), flat(-INF), flat(INF)),
        ("trunc", |x| x.trunc(), flat(-INF), flat(INF)),
        ("round", |x| x.round(), flat(-INF), flat(INF)),
        ("clamp", |x| x.clamp(-2.0, 3.0), flat(-2.0), flat(3.0)),
        ("powi 0", |x| x.powi(0), flat(1.0), flat(1.0)),
        ("powi 1", |x| x.powi(1), [-INF, 1.0, 0.0], line(1.0)),
        ("powi 2", |x| x.powi(2), [INF, -INF, 2.0], [INF, INF, 2.0]),
        ("powi 3", |x| x.powi(3), [-INF, INF, -INF], upwards),
        ("powi -1", |x| x.powi(-1), flat(0.0), flat(0.0)),
        ("powi -2", |x| x.powi(-2), flat(0.0), flat(0.0)),
        ("powf 0", |x| x.powf(0.0), flat(1.0), flat(1.0)),
        ("powf 1", |x| x.powf(1.0), [-INF, 1.0, 0.0], line(1.0)),
        ("powf 2", |x| x.powf(2.0), [INF, -INF, 2.0], [INF, INF, 2.0]),
        ("powf -1", |x| x.powf(-1.0), flat(0.0), flat(0.0)),
        ("tanh", |x| x.tanh(), flat(-1.0), flat(1.0)),
        ("sigmoid", |x| x.sigmoid(), flat(0.0), flat(1.0)),
        ("relu", |x| x.relu(), flat(0.0), line(1.0)),
        ("leaky_relu", |x| x.leaky_relu(0.25), [-INF, 0.25, 0.0], line(1.0)),
        ("elu", |x| x.elu(2.0), flat(-2.0), line(1.0)),
        ("gelu", |x| x.gelu(), flat(0.0), line(1.0)),
        ("gelu_tanh", |x| x.gelu_tanh(), flat(0.0), line(1.0)),
        ("silu", |x| x.silu(), flat(0.0), line(1.0)),
        ("softplus", |x| x.softplus(), flat(0.0), line(1.0)),
        ("selu", |x| x.selu(), flat(-SELU_LAMBDA * SELU_ALPHA), line(SELU_LAMBDA)),
        ("mish", |x| x.mish(), flat(0.0), line(1.0)),
        ("hardsigmoid", |x| x.hardsigmoid(), flat(0.0), flat(1.0)),
        ("hardswish", |x| x.hardswish(), flat(0.0), line(1.0)),
        ("softsign", |x| x.softsign(), flat(-1.0), flat(1.0)),
        ("over itself", |x| (x + F::ONE) / F::from_f64(2.0), [-INF, 0.5, 0.0], line(0.5)),
        // Of a row whose other logit is 0.
        ("mse", |x| x.mse_each(zero(x)), [INF, -INF, 2.0], [INF, INF, 2.0]),
        ("mae", |x| x.mae_each(zero(x)), [INF, -1.0, 0.0], line(1.0)),
        ("huber", |x| x.huber_each(zero(x), 0.5), [INF, -0.5, 0.0], [INF, 0.5, 0.0]),
        ("bce of 0", |x| x.bce_with_logits_each(zero(x)), flat(0.0), line(1.0)),
        ("bce of 1", |x| x.bce_with_logits_each(one(x)), [INF, -1.0, 0.0], flat(0.0)),
        ("kl_div of 1", |x| x.kl_div_each(one(x)), [INF, -1.0, 0.0], [-INF, -1.0, 0.0]),
        ("kl_div of 0", |x| x.kl_div_each(zero(x)), flat(0.0), flat(0.0)),
        ("1 / x", |x| one(x) / x, flat(0.0), flat(0.0)),
        ("atan2(x, 1)", |x| x.atan2(one(x)), flat(-FRAC_PI_2), flat(FRAC_PI_2)),
        ("atan2(1, x)", |x| one(x).atan2(x), flat(2.0 * FRAC_PI_2), flat(0.0)),
        ("maximum", |x| x.maximum(one(x)), flat(1.0), line(1.0)),
        ("minimum", |x| x.minimum(one(x)), line(1.0).map(|y| if y == INF { -y } else { y }), flat(1.0)),
        ("pow(x, 1)", |x| x.pow(one(x)), [-INF, 1.0, 0.0], line(1.0)),
        ("pow(2, x)", |x| (one(x) + one(x)).pow(x), flat(0.0), upwards),
        ("pow(1/2, x)", |x| (one(x) / F::from_f64(2.0)).pow(x), [INF, -INF, INF], flat(0.0)),
        ("pow(1, x)", |x| one(x).pow(x), flat(1.0), flat(1.0)),
    ]
}

fn zero<F: Real>(x: Var<'_, F>) -> Var<'_, F> {
    x.tape().constant(F::ZERO)
}

fn one<F: Real>(x: Var<'_, F>) -> Var<'_, F> {
    x.tape().constant(F::ONE)
}

/// The value and the gradient.
fn run<F: Real>(row: Row<F>, x: F, dy: F) -> (F, F) {
    let tape = Tape::new();
    let x = tape.variable(x);
    let y = row.1(x);
    let grads = (y * tape.constant(dy)).backward();
    (y.item(), grads.wrt(x).map_or(F::ZERO, |dx| dx.sum()))
}

/// Within eight units in the last place.
fn near<F: Real>(found: F, right: f64) -> bool {
    let (found, unit) = (found.as_f64(), F::epsilon().as_f64());
    found == right || found.is_nan() && right.is_nan() || (found - right).abs() <= 8.0 * unit * right.abs()
}

/// Of a number at `at` that moves, the value and the gradient; and how both move.
fn on_duals<F: Real>(row: Row<Dual<F>>, at: f64) -> [F; 4] {
    let (y, dx) = run(row, Dual::new(F::from_f64(at), F::ONE), Dual::ONE);
    [y.value, y.tangent, dx.value, dx.tangent]
}

/// The third derivative.
fn third<F: Real>(row: Row<Dual<Dual<F>>>, at: f64) -> F {
    let x = Dual::new(Dual::new(F::from_f64(at), F::ONE), Dual::ONE);
    run(row, x, Dual::ONE).1.tangent.tangent
}

fn check<F: Real>() {
    let mut wrong = Vec::new();
    let on_nested = table::<Dual<Dual<F>>>();
    for ((plain, dual), nested) in table::<F>().into_iter().zip(table::<Dual<F>>()).zip(on_nested) {
        for (at, [value, slope, curvature]) in [(-INF, plain.2), (INF, plain.3)] {
            if value.is_nan() {
                // Outside of its domain a function has no slope that could be right.
                assert!(run(plain, F::from_f64(at), F::ONE).0.is_nan(), "{} at {at}", plain.0);
                continue;
            }
            for dy in [1.0, -2.5, 1e30] {
                let (y, dx) = run(plain, F::from_f64(at), F::from_f64(dy));
                if !(near(y, value) && near(dx, slope * dy)) {
                    wrong.push(format!("{} at {at} with dy = {dy}: {y}, {dx}", plain.0));
                }
            }
            let found = on_duals(dual, at);
            if !found
                .into_iter()
                .zip([value, slope, slope, curvature])
                .all(|(found, right)| near(found, right))
            {
                wrong.push(format!("{} at {at} on duals: {found:?}", plain.0));
            }
            let third = third(nested, at);
            if curvature.is_finite() && third != F::ZERO {
                wrong.push(format!("{} at {at}, third derivative: {third}", plain.0));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", F::NAME, wrong.join("\n"));
}

#[test]
fn functions_have_their_limits_in_f32() {
    check::<f32>();
}

#[test]
fn functions_have_their_limits_in_f64() {
    check::<f64>();
}
