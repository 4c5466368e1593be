//! The format that other tools read: <https://github.com/huggingface/safetensors>.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::FormatError;
use super::header::{self, METADATA};
use super::tensor::RawTensor;
use crate::checkpoint::content::{Checkpoint, SavedOptimizer, SavedRule};

/// Our key of the metadata.
const KEY: &str = "wengert";

#[derive(Serialize, Deserialize)]
struct Metadata {
    version: u32,
    optimizer: Option<OptimizerMetadata>,
    extra: Box<RawValue>,
}

#[derive(Serialize, Deserialize)]
struct OptimizerMetadata {
    kind: String,
    steps: u64,
    rules: Vec<RuleMetadata>,
    /// The names of its tensors, where it is not the slash that tells them from those of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<BTreeSet<String>>,
}

#[derive(Serialize, Deserialize)]
struct RuleMetadata {
    pattern: Option<String>,
    given: Box<RawValue>,
    now: Box<RawValue>,
}

pub(in crate::checkpoint) fn encode(checkpoint: &Checkpoint) -> Result<Vec<u8>, String> {
    let mut tensors: BTreeMap<&str, &RawTensor> = BTreeMap::new();
    let state = checkpoint.optimizer.iter().flat_map(|optimizer| &optimizer.state);
    for (name, tensor) in checkpoint.model.iter().chain(state) {
        if tensors.insert(name, tensor).is_some() {
            return Err(format!("`{name}` is both a tensor of the model and of the optimizer"));
        }
    }
    if tensors.contains_key(METADATA) {
        return Err(format!("`{METADATA}` cannot be the name of a tensor in this format"));
    }
    if checkpoint.metadata.contains_key(KEY) {
        return Err(format!("the metadata of another tool has a `{KEY}`"));
    }
    let own = own_metadata(checkpoint).map_err(|error| error.to_string())?;
    let own = own.map(|json| (KEY.to_owned(), json));
    header::encode(checkpoint.metadata.clone().into_iter().chain(own).collect(), tensors)
}

/// A file of weights needs none, and is what PyTorch would write.
fn own_metadata(checkpoint: &Checkpoint) -> Result<Option<String>, serde_json::Error> {
    if checkpoint.optimizer.is_none() && checkpoint.extra == "null" {
        return Ok(None);
    }
    let raw = |json: &str| RawValue::from_string(json.to_owned());
    let optimizer = checkpoint.optimizer.as_ref().map(|optimizer| {
        let rules = optimizer.rules.iter().map(|rule| {
            let pattern = rule.pattern.clone();
            Ok(RuleMetadata { pattern, given: raw(&rule.given)?, now: raw(&rule.now)? })
        });
        let rules = rules.collect::<Result<_, serde_json::Error>>()?;
        let told_by_slash = optimizer.state.keys().all(|name| is_state(name))
            && !checkpoint.model.keys().any(|name| is_state(name));
        Ok::<_, serde_json::Error>(OptimizerMetadata {
            kind: optimizer.kind.clone(),
            steps: optimizer.steps,
            rules,
            state: (!told_by_slash).then(|| optimizer.state.keys().cloned().collect()),
        })
    });
    let metadata = Metadata { version: 1, optimizer: optimizer.transpose()?, extra: raw(&checkpoint.extra)? };
    serde_json::to_string(&metadata).map(Some)
}

/// By the form of its name, `<parameter>/<field>`.
fn is_state(name: &str) -> bool {
    name.contains('/')
}

pub(in crate::checkpoint) fn decode(bytes: &[u8]) -> Result<Checkpoint, FormatError> {
    let (mut metadata, mut model) = header::decode(bytes)?;
    let Some(json) = metadata.remove(KEY) else {
        return Ok(Checkpoint { model, optimizer: None, extra: "null".to_owned(), metadata });
    };
    let own: Metadata = serde_json::from_str(&json)
        .map_err(|error| FormatError::new(format!("metadata `{KEY}` as Wengert writes it"), error))?;
    if own.version != 1 {
        return Err(FormatError::new(format!("version 1 of the metadata `{KEY}`"), own.version));
    }
    let optimizer = own.optimizer.map(|optimizer| {
        let names = optimizer.state;
        let belongs =
            |name: &str| names.as_ref().map_or_else(|| is_state(name), |names| names.contains(name));
        let (state, rest) = mem::take(&mut model).into_iter().partition(|(name, _)| belongs(name));
        model = rest;
        let rules = optimizer.rules.into_iter().map(RuleMetadata::into_rule).collect();
        SavedOptimizer { kind: optimizer.kind, steps: optimizer.steps, rules, state }
    });
    Ok(Checkpoint { model, optimizer, extra: own.extra.get().to_owned(), metadata })
}

impl RuleMetadata {
    fn into_rule(self) -> SavedRule {
        SavedRule {
            pattern: self.pattern,
            given: self.given.get().to_owned(),
            now: self.now.get().to_owned(),
        }
    }
}
