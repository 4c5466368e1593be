//! That `for_every_rule!` is of every rule, and what follows from a rule's name and fields alone.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use wengert_optim::{Epsilon, Rule, WeightDecay, for_every_rule};

use crate::row::{NEGATIVE, Row};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The types that a text implements `Rule` for.
fn rules(text: &str) -> impl Iterator<Item = String> {
    let types = text.split(" Rule<F> for ").skip(1);
    types.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric()).collect())
}

/// The type's name.
fn name<R: Row>() -> String {
    std::any::type_name::<R>().rsplit("::").next().expect("a type has a name").to_owned()
}

#[test]
fn the_list_knows_every_rule() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let texts = sources(&folder).into_iter().map(|path| fs::read_to_string(path).unwrap());
    let written: BTreeSet<_> = texts.flat_map(|text| rules(&text).collect::<Vec<_>>()).collect();
    assert!(written.contains("RmsProp"), "nothing was found in {}", folder.display());
    let listed = BTreeSet::from(for_every_rule!(name));
    let missing: Vec<_> = written.difference(&listed).collect();
    assert!(missing.is_empty(), "add to `for_every_rule!` in src/rules/mod.rs: {missing:?}");
    let unknown: Vec<_> = listed.difference(&written).collect();
    assert!(unknown.is_empty(), "`for_every_rule!` has rules that {} lacks: {unknown:?}", folder.display());
}

/// A file names the rule that it is of.
#[test]
fn no_two_rules_have_the_same_name() {
    fn shown<R: Row>() -> &'static str {
        <R as Rule<f64>>::NAME
    }
    let names = for_every_rule!(shown);
    assert_eq!(BTreeSet::from(names).len(), names.len(), "{names:?}");
}

/// Outside its range each number of a rule is refused under its own name; so are ε and the decay.
#[test]
fn every_number_of_every_rule_has_a_range() {
    fn check<R: Row>() {
        let default = serde_json::to_value(R::default()).unwrap();
        let fields = default.as_object().unwrap().iter();
        let numbers: BTreeSet<_> =
            fields.filter(|(_, value)| value.is_number()).map(|(name, _)| name.as_str()).collect();
        let refused = R::refused();
        let listed: BTreeSet<_> = refused.iter().map(|&(name, ..)| name).collect();
        assert_eq!(listed, numbers, "complete `refused!` of {} in tests/every_rule/table.rs", name::<R>());
        for (name, value, rule) in refused.into_iter().chain(bad_eps()).chain(bad_decay()) {
            let error = Rule::<f32>::validate(&rule).expect_err(name);
            assert_eq!((error.name, error.value.to_bits()), (name, value.to_bits()), "{rule:?}");
            assert!(error.to_string().starts_with(&format!("{name} is {value}, but must be ")), "{error}");
        }
    }
    for_every_rule!(check);
}

/// An ε that the precision rounds to zero does not count.
fn bad_eps<R: Row>() -> Vec<(&'static str, f64, R)> {
    let places = [Epsilon::Outside, Epsilon::Inside, Epsilon::Uncorrected];
    let values = [0.0, -1e-8, f64::NAN, f64::INFINITY, 1e-60];
    let all = places.into_iter().flat_map(|place| values.map(|value| (value, place(value))));
    all.filter_map(|(value, eps)| Some(("eps", value, R::default().with_eps(eps)?))).collect()
}

fn bad_decay<R: Row>() -> Vec<(&'static str, f64, R)> {
    let mut bad = Vec::new();
    for value in NEGATIVE {
        let corrected = WeightDecay::Corrected { lambda: value, max_lr: 1.0 };
        bad.extend(
            [WeightDecay::L2(value), WeightDecay::Decoupled(value), corrected]
                .map(|decay| ("weight_decay", value, decay)),
        );
        bad.push(("max_lr", value, WeightDecay::Corrected { lambda: 0.1, max_lr: value }));
    }
    bad.push(("max_lr", 0.0, WeightDecay::Corrected { lambda: 0.1, max_lr: 0.0 }));
    bad.into_iter()
        .filter_map(|(name, value, decay)| Some((name, value, R::default().with_decay(decay)?)))
        .collect()
}
