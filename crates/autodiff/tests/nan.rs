//! A NaN must come through ops that compare: an ordinary number in its place would hide where a run went wrong.

use ndarray::arr1;
use wengert_autodiff::{Tape, Var};

type Op = for<'t> fn(Var<'t, f64>, Var<'t, f64>) -> Var<'t, f64>;

const OPS: [(&str, Op); 12] = [
    ("maximum, on the left", |nan, one| nan.maximum(one)),
    ("maximum, on the right", |nan, one| one.maximum(nan)),
    ("minimum, on the left", |nan, one| nan.minimum(one)),
    ("minimum, on the right", |nan, one| one.minimum(nan)),
    ("max, first", |nan, one| Var::concat(&[nan, one], 0).max()),
    ("max, last", |nan, one| Var::concat(&[one, nan], 0).max()),
    ("min, first", |nan, one| Var::concat(&[nan, one], 0).min()),
    ("min, last", |nan, one| Var::concat(&[one, nan], 0).min()),
    ("relu", |nan, _| nan.relu()),
    ("clamp", |nan, _| nan.clamp(-1.0, 1.0)),
    ("sign", |nan, _| nan.sign()),
    ("abs", |nan, _| nan.abs()),
];

#[test]
fn ops_that_compare_keep_nan() {
    for (name, op) in OPS {
        let tape = Tape::new();
        let (nan, one) = (tape.constant(arr1(&[f64::NAN])), tape.constant(arr1(&[1.0])));
        assert!(op(nan, one).item().is_nan(), "{name}: {}", op(nan, one).item());
    }
}
