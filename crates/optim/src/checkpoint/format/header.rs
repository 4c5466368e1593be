//! The frame of safetensors: the length of a header, the header as JSON, the tensors without gaps.
//!
//! The design decision: it is read and written here and not by the crate `safetensors`, which the tests hold it
//! against. That crate takes twenty times the file's length in memory where tensors are many and small, lets the last
//! of two tensors of one name win, and writes metadata in another order in every run.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::dtype::Dtype;
use super::error::FormatError;
use super::tensor::RawTensor;

/// What stands here in the place of a tensor.
pub(super) const METADATA: &str = "__metadata__";

/// In bytes. Other readers take no longer ones.
const LONGEST: usize = 100_000_000;

/// Where the tensors begin is a multiple of it, so that the elements of each lie as the CPU likes them.
const ALIGNMENT: usize = 8;

struct Header {
    metadata: BTreeMap<String, String>,
    /// In the order in which they lie in the file.
    tensors: Vec<(String, Info)>,
}

#[derive(Serialize, Deserialize)]
struct Info {
    dtype: Dtype,
    shape: Vec<usize>,
    /// Where it begins and ends, from the end of the header on.
    data_offsets: [usize; 2],
}

/// The file of these tensors.
pub(super) fn encode(
    metadata: BTreeMap<String, String>,
    tensors: BTreeMap<&str, &RawTensor>,
) -> Result<Vec<u8>, String> {
    let mut tensors: Vec<_> = tensors.into_iter().collect();
    // The largest elements first: then those of each tensor lie at a multiple of their own length.
    tensors.sort_by_key(|(_, tensor)| Reverse((tensor.dtype().bits(), tensor.dtype() as usize)));
    let mut header = Header { metadata, tensors: Vec::new() };
    let mut end = 0;
    for (name, tensor) in &tensors {
        let data_offsets = [end, end + tensor.bytes().len()];
        let info = Info { dtype: tensor.dtype(), shape: tensor.shape().to_vec(), data_offsets };
        header.tensors.push(((*name).to_owned(), info));
        end = data_offsets[1];
    }
    let mut json = serde_json::to_vec(&header).map_err(|error| error.to_string())?;
    json.resize(json.len().next_multiple_of(ALIGNMENT), b' ');
    if json.len() > LONGEST {
        return Err(format!("its header takes {} bytes, and at most {LONGEST} are allowed", json.len()));
    }
    let mut bytes = Vec::with_capacity(8 + json.len() + end);
    bytes.extend((json.len() as u64).to_le_bytes());
    bytes.extend(json);
    tensors.iter().for_each(|(_, tensor)| bytes.extend(tensor.bytes()));
    Ok(bytes)
}

/// Metadata and tensors of a file.
type Content = (BTreeMap<String, String>, BTreeMap<String, RawTensor>);

pub(super) fn decode(bytes: &[u8]) -> Result<Content, FormatError> {
    let expected = "a checkpoint or safetensors file";
    let (json, data) = bytes
        .split_first_chunk()
        .and_then(|(length, rest)| rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?))
        .ok_or_else(|| FormatError::new(expected, "neither, or one that is cut off"))?;
    let header: Header = serde_json::from_slice(json)
        .map_err(|error| FormatError::new(expected, format!("a header with an error: {error}")))?;
    let (mut tensors, mut end) = (BTreeMap::new(), 0);
    for (name, Info { dtype, shape, data_offsets: [from, to] }) in header.tensors {
        if tensors.contains_key(&name) {
            return Err(FormatError::new("every tensor once", format!("`{name}` twice")));
        }
        let found = || format!("bytes {from} to {to} of {}, as {dtype} {shape:?}", data.len());
        let bytes = data.get(from..to).filter(|_| from == end);
        let tensor =
            bytes.and_then(|bytes| RawTensor::new(dtype, shape.clone(), bytes)).ok_or_else(|| {
                FormatError::new(format!("the bytes from {end} on as the elements of `{name}`"), found())
            })?;
        tensors.insert(name, tensor);
        end = to;
    }
    if end != data.len() {
        return Err(FormatError::new(format!("{end} bytes of elements"), data.len()));
    }
    Ok((header.metadata, tensors))
}

impl Serialize for Header {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        let mut map = serializer.serialize_map(None)?;
        if !self.metadata.is_empty() {
            map.serialize_entry(METADATA, &self.metadata)?;
        }
        self.tensors.iter().try_for_each(|(name, info)| map.serialize_entry(name, info))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut metadata, mut tensors) = (None, Vec::new());
                while let Some(name) = map.next_key::<String>()? {
                    if name != METADATA {
                        tensors.push((name, map.next_value()?));
                    } else if metadata.replace(map.next_value()?).is_some() {
                        return Err(de::Error::duplicate_field(METADATA));
                    }
                }
                // Tensors without elements lie where others begin.
                tensors.sort_by_key(|(_, info): &(_, Info)| info.data_offsets);
                Ok(Header { metadata: metadata.unwrap_or_default(), tensors })
            }
        }

        deserializer.deserialize_map(Entries)
    }
}
