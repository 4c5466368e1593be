use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::to_raw_value;
use wengert_optim::checkpoint::{Checkpoint, RawTensor};

use crate::json::{Json, json};

/// What `wengert diff` prints.
#[derive(Default, Serialize)]
pub(crate) struct Difference {
    only_in_a: Vec<String>,
    only_in_b: Vec<String>,
    /// Tensors of another shape or type, and all that is not a tensor: kind, steps, hyper-parameters, the extra, the
    /// metadata.
    other: Vec<Other>,
    values: Vec<Values>,
    same: usize,
}

#[derive(Serialize)]
struct Other {
    name: String,
    a: Json,
    b: Json,
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
    pub(crate) fn between(a: (&Path, &Checkpoint), b: (&Path, &Checkpoint)) -> Result<Self, String> {
        let facts =
            |(path, file): (&Path, _)| facts(file).map_err(|error| format!("{}: {error}", path.display()));
        let mut difference = Self::default();
        difference.compare_facts(facts(a)?, facts(b)?);
        let (a, b): (BTreeMap<_, _>, BTreeMap<_, _>) = (tensors(a.1).collect(), tensors(b.1).collect());
        let only = |x: &BTreeMap<(bool, &str), _>, y: &BTreeMap<(bool, &str), _>| -> Vec<String> {
            x.keys().filter(|&key| !y.contains_key(key)).map(|&(_, name)| name.to_owned()).collect()
        };
        difference.only_in_a.extend(only(&a, &b));
        difference.only_in_b.extend(only(&b, &a));
        for (key, a) in a {
            if let Some(b) = b.get(&key) {
                difference.compare_tensors(key.1, a, b)?;
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

    fn compare_facts(&mut self, a: BTreeMap<String, Json>, mut b: BTreeMap<String, Json>) {
        for (name, a) in a {
            match b.remove(&name) {
                None => self.only_in_a.push(name),
                Some(b) if is_same(&a, &b) => (),
                Some(b) => self.other.push(Other { name, a, b }),
            }
        }
        self.only_in_b.extend(b.into_keys());
    }

    fn compare_tensors(&mut self, name: &str, a: &RawTensor, b: &RawTensor) -> Result<(), String> {
        let name = name.to_owned();
        let kind = |tensor: &RawTensor| format!("{} {:?}", tensor.dtype(), tensor.shape());
        if (a.dtype(), a.shape()) != (b.dtype(), b.shape()) {
            self.other.push(Other { name, a: to_json(&kind(a))?, b: to_json(&kind(b))? });
        } else if a.bytes() == b.bytes() {
            self.same += 1;
        } else if a.values().next().is_none() {
            let bytes = format!("other bytes of {}", kind(b));
            self.other.push(Other { name, a: to_json(&kind(a))?, b: to_json(&bytes)? });
        } else {
            self.values.push(Values::between(name, a, b));
        }
        Ok(())
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

/// In bytes. As parsed JSON takes many times the memory of its text, what is longer is compared as text.
const LONGEST: usize = 1 << 16;

/// All that is not a tensor, by name.
fn facts(file: &Checkpoint) -> Result<BTreeMap<String, Json>, String> {
    let mut facts = BTreeMap::new();
    if let Some(optimizer) = &file.optimizer {
        facts.insert("optimizer".to_owned(), to_json(&optimizer.kind)?);
        facts.insert("optimizer: steps".to_owned(), to_json(&optimizer.steps)?);
        for rule in &optimizer.rules {
            let title =
                rule.pattern.as_ref().map_or_else(|| "optimizer".to_owned(), |p| format!("group `{p}`"));
            for (when, text) in [("given", &rule.given), ("now", &rule.now)] {
                match parsed::<BTreeMap<String, Json>>(text) {
                    Some(hypers) => facts.extend(
                        hypers.into_iter().map(|(hyper, value)| (format!("{title}: {hyper} {when}"), value)),
                    ),
                    None => {
                        drop(facts.insert(format!("{title}: {when}"), json("the hyper-parameters", text)?))
                    }
                }
            }
        }
    }
    let extra = json("the extra", &file.extra)?;
    if extra.get() != "null" {
        facts.insert("extra".to_owned(), extra);
    }
    for (key, value) in &file.metadata {
        facts.insert(format!("metadata: {key}"), to_json(value)?);
    }
    Ok(facts)
}

/// Whether it is of the optimizer, which may have a tensor of a name that the model has too, and the name.
fn tensors(file: &Checkpoint) -> impl Iterator<Item = ((bool, &str), &RawTensor)> {
    let model = file.model.iter().map(|(name, tensor)| ((false, &name[..]), tensor));
    let state = file.optimizer.iter().flat_map(|optimizer| &optimizer.state);
    model.chain(state.map(|(name, tensor)| ((true, &name[..]), tensor)))
}

fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    (text.len() <= LONGEST).then(|| serde_json::from_str(text).ok()).flatten()
}

fn is_same(a: &Json, b: &Json) -> bool {
    let values = || Some(parsed::<Value>(a.get())? == parsed::<Value>(b.get())?);
    a.get() == b.get() || values().unwrap_or(false)
}

fn to_json<T: Serialize>(value: &T) -> Result<Json, String> {
    to_raw_value(value).map_err(|error| error.to_string())
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (names, file) in [(&self.only_in_a, "first"), (&self.only_in_b, "second")] {
            for name in names {
                writeln!(f, "{}: only in the {file} file", name.escape_debug())?;
            }
        }
        for Other { name, a, b } in &self.other {
            writeln!(f, "{}: {} and {}", name.escape_debug(), a.get(), b.get())?;
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
