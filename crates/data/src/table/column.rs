//! What is learnt from a column, and its cells as numbers.

use std::collections::BTreeSet;

use ndarray::Array1;
use serde::{Deserialize, Serialize};

use super::{Cell, Table, quoted};
use crate::{DataError, Standardization};

/// What stands for a missing value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Missing {
    /// An error that names line and column.
    #[default]
    Error,
    /// The mean of the training part.
    Mean,
    /// The median of the training part; of an even number of values the mean of the two in the middle.
    Median,
    /// A category of its own.
    Category,
}

/// So many numbers for one column are a mistake: identifiers, or free text.
const MOST_ONE_HOT: usize = 1000;

/// The words for a missing value, in small letters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn new(words: &[&str]) -> Self {
        Self(words.iter().map(|word| word.trim().to_lowercase()).collect())
    }

    /// Whether a cell says that its value is missing.
    pub(super) fn are(&self, text: &str) -> bool {
        text.is_empty() || self.0.iter().any(|word| word.len() == text.len() && *word == text.to_lowercase())
    }
}

impl Default for Words {
    fn default() -> Self {
        Self::new(&["NA", "N/A", "NaN", "null"])
    }
}

/// A column of a table.
#[derive(Clone, Copy)]
pub(super) struct Column<'a> {
    pub(super) table: &'a Table,
    pub(super) name: &'a str,
    pub(super) words: &'a Words,
}

impl<'a> Column<'a> {
    /// Its cells; `None` for a missing value.
    fn values(self) -> Result<impl Iterator<Item = (Cell<'a>, Option<&'a str>)>, DataError> {
        let value = move |cell: Cell<'a>| (cell, Some(cell.text).filter(|text| !self.words.are(text)));
        Ok(self.table.cells(self.name)?.map(value))
    }

    /// Its categories in their order as text.
    fn categories(self, missing: Missing) -> Result<Vec<String>, DataError> {
        let mut found = BTreeSet::new();
        for (cell, value) in self.values()? {
            match value {
                Some(value) => _ = found.insert(value),
                None if missing == Missing::Category => {}
                None => return Err(cell.refused("a category")),
            }
        }
        Ok(found.into_iter().map(str::to_owned).collect())
    }
}

/// A finite number that `f32` holds too.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.abs() <= f64::from(f32::MAX))
}

pub(super) fn is_number(text: &str) -> bool {
    number(text).is_some()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Number {
    pub(super) name: String,
    mean: f64,
    std: f64,
    /// What stands for a missing value.
    fill: Option<f64>,
}

impl Number {
    pub(super) fn fit(column: Column<'_>, missing: Missing, scaled: bool) -> Result<Self, DataError> {
        let mut values = Vec::new();
        for (cell, value) in column.values()? {
            match value {
                Some(value) => values.push(number(value).ok_or_else(|| cell.refused("a number"))?),
                None if missing == Missing::Error => return Err(cell.refused("a number")),
                None => {}
            }
        }
        if values.is_empty() {
            let expected = format!("at least one value in column {}", quoted(column.name));
            return Err(column.table.malformed(expected, "none".into()));
        }
        let fill = match missing {
            Missing::Mean => Some(mean_and_std(&values)?.0),
            Missing::Median => Some(median(values.clone())),
            Missing::Error | Missing::Category => None,
        };
        values.resize(column.table.len(), fill.unwrap_or_default());
        let (mean, std) = if scaled { mean_and_std(&values)? } else { (0.0, 1.0) };
        Ok(Self { name: column.name.to_owned(), mean, std, fill })
    }

    pub(super) fn encode(&self, table: &Table, words: &Words) -> Result<Vec<f32>, DataError> {
        let encode = |(cell, value): (Cell<'_>, Option<&str>)| {
            let x = match value {
                Some(value) => number(value),
                None => self.fill,
            };
            let x = x.ok_or_else(|| cell.refused("a number"))?;
            let scaled = ((x - self.mean) / self.std) as f32;
            // So far from the training part, or from an encoder that somebody else wrote.
            if scaled.is_finite() { Ok(scaled) } else { Err(cell.refused("a number near those learnt from")) }
        };
        Column { table, name: &self.name, words }.values()?.map(encode).collect()
    }
}

fn mean_and_std(values: &[f64]) -> Result<(f64, f64), DataError> {
    let by = Standardization::fit(&Array1::from(values.to_vec()))?;
    Ok((by.mean()[[]], by.std()[[]]))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (upper, lower) = (values[values.len() / 2], values[(values.len() - 1) / 2]);
    lower / 2.0 + upper / 2.0
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Category {
    pub(super) name: String,
    pub(super) values: Vec<String>,
    /// Whether a missing value is a category of its own.
    pub(super) missing: bool,
}

impl Category {
    pub(super) fn fit(column: Column<'_>, missing: Missing, one_hot: bool) -> Result<Self, DataError> {
        let values = column.categories(missing)?;
        if one_hot && values.len() > MOST_ONE_HOT {
            let name = quoted(column.name);
            let expected =
                format!("at most {MOST_ONE_HOT} categories in column {name} (or embed or ignore it)");
            return Err(column.table.malformed(expected, values.len().to_string()));
        }
        Ok(Self { name: column.name.to_owned(), values, missing: missing == Missing::Category })
    }

    /// 0 for an unknown category, the known ones from 1, a missing value behind them.
    pub(super) fn encode(&self, table: &Table, words: &Words) -> Result<Vec<usize>, DataError> {
        let encode = |(cell, value): (Cell<'_>, Option<&str>)| match value {
            Some(value) => Ok(place(&self.values, value).map_or(0, |place| place + 1)),
            None if self.missing => Ok(self.values.len() + 1),
            None => Err(cell.refused("a category")),
        };
        Column { table, name: &self.name, words }.values()?.map(encode).collect()
    }

    /// One more than the largest index.
    pub(super) fn count(&self) -> usize {
        1 + self.values.len() + usize::from(self.missing)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Class {
    name: String,
    pub(super) values: Vec<String>,
}

impl Class {
    pub(super) fn fit(column: Column<'_>) -> Result<Self, DataError> {
        Ok(Self { name: column.name.to_owned(), values: column.categories(Missing::Error)? })
    }

    pub(super) fn encode(&self, table: &Table, words: &Words) -> Result<Vec<usize>, DataError> {
        let encode = |(cell, value): (Cell<'_>, Option<&str>)| {
            let known = value.and_then(|value| place(&self.values, value));
            known.ok_or_else(|| cell.refused(&format!("one of the {} classes learnt", self.values.len())))
        };
        Column { table, name: &self.name, words }.values()?.map(encode).collect()
    }
}

fn place(values: &[String], value: &str) -> Option<usize> {
    values.binary_search_by(|other| other.as_str().cmp(value)).ok()
}
