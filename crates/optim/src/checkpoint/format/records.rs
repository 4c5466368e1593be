//! The payload of a checkpoint: records, in bincode's encoding. Nothing outside of this module knows which encoding it is.
//!
//! bincode is unmaintained (RUSTSEC-2025-0141); another encoding gets another [`ID`]. Its decoder believes the lengths it
//! reads up to a limit, and neither recursion nor elements of size zero count towards it. So the records have none of these, strings and
//! tensors are borrowed from the payload, which cannot claim more than there is, and lists go through serde, which
//! reserves at most 1 MiB before their elements have arrived.

use std::collections::BTreeMap;

use bincode::config::{self, Config};
use serde::{Deserialize, Serialize, Serializer};

use crate::checkpoint::content::Damage;
use crate::checkpoint::{Checkpoint, Dtype, RawTensor, SavedOptimizer, SavedRule};

/// Stands in the header of the file.
pub(in crate::checkpoint) const ID: u32 = 1;

/// In bytes: that of the whole file.
const LIMIT: usize = super::container::MAX_LENGTH as usize;

fn config() -> impl Config {
    config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<LIMIT>()
}

#[derive(Serialize, Deserialize)]
struct Content<'a> {
    #[serde(borrow)]
    model: Vec<Tensor<'a>>,
    optimizer: Option<Optimizer<'a>>,
    extra: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Optimizer<'a> {
    kind: &'a str,
    steps: u64,
    #[serde(borrow)]
    rules: Vec<Rule<'a>>,
    state: Vec<Tensor<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Rule<'a> {
    pattern: Option<&'a str>,
    given: &'a str,
    now: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Tensor<'a> {
    name: &'a str,
    dtype: Element,
    shape: Vec<u64>,
    /// As one piece: serde's own way is byte by byte.
    #[serde(serialize_with = "in_one_piece")]
    data: &'a [u8],
}

/// The order is part of the format: new ones go to the end.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Element {
    F32,
    F64,
    I64,
}

fn in_one_piece<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

pub(in crate::checkpoint) fn encode(checkpoint: &Checkpoint) -> Result<Vec<u8>, String> {
    let content = Content {
        model: tensors(&checkpoint.model),
        optimizer: checkpoint.optimizer.as_ref().map(|optimizer| Optimizer {
            kind: &optimizer.kind,
            steps: optimizer.steps,
            rules: optimizer.rules.iter().map(Rule::of).collect(),
            state: tensors(&optimizer.state),
        }),
        extra: &checkpoint.extra,
    };
    bincode::serde::encode_to_vec(content, config()).map_err(|error| error.to_string())
}

fn tensors(tensors: &BTreeMap<String, RawTensor>) -> Vec<Tensor<'_>> {
    let records = tensors.iter().map(|(name, tensor)| Tensor {
        name,
        dtype: match tensor.dtype() {
            Dtype::F32 => Element::F32,
            Dtype::F64 => Element::F64,
            Dtype::I64 => Element::I64,
        },
        shape: tensor.shape().iter().map(|&axis| axis as u64).collect(),
        data: tensor.bytes(),
    });
    records.collect()
}

impl<'a> Rule<'a> {
    fn of(rule: &'a SavedRule) -> Self {
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

pub(in crate::checkpoint) fn decode(payload: &[u8]) -> Result<Checkpoint, Damage> {
    let (content, consumed): (Content<'_>, usize) =
        bincode::serde::borrow_decode_from_slice(payload, config())
            .map_err(|error| Damage::new("the records of a checkpoint", error))?;
    if consumed != payload.len() {
        return Err(Damage::new(format!("records of {} bytes", payload.len()), consumed));
    }
    let optimizer = content.optimizer.map(|optimizer| {
        Ok(SavedOptimizer {
            kind: optimizer.kind.to_owned(),
            steps: optimizer.steps,
            rules: optimizer.rules.iter().map(Rule::to_rule).collect(),
            state: checked(optimizer.state)?,
        })
    });
    let (model, optimizer) = (checked(content.model)?, optimizer.transpose()?);
    Ok(Checkpoint { model, optimizer, extra: content.extra.to_owned() })
}

fn checked(records: Vec<Tensor<'_>>) -> Result<BTreeMap<String, RawTensor>, Damage> {
    let mut tensors = BTreeMap::new();
    for record in records {
        let dtype = match record.dtype {
            Element::F32 => Dtype::F32,
            Element::F64 => Dtype::F64,
            Element::I64 => Dtype::I64,
        };
        let shape: Option<Vec<_>> = record.shape.iter().map(|&axis| usize::try_from(axis).ok()).collect();
        let tensor = shape.and_then(|shape| RawTensor::new(dtype, shape, record.data)).ok_or_else(|| {
            let expected =
                format!("`{}` to have {} bytes of {dtype} elements", record.name, record.data.len());
            Damage::new(expected, format!("the shape {:?}", record.shape))
        })?;
        if tensors.insert(record.name.to_owned(), tensor).is_some() {
            return Err(Damage::new("every tensor once", format!("`{}` twice", record.name)));
        }
    }
    Ok(tensors)
}
