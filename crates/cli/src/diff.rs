use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;
use wengert_optim::checkpoint::{Checkpoint, RawTensor};

use crate::tensors;

/// What `wengert diff` prints.
#[derive(Default, Serialize)]
pub(crate) struct Difference {
    only_in_a: Vec<String>,
    only_in_b: Vec<String>,
    /// Tensors of another shape or type, and all that is not a tensor: kind, steps, hyper-parameters, the extra.
    other: Vec<Other>,
    values: Vec<Values>,
    same: usize,
}

#[derive(Serialize)]
struct Other {
    name: String,
    a: Value,
    b: Value,
}

#[derive(Serialize)]
struct Values {
    name: String,
    /// How many elements differ.
    elements: usize,
    /// The largest |a - b|; `null`, as all of these, where a number stands against one that is not finite.
    max_abs: Option<f64>,
    /// The largest |a - b| / max(|a|, |b|).
    max_rel: Option<f64>,
}

impl Difference {
    /// Fails on hyper-parameters that are not JSON.
    pub(crate) fn between(a: &Checkpoint, b: &Checkpoint) -> Result<Self, serde_json::Error> {
        let mut difference = Self::default();
        difference.compare_facts(facts(a)?, facts(b)?);
        let (a, b): (BTreeMap<_, _>, BTreeMap<_, _>) = (tensors(a).collect(), tensors(b).collect());
        let only = |x: &BTreeMap<&str, _>, y: &BTreeMap<&str, _>| -> Vec<String> {
            x.keys().filter(|&name| !y.contains_key(name)).map(|&name| name.to_owned()).collect()
        };
        difference.only_in_a.extend(only(&a, &b));
        difference.only_in_b.extend(only(&b, &a));
        for (name, a) in a {
            if let Some(b) = b.get(name) {
                difference.compare_tensors(name, a, b);
            }
        }
        Ok(difference)
    }

    pub(crate) fn is_none(&self) -> bool {
        self.only_in_a.is_empty()
            && self.only_in_b.is_empty()
            && self.other.is_empty()
            && self.values.is_empty()
    }

    fn compare_facts(&mut self, a: BTreeMap<String, Value>, mut b: BTreeMap<String, Value>) {
        for (name, a) in a {
            match b.remove(&name) {
                None => self.only_in_a.push(name),
                Some(b) if a == b => (),
                Some(b) => self.other.push(Other { name, a, b }),
            }
        }
        self.only_in_b.extend(b.into_keys());
    }

    fn compare_tensors(&mut self, name: &str, a: &RawTensor, b: &RawTensor) {
        let name = name.to_owned();
        if (a.dtype(), a.shape()) != (b.dtype(), b.shape()) {
            let kind = |tensor: &RawTensor| format!("{} {:?}", tensor.dtype(), tensor.shape()).into();
            self.other.push(Other { name, a: kind(a), b: kind(b) });
        } else if a.bytes() == b.bytes() {
            self.same += 1;
        } else {
            self.values.push(Values::between(name, a, b));
        }
    }
}

impl Values {
    /// Of two tensors whose bytes differ: that can be a sign of zero, which counts as an element that differs by 0.
    fn between(name: String, a: &RawTensor, b: &RawTensor) -> Self {
        let (mut elements, mut max_abs, mut max_rel) = (0, 0.0, 0.0);
        for (a, b) in a.values().zip(b.values()).filter(|(a, b)| a.to_bits() != b.to_bits()) {
            elements += 1;
            let abs = (a - b).abs();
            max_abs = larger(max_abs, abs);
            max_rel = larger(max_rel, if abs == 0.0 { 0.0 } else { abs / a.abs().max(b.abs()) });
        }
        let finite = |x: f64| x.is_finite().then_some(x);
        Self { name, elements, max_abs: finite(max_abs), max_rel: finite(max_rel) }
    }
}

/// Unlike `f64::max`, keeps what is not a number.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b <= a { a } else { b }
}

/// All that is not a tensor, by name.
fn facts(file: &Checkpoint) -> Result<BTreeMap<String, Value>, serde_json::Error> {
    let mut facts = BTreeMap::new();
    if let Some(optimizer) = &file.optimizer {
        facts.insert("optimizer".to_owned(), optimizer.kind.clone().into());
        facts.insert("optimizer: steps".to_owned(), optimizer.steps.into());
        for rule in &optimizer.rules {
            let title =
                rule.pattern.as_ref().map_or_else(|| "optimizer".to_owned(), |p| format!("group `{p}`"));
            for (when, json) in [("given", &rule.given), ("now", &rule.now)] {
                match serde_json::from_str(json)? {
                    Value::Object(hypers) => facts.extend(
                        hypers.into_iter().map(|(hyper, value)| (format!("{title}: {hyper} {when}"), value)),
                    ),
                    other => drop(facts.insert(format!("{title}: {when}"), other)),
                }
            }
        }
    }
    let extra: Value = file.extra()?;
    if !extra.is_null() {
        facts.insert("extra".to_owned(), extra);
    }
    Ok(facts)
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (names, file) in [(&self.only_in_a, "first"), (&self.only_in_b, "second")] {
            for name in names {
                writeln!(f, "{}: only in the {file} file", name.escape_debug())?;
            }
        }
        for Other { name, a, b } in &self.other {
            writeln!(f, "{}: {a} and {b}", name.escape_debug())?;
        }
        for Values { name, elements, max_abs, max_rel } in &self.values {
            write!(f, "{}: {elements} elements differ, ", name.escape_debug())?;
            match (max_abs, max_rel) {
                (Some(abs), Some(rel)) => writeln!(f, "by at most {abs:.3e}, relative {rel:.3e}")?,
                _ => writeln!(f, "some by more than numbers can say")?,
            }
        }
        writeln!(f, "{} tensors are the same", self.same)
    }
}
