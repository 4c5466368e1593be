//! The files of `tests/golden/optim`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use wengert_autodiff::Tensor;

/// One file of trajectories.
#[derive(Deserialize)]
pub(crate) struct Recording {
    pub(crate) problems: BTreeMap<String, Problem>,
    pub(crate) cases: Vec<Case>,
}

/// Where the parameters start, and the gradients they are given: recorded ones, or `curvature · p`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Problem {
    pub(crate) params: Named<Array>,
    #[serde(default)]
    pub(crate) grads: Vec<Named<Option<Array>>>,
    pub(crate) curvature: Option<Named<Array>>,
    #[serde(rename = "steps")]
    _steps: Option<usize>,
}

/// What one optimizer did on one problem.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) rule: String,
    pub(crate) framework: String,
    pub(crate) options: Map<String, Value>,
    pub(crate) problem: String,
    #[serde(default)]
    pub(crate) lr_changes: BTreeMap<usize, f64>,
    pub(crate) params_after: Vec<Named<Vec<f64>>>,
    pub(crate) state_after: Option<Named<BTreeMap<String, Value>>>,
}

/// Something for each of the two parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named<T> {
    pub(crate) a: T,
    pub(crate) b: T,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

impl Array {
    pub(crate) fn tensor(&self) -> Tensor<f64> {
        Tensor::from_shape_vec(self.shape.clone(), self.data.clone()).expect("data for the shape")
    }
}

/// A case's options, each to be read once: what is left at the end was not understood.
pub(crate) struct Options(Map<String, Value>);

impl Options {
    pub(crate) fn new(options: &Map<String, Value>) -> Self {
        Self(options.clone())
    }

    pub(crate) fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or_else(|| panic!("no option `{name}` in {:?}", self.0))
    }

    pub(crate) fn number(&mut self, name: &str) -> f64 {
        self.optional(name).unwrap_or_else(|| panic!("option `{name}` is null"))
    }

    /// `None` where the option is null.
    pub(crate) fn optional(&mut self, name: &str) -> Option<f64> {
        match self.take(name) {
            Value::Null => None,
            value => Some(value.as_f64().unwrap_or_else(|| panic!("option `{name}` is {value}"))),
        }
    }

    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let value = self.take(name);
        value.as_bool().unwrap_or_else(|| panic!("option `{name}` is {value}"))
    }

    pub(crate) fn finish(self) {
        assert!(self.0.is_empty(), "options without a meaning here: {:?}", self.0);
    }
}

/// The names of all recordings, without the extension.
pub(crate) fn files() -> Vec<String> {
    let folder = folder();
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    paths.map(|path| path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned()).collect()
}

pub(crate) fn trajectories(name: &str) -> Recording {
    read(name)
}

pub(crate) fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = folder().join(format!("{name}.json"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/optim")
}
