//! The rules by name, with options as JSON; and one at work on one tensor.

use std::mem;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wengert_autodiff::Tensor;
use wengert_optim::inspect::Explain;
use wengert_optim::{Rule, for_every_rule};

/// A rule and what of its options differs from the defaults.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    rule: String,
    options: Options,
}

type Options = Map<String, Value>;
type Started = Result<Box<dyn Walks>, String>;

/// What the playground does with a rule, whichever it is.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// Options and their defaults.
    pub(crate) options: fn() -> Value,
    walker: fn(&Options, &Tensor) -> Started,
}

/// Every rule.
pub(crate) fn kinds() -> Vec<Kind> {
    for_every_rule!(kind).into()
}

fn kind<R>() -> Kind
where
    R: Explain + Default + Serialize + DeserializeOwned,
{
    Kind {
        name: R::NAME,
        options: || json!(R::default()),
        walker: |options, param| {
            let rule = with::<R>(options)?;
            Ok(Box::new(Walker { state: rule.init(param), rule }))
        },
    }
}

impl Choice {
    /// At the start of this tensor.
    pub(crate) fn walker(&self, param: &Tensor) -> Started {
        (self.kind()?.walker)(&self.options, param)
    }

    fn kind(&self) -> Result<Kind, String> {
        let found = kinds().into_iter().find(|kind| kind.name == self.rule);
        found.ok_or_else(|| format!("there is no rule `{}`", self.rule))
    }
}

/// The rule with these options, and its defaults for the others.
fn with<R>(options: &Options) -> Result<R, String>
where
    R: Rule + Default + Serialize + DeserializeOwned,
{
    let mut all = json!(R::default());
    let mut rule = R::default();
    for (name, value) in options {
        let known = all.get_mut(name).ok_or_else(|| format!("{} has no option `{name}`", R::NAME))?;
        let before = mem::replace(known, value.clone());
        // One by one, to tell which of the fields it is. What serde says is for programmers.
        rule = R::deserialize(&all).map_err(|_| format!("{}: {name} {}", R::NAME, needs(&before, value)))?;
    }
    rule.validate().map_err(|error| format!("{}: {error}", R::NAME))?;
    Ok(rule)
}

/// What is wrong with the value of a field of the page. An empty field, or one with half a number such as `1e`, has the
/// value `null`.
fn needs(before: &Value, value: &Value) -> String {
    let empty = value.is_null() || value.as_object().is_some_and(|value| value.values().any(Value::is_null));
    match before {
        _ if !empty => format!("cannot be {value}"),
        Value::Bool(_) => "needs a yes or a no".to_owned(),
        _ => "needs a number: the field is empty, or what stands there is not one".to_owned(),
    }
}

/// A rule at work on one tensor, without its type: the program has each rule once and all else once, where an
/// `Optimizer` of each rule would make it a seventh larger.
pub(crate) trait Walks {
    fn step(&mut self, param: &mut Tensor, grad: &Tensor);
    /// The effective rate of each element.
    fn rate(&self, param: &Tensor) -> Tensor;
    /// What stands under the root that the rule divides by.
    fn v(&self) -> Option<Tensor>;
}

struct Walker<R: Rule> {
    rule: R,
    state: R::State,
}

impl<R: Explain> Walks for Walker<R> {
    fn step(&mut self, param: &mut Tensor, grad: &Tensor) {
        self.rule.update(param, grad, &mut self.state);
    }

    fn rate(&self, param: &Tensor) -> Tensor {
        self.rule.effective_lr(param, &self.state)
    }

    fn v(&self) -> Option<Tensor> {
        self.rule.second_moment(&self.state).map(|(v, _)| v)
    }
}
