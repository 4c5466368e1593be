//! What the exercise asks for. A copy of this file grades you, so there is no use in changing it.

use exercise::{Array, Tape, Var, sum_to};
use wengert::ndarray::IxDyn;

fn array(shape: &[usize], values: &[f64]) -> Array {
    Array::from_shape_vec(IxDyn(shape), values.to_vec()).unwrap()
}

fn counted(shape: &[usize]) -> Array {
    let count: usize = shape.iter().product();
    array(shape, &(0..count).map(|k| 0.5 * k as f64 - 1.0).collect::<Vec<_>>())
}

fn same(what: &str, found: &Array, expected: &Array, hint: &str) {
    let (shape, right) = (found.shape(), expected.shape());
    assert!(shape == right, "{what} has the shape {shape:?}, expected {right:?}: {hint}");
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() <= 1e-9 * b.abs().max(1.0));
    let [found, expected] = [found, expected].map(|array| array.mapv(|x| (x * 1e6).round() / 1e6));
    assert!(close, "{what} is\n{found}, expected\n{expected}: {hint}");
}

/// The gradient of `sum(weights * f(a, b))` from differences, and from the tape.
fn check(what: &str, a: &Array, b: &Array, hint: &str, f: for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>) {
    let loss = |a: &Array, b: &Array| {
        let tape = Tape::new();
        let (a, b) = (tape.var(a.clone()), tape.var(b.clone()));
        let y = f(a, b);
        let weights = tape.var(y.value().mapv(|_| 0.0) + counted(y.value().shape()));
        let loss = y.mul(weights).sum();
        let gradients = loss.backward();
        (loss.value().sum(), gradients.of(a), gradients.of(b))
    };
    let numeric = |of: &Array, at: &dyn Fn(&Array) -> f64| {
        let slope = |i: usize| {
            let moved = |by: f64| {
                let mut moved = of.clone();
                *moved.iter_mut().nth(i).unwrap() += by;
                at(&moved)
            };
            (moved(1e-3) - moved(-1e-3)) / 2e-3
        };
        array(of.shape(), &(0..of.len()).map(slope).collect::<Vec<_>>())
    };
    let (_, da, db) = loss(a, b);
    let shapes = format!("{:?} and {:?}", a.shape(), b.shape());
    same(
        &format!("the gradient of the first of {what}, {shapes}"),
        &da,
        &numeric(a, &|a| loss(a, b).0),
        hint,
    );
    same(
        &format!("the gradient of the second of {what}, {shapes}"),
        &db,
        &numeric(b, &|b| loss(a, b).0),
        hint,
    );
}

#[test]
fn sums_down() {
    let x = counted(&[2, 3]);
    let hint = "sum over the axes that were stretched";
    same("sum_to [2, 3]", &sum_to(&x, &[2, 3]), &x, "nothing was stretched");
    same("sum_to [3]", &sum_to(&x, &[3]), &array(&[3], &[-0.5, 0.5, 1.5]), hint);
    same("sum_to [1, 3]", &sum_to(&x, &[1, 3]), &array(&[1, 3], &[-0.5, 0.5, 1.5]), hint);
    same(
        "sum_to [2, 1]",
        &sum_to(&x, &[2, 1]),
        &array(&[2, 1], &[-1.5, 3.0]),
        "the axis stays, with length 1",
    );
    same("sum_to [1]", &sum_to(&x, &[1]), &array(&[1], &[1.5]), hint);
    same("sum_to []", &sum_to(&x, &[]), &array(&[], &[1.5]), hint);
}

#[test]
fn sums() {
    let tape = Tape::new();
    let x = tape.var(counted(&[2, 3]));
    let y = x.mul(x).sum();
    same("the sum of squares", &y.value(), &array(&[], &[4.75]), "all elements");
    same(
        "the gradient of a sum",
        &x.sum().backward().of(x),
        &array(&[2, 3], &[1.0; 6]),
        "the gradient has the shape of the variable",
    );
    let square = x.sum().mul(x.sum());
    same(
        "the gradient of a sum, squared",
        &square.backward().of(x),
        &array(&[2, 3], &[3.0; 6]),
        "every element has the derivative 1, times the gradient of the sum",
    );
    same(
        "the gradient of the sum of squares",
        &y.backward().of(x),
        &(counted(&[2, 3]) * 2.0),
        "the gradient has the shape of the variable",
    );
}

#[test]
fn products() {
    let hint = "the upstream gradient times the other factor, summed to the own shape";
    for (a, b) in
        [(vec![2, 3], vec![2, 3]), (vec![2, 3], vec![2, 1]), (vec![3], vec![4, 3]), (vec![2, 2], vec![])]
    {
        check("a product", &counted(&a), &counted(&b), hint, |a, b| a.mul(b));
    }
}

#[test]
fn additions() {
    let hint = "a row that was added to every row gets the sum over the rows";
    for (a, b) in
        [(vec![2, 3], vec![2, 3]), (vec![2, 3], vec![3]), (vec![2, 1], vec![1, 3]), (vec![], vec![2, 2])]
    {
        check("a sum", &counted(&a), &counted(&b), hint, |a, b| a.add(b));
    }
}

#[test]
fn matrix_products() {
    let tape = Tape::new();
    let y = tape.var(counted(&[2, 3])).matmul(tape.var(counted(&[3, 2])));
    same(
        "[2, 3] times [3, 2]",
        &y.value(),
        &array(&[2, 2], &[1.0, 0.25, 1.0, 2.5]),
        "the value of the product",
    );
    check("a matrix product", &counted(&[2, 3]), &counted(&[3, 4]), "da = dc bᵀ, db = aᵀ dc", |a, b| {
        a.matmul(b)
    });
}

#[test]
fn a_layer() {
    let hint = "matmul and a broadcast bias together";
    check("x w + b used twice", &counted(&[3, 3]), &counted(&[3]), hint, |x, b| x.matmul(x).add(b).mul(b));
}
