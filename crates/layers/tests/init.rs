//! The initialisers' own properties; their distributions are checked against PyTorch's in the root package.

use ndarray::{Array2, ArrayD, Ix2};
use rand::{SeedableRng, rngs::StdRng};
use wengert_layers::init;

fn rng() -> StdRng {
    StdRng::seed_from_u64(0)
}

#[test]
fn orthogonal_matrices_are() {
    for (shape, gain) in [([8, 8], 1.0), ([5, 12], 2.0), ([12, 5], 1.0), ([100, 60], 1.0), ([1, 1], 1.0)] {
        let q: ArrayD<f64> = init::orthogonal(&shape, gain, &mut rng());
        let q = q.into_dimensionality::<Ix2>().unwrap();
        let product = if shape[0] <= shape[1] { q.dot(&q.t()) } else { q.t().dot(&q) };
        let apart = &product - gain * gain * Array2::<f64>::eye(product.nrows());
        assert!(apart.iter().all(|x| x.abs() < 1e-14), "{shape:?}: {product}");
    }
}

#[test]
fn orthogonal_takes_further_axes_as_inputs() {
    let q: ArrayD<f64> = init::orthogonal(&[4, 2, 3], 1.0, &mut rng());
    assert_eq!(q.shape(), [4, 2, 3]);
    let rows = q.into_shape_with_order((4, 6)).unwrap();
    assert!((rows.dot(&rows.t()) - Array2::<f64>::eye(4)).iter().all(|x| x.abs() < 1e-14));
}

/// Without the right signs, QR leaves the diagonal positive or negative only.
#[test]
fn orthogonal_matrices_have_diagonals_of_both_signs() {
    let rng = &mut rng();
    let positive = (0..1000).filter(|_| init::orthogonal::<f64>(&[3, 3], 1.0, rng)[[0, 0]] > 0.0).count();
    assert!((400..600).contains(&positive), "{positive} of 1000, six standard deviations are 95");
}

#[test]
fn further_axes_count_in_both_fans() {
    // fan_in 6, fan_out 12: a bound of √(6 / 18).
    let weight: ArrayD<f64> = init::xavier_uniform(&[4, 2, 3], 1.0, &mut rng());
    let bound = (6.0_f64 / 18.0).sqrt();
    assert!(weight.iter().all(|w| w.abs() <= bound) && weight.iter().any(|w| w.abs() > 0.8 * bound));
}

#[test]
fn single_precision_is_double_precision_rounded() {
    let single: ArrayD<f32> = init::normal(&[50], 1.0, 2.0, &mut rng());
    let double: ArrayD<f64> = init::normal(&[50], 1.0, 2.0, &mut rng());
    assert_eq!(single, double.mapv(|x| x as f32));
}

#[test]
#[should_panic(expected = "a weight of shape [3] has no fans")]
fn a_vector_has_no_fans() {
    let _: ArrayD<f32> = init::lecun_normal(&[3], &mut rng());
}

#[test]
#[should_panic(expected = "needs bounds around the mean")]
fn truncation_far_from_the_mean_is_refused() {
    let _: ArrayD<f32> = init::truncated_normal(&[3], 0.0, 1.0, 8.0, 9.0, &mut rng());
}
