//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::{depth, glorot, he};
use rand::SeedableRng;
use rand::rngs::StdRng;
use wengert::ndarray::{Array2, arr2};

fn rng(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

fn near(what: &str, found: f64, expected: f64, hint: &str) {
    assert!(
        (found / expected - 1.0).abs() < 0.05,
        "{what} is {found:.5}, expected about {expected:.5}: {hint}"
    );
}

#[test]
fn he_has_its_variance() {
    let weight = he(400, 100, &mut rng(0));
    assert_eq!(weight.dim(), (400, 100), "the shape: [outputs, inputs]");
    let mean = weight.mean().unwrap();
    assert!(
        mean.abs() < 0.003,
        "the mean of He weights is {mean:.5}, expected about 0: half of them are negative"
    );
    let hint = "the variance is 2 / inputs, and a standard deviation is the root of that";
    near("the variance of He weights, 100 inputs and 400 outputs", weight.var(0.0), 0.02, hint);
    let far = weight.iter().filter(|x| x.abs() > 2.0 * 0.02_f64.sqrt()).count() as f64 / 40_000.0;
    assert!(
        (far - 0.0455).abs() < 0.01,
        "{far:.4} of the weights are beyond two deviations, of a normal 0.0455"
    );
}

#[test]
fn glorot_has_its_limits() {
    let weight = glorot(300, 100, &mut rng(0));
    assert_eq!(weight.dim(), (300, 100), "the shape: [outputs, inputs]");
    let (limit, hint) = ((6.0_f64 / 400.0).sqrt(), "uniform between ±√(6 / (inputs + outputs))");
    let most = weight.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    near("the largest Glorot weight, 100 inputs and 300 outputs", most, limit, hint);
    let mean = weight.mean().unwrap();
    assert!(mean.abs() < 0.003, "their mean is {mean:.5}, expected about 0: from -limit to limit");
    near("their variance", weight.var(0.0), 2.0 / 400.0, "that of a uniform between ±a is a² / 3");
}

#[test]
fn seeds_decide() {
    let of = |seed| (he(3, 4, &mut rng(seed)), glorot(3, 4, &mut rng(seed)));
    assert_eq!(of(1), of(1), "the same seed gives the same weights: take all randomness from rng");
    let (a, b) = (of(1), of(2));
    assert!(a.0 != b.0 && a.1 != b.1, "another seed gives other weights");
    let rng = &mut rng(3);
    assert_ne!(he(3, 4, rng), he(3, 4, rng), "the second layer has other weights than the first");
}

#[test]
fn layers_by_hand() {
    let weights = [arr2(&[[1.0, -1.0], [0.0, 2.0]]), arr2(&[[1.0, 0.0], [0.0, -1.0]])];
    let squares = depth(arr2(&[[1.0, 2.0]]), &weights);
    // (-1, 4), with ReLU (0, 4); then (0, -4), with ReLU (0, 0).
    assert_eq!(squares, [8.0, 0.0], "x Wᵀ and ReLU, layer by layer; the mean square behind each ReLU");
}

#[test]
fn thirty_layers() {
    let rng = &mut rng(4);
    let x = he(64, 128, rng);
    let start = x.mapv(|x| x * x).mean().unwrap();
    let he: Vec<_> = (0..30).map(|_| he(128, 128, rng)).collect();
    let last = depth(x.clone(), &he)[29] / start;
    assert!(
        (0.05..20.0).contains(&last),
        "with He weights 30 layers change the mean square {last:e} times, expected about once"
    );
    let halved: Vec<Array2<f64>> = he.iter().map(|weight| weight * 0.5_f64.sqrt()).collect();
    let last = depth(x, &halved)[29] / start;
    assert!(
        last < 1e-6,
        "with half of the variance nothing should be left behind 30 layers of ReLU, but {last:e} is"
    );
}
