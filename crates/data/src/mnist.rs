//! MNIST and the sets made in its likeness: Fashion-MNIST, KMNIST, EMNIST.

use std::path::{Path, PathBuf};

use ndarray::{Array3, ArrayD, Axis};

use crate::{DataError, ImageDataset, idx};

/// In an image, which in this family has 28 × 28. A small gzip file can hold larger ones, of nothing, that take a
/// network's memory.
const MOST_PIXELS: usize = 1 << 20;

/// The two halves every set of the family is published in.
#[derive(Clone, Debug)]
pub struct TrainTest {
    /// To learn from.
    pub train: ImageDataset,
    /// To be measured on, and nothing else.
    pub test: ImageDataset,
}

/// The splits of EMNIST (Cohen, Afshar, Tapson, van Schaik, 2017).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emnist {
    /// Digits, capitals and small letters as they fell: 62 classes.
    ByClass,
    /// As `ByClass`, with the 15 small letters that look like their capitals merged into them: 47 classes.
    ByMerge,
    /// The classes of `ByMerge`, equally many of each.
    Balanced,
    /// 26 letters, capital and small together; class 0 is A (the files count from 1).
    Letters,
    /// 10 digits, equally many of each.
    Digits,
    /// 10 digits, the size of MNIST.
    Mnist,
}

/// Loads MNIST, or Fashion-MNIST or KMNIST, which use the same four names: `train-images`, `train-labels`,
/// `t10k-images`, `t10k-labels`, each as `…-idx3-ubyte` or `….idx3-ubyte` (`idx1` for labels), with or without `.gz`.
/// Labels may be integers of any size; an image has 1 to 2²⁰ pixels. Before pixels are read, the sizes in the headers
/// are compared.
///
/// # Errors
///
/// [`DataError::Missing`] with every name looked for; otherwise the errors of [`idx::read`] and [`ImageDataset::new`],
/// with the file.
#[doc(alias = "torchvision")]
pub fn load(directory: impl AsRef<Path>) -> Result<TrainTest, DataError> {
    let half = |prefix| load_half(directory.as_ref(), prefix, 10, |images| images, 0);
    same_size(directory.as_ref(), half("train")?, half("t10k")?)
}

/// Loads QMNIST (Yadav and Bottou, "Cold Case: The Lost MNIST Digits", 2019) from its files
/// `qmnist-train-images-idx3-ubyte.gz`, `qmnist-train-labels-idx2-int.gz` and so on for `test`, in the spellings
/// [`load`] accepts. Of the eight numbers that it tells of each image, the first is the label.
///
/// # Errors
///
/// As [`load`].
pub fn load_qmnist(directory: impl AsRef<Path>) -> Result<TrainTest, DataError> {
    let half = |half| load_half(directory.as_ref(), &format!("qmnist-{half}"), 10, |images| images, 0);
    same_size(directory.as_ref(), half("train")?, half("test")?)
}

/// Loads a split of EMNIST from its IDX files, `emnist-letters-train-images-idx3-ubyte.gz` and so on, in the spellings
/// [`load`] accepts. The files hold every image transposed; here they are upright.
///
/// # Errors
///
/// As [`load`].
pub fn load_emnist(directory: impl AsRef<Path>, split: Emnist) -> Result<TrainTest, DataError> {
    let (name, classes, first_label) = match split {
        Emnist::ByClass => ("byclass", 62, 0),
        Emnist::ByMerge => ("bymerge", 47, 0),
        Emnist::Balanced => ("balanced", 47, 0),
        Emnist::Letters => ("letters", 26, 1),
        Emnist::Digits => ("digits", 10, 0),
        Emnist::Mnist => ("mnist", 10, 0),
    };
    let upright = |images: Array3<u8>| images.permuted_axes([0, 2, 1]);
    let half = |half| {
        let prefix = format!("emnist-{name}-{half}");
        load_half(directory.as_ref(), &prefix, classes, upright, first_label)
    };
    same_size(directory.as_ref(), half("train")?, half("test")?)
}

fn load_half(
    directory: &Path,
    prefix: &str,
    classes: usize,
    arrange: impl Fn(Array3<u8>) -> Array3<u8>,
    first_label: u8,
) -> Result<ImageDataset, DataError> {
    let images_path = find(directory, &format!("{prefix}-images"), &["idx3-ubyte"])?;
    let labels_path = find(directory, &format!("{prefix}-labels"), &["idx1-ubyte", "idx2-int"])?;
    let count = match idx::header::<u8>(&images_path)?.shape[..] {
        [count, rows, cols] if (1..=MOST_PIXELS).contains(&rows.saturating_mul(cols)) => count,
        ref sizes => {
            let expected = match sizes.len() {
                3 => format!("images of 1 to {MOST_PIXELS} pixels"),
                _ => "an array of rank 3".into(),
            };
            return Err(DataError::malformed(images_path, expected, format!("sizes {sizes:?}")));
        }
    };
    let labels = read_labels(&labels_path, count)?;
    let labels = from_zero(labels, first_label, classes).map_err(DataError::in_file(&labels_path))?;
    let images = idx::read(images_path)?.into_dimensionality().expect("rank 3 was checked");
    ImageDataset::new(arrange(images), labels, classes).map_err(DataError::in_file(labels_path))
}

/// One label for each of `images`; of several numbers that a file has for each, the first.
fn read_labels(path: &Path, images: usize) -> Result<Vec<u8>, DataError> {
    let header = idx::header::<i32>(path)?;
    let labels = match header.shape[..] {
        [labels] => labels,
        [labels, columns] if columns > 0 => labels,
        ref sizes => {
            return Err(DataError::malformed(path, "an array of rank 1", format!("sizes {sizes:?}")));
        }
    };
    if labels != images {
        return Err(DataError::in_file(path)(DataError::CountMismatch { images, labels }));
    }
    if header.fits::<u8>() {
        return Ok(first_of_each(&idx::read(path)?));
    }
    let wide: Vec<i32> = first_of_each(&idx::read_as(path)?);
    let narrow = |label: i32| u8::try_from(label).map_err(|_| label);
    wide.into_iter()
        .map(narrow)
        .collect::<Result<_, _>>()
        .map_err(|label| DataError::malformed(path, "labels from 0 to 255", label.to_string()))
}

fn first_of_each<T: Copy>(array: &ArrayD<T>) -> Vec<T> {
    let each = if array.ndim() == 1 { array.view() } else { array.index_axis(Axis(1), 0) };
    each.iter().copied().collect()
}

/// Labels that count from `first`, made to count from 0.
fn from_zero(labels: Vec<u8>, first: u8, classes: usize) -> Result<Vec<u8>, DataError> {
    let range = usize::from(first)..usize::from(first) + classes;
    if let Some(index) = labels.iter().position(|&label| !range.contains(&label.into())) {
        return Err(DataError::LabelOutOfRange { index, label: labels[index], first: first.into(), classes });
    }
    Ok(labels.into_iter().map(|label| label - first).collect())
}

fn same_size(directory: &Path, train: ImageDataset, test: ImageDataset) -> Result<TrainTest, DataError> {
    if train.image_size() != test.image_size() {
        let expected = format!("test images of the size of the training images, {:?}", train.image_size());
        return Err(DataError::malformed(directory, expected, format!("{:?}", test.image_size())));
    }
    Ok(TrainTest { train, test })
}

/// The first spelling of `stem` that is a file. One archive in circulation has directories of these very names, with
/// the files inside.
fn find(directory: &Path, stem: &str, kinds: &[&str]) -> Result<PathBuf, DataError> {
    let names = kinds.iter().flat_map(|kind| ["-", "."].map(|dot| format!("{stem}{dot}{kind}")));
    let names: Vec<String> = names.flat_map(|name| [format!("{name}.gz"), name]).collect();
    match names.iter().map(|name| directory.join(name)).find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => Err(DataError::Missing { directory: directory.into(), names }),
    }
}
