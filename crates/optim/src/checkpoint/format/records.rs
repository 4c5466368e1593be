//! The payload of a checkpoint: records, in bincode's encoding. Nothing outside of this module knows which encoding it
//! is.
//!
//! bincode is unmaintained (RUSTSEC-2025-0141); another encoding gets another [`ID`]. Its decoder believes the lengths
//! it reads up to a limit, and neither recursion nor elements of size zero count towards it. So the records have none
//! of these. Strings and tensors are borrowed from the payload, which cannot claim more than there is. Lists go through
//! serde, which reserves at most 1 MiB before their elements have arrived.

use std::collections::BTreeMap;

use bincode::config::{self, Config};
use serde::{Deserialize, Serialize, Serializer};

use super::dtype::Dtype;
use super::error::FormatError;
use super::limits::MAX_LENGTH;
use super::tensor::RawTensor;
use crate::checkpoint::content::{Checkpoint, SavedOptimizer, SavedRule};

/// Stands in the header of the file.
const ID: u32 = 1;

/// The same, and behind it the metadata of other tools. Only a checkpoint that has some is written so: programs from
/// before read the others.
const ID_WITH_METADATA: u32 = 2;

/// In bytes: that of the whole file.
const LIMIT: usize = MAX_LENGTH as usize;

fn config() -> impl Config {
    config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<LIMIT>()
}

#[derive(Serialize, Deserialize)]
struct CheckpointRecord<'a> {
    #[serde(borrow)]
    model: Vec<TensorRecord<'a>>,
    optimizer: Option<OptimizerRecord<'a>>,
    extra: &'a str,
}

#[derive(Serialize, Deserialize)]
struct RecordWithMetadata<'a> {
    #[serde(borrow)]
    checkpoint: CheckpointRecord<'a>,
    metadata: Vec<(&'a str, &'a str)>,
}

#[derive(Serialize, Deserialize)]
struct OptimizerRecord<'a> {
    kind: &'a str,
    steps: u64,
    #[serde(borrow)]
    rules: Vec<RuleRecord<'a>>,
    state: Vec<TensorRecord<'a>>,
}

#[derive(Serialize, Deserialize)]
struct RuleRecord<'a> {
    pattern: Option<&'a str>,
    given: &'a str,
    now: &'a str,
}

#[derive(Serialize, Deserialize)]
struct TensorRecord<'a> {
    name: &'a str,
    /// The place in [`Dtype::ALL`].
    dtype: u32,
    shape: Vec<u64>,
    /// As one piece: serde's own way is byte by byte.
    #[serde(serialize_with = "in_one_piece")]
    data: &'a [u8],
}

fn in_one_piece<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// What the header is to say, and the payload.
pub(in crate::checkpoint) fn encode(checkpoint: &Checkpoint) -> Result<(u32, Vec<u8>), String> {
    let content = CheckpointRecord {
        model: tensors(&checkpoint.model),
        optimizer: checkpoint.optimizer.as_ref().map(|optimizer| OptimizerRecord {
            kind: &optimizer.kind,
            steps: optimizer.steps,
            rules: optimizer.rules.iter().map(RuleRecord::new).collect(),
            state: tensors(&optimizer.state),
        }),
        extra: &checkpoint.extra,
    };
    let metadata: Vec<_> = checkpoint.metadata.iter().map(|(key, value)| (&key[..], &value[..])).collect();
    let encoded = match metadata.is_empty() {
        true => bincode::serde::encode_to_vec(content, config()).map(|bytes| (ID, bytes)),
        false => {
            let content = RecordWithMetadata { checkpoint: content, metadata };
            bincode::serde::encode_to_vec(content, config()).map(|bytes| (ID_WITH_METADATA, bytes))
        }
    };
    encoded.map_err(|error| error.to_string())
}

fn tensors(tensors: &BTreeMap<String, RawTensor>) -> Vec<TensorRecord<'_>> {
    let records = tensors.iter().map(|(name, tensor)| TensorRecord {
        name,
        dtype: tensor.dtype() as u32,
        shape: tensor.shape().iter().map(|&axis| axis as u64).collect(),
        data: tensor.bytes(),
    });
    records.collect()
}

impl<'a> RuleRecord<'a> {
    fn new(rule: &'a SavedRule) -> Self {
        Self { pattern: rule.pattern.as_deref(), given: &rule.given, now: &rule.now }
    }

    fn to_rule(&self) -> SavedRule {
        SavedRule {
            pattern: self.pattern.map(str::to_owned),
            given: self.given.to_owned(),
            now: self.now.to_owned(),
        }
    }
}

pub(in crate::checkpoint) fn decode(codec: u32, payload: &[u8]) -> Result<Checkpoint, FormatError> {
    let RecordWithMetadata { checkpoint: content, metadata } = match codec {
        ID => RecordWithMetadata { checkpoint: record(payload)?, metadata: Vec::new() },
        ID_WITH_METADATA => record(payload)?,
        _ => return Err(FormatError::new(format!("codec {ID} or {ID_WITH_METADATA}"), codec)),
    };
    let optimizer = content.optimizer.map(|optimizer| {
        Ok(SavedOptimizer {
            kind: optimizer.kind.to_owned(),
            steps: optimizer.steps,
            rules: optimizer.rules.iter().map(RuleRecord::to_rule).collect(),
            state: checked(optimizer.state)?,
        })
    });
    Ok(Checkpoint {
        model: checked(content.model)?,
        optimizer: optimizer.transpose()?,
        extra: content.extra.to_owned(),
        metadata: metadata.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
    })
}

/// All of the payload as one record.
fn record<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, FormatError> {
    let (record, consumed) = bincode::serde::borrow_decode_from_slice(payload, config())
        .map_err(|error| FormatError::new("the records of a checkpoint", error))?;
    if consumed != payload.len() {
        return Err(FormatError::new(format!("records of {} bytes", payload.len()), consumed));
    }
    Ok(record)
}

fn checked(records: Vec<TensorRecord<'_>>) -> Result<BTreeMap<String, RawTensor>, FormatError> {
    let mut tensors = BTreeMap::new();
    for record in records {
        let dtype = Dtype::ALL.get(record.dtype as usize);
        let &dtype = dtype.ok_or_else(|| {
            FormatError::new(format!("a known type of `{}`", record.name), format!("type {}", record.dtype))
        })?;
        let shape: Option<Vec<_>> = record.shape.iter().map(|&axis| usize::try_from(axis).ok()).collect();
        let tensor = shape.and_then(|shape| RawTensor::new(dtype, shape, record.data)).ok_or_else(|| {
            let expected =
                format!("`{}` to have {} bytes of {dtype} elements", record.name, record.data.len());
            FormatError::new(expected, format!("the shape {:?}", record.shape))
        })?;
        if tensors.insert(record.name.to_owned(), tensor).is_some() {
            return Err(FormatError::new("every tensor once", format!("`{}` twice", record.name)));
        }
    }
    Ok(tensors)
}
