//! Recurrent networks: ONNX keeps the input's weight with the cell, and orders the gates otherwise.

use wengert_autodiff::{Real, Var};

use crate::graph::{Call, Done, How, Result, missing, several};

pub fn run<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    matches!(call.node.op.as_str(), "RNN" | "GRU" | "LSTM").then(|| recurrence(call))
}

/// One direction's tensors.
struct Direction<'t, F: Real> {
    /// What the input's weight makes of the input, `[steps, batch, gates]`.
    x: Var<'t, F>,
    weight: Var<'t, F>,
    bias: Option<Var<'t, F>>,
    h: Option<Var<'t, F>>,
    c: Option<Var<'t, F>>,
    peepholes: Option<Var<'t, F>>,
    reverse: bool,
}

fn recurrence<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    if call.attribute("clip").is_some() || call.attribute("activations").is_some() || call.input(4).is_some()
    {
        let lengths = call.integers(4).unwrap_or_default();
        let steps = call.x(0).shape()[0] as i64;
        if lengths.is_empty() || lengths.iter().any(|&length| length != steps) {
            return missing("cells with clipping, activations of choice or lengths");
        }
    }
    let batch_first = call.int("layout", 0) != 0;
    let x = if batch_first { call.x(0).transpose(0, 1) } else { call.x(0) };
    let both = call.x(1).shape()[0];
    let (mut all, mut last, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..both {
        let direction = direction(call, x, index, batch_first);
        let steps = x.shape()[0];
        let end = if direction.reverse { 0 } else { steps - 1 };
        let (y, c) = steps_of(call, direction);
        last.push(y.slice(0, end..end + 1));
        all.push(y);
        memory.extend(c);
    }
    let y = Var::stack(&all, 1);
    let outputs =
        [Some(y), Some(Var::concat(&last, 0)), (!memory.is_empty()).then(|| Var::stack(&memory, 0))];
    let outputs = outputs.into_iter().flatten().enumerate().map(|(index, y)| match (batch_first, index) {
        (false, _) => y,
        (true, 0) => y.permute(&[2, 0, 1, 3]),
        (true, _) => y.transpose(0, 1),
    });
    several(How::Composed, outputs.collect())
}

/// The thirds or quarters of the first axis in Wengert's order.
fn reordered<'t, F: Real>(op: &str, x: Var<'t, F>) -> Var<'t, F> {
    let order: &[usize] = match op {
        "GRU" => &[1, 0, 2],
        "LSTM" => &[0, 2, 3, 1],
        _ => &[0],
    };
    let h = x.shape()[0] / order.len();
    let rows: Vec<_> = order.iter().flat_map(|gate| gate * h..(gate + 1) * h).collect();
    x.index_select(0, &rows)
}

fn direction<'t, F: Real>(
    call: &Call<'_, 't, F>,
    x: Var<'t, F>,
    index: usize,
    batch_first: bool,
) -> Direction<'t, F> {
    let op = call.node.op.as_str();
    let part = |input: usize| {
        let part = call.input(input)?.slice(0, index..index + 1);
        Some(part.reshape(&part.shape()[1..]))
    };
    let state = |input: usize| {
        let state = if batch_first { call.input(input)?.transpose(0, 1) } else { call.input(input)? };
        let part = state.slice(0, index..index + 1);
        Some(part.reshape(&part.shape()[1..]))
    };
    let weight = reordered(op, part(2).expect("a weight of the state"));
    let gates = weight.shape()[0];
    let biases = part(3).map(|bias| [bias.slice(0, 0..gates), bias.slice(0, gates..2 * gates)]);
    let [input_bias, bias] = biases.map_or([None, None], |both| both.map(|bias| Some(reordered(op, bias))));
    let x = x.linear(reordered(op, part(1).expect("a weight of the input")), input_bias);
    let reverse = call.text("direction", "forward") == "reverse" || index == 1;
    Direction { x, weight, bias, h: state(5), c: state(6), peepholes: part(7), reverse }
}

/// `h` after every step, and the last `c`.
fn steps_of<'t, F: Real>(call: &Call<'_, 't, F>, d: Direction<'t, F>) -> (Var<'t, F>, Option<Var<'t, F>>) {
    match call.node.op.as_str() {
        "RNN" => (d.x.rnn_tanh(d.h, d.weight, d.bias, d.reverse), None),
        "GRU" if call.int("linear_before_reset", 0) != 0 => (d.x.gru(d.h, d.weight, d.bias, d.reverse), None),
        "GRU" => (gru_of_1406_1078(call, d), None),
        _ if d.peepholes.is_some() => {
            let (y, c) = lstm_with_peepholes(call, d);
            (y, Some(c))
        }
        _ => {
            let zeros = || call.tape.constant(call.number(0.0).value()).broadcast_to(&state_shape(&d));
            let state = (d.h.is_some() || d.c.is_some())
                .then(|| (d.h.unwrap_or_else(zeros), d.c.unwrap_or_else(zeros)));
            let (y, c) = d.x.lstm(state, d.weight, d.bias, d.reverse);
            (y, Some(c))
        }
    }
}

fn state_shape<F: Real>(d: &Direction<'_, F>) -> [usize; 2] {
    [d.x.shape()[1], d.weight.shape()[1]]
}

/// Step by step: `f(gates' part from the input, h)`.
fn walk<'t, F: Real>(
    call: &Call<'_, 't, F>,
    d: &Direction<'t, F>,
    mut step: impl FnMut(Var<'t, F>, Var<'t, F>) -> Var<'t, F>,
) -> Var<'t, F> {
    let steps = d.x.shape()[0];
    let mut h = d.h.unwrap_or_else(|| call.number(0.0).broadcast_to(&state_shape(d)));
    let mut order: Vec<_> = (0..steps).collect();
    if d.reverse {
        order.reverse();
    }
    let mut all = vec![h; steps];
    for at in order {
        let x = d.x.slice(0, at..at + 1);
        h = step(x.reshape(&x.shape()[1..]), h);
        all[at] = h;
    }
    Var::stack(&all, 0)
}

/// The reset gate acts on `h`, not on what the weight makes of it.
fn gru_of_1406_1078<'t, F: Real>(call: &Call<'_, 't, F>, d: Direction<'t, F>) -> Var<'t, F> {
    let units = d.weight.shape()[1];
    let part = |x: Var<'t, F>, gate: usize| x.slice(-1, gate * units..(gate + 1) * units);
    let weight = |gate: usize| d.weight.slice(0, gate * units..(gate + 1) * units);
    let bias = |gate: usize| d.bias.map(|bias| part(bias, gate));
    walk(call, &d, |x, h| {
        let gate = |at: usize| (part(x, at) + h.linear(weight(at), bias(at))).sigmoid();
        let (reset, update) = (gate(0), gate(1));
        let new = (part(x, 2) + (reset * h).linear(weight(2), bias(2))).tanh();
        new + update * (h - new)
    })
}

/// The gates also see the memory.
fn lstm_with_peepholes<'t, F: Real>(call: &Call<'_, 't, F>, d: Direction<'t, F>) -> (Var<'t, F>, Var<'t, F>) {
    let units = d.weight.shape()[1];
    let part = |x: Var<'t, F>, gate: usize| x.slice(-1, gate * units..(gate + 1) * units);
    let peepholes = d.peepholes.expect("peepholes"); // of input, output and forget gate
    let mut c = d.c.unwrap_or_else(|| call.number(0.0).broadcast_to(&state_shape(&d)));
    let y = walk(call, &d, |x, h| {
        let gates = x + h.linear(d.weight, d.bias);
        let input = (part(gates, 0) + part(peepholes, 0) * c).sigmoid();
        let forget = (part(gates, 1) + part(peepholes, 2) * c).sigmoid();
        c = forget * c + input * part(gates, 2).tanh();
        (part(gates, 3) + part(peepholes, 1) * c).sigmoid() * c.tanh()
    });
    (y, c)
}
