//! Sequences that go on: a state comes in and the next one goes out.

use wengert_autodiff::{ConvOptions, Real, Var};

use super::attention::{by_head, repeated};
use crate::graph::{Call, Done, How, Result, several};

pub fn run<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    match call.node.op.as_str() {
        "CausalConvWithState" => Some(causal_convolution(call)),
        "LinearAttention" => Some(linear_attention(call)),
        _ => None,
    }
}

/// Each channel by itself; the state is the end of the input.
fn causal_convolution<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let (x, weight) = (call.x(0), call.x(1));
    let (channels, before) = (x.shape()[1], weight.shape()[2] - 1);
    let padded = match call.input(3) {
        Some(past) => Var::concat(&[past, x], 2),
        None => x.pad(&[(0, 0), (0, 0), (before, 0)], 0.0),
    };
    let y = padded.conv1d(weight, call.input(2), ConvOptions { groups: channels, ..ConvOptions::default() });
    let y = if call.text("activation", "none") == "none" { y } else { y.silu() };
    let length = padded.shape()[2];
    several(How::Composed, vec![y, padded.slice(2, length - before..length)])
}

/// `Sₜ = e^g Sₜ₋₁ + k vᵀ` and `y = q Sₜ`; the delta rule writes `β (v - k Sₜ₋₁)` in the place of `v`.
fn linear_attention<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let heads = |name: &str| call.int(name, 1) as usize;
    let (all, own) = (heads("q_num_heads"), heads("kv_num_heads"));
    let (query, key, value) =
        (by_head(call.x(0), Some(all)), by_head(call.x(1), Some(own)), by_head(call.x(2), Some(own)));
    let ([b, _, steps, k], v) = (array(key), value.shape()[3]);
    let decay = call.input(4).map(|decay| by_head(decay, Some(own)));
    let beta = call.input(5).map(|beta| by_head(beta, Some(beta.shape()[2])));
    let scale = match call.float("scale", 0.0) {
        0.0 => 1.0 / (k as f64).sqrt(),
        scale => scale,
    };
    let mut state = call.input(3).unwrap_or_else(|| call.number(0.0).broadcast_to(&[b, own, k, v]));
    let mut rows = Vec::new();
    for t in 0..steps {
        let step = |x: Var<'t, F>| x.slice(2, t..t + 1); // [b, heads, 1, …]
        if let Some(decay) = decay {
            state *= step(decay).exp().transpose(-1, -2);
        }
        let mut new = step(value);
        if let Some(beta) = beta {
            new = step(beta) * (new - step(key).matmul(state));
        }
        state += step(key).transpose(-1, -2).matmul(new);
        rows.push(step(query).matmul(repeated(state, all)) * call.number(scale));
    }
    let y = Var::concat(&rows, 2).permute(&[0, 2, 1, 3]).reshape(&[b, steps, all * v]);
    several(How::Composed, vec![y, state])
}

fn array<F: Real>(x: Var<'_, F>) -> [usize; 4] {
    x.shape().try_into().expect("four axes")
}
