use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wengert_autodiff::Module;

#[cfg(feature = "safetensors")]
use super::format::safetensors;
use super::format::{container, records};
use super::{CheckpointError, RawTensor, Stored};
use crate::{Field, Optimizer, Rule, State};

/// What a file of either format holds, without the model or the optimizer it belongs to: for tools.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Parameters and buffers by name.
    pub model: BTreeMap<String, RawTensor>,
    /// The optimizer; a file of weights has none.
    pub optimizer: Option<SavedOptimizer>,
    /// Whatever else was saved, as JSON; `null` if nothing was.
    pub extra: String,
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
    /// The fields of the state by `<parameter>/<field>`. Counts are scalars of type `I64`, numbers scalars of type `F64`.
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
    pub fn of_model<F: Stored>(model: &dyn Module<F>) -> Self {
        let tensors = model.state_dict().into_iter();
        let model = tensors.map(|(name, tensor)| {
            let raw = RawTensor::of_model(&name, &tensor);
            (name, raw)
        });
        Self { model: model.collect(), optimizer: None, extra: "null".to_owned() }
    }

    /// Reads a file of either format, which its first bytes tell apart, and checks all that can be checked without the
    /// model: lengths, checksum, names, shapes. Memory stays within a small multiple of the file's length. Safetensors are read
    /// with the feature `safetensors`.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is damaged, or is something else.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, CheckpointError> {
        let path = path.as_ref();
        let bytes = read(path)?;
        decode(&bytes).map_err(|damage| CheckpointError::malformed(path, damage.expected, damage.found))
    }

    /// Writes the checkpoint format, as one whole or not at all.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or is larger than the format allows.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        let path = path.as_ref();
        let unsavable = |why| CheckpointError::unsavable(path, "the checkpoint", why);
        let payload = records::encode(self).map_err(unsavable)?;
        let header = container::header(&payload);
        container::check_length((header.len() + payload.len()) as u64).map_err(unsavable)?;
        wengert_files::write(path, |file| {
            file.write_all(&header)?;
            file.write_all(&payload)
        })
        .map_err(CheckpointError::io(path, "write"))
    }

    /// Writes safetensors, as one whole or not at all: the state of the optimizer as tensors named `<parameter>/<field>`, the
    /// rest as JSON under `wengert` in the metadata. Needs the feature `safetensors`.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or is larger than the format allows.
    #[cfg(feature = "safetensors")]
    pub fn write_safetensors(&self, path: impl AsRef<Path>) -> Result<(), CheckpointError> {
        let path = path.as_ref();
        let unsavable = |why| CheckpointError::unsavable(path, "as safetensors", why);
        let bytes = safetensors::encode(self).map_err(unsavable)?;
        container::check_length(bytes.len() as u64).map_err(unsavable)?;
        wengert_files::write(path, |file| file.write_all(&bytes)).map_err(CheckpointError::io(path, "write"))
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
    pub(super) fn of<R, F>(opt: &Optimizer<R, F>) -> Result<Self, serde_json::Error>
    where
        R: Rule<F> + Serialize + DeserializeOwned,
        F: Stored,
    {
        let rules = opt.groups.given().map(|rule| {
            Ok(SavedRule {
                pattern: rule.pattern.map(str::to_owned),
                given: to_json(rule.as_given)?,
                now: to_json(rule.now)?,
            })
        });
        let mut state = BTreeMap::new();
        for (param, fields) in opt.states() {
            for (field, value) in fields.fields() {
                let raw = match value {
                    Field::Tensor(tensor) => RawTensor::of(tensor),
                    Field::Count(count) => RawTensor::of_count(count),
                    Field::Number(number) => RawTensor::of_number(number),
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

/// JSON that reads back. JSON has no infinity and writes `null` for it; that is found out now, not when the file is needed.
pub(super) fn to_json<T: Serialize + DeserializeOwned>(value: &T) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(value)?;
    serde_json::from_str::<T>(&text)?;
    Ok(text)
}

/// What a decoder asks for and what it finds instead.
#[derive(Debug)]
pub(super) struct Damage {
    pub(super) expected: String,
    pub(super) found: String,
}

impl Damage {
    pub(super) fn new(expected: impl Into<String>, found: impl ToString) -> Self {
        Self { expected: expected.into(), found: found.to_string() }
    }
}

fn decode(bytes: &[u8]) -> Result<Checkpoint, Damage> {
    if container::is(bytes) {
        return container::payload(bytes).and_then(records::decode);
    }
    #[cfg(feature = "safetensors")]
    return safetensors::decode(bytes);
    #[cfg(not(feature = "safetensors"))]
    Err(Damage::new("a checkpoint", "something else (safetensors needs the feature of that name)"))
}

fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    // Asked before it is opened: to open a pipe waits for a writer, and a device may never end.
    let metadata = fs::metadata(path).map_err(CheckpointError::io(path, "open"))?;
    if !metadata.is_file() {
        return Err(CheckpointError::malformed(path, "a file", "something else"));
    }
    if metadata.len() > container::MAX_LENGTH {
        let expected = format!("at most {} bytes", container::MAX_LENGTH);
        return Err(CheckpointError::malformed(path, expected, metadata.len().to_string()));
    }
    let file = File::open(path).map_err(CheckpointError::io(path, "open"))?;
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(metadata.len() as usize)
        .map_err(Into::into)
        .and_then(|()| file.take(metadata.len()).read_to_end(&mut bytes))
        .map_err(CheckpointError::io(path, "read"))?;
    Ok(bytes)
}
