//! Clipping, by hand: gradients (3, 4) and (0, 12), of norms 5, 12 and together 13.

use wengert_autodiff::{Gradients, Param};
use wengert_optim::clip;

fn gradients(a: [f32; 2], b: [f32; 2]) -> (Param, Param, Gradients) {
    let (first, second): (Param, Param) = (ndarray::arr1(&a).into(), ndarray::arr1(&b).into());
    let mut grads = Gradients::default();
    grads.set(&first, first.value().clone());
    grads.set(&second, second.value().clone());
    (first, second, grads)
}

#[track_caller]
fn clipped(clip: fn(&mut Gradients, f64) -> f64, limit: f64, a: [f32; 2], b: [f32; 2]) {
    let (first, second, mut grads) = gradients([3.0, 4.0], [0.0, -12.0]);
    assert_eq!(clip(&mut grads, limit), 13.0);
    for (param, expected) in [(&first, a), (&second, b)] {
        let found = grads.get(param).unwrap().as_slice().unwrap();
        let close = found.iter().zip(expected).all(|(x, y)| (x - y).abs() <= 1e-6 * y.abs());
        assert!(close, "{found:?}, expected {expected:?}");
    }
}

#[test]
fn three_kinds() {
    clipped(clip::value, 3.5, [3.0, 3.5], [0.0, -3.5]);
    clipped(clip::tensor_norm, 6.0, [3.0, 4.0], [0.0, -6.0]);
    clipped(clip::global_norm, 6.5, [1.5, 2.0], [0.0, -6.0]);
}

#[test]
fn what_is_within_the_limit_stays_as_it_is() {
    for clip in [clip::value, clip::tensor_norm, clip::global_norm] {
        clipped(clip, 13.0, [3.0, 4.0], [0.0, -12.0]);
    }
}

#[test]
fn a_limit_of_zero_is_a_gradient_of_zero() {
    for clip in [clip::value, clip::tensor_norm, clip::global_norm] {
        clipped(clip, 0.0, [0.0; 2], [0.0; 2]);
    }
}

/// 3, 4 and 12 make 13 at any scale: the squares of these leave the range of `f64`.
#[test]
fn the_norm_of_a_representable_gradient_is_representable() {
    let (first, second): (Param<f64>, Param<f64>) =
        (ndarray::arr1(&[0.0; 2]).into(), ndarray::arr1(&[0.0]).into());
    for scale in [1e200, 1e-200, 1e306, 1e-300, 1e-160] {
        for (clip, expected) in [
            (clip::global_norm as fn(&mut Gradients<f64>, f64) -> f64, [1.5, 2.0, 6.0]),
            (clip::tensor_norm, [3.0, 4.0, 6.5]),
            (clip::value, [3.0, 4.0, 6.5]),
        ] {
            let mut grads = Gradients::default();
            grads.set(&first, ndarray::arr1(&[3.0 * scale, 4.0 * scale]));
            grads.set(&second, ndarray::arr1(&[12.0 * scale]));
            let close =
                |found: f64, expected: f64| (found - expected * scale).abs() <= 1e-14 * expected * scale;
            assert!(close(clip(&mut grads, 6.5 * scale), 13.0), "{scale:e}");
            let found = [
                grads.get(&first).unwrap()[0],
                grads.get(&first).unwrap()[1],
                grads.get(&second).unwrap()[0],
            ];
            assert!(found.iter().zip(expected).all(|(&x, y)| close(x, y)), "{scale:e}: {found:?}");
        }
    }
}

/// The squares of these overflow `f32`, their sum does not overflow `f64`.
#[test]
fn the_norm_is_summed_in_f64() {
    let (first, _second, mut grads) = gradients([3e30, 4e30], [0.0; 2]);
    let norm = clip::global_norm(&mut grads, 5.0);
    assert!((norm / 5e30 - 1.0).abs() < 1e-6);
    let found = grads.get(&first).unwrap().as_slice().unwrap();
    assert!((found[0] - 3.0).abs() < 1e-5 && (found[1] - 4.0).abs() < 1e-5, "{found:?}");
}

#[test]
fn a_norm_that_is_not_finite_is_returned_and_changes_nothing() {
    for bad in [f32::NAN, f32::INFINITY] {
        for clip in [clip::value, clip::tensor_norm, clip::global_norm] {
            let (first, second, mut grads) = gradients([bad, 4.0], [0.0, 12.0]);
            let norm = clip(&mut grads, 1.0);
            assert_eq!(norm.is_nan(), bad.is_nan());
            assert!(!norm.is_finite());
            assert_eq!(grads.get(&first).unwrap()[1], 4.0);
            assert_eq!(grads.get(&second).unwrap()[1], 12.0);
        }
    }
}

#[test]
fn no_gradients_have_no_length() {
    assert_eq!(clip::global_norm(&mut Gradients::<f32>::default(), 1.0), 0.0);
}

#[test]
#[should_panic(expected = "cannot clip gradients to NaN")]
fn a_limit_must_be_a_length() {
    clip::value(&mut Gradients::<f32>::default(), f64::NAN);
}
