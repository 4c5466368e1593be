use std::fmt;

use serde::Serialize;
use wengert_files::harmless;

/// How a file and a model, with its optimizer, fit each other. Print it.
///
/// Tensors of the model go by their dotted names, those of the optimizer's state by `<parameter>/<field>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// Tensors that both have, with the same shape and type.
    pub matched: Vec<String>,
    /// What the model or the optimizer has and the file lacks.
    #[doc(alias = "missing_keys")]
    pub missing: Vec<String>,
    /// What the file has and the model or the optimizer lacks.
    #[doc(alias = "unexpected_keys")]
    pub unexpected: Vec<String>,
    /// What both have and is not the same: shapes and types of tensors, kind and hyper-parameters of the optimizer.
    pub mismatched: Vec<Mismatch>,
    /// What [`Weights`](super::Weights) could do about it.
    pub hints: Vec<String>,
}

/// A difference between a file and what it is loaded into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// The tensor or the hyper-parameter.
    pub name: String,
    /// What the model or the optimizer has.
    pub expected: String,
    /// What the file has.
    pub found: String,
}

/// What [`load`](super::load) found beside model and optimizer.
#[derive(Clone, Debug, Serialize)]
pub struct Loaded<T> {
    /// What [`save`](super::save) was given.
    pub extra: T,
    /// All tensors, as matched.
    pub report: LoadReport,
}

impl LoadReport {
    /// Whether nothing is missing, unexpected or mismatched.
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.mismatched.is_empty()
    }

    pub(super) fn append(&mut self, other: Self) {
        self.matched.extend(other.matched);
        self.missing.extend(other.missing);
        self.unexpected.extend(other.unexpected);
        self.mismatched.extend(other.mismatched);
        self.hints.extend(other.hints);
    }

    pub(super) fn mismatch(
        &mut self,
        name: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        self.mismatched.push(Mismatch { name: name.into(), expected: expected.into(), found: found.into() });
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matched = self.matched.len();
        if self.is_complete() {
            return write!(f, "all {matched} tensors matched");
        }
        write!(f, "{matched} tensors matched")?;
        for name in &self.missing {
            write!(f, "\n  missing from the file: {}", harmless(name))?;
        }
        for name in &self.unexpected {
            write!(f, "\n  only in the file: {}", harmless(name))?;
        }
        for Mismatch { name, expected, found } in &self.mismatched {
            let [name, expected, found] = [name, expected, found].map(|text| harmless(text));
            write!(f, "\n  {name}: expected {expected}, found {found}")?;
        }
        for hint in &self.hints {
            write!(f, "\n  hint: {}", harmless(hint))?;
        }
        Ok(())
    }
}
