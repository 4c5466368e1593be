//! The gradient check must find mistakes, and only mistakes.

use ndarray::arr1;
use wengert_autodiff::{GradientReport, Param, Tensor, Var, check_gradients, check_module_gradients, module};

/// `y = x³` with the derivative `slope`.
fn cube<'t>(x: Var<'t, f64>, slope: fn(f64) -> f64) -> Var<'t, f64> {
    let value = x.value();
    let y = value.mapv(|x| x * x * x).into_shared();
    let dx = x.edge(move |dy| (dy * value.mapv(slope)).into_shared());
    x.tape().record("cube", y, [dx])
}

fn x() -> Tensor<f64> {
    arr1(&[-1.5, 0.5, 2.0]).into_dyn().into()
}

fn check(slope: fn(f64) -> f64) -> GradientReport {
    check_gradients(|_, x| cube(x[1], slope) + x[0], &[x(), x()])
}

#[test]
fn accepts_the_right_derivative_of_a_users_op() {
    check(|x| 3.0 * x * x).assert(1e-10);
}

#[test]
fn a_wrong_derivative_is_reported_with_the_op_the_input_and_both_numbers() {
    let report = check(|x| 2.0 * x * x);
    assert!(report.relative_error > 0.1, "{report}");
    assert_eq!((report.ops.as_slice(), report.moved.as_str()), (["cube", "add"].as_slice(), "input 1"));
    assert_eq!(report.direction.shape(), [3]);
    // Two thirds of the true slope, whatever the direction.
    assert!((report.analytic - report.numeric * 2.0 / 3.0).abs() < 1e-9, "{report}");
    let text = report.to_string();
    for word in ["`add`", "input 1", "cube, add", &format!("{:?}", report.analytic)] {
        assert!(text.contains(word), "no {word} in {text}");
    }
}

#[test]
fn an_error_in_the_seventh_digit_is_found() {
    assert!(check(|x| 3.000003 * x * x).relative_error > 1e-7);
}

#[test]
#[should_panic(expected = "the gradient is wrong beyond 1e-7: `add`, input 1")]
fn assert_panics_with_the_report() {
    check(|x| 3.0 * x).assert(1e-7);
}

#[test]
#[should_panic(expected = "relative error NaN")]
fn nan_is_not_accepted() {
    check(|_| f64::NAN).assert(1e-7);
}

#[test]
fn a_gradient_that_does_not_arrive_is_found() {
    let report = check_gradients(|_, x| x[0].detach() * 2.0, &[x()]);
    assert_eq!(report.relative_error, 1.0, "{report}");
}

/// The numeric derivative has to hold where higher derivatives are large, too.
#[test]
fn steep_and_curved_functions_pass() {
    let small: Tensor<f64> = arr1(&[0.05, 0.1, 0.2]).into_dyn().into();
    check_gradients(|_, x| x[0].recip().square(), std::slice::from_ref(&small)).assert(1e-7);
    check_gradients(|_, x| (x[0] * 20.0).sin(), &[small]).assert(1e-7);
    check_gradients(|_, x| (x[0] * x[0]).exp() * 1e6, &[x()]).assert(1e-7);
}

#[test]
fn ops_that_draw_random_numbers_draw_the_same_ones_again() {
    use rand::RngExt;
    let noisy = check_gradients(
        |tape, x| {
            let noise = Tensor::from_shape_simple_fn(x[0].shape(), || tape.with_rng(|rng| rng.random()));
            x[0] * tape.constant(noise)
        },
        &[x()],
    );
    noisy.assert(1e-10);
}

#[derive(Clone)]
struct Line {
    slope: Param<f64>,
    offset: Param<f64>,
}

module!(Line: f64 { slope, offset });

fn line() -> Line {
    Line { slope: arr1(&[1.0, -0.5, 2.0]).into(), offset: ndarray::arr0(0.5).into() }
}

#[test]
fn the_parameters_of_a_model_are_checked_too() {
    let report = check_module_gradients(&line(), |line, tape| {
        (tape.param(&line.slope) * tape.constant(x()) + tape.param(&line.offset)).tanh()
    });
    report.assert(1e-9);
}

#[test]
fn a_wrong_gradient_is_reported_with_the_name_of_the_parameter() {
    let report = check_module_gradients(&line(), |line, tape| {
        cube(tape.param(&line.slope), |x| 2.0 * x * x) + tape.param(&line.offset)
    });
    assert!(report.relative_error > 0.1, "{report}");
    assert_eq!(report.moved, "parameter `slope`");
}

#[test]
fn a_parameter_whose_gradient_does_not_arrive_is_found() {
    let report = check_module_gradients(&line(), |line, tape| {
        tape.param(&line.slope) + tape.param(&line.offset).detach()
    });
    assert!(report.relative_error > 0.1, "{report}");
    assert_eq!(report.moved, "parameter `offset`");
}

#[test]
#[should_panic(expected = "`check_module_gradients` needs a model with parameters")]
fn a_model_without_parameters_is_refused() {
    check_module_gradients(&(), |(), tape| tape.constant(1.0));
}
