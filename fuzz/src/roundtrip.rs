//! What was read and written again reads the same.

use std::collections::BTreeSet;

use serde::de::IgnoredAny;
use wengert_optim::checkpoint::{Checkpoint, CheckpointError, SavedOptimizer};

use crate::path;

/// In both formats, as far as safetensors can hold it.
pub fn comes_back(file: &Checkpoint) {
    let path = path("again.wgt");
    file.write(&path).expect("what was read can be written");
    assert_eq!(&Checkpoint::read(&path).expect("what was written can be read"), file);
    comes_back_as_safetensors(file);
}

fn comes_back_as_safetensors(file: &Checkpoint) {
    let path = path("again.safetensors");
    match file.write_safetensors(&path) {
        Ok(()) => {
            assert!(fits_safetensors(file), "written, though the format cannot hold it");
            let read = Checkpoint::read(&path).expect("what was written can be read");
            assert_eq!(read, trimmed(file));
        }
        Err(CheckpointError::Unsavable { why, .. }) => assert!(!fits_safetensors(file), "refused: {why}"),
        Err(error) => panic!("{error}"),
    }
}

/// Whether all names are different and possible, and all that has to be JSON is.
fn fits_safetensors(file: &Checkpoint) -> bool {
    let state = file.optimizer.iter().flat_map(|optimizer| optimizer.state.keys());
    let names: BTreeSet<_> = file.model.keys().chain(state.clone()).collect();
    let rules = file.optimizer.iter().flat_map(|optimizer| &optimizer.rules);
    let mut json = rules.flat_map(|rule| [&rule.given, &rule.now]).chain([&file.extra]);
    names.len() == file.model.len() + state.count()
        && !names.contains(&"__metadata__".to_owned())
        && !file.metadata.contains_key("wengert")
        && json.all(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Without the spaces around JSON, which mean nothing.
fn trimmed(file: &Checkpoint) -> Checkpoint {
    let trim = |text: &mut String| *text = text.trim_matches([' ', '\t', '\r', '\n']).to_owned();
    let mut file = file.clone();
    trim(&mut file.extra);
    for rule in file.optimizer.iter_mut().flat_map(|SavedOptimizer { rules, .. }| rules) {
        trim(&mut rule.given);
        trim(&mut rule.now);
    }
    file
}
