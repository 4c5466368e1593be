//! The format that other tools read: <https://github.com/huggingface/safetensors>.

use std::collections::{BTreeMap, HashMap};
use std::mem;

use ::safetensors::tensor::{self, Dtype as TheirDtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::dtype::Dtype;
use super::error::FormatError;
use super::tensor::RawTensor;
use crate::checkpoint::content::{Checkpoint, SavedOptimizer, SavedRule};

/// The one key of the metadata: with a second one the order, and so the bytes, would differ from run to run.
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
    let views = tensors.into_iter().map(|(name, tensor)| {
        let view = TensorView::new(theirs(tensor.dtype())?, tensor.shape().to_vec(), tensor.bytes());
        view.map(|view| (name, view)).map_err(|error| error.to_string())
    });
    let views = views.collect::<Result<Vec<_>, _>>()?;
    let metadata = metadata(checkpoint).map_err(|error| error.to_string())?;
    let metadata = metadata.map(|json| HashMap::from([(KEY.to_owned(), json)]));
    tensor::serialize(views, metadata).map_err(|error| error.to_string())
}

/// A file of weights needs none, and is what PyTorch would write.
fn metadata(checkpoint: &Checkpoint) -> Result<Option<String>, serde_json::Error> {
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
        Ok::<_, serde_json::Error>(OptimizerMetadata {
            kind: optimizer.kind.clone(),
            steps: optimizer.steps,
            rules,
        })
    });
    let metadata = Metadata { version: 1, optimizer: optimizer.transpose()?, extra: raw(&checkpoint.extra)? };
    serde_json::to_string(&metadata).map(Some)
}

pub(in crate::checkpoint) fn decode(bytes: &[u8]) -> Result<Checkpoint, FormatError> {
    let unreadable =
        |error: &dyn ToString| FormatError::new("a checkpoint or safetensors file", error.to_string());
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| unreadable(&error))?;
    let file = SafeTensors::deserialize(bytes).map_err(|error| unreadable(&error))?;
    let mut model = BTreeMap::new();
    for (name, view) in file.iter() {
        let dtype = ours(view.dtype())
            .ok_or_else(|| FormatError::new(format!("`{name}` of a known type"), view.dtype()))?;
        let tensor = RawTensor::new(dtype, view.shape().to_vec(), view.data());
        let tensor = tensor.ok_or_else(|| {
            FormatError::new(format!("a shape of `{name}` that fits its data"), format!("{:?}", view.shape()))
        })?;
        model.insert(name.to_owned(), tensor);
    }
    let Some(json) = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY)) else {
        return Ok(Checkpoint { model, optimizer: None, extra: "null".to_owned() });
    };
    let metadata: Metadata = serde_json::from_str(json)
        .map_err(|error| FormatError::new(format!("metadata `{KEY}` as Wengert writes it"), error))?;
    if metadata.version != 1 {
        return Err(FormatError::new(format!("version 1 of the metadata `{KEY}`"), metadata.version));
    }
    let optimizer = metadata.optimizer.map(|optimizer| {
        let (state, rest) = mem::take(&mut model).into_iter().partition(|(name, _)| name.contains('/'));
        model = rest;
        let rules = optimizer.rules.into_iter().map(RuleMetadata::into_rule).collect();
        SavedOptimizer { kind: optimizer.kind, steps: optimizer.steps, rules, state }
    });
    Ok(Checkpoint { model, optimizer, extra: metadata.extra.get().to_owned() })
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

/// They spell the types as we do.
fn theirs(dtype: Dtype) -> Result<TheirDtype, String> {
    let name = serde_json::Value::String(dtype.to_string());
    serde_json::from_value(name).map_err(|error| error.to_string())
}

fn ours(dtype: TheirDtype) -> Option<Dtype> {
    Dtype::ALL.iter().copied().find(|ours| ours.to_string() == dtype.to_string())
}
