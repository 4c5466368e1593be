//! Functions of each element.

use wengert_autodiff::{Real, Var};

use crate::graph::{Call, Done, How, Result, composed, direct, missing, several};
use crate::value::{Kind, truths};

/// One op of one tensor.
pub fn unary<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    let x = call.input(0)?;
    let y = match call.node.op.as_str() {
        "Abs" => x.abs(),
        "Neg" => -x,
        "Sqrt" => x.sqrt(),
        "Reciprocal" => x.recip(),
        "Exp" => x.exp(),
        "Log" => x.ln(),
        "Sin" => x.sin(),
        "Cos" => x.cos(),
        "Tan" => x.tan(),
        "Asin" => x.asin(),
        "Acos" => x.acos(),
        "Atan" => x.atan(),
        "Sinh" => x.sinh(),
        "Cosh" => x.cosh(),
        "Asinh" => x.asinh(),
        "Acosh" => x.acosh(),
        "Atanh" => x.atanh(),
        "Tanh" => x.tanh(),
        "Sigmoid" => x.sigmoid(),
        "Relu" => x.relu(),
        "LeakyRelu" => x.leaky_relu(call.float("alpha", 0.01)),
        "Elu" => x.elu(call.float("alpha", 1.0)),
        "Gelu" if call.text("approximate", "none") == "tanh" => x.gelu_tanh(),
        "Gelu" => x.gelu(),
        "Softplus" => x.softplus(),
        "Swish" if call.float("alpha", 1.0) == 1.0 => x.silu(),
        "Erf" => x.erf(),
        "Mish" => x.mish(),
        "Softsign" => x.softsign(),
        "HardSwish" => x.hardswish(),
        "Selu" if call.attribute("alpha").is_none() && call.attribute("gamma").is_none() => x.selu(),
        "Floor" => x.floor(),
        "Ceil" => x.ceil(),
        "Round" => x.round(),
        "Sign" => x.sign(),
        "IsNaN" => x.ne(x),
        "Clip" => return Some(clip(call, x)),
        _ => return None,
    };
    Some(direct(y))
}

fn clip<'t, F: Real>(call: &Call<'_, 't, F>, x: Var<'t, F>) -> Result<Done<'t, F>> {
    let bound = |index: usize, default| call.input(index).map_or(default, |x| x.item().as_f64());
    let (lo, hi) = (bound(1, f64::NEG_INFINITY), bound(2, f64::INFINITY));
    // ONNX lets the upper bound win where they cross.
    if lo > hi { direct(x.clamp(hi, hi)) } else { direct(x.clamp(lo, hi)) }
}

/// A few ops of one tensor.
pub fn composed_unary<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    let x = call.input(0)?;
    let number = |x: f64| call.number(x);
    let y = match call.node.op.as_str() {
        "Swish" => x * (x * number(call.float("alpha", 1.0))).sigmoid(),
        "HardSigmoid" => {
            (x * number(call.float("alpha", 0.2)) + number(call.float("beta", 0.5))).clamp(0.0, 1.0)
        }
        "Selu" => {
            let alpha = call.float("alpha", 1.673_263_192_176_818_8);
            x.elu(alpha) * number(call.float("gamma", 1.050_701_022_148_132_3))
        }
        "Celu" => {
            let alpha = number(call.float("alpha", 1.0));
            (x / alpha).elu(1.0) * alpha
        }
        "ThresholdedRelu" => x * x.gt(number(call.float("alpha", 1.0))),
        "Shrink" => {
            let (bias, limit) = (call.float("bias", 0.0), call.float("lambd", 0.5));
            (x - number(bias)) * x.gt(number(limit)) + (x + number(bias)) * x.lt(number(-limit))
        }
        "IsInf" => {
            let (below, above) = (call.int("detect_negative", 1), call.int("detect_positive", 1));
            let (below, above) = (number(below as f64), number(above as f64));
            x.eq(number(f64::INFINITY)) * above + x.eq(number(f64::NEG_INFINITY)) * below
        }
        "PRelu" => x.relu() - call.x(1) * (-x).relu(),
        "SwiGLU" => x * (x * number(call.float("alpha", 1.0))).sigmoid() * call.x(1),
        _ => return None,
    };
    Some(composed(y))
}

/// Ops of two tensors, and of any number of them, two at a time.
pub fn binary<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    let fold = |op: fn(Var<'t, F>, Var<'t, F>) -> Var<'t, F>| {
        let count = call.inputs.len();
        let y = (1..count).fold(call.x(0), |y, index| op(y, call.x(index)));
        (if count <= 2 { How::Direct } else { How::Composed }, y)
    };
    let whole = call.kind(0) == Kind::Integer;
    let (how, y) = match call.node.op.as_str() {
        "Add" | "Sum" => fold(|a, b| a + b),
        "Sub" => fold(|a, b| a - b),
        "Mul" => fold(|a, b| a * b),
        "Div" if whole => (How::Composed, (call.x(0) / call.x(1)).trunc()),
        "Div" => fold(|a, b| a / b),
        "Pow" if whole && call.kind(1) == Kind::Float => (How::Composed, call.x(0).pow(call.x(1)).trunc()),
        "Pow" => fold(|a, b| a.pow(b)),
        "Max" => fold(|a, b| a.maximum(b)),
        "Min" => fold(|a, b| a.minimum(b)),
        "Mean" => (How::Composed, fold(|a, b| a + b).1 / call.number(call.inputs.len() as f64)),
        "Mod" if call.int("fmod", 0) == 0 => fold(|a, b| a.remainder(b)),
        // The sign is the dividend's.
        "Mod" => (How::Composed, call.x(0).abs().remainder(call.x(1).abs()) * call.x(0).sign()),
        "Equal" => fold(|a, b| a.eq(b)),
        "Greater" => fold(|a, b| a.gt(b)),
        "GreaterOrEqual" => fold(|a, b| a.ge(b)),
        "Less" => fold(|a, b| a.lt(b)),
        "LessOrEqual" => fold(|a, b| a.le(b)),
        "MatMul" => fold(|a, b| a.matmul(b)),
        "Gemm" => return Some(gemm(call)),
        "Einsum" => {
            let operands: Vec<_> = (0..call.inputs.len()).map(|index| call.x(index)).collect();
            (How::Direct, Var::einsum(call.text("equation", ""), &operands))
        }
        _ => return None,
    };
    Some(several(how, vec![y]))
}

/// `α A B + β C`, either transposed.
fn gemm<'t, F: Real>(call: &Call<'_, 't, F>) -> Result<Done<'t, F>> {
    let operand = |index: usize, name: &str| {
        if call.int(name, 0) != 0 { call.x(index).t() } else { call.x(index) }
    };
    let y = operand(0, "transA").matmul(operand(1, "transB")) * call.number(call.float("alpha", 1.0));
    composed(call.input(2).map_or(y, |c| y + c * call.number(call.float("beta", 1.0))))
}

/// Truth values, which are 0 and 1 as the comparisons give them.
pub fn logic<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    let y = match call.node.op.as_str() {
        "And" => call.x(0) * call.x(1),
        "Or" => call.x(0).maximum(call.x(1)),
        "Xor" => call.x(0).ne(call.x(1)),
        "Not" => call.x(0).eq(call.number(0.0)),
        "Where" => Var::where_cond(truths(call.x(0)).view(), call.x(1), call.x(2)),
        _ => return None,
    };
    Some(direct(y))
}

/// Changes of the number type: within a graph only, where whole numbers are carried by floats anyway.
pub fn typed<'t, F: Real>(call: &Call<'_, 't, F>) -> Option<Result<Done<'t, F>>> {
    let op = call.node.op.as_str();
    if !matches!(op, "Cast" | "CastLike") {
        return None;
    }
    if !call.inner {
        return Some(missing("a change of the number type: a tape has one"));
    }
    let to = if op == "Cast" { cast_target(call) } else { call.kind(1) };
    Some(composed(match (call.kind(0), to) {
        (from, to) if from == to => call.x(0),
        (_, Kind::Truth) => call.x(0).ne(call.number(0.0)),
        (Kind::Float, Kind::Integer) => call.x(0).trunc(),
        _ => call.x(0),
    }))
}

/// What the attribute `to` of `Cast` names.
pub fn cast_target<F: Real>(call: &Call<'_, '_, F>) -> Kind {
    match call.int("to", 1) {
        1 | 10 | 11 | 16 => Kind::Float,
        9 => Kind::Truth,
        _ => Kind::Integer,
    }
}
