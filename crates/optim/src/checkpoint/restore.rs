//! Loading in two halves: a plan, which changes nothing and says what does not fit, and then the change, which cannot fail.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use wengert_autodiff::{Module, ModulePath, Real, Tensor};

use super::content::to_json;
use super::{LoadReport, RawTensor, SavedOptimizer, SavedRule, Stored};
use crate::optimizer::Entry;
use crate::{FieldMut, Optimizer, Rule, State};

/// The tensors of `file` that fit the model, ready to be put there.
pub(super) fn plan_model<F: Stored>(
    file: &BTreeMap<String, RawTensor>,
    model: &dyn Module<F>,
    report: &mut LoadReport,
) -> BTreeMap<String, Tensor<F>> {
    let own = model.state_dict();
    report.unexpected.extend(file.keys().filter(|&name| !own.contains_key(name)).cloned());
    let mut tensors = BTreeMap::new();
    for (name, tensor) in own {
        let Some(raw) = file.get(&name) else {
            report.missing.push(name);
            continue;
        };
        match raw.to_model(&name, &tensor) {
            Some(loaded) => {
                report.matched.push(name.clone());
                tensors.insert(name, loaded);
            }
            None => report.mismatch(name, format!("{} {:?}", F::DTYPE, tensor.shape()), raw.kind()),
        }
    }
    tensors
}

pub(super) fn put_into_model<F: Real>(mut tensors: BTreeMap<String, Tensor<F>>, model: &mut dyn Module<F>) {
    model.visit_mut(&mut ModulePath::default(), &mut |name, slot| {
        if let Some(tensor) = tensors.remove(name) {
            *slot.into_value() = tensor;
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

/// `None` if the file's optimizer is of another kind, whose state would mean something else.
pub(super) fn plan_optimizer<R, F>(
    file: &SavedOptimizer,
    model: &dyn Module<F>,
    opt: &Optimizer<R, F>,
    report: &mut LoadReport,
) -> Option<OptimizerPlan<R, F>>
where
    R: Rule<F> + serde::Serialize + DeserializeOwned,
    F: Stored,
{
    if file.kind != R::NAME {
        report.mismatch("optimizer", R::NAME, &file.kind);
        return None;
    }
    if i64::try_from(file.steps).is_err() {
        report.mismatch("optimizer: steps", "a count below 2⁶³", file.steps.to_string());
        return None; // the next step could not be counted
    }
    let rules = plan_rules(&file.rules, opt, report);
    let mut state: BTreeMap<&str, BTreeMap<&str, &RawTensor>> = BTreeMap::new();
    for (name, tensor) in &file.state {
        let (param, field) = name.rsplit_once('/').unwrap_or((name, ""));
        state.entry(param).or_default().insert(field, tensor);
    }
    let mut entries = BTreeMap::new();
    for (name, param) in model.params() {
        if let Some(fields) = state.remove(name.as_str()) {
            let init = opt.rule_for(&name).init(param.value());
            if let Some(state) = plan_state(&name, fields, param.value(), init, report) {
                entries.insert(name, Entry::new(param.shape(), state));
            }
        }
    }
    for (param, fields) in state {
        report.unexpected.extend(fields.keys().map(|field| format!("{param}/{field}")));
    }
    Some(OptimizerPlan { rules, entries, steps: file.steps })
}

/// `state` filled from the file, or `None` if some of it did not fit.
fn plan_state<F: Stored, S: State<F>>(
    name: &str,
    mut file: BTreeMap<&str, &RawTensor>,
    param: &Tensor<F>,
    mut state: S,
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
        match fill(own, raw, param) {
            Ok(()) => report.matched.push(name),
            Err(expected) => {
                complete = false;
                report.mismatch(name, expected, raw.kind());
            }
        }
    }
    complete &= file.is_empty();
    report.unexpected.extend(file.keys().map(|field| format!("{name}/{field}")));
    complete.then_some(state)
}

/// Or what would have fitted.
fn fill<F: Stored>(own: FieldMut<'_, F>, raw: &RawTensor, param: &Tensor<F>) -> Result<(), String> {
    let tensor =
        |like: &Tensor<F>| raw.to_tensor(like).ok_or_else(|| format!("{} {:?}", F::DTYPE, like.shape()));
    match own {
        FieldMut::Tensor(own) => *own = tensor(own)?,
        FieldMut::Optional(own) => *own = Some(tensor(own.as_ref().unwrap_or(param))?),
        FieldMut::Count(own) => *own = raw.to_count().ok_or("a count, I64 []")?,
        FieldMut::Number(own) => *own = raw.to_number().ok_or("a number, F64 []")?,
    }
    Ok(())
}

/// The hyper-parameters as they were when the file was written, if all fits.
fn plan_rules<R, F>(file: &[SavedRule], opt: &Optimizer<R, F>, report: &mut LoadReport) -> Option<Vec<R>>
where
    R: Rule<F> + serde::Serialize + DeserializeOwned,
    F: Stored,
{
    let before = report.differences();
    let own: Vec<_> = opt.groups.given().collect();
    let patterns: Vec<_> = own.iter().map(|rule| rule.pattern).collect();
    compare_patterns(&patterns, file, report);
    let mut rules = Vec::new();
    for rule in file {
        let title = title(rule.pattern.as_deref());
        if let Some(own) = own.iter().find(|own| own.pattern == rule.pattern.as_deref()) {
            match to_json(own.as_given) {
                Ok(given) => compare_rules(&title, &given, &rule.given, report),
                Err(error) => report.mismatch(&title, "numbers that JSON can hold", error.to_string()),
            }
        }
        match serde_json::from_str::<R>(&rule.now).map(|rule| (rule.validate(), rule)) {
            Ok((Ok(()), rule)) => rules.push(rule),
            Ok((Err(error), _)) => report.mismatch(title, "sound hyper-parameters", error.to_string()),
            Err(error) => report.mismatch(title, "hyper-parameters", error.to_string()),
        }
    }
    (report.differences() == before).then_some(rules)
}

fn compare_patterns(own: &[Option<&str>], file: &[SavedRule], report: &mut LoadReport) {
    let before = report.differences();
    let found: Vec<_> = file.iter().map(|rule| rule.pattern.as_deref()).collect();
    report.missing.extend(own.iter().filter(|pattern| !found.contains(pattern)).map(|&p| title(p)));
    report.unexpected.extend(found.iter().filter(|pattern| !own.contains(pattern)).map(|&p| title(p)));
    if report.differences() == before && own != found {
        report.mismatch("order of the groups", format!("{own:?}"), format!("{found:?}"));
    }
}

fn title(pattern: Option<&str>) -> String {
    pattern.map_or_else(|| "optimizer".to_owned(), |pattern| format!("group `{pattern}`"))
}

/// As parsed JSON takes many times the memory of its text, nothing longer is parsed.
const LONGEST_RULE: usize = 1 << 16;

/// Names each hyper-parameter that is not the same.
fn compare_rules(title: &str, own: &str, file: &str, report: &mut LoadReport) {
    if file.len() > LONGEST_RULE.max(own.len()) {
        return report.mismatch(title, "hyper-parameters", format!("{} bytes of something else", file.len()));
    }
    let parsed = |json: &str| serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()));
    match (parsed(own), parsed(file)) {
        (own, file) if own == file => (),
        (Value::Object(own), Value::Object(file)) => {
            for (hyper, own) in &own {
                match file.get(hyper) {
                    None => report.missing.push(format!("{title}: {hyper}")),
                    Some(file) if file == own => (),
                    Some(file) => {
                        report.mismatch(format!("{title}: {hyper}"), own.to_string(), file.to_string())
                    }
                }
            }
            let only_in_file = file.keys().filter(|&hyper| !own.contains_key(hyper));
            report.unexpected.extend(only_in_file.map(|hyper| format!("{title}: {hyper}")));
        }
        (own, file) => report.mismatch(title, own.to_string(), file.to_string()),
    }
}
