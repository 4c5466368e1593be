//! That `for_every_rule!` is of every rule, and what follows from a rule's name and fields alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wengert_optim::{Rule, for_every_rule};

use crate::row::Row;

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The types that a text implements `Rule` for.
fn rules(text: &str) -> impl Iterator<Item = String> {
    let types = text.split(" Rule<F> for ").skip(1);
    types.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric()).collect())
}

#[test]
fn the_list_knows_every_rule() {
    fn name<R: Row>() -> String {
        std::any::type_name::<R>().rsplit("::").next().expect("a type has a name").to_owned()
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let texts = sources(&folder).into_iter().map(|path| fs::read_to_string(path).unwrap());
    let written: BTreeSet<_> = texts.flat_map(|text| rules(&text).collect::<Vec<_>>()).collect();
    assert!(written.contains("RmsProp"), "nothing was found in {}", folder.display());
    assert_eq!(written, BTreeSet::from(for_every_rule!(name)), "in the sources, and in the list");
}

/// A file names the rule that it is of.
#[test]
fn no_two_rules_have_the_same_name() {
    fn name<R: Row>() -> &'static str {
        <R as Rule<f64>>::NAME
    }
    let names = for_every_rule!(name);
    assert_eq!(BTreeSet::from(names).len(), names.len(), "{names:?}");
}

/// With -1 in its place, each number of a rule is refused under its own name. The one exception may be negative.
#[test]
fn every_number_of_every_rule_has_a_range() {
    fn check<R: Row>() {
        let default = serde_json::to_value(R::default()).unwrap();
        for (field, value) in default.as_object().unwrap() {
            if !value.is_number() || field == "dampening" {
                continue;
            }
            let mut changed = default.clone();
            changed[field] = Value::from(-1.0);
            let rule: R = serde_json::from_value(changed).unwrap();
            let error = Rule::<f64>::validate(&rule).expect_err(field);
            assert_eq!((error.name, error.value), (field.as_str(), -1.0), "{rule:?}");
        }
    }
    for_every_rule!(check);
}
