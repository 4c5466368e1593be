//! The second derivatives of every op: the tape on dual numbers.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wengert_autodiff::{Dual, IntoTensor, Real, Tape, Tensor, Var};

use crate::each_run;
use crate::table::{Domain, Op, Row, row};

/// A scalar in which every element of the result counts, with a slope and a curvature of its own, so that the
/// derivatives of an op that is linear are not all 0.
fn scalar<'t, F: Real>(y: Var<'t, F>) -> Var<'t, F> {
    let mut n = 0;
    let weights = Tensor::from_shape_simple_fn(y.shape(), || {
        n += 1;
        F::from_f64((f64::from(n) * 0.7).sin() + 0.2)
    });
    let weights = y.tape().constant(weights);
    ((y * weights) + (y * y * weights) * F::from_f64(0.3)).sum()
}

/// The value and the gradients of [`scalar`].
fn gradients<F: Real>(f: Op<F>, inputs: &[Tensor<F>]) -> (F, Vec<Tensor<F>>) {
    let tape = Tape::new();
    let x: Vec<_> = inputs.iter().map(|x| tape.variable(x.clone())).collect();
    let y = scalar(f(&x));
    let value = y.item();
    let grads = y.backward();
    let of = |x: &Var<'_, F>| grads.wrt(*x).cloned().unwrap_or_else(|| Tensor::zeros(x.shape()));
    (value, x.iter().map(of).collect())
}

fn directions(inputs: &[Tensor<f64>]) -> Vec<Tensor<f64>> {
    let mut rng = StdRng::seed_from_u64(2);
    inputs.iter().map(|x| Tensor::from_shape_simple_fn(x.raw_dim(), || rng.random_range(-1.0..1.0))).collect()
}

/// `x + tangent ε`.
fn duals(x: &[Tensor<f64>], tangents: &[Tensor<f64>]) -> Vec<Tensor<Dual<f64>>> {
    x.iter().zip(tangents).map(|(x, tangent)| Dual::tensor(x, tangent)).collect()
}

/// The derivative of the gradients along `direction`: central differences of steps `h`, `h/2` and `h/4`, extrapolated
/// to 0 (Richardson).
fn numeric(f: Op<f64>, x: &[Tensor<f64>], direction: &[Tensor<f64>]) -> Vec<Tensor<f64>> {
    let at = |h: f64| {
        let moved: Vec<_> = x.iter().zip(direction).map(|(x, v)| (x + &(v * h)).into_shared()).collect();
        gradients(f, &moved).1
    };
    let difference = |h: f64| -> Vec<Tensor<f64>> {
        let pairs = at(h).into_iter().zip(at(-h));
        pairs.map(|(a, b)| ((a - b) / (2.0 * h)).into_shared()).collect()
    };
    let extrapolate = |rough: Vec<Tensor<f64>>, fine: Vec<Tensor<f64>>, order: f64| -> Vec<Tensor<f64>> {
        let pairs = fine.into_iter().zip(rough);
        pairs.map(|(fine, rough)| (&fine + &((&fine - &rough) / (order - 1.0))).into_shared()).collect()
    };
    let [first, second, third] = [8e-3, 4e-3, 2e-3].map(difference);
    let (rough, fine) = (extrapolate(first, second.clone(), 4.0), extrapolate(second, third, 4.0));
    extrapolate(rough, fine, 16.0)
}

/// The largest difference, as a part of the largest derivative, between the second derivatives of an op and numeric
/// ones.
fn error(row: &Row, shapes: &[&[usize]], x: &[Tensor<f64>]) -> f64 {
    let direction = directions(x);
    let (_, grads) = gradients(row.on_duals, &duals(x, &direction));
    let expected = numeric(row.f, x, &direction);
    let largest = expected.iter().flatten().fold(1.0_f64, |largest, x| largest.max(x.abs()));
    let mut worst = 0.0;
    for (input, (found, expected)) in grads.iter().zip(&expected).enumerate() {
        for (found, expected) in found.iter().zip(expected) {
            let error = (found.tangent - expected).abs() / largest;
            assert!(
                error <= 1e-6,
                "`{}` with inputs of shapes {shapes:?}, input {input}: {found:?} instead of {expected}",
                row.op
            );
            worst = error.max(worst);
        }
    }
    worst
}

#[test]
fn the_product_with_the_hessian_is_the_derivative_of_the_gradient() {
    let mut worst = (0.0, "");
    each_run(|row, shapes, x| {
        let error = error(row, shapes, &x);
        if error > worst.0 {
            worst = (error, row.op);
        }
    });
    println!("the largest relative difference: {:.1e}, of `{}`", worst.0, worst.1);
}

/// Formulas that choose a branch by the sign, or leave out what is 0, have the derivatives of the whole at 0, too.
#[test]
fn smooth_functions_have_second_derivatives_at_0() {
    // Kinks, where all that an axis has is 0: a length at the origin, a deviation of equal numbers.
    let kinks = ["norm", "norm_axes", "std", "std_axes"];
    for zero in [0.0, -0.0] {
        for every in 1..4 {
            each_run(|row, shapes, mut x| {
                if matches!(row.domain, Domain::Real) && !kinks.contains(&row.op) {
                    x.iter_mut().flat_map(|x| x.iter_mut()).step_by(every).for_each(|x| *x = zero);
                    error(row, shapes, &x);
                }
            });
        }
        let x = [[zero, 3.0, zero, 4.0].into_tensor()];
        error(&row!("norm", Domain::Real, &[], |x| x[0].norm(2.0)), &[], &x);
        error(&row!("norm", Domain::Real, &[], |x| x[0].norm(4.0)), &[], &x);
        error(&row!("std", Domain::Real, &[], |x| x[0].std(0)), &[], &x);
        let weights = [[1.0, 2.0].into_tensor(), [zero, 0.5].into_tensor()];
        error(&row!("pow", Domain::Real, &[], |x| x[0].pow(x[1])), &[], &weights);
    }
}

/// Weights, targets and exponents may be what a direction moves.
#[test]
fn what_is_0_may_move() {
    let tape = Tape::inference();
    let one = |value: f64, tangent: f64| tape.constant(Dual::new(value, tangent));
    // x w for the weight w = 0; -t ln p for the target t = 0; p of a length.
    let losses = tape.constant([Dual::new(3.0, 0.0), Dual::new(5.0, 0.0)]);
    let weights = [Dual::new(0.0, 1.0), Dual::new(1.0, 0.0)];
    // (3 w + 5) / (w + 1) has the slope 3 - 5 at w = 0.
    assert_eq!(losses.weighted_mean(weights.into_tensor()).item().tangent, -2.0);
    let logits = tape.constant([[Dual::new(0.0, 0.0), Dual::new(0.0, 0.0)]]);
    let target = tape.constant([[Dual::new(0.0, 1.0), Dual::new(1.0, -1.0)]]);
    assert_eq!(logits.cross_entropy_soft(target).item().tangent, 0.0);
    let target = tape.constant([[Dual::new(0.0, 1.0), Dual::new(1.0, 0.0)]]);
    assert!((logits.cross_entropy_soft(target).item().tangent - 2.0_f64.ln()).abs() < 1e-15);
    assert_eq!(one(0.0, 1.0).bce_with_logits(one(0.0, 0.0)).item().tangent, 0.5);
    assert_eq!(one(-0.0, 1.0).softplus().item().tangent, 0.5);
    assert_eq!(one(0.0, 1.0).sqrt().item().tangent, f64::INFINITY);
    assert_eq!(one(0.0, 0.0).sqrt().item().tangent, 0.0);
}

/// What carries derivatives along computes the same numbers.
#[test]
fn values_and_gradients_on_duals_are_the_same() {
    each_run(|row, shapes, x| {
        let plain = gradients(row.f, &x);
        let dual = gradients(row.on_duals, &duals(&x, &directions(&x)));
        assert_eq!(plain.0.to_bits(), dual.0.value.to_bits(), "`{}` {shapes:?}: {plain:?} {dual:?}", row.op);
        for (plain, dual) in plain.1.iter().flatten().zip(dual.1.iter().flatten()) {
            assert!(
                plain == &dual.value || (plain - dual.value).abs() <= 4e-16 * plain.abs(),
                "`{}` {shapes:?}: {plain:?} {dual:?}",
                row.op
            );
        }
    });
}

/// `⟨u, H v⟩ = ⟨v, H u⟩`.
#[test]
fn the_hessian_of_every_op_is_symmetric() {
    each_run(|row, shapes, x| {
        let v = directions(&x);
        let u: Vec<_> = v.iter().map(|v| v.mapv(|v| (3.0 * v).cos()).into_shared()).collect();
        let along = |direction: &[Tensor<f64>], other: &[Tensor<f64>]| {
            let (_, grads) = gradients(row.on_duals, &duals(&x, direction));
            grads.iter().flatten().zip(other.iter().flatten()).map(|(g, u)| g.tangent * u).sum::<f64>()
        };
        let (a, b) = (along(&v, &u), along(&u, &v));
        let size = a.abs().max(1.0);
        assert!((a - b).abs() <= 1e-10 * size, "`{}` {shapes:?}: {a} and {b}", row.op);
    });
}

/// Where a slope jumps, a value moves as the gradient says, and the gradient does not move.
#[test]
fn kinks_have_no_second_derivative() {
    let kinks: [(&str, Op<Dual<f64>>, f64); 9] = [
        ("relu", |x| x[0].relu(), 0.0),
        ("leaky_relu", |x| x[0].leaky_relu(0.1), 0.1),
        ("abs", |x| x[0].abs() - 0.0, 0.0),
        ("mae", |x| x[0].mae(x[0].tape().constant(Dual::ZERO)), 0.0),
        ("norm_axes", |x| x[0].norm(1.0), 0.0),
        ("norm", |x| x[0].norm(2.0), 0.0),
        ("sign", |x| x[0].sign() + x[0] * 0.0, 0.0),
        ("floor", |x| x[0].floor() + x[0] * 0.0, 0.0),
        ("clamp", |x| x[0].clamp(0.0, 1.0), 0.0),
    ];
    for (op, f, slope) in kinks {
        for zero in [0.0, -0.0] {
            let tape = Tape::new();
            let x = tape.variable(Dual::new(zero, 1.0));
            let y = f(&[x]);
            let along = y.item().tangent;
            let grads = y.backward();
            let gradient = grads.wrt(x).unwrap().first().copied().unwrap();
            assert_eq!((gradient.value, gradient.tangent), (slope, 0.0), "`{op}` at {zero}");
            assert_eq!(along, slope, "`{op}` at {zero}");
        }
    }
}

/// The slope of `‖(x, 1)‖_p` is about `sign(x) |x|ᵖ⁻¹`: steeper than any line at 0 for `p < 2`, flat above.
#[test]
fn a_norm_below_two_has_an_infinite_second_derivative_at_zero() {
    for (p, second) in [(1.5, f64::INFINITY), (3.0, 0.0)] {
        let tape = Tape::new();
        let x = tape.variable([Dual::new(0.0, 1.0), Dual::ONE]);
        let grads = x.norm(p).backward();
        let gradient = grads.wrt(x).unwrap()[0];
        assert_eq!((gradient.value, gradient.tangent), (0.0, second), "p = {p}");
    }
}
