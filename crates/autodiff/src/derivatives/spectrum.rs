//! Traces, diagonals and eigenvalues of a symmetric operator that is known by its products with vectors.

use ndarray::{Array1, Array2, ArrayViewMut2};
use rand::{Rng, RngExt};

use crate::Real;

/// The trace of a symmetric operator on vectors of `n` numbers, estimated by `samples` products with random signs, and
/// the standard error of the estimate (Hutchinson, 1990), ∞ for one sample. It falls with the root of `samples`.
///
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use wengert_autodiff::{derivatives::hutchinson_trace, ndarray::array};
///
/// let diagonal = array![1.0, 2.0, 3.0];
/// let rng = &mut StdRng::seed_from_u64(0);
/// assert_eq!(hutchinson_trace(3, 2, rng, |v| &diagonal * v), (6.0, 0.0)); // exact for a diagonal
/// ```
///
/// # Panics
///
/// If there are no samples.
#[track_caller]
pub fn hutchinson_trace<F: Real>(
    n: usize,
    samples: usize,
    rng: &mut impl Rng,
    mut apply: impl FnMut(&Array1<F>) -> Array1<F>,
) -> (f64, f64) {
    assert!(samples > 0, "`hutchinson_trace` needs at least one sample");
    let mut estimates = Vec::new();
    for _ in 0..samples {
        let z = signs(n, rng);
        estimates.push(z.dot(&checked("hutchinson_trace", &z, &mut apply)).as_f64());
    }
    let count = samples as f64;
    let mean = estimates.iter().sum::<f64>() / count;
    let squares: f64 = estimates.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, if samples == 1 { f64::INFINITY } else { (squares / (count - 1.0) / count).sqrt() })
}

/// The diagonal of a symmetric operator, estimated by the mean of `z · (A z)` over `samples` vectors of random signs
/// (Bekas et al., 2007). AdaHessian and Sophia-H keep running averages of it.
///
/// # Panics
///
/// If there are no samples.
#[track_caller]
pub fn hutchinson_diagonal<F: Real>(
    n: usize,
    samples: usize,
    rng: &mut impl Rng,
    mut apply: impl FnMut(&Array1<F>) -> Array1<F>,
) -> Array1<F> {
    assert!(samples > 0, "`hutchinson_diagonal` needs at least one sample");
    let mut sum = Array1::zeros(n);
    for _ in 0..samples {
        let z = signs(n, rng);
        sum += &(checked("hutchinson_diagonal", &z, &mut apply) * &z);
    }
    sum / F::from_f64(samples as f64)
}

/// The product with a vector.
#[track_caller]
fn checked<F: Real>(what: &str, v: &Array1<F>, apply: &mut impl FnMut(&Array1<F>) -> Array1<F>) -> Array1<F> {
    let product = apply(v);
    let (found, n) = (product.len(), v.len());
    assert_eq!(found, n, "`{what}`: a product of {found} numbers for a vector of {n}");
    product
}

/// 1 and -1 with equal chances (Rademacher).
fn signs<F: Real>(n: usize, rng: &mut impl Rng) -> Array1<F> {
    Array1::from_shape_simple_fn(n, || if rng.random() { F::ONE } else { -F::ONE })
}

/// An eigenvalue and its vector, of length 1.
#[derive(Clone, Debug, PartialEq)]
pub struct EigenPair<F> {
    /// The eigenvalue `λ`.
    pub value: F,
    /// The vector `x`.
    pub vector: Array1<F>,
    /// `‖A x - λ x‖` as the method estimates it: up to rounding, an eigenvalue of `A` is as near as this.
    pub residual: f64,
}

/// The `k` largest eigenvalues of a symmetric operator on vectors of `n` numbers, the largest first, with their
/// vectors: by value, not by magnitude; of `-A` they are the smallest. Steps are taken until each residual is at most
/// `tolerance` times the largest magnitude of an eigenvalue that was seen, or the vectors span all that the operator
/// leads to. An eigenvalue that occurs several times may be found once. No residual is asked to be below the rounding
/// of `F`.
///
/// This is Lanczos' method with full re-orthogonalisation (Parlett, "The symmetric eigenvalue problem", chapter 13):
/// a product and a kept vector for each step, some tens for the end of a Hessian's spectrum.
///
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use wengert_autodiff::{derivatives::largest_eigenpairs, ndarray::arr2};
///
/// let a = arr2(&[[2.0, 1.0], [1.0, 2.0]]);
/// let pairs = largest_eigenpairs(2, 2, 1e-12, &mut StdRng::seed_from_u64(0), |v| a.dot(v));
/// assert!((pairs[0].value - 3.0_f64).abs() < 1e-12 && (pairs[1].value - 1.0).abs() < 1e-12);
/// ```
///
/// # Panics
///
/// If `k` is more than `n`, or a product is not finite.
#[doc(alias("lanczos", "sharpness", "eigsh", "power_iteration"))]
#[track_caller]
pub fn largest_eigenpairs<F: Real>(
    n: usize,
    k: usize,
    tolerance: f64,
    rng: &mut impl Rng,
    mut apply: impl FnMut(&Array1<F>) -> Array1<F>,
) -> Vec<EigenPair<F>> {
    assert!(k <= n, "`largest_eigenpairs`: {k} eigenvalues of an operator on vectors of {n} numbers");
    if k == 0 {
        return Vec::new();
    }
    let precision = 10.0 * F::epsilon().as_f64();
    let tolerance = tolerance.max(precision);
    let mut krylov = Krylov::default();
    let (mut next, _) = unit(random(n, rng));
    let mut look_at = k.max(8);
    loop {
        let product = checked("largest_eigenpairs", &next, &mut apply);
        let along = next.dot(&product).as_f64();
        assert!(along.is_finite(), "`largest_eigenpairs`: a product is not finite");
        krylov.diagonal.push(along);
        krylov.basis.push(next);
        let (rest, length) = unit(krylov.without(product));
        assert!(length.is_finite(), "`largest_eigenpairs`: a product is not finite");
        let steps = krylov.basis.len();
        // What is left over is rounding: the vectors span all that the operator leads to from the first.
        let rounding = precision * krylov.scale();
        let at_end = steps == n || length <= rounding;
        if steps >= k && (at_end || steps >= look_at) {
            let (pairs, largest) = krylov.eigenpairs(k, if steps == n { 0.0 } else { length });
            if at_end || pairs.iter().all(|pair| pair.residual <= tolerance * largest) {
                return pairs;
            }
            look_at = steps + steps.div_ceil(4);
        }
        (next, _) = if at_end { unit(krylov.without(random(n, rng))) } else { (rest, length) };
        krylov.beside.push(if at_end { 0.0 } else { length });
    }
}

fn random<F: Real>(n: usize, rng: &mut impl Rng) -> Array1<F> {
    Array1::from_shape_simple_fn(n, || F::from_f64(rng.random_range(-1.0..1.0)))
}

/// The vector of length 1 in this direction, and how long it was.
fn unit<F: Real>(x: Array1<F>) -> (Array1<F>, f64) {
    // The squares of small and of large `f32` are numbers in `f64` only.
    let length = x.iter().map(|x| x.as_f64().powi(2)).sum::<f64>().sqrt();
    (if length > 0.0 { x.mapv_into(|x| x / F::from_f64(length)) } else { x }, length)
}

/// Orthogonal vectors in which the operator is tridiagonal.
#[derive(Default)]
struct Krylov<F> {
    basis: Vec<Array1<F>>,
    diagonal: Vec<f64>,
    beside: Vec<f64>,
}

impl<F: Real> Krylov<F> {
    fn scale(&self) -> f64 {
        self.diagonal.iter().chain(&self.beside).fold(0.0, |scale, x| scale.max(x.abs()))
    }

    /// What of `x` is orthogonal to all vectors; twice, because the first time leaves rounding behind.
    fn without(&self, mut x: Array1<F>) -> Array1<F> {
        for _ in 0..2 {
            for vector in &self.basis {
                let along = vector.dot(&x);
                x.scaled_add(-along, vector);
            }
        }
        x
    }

    /// The `k` largest, and the largest magnitude of all.
    fn eigenpairs(&self, k: usize, length: f64) -> (Vec<EigenPair<F>>, f64) {
        let steps = self.basis.len();
        let tridiagonal = Array2::from_shape_fn((steps, steps), |(i, j)| match i.abs_diff(j) {
            0 => self.diagonal[i],
            1 => self.beside[i.min(j)],
            _ => 0.0,
        });
        let (values, vectors) = jacobi(tridiagonal);
        let largest = values.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let mut order: Vec<usize> = (0..steps).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let pair = |&at: &usize| {
            let parts = vectors.column(at);
            let mut vector = Array1::zeros(self.basis[0].len());
            for (&part, basis) in parts.iter().zip(&self.basis) {
                vector.scaled_add(F::from_f64(part), basis);
            }
            EigenPair { value: F::from_f64(values[at]), vector, residual: length * parts[steps - 1].abs() }
        };
        (order[..k].iter().map(pair).collect(), largest)
    }
}

/// The eigenvalues of a symmetric matrix, and their vectors as columns, by rotations (Jacobi, 1846).
fn jacobi(mut a: Array2<f64>) -> (Array1<f64>, Array2<f64>) {
    let n = a.nrows();
    let mut vectors = Array2::eye(n);
    let negligible = f64::EPSILON * a.iter().map(|x| x * x).sum::<f64>().sqrt();
    loop {
        let mut turned = false;
        for i in 0..n {
            for j in i + 1..n {
                if a[[i, j]].abs() > negligible {
                    // The smaller of the two angles, at most 45°.
                    let ratio = (a[[j, j]] - a[[i, i]]) / (2.0 * a[[i, j]]);
                    let tan = ratio.signum() / (ratio.abs() + ratio.hypot(1.0));
                    let cos = tan.hypot(1.0).recip();
                    let sin = tan * cos;
                    rotate(&mut a.view_mut().reversed_axes(), i, j, sin, cos);
                    rotate(&mut a.view_mut(), i, j, sin, cos);
                    rotate(&mut vectors.view_mut(), i, j, sin, cos);
                    (a[[i, j]], a[[j, i]]) = (0.0, 0.0);
                    turned = true;
                }
            }
        }
        if !turned {
            return (a.diag().to_owned(), vectors);
        }
    }
}

/// Turns the columns `i` and `j`.
fn rotate(a: &mut ArrayViewMut2<'_, f64>, i: usize, j: usize, sin: f64, cos: f64) {
    for mut row in a.rows_mut() {
        let (x, y) = (row[i], row[j]);
        row[i] = cos * x - sin * y;
        row[j] = sin * x + cos * y;
    }
}
