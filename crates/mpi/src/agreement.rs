//! That all ranks were started alike, and are alike still.

use std::collections::BTreeMap;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use wengert_autodiff::{Module, ModulePath, compute};
use wengert_optim::checkpoint::{Checkpoint, Element, RawTensor, SavedOptimizer};
use wengert_optim::{Optimizer, Rule};

use crate::{Group, GroupError, Shards};

/// What must be the same on all ranks, by name.
type Facts = Vec<(String, String)>;

impl<F: Element> Shards<'_, F> {
    /// Compares all ranks with rank 0: the version of this crate, whether products are
    /// [reproducible](compute::set_reproducible), the number of shards, `settings`, the parameters and buffers of the
    /// model, the optimizer's hyper-parameters and state. Call it before the first step and, to be sure of what is
    /// written, before each checkpoint. It exchanges checksums, not tensors.
    ///
    /// `settings` is whatever else has to be the same, such as the seed, the size of a batch, a checksum of the data;
    /// fields of a struct are compared one by one.
    ///
    /// # Errors
    ///
    /// The same on every rank: the first rank that differs and the first thing in which it does. Or if a rank is gone
    /// or silent, or JSON cannot hold the settings.
    pub fn check<R: Rule<F> + Serialize + DeserializeOwned>(
        &self,
        model: &dyn Module<F>,
        opt: &Optimizer<R, F>,
        settings: &impl Serialize,
    ) -> Result<(), GroupError> {
        let opt = SavedOptimizer::new(opt)?;
        let mut own = Vec::new();
        let run = json!({ "version of wengert-mpi": env!("CARGO_PKG_VERSION"), "shards": self.count,
            "reproducible": compute::is_reproducible(), "optimizer": opt.kind, "steps of the optimizer": opt.steps });
        add_json(&mut own, "", &run.to_string())?;
        add_json(&mut own, "", &serde_json::to_string(settings)?)?;
        add_tensors(&mut own, "tensor", &Checkpoint::from_model(model).model);
        model.visit(&mut ModulePath::default(), &mut |name, leaf| {
            own.push((format!("whether `{name}` is frozen"), leaf.is_frozen().to_string()));
        });
        for rule in &opt.rules {
            let group = rule.pattern.as_ref().map_or(String::new(), |group| format!(" of group `{group}`"));
            add_json(&mut own, &format!("{}{group}: ", opt.kind), &rule.now)?;
        }
        add_tensors(&mut own, "state", &opt.state);
        let first: Facts = answer(0, &self.group.broadcast(serde_json::to_vec(&own)?)?)?;
        agree(self.group, difference(&first, &own))
    }
}

/// The fields of an object one by one.
fn add_json(facts: &mut Facts, prefix: &str, json: &str) -> Result<(), serde_json::Error> {
    let fact = |(name, value): (String, Value)| (format!("{prefix}{name}"), value.to_string());
    match serde_json::from_str(json)? {
        Value::Object(fields) => facts.extend(fields.into_iter().map(fact)),
        value => facts.push(fact(("settings".to_owned(), value))),
    }
    Ok(())
}

/// To the last bit, by their checksums.
fn add_tensors(facts: &mut Facts, kind: &str, tensors: &BTreeMap<String, RawTensor>) {
    facts.extend(tensors.iter().map(|(name, tensor)| {
        let checksum = crc32fast::hash(tensor.bytes());
        let summary = format!("{:?} {:?} with checksum {checksum:08x}", tensor.dtype(), tensor.shape());
        (format!("{kind} `{name}`"), summary)
    }));
}

/// The first in which `own` differs from those of rank 0.
fn difference(first: &Facts, own: &Facts) -> Option<String> {
    let at = (0..first.len().max(own.len())).find(|&i| first.get(i) != own.get(i))?;
    let name = |facts: &Facts| facts.get(at).map_or("nothing more".to_owned(), |(name, _)| name.clone());
    Some(match (first.get(at), own.get(at)) {
        (Some((name, first)), Some((same, own))) if name == same => format!("{name} is {own}, not {first}"),
        _ => format!("it has {} where rank 0 has {}", name(own), name(first)),
    })
}

/// Waits for all ranks. An error on each of them if one objects: what the lowest of these says.
pub(crate) fn agree(group: &dyn Group, objection: Option<String>) -> Result<(), GroupError> {
    let mut first = None;
    if group.rank() == 0 {
        for rank in 1..group.size() {
            let theirs: Option<String> = answer(rank, &group.exchange(&[], Vec::new(), Some(rank))?)?;
            first = first.or(theirs.map(|theirs| (rank, theirs)));
        }
    } else {
        group.exchange(&[0], serde_json::to_vec(&objection)?, None)?;
    }
    let first: Option<(usize, String)> = answer(0, &group.broadcast(serde_json::to_vec(&first)?)?)?;
    first.map_or(Ok(()), |(rank, what)| Err(GroupError::Different(rank, what)))
}

/// What `rank` has sent; it does something else if that is not JSON.
fn answer<T: DeserializeOwned>(rank: usize, json: &[u8]) -> Result<T, GroupError> {
    serde_json::from_slice(json).map_err(|_| GroupError::Apart(rank))
}
