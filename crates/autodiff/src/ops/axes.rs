//! What the axis arguments of ops mean: as in PyTorch, -1 is the last axis.

use ndarray::Axis;

/// The axis of a tensor of `shape` that an op's argument names.
#[track_caller]
pub(super) fn axis(op: &str, axis: isize, shape: &[usize]) -> Axis {
    let rank = shape.len() as isize;
    assert!(
        (-rank..rank).contains(&axis),
        "`{op}`: there is no axis {axis} in a tensor of shape {shape:?}: it has {rank} axes"
    );
    Axis(axis.rem_euclid(rank) as usize)
}

/// Several axes, in ascending order.
#[track_caller]
pub(super) fn axes(op: &str, arguments: &[isize], shape: &[usize]) -> Vec<Axis> {
    let mut axes = Vec::with_capacity(arguments.len());
    for &argument in arguments {
        let axis = axis(op, argument, shape);
        assert!(
            !axes.contains(&axis),
            "`{op}`: axis {} of shape {shape:?} is given twice in {arguments:?}",
            axis.index()
        );
        axes.push(axis);
    }
    axes.sort_unstable_by_key(|axis| axis.index());
    axes
}
