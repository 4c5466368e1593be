//! Elements chosen by number, and written by number.

use wengert_autodiff::ndarray::{ArrayD, IxDyn};
use wengert_autodiff::{Real, Var};

use crate::graph::{Call, Done, Result, composed, direct, missing};
use crate::value::{places, truths};

pub fn run<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    Some(match call.node.op.as_str() {
        "Gather" => gather(call),
        "GatherElements" => {
            let axis = call.int("axis", 0) as isize;
            direct(call.x(0).gather(axis, elements(call, axis).view()))
        }
        "GatherND" => gather_nd(call),
        "ScatterElements" | "Scatter" => scatter(call),
        "ScatterND" => scatter_nd(call),
        "Trilu" => {
            let diagonal = call.integers(1).map_or(0, |k| k[0]) as isize;
            let upper = call.int("upper", 1) != 0;
            direct(if upper { call.x(0).triu(diagonal) } else { call.x(0).tril(diagonal) })
        }
        "Pad" => pad(call),
        "Compress" => compress(call),
        "OneHot" => one_hot(call),
        "ReverseSequence" => reverse_sequence(call),
        "CenterCropPad" => center(call),
        _ => return None,
    })
}

/// An axis as a number from 0.
pub fn axis_of(axis: i64, shape: &[usize]) -> usize {
    axis.rem_euclid(shape.len() as i64) as usize
}

pub fn slice<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (mut y, shape) = (call.x(0), call.x(0).shape());
    let (starts, ends) = (call.integers(1).expect("starts"), call.integers(2).expect("ends"));
    let axes = call.integers(3).unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = call.integers(4).unwrap_or_else(|| vec![1; starts.len()]);
    for (i, &axis) in axes.iter().enumerate() {
        let size = shape[axis_of(axis, &shape)] as i64;
        let from_end = |at: i64| if at < 0 { at.saturating_add(size) } else { at };
        let (start, end, step) = (from_end(starts[i]), from_end(ends[i]), steps[i]);
        y = if step == 1 {
            let (start, end) = (start.clamp(0, size), end.clamp(0, size));
            y.slice(axis as isize, start as usize..end.max(start) as usize)
        } else {
            let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
            let (start, end) = (start.clamp(low, high), end.clamp(low, high));
            let chosen = (0..size).map(|i| start + i * step);
            let chosen = chosen.take_while(|&at| if step > 0 { at < end } else { at > end });
            y.index_select(axis as isize, &chosen.map(|at| at as usize).collect::<Vec<_>>())
        };
    }
    if axes.len() == 1 { direct(y) } else { composed(y) }
}

fn gather<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, shape) = (call.x(0), call.x(0).shape());
    let axis = axis_of(call.int("axis", 0), &shape);
    let rows = places(&call.integers(1).expect("indices"), shape[axis]);
    let y = x.index_select(axis as isize, &rows);
    let inner = call.x(1).shape();
    if inner.len() == 1 {
        return direct(y);
    }
    composed(y.reshape(&[&shape[..axis], &inner, &shape[axis + 1..]].concat()))
}

/// The second input as places along an axis.
fn elements<F: Real>(call: &Call<'_, '_, F>, axis: isize) -> ArrayD<usize> {
    let shape = call.x(0).shape();
    let found = places(&call.integers(1).expect("indices"), shape[axis_of(axis as i64, &shape)]);
    ArrayD::from_shape_vec(IxDyn(&call.x(1).shape()), found).expect("one place for each")
}

/// What is chosen: a row each, of `x` with its first axes made one.
struct Rows {
    /// Axes that both tensors have in front.
    batch: usize,
    /// How many axes an index names.
    depth: usize,
    rows: Vec<usize>,
}

fn rows<F: Real>(call: &Call<'_, '_, F>, batch: usize) -> Rows {
    let (shape, index) = (call.x(0).shape(), call.x(1).shape());
    let depth = *index.last().expect("an axis of indices");
    let numbers = call.integers(1).expect("indices");
    let each: usize = index[batch..index.len() - 1].iter().product();
    let row = |(i, index): (usize, &[i64])| {
        index
            .iter()
            .zip(&shape[batch..])
            .fold(i / each, |row, (&at, &size)| row * size + places(&[at], size)[0])
    };
    Rows { batch, depth, rows: numbers.chunks(depth).enumerate().map(row).collect() }
}

impl Rows {
    /// `x` with a row for each index that there may be.
    fn of<'t, F: Real>(&self, x: Var<'t, F>) -> (Var<'t, F>, Vec<usize>) {
        let shape = x.shape();
        let (front, rest) = shape.split_at(self.batch + self.depth);
        (x.reshape(&[front.iter().product(), rest.iter().product()]), rest.to_vec())
    }
}

fn gather_nd<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let chosen = rows(call, call.int("batch_dims", 0) as usize);
    let (x, rest) = chosen.of(call.x(0));
    let index = call.x(1).shape();
    composed(x.index_select(0, &chosen.rows).reshape(&[&index[..index.len() - 1], &rest].concat()))
}

fn scatter<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, axis, src) = (call.x(0), call.int("axis", 0) as isize, call.x(2));
    let index = elements(call, axis);
    match call.text("reduction", "none") {
        "add" => direct(x.scatter_add(axis, index.view(), src)),
        "none" => composed(overwritten(x, axis, &index, src)),
        other => missing(format!("scattering with `{other}`")),
    }
}

/// `x` with 0 at the places, and what is written there added.
fn overwritten<'t, F: Real>(
    x: Var<'t, F>,
    axis: isize,
    index: &ArrayD<usize>,
    src: Var<'t, F>,
) -> Var<'t, F> {
    let tape = x.tape();
    let zeros = tape.constant(x.value().mapv(|_| F::ZERO));
    let ones = tape.constant(src.value().mapv(|_| F::ONE));
    let written = truths(zeros.scatter_add(axis, index.view(), ones));
    Var::where_cond(written.view(), zeros, x).scatter_add(axis, index.view(), src)
}

fn scatter_nd<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let chosen = rows(call, 0);
    let (x, _) = chosen.of(call.x(0));
    let width = x.shape()[1];
    let src = call.x(2).reshape(&[chosen.rows.len(), width]);
    let index = ArrayD::from_shape_fn(IxDyn(&[chosen.rows.len(), width]), |at| chosen.rows[at[0]]);
    let y = match call.text("reduction", "none") {
        "add" => x.scatter_add(0, index.view(), src),
        "none" => overwritten(x, 0, &index, src),
        other => return missing(format!("scattering with `{other}`")),
    };
    composed(y.reshape(&call.x(0).shape()))
}

/// The borders before and behind each axis, if none is negative.
fn borders<F: Real>(call: &Call<'_, '_, F>) -> Option<Vec<(usize, usize)>> {
    let rank = call.x(0).shape().len();
    let pads = call.integers(1).or_else(|| call.ints("pads")).expect("pads");
    let pads = pads.into_iter().map(usize::try_from).collect::<std::result::Result<Vec<_>, _>>().ok()?;
    let (before, after) = pads.split_at(pads.len() / 2);
    let axes = call.integers(3).unwrap_or_else(|| (0..rank as i64).collect());
    let mut borders = vec![(0, 0); rank];
    for (i, axis) in axes.into_iter().enumerate() {
        borders[axis.rem_euclid(rank as i64) as usize] = (before[i], after[i]);
    }
    Some(borders)
}

fn pad<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let Some(border) = borders(call) else { return missing("borders that cut") };
    direct(match call.text("mode", "constant") {
        "edge" => call.x(0).pad_replicate(&border),
        "wrap" => call.x(0).pad_circular(&border),
        "reflect" => call.x(0).pad_reflect(&border),
        _ => call.x(0).pad(&border, call.input(2).map_or(0.0, |value| value.item().as_f64())),
    })
}

fn compress<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let chosen = truths(call.x(1));
    let chosen: Vec<_> = chosen.iter().enumerate().filter(|(_, chosen)| **chosen).map(|(i, _)| i).collect();
    match call.attribute("axis") {
        Some(_) => direct(call.x(0).index_select(call.int("axis", 0) as isize, &chosen)),
        None => composed(call.x(0).reshape(&[call.x(0).value().len()]).index_select(0, &chosen)),
    }
}

fn one_hot<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let depth = call.integers(1).expect("depth")[0] as usize;
    let shape = call.x(0).shape();
    let rows = call.tape.one_hot(&places(&call.integers(0).expect("labels"), depth), depth);
    let rank = shape.len() as i64 + 1;
    let axis = call.int("axis", -1).rem_euclid(rank) as isize;
    let y = rows.reshape(&[&shape[..], &[depth]].concat());
    let mut order: Vec<_> = (0..rank as isize - 1).collect();
    order.insert(axis as usize, rank as isize - 1);
    let (off, on) = (call.x(2).slice(0, 0..1), call.x(2).slice(0, 1..2));
    composed(y.permute(&order) * (on - off) + off)
}

fn reverse_sequence<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (batch, time) = (call.int("batch_axis", 1) as isize, call.int("time_axis", 0) as isize);
    let lengths = call.integers(1).expect("lengths");
    let parts = lengths.iter().enumerate().map(|(i, &length)| {
        let one = call.x(0).slice(batch, i..i + 1);
        let (steps, length) = (one.shape()[time as usize], length as usize);
        Var::concat(&[one.slice(time, 0..length).flip(&[time]), one.slice(time, length..steps)], time)
    });
    composed(Var::concat(&parts.collect::<Vec<_>>(), batch))
}

fn center<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (mut x, to) = (call.x(0), call.integers(1).expect("a shape"));
    let rank = x.shape().len();
    let axes = call.ints("axes").unwrap_or_else(|| (0..rank as i64).collect());
    for (axis, to) in axes.into_iter().zip(to) {
        let axis = axis.rem_euclid(rank as i64) as usize;
        let (size, to) = (x.shape()[axis], to as usize);
        let mut border = vec![(0, 0); rank];
        border[axis] = (to.saturating_sub(size) / 2, to.saturating_sub(size).div_ceil(2));
        let cut = size.saturating_sub(to) / 2;
        x = x.slice(axis as isize, cut..cut + size.min(to)).pad(&border, 0.0);
    }
    composed(x)
}
