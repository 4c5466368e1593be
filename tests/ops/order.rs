//! Deviations, norms, running sums, order and comparisons where numbers are extreme, equal or NaN; labels as rows.

use ndarray::{arr1, arr2};
use wengert_autodiff::{IntoTensor, Tape, Tensor, Var};

fn value_and_gradient(x: &[f32], op: impl Fn(Var<'_>) -> Var<'_>) -> (f32, Vec<f32>) {
    let tape = Tape::new();
    let x = tape.variable(x.to_vec());
    let y = op(x);
    (y.item(), y.backward().wrt(x).expect("a gradient").iter().copied().collect())
}

#[test]
fn a_deviation_and_a_norm_neither_overflow_nor_underflow() {
    for size in [1e30_f32, 1e-30, 1e-42, 1.0] {
        let close = |found: f32, right: f32| (found - right).abs() <= 3e-7 * right.abs() + 3e-45;
        let check = |what: &str, op: fn(Var<'_>) -> Var<'_>, right: f32, slopes: [f32; 2]| {
            let (y, dx) = value_and_gradient(&[3.0 * size, -4.0 * size], op);
            assert!(close(y, right * size), "{what} at {size}: {y}");
            let near = |i: usize| (dx[i] - slopes[i]).abs() <= 1e-5 || size < 1e-40;
            assert!(near(0) && near(1), "{what} at {size}: {dx:?}");
        };
        let cube = 91_f32.cbrt();
        check("norm 2", |x| x.norm(2.0), 5.0, [0.6, -0.8]);
        check("norm 3", |x| x.norm(3.0), cube, [9.0 / cube.powi(2), -16.0 / cube.powi(2)]);
        check("norm 1", |x| x.norm(1.0), 7.0, [1.0, -1.0]);
        check("norm ∞", |x| x.norm(f64::INFINITY), 4.0, [0.0, -1.0]);
        check("std", |x| x.std(0), 3.5, [0.5, -0.5]);
    }
    assert_eq!(value_and_gradient(&[f32::NEG_INFINITY, 1.0], |x| x.norm(2.0)).0, f32::INFINITY);
    assert!(value_and_gradient(&[f32::NAN, 1.0], |x| x.norm(2.0)).0.is_nan());
}

#[test]
fn where_nothing_has_a_length_the_gradient_is_0() {
    for p in [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, f64::INFINITY] {
        assert_eq!(value_and_gradient(&[0.0, 0.0], |x| x.norm(p)), (0.0, vec![0.0, 0.0]), "p = {p}");
    }
    assert_eq!(value_and_gradient(&[2.0, 2.0], |x| x.std(1)), (0.0, vec![0.0, 0.0]));
    assert_eq!(value_and_gradient(&[0.0, 5.0, -1.0], |x| x.norm(0.0)), (2.0, vec![0.0; 3]));
}

/// One after the other, a million tenths in single precision make 100,958.
#[test]
fn a_running_sum_keeps_what_rounding_takes() {
    let tape = Tape::new();
    let x = tape.variable(Tensor::<f32>::from_elem(vec![1_000_000], 0.1));
    let y = x.cumsum(0);
    assert!((y.value()[999_999] - 1e5).abs() < 0.02, "{:?}", y.value()[999_999]);
    let infinite = tape.constant([1.0, f32::INFINITY, 2.0, f32::NEG_INFINITY]).cumsum(0).value();
    let dx = (y * 0.1).sum().backward();
    let dx = dx.wrt(x).unwrap()[0];
    assert!((dx - 1e5).abs() < 0.02, "{dx}");
    assert_eq!(infinite.as_slice().unwrap()[..3], [1.0, f32::INFINITY, f32::INFINITY]);
    assert!(infinite[3].is_nan());
}

#[test]
fn the_first_of_equals_comes_first_and_nan_before_all() {
    let tape = Tape::new();
    let x = tape.constant([[1.0, 3.0, 3.0, 0.0], [f32::NAN, 5.0, f32::NAN, 7.0], [0.0, -0.0, 0.0, -0.0]]);
    assert_eq!(x.argmax(1), arr1(&[1, 0, 0]).into_dyn());
    assert_eq!(x.argmin(-1), arr1(&[3, 0, 0]).into_dyn());
    assert_eq!(x.argmax(0), arr1(&[1, 1, 1, 1]).into_dyn());
    let down = arr2(&[[1, 2, 0, 3], [0, 2, 3, 1], [0, 1, 2, 3]]).into_dyn();
    assert_eq!(x.sort(1, true).1, down);
    let up = arr2(&[[3, 0, 1, 2], [1, 3, 0, 2], [0, 1, 2, 3]]).into_dyn();
    assert_eq!(x.sort(1, false).1, up);
    assert_eq!(
        x.topk(2, 1).1,
        down.slice_each_axis(|a| if a.axis.index() == 1 { (..2).into() } else { (..).into() })
    );
    assert_eq!(x.topk(0, 1).0.shape(), [3, 0]);
}

#[test]
fn a_label_becomes_a_row() {
    let tape = Tape::<f64>::new();
    assert_eq!(tape.one_hot(&[1, 1, 0], 2).value(), [[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]].into_tensor());
    assert_eq!(tape.one_hot(&[], 4).shape(), [0, 4]);
}

#[test]
fn a_comparison_is_0_or_1_and_has_no_gradient() {
    type Compare = for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>;
    let tape = Tape::new();
    let a = tape.variable([1.0, 2.0, 3.0, 0.0, f32::NAN, f32::NAN, f32::INFINITY]);
    let b = tape.variable([2.0, 2.0, 2.0, -0.0, 1.0, f32::NAN, f32::INFINITY]);
    let table: [(Compare, [f32; 7]); 6] = [
        (|a, b| a.gt(b), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
        (|a, b| a.ge(b), [0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]),
        (|a, b| a.lt(b), [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        (|a, b| a.le(b), [1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0]),
        (|a, b| a.eq(b), [0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0]),
        (|a, b| a.ne(b), [1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]),
    ];
    let mut counted = tape.constant(0.0);
    for (compare, right) in table {
        assert_eq!(compare(a, b).value(), right.into_tensor());
        counted += compare(a, b).sum();
    }
    assert!((counted + b.slice(0, 0..1).sum()).backward().wrt(a).is_none());
}

#[test]
fn a_sum_of_tensors_needs_one_and_adds_in_pairs() {
    let tape = Tape::new();
    let tenths: Var<'_> = (0..100_000).map(|_| tape.constant(0.1)).sum();
    assert!((tenths.item() - 1e4).abs() < 0.01, "{}", tenths.item());
    let empty = std::panic::catch_unwind(|| std::iter::empty::<Var<'_>>().sum::<Var<'_>>().item());
    assert!(empty.is_err());
}
