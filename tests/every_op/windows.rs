//! Convolution, pooling and resizing.

use wengert_autodiff::{ConvOptions, Padding, PoolOptions};

use crate::table::Domain::{Distinct, Real};
use crate::table::{Row, Shapes, row, shapes};

/// A batch, no batch, one pixel.
const IMAGES: Shapes = shapes!([2, 2, 4, 5]; [0, 1, 4, 4]; [1, 1, 3, 3]);
const SIGNALS: Shapes = shapes!([2, 2, 7]; [0, 1, 4]; [1, 1, 3]);

fn strided<const D: usize>() -> ConvOptions<D> {
    ConvOptions { stride: [2; D], padding: Padding::Zeros([1; D]), ..ConvOptions::default() }
}

fn same<const D: usize>() -> ConvOptions<D> {
    ConvOptions { padding: Padding::Same, dilation: [2; D], ..ConvOptions::default() }
}

fn in_two_groups<const D: usize>() -> ConvOptions<D> {
    ConvOptions { groups: 2, ..ConvOptions::default() }
}

fn overlapping<const D: usize>() -> PoolOptions<D> {
    PoolOptions { stride: [1; D], padding: [1; D], ceil_mode: true, ..PoolOptions::from(3) }
}

#[rustfmt::skip]
pub(crate) fn table() -> Vec<Row> {
    vec![
        row!("conv2d", Real,
            shapes!([2, 2, 4, 5] [3, 2, 2, 3] [3]; [0, 1, 2, 2] [1, 1, 2, 2] [1]; [1, 1, 1, 1] [1, 1, 1, 1] [1]),
            |x| x[0].conv2d(x[1], Some(x[2]), ConvOptions::default())),
        row!("conv2d", Real, shapes!([2, 2, 4, 3] [3, 2, 3, 3]; [2, 2, 3, 3] [2, 2, 3, 3]),
            |x| x[0].conv2d(x[1], None, strided())),
        row!("conv2d", Real, shapes!([2, 1, 4, 3] [2, 1, 2, 2]), |x| x[0].conv2d(x[1], None, same())),
        row!("conv2d", Real, shapes!([2, 4, 3, 3] [2, 2, 2, 2]), |x| x[0].conv2d(x[1], None, in_two_groups())),
        row!("conv1d", Real, shapes!([2, 2, 5] [3, 2, 3] [3]; [0, 1, 2] [1, 1, 2] [1]; [1, 1, 1] [1, 1, 1] [1]),
            |x| x[0].conv1d(x[1], Some(x[2]), ConvOptions::default())),
        row!("conv1d", Real, shapes!([2, 2, 6] [3, 2, 3]; [2, 2, 3] [2, 2, 3]), |x| x[0].conv1d(x[1], None, strided())),
        row!("conv_transpose2d", Real,
            shapes!([2, 2, 3, 2] [2, 3, 2, 3] [3]; [0, 1, 2, 2] [1, 1, 2, 2] [1]; [1, 1, 1, 1] [1, 1, 1, 1] [1]),
            |x| x[0].conv_transpose2d(x[1], Some(x[2]), ConvOptions::default(), [0, 0])),
        row!("conv_transpose2d", Real, shapes!([2, 2, 3, 2] [2, 3, 3, 3]; [2, 2, 3, 3] [2, 2, 3, 3]),
            |x| x[0].conv_transpose2d(x[1], None, strided(), [1, 0])),
        row!("conv_transpose2d", Real, shapes!([2, 4, 2, 2] [4, 1, 2, 2]),
            |x| x[0].conv_transpose2d(x[1], None, in_two_groups(), [0, 0])),
        row!("conv_transpose1d", Real,
            shapes!([2, 2, 3] [2, 3, 3] [3]; [0, 1, 2] [1, 1, 2] [1]; [1, 1, 1] [1, 1, 1] [1]),
            |x| x[0].conv_transpose1d(x[1], Some(x[2]), ConvOptions::default(), [0])),
        row!("conv_transpose1d", Real, shapes!([2, 2, 3] [2, 2, 3]),
            |x| x[0].conv_transpose1d(x[1], None, strided(), [1])),

        row!("max_pool2d", Distinct, IMAGES, |x| x[0].max_pool2d(2)),
        row!("max_pool2d", Distinct, IMAGES, |x| x[0].max_pool2d(overlapping())),
        row!("max_pool1d", Distinct, SIGNALS, |x| x[0].max_pool1d(2)),
        row!("max_pool1d", Distinct, SIGNALS, |x| x[0].max_pool1d(overlapping())),
        row!("avg_pool2d", Real, IMAGES, |x| x[0].avg_pool2d([2, 3])),
        row!("avg_pool2d", Real, IMAGES, |x| x[0].avg_pool2d(overlapping())),
        row!("avg_pool1d", Real, SIGNALS, |x| x[0].avg_pool1d(2)),
        row!("avg_pool1d", Real, SIGNALS,
            |x| x[0].avg_pool1d(PoolOptions { count_include_pad: false, ..overlapping() })),
        row!("adaptive_max_pool2d", Distinct, IMAGES, |x| x[0].adaptive_max_pool2d([2, 3])),
        row!("adaptive_avg_pool2d", Real, IMAGES, |x| x[0].adaptive_avg_pool2d([3, 2])),

        row!("pad", Real, shapes!([2, 3]; [0, 3]; [1, 1]), |x| x[0].pad(&[(1, 0), (0, 2)], 0.5)),
        row!("pad_reflect", Real, shapes!([2, 3]; [0, 3]; [1, 3]), |x| x[0].pad_reflect(&[(0, 0), (2, 1)])),
        row!("pad_replicate", Real, shapes!([2, 3]; [0, 3]; [1, 1]), |x| x[0].pad_replicate(&[(0, 0), (1, 4)])),
        row!("pad_circular", Real, shapes!([2, 3]; [0, 2]; [1, 2]), |x| x[0].pad_circular(&[(0, 0), (2, 1)])),
        row!("upsample_bilinear2d", Real, IMAGES, |x| x[0].upsample_bilinear2d([3, 8], false)),
        row!("upsample_bilinear2d", Real, IMAGES, |x| x[0].upsample_bilinear2d([7, 1], true)),
        row!("upsample_nearest2d", Real, IMAGES, |x| x[0].upsample_nearest2d([2, 3])),
    ]
}
