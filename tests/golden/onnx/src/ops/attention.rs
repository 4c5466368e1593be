//! Attention with heads, and rotations that tell places.

use wengert_autodiff::ndarray::{ArrayD, IxDyn, Zip};
use wengert_autodiff::{Real, Var};

use crate::graph::{Call, Done, How, Result, composed, direct, missing, several};
use crate::value::{Kind, truths};

pub fn run<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    Some(match call.node.op.as_str() {
        "Attention" => attention(call),
        "FlexAttention" if call.node.attributes.keys().any(|name| name.ends_with("_mod")) => {
            missing("functions as attributes: Rust has closures")
        }
        "FlexAttention" => attention(call),
        "RotaryEmbedding" => rotated(call),
        _ => return None,
    })
}

/// `[b, l, heads e]` as `[b, heads, l, e]`.
pub fn by_head<'t, F: Real>(x: Var<'t, F>, heads: Option<usize>) -> Var<'t, F> {
    let shape = x.shape();
    let &[b, l, width] = &shape[..] else { return x };
    let heads = heads.expect("a number of heads");
    x.reshape(&[b, l, heads, width / heads]).permute(&[0, 2, 1, 3])
}

/// Each head as often as queries share it.
pub fn repeated<'t, F: Real>(x: Var<'t, F>, heads: usize) -> Var<'t, F> {
    let own = x.shape()[1];
    if own == heads {
        return x;
    }
    x.index_select(1, &(0..heads).map(|head| head * own / heads).collect::<Vec<_>>())
}

fn attention<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let heads = |name: &str| call.attribute(name).map(|_| call.int(name, 0) as usize);
    let is_flat = call.x(0).shape().len() == 3;
    let query = by_head(call.x(0), heads("q_num_heads"));
    let present = |new: usize, past: usize| {
        let new = by_head(call.x(new), heads("kv_num_heads"));
        call.input(past).map_or(new, |past| Var::concat(&[past, new], 2))
    };
    let (key, value) = (present(1, 4), present(2, 5));
    let (q, e) = (query.shape()[2], query.shape()[3]);
    let (mask, bias) = constraints(call, [query.shape()[0], q, key.shape()[2]]);
    let count = query.shape()[1];
    let (keys, values) = (repeated(key, count), repeated(value, count));
    let outputs_asked = (1..4).any(|output| call.wants(output));
    let plain = call.attribute("scale").is_none() && call.float("softcap", 0.0) == 0.0;
    let one_op = plain && !is_flat && !outputs_asked && key.shape()[1] == count;
    if one_op && call.input(6).is_none() && call.input(4).is_none() {
        return direct(query.scaled_dot_product_attention(
            keys,
            values,
            mask.as_ref().map(|m| m.view()),
            bias,
        ));
    }
    let scale = call.attribute("scale").map_or(1.0 / (e as f64).sqrt(), |_| call.float("scale", 1.0));
    let scores = (query * call.number(scale)).matmul(keys.transpose(-1, -2));
    let cap = call.float("softcap", 0.0);
    let capped = if cap > 0.0 { (scores / call.number(cap)).tanh() * call.number(cap) } else { scores };
    let biased = bias.map_or(capped, |bias| capped + bias);
    let open = mask.as_ref().map(|mask| mask.view());
    let weights = if cap > 0.0 {
        // Scores that are made already go in as the bias of a query that asks for nothing.
        (query * call.number(0.0)).attention_weights(keys * call.number(0.0), open, Some(biased))
    } else {
        (query * call.number(scale * (e as f64).sqrt())).attention_weights(keys, open, bias)
    };
    let mut y = weights.matmul(values);
    if is_flat {
        let (b, width) = (y.shape()[0], y.shape()[1] * y.shape()[3]);
        y = y.permute(&[0, 2, 1, 3]).reshape(&[b, q, width]);
    }
    let shown = match call.int("qk_matmul_output_mode", 0) {
        0 => scores,
        1 => capped,
        2 => masked(call, biased, mask.as_ref()),
        _ => weights,
    };
    several(How::Composed, vec![y, key, value, shown])
}

/// -∞ where the mask is false.
fn masked<'t, F: Real>(call: &Call<'_, 't, F>, x: Var<'t, F>, mask: Option<&ArrayD<bool>>) -> Var<'t, F> {
    mask.map_or(x, |mask| Var::where_cond(mask.view(), x, call.number(f64::NEG_INFINITY)))
}

/// Which keys a query may attend to, `[b, 1, q, k]` or less, and what is added to the scores.
fn constraints<'t, F: Real>(
    call: &Call<'_, 't, F>,
    [b, q, k]: [usize; 3],
) -> (Option<ArrayD<bool>>, Option<Var<'t, F>>) {
    let mut bias = None;
    let mut mask = call.input(3).and_then(|given| {
        let short = k - given.shape().last().expect("an axis of keys");
        let mut border = vec![(0, 0); given.shape().len()];
        *border.last_mut().expect("an axis") = (0, short);
        let is_mask = call.kind(3) == Kind::Truth;
        let given = given.pad(&border, if is_mask { 0.0 } else { f64::NEG_INFINITY });
        if is_mask {
            return Some(truths(given));
        }
        bias = Some(given);
        None
    });
    let lengths = call.integers(6);
    let (left, right) = (call.int("left_window_size", -1), call.int("right_window_size", -1));
    let causal = call.int("is_causal", 0) != 0;
    if lengths.is_some() || causal || left >= 0 || right >= 0 {
        let past = call.input(4).map_or(0, |past| past.shape()[2] as i64);
        let rows = if lengths.is_some() { b } else { 1 };
        let open = ArrayD::from_shape_fn(IxDyn(&[rows, 1, q, k]), |at| {
            let length = lengths.as_ref().map(|lengths| lengths[at[0]]);
            let ahead = at[2] as i64 + length.map_or(past, |length| length - q as i64) - at[3] as i64;
            length.is_none_or(|length| (at[3] as i64) < length)
                && (!causal || ahead >= 0)
                && (left < 0 || ahead <= left)
                && (right < 0 || -ahead <= right)
        });
        mask = Some(mask.map_or(open.clone(), |mask| both(&mask, &open)));
    }
    (mask, bias)
}

fn both(a: &ArrayD<bool>, b: &ArrayD<bool>) -> ArrayD<bool> {
    let rank = a.ndim().max(b.ndim());
    let size =
        |x: &ArrayD<bool>, axis: usize| (axis + x.ndim()).checked_sub(rank).map_or(1, |axis| x.shape()[axis]);
    let shape: Vec<_> = (0..rank).map(|axis| size(a, axis).max(size(b, axis))).collect();
    let wide = |x: &ArrayD<bool>| x.broadcast(shape.clone()).expect("masks that broadcast").to_owned();
    Zip::from(&wide(a)).and(&wide(b)).map_collect(|&a, &b| a && b)
}

/// Pairs of numbers turned by angles that grow with the place.
fn rotated<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let is_flat = call.x(0).shape().len() == 3;
    let heads = call.attribute("num_heads").map(|_| call.int("num_heads", 1) as usize);
    let x = by_head(call.x(0), heads);
    let [b, h, l, e] = x.shape()[..] else { panic!("heads") };
    let rotary = match call.int("rotary_embedding_dim", 0) as usize {
        0 => e,
        width => width,
    };
    let cache = |input: usize| {
        let cache = call.x(input);
        let rows = match call.integers(3) {
            Some(ids) => cache.index_select(0, &ids.iter().map(|&id| id as usize).collect::<Vec<_>>()),
            None => cache,
        };
        rows.reshape(&[b, 1, l, rotary / 2])
    };
    let (cos, sin) = (cache(1), cache(2));
    let turned = x.slice(-1, 0..rotary);
    let (pairs, axis) =
        if call.int("interleaved", 0) != 0 { ([rotary / 2, 2], -1) } else { ([2, rotary / 2], -2) };
    let apart = turned.reshape(&[b, h, l, pairs[0], pairs[1]]);
    let part = |index: usize| apart.slice(axis, index..index + 1).reshape(&[b, h, l, rotary / 2]);
    let (x1, x2) = (part(0), part(1));
    let turned = Var::stack(&[cos * x1 - sin * x2, sin * x1 + cos * x2], axis).reshape(&[b, h, l, rotary]);
    let y = Var::concat(&[turned, x.slice(-1, rotary..e)], -1);
    composed(if is_flat { y.permute(&[0, 2, 1, 3]).reshape(&[b, l, h * e]) } else { y })
}
