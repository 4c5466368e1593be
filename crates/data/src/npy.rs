//! NumPy's files: an array in `.npy`, several with names in `.npz`.
//!
//! ```
//! use ndarray::array;
//! use wengert_data::{Dataset, labels, npy};
//!
//! # let directory = tempfile::tempdir()?;
//! # let (x, y) = (directory.path().join("x.npy"), directory.path().join("y.npy"));
//! npy::write(&x, array![[0.0_f32, 1.0], [2.0, 3.0]].view())?; // `np.save("x.npy", x)`
//! npy::write(&y, array![1_i64, 0].view())?;
//! let data = Dataset::new(npy::read::<f32>(&x)?, labels(&npy::read::<i64>(&y)?, 2)?)?;
//! assert_eq!(data.all().y, [1, 0]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::any::type_name;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use ndarray::{ArrayD, ArrayView, Dimension};
use ndarray_npy::{ReadNpyError, ReadNpyExt, WriteNpyError, WriteNpyExt};
use zip::ZipArchive;

use crate::idx::{DEFLATE_MAX_RATIO, read_up_to};
use crate::{DataError, file};

/// The element of an array that can be read: `bool`, an integer of 8 to 64 bits, `f32` or `f64`, in either byte order.
pub use ndarray_npy::ReadableElement;
/// The element of an array that can be written, as [`ReadableElement`].
pub use ndarray_npy::WritableElement;

/// NumPy too refuses longer headers; one with a shape takes a hundred bytes.
const LONGEST_HEADER: usize = 10_000;

/// Reads a `.npy` file with elements of type `A`, in C or Fortran order.
///
/// The header is checked against the length of the file before memory is taken.
///
/// # Errors
///
/// [`FileError::Io`](crate::FileError::Io) if the file cannot be read;
/// [`FileError::Malformed`](crate::FileError::Malformed) for what is not such a file, another element type (the message
/// names both), or more or fewer elements than the header says.
#[doc(alias("numpy.load", "np.load"))]
pub fn read<A: ReadableElement>(path: impl AsRef<Path>) -> Result<ArrayD<A>, DataError> {
    let path = path.as_ref();
    let (file, bytes) = file::open(path)?;
    array(&mut BufReader::new(file), bytes).map_err(|wrong| wrong.in_file(path, None))
}

/// Reads the array `name`, without `.npy`, of a `.npz` file, compressed or not.
///
/// # Errors
///
/// As [`read`]; and if the file is not an archive or has no such array.
#[doc(alias("numpy.savez", "np.savez_compressed"))]
pub fn read_npz<A: ReadableElement>(path: impl AsRef<Path>, name: &str) -> Result<ArrayD<A>, DataError> {
    let path = path.as_ref();
    let (mut archive, bytes) = archive(path)?;
    let names = archive.file_names().flatten().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let entry = format!("{name}.npy");
    let Some(index) = archive.index_for_name(&entry) else {
        let found = names.chars().take(1000).collect::<String>();
        return Err(DataError::malformed(path, format!("an array {entry:?}"), format!("the files {found}")));
    };
    let mut content = archive.by_index(index).map_err(|error| broken(path, &error))?;
    let most = bytes.saturating_mul(DEFLATE_MAX_RATIO);
    array(&mut content, most).map_err(|wrong| wrong.in_file(path, Some(name)))
}

/// The names of the arrays in a `.npz` file, in the file's order.
///
/// # Errors
///
/// As [`read_npz`].
pub fn npz_names(path: impl AsRef<Path>) -> Result<Vec<String>, DataError> {
    let (archive, _) = archive(path.as_ref())?;
    let names = archive.file_names().flatten();
    Ok(names.filter_map(|name| name.strip_suffix(".npy").map(str::to_owned)).collect())
}

/// Writes `array` as `.npy`, as a whole or not at all.
///
/// # Errors
///
/// [`FileError::Io`](crate::FileError::Io) if the file cannot be written.
#[doc(alias("numpy.save", "np.save"))]
pub fn write<A: WritableElement, D: Dimension>(
    path: impl AsRef<Path>,
    array: ArrayView<'_, A, D>,
) -> Result<(), DataError> {
    let path = path.as_ref();
    let write = |error| match error {
        WriteNpyError::Io(error) => error,
        error => io::Error::other(error),
    };
    wengert_files::write(path, |file| array.write_npy(file).map_err(write))
        .map_err(DataError::io(path, "write"))
}

fn archive(path: &Path) -> Result<(ZipArchive<BufReader<File>>, u64), DataError> {
    let (file, bytes) = file::open(path)?;
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| broken(path, &error))?;
    Ok((archive, bytes))
}

fn broken(path: &Path, error: &zip::result::ZipError) -> DataError {
    DataError::malformed(path, "an intact .npz file", error.to_string())
}

/// What was expected and what was found.
struct Wrong(String, String);

impl Wrong {
    fn in_file(self, path: &Path, name: Option<&str>) -> DataError {
        let expected = match name {
            Some(name) => format!("{} as {name:?}", self.0),
            None => self.0,
        };
        DataError::malformed(path, expected, self.1)
    }
}

impl From<io::Error> for Wrong {
    fn from(error: io::Error) -> Self {
        Self("content that can be read".into(), error.to_string())
    }
}

/// The library takes the memory that a header asks for, and panics about shapes beyond any memory: it is given only
/// what is as long as its header says.
fn array<A: ReadableElement>(content: &mut impl Read, most: u64) -> Result<ArrayD<A>, Wrong> {
    let (mut bytes, text) = header(content)?;
    let wrong = || Wrong("a header with the shape of an array".into(), text.trim().to_owned());
    let elements = elements(&text).ok_or_else(wrong)?;
    let length = elements.checked_mul(size_of::<A>()).filter(|&length| length as u64 <= most);
    let expected = || format!("{elements} elements of type {}", type_name::<A>());
    let Some(length) = length else {
        return Err(Wrong(expected(), "fewer bytes".into()));
    };
    bytes.extend(read_up_to(content, length)?);
    // Reading on to the end also compares the checksum of an archive.
    bytes.extend(read_up_to(content, 1)?);
    ArrayD::read_npy(&bytes[..]).map_err(|error| match error {
        ReadNpyError::WrongDescriptor(found) => Wrong(expected(), format!("elements of type {found}")),
        error => Wrong(expected(), error.to_string()),
    })
}

/// All bytes before the data, and the text among them.
fn header(content: &mut impl Read) -> Result<(Vec<u8>, String), Wrong> {
    let mut bytes = read_up_to(content, 10)?;
    let length = match bytes[..] {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b] => u32::from(u16::from_le_bytes([a, b])),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b] => {
            bytes.extend(read_up_to(content, 2)?);
            match bytes[10..] {
                [c, d] => u32::from_le_bytes([a, b, c, d]),
                _ => 0,
            }
        }
        _ => return Err(Wrong("the magic number of NumPy's format".into(), format!("bytes {bytes:02x?}"))),
    };
    let text = match usize::try_from(length).ok().filter(|&length| length <= LONGEST_HEADER) {
        Some(length) => read_up_to(content, length)?,
        None => {
            let expected = format!("a header of at most {LONGEST_HEADER} bytes");
            return Err(Wrong(expected, length.to_string()));
        }
    };
    bytes.extend_from_slice(&text);
    Ok((bytes, String::from_utf8_lossy(&text).into_owned()))
}

/// The product of the shape, if there is exactly one in the text and its axes without the empty ones can be addressed.
fn elements(header: &str) -> Option<usize> {
    if header.contains(['\\', '[']) || header.matches('(').count() != 1 {
        return None;
    }
    let (_, rest) = header.split_once("'shape':")?;
    let (shape, _) = rest.trim_start().strip_prefix('(')?.split_once(')')?;
    let (mut product, mut addressed) = (1_usize, 1_usize);
    for axis in shape.split(',').map(str::trim).filter(|axis| !axis.is_empty()) {
        let axis: usize = axis.parse().ok()?;
        product = product.saturating_mul(axis);
        addressed = addressed.checked_mul(axis.max(1))?;
    }
    // Of elements of up to 16 bytes.
    (addressed <= isize::MAX as usize / 16).then_some(product)
}
