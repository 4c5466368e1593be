//! Normalization and dropout.

use wengert_autodiff::{Real, Var};
use wengert_layers::{Dropout, GroupNorm, InstanceNorm, Layer};

use super::indexing::axis_of;
use crate::graph::{Call, Done, How, Result, composed, direct, missing, several};

pub fn run<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    Some(match call.node.op.as_str() {
        "BatchNormalization" => batch_norm(call),
        "InstanceNormalization" => {
            let (weight, bias) = (call.x(1), call.x(2));
            let eps = call.float("epsilon", 1e-5);
            let layer = InstanceNorm::<F> {
                weight: Some(weight.value().into_owned().into()),
                bias: Some(bias.value().into_owned().into()),
                eps,
                ..InstanceNorm::new(weight.shape()[0])
            };
            direct(layer.forward(call.x(0)))
        }
        "GroupNormalization" => group_norm(call),
        "LayerNormalization" => layer_norm(call),
        "RMSNormalization" => rms_norm(call),
        "LpNormalization" => lp_norm(call),
        "MeanVarianceNormalization" => {
            let axes = call.ints("axes").unwrap_or_else(|| vec![0, 2, 3]);
            let axes: Vec<_> = axes.into_iter().map(|axis| axis as isize).collect();
            let x = call.x(0);
            composed((x - x.mean_axes(&axes, true)) / (x.std_axes(&axes, 0, true) + F::from_f64(1e-9)))
        }
        "LRN" => local_response(call),
        "Dropout" => dropout(call),
        _ => return None,
    })
}

fn batch_norm<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, weight, bias) = (call.x(0), Some(call.x(1)), Some(call.x(2)));
    let (mean, var, eps) = (call.x(3).value(), call.x(4).value(), call.float("epsilon", 1e-5));
    if call.int("training_mode", 0) == 0 {
        return direct(x.batch_norm_with(&mean, &var, weight, bias, eps));
    }
    let (y, batch_mean, batch_var) = x.batch_norm(weight, bias, eps);
    let keep = F::from_f64(call.float("momentum", 0.9));
    let running = |old, new| call.tape.constant(old) * keep + call.tape.constant(new) * (F::ONE - keep);
    several(How::Composed, vec![y, running(mean, batch_mean), running(var, batch_var)])
}

fn group_norm<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let channels = call.x(0).shape()[1];
    let layer = GroupNorm::<F> {
        weight: Some(call.x(1).value().into_owned().into()),
        bias: Some(call.x(2).value().into_owned().into()),
        eps: call.float("epsilon", 1e-5),
        ..GroupNorm::new(call.int("num_groups", 1) as usize, channels)
    };
    direct(layer.forward(call.x(0)))
}

/// The last axes as one.
fn rows<'t, F: Real>(call: &Call<'_, 't, F>) -> (Vec<usize>, usize) {
    let shape = call.x(0).shape();
    let axis = axis_of(call.int("axis", -1), &shape);
    (shape, axis)
}

fn flat<'t, F: Real>(x: Var<'t, F>, shape: &[usize], axis: usize) -> Option<Var<'t, F>> {
    (x.shape() == shape[axis..]).then(|| x.reshape(&[shape[axis..].iter().product()]))
}

fn layer_norm<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, eps, (shape, axis)) = (call.x(0), call.float("epsilon", 1e-5), rows(call));
    if axis + 1 == shape.len() && !call.wants(1) {
        return direct(x.layer_norm(Some(call.x(1)), call.input(2), eps));
    }
    let width = shape[axis..].iter().product();
    let height = shape[..axis].iter().product();
    let scale = flat(call.x(1), &shape, axis).expect("a scale of the last axes' shape");
    let bias = call.input(2).map(|bias| flat(bias, &shape, axis).expect("a bias of that shape"));
    let y = x.reshape(&[height, width]).layer_norm(Some(scale), bias, eps).reshape(&shape);
    let axes: Vec<_> = (axis as isize..shape.len() as isize).collect();
    let deviation = (x.var_axes(&axes, 0, true) + F::from_f64(eps)).rsqrt();
    several(How::Composed, vec![y, x.mean_axes(&axes, true), deviation])
}

fn rms_norm<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, eps, (shape, axis)) = (call.x(0), call.float("epsilon", 1e-5), rows(call));
    if axis + 1 == shape.len() && call.x(1).shape() == shape[axis..] {
        return direct(x.rms_norm(Some(call.x(1)), eps));
    }
    let (height, width) = (shape[..axis].iter().product(), shape[axis..].iter().product());
    composed(x.reshape(&[height, width]).rms_norm(None, eps).reshape(&shape) * call.x(1))
}

/// 0 where the norm is.
fn lp_norm<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let x = call.x(0);
    let norm = x.norm_axes(call.int("p", 2) as f64, &[call.int("axis", -1) as isize], true);
    let is_zero = norm.eq(call.number(0.0));
    composed(x / (norm + is_zero))
}

/// Divides by a mean of squares over channels that are near.
fn local_response<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, size) = (call.x(0), call.int("size", 1) as usize);
    let [n, c, h, w] = x.shape()[..] else { return missing("images of another rank") };
    let number = |name: &str, default| F::from_f64(call.float(name, default));
    let columns =
        x.square().reshape(&[n, 1, c, h * w]).pad(&[(0, 0), (0, 0), ((size - 1) / 2, size / 2), (0, 0)], 0.0);
    let pool =
        wengert_autodiff::PoolOptions { stride: [1, 1], ..wengert_autodiff::PoolOptions::from([size, 1]) };
    let mean = columns.avg_pool2d(pool).reshape(&[n, c, h, w]);
    composed(x / (mean * number("alpha", 1e-4) + number("bias", 1.0)).powf(call.float("beta", 0.75)))
}

fn dropout<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let training = call.input(2).is_some_and(|training| training.item() != F::ZERO);
    let ratio = call.input(1).map_or(0.5, |ratio| ratio.item().as_f64());
    if training && ratio != 0.0 {
        return missing("random numbers: a generator of its own");
    }
    if call.wants(1) {
        return missing("the mask of dropout");
    }
    let layer = Dropout::new(if training { ratio } else { 0.0 });
    direct(Layer::<F>::forward(&layer, call.x(0)))
}
