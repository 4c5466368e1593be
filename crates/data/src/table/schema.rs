use std::collections::BTreeMap;

use super::column::{Category, Class, Column, Missing, Number, Words, is_number};
use super::{Encoder, Table, quoted};
use crate::DataError;

/// What the columns of a table are, by name. A column that is not named is looked at: where every training value is a
/// number it is one, where there is none at all it is left out, and otherwise it is a category as one-hot.
///
/// Of two statements about a column the later counts.
#[derive(Clone, Debug, Default)]
#[doc(alias("ColumnTransformer", "dtype"))]
pub struct Schema {
    columns: BTreeMap<String, Kind>,
    missing: BTreeMap<String, Missing>,
    words: Words,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Number { scaled: bool },
    OneHot,
    Embedding,
    Ignored,
    Target,
    Class,
}

impl Schema {
    /// All columns are looked at, a missing value is an error, and there is no target.
    pub fn new() -> Self {
        Self::default()
    }

    /// A number, standardised.
    pub fn number(self, column: &str) -> Self {
        self.with(column, Kind::Number { scaled: true })
    }

    /// A number, as it is.
    pub fn raw_number(self, column: &str) -> Self {
        self.with(column, Kind::Number { scaled: false })
    }

    /// A category as numbers: one for each category of the training part, which is 1 in its rows and 0 in others. A
    /// category that was not there has 0 everywhere.
    #[doc(alias("OneHotEncoder", "get_dummies"))]
    pub fn one_hot(self, column: &str) -> Self {
        self.with(column, Kind::OneHot)
    }

    /// A category as index into an embedding. The categories of the training part are counted from 1 in their order as
    /// text; 0 is for a category that was not there.
    #[doc(alias("OrdinalEncoder", "LabelEncoder"))]
    pub fn embedding(self, column: &str) -> Self {
        self.with(column, Kind::Embedding)
    }

    /// Not used. It need not be in later files.
    pub fn ignore(self, column: &str) -> Self {
        self.with(column, Kind::Ignored)
    }

    /// A number to predict, as it is; there may be several.
    pub fn target(self, column: &str) -> Self {
        self.with(column, Kind::Target)
    }

    /// A category to predict. The categories of the training part are counted from 0 in their order as text; another
    /// one is an error.
    pub fn class(self, column: &str) -> Self {
        self.with(column, Kind::Class)
    }

    /// What stands for a missing value of a column. Where nothing else says what the column is, `Mean` and `Median`
    /// make it a number, and `Category` a category.
    #[doc(alias("fillna", "SimpleImputer"))]
    pub fn missing(mut self, column: &str, missing: Missing) -> Self {
        self.missing.insert(column.to_owned(), missing);
        self
    }

    /// The words for a missing value, instead of `NA`, `N/A`, `NaN` and `null`; capitals do not matter. An empty cell
    /// is a missing value in any case.
    #[doc(alias = "na_values")]
    pub fn missing_words(mut self, words: &[&str]) -> Self {
        self.words = Words::new(words);
        self
    }

    fn with(mut self, column: &str, kind: Kind) -> Self {
        self.columns.insert(column.to_owned(), kind);
        self
    }

    /// Takes from the rows of the training part what is to be learnt from them.
    ///
    /// # Errors
    ///
    /// [`FileError::Malformed`](crate::FileError::Malformed) if the table has no row or lacks a column, and with line,
    /// column and value for a cell that is not what its column is; for a column without any value; for more than 1000
    /// categories as one-hot.
    ///
    /// # Panics
    ///
    /// If the schema contradicts itself: two classes to predict, the mean of categories, a target with something that
    /// stands for its missing values.
    #[track_caller]
    pub fn fit(&self, train: &Table) -> Result<Encoder, DataError> {
        if train.is_empty() {
            return Err(train.malformed("at least one row to learn from".into(), "none".into()));
        }
        for name in self.columns.keys().chain(self.missing.keys()) {
            train.place(name)?;
        }
        let mut encoder = Encoder::new(self.words.clone());
        for name in train.header() {
            let missing = self.missing.get(name).copied().unwrap_or_default();
            let kind = match self.columns.get(name) {
                Some(&kind) => kind,
                None => self.inferred(train, name, missing)?,
            };
            let possible = match kind {
                Kind::Number { .. } => missing != Missing::Category,
                Kind::OneHot | Kind::Embedding => !matches!(missing, Missing::Mean | Missing::Median),
                Kind::Target | Kind::Class => missing == Missing::Error,
                Kind::Ignored => true,
            };
            assert!(possible, "Missing::{missing:?} of column {}, which is {kind:?}", quoted(name));
            let column = Column { table: train, name, words: &self.words };
            match kind {
                Kind::Number { scaled } => encoder.numbers.push(Number::fit(column, missing, scaled)?.into()),
                Kind::OneHot => encoder.numbers.push(Category::fit(column, missing, true)?.into()),
                Kind::Embedding => encoder.embeddings.push(Category::fit(column, missing, false)?),
                Kind::Target => encoder.targets.push(Number::fit(column, Missing::Error, false)?),
                Kind::Class => {
                    let first = encoder.class.replace(Class::fit(column)?);
                    assert!(first.is_none(), "two classes to predict: the second is {}", quoted(name));
                }
                Kind::Ignored => {}
            }
        }
        Ok(encoder)
    }

    fn inferred(&self, train: &Table, name: &str, missing: Missing) -> Result<Kind, DataError> {
        let (mut any, mut all_numbers) = (false, true);
        for cell in train.cells(name)?.filter(|cell| !self.words.are(cell.text)) {
            any = true;
            all_numbers &= is_number(cell.text);
        }
        Ok(match missing {
            Missing::Mean | Missing::Median => Kind::Number { scaled: true },
            Missing::Category => Kind::OneHot,
            Missing::Error if !any => Kind::Ignored,
            Missing::Error if all_numbers => Kind::Number { scaled: true },
            Missing::Error => Kind::OneHot,
        })
    }
}
