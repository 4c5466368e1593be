//! That all ranks were started alike, and are alike still.

use serde::Serialize;
use serde_json::Value;
use wengert_autodiff::{Leaf, Module, ModulePath, Tensor};
use wengert_optim::checkpoint::Element;
use wengert_optim::{Field, Optimizer, Rule, State};

use crate::{Group, GroupError, Shards};

/// What must be the same on all ranks, by name.
type Facts = Vec<(String, String)>;

impl Shards<'_> {
    /// Compares all ranks with rank 0: the version of this crate, the number of shards, `settings`, the parameters and
    /// buffers of the model, the optimizer's hyper-parameters and state. Call it before the first step and, to be sure
    /// of what is written, before each checkpoint. It exchanges checksums, not tensors.
    ///
    /// `settings` is whatever else has to be the same, such as the seed, the size of a batch, a checksum of the data;
    /// fields of a struct are compared one by one.
    ///
    /// # Errors
    ///
    /// The same on every rank: the first rank that differs and the first thing in which it does. Or if a rank is gone
    /// or silent, or JSON cannot hold the settings.
    pub fn check<R, F>(
        &self,
        model: &dyn Module<F>,
        opt: &Optimizer<R, F>,
        settings: &impl Serialize,
    ) -> Result<(), GroupError>
    where
        R: Rule<F> + Serialize,
        F: Element,
    {
        let mut own = vec![
            ("version of wengert-mpi".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ("number of shards".to_owned(), self.count.to_string()),
        ];
        add_json(&mut own, "", settings)?;
        add_model(&mut own, model);
        add_optimizer(&mut own, model, opt)?;
        let first: Facts = serde_json::from_slice(&self.group.broadcast(serde_json::to_vec(&own)?)?)?;
        match first_objection(self.group, difference(&first, &own))? {
            Some((rank, what)) => Err(GroupError::Different { rank, what }),
            None => Ok(()),
        }
    }
}

fn add_json(facts: &mut Facts, prefix: &str, value: &impl Serialize) -> Result<(), serde_json::Error> {
    match serde_json::to_value(value)? {
        Value::Object(fields) => {
            facts.extend(
                fields.into_iter().map(|(name, value)| (format!("{prefix}{name}"), value.to_string())),
            );
        }
        value => facts.push((format!("{prefix}settings"), value.to_string())),
    }
    Ok(())
}

fn add_model<F: Element>(facts: &mut Facts, model: &dyn Module<F>) {
    model.visit(&mut ModulePath::default(), &mut |name, leaf| {
        let (kind, frozen) = match leaf {
            Leaf::Param(param) => ("parameter", param.is_frozen()),
            Leaf::Buffer(buffer) => ("buffer", buffer.is_frozen()),
        };
        let frozen = if frozen { "frozen " } else { "" };
        facts.push((format!("{kind} `{name}`"), format!("{frozen}{}", summary(leaf.value()))));
    });
}

fn add_optimizer<R, F>(
    facts: &mut Facts,
    model: &dyn Module<F>,
    opt: &Optimizer<R, F>,
) -> Result<(), serde_json::Error>
where
    R: Rule<F> + Serialize,
    F: Element,
{
    facts.push(("optimizer".to_owned(), R::NAME.to_owned()));
    facts.push(("steps of the optimizer".to_owned(), opt.steps().to_string()));
    for name in model.params().into_keys() {
        add_json(facts, &format!("{} of `{name}`: ", R::NAME), opt.rule_for(&name))?;
        for (field, value) in opt.state(&name).iter().flat_map(|state| state.fields()) {
            let value = match value {
                Field::Tensor(tensor) => summary(tensor),
                Field::Steps(count) | Field::Count(count) => count.to_string(),
                Field::Number(number) => number.to_string(),
                other => format!("{other:?}"),
            };
            facts.push((format!("state `{name}/{field}`"), value));
        }
    }
    Ok(())
}

/// Tells tensors apart, to the last bit.
fn summary<F: Element>(tensor: &Tensor<F>) -> String {
    let mut crc = crc32fast::Hasher::new();
    let mut bytes = Vec::with_capacity(tensor.len() * size_of::<F>());
    for number in tensor {
        let start = bytes.len();
        bytes.resize(start + size_of::<F>(), 0);
        number.put(&mut bytes[start..]);
    }
    crc.update(&bytes);
    format!("{} {:?} with checksum {:08x}", F::NAME, tensor.shape(), crc.finalize())
}

/// The first in which `own` differs from those of rank 0.
fn difference(first: &Facts, own: &Facts) -> Option<String> {
    let at = (0..first.len().max(own.len())).find(|&i| first.get(i) != own.get(i))?;
    Some(match (first.get(at), own.get(at)) {
        (Some((name, first)), Some((own_name, own))) if name == own_name => {
            format!("{name} is {own}, not {first}")
        }
        (first, own) => {
            let shown =
                |fact: Option<&(String, String)>| fact.map_or("nothing".into(), |(name, _)| name.clone());
            format!("it has {} where rank 0 has {}", shown(own), shown(first))
        }
    })
}

/// What the lowest rank objects to that does; the same on all ranks, which wait here for each other.
pub(crate) fn first_objection(
    group: &dyn Group,
    own: Option<String>,
) -> Result<Option<(usize, String)>, GroupError> {
    let mut first = None;
    if group.rank() == 0 {
        for rank in 1..group.size() {
            let theirs: Option<String> = serde_json::from_slice(&group.exchange(&[], &[], Some(rank))?)?;
            first = first.or(theirs.map(|theirs| (rank, theirs)));
        }
    } else {
        group.exchange(&[0], &serde_json::to_vec(&own)?, None)?;
    }
    Ok(serde_json::from_slice(&group.broadcast(serde_json::to_vec(&first)?)?)?)
}
