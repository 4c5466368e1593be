//! Tables in CSV files: numbers and categories with names, some of them missing, made into what a network takes.
//!
//! A [`Table`] is the text of a file. A [`Schema`] says what its columns are; where it does not, they are looked at.
//! [`Schema::fit`] takes from the training part what has to be learnt from it (means and deviations, categories, what
//! stands for a missing value), and that is an [`Encoder`]: it turns rows of this and of later files into numbers, and
//! is saved with the model.
//!
//! ```
//! use rand::{SeedableRng, rngs::StdRng};
//! use wengert_data::table::{Missing, Schema, Table};
//! use wengert_data::{Dataset, split};
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("houses.csv");
//! # std::fs::write(&path, "id,area,year,town,price\n1,120,1990,Graz,300\n2,80,,Linz,250\n3,95,2001,Wien,420\n")?;
//! let table = Table::read(&path)?;
//! let (train, test) = split::random(table.len(), 0.7, &mut StdRng::seed_from_u64(0));
//!
//! let schema = Schema::new().ignore("id").missing("year", Missing::Median).embedding("town").target("price");
//! let encoder = schema.fit(&table.subset(&train))?; // `serde_json::to_string(&encoder)` for the next program
//!
//! let data = |rows: &Table| Dataset::new(encoder.features(rows)?, encoder.targets(rows)?);
//! for batch in data(&table.subset(&train))?.batches(32) {
//!     assert_eq!(batch.x.numbers.shape(), [2, 2]); // area and year, standardised
//!     assert_eq!(batch.x.categories[0].len(), 2); // towns, for an `Embedding` of `encoder.embeddings()[0].1` rows
//!     assert_eq!(batch.y.shape(), [2, 1]);
//! }
//! # assert_eq!(data(&table.subset(&test))?.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod column;
mod encoder;
mod features;
mod schema;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder, StringRecord};

use crate::{DataError, file};

pub use column::Missing;
pub use encoder::Encoder;
pub use features::{FeatureBatch, Features};
pub use schema::Schema;

/// The text of a CSV file: a header, and rows with as many cells. Clones and subsets share it.
#[derive(Clone, Debug)]
#[doc(alias("DataFrame", "read_csv", "pandas"))]
pub struct Table {
    path: Arc<Path>,
    header: Arc<[String]>,
    rows: Vec<Arc<Row>>,
}

#[derive(Debug)]
struct Row {
    /// Where in the file it begins, the first being 1.
    line: u64,
    cells: StringRecord,
}

/// Where a cell is and what it says, for errors.
#[derive(Clone, Copy)]
struct Cell<'a> {
    table: &'a Table,
    column: &'a str,
    line: u64,
    text: &'a str,
}

impl Table {
    /// Reads a file whose cells are separated by commas: UTF-8, with or without a byte order mark, lines that end in
    /// any way, cells in quotation marks where they contain commas, line breaks or quotation marks (`""` for one).
    /// White space around a cell is left out, and so are empty lines.
    ///
    /// Memory follows the length of the file.
    ///
    /// # Errors
    ///
    /// [`FileError::Io`](crate::FileError::Io) if the file cannot be read;
    /// [`FileError::Malformed`](crate::FileError::Malformed), with the line, for what is not text, a header that is
    /// missing or has a name twice, a row with more or fewer cells than the header, or a quotation that does not end.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, DataError> {
        Self::read_delimited(path, b',')
    }

    /// Like [`read`](Self::read), with another separator, such as `b';'` or `b'\t'`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// # Panics
    ///
    /// If a cell could not be told from the separator: a letter, a digit, a quotation mark, a line break, a byte that
    /// is not ASCII.
    #[track_caller]
    pub fn read_delimited(path: impl AsRef<Path>, delimiter: u8) -> Result<Self, DataError> {
        let possible = delimiter == b'\t' || delimiter == b' ' || delimiter.is_ascii_punctuation();
        assert!(possible && delimiter != b'"', "{:?} cannot separate cells", char::from(delimiter));
        let path = path.as_ref();
        let (file, _) = file::open(path)?;
        let records = records(path, BufReader::new(file), delimiter)?;
        Self::from_records(path, records)
    }

    fn from_records(path: &Path, records: Vec<(u64, StringRecord)>) -> Result<Self, DataError> {
        let mut records = records.into_iter();
        let Some((_, header)) = records.next() else {
            return Err(DataError::malformed(path, "a header line", "an empty file"));
        };
        let mut places = BTreeMap::new();
        for (place, name) in (1..).zip(&header) {
            if let Some(first) = places.insert(name, place) {
                let found = format!("{} in columns {first} and {place}", quoted(name));
                return Err(DataError::malformed(path, "a name of its own for each column", found));
            }
        }
        let width = header.len();
        let mut rows = Vec::new();
        for (line, cells) in records {
            if cells.len() != width {
                let expected = format!("{width} cells in line {line}, as in the header");
                return Err(DataError::malformed(path, expected, cells.len().to_string()));
            }
            rows.push(Arc::new(Row { line, cells }));
        }
        let header = header.iter().map(str::to_owned).collect();
        Ok(Self { path: path.into(), header, rows })
    }

    /// How many rows there are, the header not counted.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The cells of a column, to split by group or class.
    ///
    /// # Errors
    ///
    /// [`FileError::Malformed`](crate::FileError::Malformed) if there is no such column.
    pub fn column(&self, name: &str) -> Result<Vec<&str>, DataError> {
        Ok(self.cells(name)?.map(|cell| cell.text).collect())
    }

    /// The rows at `indices`, in that order; an index may repeat.
    ///
    /// # Panics
    ///
    /// If an index is not below [`len`](Self::len).
    #[must_use]
    #[track_caller]
    pub fn subset(&self, indices: &[usize]) -> Self {
        let row = |&index: &usize| match self.rows.get(index) {
            Some(row) => Arc::clone(row),
            None => panic!("subset: row {index} of {}", self.len()),
        };
        Self { rows: indices.iter().map(row).collect(), ..self.clone() }
    }

    fn place(&self, column: &str) -> Result<usize, DataError> {
        self.header.iter().position(|name| name == column).ok_or_else(|| {
            let names: Vec<_> = self.header.iter().map(|name| quoted(name)).collect();
            let expected = format!("a column {}", quoted(column));
            self.malformed(expected, format!("the columns {}", shortened(&names.join(", "))))
        })
    }

    fn cells(&self, column: &str) -> Result<impl Iterator<Item = Cell<'_>>, DataError> {
        let place = self.place(column)?;
        let column = self.header[place].as_str();
        Ok(self.rows.iter().map(move |row| {
            let text = &row.cells[place];
            Cell { table: self, column, line: row.line, text }
        }))
    }

    fn malformed(&self, expected: String, found: String) -> DataError {
        DataError::malformed(PathBuf::from(&*self.path), expected, found)
    }
}

impl Cell<'_> {
    /// `expected`, but found is this.
    fn refused(&self, expected: &str) -> DataError {
        let expected = format!("{expected} in line {}, column {}", self.line, quoted(self.column));
        self.table.malformed(expected, quoted(self.text))
    }
}

/// Whatever the last line is, this is a line of its own behind it, except inside of a quotation.
const END: &str = "END";

/// All records with their lines, white space around their cells left out.
fn records(
    path: &Path,
    mut file: impl BufRead,
    delimiter: u8,
) -> Result<Vec<(u64, StringRecord)>, DataError> {
    // The reader takes a byte order mark and nothing else for the end of the file.
    let mark = file.fill_buf().map_err(DataError::io(path, "read"))?.starts_with(b"\xef\xbb\xbf");
    file.consume(if mark { 3 } else { 0 });
    let end = format!("\n{END}\n");
    let content = file.chain(end.as_bytes());
    // Of other lengths than the header: the error is ours.
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(content);
    let mut records = Vec::new();
    let mut bytes = ByteRecord::new();
    let mut ended = false;
    while reader.read_byte_record(&mut bytes).map_err(|error| DataError::io(path, "read")(error.into()))? {
        let line = bytes.position().map_or(0, |position| position.line());
        ended = bytes.len() == 1 && &bytes[0] == END.as_bytes();
        let text = StringRecord::from_byte_record(std::mem::take(&mut bytes));
        let mut cells = text.map_err(|error| not_text(path, line, error.utf8_error().field()))?;
        if let Some(column) = cells.iter().position(|cell| cell.contains('\0')) {
            return Err(not_text(path, line, column));
        }
        cells.trim();
        records.push((line, cells));
    }
    match (ended, records.pop()) {
        (true, _) => Ok(records),
        (false, last) => {
            let line = last.map_or(0, |(line, _)| line);
            let expected = format!("the end of the quotation that begins in line {line} or below");
            Err(DataError::malformed(path, expected, "the end of the file"))
        }
    }
}

fn not_text(path: &Path, line: u64, column: usize) -> DataError {
    let found = format!("other bytes in line {line}, column {}", column + 1);
    DataError::malformed(path, "text in UTF-8", found)
}

/// As it can be shown.
fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

/// Cells may be of any length, error messages not.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
