//! What `derivatives` gives, against closed forms.

mod panics;

use ndarray::{Array1, Array2, arr2, array};
use panics::assert_panics;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wengert_autodiff::derivatives::{
    EigenPair, empirical_fisher_product, gauss_newton_product, grad, hessian, hutchinson_diagonal,
    hutchinson_trace, hvp, jacobian, jvp, laplacian, largest_eigenpairs, lift, parameters_to_vector,
    value_and_grad, vector_to_gradients, vector_to_parameters,
};
use wengert_autodiff::{Dual, IntoTensor, Module, Param, Real, Tape, Tensor, Var};

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * b.abs().max(1.0)
}

/// The third derivative of ten functions, from their formulas.
#[test]
fn third_derivatives_are_those_of_the_formulas() {
    type Number = Dual<Dual<f64>>;
    type Function = for<'t> fn(Var<'t, Number>) -> Var<'t, Number>;
    type Third = fn(f64) -> f64;
    let functions: [(&str, Function, Third); 10] = [
        ("exp", |x| x.exp(), f64::exp),
        ("ln", |x| x.ln(), |x| 2.0 / x.powi(3)),
        ("sin", |x| x.sin(), |x| -x.cos()),
        ("sqrt", |x| x.sqrt(), |x| 0.375 * x.powf(-2.5)),
        ("recip", |x| x.recip(), |x| -6.0 / x.powi(4)),
        ("powi", |x| x.powi(5), |x| 60.0 * x * x),
        ("powf", |x| x.powf(2.5), |x| 1.875 / x.sqrt()),
        (
            "tanh",
            |x| x.tanh(),
            |x| {
                let square = x.tanh().powi(2);
                -2.0 * (1.0 - square) * (1.0 - 3.0 * square)
            },
        ),
        ("atan", |x| x.atan(), |x| (6.0 * x * x - 2.0) / (1.0 + x * x).powi(3)),
        (
            "sigmoid",
            |x| x.sigmoid(),
            |x| {
                let s = 1.0 / (1.0 + (-x).exp());
                s * (1.0 - s) * (1.0 - 6.0 * s + 6.0 * s * s)
            },
        ),
    ];
    for (name, f, third) in functions {
        for at in [0.3, 1.0, 1.7] {
            let tape = Tape::new();
            let x = tape.variable(Dual::new(Dual::new(at, 1.0), Dual::new(1.0, 0.0)));
            let grads = f(x).backward();
            let found = grads.wrt(x).unwrap().first().unwrap().tangent.tangent;
            assert!(near(found, third(at), 1e-12), "{name} at {at}: {found} instead of {}", third(at));
        }
    }
}

/// `f = ½ xᵀ A x + Σ sin x`, of two parameters and a frozen one.
fn field<'t, F: Real>(model: &[Param<F>], tape: &'t Tape<F>) -> Var<'t, F> {
    let x = Var::concat(&[tape.param(&model[0]), tape.param(&model[1])], 0);
    let a = tape.constant(matrix().mapv(F::from_f64));
    x.matmul(a.matmul(x)) * F::from_f64(0.5) + x.sin().sum() + tape.param(&model[2]).sum()
}

fn matrix() -> Array2<f64> {
    arr2(&[[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]])
}

fn model<F: Real>() -> Vec<Param<F>> {
    let mut model: Vec<_> = [&[0.1, 0.2][..], &[0.3], &[9.0]]
        .map(|x| Param::new(x.iter().map(|&x| F::from_f64(x)).collect::<Vec<_>>()))
        .into();
    model.freeze("2");
    model
}

#[test]
fn a_hessian_is_the_closed_form_without_the_frozen() {
    let mut dual = model::<Dual<f64>>();
    let x = array![0.1_f64, 0.2, 0.3];
    let expected = matrix() - Array2::from_diag(&x.mapv(f64::sin));
    let h = hessian(&mut dual, |model, tape| field(model, tape));
    assert!(h.iter().zip(&expected).all(|(&a, &b)| near(a, b, 1e-14)), "{h}");
    let v = array![1.0, -2.0, 0.5];
    let found = hvp(&mut dual, &v, |model, tape| field(model, tape));
    let gradient = matrix().dot(&x) + x.mapv(f64::cos);
    assert!(found.product.iter().zip(&expected.dot(&v)).all(|(&a, &b)| near(a, b, 1e-14)), "{found:?}");
    assert!(found.gradient.iter().zip(&gradient).all(|(&a, &b)| near(a, b, 1e-14)), "{found:?}");
    // Nothing is left that moves.
    assert!(dual.iter().flat_map(|param| param.value()).all(|x| x.tangent == 0.0));
    let plain = model::<f64>();
    let (loss, g) = value_and_grad(&plain, |model, tape| field(model, tape));
    assert_eq!((loss, g), (found.loss, found.gradient));
}

#[test]
fn vectors_and_models_are_the_same_numbers() {
    let mut plain = model::<f64>();
    assert_eq!(parameters_to_vector(&plain), array![0.1, 0.2, 0.3]);
    vector_to_parameters(&array![1.0, 2.0, 3.0], &mut plain);
    assert_eq!(plain[1].value(), &[3.0].into_tensor());
    assert_eq!(plain[2].value(), &[9.0].into_tensor());
    let grads = vector_to_gradients(&array![5.0, 6.0, 7.0], &plain);
    assert_eq!(grads.get(&plain[0]), Some(&[5.0, 6.0].into_tensor()));
    assert!(grads.get(&plain[2]).is_none());
    let mut dual: Vec<Param<Dual<f64>>> = [2, 2, 1].map(|n| Param::new(vec![Dual::ZERO; n])).into();
    let error = lift(&plain, &mut dual).unwrap_err();
    assert_eq!(error.mismatched.len(), 1, "{error}");
    assert!(dual[0].value().iter().all(|x| x.value == 0.0), "changed in spite of the error");
    let mut dual = model::<Dual<f64>>();
    dual.unfreeze("*");
    lift(&plain, &mut dual).unwrap();
    assert!(dual[2].is_frozen() && !dual[0].is_frozen());
    assert_eq!(Dual::values(dual[0].value()), [1.0, 2.0].into_tensor());
}

#[test]
fn functions_of_arrays_have_their_closed_forms() {
    let a = matrix().into_tensor();
    let x = array![0.1, 0.2, 0.3].into_tensor();
    let j = jacobian(|x| x.tape().constant(a.mapv(Dual::from)).matmul(x), &x);
    assert_eq!(j, a);
    assert_eq!(jacobian(|x| x.exp().sum(), &x), x.mapv(f64::exp).into_shared());
    let empty = Tensor::<f64>::zeros(vec![0]);
    assert_eq!(jacobian(|x| x.square(), &empty).shape(), [0, 0]);
    assert_eq!(jacobian(|x| x.reshape(&[3, 1]), &x).shape(), [3, 1, 3]);
    let (y, along) = jvp(|x| x[0] * x[1], &[x.clone(), x.clone()], &[x.clone(), Tensor::zeros(x.raw_dim())]);
    assert_eq!((&y, &along), (&(&x * &x).into_shared(), &(&x * &x).into_shared()));
    let unused = grad(|x| x[0].sum(), &[x.clone(), x.clone()]);
    assert_eq!(unused, [Tensor::ones(x.raw_dim()), Tensor::zeros(x.raw_dim())]);
    // Of exp(a·x): |a|² exp(a·x).
    let points = arr2(&[[0.0, 0.0], [0.5, -1.0]]).into_tensor();
    let found = laplacian(|x| x.matmul(x.tape().constant([1.0, 2.0].map(Dual::from_f64))).exp(), &points);
    assert!(near(found[0], 5.0, 1e-14) && near(found[1], 5.0 * (-1.5_f64).exp(), 1e-14), "{found}");
}

/// Where the outputs are linear in the parameters, it is the Hessian.
#[test]
fn the_gauss_newton_matrix_is_that_of_the_linear_model() {
    let x = arr2(&[[1.0, 2.0], [3.0, -1.0], [0.5, 1.5]]);
    let mut w = Param::new([[Dual::from(0.3), Dual::from(-0.2)], [Dual::from(0.1), Dual::from(0.4)]]);
    let v = array![1.0, -1.0, 0.5, 2.0];
    let product = gauss_newton_product(
        &mut w,
        &v,
        |w, tape| tape.constant(x.mapv(Dual::from)).linear(tape.param(w), None),
        |y| y.cross_entropy(&[0, 1, 1]),
    );
    let full = hvp(&mut w, &v, |w, tape| {
        tape.constant(x.mapv(Dual::from)).linear(tape.param(w), None).cross_entropy(&[0, 1, 1])
    });
    for (a, b) in product.iter().zip(&full.product) {
        assert!(near(*a, *b, 1e-14), "{product} and {}", full.product);
    }
}

fn symmetric(n: usize, eigenvalues: impl Fn(usize) -> f64) -> Array2<f64> {
    // Reflections keep the eigenvalues.
    let mut rng = StdRng::seed_from_u64(3);
    let mut a = Array2::from_diag(&Array1::from_shape_fn(n, eigenvalues));
    for _ in 0..3 {
        let u = Array1::from_shape_simple_fn(n, || rng.random_range(-1.0..1.0));
        let outer = Array2::from_shape_fn((n, n), |(i, j)| u[i] * u[j]) * (2.0 / u.dot(&u));
        let reflection = Array2::eye(n) - outer;
        a = reflection.dot(&a).dot(&reflection);
    }
    a
}

#[test]
fn the_largest_eigenvalues_are_found_with_their_vectors() {
    type Eigenvalue = fn(usize) -> f64;
    let cases: [(usize, usize, Eigenvalue); 8] = [
        (1, 1, |_| -3.0),
        (5, 5, |i| i as f64 - 2.0),
        (60, 4, |i| 1.0 / (1.0 + i as f64)),
        (60, 2, |i| if i == 0 { 1e6 } else { i as f64 * 1e-3 }),
        (60, 3, |i| -(i as f64) - 1.0),
        (40, 1, |_| 0.0),
        (40, 2, |i| if i < 3 { 10.0 - i as f64 } else { 0.0 }),
        (200, 3, |i| (i as f64).sqrt()),
    ];
    for (n, k, eigenvalue) in cases {
        let a = symmetric(n, eigenvalue);
        let mut products = 0;
        let pairs: Vec<EigenPair<f64>> =
            largest_eigenpairs(n, k, 1e-10, &mut StdRng::seed_from_u64(0), |v| {
                products += 1;
                a.dot(v)
            });
        let mut expected: Vec<f64> = (0..n).map(eigenvalue).collect();
        expected.sort_by(|a, b| b.total_cmp(a));
        let scale = expected.iter().fold(0.0_f64, |scale, x| scale.max(x.abs()));
        assert_eq!(pairs.len(), k);
        for (pair, &expected) in pairs.iter().zip(&expected) {
            assert!(
                (pair.value - expected).abs() <= 1e-9 * scale,
                "{n}: {} instead of {expected}",
                pair.value
            );
            assert!(near(pair.vector.dot(&pair.vector), 1.0, 1e-12));
            let residual = a.dot(&pair.vector) - &pair.vector * pair.value;
            assert!(residual.dot(&residual).sqrt() <= 1e-9 * scale, "{n}, {expected}: {pair:?}");
        }
        assert!(products <= n, "{n}: {products} products");
    }
}

/// What rounds off is not the end, however long the vectors are, and no precision is asked that they do not have.
#[test]
fn long_vectors_in_single_precision_have_their_largest_eigenvalue() {
    let n = 50_000;
    let diagonal = Array1::from_shape_fn(n, |i| if i == 7_000 { 1.0 } else { 0.5 * i as f32 / n as f32 });
    let mut products = 0;
    let pairs = largest_eigenpairs(n, 1, 0.0, &mut StdRng::seed_from_u64(0), |v| {
        products += 1;
        &diagonal * v
    });
    assert!((pairs[0].value - 1.0).abs() < 1e-4, "{}", pairs[0].value);
    assert!((pairs[0].vector[7_000].abs() - 1.0).abs() < 1e-3);
    assert!(products < 100, "{products} products");
    // One number far from the rest does not hide the second; and a bulk without a gap has its end.
    let rng = &mut StdRng::seed_from_u64(0);
    let outlier = Array1::from_shape_fn(5000, |i| if i == 0 { 100.0 } else { i as f32 / 5000.0 });
    let pairs = largest_eigenpairs(5000, 2, 1e-6, rng, |v| &outlier * v);
    assert!(
        (pairs[0].value - 100.0).abs() < 1e-3 && (pairs[1].value - 1.0).abs() < 1e-3,
        "{}",
        pairs[1].value
    );
    for scale in [1e-25, 1.0, 1e25] {
        let diagonal = Array1::from_shape_fn(100, |i| (i + 1) as f32 * scale);
        let pairs = largest_eigenpairs(100, 1, 1e-5, rng, |v| &diagonal * v);
        assert!((pairs[0].value / scale - 100.0).abs() < 1e-2, "{scale}: {}", pairs[0].value / scale);
    }
}

/// Only the direction moves.
#[test]
fn tangents_that_were_there_do_not_count() {
    let mut model = vec![Param::new(Dual::new(2.0, 1.0)), Param::new(Dual::new(3.0, 5.0))];
    model.freeze("0");
    let loss = |model: &Vec<Param<Dual<f64>>>| {
        let direction = array![0.0];
        hvp(&mut model.clone(), &direction, |model, tape| {
            tape.param(&model[0]) * tape.param(&model[1]).square()
        })
    };
    assert_eq!(loss(&model).product, array![0.0]);
}

/// What a function tends to.
#[test]
fn tangents_at_infinity_and_at_0_are_limits() {
    use num_traits::Float;

    let infinity = Dual::new(f64::INFINITY, 1.0);
    assert_eq!(infinity.normal().1.tangent, 0.0);
    assert_eq!((-infinity).normal().0.tangent, 0.0);
    assert_eq!(infinity.cbrt().tangent, 0.0);
    assert_eq!(Dual::new(0.0, 1.0).cbrt().tangent, f64::INFINITY);
    assert_eq!(infinity.hypot(Dual::new(1.0, 3.0)).tangent, 1.0);
    assert_eq!(infinity.atan().tangent, 0.0);
    let nested = Dual::new(infinity, Dual::new(1.0, 0.0));
    assert_eq!((nested.erf().tangent.value, nested.erf().tangent.tangent), (0.0, 0.0));
    assert_eq!((nested.atan().tangent.value, nested.atan().tangent.tangent), (0.0, 0.0));
    // ∂²xᵖ/∂x∂p = 1/x at p = 0.
    let x = Dual::new(Dual::new(2.0, 0.0), Dual::new(1.0, 0.0));
    let p = Dual::new(Dual::new(0.0, 1.0), Dual::new(0.0, 0.0));
    assert_eq!(x.powf(p).tangent.tangent, 0.5);
    assert!(Dual::new(1.5, 1.0).powi(i32::MIN).tangent.is_finite());
}

#[test]
fn traces_and_diagonals_are_within_their_error() {
    let a = symmetric(50, |i| i as f64 / 10.0);
    let rng = &mut StdRng::seed_from_u64(1);
    let trace = a.diag().sum();
    let (estimate, error) = hutchinson_trace(50, 400, rng, |v| a.dot(v));
    assert!(error > 0.0 && (estimate - trace).abs() < 4.0 * error, "{estimate} ± {error} for {trace}");
    assert!(error < 0.05 * trace, "{error}");
    let diagonal = hutchinson_diagonal(50, 4000, rng, |v| a.dot(v));
    for (i, (&found, &expected)) in diagonal.iter().zip(a.diag()).enumerate() {
        // The variance of one sample is the sum of the squares beside the diagonal.
        let beside: f64 = a.row(i).iter().enumerate().filter(|&(j, _)| i != j).map(|(_, x)| x * x).sum();
        assert!((found - expected).abs() < 5.0 * (beside / 4000.0).sqrt(), "{i}: {found} for {expected}");
    }
}

#[test]
#[rustfmt::skip]
fn mistakes_panic_at_the_callers_line() {
    let mut x = Param::new([Dual::from(1.0), Dual::from(2.0)]);
    let (one, two) = (array![1.0], array![1.0, 2.0]);
    assert_panics(&["`hvp`", "vector of 1", "2 parameters"],
        || _ = hvp(&mut x, &one, |x, tape| tape.param(x).sum()));
    assert_panics(&["one element", "[2]"], || _ = hvp(&mut x, &two, |x, tape| tape.param(x).exp()));
    assert_panics(&["gradient"], || _ = hvp(&mut x, &two, |_, tape| tape.constant(Dual::ONE)));
    assert_panics(&["`add`", "[2]", "[3]"],
        || _ = hvp(&mut x, &two, |x, tape| (tape.param(x) + tape.constant([Dual::ONE; 3])).sum()));
    assert_panics(&["single number", "[2]"],
        || _ = gauss_newton_product(&mut x, &two, |x, tape| tape.param(x).exp(), |y| y));
    assert_panics(&["one element", "[2]"], || _ = hessian(&mut x, |x, tape| tape.param(x).exp()));
    let plain = Param::new([1.0, 2.0]);
    assert_panics(&["`vector_to_gradients`", "vector of 1", "2 parameters"],
        || _ = vector_to_gradients(&one, &plain));
    assert_panics(&["`vector_to_parameters`", "vector of 1", "2 parameters"],
        || vector_to_parameters(&one, &mut plain.clone()));
    assert_panics(&["`empirical_fisher_product`", "vector of 1"],
        || _ = empirical_fisher_product(&plain, &one, 1, |x, tape, _| tape.param(x).sum()));
    let (a, b) = ([1.0].into_tensor(), [1.0, 2.0].into_tensor());
    assert_panics(&["`jvp`", "as many"], || _ = jvp(|x| x[0], std::slice::from_ref(&a), &[]));
    assert_panics(&["same shape", "[1]", "[2]"],
        || _ = jvp(|x| x[0], std::slice::from_ref(&a), std::slice::from_ref(&b)));
    assert_panics(&["single number", "[2]"], || _ = grad(|x| x[0], std::slice::from_ref(&b)));
    assert_panics(&["`laplacian`", "[2]", "[n, d]"], || _ = laplacian(|x| x, &b));
    assert_panics(&["`laplacian`", "[1, 2]"], || _ = laplacian(|x| x, &[[1.0, 2.0]].into_tensor()));
    let rng = &mut StdRng::seed_from_u64(0);
    assert_panics(&["`largest_eigenpairs`", "3", "2"],
        || _ = largest_eigenpairs(2, 3, 1e-3, rng, |v: &Array1<f64>| v.clone()));
    assert_panics(&["not finite"],
        || _ = largest_eigenpairs(2, 1, 1e-3, rng, |v: &Array1<f64>| v / 0.0));
    assert_panics(&["`hutchinson_diagonal`", "1 numbers", "of 2"],
        || _ = hutchinson_diagonal(2, 1, rng, |_: &Array1<f64>| array![1.0]));
    assert_panics(&["`largest_eigenpairs`", "1 numbers", "of 2"],
        || _ = largest_eigenpairs(2, 1, 1e-3, rng, |_: &Array1<f64>| array![1.0]));
    assert_panics(&["`hutchinson_trace`"], || _ = hutchinson_trace(2, 0, rng, |v: &Array1<f64>| v.clone()));
    assert_panics(&["`hutchinson_diagonal`"],
        || _ = hutchinson_diagonal(2, 0, rng, |v: &Array1<f64>| v.clone()));
}
