//! Sums and their relatives, extremes and their places, running sums.

use wengert_autodiff::ndarray::Axis;
use wengert_autodiff::{Real, Var};

use crate::graph::{Call, Done, How, Result, composed, direct, several};
use crate::value::indices;

pub fn run<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    let op = call.node.op.as_str();
    if op.starts_with("Reduce") {
        return reduce(call);
    }
    match op {
        "ArgMax" | "ArgMin" => Some(extreme(call)),
        "TopK" => Some(topk(call)),
        "CumSum" => Some(running(call, |x, axis| x.cumsum(axis), 0.0)),
        "CumProd" => Some(running(call, |x, axis| x.cumprod(axis), 1.0)),
        "Softmax" => Some(direct(call.x(0).softmax(call.int("axis", -1) as isize))),
        "LogSoftmax" => Some(direct(call.x(0).log_softmax(call.int("axis", -1) as isize))),
        "Hardmax" => Some(hardmax(call)),
        "GlobalAveragePool" => Some(direct(call.x(0).mean_axes(&within(call), true))),
        "GlobalMaxPool" => Some(direct(call.x(0).max_axes(&within(call), true))),
        _ => None,
    }
}

/// The axes of an image.
fn within<F: Real>(call: &Call<'_, '_, F>) -> Vec<isize> {
    (2..call.x(0).shape().len() as isize).collect()
}

fn reduce<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    let x = call.input(0)?;
    let keep = call.int("keepdims", 1) != 0;
    let given = call.ints("axes").or_else(|| call.integers(1)).unwrap_or_default();
    let all = given.is_empty() && call.int("noop_with_empty_axes", 0) == 0;
    let axes: Vec<_> = if all {
        (0..x.shape().len() as isize).collect()
    } else {
        given.iter().map(|&axis| axis as isize).collect()
    };
    let y = match call.node.op.as_str() {
        "ReduceSum" => x.sum_axes(&axes, keep),
        "ReduceMean" => x.mean_axes(&axes, keep),
        "ReduceProd" => x.prod_axes(&axes, keep),
        "ReduceMax" => x.max_axes(&axes, keep),
        "ReduceMin" => x.min_axes(&axes, keep),
        "ReduceL1" => x.norm_axes(1.0, &axes, keep),
        "ReduceL2" => x.norm_axes(2.0, &axes, keep),
        "ReduceLogSumExp" => x.logsumexp_axes(&axes, keep),
        "ReduceLogSum" => return Some(composed(x.sum_axes(&axes, keep).ln())),
        "ReduceSumSquare" => return Some(composed(x.square().sum_axes(&axes, keep))),
        _ => return None,
    };
    Some(direct(y))
}

fn extreme<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, axis) = (call.x(0), call.int("axis", 0) as isize);
    let largest = call.node.op == "ArgMax";
    let place = |x: Var<'t, F>| if largest { x.argmax(axis) } else { x.argmin(axis) };
    let shape = x.shape();
    let at = axis.rem_euclid(shape.len() as isize) as usize;
    let last = call.int("select_last_index", 0) != 0;
    let mut found = if last { place(x.flip(&[axis])).mapv(|i| shape[at] - 1 - i) } else { place(x) };
    if call.int("keepdims", 1) != 0 {
        found.insert_axis_inplace(Axis(at));
    }
    several(if last { How::Composed } else { How::Direct }, vec![indices(call.tape, found)])
}

fn topk<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, axis) = (call.x(0), call.int("axis", -1) as isize);
    let k = call.integers(1).expect("k")[0] as usize;
    if call.int("largest", 1) != 0 {
        let (values, found) = x.topk(k, axis);
        return several(How::Direct, vec![values, indices(call.tape, found)]);
    }
    let (values, found) = x.sort(axis, false);
    let found = indices(call.tape, found).slice(axis, 0..k);
    several(How::Composed, vec![values.slice(axis, 0..k), found])
}

/// `exclusive`: what stands before an element, without it; `reverse`: from the end.
fn running<'t, F: Real>(
    call: &Call<'_, 't, F>,
    op: impl Fn(Var<'t, F>, isize) -> Var<'t, F>,
    start: f64,
) -> Result<Done<'t, F>> {
    let axis = call.integers(1).expect("an axis")[0] as isize;
    let (exclusive, reverse) = (call.int("exclusive", 0) != 0, call.int("reverse", 0) != 0);
    let x = call.x(0);
    if !exclusive && !reverse {
        return direct(op(x, axis));
    }
    let shape = x.shape();
    let at = axis.rem_euclid(shape.len() as isize) as usize;
    let mut y = if reverse { x.flip(&[axis]) } else { x };
    if exclusive {
        let mut border = vec![(0, 0); shape.len()];
        border[at] = (1, 0);
        y = y.slice(axis, 0..shape[at] - 1).pad(&border, start);
    }
    y = op(y, axis);
    composed(if reverse { y.flip(&[axis]) } else { y })
}

/// 1 at the first of the largest, else 0.
fn hardmax<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let axis = call.int("axis", -1) as isize;
    let x = call.x(0).transpose(axis, -1);
    let shape = x.shape();
    let found: Vec<_> = x.argmax(-1).into_iter().collect();
    let y = call.tape.one_hot(&found, *shape.last().expect("an axis"));
    composed(y.reshape(&shape).transpose(axis, -1))
}
