//! Convolution and pooling.

mod geometry;
mod resize;

use wengert_autodiff::{ConvOptions, Padding, PoolOptions, Real, Var};

use self::geometry::{AutoPad, Window};
use crate::graph::{Call, Done, How, Result, composed, direct, missing, several};
use crate::value::{places, tensor};

pub fn run<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    Some(match call.node.op.as_str() {
        "Conv" => convolution(call),
        "ConvTranspose" => transposed(call),
        "MaxPool" => max_pool(call),
        "AveragePool" => average_pool(call),
        "LpPool" => lp_pool(call),
        "MaxUnpool" => unpool(call),
        "Col2Im" => folded(call),
        "Resize" | "Upsample" => resize::run(call),
        _ => return None,
    })
}

fn array<const D: usize>(list: &[usize]) -> [usize; D] {
    list.try_into().expect("a number for each axis of the image")
}

fn convolution<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (mut x, weight, bias) = (call.x(0), call.x(1), call.input(2));
    let window = Window::of(call, &weight.shape()[2..], &x.shape()[2..]);
    let groups = call.int("group", 1) as usize;
    let mut how = How::Direct;
    if window.before != window.after && window.auto != AutoPad::SameUpper {
        (x, how) = (window.pad(x, 0.0), How::Composed);
    }
    let zeros = if how == How::Direct { &window.before[..] } else { &[0, 0][..window.before.len()] };
    let same = how == How::Direct && window.auto == AutoPad::SameUpper;
    let y = match window.kernel.len() {
        1 => {
            let padding = if same { Padding::Same } else { Padding::Zeros(array(zeros)) };
            let (stride, dilation) = (array(&window.stride), array(&window.dilation));
            x.conv1d(weight, bias, ConvOptions { stride, padding, dilation, groups })
        }
        2 => {
            let padding = if same { Padding::Same } else { Padding::Zeros(array(zeros)) };
            let (stride, dilation) = (array(&window.stride), array(&window.dilation));
            x.conv2d(weight, bias, ConvOptions { stride, padding, dilation, groups })
        }
        _ => return missing("windows over volumes"),
    };
    several(how, vec![y])
}

/// Without padding first, then the part that is wanted.
fn transposed<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, weight, bias) = (call.x(0), call.x(1), call.input(2));
    let rank = weight.shape().len() - 2;
    let kernel = weight.shape()[2..].to_vec();
    let (stride, dilation) = (call.sizes("strides", vec![1; rank]), call.sizes("dilations", vec![1; rank]));
    let mut extra = call.sizes("output_padding", vec![0; rank]);
    let (before, after) = geometry::cut(call, &kernel, &x.shape()[2..], &mut extra);
    let groups = call.int("group", 1) as usize;
    let is_direct = before == after;
    let zeros = if is_direct { before.clone() } else { vec![0; rank] };
    let mut y = match rank {
        1 => {
            let padding = Padding::Zeros(array(&zeros));
            let options = ConvOptions { stride: array(&stride), padding, dilation: array(&dilation), groups };
            x.conv_transpose1d(weight, bias, options, array(&extra))
        }
        2 => {
            let padding = Padding::Zeros(array(&zeros));
            let options = ConvOptions { stride: array(&stride), padding, dilation: array(&dilation), groups };
            x.conv_transpose2d(weight, bias, options, array(&extra))
        }
        _ => return missing("windows over volumes"),
    };
    if is_direct {
        return direct(y);
    }
    for axis in 0..rank {
        let size = y.shape()[axis + 2];
        y = y.slice(axis as isize + 2, before[axis]..size - after[axis]);
    }
    composed(y)
}

fn options<const D: usize>(call: &Call<'_, '_, impl Real>, window: &Window) -> PoolOptions<D> {
    PoolOptions {
        kernel: array(&window.kernel),
        stride: array(&window.stride),
        padding: array(&window.before),
        dilation: array(&window.dilation),
        ceil_mode: call.int("ceil_mode", 0) != 0,
        count_include_pad: call.int("count_include_pad", 0) != 0,
    }
}

fn pooled_window<F: Real>(call: &Call<'_, '_, F>) -> Window {
    Window::of(call, &call.sizes("kernel_shape", Vec::new()), &call.x(0).shape()[2..])
}

/// Whether one op does it all.
fn is_plain(window: &Window) -> bool {
    let halves = window.before.iter().zip(&window.kernel).all(|(zeros, kernel)| *zeros <= kernel / 2);
    window.before == window.after && window.kernel.len() <= 2 && halves
}

fn max_pool<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, window) = (call.x(0), pooled_window(call));
    if call.wants(1) {
        return missing("the places of the maxima in windows");
    }
    if is_plain(&window) {
        return direct(match window.kernel.len() {
            1 => x.max_pool1d(options::<1>(call, &window)),
            _ => x.max_pool2d(options::<2>(call, &window)),
        });
    }
    let mut y = window.pad_to_ceil(call).pad(x, f64::NEG_INFINITY);
    for axis in 0..window.kernel.len() {
        let (kernel, stride, dilation) =
            ([window.kernel[axis]], [window.stride[axis]], [window.dilation[axis]]);
        let pool = PoolOptions { stride, dilation, ..PoolOptions::from(kernel) };
        y = along(y, axis, |x| x.max_pool1d(pool));
    }
    composed(y)
}

fn average_pool<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, window) = (call.x(0), pooled_window(call));
    if is_plain(&window) && window.dilation.iter().all(|&dilation| dilation == 1) {
        return direct(match window.kernel.len() {
            1 => x.avg_pool1d(options::<1>(call, &window)),
            _ => x.avg_pool2d(options::<2>(call, &window)),
        });
    }
    let ones = call.tape.constant(x.value().mapv(|_| F::ONE));
    let border = if call.int("count_include_pad", 0) != 0 { 1.0 } else { 0.0 };
    // What lies beyond the padding, for a last window that is not whole, never counts.
    let beyond = window.pad_to_ceil(call).without(&window);
    let counted = beyond.pad(window.pad(ones, border), 0.0);
    let sums = sums(window.pad_to_ceil(call).pad(x, 0.0), &window);
    composed(sums / self::sums(counted, &window))
}

fn lp_pool<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, window, p) = (call.x(0), pooled_window(call), call.int("p", 2) as f64);
    composed(sums(window.pad_to_ceil(call).pad(x.abs().powf(p), 0.0), &window).powf(1.0 / p))
}

/// The sums of windows, axis by axis.
fn sums<'t, F: Real>(mut x: Var<'t, F>, window: &Window) -> Var<'t, F> {
    for axis in 0..window.kernel.len() {
        let ones = x.tape().constant(tensor(&[1, 1, window.kernel[axis]], vec![1.0; window.kernel[axis]]));
        let (stride, dilation) = ([window.stride[axis]], [window.dilation[axis]]);
        let options = ConvOptions { stride, dilation, ..ConvOptions::default() };
        x = along(x, axis, |x| x.conv1d(ones, None, options));
    }
    x
}

/// An op of signals `[n, 1, l]` along an axis of images.
fn along<'t, F: Real>(x: Var<'t, F>, axis: usize, op: impl Fn(Var<'t, F>) -> Var<'t, F>) -> Var<'t, F> {
    let axis = axis as isize + 2;
    let x = x.transpose(axis, -1);
    let mut shape = x.shape();
    let length = shape.pop().expect("an axis");
    let y = op(x.reshape(&[shape.iter().product(), 1, length]));
    shape.push(y.shape()[2]);
    y.reshape(&shape).transpose(axis, -1)
}

/// Writes each number at the place that its index names among all elements.
fn unpool<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, shape) = (call.x(0), call.x(0).shape());
    let (kernel, stride) =
        (call.sizes("kernel_shape", Vec::new()), call.sizes("strides", vec![1; shape.len() - 2]));
    let pads = call.sizes("pads", vec![0; 2 * kernel.len()]);
    let mut inner = shape.clone();
    for (i, size) in inner[2..].iter_mut().enumerate() {
        *size = (*size - 1) * stride[i] + kernel[i] - pads[i] - pads[i + kernel.len()];
    }
    let to: Vec<_> =
        call.integers(2).map_or(inner.clone(), |to| to.iter().map(|&size| size as usize).collect());
    let count = inner.iter().product();
    let index = places(&call.integers(1).expect("indices"), count);
    let flat = call.tape.constant(tensor(&[count], vec![0.0; count]));
    let index = wengert_autodiff::ndarray::Array1::from(index);
    let mut y = flat.scatter_add(0, index.view(), x.reshape(&[index.len()])).reshape(&inner);
    if to != inner {
        let border: Vec<_> = to.iter().zip(&inner).map(|(to, size)| (0, to - size)).collect();
        y = y.pad(&border, 0.0);
    }
    composed(y)
}

/// A transposed convolution whose windows are one pixel each.
fn folded<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let block: Vec<_> = call.integers(2).expect("a block").into_iter().map(|size| size as usize).collect();
    let image: Vec<_> = call.integers(1).expect("an image").into_iter().map(|size| size as usize).collect();
    let &[kh, kw] = &block[..] else { return missing("windows over volumes") };
    let [n, rows, _] = call.x(0).shape()[..] else { panic!("columns") };
    let dilation: [usize; 2] = array(&call.sizes("dilations", vec![1; 2]));
    let stride: [usize; 2] = array(&call.sizes("strides", vec![1; 2]));
    let pads = call.sizes("pads", vec![0; 4]);
    let place = |axis: usize| {
        let padded = image[axis] + pads[axis] + pads[axis + 2];
        (padded - dilation[axis] * (block[axis] - 1) - 1) / stride[axis] + 1
    };
    let each = kh * kw;
    let pixel = (0..rows * each).map(|i| f64::from(i / each % each == i % each));
    let weight = call.tape.constant(tensor(&[rows, 1, kh, kw], pixel));
    let options = ConvOptions { stride, dilation, groups: rows / each, ..ConvOptions::default() };
    let mut y =
        call.x(0).reshape(&[n, rows, place(0), place(1)]).conv_transpose2d(weight, None, options, [0, 0]);
    for axis in 0..2 {
        // Windows need not reach the end.
        let short = (image[axis] + pads[axis] + pads[axis + 2]).saturating_sub(y.shape()[axis + 2]);
        let mut border = [(0, 0); 4];
        border[axis + 2] = (0, short);
        y = y.pad(&border, 0.0).slice(axis as isize + 2, pads[axis]..pads[axis] + image[axis]);
    }
    composed(y)
}
