//! The same numbers in another shape or order.

use wengert_autodiff::ndarray::ArrayD;
use wengert_autodiff::{Real, Tensor, Var};

use super::indexing::slice;
use crate::case::Array;
use crate::graph::{Call, Done, How, Result, composed, direct, missing, on_tape, several};
use crate::value::{Kind, Value, tensor};

pub fn run<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    let shape = || call.x(0).shape();
    Some(match call.node.op.as_str() {
        "Identity" => direct(call.x(0)),
        "Reshape" => direct(call.x(0).reshape(&target(call))),
        "Flatten" => {
            let (shape, axis) = (shape(), call.int("axis", 1));
            let axis = if axis < 0 { axis + shape.len() as i64 } else { axis } as usize;
            let (rows, columns) = shape.split_at(axis);
            direct(call.x(0).reshape(&[rows.iter().product(), columns.iter().product()]))
        }
        "Squeeze" => direct(call.x(0).reshape(&squeezed(call))),
        "Unsqueeze" => direct(call.x(0).reshape(&unsqueezed(call))),
        "Transpose" => {
            let order = call.ints("perm").map(|order| order.into_iter().map(|axis| axis as isize).collect());
            let reversed = || (0..shape().len() as isize).rev().collect::<Vec<_>>();
            direct(call.x(0).permute(&order.unwrap_or_else(reversed)))
        }
        "Expand" => {
            let to: Vec<_> = call.integers(1)?.into_iter().map(|size| size as usize).collect();
            let both = call.x(0).value().broadcast(&*common(&shape(), &to)).map(|y| y.shape().to_vec());
            direct(call.x(0).broadcast_to(&both.expect("shapes that broadcast")))
        }
        "Concat" => {
            let parts: Vec<_> = (0..call.inputs.len()).map(|index| call.x(index)).collect();
            direct(Var::concat(&parts, call.int("axis", 0) as isize))
        }
        "Tile" => tile(call),
        "Split" => split(call),
        "Slice" => slice(call),
        "Shape" | "Size" | "Constant" | "ConstantOfShape" | "Range" | "EyeLike" if !call.inner => {
            return None;
        }
        "Shape" => {
            let shape = shape();
            let end = |name: &str, default: i64| {
                let at = call.int(name, default);
                (if at < 0 { at + shape.len() as i64 } else { at }).clamp(0, shape.len() as i64) as usize
            };
            let (start, end) = (end("start", 0), end("end", shape.len() as i64));
            let part = &shape[start.min(end)..end];
            direct(call.tape.constant(tensor(&[part.len()], part.iter().map(|&size| size as f64))))
        }
        "Size" => direct(call.number(call.x(0).value().len() as f64)),
        "DepthToSpace" => composed(depth_to_space(call)),
        "SpaceToDepth" => composed(space_to_depth(call)),
        "Constant" => constant(call),
        "ConstantOfShape" => filled(call),
        "Range" => {
            let [start, limit, step] = [0, 1, 2].map(|index| call.x(index).item().as_f64());
            let count = ((limit - start) / step).ceil().max(0.0) as usize;
            composed(call.tape.constant(tensor(&[count], (0..count).map(|i| start + i as f64 * step))))
        }
        _ => return None,
    })
}

/// The shape that two shapes broadcast to.
fn common(a: &[usize], b: &[usize]) -> Vec<usize> {
    let rank = a.len().max(b.len());
    let size =
        |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    (0..rank).map(|axis| if size(a, axis) == 1 { size(b, axis) } else { size(a, axis) }).collect()
}

/// 0 stands for the input's size, -1 for what is left.
fn target<F: Real>(call: &Call<'_, '_, F>) -> Vec<usize> {
    let (shape, to) = (call.x(0).shape(), call.integers(1).expect("a shape"));
    let keeps_zero = call.int("allowzero", 0) != 0;
    let size =
        |(axis, &size): (usize, &i64)| if size == 0 && !keeps_zero { shape[axis] as i64 } else { size };
    let to: Vec<_> = to.iter().enumerate().map(size).collect();
    let known: usize = to.iter().filter(|&&size| size >= 0).map(|&size| size as usize).product();
    let rest = shape.iter().product::<usize>() / known.max(1);
    to.into_iter().map(|size| if size < 0 { rest } else { size as usize }).collect()
}

fn axes<F: Real>(call: &Call<'_, '_, F>, rank: usize) -> Option<Vec<usize>> {
    let axes = call.integers(1).or_else(|| call.ints("axes"))?;
    Some(axes.into_iter().map(|axis| axis.rem_euclid(rank as i64) as usize).collect())
}

fn squeezed<F: Real>(call: &Call<'_, '_, F>) -> Vec<usize> {
    let shape = call.x(0).shape();
    let axes = axes(call, shape.len());
    let stays = |axis: usize| axes.as_ref().map_or(shape[axis] != 1, |axes| !axes.contains(&axis));
    (0..shape.len()).filter(|&axis| stays(axis)).map(|axis| shape[axis]).collect()
}

fn unsqueezed<F: Real>(call: &Call<'_, '_, F>) -> Vec<usize> {
    let mut sizes = call.x(0).shape().into_iter();
    let count = call.integers(1).or_else(|| call.ints("axes")).expect("axes").len();
    let rank = sizes.len() + count;
    let axes = axes(call, rank).expect("axes");
    (0..rank).map(|axis| if axes.contains(&axis) { 1 } else { sizes.next().expect("a size") }).collect()
}

fn tile<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let mut y = call.x(0);
    for (axis, times) in call.integers(1).expect("repeats").into_iter().enumerate() {
        y = Var::concat(&vec![y; times as usize], axis as isize);
    }
    composed(y)
}

fn split<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, axis) = (call.x(0), call.int("axis", 0) as isize);
    let shape = x.shape();
    let size = shape[axis.rem_euclid(shape.len() as isize) as usize];
    let parts = call.node.outputs.len();
    let sizes = call.integers(1).or_else(|| call.ints("split")).unwrap_or_else(|| {
        let part = size.div_ceil(parts);
        (0..parts).map(|i| part.min(size.saturating_sub(i * part)) as i64).collect()
    });
    let sizes: Vec<_> = sizes.into_iter().map(|size| size as usize).collect();
    several(How::Direct, x.split(&sizes, axis))
}

fn depth_to_space<'t, F: Real>(call: &Call<'_, 't, F>) -> Var<'t, F> {
    let (x, b) = (call.x(0), call.int("blocksize", 1) as usize);
    let [n, c, h, w] = x.shape()[..] else { panic!("images") };
    let columns_first = call.text("mode", "DCR") == "DCR";
    let (apart, order) = if columns_first {
        ([n, b, b, c / (b * b), h, w], [0, 3, 4, 1, 5, 2])
    } else {
        ([n, c / (b * b), b, b, h, w], [0, 1, 4, 2, 5, 3])
    };
    x.reshape(&apart).permute(&order).reshape(&[n, c / (b * b), h * b, w * b])
}

fn space_to_depth<'t, F: Real>(call: &Call<'_, 't, F>) -> Var<'t, F> {
    let (x, b) = (call.x(0), call.int("blocksize", 1) as usize);
    let [n, c, h, w] = x.shape()[..] else { panic!("images") };
    let apart = x.reshape(&[n, c, h / b, b, w / b, b]);
    let order = if call.text("mode", "DCR") == "DCR" { [0, 3, 5, 1, 2, 4] } else { [0, 1, 3, 5, 2, 4] };
    apart.permute(&order).reshape(&[n, c * b * b, h / b, w / b])
}

impl<'t, F: Real> Call<'_, 't, F> {
    /// The attribute `value`.
    fn constant_value(&self) -> Option<Result<Value<'t, F>>> {
        let array: Array = serde_json::from_value(self.attribute("value")?.clone()).expect("a tensor");
        Some(on_tape(self.tape, &array))
    }

    /// What the numbers of a constant stand for.
    pub fn constant_kind(&self) -> Kind {
        match self.constant_value() {
            Some(value) => value.map_or(Kind::Float, |value| value.kind),
            None if self.attribute("value_int").or_else(|| self.attribute("value_ints")).is_some() => {
                Kind::Integer
            }
            None => Kind::Float,
        }
    }
}

fn constant<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    if let Some(value) = call.constant_value() {
        return direct(value?.var);
    }
    if let Some(x) = call.attribute("value_float").or_else(|| call.attribute("value_int")) {
        return direct(call.number(x.as_f64().expect("a number")));
    }
    let Some(list) = call.attribute("value_ints").or_else(|| call.attribute("value_floats")) else {
        return missing("strings");
    };
    let list: Vec<_> =
        list.as_array().expect("a list").iter().filter_map(serde_json::Value::as_f64).collect();
    direct(call.tape.constant(tensor(&[list.len()], list)))
}

fn filled<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let shape: Vec<_> = call.integers(0).expect("a shape").into_iter().map(|size| size as usize).collect();
    let number = match call.constant_value() {
        Some(value) => value?.var.value().iter().next().copied().unwrap_or(F::ZERO),
        None => F::ZERO,
    };
    let filled: Tensor<F> = ArrayD::from_elem(shape, number).into_shared();
    composed(call.tape.constant(filled))
}
