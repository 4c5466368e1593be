//! What a file holds, as plain data.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert_autodiff::{Module, ModulePath};

use super::format::tensor::{Element, RawTensor};
use crate::optimizer::Optimizer;
use crate::rule::Rule;
use crate::state::{Field, State};

/// What a file of either format holds, without the model or the optimizer it belongs to: for tools.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Parameters and buffers by name.
    pub model: BTreeMap<String, RawTensor>,
    /// The optimizer; a file of weights has none.
    pub optimizer: Option<SavedOptimizer>,
    /// Whatever else was saved, as JSON; `null` if nothing was.
    pub extra: String,
    /// What other tools noted in a safetensors file, such as PyTorch's `format`. Loading leaves it alone.
    pub metadata: BTreeMap<String, String>,
}

/// An optimizer in a [`Checkpoint`].
#[derive(Clone, Debug, PartialEq)]
pub struct SavedOptimizer {
    /// The [`Rule::NAME`].
    pub kind: String,
    /// [`Optimizer::steps`].
    pub steps: u64,
    /// The hyper-parameters: the default, then the groups in their order.
    pub rules: Vec<SavedRule>,
    /// The fields of the state by `<parameter>/<field>`. Counts are scalars of type `I64`, numbers scalars of type
    /// `F64`.
    pub state: BTreeMap<String, RawTensor>,
}

/// Hyper-parameters in a [`Checkpoint`], as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedRule {
    /// The pattern of the group, or `None` for the default.
    pub pattern: Option<String>,
    /// As [`Optimizer::new`] or [`Optimizer::with_group`] was given them.
    pub given: String,
    /// As they were when the file was written, after what a schedule did to them.
    pub now: String,
}

impl Checkpoint {
    /// The parameters and buffers of a model.
    #[doc(alias("of_model", "state_dict"))]
    pub fn from_model<F: Element>(model: &dyn Module<F>) -> Self {
        let mut tensors = BTreeMap::new();
        model.visit(&mut ModulePath::default(), &mut |name, leaf| {
            tensors.insert(name.to_owned(), RawTensor::from_leaf(&leaf));
        });
        Self { model: tensors, optimizer: None, extra: "null".to_owned(), metadata: BTreeMap::new() }
    }

    /// What was saved beside model and optimizer.
    ///
    /// # Errors
    ///
    /// If it is of another type.
    pub fn extra<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.extra)
    }
}

impl SavedOptimizer {
    /// Hyper-parameters, state and steps of an optimizer.
    ///
    /// # Errors
    ///
    /// If JSON cannot hold a hyper-parameter.
    pub fn new<R, F>(opt: &Optimizer<R, F>) -> Result<Self, serde_json::Error>
    where
        R: Rule<F> + Serialize + DeserializeOwned,
        F: Element,
    {
        let rules = opt.groups.initial().map(|rule| {
            Ok(SavedRule {
                pattern: rule.pattern.map(str::to_owned),
                given: to_json(rule.initial)?,
                now: to_json(rule.now)?,
            })
        });
        let mut state = BTreeMap::new();
        for (param, fields) in opt.states() {
            for (field, value) in fields.fields() {
                let raw = match value {
                    Field::Tensor(tensor) => RawTensor::from_tensor(tensor),
                    Field::Steps(count) | Field::Count(count) => RawTensor::from_count(count),
                    Field::Number(number) => RawTensor::from_number(number),
                };
                state.insert(format!("{param}/{field}"), raw);
            }
        }
        Ok(Self {
            kind: R::NAME.to_owned(),
            steps: opt.steps(),
            rules: rules.collect::<Result<_, _>>()?,
            state,
        })
    }
}

/// JSON that reads back. JSON has no infinity and writes `null` for it; that is found out now, not when the file is
/// needed.
pub(super) fn to_json<T: Serialize + DeserializeOwned>(value: &T) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(value)?;
    serde_json::from_str::<T>(&text)?;
    Ok(text)
}
