use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::Table;
use super::column::{Category, Class, Number, Words};
use super::features::{Features, Piece};
use crate::DataError;

/// Turns rows into numbers, with what [`Schema::fit`](super::Schema::fit) has learnt from the training part.
///
/// Save it with the model (it implements `Serialize`): a program that reads it back gives new rows the same bits. It
/// finds columns by name, so that a later file may have them in another order, and others beside them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    words: Words,
    pub(super) numbers: Vec<Numeric>,
    pub(super) embeddings: Vec<Category>,
    pub(super) targets: Vec<Number>,
    pub(super) class: Option<Class>,
}

/// What becomes numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Numeric {
    Number(Number),
    OneHot(Category),
}

impl From<Number> for Numeric {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<Category> for Numeric {
    fn from(category: Category) -> Self {
        Self::OneHot(category)
    }
}

impl Encoder {
    pub(super) fn new(words: Words) -> Self {
        Self { words, numbers: Vec::new(), embeddings: Vec::new(), targets: Vec::new(), class: None }
    }

    /// The inputs, a row for each of the table.
    ///
    /// # Errors
    ///
    /// [`FileError::Malformed`](crate::FileError::Malformed) if the table lacks a column, and with line, column and
    /// value for a cell that is not a number, or missing, where that is not foreseen.
    pub fn features(&self, table: &Table) -> Result<Features, DataError> {
        let piece = |column: &Numeric| match column {
            Numeric::Number(number) => Ok(Piece::Number(number.encode(table, &self.words)?)),
            Numeric::OneHot(category) => {
                // An unknown category is 0, and has no number of its own.
                Ok(Piece::OneHot(category.count() - 1, category.encode(table, &self.words)?))
            }
        };
        let pieces = self.numbers.iter().map(piece).collect::<Result<_, DataError>>()?;
        let categories = self.embeddings.iter().map(|category| category.encode(table, &self.words));
        Ok(Features::new(table.len(), pieces, categories.collect::<Result<_, _>>()?))
    }

    /// The numbers to predict, `[n, targets]`.
    ///
    /// # Errors
    ///
    /// As [`features`](Self::features).
    pub fn targets(&self, table: &Table) -> Result<Array2<f32>, DataError> {
        let mut targets = Array2::zeros((table.len(), self.targets.len()));
        for (mut column, target) in targets.columns_mut().into_iter().zip(&self.targets) {
            column.assign(&ndarray::Array1::from(target.encode(table, &self.words)?));
        }
        Ok(targets)
    }

    /// The classes to predict, each below the number of [`classes`](Self::classes).
    ///
    /// # Errors
    ///
    /// As [`features`](Self::features), and for a class that was not learnt from.
    ///
    /// # Panics
    ///
    /// If the schema had no [`class`](super::Schema::class).
    #[track_caller]
    pub fn labels(&self, table: &Table) -> Result<Vec<usize>, DataError> {
        match &self.class {
            Some(class) => class.encode(table, &self.words),
            None => panic!("labels: the schema has no class to predict"),
        }
    }

    /// What each number of a row is, in order: the name of a column, and for one-hot `column=category`, with nothing
    /// behind the `=` where the value is missing.
    pub fn numbers(&self) -> Vec<String> {
        let names = |column: &Numeric| match column {
            Numeric::Number(number) => vec![number.name.clone()],
            Numeric::OneHot(Category { name, values, missing }) => {
                let values = values.iter().map(String::as_str).chain(missing.then_some(""));
                values.map(|value| format!("{name}={value}")).collect()
            }
        };
        self.numbers.iter().flat_map(names).collect()
    }

    /// The columns for embeddings, in order, each with the number of its indices: how many rows the embedding needs.
    pub fn embeddings(&self) -> Vec<(&str, usize)> {
        self.embeddings.iter().map(|category| (category.name.as_str(), category.count())).collect()
    }

    /// The names of the classes to predict, in the order of the labels; empty if there are none.
    pub fn classes(&self) -> &[String] {
        self.class.as_ref().map_or(&[], |class| &class.values)
    }
}
