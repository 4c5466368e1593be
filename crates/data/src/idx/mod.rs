//! The IDX format of the MNIST family: numbers in an array of any rank, plain or gzip.
//!
//! ```text
//! 00 00 type rank | rank sizes, big-endian u32 | the elements, big-endian, last axis fastest
//! ```
//!
//! Source: the description on the original MNIST page (LeCun, Cortes, Burges). The third byte is the element type: `08`
//! for the unsigned bytes of images, `0c` for the 32-bit integers of QMNIST's labels.
//!
//! Files of any type and rank make a [`Dataset`](crate::Dataset):
//!
//! ```
//! use wengert_data::{Dataset, idx, labels};
//!
//! # use ndarray::{Array1, Array3};
//! # let directory = tempfile::tempdir()?;
//! # let (x, y) = (directory.path().join("x"), directory.path().join("y"));
//! # idx::write(&x, Array3::from_elem((10, 2, 5), 0.5_f32).view().into_dyn())?;
//! # idx::write(&y, Array1::from_elem(10, 2_i16).view().into_dyn())?;
//! let data = Dataset::new(idx::read_as::<f32>(&x)?, labels(&idx::read_as::<i32>(&y)?, 3)?)?;
//! # assert_eq!((data.all().x.shape(), data.all().y), (&[10, 2, 5][..], vec![2; 10]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod element;
mod gunzip;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use ndarray::{ArrayD, ArrayViewD, IxDyn};

use crate::{DataError, file};
use gunzip::Gunzip;

pub use element::Element;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A deflate stream expands at most this many times: 258 bytes from two bits.
pub(crate) const DEFLATE_MAX_RATIO: u64 = 1032;

/// Reads an IDX file of unsigned bytes; gzip is recognised by its first two bytes, whatever the name.
///
/// The header is checked against the size of the file before memory is taken, so a hostile header costs nothing: a
/// plain file must have exactly the declared length, a gzip one must be long enough to expand to it and is then read up
/// to the declared length while memory grows with what arrives. Behind a gzip stream there may be zeros.
///
/// # Errors
///
/// [`FileError::Io`](crate::FileError::Io) if the file cannot be read;
/// [`FileError::Malformed`](crate::FileError::Malformed) for a wrong magic number, another element type, sizes that
/// overflow, missing or trailing bytes, a gzip stream that is damaged, or what is not a file at all.
pub fn read(path: impl AsRef<Path>) -> Result<ArrayD<u8>, DataError> {
    read_as(path)
}

/// Like [`read`], from every element type whose numbers are all numbers of `T`: `read_as::<i32>` takes all integers,
/// `read_as::<f64>` takes everything.
///
/// # Errors
///
/// As [`read`].
pub fn read_as<T: Element>(path: impl AsRef<Path>) -> Result<ArrayD<T>, DataError> {
    let path = path.as_ref();
    let (header, mut content, gzip) = open_after_header::<T>(path)?;
    let bytes = read_up_to(&mut content, header.bytes()).map_err(broken(path, gzip))?;
    if bytes.len() < header.bytes() {
        return Err(header.wrong_length(path, (bytes.len() / header.width).to_string()));
    }
    // Reading on to the end also makes the decoder compare gzip's checksum.
    if !read_up_to(&mut content, 1).map_err(broken(path, gzip))?.is_empty() {
        return Err(header.wrong_length(path, "more".into()));
    }
    ArrayD::from_shape_vec(IxDyn(&header.shape), T::decode(header.code, bytes))
        .map_err(|error| DataError::malformed(path, "sizes that fit in memory", error.to_string()))
}

/// The header alone, checked against the length of the file.
pub(crate) fn header<T: Element>(path: &Path) -> Result<Header, DataError> {
    open_after_header::<T>(path).map(|(header, ..)| header)
}

fn open_after_header<T: Element>(path: &Path) -> Result<(Header, Box<dyn Read>, bool), DataError> {
    let (mut content, gzip, file_bytes) = open(path)?;
    let header = Header::read::<T>(&mut content, path, gzip)?;
    header.check_against(path, gzip, file_bytes)?;
    Ok((header, content, gzip))
}

/// Writes `array` as an IDX file, gzip if the name ends in `.gz`, and atomically: `path` holds either what it held
/// before or the complete new file.
///
/// # Errors
///
/// [`FileError::Malformed`](crate::FileError::Malformed) if the format cannot hold the array (rank 0 or above 255, an
/// axis of 2³² or more); [`FileError::Io`](crate::FileError::Io) if the file cannot be written.
pub fn write<T: Element>(path: impl AsRef<Path>, array: ArrayViewD<T>) -> Result<(), DataError> {
    let path = path.as_ref();
    let header = encode_header(path, T::CODE, array.shape())?;
    wengert_files::write(path, |file| {
        if path.extension().is_some_and(|extension| extension == "gz") {
            let mut gzip = GzEncoder::new(file, Compression::default());
            gzip.write_all(&header)?;
            write_elements(&mut gzip, array)?;
            gzip.finish().map(drop)
        } else {
            file.write_all(&header)?;
            write_elements(file, array)
        }
    })
    .map_err(DataError::io(path, "write"))
}

fn write_elements<T: Element>(file: &mut impl Write, array: ArrayViewD<T>) -> io::Result<()> {
    let elements = array.as_standard_layout();
    let mut bytes = Vec::new();
    for some in elements.as_slice().expect("standard layout is one slice").chunks(1 << 13) {
        bytes.clear();
        some.iter().for_each(|element| element.encode(&mut bytes));
        file.write_all(&bytes)?;
    }
    Ok(())
}

/// Opens `path` for its decompressed content; also says whether it is gzip, and its length in bytes.
pub(crate) fn open(path: &Path) -> Result<(Box<dyn Read>, bool, u64), DataError> {
    let (file, bytes) = file::open(path)?;
    let mut file = BufReader::with_capacity(1 << 16, file);
    let gzip = file.fill_buf().map_err(DataError::io(path, "read"))?.starts_with(&GZIP_MAGIC);
    let content: Box<dyn Read> = if gzip { Box::new(Gunzip::new(file)) } else { Box::new(file) };
    Ok((content, gzip, bytes))
}

/// What the first bytes of an IDX file declare.
pub(crate) struct Header {
    /// The element type, and its bytes.
    code: u8,
    width: usize,
    pub(crate) shape: Vec<usize>,
    /// The product of `shape`.
    elements: usize,
}

impl Header {
    fn read<T: Element>(content: &mut impl Read, path: &Path, gzip: bool) -> Result<Self, DataError> {
        let magic = read_up_to(content, 4).map_err(broken(path, gzip))?;
        let [0, 0, code, rank @ 1..=255] = magic[..] else {
            let expected = "the IDX magic number 00 00, an element type, and a rank of at least 1";
            return Err(DataError::malformed(path, expected, format!("bytes {magic:02x?}")));
        };
        let Some(width) = T::width(code) else {
            let [expected, found] =
                [T::CODE, code].map(|code| format!("element type {code:#04x} ({})", element::name(code)));
            return Err(DataError::malformed(path, expected, found));
        };
        let rank = usize::from(rank);
        let sizes = read_up_to(content, 4 * rank).map_err(broken(path, gzip))?;
        if sizes.len() < 4 * rank {
            let expected = format!("{rank} sizes of 4 bytes");
            return Err(DataError::malformed(path, expected, format!("only {} bytes", sizes.len())));
        }
        let shape: Vec<usize> = sizes
            .chunks_exact(4)
            .map(|size| u32::from_be_bytes(size.try_into().expect("chunks of four")) as usize)
            .collect();
        let elements = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
        let bytes = elements.and_then(|elements| elements.checked_mul(width));
        match (elements, bytes) {
            (Some(elements), Some(bytes)) if isize::try_from(bytes).is_ok() => {
                Ok(Self { code, width, shape, elements })
            }
            _ => {
                let found = format!("sizes {shape:?}");
                Err(DataError::malformed(path, "sizes whose product can be addressed", found))
            }
        }
    }

    /// Whether `T` holds every number of the file's type.
    pub(crate) fn fits<T: Element>(&self) -> bool {
        T::width(self.code).is_some()
    }

    /// Of all elements.
    fn bytes(&self) -> usize {
        self.elements * self.width
    }

    /// Refuses a declared size that a file of `file_bytes` bytes cannot hold.
    fn check_against(&self, path: &Path, gzip: bool, file_bytes: u64) -> Result<(), DataError> {
        if gzip {
            if self.bytes() as u64 > file_bytes.saturating_mul(DEFLATE_MAX_RATIO) {
                let found = format!("no more than fit in {file_bytes} bytes of gzip");
                return Err(self.wrong_length(path, found));
            }
            return Ok(());
        }
        let present = file_bytes.saturating_sub(4 + 4 * self.shape.len() as u64);
        if present != self.bytes() as u64 {
            let (elements, rest) = (present / self.width as u64, present % self.width as u64);
            let rest = if rest == 0 { String::new() } else { format!(" and {rest} bytes") };
            return Err(self.wrong_length(path, format!("{elements}{rest}")));
        }
        Ok(())
    }

    fn wrong_length(&self, path: &Path, found: String) -> DataError {
        DataError::malformed(path, format!("{} elements (sizes {:?})", self.elements, self.shape), found)
    }
}

/// Reads `limit` bytes, or fewer if the content ends before. Memory doubles with what arrives and never passes `limit`.
pub(crate) fn read_up_to(content: &mut impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while bytes.len() < limit {
        let chunk = bytes.len().max(1 << 16).min(limit - bytes.len());
        bytes.try_reserve_exact(chunk)?;
        if content.by_ref().take(chunk as u64).read_to_end(&mut bytes)? < chunk {
            break;
        }
    }
    Ok(bytes)
}

/// For `map_err` on a read: in a gzip file, anything that goes wrong while decoding is damage to the file.
fn broken(path: &Path, gzip: bool) -> impl FnOnce(io::Error) -> DataError {
    move |error| match gzip {
        true => DataError::malformed(path, "an intact gzip stream", error.to_string()),
        false => DataError::io(path, "read")(error),
    }
}

fn encode_header(path: &Path, code: u8, shape: &[usize]) -> Result<Vec<u8>, DataError> {
    let refuse = || {
        let expected = "1 to 255 axes, each shorter than 2^32";
        DataError::malformed(path, expected, format!("an array of shape {shape:?}"))
    };
    let rank = u8::try_from(shape.len()).ok().filter(|&rank| rank > 0).ok_or_else(refuse)?;
    let mut header = vec![0, 0, code, rank];
    for &size in shape {
        header.extend(u32::try_from(size).map_err(|_| refuse())?.to_be_bytes());
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};

    use super::read_up_to;

    #[test]
    fn memory_follows_what_arrives_and_stops_at_the_limit() {
        let few = read_up_to(&mut &[1, 2, 3][..], isize::MAX as usize).unwrap();
        assert_eq!(few, [1, 2, 3]);
        assert!(few.capacity() <= 1 << 16, "{}", few.capacity());

        let some = read_up_to(&mut io::repeat(7).take(1 << 20), isize::MAX as usize).unwrap();
        assert_eq!(some.len(), 1 << 20);
        assert!(some.capacity() <= 1 << 21, "{}", some.capacity());

        for limit in [0, 1, 65_537, 1_000_003] {
            let all = read_up_to(&mut io::repeat(7), limit).unwrap();
            assert_eq!((all.len(), all.capacity()), (limit, limit));
        }
    }
}
