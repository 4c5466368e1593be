//! Convolution, pooling and resizing, by their names in the file.

use wengert_autodiff::{ConvOptions, Padding, PoolOptions, Real};

use crate::Ops;
use crate::args::Args;

fn convolution<const D: usize>(a: Args<'_>) -> ConvOptions<D> {
    let same = a.0["padding"] == "same";
    ConvOptions {
        stride: a.array("stride"),
        padding: if same { Padding::Same } else { Padding::Zeros(a.array("padding")) },
        dilation: a.array("dilation"),
        groups: a.integer("groups"),
    }
}

fn pooling<const D: usize>(a: Args<'_>) -> PoolOptions<D> {
    let said = |name: &str, default: bool| a.0[name].as_bool().unwrap_or(default);
    PoolOptions {
        stride: a.array("stride"),
        padding: a.array("padding"),
        dilation: if a.0["dilation"].is_null() { [1; D] } else { a.array("dilation") },
        ceil_mode: said("ceil_mode", false),
        count_include_pad: said("count_include_pad", true),
        ..PoolOptions::from(a.array("kernel"))
    }
}

fn border(a: Args<'_>) -> Vec<(usize, usize)> {
    let pairs = a.0["border"].as_array().expect("pairs");
    pairs
        .iter()
        .map(|pair| (pair[0].as_u64().unwrap() as usize, pair[1].as_u64().unwrap() as usize))
        .collect()
}

#[rustfmt::skip]
pub(crate) fn ops<F: Real>() -> Ops<F> { vec![
    ("conv1d", |x, a| x[0].conv1d(x[1], x.get(2).copied(), convolution(a))),
    ("conv2d", |x, a| x[0].conv2d(x[1], x.get(2).copied(), convolution(a))),
    ("conv_transpose1d", |x, a|
        x[0].conv_transpose1d(x[1], x.get(2).copied(), convolution(a), a.array("output_padding"))),
    ("conv_transpose2d", |x, a|
        x[0].conv_transpose2d(x[1], x.get(2).copied(), convolution(a), a.array("output_padding"))),
    ("max_pool1d", |x, a| x[0].max_pool1d(pooling::<1>(a))),
    ("max_pool2d", |x, a| x[0].max_pool2d(pooling::<2>(a))),
    ("avg_pool1d", |x, a| x[0].avg_pool1d(pooling::<1>(a))),
    ("avg_pool2d", |x, a| x[0].avg_pool2d(pooling::<2>(a))),
    ("adaptive_max_pool2d", |x, a| x[0].adaptive_max_pool2d(a.array("output"))),
    ("adaptive_avg_pool2d", |x, a| x[0].adaptive_avg_pool2d(a.array("output"))),
    ("pad", |x, a| x[0].pad(&border(a), a.number("value"))),
    ("pad_reflect", |x, a| x[0].pad_reflect(&border(a))),
    ("pad_replicate", |x, a| x[0].pad_replicate(&border(a))),
    ("pad_circular", |x, a| x[0].pad_circular(&border(a))),
    ("upsample_bilinear2d", |x, a|
        x[0].upsample_bilinear2d(a.array("size"), a.0["align_corners"].as_bool().unwrap())),
    ("upsample_nearest2d", |x, a| x[0].upsample_nearest2d(a.array("times"))),
] }
