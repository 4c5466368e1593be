//! Deviations, norms, products, running sums, and elements by their order.

use ndarray::{Axis, arr2};
use wengert_autodiff::{Real as Number, Tensor, Var};

use crate::table::Domain::{Distinct, Positive, Real};
use crate::table::{Row, Shapes, row, shapes};

const ALL: Shapes = shapes!([3, 4]; [3, 1]; []; [0, 3]);
/// Axis 1 of two or more has elements.
const ROWS: Shapes = shapes!([3, 4]; [0, 3]; [3, 1]; [2, 3, 2]);
const CUBE: Shapes = shapes!([2, 3, 4]; [0, 3, 2]; [1, 1, 1]; [2, 1, 3]);

#[rustfmt::skip]
pub(crate) fn table() -> Vec<Row> {
    vec![
        row!("std", Real, shapes!([3, 4]; [3, 1]), |x| x[0].std(1)),
        row!("std_axes", Real, shapes!([3, 4]; [0, 3]; [2, 3, 2]), |x| x[0].std_axes(&[1], 0, false)),
        row!("std_axes", Real, shapes!([2, 3, 4]; [2, 0, 4]; [2, 3, 1]), |x| x[0].std_axes(&[0, 2], 1, true)),
        row!("norm", Real, ALL, |x| x[0].norm(2.0)),
        row!("norm", Positive, ALL, |x| x[0].norm(0.0)),
        row!("norm_axes", Distinct, ROWS, |x| x[0].norm_axes(1.0, &[1], false)),
        row!("norm_axes", Real, CUBE, |x| x[0].norm_axes(2.0, &[0, -1], true)),
        row!("norm_axes", Distinct, CUBE, |x| x[0].norm_axes(3.0, &[2], false)),
        row!("norm_axes", Distinct, CUBE, |x| x[0].norm_axes(0.5, &[1], false)),
        row!("norm_axes", Positive, ROWS, |x| x[0].norm_axes(f64::INFINITY, &[1], true)),
        row!("prod", Real, ALL, |x| x[0].prod()),
        row!("prod_axes", Real, ROWS, |x| x[0].prod_axes(&[1], false)),
        row!("prod_axes", Real, CUBE, |x| x[0].prod_axes(&[2, 0], true)),
        row!("prod_axes", Real, CUBE, |x| x[0].prod_axes(&[], true)),
        row!("prod_axes", Real, shapes!([3, 0]), |x| x[0].prod_axes(&[1], false)),
        row!("prod_axes", Real, CUBE, |x| (x[0] * with_zeros(x[0])).prod_axes(&[0, 1], false)),
        row!("cumsum", Real, CUBE, |x| x[0].cumsum(1)),
        row!("cumsum", Real, CUBE, |x| x[0].cumsum(-1)),
        row!("cumprod", Real, CUBE, |x| x[0].cumprod(1)),
        row!("cumprod", Real, CUBE, |x| (x[0] * with_zeros(x[0])).cumprod(-1)),
        row!("argmax", Distinct, ROWS, |x| x[0].gather(1, x[0].argmax(1).insert_axis(Axis(1)).view())),
        row!("argmin", Distinct, ROWS,
            |x| x[0].gather(-1, x[0].argmin(-1).insert_axis(Axis(x[0].shape().len() - 1)).view())),
        row!("sort", Distinct, CUBE, |x| x[0].sort(1, true).0),
        row!("sort", Distinct, CUBE, |x| x[0].sort(-1, false).0),
        row!("topk", Distinct, shapes!([3, 4]; [0, 3]; [1, 2]), |x| x[0].topk(2, 1).0),
        row!("scatter_add", Real, shapes!([3, 4] [2, 3]; [2, 2] [2, 3]; [2, 3] [2, 3]),
            |x| x[0].scatter_add(1, arr2(&[[1, 1, 0], [0, 1, 1]]).view(), x[1])),
        row!("scatter_add", Real, shapes!([3, 4] [0, 5]; [0, 1] [0, 5]; [0, 5] [0, 5]),
            |x| x[0].scatter_add(1, ndarray::Array2::zeros((0, 5)).view(), x[1])),
    ]
}

/// Ones, but every third number is 0: a product meets one, several and no zeros.
fn with_zeros<F: Number>(x: Var<'_, F>) -> Var<'_, F> {
    let mut i = 0;
    let pattern = Tensor::from_shape_simple_fn(x.shape(), || {
        i += 1;
        if i % 3 == 0 { F::ZERO } else { F::ONE }
    });
    x.tape().constant(pattern)
}
