//! Loading in two halves: a plan, which changes nothing and says what does not fit, and then the change, which cannot
//! fail.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wengert_autodiff::{Module, ModulePath, Real, Tensor};

use super::content::{SavedOptimizer, SavedRule, to_json};
use super::format::tensor::{Element, RawTensor, expected, kind};
use super::report::LoadReport;
use crate::optimizer::{Entry, Optimizer};
use crate::rule::Rule;
use crate::state::{FieldMut, State};

/// The tensors of `file` that fit the model, ready to be put there; with `cast`, those of the other float type too.
pub(super) fn plan_model<F: Element>(
    file: &BTreeMap<String, RawTensor>,
    model: &dyn Module<F>,
    cast: bool,
    report: &mut LoadReport,
) -> BTreeMap<String, Tensor<F>> {
    let mut own = BTreeMap::new();
    model.visit(&mut ModulePath::default(), &mut |name, leaf| {
        own.insert(name.to_owned(), leaf);
    });
    report.unexpected.extend(file.keys().filter(|&name| !own.contains_key(name)).cloned());
    let mut tensors = BTreeMap::new();
    for (name, leaf) in own {
        let Some(raw) = file.get(&name) else {
            report.missing.push(name);
            continue;
        };
        match raw.to_leaf(&leaf, cast) {
            Ok(loaded) => {
                report.matched.push(name.clone());
                tensors.insert(name, loaded);
            }
            Err(found) => report.mismatch(name, expected(&leaf), found),
        }
    }
    tensors
}

pub(super) fn put_into_model<F: Real>(mut tensors: BTreeMap<String, Tensor<F>>, model: &mut dyn Module<F>) {
    model.visit_mut(&mut ModulePath::default(), &mut |name, leaf| {
        if let Some(tensor) = tensors.remove(name) {
            *leaf.into_value() = tensor;
        }
    });
}

/// What an optimizer is to become.
pub(super) struct OptimizerPlan<R: Rule<F>, F: Real> {
    /// As they were when the file was written; `None` where they did not all fit.
    rules: Option<Vec<R>>,
    entries: BTreeMap<String, Entry<R::State>>,
    steps: u64,
}

impl<R: Rule<F>, F: Real> OptimizerPlan<R, F> {
    /// The optimizer keeps its own hyper-parameters.
    pub(super) fn without_rules(self) -> Self {
        Self { rules: None, ..self }
    }

    pub(super) fn put_into(self, opt: &mut Optimizer<R, F>) {
        for (own, saved) in opt.rules_mut().zip(self.rules.into_iter().flatten()) {
            *own = saved;
        }
        opt.entries = self.entries;
        opt.steps = self.steps;
    }
}

/// `None` if the file's optimizer is of another kind, whose state would mean something else. `cast` is as for
/// [`plan_model`].
pub(super) fn plan_optimizer<R, F>(
    file: &SavedOptimizer,
    model: &dyn Module<F>,
    opt: &Optimizer<R, F>,
    cast: bool,
    report: &mut LoadReport,
) -> Option<OptimizerPlan<R, F>>
where
    R: Rule<F> + Serialize + DeserializeOwned,
    F: Element,
{
    if file.kind != R::NAME {
        report.mismatch("optimizer", R::NAME, &file.kind);
        return None;
    }
    if i64::try_from(file.steps).is_err() {
        report.mismatch("optimizer: steps", "a count below 2⁶³", file.steps.to_string());
        return None; // the next step could not be counted
    }
    let rules = match plan_rules(&file.rules, opt) {
        Ok(rules) => Some(rules),
        Err(differences) => {
            report.append(differences);
            None
        }
    };
    let mut state = by_param(&file.state);
    let mut entries = BTreeMap::new();
    for (name, param) in model.params() {
        if let Some(fields) = state.remove(name.as_str()) {
            let init = opt.rule_for(&name).init(param.value());
            if let Some(state) = plan_state(&name, fields, param.value(), init, cast, report) {
                entries.insert(name, Entry::new(param.shape(), state));
            }
        }
    }
    for (param, fields) in state {
        report.unexpected.extend(fields.keys().map(|field| format!("{param}/{field}")));
    }
    Some(OptimizerPlan { rules, entries, steps: file.steps })
}

/// The fields of each parameter's state.
fn by_param(file: &BTreeMap<String, RawTensor>) -> BTreeMap<&str, BTreeMap<&str, &RawTensor>> {
    let mut state: BTreeMap<&str, BTreeMap<&str, &RawTensor>> = BTreeMap::new();
    for (name, tensor) in file {
        let (param, field) = name.rsplit_once('/').unwrap_or((name, ""));
        state.entry(param).or_default().insert(field, tensor);
    }
    state
}

/// `state` filled from the file, or `None` if some of it did not fit.
fn plan_state<F: Element, S: State<F>>(
    name: &str,
    mut file: BTreeMap<&str, &RawTensor>,
    param: &Tensor<F>,
    mut state: S,
    cast: bool,
    report: &mut LoadReport,
) -> Option<S> {
    let mut complete = true;
    for (field, own) in state.fields_mut() {
        let name = format!("{name}/{field}");
        let Some(raw) = file.remove(field) else {
            match own {
                FieldMut::Optional(own) => *own = None,
                _ => {
                    complete = false;
                    report.missing.push(name);
                }
            }
            continue;
        };
        match fill(own, raw, param, cast) {
            Ok(()) => report.matched.push(name),
            Err((expected, found)) => {
                complete = false;
                report.mismatch(name, expected, found);
            }
        }
    }
    complete &= file.is_empty();
    report.unexpected.extend(file.keys().map(|field| format!("{name}/{field}")));
    complete.then_some(state)
}

/// Or what would have fitted, and what there is.
fn fill<F: Element>(
    own: FieldMut<'_, F>,
    raw: &RawTensor,
    param: &Tensor<F>,
    cast: bool,
) -> Result<(), (String, String)> {
    let tensor =
        |like: &Tensor<F>| raw.to_tensor(like, cast).map_err(|found| (kind(F::DTYPE, like.shape()), found));
    let scalar = |what: &str| (what.to_owned(), raw.kind());
    match own {
        FieldMut::Tensor(own) => *own = tensor(own)?,
        FieldMut::Optional(own) => *own = Some(tensor(own.as_ref().unwrap_or(param))?),
        FieldMut::Steps(own) | FieldMut::Count(own) => {
            *own = raw.to_count().ok_or_else(|| scalar("a count, I64 []"))?;
        }
        FieldMut::Number(own) => *own = raw.to_number().ok_or_else(|| scalar("a number, F64 []"))?,
    }
    Ok(())
}

/// The hyper-parameters as they were when the file was written, or what does not fit.
fn plan_rules<R, F>(file: &[SavedRule], opt: &Optimizer<R, F>) -> Result<Vec<R>, LoadReport>
where
    R: Rule<F> + Serialize + DeserializeOwned,
    F: Element,
{
    let own: Vec<_> = opt.groups.initial().collect();
    let patterns: Vec<_> = own.iter().map(|rule| rule.pattern).collect();
    let mut differences = compare_patterns(&patterns, file);
    let mut rules = Vec::new();
    for rule in file {
        let title = title(rule.pattern.as_deref());
        if let Some(own) = own.iter().find(|own| own.pattern == rule.pattern.as_deref()) {
            match to_json(own.initial) {
                Ok(initial) => differences.append(compare_rules(&title, &initial, &rule.given)),
                Err(error) => differences.mismatch(&title, "numbers that JSON can hold", error.to_string()),
            }
        }
        match serde_json::from_str::<R>(&rule.now).map(|rule| (rule.validate(), rule)) {
            Ok((Ok(()), rule)) => rules.push(rule),
            Ok((Err(error), _)) => {
                differences.mismatch(title, "sound hyper-parameters", format!("{}: {error}", R::NAME));
            }
            Err(error) => differences.mismatch(title, "hyper-parameters", error.to_string()),
        }
    }
    if differences.is_complete() { Ok(rules) } else { Err(differences) }
}

fn compare_patterns(own: &[Option<&str>], file: &[SavedRule]) -> LoadReport {
    let mut differences = LoadReport::default();
    let found: Vec<_> = file.iter().map(|rule| rule.pattern.as_deref()).collect();
    differences.missing.extend(own.iter().filter(|pattern| !found.contains(pattern)).map(|&p| title(p)));
    differences.unexpected.extend(found.iter().filter(|pattern| !own.contains(pattern)).map(|&p| title(p)));
    if differences.is_complete() && own != found {
        differences.mismatch("order of the groups", format!("{own:?}"), format!("{found:?}"));
    }
    differences
}

fn title(pattern: Option<&str>) -> String {
    pattern.map_or_else(|| "optimizer".to_owned(), |pattern| format!("group `{pattern}`"))
}

/// As parsed JSON takes many times the memory of its text, nothing longer is parsed.
const LONGEST_RULE: usize = 1 << 16;

/// Names each hyper-parameter that is not the same.
fn compare_rules(title: &str, own: &str, file: &str) -> LoadReport {
    let mut differences = LoadReport::default();
    if file.len() > LONGEST_RULE.max(own.len()) {
        let found = format!("{} bytes of something else", file.len());
        differences.mismatch(title, "hyper-parameters", found);
        return differences;
    }
    let parsed = |json: &str| serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()));
    match (parsed(own), parsed(file)) {
        (own, file) if own == file => (),
        (Value::Object(own), Value::Object(file)) => {
            for (name, own) in &own {
                let path = format!("{title}: {name}");
                match file.get(name) {
                    None => differences.missing.push(path),
                    Some(file) if file == own => (),
                    Some(file) => differences.mismatch(path, own.to_string(), file.to_string()),
                }
            }
            let only_in_file = file.keys().filter(|&name| !own.contains_key(name));
            differences.unexpected.extend(only_in_file.map(|name| format!("{title}: {name}")));
        }
        (own, file) => differences.mismatch(title, own.to_string(), file.to_string()),
    }
    differences
}
