//! A view shares its parameter's array, and `backward` gives the array back, so that the optimizer writes in place.

use ndarray::{arr1, arr2};
use wengert_autodiff::{Param, Tape, Var};

type View = for<'t> fn(Var<'t>) -> Var<'t>;

/// The parameter has shape [2, 3].
const VIEWS: [(&str, View); 12] = [
    ("the parameter itself", |w| w),
    ("reshape", |w| w.reshape(&[3, 2])),
    ("t", |w| w.t()),
    ("transpose", |w| w.transpose(0, 1)),
    ("permute", |w| w.permute(&[1, 0])),
    ("slice", |w| w.slice(1, 0..2)),
    ("a whole slice", |w| w.slice(0, 0..2)),
    ("views of views", |w| w.t().slice(0, 1..3).reshape(&[4])),
    ("detach", |w| w.detach() * w),
    ("a sum over no axes", |w| w.sum_axes(&[], false)),
    ("a mean over no axes", |w| w.mean_axes(&[], true)),
    ("a maximum over no axes", |w| w.max_axes(&[], false)),
];

fn weight() -> Param {
    arr2(&[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).into()
}

#[test]
fn after_backward_writing_to_the_parameter_keeps_its_array() {
    for (name, view) in VIEWS {
        let mut param = weight();
        let tape = Tape::new();
        let before = param.value().as_ptr();
        let grads = view(tape.param(&param)).square().sum().backward();
        param.value_mut()[[0, 0]] = 7.0;
        assert_eq!(param.value().as_ptr(), before, "{name}: the array was copied");
        assert!(grads.get(&param).is_some(), "{name}");
    }
}

#[test]
fn views_share_the_array_until_then() {
    let param = weight();
    let tape = Tape::new();
    let inside = param.value().as_slice().unwrap().as_ptr_range();
    for (name, view) in &VIEWS[..8] {
        let y = view(tape.param(&param)).value();
        // Transposed, then reshaped: the only one that must move elements.
        assert_eq!(inside.contains(&y.as_ptr()), *name != "views of views", "{name}");
    }
}

#[test]
fn gradients_of_leaves_are_in_row_major_order() {
    let param = weight();
    let tape = Tape::new();
    let x = tape.variable(arr2(&[[1.0, 2.0], [3.0, 4.0]]));
    let scale = tape.constant(arr1(&[1.0_f32, 10.0]));
    let loss = (tape.param(&param).t() * scale).sum() + (x.t() * scale).sum();
    let grads = loss.backward();
    assert_eq!(grads.get(&param).unwrap().as_slice().unwrap(), [1.0, 1.0, 1.0, 10.0, 10.0, 10.0]);
    assert_eq!(grads.wrt(x).unwrap().as_slice().unwrap(), [1.0, 1.0, 10.0, 10.0]);
}
