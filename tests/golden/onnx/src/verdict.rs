//! One test: run and compared.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use wengert_autodiff::{Real, Tape};

use crate::case::{Array, Case};
use crate::graph::{self, How, Missing};
use crate::value::{Kind, Value};

/// What came of a test.
pub enum Verdict {
    Passed {
        how: How,
        carried: bool,
    },
    /// Another result, with the reason for it.
    Different(&'static str),
    Missing(String),
    Wrong(String),
}

/// Where Wengert answers otherwise by choice.
const NOTHING: &str = "the maximum of nothing is an error, as PyTorch's";
const LABELS: &str = "a label that is not a class is an error, as PyTorch's";
const BY_CHOICE: &[(&str, &str)] = &[
    ("test_reduce_max_empty_set", NOTHING),
    ("test_reduce_max_empty_set_bool", NOTHING),
    ("test_reduce_min_empty_set", NOTHING),
    ("test_onehot_out_of_range_indices", LABELS),
];

pub fn of(case: &Case) -> Verdict {
    let double = case.tensors().any(|array| array.kind == "double")
        || !case.tensors().any(|array| array.kind == "float");
    let run = AssertUnwindSafe(|| if double { compare::<f64>(case) } else { compare::<f32>(case) });
    let verdict = catch_unwind(run).unwrap_or_else(|panic| Verdict::Wrong(message(&*panic)));
    let choice = BY_CHOICE.iter().find(|(name, _)| *name == case.name);
    match (verdict, choice) {
        (Verdict::Wrong(what), Some((_, reason))) if what.starts_with("panics: `") => {
            Verdict::Different(reason)
        }
        (Verdict::Passed { .. }, Some(_)) => {
            Verdict::Wrong("is listed as different by choice and is not".into())
        }
        (verdict, _) => verdict,
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    format!("panics: {}", text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("?"))
}

fn compare<F: Real>(case: &Case) -> Verdict {
    // Before anything runs: an op that ignores what it cannot take would pass.
    if let Some(array) = case.tensors().find(|array| Kind::of(&array.kind).is_none()) {
        return Verdict::Missing(graph::foreign(&array.kind).into());
    }
    let carried = !case.tensors().any(|array| matches!(array.kind.as_str(), "float" | "double"));
    let is_held = |x: f64| x.abs() <= (1_u64 << f64::MANTISSA_DIGITS) as f64;
    if carried && !case.tensors().filter_map(Array::numbers).flatten().all(is_held) {
        return Verdict::Missing("whole numbers that f64 does not hold".into());
    }
    let tape = Tape::<F>::new();
    let (values, how) = match graph::run(case, &tape) {
        Ok(done) => done,
        Err(Missing(why)) => return Verdict::Missing(why),
    };
    for ((name, expected), value) in case.outputs.iter().zip(&values) {
        if let Err(difference) = close(case, expected, *value) {
            return Verdict::Wrong(format!("{name}: {difference}"));
        }
    }
    // The way back must exist, too.
    if let Some(y) = values.iter().find(|value| value.var.needs_grad()) {
        drop(y.var.sum().backward());
    }
    Verdict::Passed { how, carried }
}

/// As NumPy's `assert_allclose`: `|a - e| ≤ atol + rtol |e|`, exactly for whole numbers.
fn close<F: Real>(case: &Case, expected: &Array, value: Value<'_, F>) -> Result<(), String> {
    let actual = value.var.value();
    if actual.shape() != expected.shape {
        return Err(format!("shape {:?} instead of {:?}", actual.shape(), expected.shape));
    }
    let exact = Kind::of(&expected.kind) != Some(Kind::Float);
    let (rtol, atol) = if exact { (0.0, 0.0) } else { (case.rtol, case.atol) };
    for (index, (actual, e)) in actual.iter().zip(expected.numbers().expect("numbers")).enumerate() {
        let a = actual.as_f64();
        let is_close = a == e || (a.is_nan() && e.is_nan()) || (a - e).abs() <= atol + rtol * e.abs();
        // What is infinite is within no tolerance.
        if !is_close || (e.is_infinite() && a != e) {
            return Err(format!("{a} instead of {e} at {index}"));
        }
    }
    Ok(())
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed { how, carried } => {
                let how = if *how == How::Direct { "direct" } else { "composed" };
                write!(f, "passed, {how}{}", if *carried { ", whole numbers in f64" } else { "" })
            }
            Self::Different(why) => write!(f, "different: {why}"),
            Self::Missing(why) => write!(f, "missing: {why}"),
            Self::Wrong(what) => write!(f, "WRONG: {what}"),
        }
    }
}
